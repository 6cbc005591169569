//! From values as a file has them to pixels.

use super::pixels::Pixels;
use super::scaling::Scaling;
use crate::tables::values::Values;

/// What becomes of every value of a table: decided on all of them, so that any part of them can
/// be converted by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversion {
    pub(crate) scaling: Scaling,
    /// Whether all values of the table are whole numbers.
    pub(crate) whole: bool,
}

impl Conversion {
    /// Whether bytes come out.
    pub(crate) fn gives_bytes(self) -> bool {
        self.whole && !matches!(self.scaling, Scaling::MinMax { .. })
    }

    /// Converts values that have been read.
    pub(crate) fn apply(self, values: Values) -> Pixels {
        let (bottom, top) = self.scaling.bounds();
        if let Scaling::MinMax { .. } = self.scaling {
            let (min, width) = (f64::from(bottom), f64::from(top) - f64::from(bottom));
            // Values beyond have been refused, or are taken for the ends.
            // The sum leaves no negative zero, which a range that is turned round would give.
            let map = |x: f64| (((x - min) / width) as f32).clamp(0.0, 1.0) + 0.0;
            let mut floats = values.into_floats();
            for x in &mut floats {
                *x = map(f64::from(*x));
            }
            return floats.into();
        }
        match values {
            Values::Bytes(bytes) if top == 255.0 => bytes.into(),
            Values::Bytes(bytes) => bytes.iter().map(|&x| 255 * x).collect::<Vec<u8>>().into(),
            values if self.whole => {
                values.into_floats().iter().map(|x| (x * 255.0 / top) as u8).collect::<Vec<u8>>().into()
            }
            values => {
                let mut floats = values.into_floats();
                for x in &mut floats {
                    *x /= top;
                }
                floats.into()
            }
        }
    }
}
