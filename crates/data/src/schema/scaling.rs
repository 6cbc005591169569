//! What was done to values to bring them into [0, 1].

use std::fmt;

/// What was done to the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// They were in [0, 1] already.
    None,
    /// Divided by 255.
    By255,
    /// Mapped from this range, the other way round where `min` is the larger.
    MinMax {
        /// The value that became 0.
        min: f32,
        /// The value that became 1.
        max: f32,
    },
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("as they are"),
            Self::By255 => f.write_str("divided by 255"),
            Self::MinMax { min, max } => write!(f, "mapped from {min}..{max} to 0..1"),
        }
    }
}

impl Scaling {
    /// The values that become 0 and 1.
    pub(crate) fn bounds(self) -> (f32, f32) {
        match self {
            Self::None => (0.0, 1.0),
            Self::By255 => (0.0, 255.0),
            Self::MinMax { min, max } => (min, max),
        }
    }

    /// The value that became `x`.
    pub(crate) fn undone(self, x: f32) -> f64 {
        let (zero, one) = self.bounds();
        let (zero, one) = (f64::from(zero), f64::from(one));
        zero + f64::from(x) * (one - zero)
    }

    /// Whether the value that became `x` was whole, as far as 32 bits tell; what is missing is.
    pub(crate) fn was_whole(self, x: f32) -> bool {
        let value = self.undone(x);
        !value.is_finite() || (value - value.round()).abs() < 0.01
    }

    /// The smallest and the largest value that it takes.
    pub(crate) fn ends(self) -> (f32, f32) {
        let (zero, one) = self.bounds();
        (zero.min(one), zero.max(one))
    }
}
