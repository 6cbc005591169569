//! Which samples a unit was on in, as lists: what turns a gradient into a sum of rows.

use crate::row::{BLOCK, Row};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{CHUNK, Chunks, FOURS, List, Span};
use crate::states::positions::SPARE;
#[cfg(target_arch = "x86_64")]
use crate::states::positions::vectors;
use rayon::prelude::*;

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
    /// Units in blocks of 32, chunks, entries reserved for a block of units in a chunk.
    blocks: usize,
    count: usize,
    capacity: usize,
    filler: u16,
    /// `[block of units][chunk][unit in the block]`, within the block's entries for the chunk.
    spans: Vec<Span>,
    /// `[block of units][chunk][capacity]`
    entries: Vec<u16>,
    /// Beside `entries`; empty where every factor is one.
    factors: Vec<f32>,
}

/// The lists of a block of units in one chunk.
#[derive(Clone, Copy)]
pub(crate) struct BlockLists<'a> {
    spans: &'a [Span],
    entries: &'a [u16],
    factors: &'a [f32],
    filler: u16,
}

impl<'a> BlockLists<'a> {
    /// The table rows of a unit.
    #[inline(always)]
    pub(crate) fn list(&self, unit: usize) -> List<'a> {
        self.spans[unit].list(self.entries, self.filler)
    }

    /// The factors of [`Self::list`]'s rows, if they are not all one.
    #[inline(always)]
    pub(crate) fn factors(&self, unit: usize) -> Option<&'a [f32]> {
        (!self.factors.is_empty()).then(|| &self.factors[self.spans[unit].exact()])
    }
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
        let (count, size, filler) = (chunks.count(), chunks.size, 3 * chunks.size as u16);
        let (loose, capacity) = (BLOCK * 2 * size, BLOCK * (2 * size + FOURS) + SPARE);
        (self.blocks, self.count, self.capacity, self.filler) = (bias.len(), count, capacity, filler);
        self.spans.resize(bias.len() * count * BLOCK, Span::default());
        self.entries.resize(bias.len() * count * capacity, 0);
        let scaled = matches!(positive, Side::Scaled(..));
        self.factors.resize(if scaled { self.entries.len() } else { 0 }, 0.0);
        // Without factors there is one empty slice a block.
        let (loose_factors, factor_capacity) = if scaled { (loose, capacity) } else { (0, 0) };
        let factors = split_evenly(&mut self.factors, count * factor_capacity, bias.len());
        bias.par_iter_mut()
            .zip(self.spans.par_chunks_mut(count * BLOCK))
            .zip(self.entries.par_chunks_mut(count * capacity))
            .zip(factors)
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || (vec![0; loose], vec![0.0; loose_factors]),
                |(loose, loose_factors), (block, (((bias, spans), entries), factors))| {
                    for chunk in 0..count {
                        let place = Place { samples: chunks.range(chunk), size, block };
                        let spans = &mut spans[chunk * BLOCK..(chunk + 1) * BLOCK];
                        let entries = &mut entries[chunk * capacity..(chunk + 1) * capacity];
                        let Side::Scaled(support, values) = positive else {
                            let seen = gather_binary(&place, positive, negative, loose, spans, entries, filler);
                            for (bias, [p, n]) in bias.0.iter_mut().zip(seen) {
                                *bias += p as f32 - r * n as f32;
                            }
                            continue;
                        };
                        let mut counts = [0; BLOCK];
                        let lists = (&mut loose[..], &mut loose_factors[..]);
                        gather_scaled(&place, r, (support, values), negative, &mut counts, lists, bias);
                        close_up(&counts, loose, spans, entries, filler);
                        let factors = &mut factors[chunk * capacity..(chunk + 1) * capacity];
                        for (span, list) in spans.iter().zip(loose_factors.chunks_exact(2 * size)) {
                            factors[span.exact()].copy_from_slice(&list[..span.exact().len()]);
                        }
                    }
                },
            );
    }

    /// Blocks of units that there are lists of.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The lists of a block of units in a chunk.
    #[inline(always)]
    pub(crate) fn block(&self, block: usize, chunk: usize) -> BlockLists<'_> {
        let at = block * self.count + chunk;
        let entries = at * self.capacity..(at + 1) * self.capacity;
        BlockLists {
            spans: &self.spans[at * BLOCK..(at + 1) * BLOCK],
            factors: self.factors.get(entries.clone()).unwrap_or(&[]),
            entries: &self.entries[entries],
            filler: self.filler,
        }
    }
}

/// Moves the lists of a block of units, one in each `loose.len() / 32` entries, together.
fn close_up(counts: &[u16; BLOCK], loose: &[u16], spans: &mut [Span], entries: &mut [u16], filler: u16) {
    let mut start = 0;
    for ((&count, list), span) in counts.iter().zip(loose.chunks_exact(loose.len() / BLOCK)).zip(spans) {
        let list = &list[..usize::from(count)];
        // What unchecked reads of a table's rows rest on.
        assert!(list.iter().all(|&row| row < filler), "rows of the table's three sets");
        let end = start + list.len();
        entries[start..end].copy_from_slice(list);
        *span = Span { start: start as u32, end: end as u32 };
        start = span.fill_up(entries, filler);
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

/// Samples of a chunk, chunk size, block of units.
struct Place {
    samples: std::ops::Range<usize>,
    size: usize,
    block: usize,
}

/// The lists of a block of units that have no factors, and in how many samples each unit was on
/// in the data and in the reconstruction.
fn gather_binary(
    place: &Place,
    positive: Side<'_>,
    negative: Side<'_>,
    loose: &mut [u16],
    spans: &mut [Span],
    entries: &mut [u16],
    filler: u16,
) -> [[u32; 2]; BLOCK] {
    #[cfg(target_arch = "x86_64")]
    if vectors::available() {
        // SAFETY: the processor was asked.
        return unsafe { gather_in_vectors(place, positive, negative, spans, entries, filler) };
    }
    gather_one_by_one(place, positive, negative, loose, spans, entries, filler)
}

fn gather_one_by_one(
    &Place { ref samples, size, block }: &Place,
    positive: Side<'_>,
    negative: Side<'_>,
    loose: &mut [u16],
    spans: &mut [Span],
    entries: &mut [u16],
    filler: u16,
) -> [[u32; 2]; BLOCK] {
    let (mut counts, mut seen) = ([0u16; BLOCK], [[0; 2]; BLOCK]);
    for (i, s) in samples.clone().enumerate() {
        let (p, n) = (positive.word(s, block), negative.word(s, block));
        let mut word = p | n;
        while word != 0 {
            let unit = word.trailing_zeros() as usize;
            word &= word - 1;
            let (p, n) = (p >> unit & 1, n >> unit & 1);
            let set = (n + (p & n)) as usize;
            loose[unit * 2 * size + usize::from(counts[unit])] = (set * size + i) as u16;
            counts[unit] += 1;
            seen[unit][0] += p;
            seen[unit][1] += n;
        }
    }
    close_up(&counts, loose, spans, entries, filler);
    seen
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn gather_in_vectors(
    &Place { ref samples, size, block }: &Place,
    positive: Side<'_>,
    negative: Side<'_>,
    spans: &mut [Span],
    entries: &mut [u16],
    filler: u16,
) -> [[u32; 2]; BLOCK] {
    let (mut p, mut n) = ([[0; BLOCK]; CHUNK.div_ceil(BLOCK)], [[0; BLOCK]; CHUNK.div_ceil(BLOCK)]);
    for (i, s) in samples.clone().enumerate() {
        p[i / BLOCK][i % BLOCK] = positive.word(s, block);
        n[i / BLOCK][i % BLOCK] = negative.word(s, block);
    }
    let groups = samples.len().div_ceil(BLOCK);
    let (mut start, mut seen) = (0, [[0; 2]; BLOCK]);
    for (unit, (span, seen)) in spans.iter_mut().zip(&mut seen).enumerate() {
        let end;
        (end, *seen) = vectors::append_contrast(&p[..groups], &n[..groups], unit, size as u16, entries, start);
        // What unchecked reads of a table's rows rest on.
        assert!(entries[start..end].iter().all(|&row| row < filler), "rows of the table's three sets");
        *span = Span { start: start as u32, end: end as u32 };
        start = span.fill_up(entries, filler);
    }
    seen
}

#[inline(always)]
fn gather_scaled(
    &Place { ref samples, size, block }: &Place,
    r: f32,
    (support, values): (&Bits, &[f32]),
    negative: Side<'_>,
    counts: &mut [u16; BLOCK],
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
    for (i, s) in samples.clone().enumerate() {
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
    use crate::row::ZERO;
    use crate::states::lists::tests::random_bits;

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
                    for &entry in lists.block(unit / BLOCK, chunk).list(unit % BLOCK).exact() {
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

    /// The form that [`gather_binary`] chose and the plain one agree to the entry.
    #[test]
    fn all_forms_gather_the_same_lists() {
        for (samples, more) in [(1, 0), (31, 3), (100, 0), (128, 0), (70, 58)] {
            let (p, n) = (random_bits(samples, 70, 0.3, 3), random_bits(samples + more, 70, 0.6, 4));
            let (size, filler) = (samples + more, 3 * (samples + more) as u16);
            for (positive, negative) in [(Side::Binary(&p), Side::Binary(&n)), (Side::Dense, Side::Binary(&n))] {
                for block in 0..3 {
                    let place = Place { samples: 0..size, size, block };
                    let gathered = |chosen: bool| {
                        let mut loose = vec![0; BLOCK * 2 * size];
                        let mut spans = [Span::default(); BLOCK];
                        let mut entries = vec![0; BLOCK * (2 * size + FOURS) + SPARE];
                        let gather = if chosen { gather_binary } else { gather_one_by_one };
                        let seen = gather(&place, positive, negative, &mut loose, &mut spans, &mut entries, filler);
                        let lists = spans.map(|span| span.list(&entries, filler).fours().to_vec());
                        (seen, spans.map(|span| (span.start, span.end)), lists)
                    };
                    assert_eq!(gathered(true), gathered(false), "{samples} and {more} samples, block {block}");
                }
            }
        }
    }
}
