//! Values as files have them.

use std::borrow::Cow;
use std::ops::Range;

use crate::number::narrow;

/// Row-major values as the file has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    #[cfg_attr(not(feature = "formats"), allow(dead_code, reason = "IDX files hold bytes"))]
    Floats(Vec<f32>),
    /// Numbers that 32 bits may not hold: they are rounded to them where nothing centres them first.
    #[cfg_attr(not(feature = "formats"), allow(dead_code, reason = "IDX files hold bytes"))]
    Doubles(Vec<f64>),
}

impl Values {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
            Self::Doubles(doubles) => doubles.len(),
        }
    }

    /// All of them in 32 bits.
    pub(crate) fn into_floats(self) -> Vec<f32> {
        match self {
            Self::Floats(floats) => floats,
            values => values.floats(0..values.len()).into_owned(),
        }
    }

    /// Some of them in 32 bits.
    pub(crate) fn floats(&self, at: Range<usize>) -> Cow<'_, [f32]> {
        match self {
            Self::Bytes(bytes) => bytes[at].iter().map(|&x| f32::from(x)).collect(),
            Self::Floats(floats) => Cow::Borrowed(&floats[at]),
            Self::Doubles(doubles) => doubles[at].iter().map(|&x| narrow(x)).collect(),
        }
    }
}
