//! Which visible units of a minibatch have no value in the data.

use super::batch::Batch;
use super::bits::Bits;
use crate::row::BLOCK;

/// Which visible units of a minibatch have no value in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// What identifies each sample, in all epochs.
    pub samples: Vec<u32>,
    /// [samples, units]; on where there is no value.
    pub cells: Bits,
}

impl Missing {
    /// Whether every unit has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.words().iter().all(|&word| word == 0)
    }

    /// Whether a sample lacks a value.
    #[must_use]
    pub fn lacks(&self, row: usize) -> bool {
        (0..self.cells.blocks()).any(|block| self.cells.word(row, block) != 0)
    }

    /// The units of a sample that have no value, in their order.
    pub fn units(&self, row: usize) -> impl Iterator<Item = usize> {
        let words = (0..self.cells.blocks()).map(move |block| (block, self.cells.word(row, block)));
        words.flat_map(|(block, word)| {
            (0..BLOCK).filter(move |bit| word >> bit & 1 == 1).map(move |bit| block * BLOCK + bit)
        })
    }
}

impl Batch {
    /// Takes the values of `cells` from another batch of this shape. States are on from one half on.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn take(&mut self, cells: &Bits, from: &Self) {
        assert_eq!((self.rows(), self.units()), (from.rows(), from.units()), "batches of one shape");
        assert_eq!((self.rows(), self.units()), (cells.rows(), cells.units()), "cells of the batch");
        match (self, from) {
            (Self::Binary(to), Self::Binary(from)) => {
                for ((to, &from), &cells) in to.words_mut().iter_mut().zip(from.words()).zip(cells.words()) {
                    *to = *to & !cells | from & cells;
                }
            }
            (to, from) => {
                let from = from.to_values();
                to.set(cells, |row, unit, units| from[row * units + unit]);
            }
        }
    }

    /// Turns the units of `cells` off.
    ///
    /// # Panics
    /// If the cells are not those of a batch of this shape.
    pub fn turn_off(&mut self, cells: &Bits) {
        assert_eq!((self.rows(), self.units()), (cells.rows(), cells.units()), "cells of the batch");
        self.set(cells, |_, _, _| 0.0);
    }

    /// Gives units of a sample values. States are on from one half on.
    ///
    /// # Panics
    /// If there is no such sample or unit.
    pub fn put(&mut self, row: usize, values: impl Iterator<Item = (usize, f32)>) {
        for (unit, value) in values {
            match self {
                Self::Binary(bits) => {
                    let (block, bit) = (unit / BLOCK, 1 << (unit % BLOCK));
                    let word = bits.word(row, block) & !bit;
                    bits.set_word(row, block, if value >= 0.5 { word | bit } else { word });
                }
                Self::Real { units, values, .. } => values[row * *units + unit] = value,
            }
        }
    }

    /// The value of a unit of a sample.
    ///
    /// # Panics
    /// If there is no such sample or unit.
    #[must_use]
    pub fn value(&self, row: usize, unit: usize) -> f32 {
        match self {
            Self::Binary(bits) => (bits.word(row, unit / BLOCK) >> (unit % BLOCK) & 1) as f32,
            Self::Real { units, values, .. } => values[row * units + unit],
        }
    }

    /// Gives cells the values `value(row, unit, units)`.
    fn set(&mut self, cells: &Bits, value: impl Fn(usize, usize, usize) -> f32) {
        let units = self.units();
        for block in 0..cells.blocks() {
            for row in 0..cells.rows() {
                let word = cells.word(row, block);
                if word == 0 {
                    continue;
                }
                let of = |bit: usize| value(row, block * BLOCK + bit, units);
                let on = (0..BLOCK).filter(|bit| word >> bit & 1 == 1);
                match self {
                    Self::Binary(bits) => {
                        let states = on.filter(|&bit| of(bit) >= 0.5).fold(0, |states, bit| states | 1 << bit);
                        bits.set_word(row, block, bits.word(row, block) & !word | states);
                    }
                    Self::Real { values, .. } => on.for_each(|bit| values[row * units + block * BLOCK + bit] = of(bit)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_and_turned_off_in_every_kind_of_batch() {
        let (rows, units) = (3, 40);
        let ones = vec![1.0; rows * units];
        let missing: Vec<f32> = (0..rows * units).map(|i| f32::from(u8::from(i % 7 == 0 && i < 2 * units))).collect();
        let cells = Bits::from_values(rows, units, &missing);
        let real = |values: &[f32]| Batch::Real { rows, units, values: values.to_vec() };
        let binary = |values: &[f32]| Batch::Binary(Bits::from_values(rows, units, values));
        for (full, zeros) in [
            (real(&ones), binary(&vec![0.0; rows * units])),
            (binary(&ones), real(&vec![0.0; rows * units])),
            (binary(&ones), binary(&vec![0.0; rows * units])),
        ] {
            let mut off = full.clone();
            off.turn_off(&cells);
            let expected: Vec<f32> = missing.iter().map(|m| 1.0 - m).collect();
            assert_eq!(off.to_values(), expected);
            let mut taken = full.clone();
            taken.take(&cells, &zeros);
            assert_eq!(taken, off);
            taken.take(&cells, &full);
            assert_eq!(taken, full);
        }
        let missing = Missing { samples: vec![5, 6, 7], cells };
        assert_eq!(missing.units(1).collect::<Vec<_>>(), [2, 9, 16, 23, 30, 37]);
        assert_eq!([0, 1, 2].map(|row| missing.lacks(row)), [true, true, false]);
        assert!(!missing.is_empty());
    }
}
