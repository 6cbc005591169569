//! The random numbers of one pass through both phases.

use deepbelief_kernels::{Stream, Uniforms};

/// Layer l of units draws from `wake.layer(l)` and `sleep.layer(l)`, Gibbs step k of the top from
/// `gibbs(k)` of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhaseDraws {
    pub(crate) wake: Uniforms,
    pub(crate) sleep: Uniforms,
    pub(crate) hidden: Uniforms,
    pub(crate) visible: Uniforms,
    pub(crate) label: Uniforms,
}

impl PhaseDraws {
    /// Of update `step`, for a model with `layers` directed layers. A top without layers under it
    /// draws as an RBM that trains by itself.
    pub(crate) fn of_update(seed: u64, step: u32, layers: usize) -> Self {
        Self::new(layers, |stream| Uniforms::new(seed, stream, step))
    }

    /// Of measurements: the same after every epoch, so that a change of cost is a change of the
    /// model. Step 0 of their stream is the top's own.
    pub(crate) fn of_monitor(seed: u64, layers: usize) -> Self {
        Self::new(layers, |stream| Uniforms::new(seed, Stream::Monitor, stream as u32))
    }

    fn new(layers: usize, of: impl Fn(Stream) -> Uniforms) -> Self {
        let top = layers as u8;
        Self {
            wake: of(Stream::Wake),
            sleep: of(Stream::Sleep),
            hidden: of(Stream::Hidden).layer(top),
            visible: of(Stream::Visible).layer(top),
            label: of(Stream::Label).layer(top),
        }
    }
}
