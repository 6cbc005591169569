//! What products are computed in on a device that has a choice.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What products of training are computed in; everything else, and every measurement, is F32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// F32.
    #[default]
    F32,
    /// Factors rounded to 10 bits of mantissa, sums in F32.
    Tf32,
    /// States, probabilities and weights in BF16, which holds states exactly; sums, and the weights
    /// that learn, in F32.
    Bf16,
}

impl Precision {
    /// Whether it is F32, the default, which files need not mention.
    #[must_use]
    pub fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}

/// As recipes and flags have it.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}
