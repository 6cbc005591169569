//! Which units are on, as lists of indices: what turns a product with binary states into a sum
//! of weight rows.

use crate::products::scratch::Scratch;
use crate::row::{BLOCK, ZERO};
use crate::states::bits::Bits;
use crate::states::positions::{SPARE, append};
use rayon::prelude::*;

/// Words of states per block of weight rows: 7 * 32 rows of 128 bytes are 28 KB, which leaves
/// a 32 KB first-level cache room for the sums.
pub(crate) const BLOCK_WORDS: usize = 7;

/// Samples whose lists one task builds.
const GROUP: usize = 8;

/// Rows that are added at a time.
pub(crate) const FOURS: usize = 4;

/// Rows to be added up, as [`crate::products::product::add_rows`] takes them: four at a time.
///
/// No entry lies above `filler`, the index of a row of zeros that fills the list up to fours.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    filled: &'a [u16],
    len: usize,
    filler: u16,
}

impl<'a> List<'a> {
    /// The entries, without what fills them up.
    #[inline(always)]
    pub(crate) fn exact(self) -> &'a [u16] {
        &self.filled[..self.len]
    }

    #[inline(always)]
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The entries in fours.
    #[inline(always)]
    pub(crate) fn fours(self) -> &'a [[u16; FOURS]] {
        self.filled.as_chunks().0
    }

    /// Rows that a matrix must have for every entry to be one of them.
    #[inline(always)]
    pub(crate) fn rows(self) -> usize {
        usize::from(self.filler) + 1
    }
}

/// Where a list lies among others; the next one starts at a multiple of [`FOURS`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The list with room to be filled up.
    #[inline(always)]
    fn filled(self) -> std::ops::Range<usize> {
        self.start as usize..(self.end as usize).next_multiple_of(FOURS)
    }

    /// The list alone.
    #[inline(always)]
    pub(crate) fn exact(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Fills a list up; returns where the next one starts.
    pub(crate) fn fill_up(self, entries: &mut [u16], filler: u16) -> usize {
        let filled = self.filled();
        entries[self.end as usize..filled.end].fill(filler);
        filled.end
    }

    /// The list that lies here, of entries that do not lie above `filler`.
    #[inline(always)]
    pub(crate) fn list(self, entries: &[u16], filler: u16) -> List<'_> {
        List { filled: &entries[self.filled()], len: (self.end - self.start) as usize, filler }
    }
}

/// The active units of every sample, in blocks of rows that fit the first-level cache.
///
/// The lists lie in the order in which products read them: for a group of samples block by
/// block, within a block sample by sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct Active {
    capacity: usize,
    blocks: usize,
    filler: u16,
    /// `[group][block][sample in the group]`, within the group's entries.
    spans: Vec<Span>,
    /// `[group][capacity]`
    entries: Vec<u16>,
}

impl Active {
    /// The units of `bits` that are on.
    pub(crate) fn of(&mut self, bits: &Bits) {
        let words = bits.blocks();
        let blocks = words.div_ceil(BLOCK_WORDS).max(1);
        let words_per_block = words.div_ceil(blocks).max(1);
        self.rebuild(bits, blocks, |s, block, list, at| {
            let words = block * words_per_block..words.min((block + 1) * words_per_block);
            append(words.map(|b| (bits.word(s, b), (b * BLOCK) as u16)), list, at)
        });
    }

    /// In block 0 the units that went off from `before` to `after`, in block 1 those that came
    /// on.
    pub(crate) fn of_difference(&mut self, before: &Bits, after: &Bits) {
        self.rebuild(before, 2, |s, block, list, at| {
            let (from, to) = if block == 0 { (before, after) } else { (after, before) };
            let gone = |b| (from.word(s, b) & !to.word(s, b), (b * BLOCK) as u16);
            append((0..before.blocks()).map(gone), list, at)
        });
    }

    /// Lists for states of the shape of `bits`: `build(sample, block, entries, at)` writes an
    /// ascending one from `at` on and returns its end.
    fn rebuild(&mut self, bits: &Bits, blocks: usize, build: impl Fn(usize, usize, &mut [u16], usize) -> usize + Sync) {
        let (samples, filler) = (bits.rows(), bits.units() as u16);
        (self.blocks, self.filler) = (blocks, filler);
        self.capacity = GROUP * (bits.units() + FOURS * blocks) + SPARE;
        let groups = samples.div_ceil(GROUP);
        self.spans.resize(groups * blocks * GROUP, Span::default());
        self.entries.resize(groups * self.capacity, 0);
        self.spans
            .par_chunks_mut(blocks * GROUP)
            .zip(self.entries.par_chunks_mut(self.capacity))
            .enumerate()
            .with_max_len(1)
            .for_each(|(group, (spans, entries))| {
                let mut start = 0;
                for block in 0..blocks {
                    for (i, s) in (group * GROUP..samples.min((group + 1) * GROUP)).enumerate() {
                        let end = build(s, block, entries, start);
                        // What the products' unchecked reads rest on.
                        assert!(end == start || entries[end - 1] < filler, "units beyond the last are off");
                        let span = Span { start: start as u32, end: end as u32 };
                        start = span.fill_up(entries, filler);
                        spans[block * GROUP + i] = span;
                    }
                }
            });
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The active units of one sample within one block.
    #[inline(always)]
    pub(crate) fn list(&self, sample: usize, block: usize) -> List<'_> {
        let (group, i) = (sample / GROUP, sample % GROUP);
        let span = self.spans[(group * self.blocks + block) * GROUP + i];
        span.list(&self.entries[group * self.capacity..], self.filler)
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

    /// Room for what a chunk contributes to a gradient: three sets of rows, which hold leftovers,
    /// and a row of zeros that lists are filled up with.
    pub(crate) fn table(self) -> Scratch {
        let mut table = Scratch::new(3 * self.size + 1);
        table[3 * self.size] = ZERO;
        table
    }

    pub(crate) fn range(self, index: usize) -> std::ops::Range<usize> {
        (index * self.size).min(self.samples)..((index + 1) * self.size).min(self.samples)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rng::{Stream, Uniforms};

    pub(crate) fn random_bits(rows: usize, units: usize, density: f32, seed: u64) -> Bits {
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
                    (0..active.blocks()).flat_map(|b| active.list(s, b).exact()).map(|&i| usize::from(i)).collect();
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
            assert_eq!(active.list(s, 0).exact(), off);
            assert_eq!(active.list(s, 1).exact(), on);
        }
    }
}
