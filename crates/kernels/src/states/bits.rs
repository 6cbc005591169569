//! Binary states of a minibatch, one bit a unit.

use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Kind, Level};
use crate::states::masks;
use crate::states::share::Share;
use rayon::prelude::*;

/// Share of non-zero values above which a dense product beats a sum of rows.
const DENSE: f64 = 0.6;

/// Binary states [rows, units], one bit a unit.
///
/// 32 neighbouring units of a row share a word; the words of one such block of units lie
/// together for all rows (`words[block * rows + row]`), so that threads which work on
/// different blocks write to different memory. Bits beyond `units` are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    rows: usize,
    units: usize,
    words: Vec<u32>,
}

impl Bits {
    /// All-zero states.
    #[must_use]
    pub fn zeros(rows: usize, units: usize) -> Self {
        Self { rows, units, words: vec![0; rows * units.div_ceil(BLOCK)] }
    }

    /// Sets the shape and forgets the states (they become zero), keeping the memory.
    pub fn reset(&mut self, rows: usize, units: usize) {
        self.rows = rows;
        self.units = units;
        self.words.clear();
        self.words.resize(rows * units.div_ceil(BLOCK), 0);
    }

    /// Packs row-major values [rows, units]: a unit is on where its value is above one half.
    ///
    /// # Panics
    /// If there are not `rows * units` values.
    #[must_use]
    pub fn from_values(rows: usize, units: usize, values: &[f32]) -> Self {
        assert_eq!(values.len(), rows * units, "values must be [rows, units]");
        let mut bits = Self::zeros(rows, units);
        for row in 0..rows {
            for (block, chunk) in values[row * units..(row + 1) * units].chunks(BLOCK).enumerate() {
                let word = chunk.iter().enumerate().fold(0, |word, (i, &x)| word | (u32::from(x > 0.5) << i));
                bits.set_word(row, block, word);
            }
        }
        bits
    }

    /// States drawn by fair coins, row b from row b of `draw`.
    #[must_use]
    pub fn coins(rows: usize, units: usize, draw: Uniforms) -> Self {
        let mut bits = Self::zeros(rows, units);
        for row in 0..rows {
            for block in 0..bits.blocks() {
                let u = draw.block(row as u32, block as u32);
                let word = u.iter().enumerate().fold(0, |word, (i, &u)| word | (u32::from(u < 0.5) << i));
                bits.set_word(row, block, word);
            }
        }
        bits
    }

    /// Number of samples.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of units in a sample.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of 32-unit blocks in a sample.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.units.div_ceil(BLOCK)
    }

    /// The 32 states from unit `32 * block` on, lowest bit first.
    #[must_use]
    pub fn word(&self, row: usize, block: usize) -> u32 {
        self.words[block * self.rows + row]
    }

    /// Sets 32 states at once; bits beyond the last unit are dropped.
    pub fn set_word(&mut self, row: usize, block: usize, word: u32) {
        let rest = self.units - block * BLOCK;
        let mask = if rest < BLOCK { (1 << rest) - 1 } else { u32::MAX };
        self.words[block * self.rows + row] = word & mask;
    }

    /// Becomes the `chosen` of samples whose words lie row-major in `words`, `units / 32` a sample,
    /// rounded up; rows beside `share` become zeros.
    ///
    /// # Panics
    /// If a sample is chosen that is not there.
    pub fn gather(&mut self, units: usize, words: &[u32], chosen: &[u32], share: Share) {
        /// Blocks that are copied from a sample at a time: a cache line of it.
        const LINE: usize = 16;
        /// Words that are worth several threads.
        const ENOUGH: usize = 1 << 16;
        self.reset(chosen.len(), units);
        let (rows, blocks) = (chosen.len(), self.blocks());
        let last = if units.is_multiple_of(BLOCK) { u32::MAX } else { (1 << (units % BLOCK)) - 1 };
        let fill = |(line, out): (usize, &mut [u32])| {
            let first = line * LINE;
            for row in share.of(rows).flatten() {
                let words = &words[chosen[row] as usize * blocks..][..blocks];
                for (out, &word) in out.chunks_exact_mut(rows).zip(&words[first..]) {
                    out[row] = word;
                }
            }
        };
        if self.words.len() < ENOUGH {
            self.words.chunks_mut((LINE * rows).max(1)).enumerate().for_each(fill);
        } else {
            self.words.par_chunks_mut(LINE * rows).enumerate().for_each(fill);
        }
        if let Some(first) = blocks.checked_sub(1) {
            for word in &mut self.words[first * rows..] {
                *word &= last;
            }
        }
    }

    /// The states of some rows, in their order.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn chosen(&self, rows: &[usize]) -> Self {
        let mut chosen = Self::zeros(rows.len(), self.units);
        for (block, words) in chosen.words.chunks_exact_mut(rows.len().max(1)).enumerate() {
            let of_block = self.block(block);
            words.iter_mut().zip(rows).for_each(|(word, &row)| *word = of_block[row]);
        }
        chosen
    }

    /// Swaps a row with the same one of other states of the same shape.
    ///
    /// # Panics
    /// If there is no such row, or the shapes differ.
    pub fn swap_row(&mut self, other: &mut Self, row: usize) {
        assert_eq!((self.rows, self.units), (other.rows, other.units), "states of the same shape");
        for at in (row..self.words.len()).step_by(self.rows) {
            std::mem::swap(&mut self.words[at], &mut other.words[at]);
        }
    }

    /// One unit's state.
    #[must_use]
    pub fn get(&self, row: usize, unit: usize) -> bool {
        self.word(row, unit / BLOCK) >> (unit % BLOCK) & 1 == 1
    }

    /// The words of one block of units, row after row.
    #[must_use]
    pub(crate) fn block(&self, block: usize) -> &[u32] {
        &self.words[block * self.rows..(block + 1) * self.rows]
    }

    /// All words, block by block.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// All words, block by block, for writing. Bits beyond `units` must stay zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        &mut self.words
    }

    /// Row-major 0/1 values [rows, units].
    #[must_use]
    pub fn to_values(&self) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.rows * self.units);
        for row in 0..self.rows {
            out.extend((0..self.units).map(|unit| f32::from(u8::from(self.get(row, unit)))));
        }
        out
    }

    /// Becomes the places where row-major values [rows, units] are not zero.
    pub(crate) fn set_nonzero(&mut self, rows: usize, units: usize, values: &[f32]) {
        self.reset(rows, units);
        for (row, values) in values.chunks_exact(units.max(1)).enumerate() {
            let (blocks, rest) = values.as_chunks::<BLOCK>();
            let words = &mut self.words[row..];
            match Level::detect().0 {
                Kind::Portable => {
                    for (values, word) in blocks.iter().zip(words.iter_mut().step_by(rows)) {
                        *word = masks::word_of(values, |&x| x != 0.0);
                    }
                }
                // SAFETY: a level of another kind is made only after the processor was asked.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 | Kind::Avx512 => unsafe { masks::nonzero(blocks, words, rows) },
            }
            if !rest.is_empty() {
                words[blocks.len() * rows] = masks::word_of(rest, |&x| x != 0.0);
            }
        }
    }

    /// Whether so many units are on that a dense product beats a sum of rows.
    pub(crate) fn is_dense(&self) -> bool {
        self.ones() as f64 > DENSE * (self.rows * self.units) as f64
    }

    /// Number of units that differ from another set of states of the same shape.
    #[must_use]
    pub fn differing(&self, other: &Self) -> usize {
        self.words.iter().zip(&other.words).map(|(a, b)| (a ^ b).count_ones() as usize).sum()
    }

    /// Number of units that are on in a row.
    pub(crate) fn ones_of(&self, row: usize) -> usize {
        (0..self.blocks()).map(|block| self.word(row, block).count_ones() as usize).sum()
    }

    /// Number of units that are on, over all rows.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// The 32 states of a word as 0 and 1.
#[inline(always)]
pub(crate) fn unpack_word(word: u32) -> Row {
    let mut row = ZERO;
    for (i, x) in row.0.iter_mut().enumerate() {
        *x = (word >> i & 1) as f32;
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking_are_inverse_on_odd_shapes() {
        for (rows, units) in [(0, 5), (1, 1), (3, 31), (2, 32), (5, 33), (7, 97)] {
            let values: Vec<f32> = (0..rows * units).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
            let bits = Bits::from_values(rows, units, &values);
            assert_eq!(bits.to_values(), values);
            assert_eq!(bits.ones(), values.iter().filter(|&&x| x == 1.0).count());
        }
    }

    /// What is no number is not zero; zero of either sign is.
    #[test]
    fn places_that_are_not_zero() {
        for units in [1, 32, 40, 97] {
            let cycle = [0.0, 0.5, -0.0, f32::NAN, 1e-40, -3.0, 0.0];
            let values: Vec<f32> = (0..3 * units).map(|i| cycle[i % 7]).collect();
            let mut bits = Bits::zeros(1, 500);
            bits.set_nonzero(3, units, &values);
            for (at, &x) in values.iter().enumerate() {
                assert_eq!(bits.get(at / units, at % units), x != 0.0, "value {at} of {units} units");
            }
        }
    }

    #[test]
    fn bits_beyond_the_last_unit_are_dropped() {
        let mut bits = Bits::zeros(1, 33);
        bits.set_word(0, 1, u32::MAX);
        assert_eq!(bits.ones(), 1);
    }
}
