//! The largest parameter of several updates.

/// A magnitude as bits: integers order like magnitudes, and NaN comes out above everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Largest(u32);

impl Largest {
    pub(crate) fn keep(&mut self, magnitude: f32) {
        self.0 = self.0.max(magnitude.to_bits());
    }

    /// What was kept, which starts again from 0.
    pub(crate) fn take(&mut self) -> f32 {
        f32::from_bits(std::mem::take(&mut self.0))
    }
}
