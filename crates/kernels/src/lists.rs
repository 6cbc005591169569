//! Which units are on, as lists of indices: what turns a product with binary states into a sum
//! of weight rows.
//!
//! A state word is unpacked byte by byte through a table of the bit positions in a byte, so
//! the cost follows the number of units that are on.

use crate::panels::Row;
use crate::rng::BLOCK;
use crate::states::{Batch, Bits};
use rayon::prelude::*;

/// Words of states per block of weight rows: 7 * 32 rows of 128 bytes are 28 KB, which leaves
/// a 32 KB first-level cache room for the sums.
pub(crate) const BLOCK_WORDS: usize = 7;

/// Samples whose lists one task builds.
const GROUP: usize = 8;

/// Bit positions of each byte; entries beyond the byte's bits are never used.
static POSITIONS: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// Appends `base +` the position of every bit of `word` at `list[at..]`, and returns the new
/// end. Up to eight entries beyond it are overwritten with garbage.
#[inline(always)]
fn append(word: u32, base: u16, list: &mut [u16], mut at: usize) -> usize {
    if word == 0 {
        return at;
    }
    for byte in 0..4u16 {
        let bits = (word >> (8 * byte)) & 255;
        let out = &mut list[at..at + 8];
        for (out, &position) in out.iter_mut().zip(&POSITIONS[bits as usize]) {
            *out = base + 8 * byte + u16::from(position);
        }
        at += bits.count_ones() as usize;
    }
    at
}

/// The active units of every sample, in blocks of rows that fit the first-level cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Active {
    capacity: usize,
    blocks: usize,
    /// `[sample][block + 1]`, relative to the sample's first entry.
    offsets: Vec<u32>,
    indices: Vec<u16>,
}

impl Active {
    /// The units of `bits` that are on.
    pub(crate) fn of(&mut self, bits: &Bits) {
        let words = bits.blocks();
        let blocks = words.div_ceil(BLOCK_WORDS).max(1);
        let words_per_block = words.div_ceil(blocks).max(1);
        self.rebuild(bits.rows(), words, blocks, |s, offsets, list| {
            let mut at = 0;
            for b in 0..words {
                if b.is_multiple_of(words_per_block) {
                    offsets[b / words_per_block] = at as u32;
                }
                at = append(bits.word(s, b), (b * BLOCK) as u16, list, at);
            }
            for end in &mut offsets[words.div_ceil(words_per_block)..] {
                *end = at as u32;
            }
        });
    }

    /// In block 0 the units that went off from `before` to `after`, in block 1 those that came
    /// on.
    pub(crate) fn of_difference(&mut self, before: &Bits, after: &Bits) {
        let words = before.blocks();
        self.rebuild(before.rows(), words, 2, |s, offsets, list| {
            let mut at = 0;
            for b in 0..words {
                at = append(before.word(s, b) & !after.word(s, b), (b * BLOCK) as u16, list, at);
            }
            offsets[0] = 0;
            offsets[1] = at as u32;
            for b in 0..words {
                at = append(after.word(s, b) & !before.word(s, b), (b * BLOCK) as u16, list, at);
            }
            offsets[2] = at as u32;
        });
    }

    fn rebuild(
        &mut self,
        samples: usize,
        words: usize,
        blocks: usize,
        build: impl Fn(usize, &mut [u32], &mut [u16]) + Sync,
    ) {
        self.blocks = blocks;
        self.capacity = words * BLOCK + 8;
        self.offsets.resize(samples * (blocks + 1), 0);
        self.indices.resize(samples * self.capacity, 0);
        self.offsets
            .par_chunks_mut(GROUP * (blocks + 1))
            .zip(self.indices.par_chunks_mut(GROUP * self.capacity))
            .enumerate()
            .with_max_len(1)
            .for_each(|(group, (offsets, indices))| {
                let lists = offsets.chunks_exact_mut(blocks + 1).zip(indices.chunks_exact_mut(words * BLOCK + 8));
                for (i, (offsets, list)) in lists.enumerate() {
                    build(group * GROUP + i, offsets, list);
                }
            });
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The active units of one sample within one block.
    #[inline(always)]
    pub(crate) fn list(&self, sample: usize, block: usize) -> &[u16] {
        let at = sample * (self.blocks + 1) + block;
        let (start, end) = (self.offsets[at] as usize, self.offsets[at + 1] as usize);
        let base = sample * self.capacity;
        &self.indices[base + start..base + end]
    }
}

/// Samples a statistic is gathered over before it is added up: the table of their
/// contributions (three sets of rows) stays within reach of the caches.
pub(crate) const CHUNK: usize = 128;

/// How a batch is cut into chunks of at most [`CHUNK`] samples, as even as can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) samples: usize,
    pub(crate) size: usize,
}

impl Chunks {
    pub(crate) fn new(samples: usize) -> Self {
        let count = samples.div_ceil(CHUNK).max(1);
        Self { samples, size: samples.div_ceil(count).max(1) }
    }

    pub(crate) fn count(self) -> usize {
        self.samples.div_ceil(self.size).max(1)
    }

    pub(crate) fn range(self, index: usize) -> std::ops::Range<usize> {
        (index * self.size).min(self.samples)..((index + 1) * self.size).min(self.samples)
    }
}

/// For every unit of a layer, which rows of a chunk's table of contributions add up to the
/// gradient of its weights.
///
/// The table has three sets of rows for a chunk of n samples: the positive contribution of
/// each sample (row s), the negative one (n + s), and their sum (2n + s). A unit on in the
/// data only takes the first, in the reconstruction only the second, in both the third, so
/// that a unit costs one row addition and not two where data and reconstruction agree.
///
/// Where the data are sparse but real-valued, each entry also carries the factor of its row,
/// and a unit in both takes the first set scaled and the second set whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnitLists {
    chunks: Option<Chunks>,
    /// `[block of units][chunk][unit in block]`
    counts: Vec<u16>,
    /// `[block of units][chunk][unit in block][twice the chunk size]`
    entries: Vec<u16>,
    /// Beside `entries`; empty where every factor is one.
    factors: Vec<f32>,
}

/// What the lists gather of one side of the contrast.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a> {
    /// Binary states.
    Binary(&'a Bits),
    /// Real values, row-major, with the units where they are not zero.
    Scaled(&'a Bits, &'a [f32]),
    /// Nothing: this side is handled as a dense product.
    Dense,
}

impl<'a> Side<'a> {
    /// The side of a batch whose values, if it is real, are not zero in `support`, and the
    /// row-major values that are left to a dense product.
    pub(crate) fn of_batch(batch: &'a Batch, support: &'a Bits) -> (Self, &'a [f32]) {
        match batch {
            Batch::Binary(bits) => (Self::Binary(bits), &[]),
            Batch::Real { values, .. } if support.is_dense() => (Self::Dense, values),
            Batch::Real { values, .. } => (Self::Scaled(support, values), &[]),
        }
    }

    #[inline(always)]
    fn word(self, sample: usize, block: usize) -> u32 {
        match self {
            Self::Binary(bits) | Self::Scaled(bits, _) if sample < bits.rows() => bits.word(sample, block),
            // The other side has more samples, or this one is handled elsewhere.
            _ => 0,
        }
    }
}

impl UnitLists {
    /// Gathers the lists of the data (`positive`) and the binary reconstruction (`negative`),
    /// and adds to `bias` the difference of the units' sums, the second scaled by `r`.
    pub(crate) fn gather(&mut self, chunks: Chunks, positive: Side<'_>, negative: Side<'_>, r: f32, bias: &mut [Row]) {
        self.chunks = Some(chunks);
        let (count, width) = (chunks.count(), 2 * chunks.size);
        self.counts.resize(bias.len() * count * BLOCK, 0);
        self.entries.resize(bias.len() * count * BLOCK * width, 0);
        let scaled = matches!(positive, Side::Scaled(..));
        self.factors.resize(if scaled { self.entries.len() } else { 0 }, 0.0);
        // Without factors there is one empty slice a block.
        let factor_width = if scaled { count * BLOCK * width } else { 0 };
        let factors = split_evenly(&mut self.factors, factor_width, bias.len());
        bias.par_iter_mut()
            .zip(self.counts.par_chunks_mut(count * BLOCK))
            .zip(self.entries.par_chunks_mut(count * BLOCK * width))
            .zip(factors)
            .enumerate()
            .with_max_len(1)
            .for_each(|(block, (((bias, counts), entries), factors))| {
                counts.fill(0);
                for chunk in 0..count {
                    let counts = &mut counts[chunk * BLOCK..(chunk + 1) * BLOCK];
                    let at = chunk * BLOCK * width..(chunk + 1) * BLOCK * width;
                    let entries = &mut entries[at.clone()];
                    let samples = chunks.range(chunk);
                    match positive {
                        Side::Scaled(support, values) => gather_scaled(
                            (samples, chunks.size, block, r),
                            (support, values),
                            negative,
                            counts,
                            (entries, &mut factors[at]),
                            bias,
                        ),
                        _ => gather_binary((samples, chunks.size, block, r), positive, negative, counts, entries, bias),
                    }
                }
            });
    }

    /// The table rows of a unit in a chunk.
    #[inline(always)]
    pub(crate) fn list(&self, unit: usize, chunk: usize) -> &[u16] {
        let Some(chunks) = self.chunks else {
            return &[];
        };
        let at = (unit / BLOCK * chunks.count() + chunk) * BLOCK + unit % BLOCK;
        let start = at * 2 * chunks.size;
        &self.entries[start..start + usize::from(self.counts[at])]
    }

    /// The factors of [`Self::list`]'s rows, if they are not all one.
    #[inline(always)]
    pub(crate) fn factors(&self, unit: usize, chunk: usize) -> Option<&[f32]> {
        if self.factors.is_empty() {
            return None;
        }
        let chunks = self.chunks?;
        let at = (unit / BLOCK * chunks.count() + chunk) * BLOCK + unit % BLOCK;
        let start = at * 2 * chunks.size;
        Some(&self.factors[start..start + usize::from(self.counts[at])])
    }
}

/// `pieces` slices of `width` elements each (empty ones if `width` is 0).
fn split_evenly(mut rest: &mut [f32], width: usize, pieces: usize) -> Vec<&mut [f32]> {
    let mut out = Vec::with_capacity(pieces);
    for _ in 0..pieces {
        let (head, tail) = rest.split_at_mut(width);
        out.push(head);
        rest = tail;
    }
    out
}

/// Samples of a chunk, chunk size, block of units, weight of the negative side.
type Place = (std::ops::Range<usize>, usize, usize, f32);

#[inline(always)]
fn gather_binary(
    (samples, size, block, r): Place,
    positive: Side<'_>,
    negative: Side<'_>,
    counts: &mut [u16],
    entries: &mut [u16],
    bias: &mut Row,
) {
    for (i, s) in samples.enumerate() {
        let (p, n) = (positive.word(s, block), negative.word(s, block));
        let mut word = p | n;
        while word != 0 {
            let unit = word.trailing_zeros() as usize;
            word &= word - 1;
            let (p, n) = (p >> unit & 1, n >> unit & 1);
            let set = (n + (p & n)) as usize;
            entries[unit * 2 * size + usize::from(counts[unit])] = (set * size + i) as u16;
            counts[unit] += 1;
            bias.0[unit] += p as f32 - r * n as f32;
        }
    }
}

#[inline(always)]
fn gather_scaled(
    (samples, size, block, r): Place,
    (support, values): (&Bits, &[f32]),
    negative: Side<'_>,
    counts: &mut [u16],
    (entries, factors): (&mut [u16], &mut [f32]),
    bias: &mut Row,
) {
    let mut push = |unit: usize, row: usize, factor: f32, bias_step: f32| {
        let at = unit * 2 * size + usize::from(counts[unit]);
        entries[at] = row as u16;
        factors[at] = factor;
        counts[unit] += 1;
        bias.0[unit] += bias_step;
    };
    for (i, s) in samples.enumerate() {
        let mut word = Side::Binary(support).word(s, block);
        let row = &values[(s * support.units()).min(values.len())..];
        while word != 0 {
            let unit = word.trailing_zeros() as usize;
            word &= word - 1;
            let value = row[block * BLOCK + unit];
            push(unit, i, value, value);
        }
        let mut word = negative.word(s, block);
        while word != 0 {
            let unit = word.trailing_zeros() as usize;
            word &= word - 1;
            push(unit, size + i, 1.0, -r);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::ZERO;
    use crate::rng::{Stream, Uniforms};

    fn random_bits(rows: usize, units: usize, density: f32, seed: u64) -> Bits {
        let u = Uniforms::new(seed, Stream::User, 0);
        let values: Vec<f32> = (0..rows * units)
            .map(|i| f32::from(u8::from(u.at((i / units) as u32, (i % units) as u32) < density)))
            .collect();
        Bits::from_values(rows, units, &values)
    }

    #[test]
    fn lists_name_the_units_that_are_on() {
        for (rows, units) in [(1, 1), (17, 97), (5, 784), (0, 40)] {
            let bits = random_bits(rows, units, 0.4, 1);
            let mut active = Active::default();
            active.of(&bits);
            for s in 0..rows {
                let listed: Vec<usize> =
                    (0..active.blocks()).flat_map(|b| active.list(s, b).iter().map(|&i| usize::from(i))).collect();
                let on: Vec<usize> = (0..units).filter(|&i| bits.get(s, i)).collect();
                assert_eq!(listed, on);
            }
        }
    }

    #[test]
    fn differences_name_what_changed() {
        let (a, b) = (random_bits(9, 70, 0.3, 1), random_bits(9, 70, 0.3, 2));
        let mut active = Active::default();
        active.of_difference(&a, &b);
        for s in 0..9 {
            let off: Vec<u16> = (0..70).filter(|&i| a.get(s, i) && !b.get(s, i)).map(|i| i as u16).collect();
            let on: Vec<u16> = (0..70).filter(|&i| !a.get(s, i) && b.get(s, i)).map(|i| i as u16).collect();
            assert_eq!(active.list(s, 0), off);
            assert_eq!(active.list(s, 1), on);
        }
    }

    #[test]
    fn unit_lists_sum_to_the_statistics() {
        for samples in [1, 100, 300] {
            let (p, n) = (random_bits(samples, 70, 0.3, 3), random_bits(samples, 70, 0.3, 4));
            let chunks = Chunks::new(samples);
            let mut bias = vec![ZERO; 3];
            let mut lists = UnitLists::default();
            lists.gather(chunks, Side::Binary(&p), Side::Binary(&n), 0.5, &mut bias);
            for unit in 0..70 {
                let mut seen = vec![[false; 2]; samples];
                for chunk in 0..chunks.count() {
                    for &entry in lists.list(unit, chunk) {
                        let (set, i) = (usize::from(entry) / chunks.size, usize::from(entry) % chunks.size);
                        let s = chunks.range(chunk).start + i;
                        seen[s] = [set != 1, set != 0];
                    }
                }
                for (s, seen) in seen.iter().enumerate() {
                    assert_eq!(*seen, [p.get(s, unit), n.get(s, unit)]);
                }
                let count = |bits: &Bits| (0..samples).filter(|&s| bits.get(s, unit)).count() as f32;
                assert_eq!(bias[unit / 32].0[unit % 32], count(&p) - 0.5 * count(&n));
            }
        }
    }
}
