//! Values of samples in [0, 1].

use crate::schema::shared::Shared;

/// Row-major pixel values of all samples.
#[derive(Clone, Debug)]
pub enum Pixels {
    /// Bytes that stand for value / 255.
    Bytes(Shared<u8>),
    /// Values in [0, 1].
    Floats(Shared<f32>),
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Vec<f32>> for Pixels {
    fn from(floats: Vec<f32>) -> Self {
        Self::Floats(floats.into())
    }
}

impl Pixels {
    pub(crate) fn row(&self, row: usize, units: usize) -> Row<'_> {
        let range = row * units..(row + 1) * units;
        match self {
            Self::Bytes(bytes) => Row::Bytes(&bytes[range]),
            Self::Floats(floats) => Row::Floats(&floats[range]),
        }
    }
}

/// The values of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row<'a> {
    /// Bytes that stand for value / 255.
    Bytes(&'a [u8]),
    /// Values in [0, 1].
    Floats(&'a [f32]),
}

impl Row<'_> {
    /// Writes the values in [0, 1].
    ///
    /// # Panics
    /// If `out` is longer than the row.
    pub(crate) fn write(&self, out: &mut [f32]) {
        match self {
            Self::Bytes(bytes) => {
                for (out, &byte) in out.iter_mut().zip(*bytes) {
                    *out = f32::from(byte) / 255.0;
                }
            }
            Self::Floats(floats) => out.copy_from_slice(&floats[..out.len()]),
        }
    }
}
