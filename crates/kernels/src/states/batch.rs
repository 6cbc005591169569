//! How a minibatch of unit states is kept: one bit a unit where the states are binary, floats
//! where they are probabilities or real values.

use crate::row::{BLOCK, Row, ZERO};
use crate::states::bits::{Bits, unpack_word};

/// A minibatch of visible states [rows, units].
#[derive(Clone, Debug, PartialEq)]
pub enum Batch {
    /// Binary states.
    Binary(Bits),
    /// Probabilities in [0, 1] or other real values, row-major.
    Real {
        /// Number of samples.
        rows: usize,
        /// Number of units in a sample.
        units: usize,
        /// Row-major [rows, units].
        values: Vec<f32>,
    },
}

impl Default for Batch {
    fn default() -> Self {
        Self::Binary(Bits::default())
    }
}

impl Batch {
    /// Number of samples.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Binary(bits) => bits.rows(),
            Self::Real { rows, .. } => *rows,
        }
    }

    /// Number of units in a sample.
    #[must_use]
    pub fn units(&self) -> usize {
        match self {
            Self::Binary(bits) => bits.units(),
            Self::Real { units, .. } => *units,
        }
    }

    /// Row-major values [rows, units].
    #[must_use]
    pub fn to_values(&self) -> Vec<f32> {
        match self {
            Self::Binary(bits) => bits.to_values(),
            Self::Real { values, .. } => values.clone(),
        }
    }

    /// The values of units `32 * block ..` of a sample, zeros beyond the last unit.
    #[inline]
    pub(crate) fn block(&self, sample: usize, block: usize) -> Row {
        match self {
            Self::Binary(bits) => unpack_word(bits.word(sample, block)),
            Self::Real { units, values, .. } => {
                let row = &values[sample * units..(sample + 1) * units];
                let chunk = &row[block * BLOCK..row.len().min((block + 1) * BLOCK)];
                let mut out = ZERO;
                out.0[..chunk.len()].copy_from_slice(chunk);
                out
            }
        }
    }

    /// The first `rows` samples, or all if there are fewer.
    #[must_use]
    pub fn head(&self, rows: usize) -> Self {
        self.slice(0..rows.min(self.rows()))
    }

    /// Some of the samples.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Self::Binary(bits) => {
                let mut part = Bits::zeros(rows.len(), bits.units());
                for block in 0..bits.blocks() {
                    let words = &bits.block(block)[rows.clone()];
                    part.words_mut()[block * rows.len()..(block + 1) * rows.len()].copy_from_slice(words);
                }
                Self::Binary(part)
            }
            Self::Real { units, values, .. } => {
                let values = values[rows.start * units..rows.end * units].to_vec();
                Self::Real { rows: rows.len(), units: *units, values }
            }
        }
    }

    /// Some of the samples, in this order.
    ///
    /// # Panics
    /// If one of them is not there.
    #[must_use]
    pub fn chosen(&self, rows: &[usize]) -> Self {
        match self {
            Self::Binary(bits) => Self::Binary(bits.chosen(rows)),
            Self::Real { units, values, .. } => {
                let values = rows.iter().flat_map(|row| &values[row * units..(row + 1) * units]).copied().collect();
                Self::Real { rows: rows.len(), units: *units, values }
            }
        }
    }

    /// Writes the samples of another batch of this kind and width over those from `first` on.
    ///
    /// # Panics
    /// If it is not of this kind, or there are not so many.
    pub fn put_rows(&mut self, first: usize, part: &Self) {
        match (self, part) {
            (Self::Binary(own), Self::Binary(part)) => {
                for block in 0..part.blocks() {
                    for row in 0..part.rows() {
                        own.set_word(first + row, block, part.word(row, block));
                    }
                }
            }
            (Self::Real { units, values, .. }, Self::Real { values: part, .. }) => {
                values[first * *units..][..part.len()].copy_from_slice(part);
            }
            _ => panic!("batches of one kind"),
        }
    }

    /// Swaps a sample with the same one of another batch of this kind and shape.
    ///
    /// # Panics
    /// If it is not of this kind and shape.
    pub fn swap_row(&mut self, other: &mut Self, row: usize) {
        match (self, other) {
            (Self::Binary(own), Self::Binary(other)) => own.swap_row(other, row),
            (Self::Real { units, values, .. }, Self::Real { values: others, .. }) => {
                let place = row * *units..(row + 1) * *units;
                values[place.clone()].swap_with_slice(&mut others[place]);
            }
            _ => panic!("batches of one kind"),
        }
    }

    /// Becomes binary zeros of a shape and returns them for writing, reusing memory.
    pub fn make_binary(&mut self, rows: usize, units: usize) -> &mut Bits {
        if !matches!(self, Self::Binary(_)) {
            *self = Self::default();
        }
        let Self::Binary(bits) = self else { unreachable!("made binary above") };
        bits.reset(rows, units);
        bits
    }

    /// Becomes real zeros of a shape and returns the row-major values for writing, reusing
    /// memory.
    pub fn make_real(&mut self, new_rows: usize, new_units: usize) -> &mut [f32] {
        if !matches!(self, Self::Real { .. }) {
            *self = Self::Real { rows: 0, units: 0, values: Vec::new() };
        }
        let Self::Real { rows, units, values } = self else { unreachable!("made real above") };
        (*rows, *units) = (new_rows, new_units);
        values.clear();
        values.resize(new_rows * new_units, 0.0);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_heads_hold_the_values() {
        let values: Vec<f32> = (0..7 * 40).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
        for batch in [
            Batch::Binary(Bits::from_values(7, 40, &values)),
            Batch::Real { rows: 7, units: 40, values: values.clone() },
        ] {
            assert_eq!(batch.block(2, 0).0, values[80..112]);
            assert_eq!(batch.block(2, 1).0[..8], values[112..120]);
            assert_eq!(batch.block(2, 1).0[8..], [0.0; 24]);
            assert_eq!(batch.head(3).to_values(), values[..120]);
            assert_eq!(batch.head(9), batch);
        }
    }

    #[test]
    fn a_batch_changes_kind_and_shape_in_place() {
        let mut batch = Batch::default();
        batch.make_real(2, 3)[4] = 0.25;
        assert_eq!(batch.to_values(), [0.0, 0.0, 0.0, 0.0, 0.25, 0.0]);
        batch.make_binary(1, 2).set_word(0, 0, 0b10);
        assert_eq!(batch.to_values(), [0.0, 1.0]);
        assert_eq!((batch.rows(), batch.units()), (1, 2));
    }
}
