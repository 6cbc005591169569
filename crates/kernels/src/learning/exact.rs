//! Sums of statistics that are the same in any order: sums of integers.
//!
//! A minibatch is cut into pieces. Each piece's sums of floats are rounded once, to multiples of a power of two that
//! follows from the samples of the whole minibatch and from the range of their values alone; integers then add up
//! exactly, whoever has which piece, and in whatever order. (The gradients in the histograms of
//! `XGBoost` are rounded so, by its `GradientQuantiser`; the reproducible sums of the climate model CESM are of this kind.)
//!
//! A sample gives a term within `±range`, and so do the chains that weigh as much as it. Sums of n samples lie within
//! `±2 n range`, for which there are 30 bits: the last bit is worth at most `2⁻²⁸ range` of a mean gradient. A float of
//! 32 bits that holds such a sum has 24 bits.

use crate::learning::parameters::Offsets;
use crate::learning::statistics::Statistics;
use crate::products::panels::pack_rows;
use crate::row::{BLOCK, Row};
use crate::simd::{Level, dispatch};
use crate::typed::gradient::TypedStatistics;
use crate::units::conditional::Moments;
use crate::units::layers::{Layers, UnitKind};
use rayon::prelude::*;

/// Bits of the magnitude of a sum of all pieces, but for their roundings.
const BITS: i32 = 30;

/// Values that one task rounds.
const TASK: usize = 1 << 14;

/// Statistics that can be added up as integers.
pub trait Summable: Default + Send + Sync {
    /// Calls `with` for all numbers, with the range of a sample's term, in an order that follows from the sizes.
    #[doc(hidden)]
    fn each(&self, ranges: Ranges, with: &mut dyn FnMut(f32, &[f32]));

    /// The same for writing.
    #[doc(hidden)]
    fn each_mut(&mut self, ranges: Ranges, with: &mut dyn FnMut(f32, &mut [f32]));

    /// Of how many samples they are.
    #[doc(hidden)]
    fn set_samples(&mut self, samples: usize);

    /// Takes `pull`, one a hidden unit, from every positive probability of all samples, which weigh `weight` together:
    /// `sums` are those of their visible units and labels.
    #[doc(hidden)]
    fn pull(&mut self, pull: &[f32], sums: &Offsets, weight: f32);
}

/// Within what the terms lie that a sample adds to the statistics.
///
/// States of discrete units, and grey values, lie in [0, 1]. Others know no bound; theirs is one that no training
/// which learns anything gets near, and a minibatch that does counts as divergence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranges {
    /// Of visible times hidden states, and of either.
    weights: f32,
    /// Of what fields learn from, squares among it.
    fields: f32,
}

impl Ranges {
    /// Those of an RBM with these units.
    #[must_use]
    pub fn of(layers: &Layers) -> Self {
        let real = |kind: UnitKind| !kind.is_discrete();
        let side = |real: bool| if real { 64.0 } else { 1.0 };
        let (visible, hidden) = (layers.visible.any(real), layers.hidden.any(real));
        let fields = if visible || hidden { 65_536.0 } else { 1.0 };
        Self { weights: side(visible) * side(hidden), fields }
    }
}

/// Sums of statistics over pieces of a minibatch, as integers.
#[derive(Clone, Debug)]
pub struct ExactSums {
    ranges: Ranges,
    level: Level,
    /// Samples of the whole minibatch, and what they weigh together.
    samples: usize,
    weight: f32,
    values: Vec<i32>,
    /// Where the next part lies.
    at: usize,
    /// How many of the values are sums of this minibatch.
    begun: usize,
    /// Pieces with a number that is none, or out of range.
    broken: i32,
}

impl ExactSums {
    /// Zeros, for an RBM whose terms lie within `ranges`.
    #[must_use]
    pub fn new(ranges: Ranges) -> Self {
        Self { ranges, level: Level::detect(), samples: 0, weight: 0.0, values: Vec::new(), at: 0, begun: 0, broken: 0 }
    }

    /// Zeros again, for a minibatch of so many samples, which weigh `weight` together.
    pub fn reset(&mut self, samples: usize, weight: f32) {
        (self.samples, self.weight, self.at, self.begun, self.broken) = (samples, weight, 0, 0, 0);
    }

    /// Adds the statistics of a piece, whose samples and chains weigh as much as `weight` samples.
    pub fn add(&mut self, statistics: &impl Summable, weight: f32) {
        self.at = 0;
        statistics.each(self.ranges, &mut |range, values| self.add_part(range, values, weight));
    }

    /// Adds more sums over a piece, of visible or hidden states, behind its statistics.
    pub fn add_numbers(&mut self, numbers: &[f32], weight: f32) {
        self.add_part(self.ranges.weights, numbers, weight);
    }

    fn add_part(&mut self, range: f32, values: &[f32], weight: f32) {
        let end = self.at + values.len();
        if self.values.len() < end {
            self.values.resize(end, 0);
        }
        // A little more than the range: sums of floats are rounded.
        let (scale, limit) = (self.scale(range), weight * range * 1.001);
        let (level, sums) = (self.level, &mut self.values[self.at..end]);
        let parts = sums.par_chunks_mut(TASK).zip(values.par_chunks(TASK));
        let begins = self.at >= self.begun;
        let part = |(sums, values): (&mut [i32], &[f32])| {
            if begins { begin(level, scale, limit, values, sums) } else { add(level, scale, limit, values, sums) }
        };
        let fits = parts.map(part).reduce(|| true, |a, b| a && b);
        self.broken = self.broken.saturating_add(i32::from(!fits));
        (self.at, self.begun) = (end, self.begun.max(end));
    }

    /// The power of two whose multiples are counted.
    fn scale(&self, range: f32) -> f32 {
        let most = 2.0 * f64::from(range) * f64::from(self.weight.max(1.0));
        // The least power of two that is not below it.
        let (bits, fraction) = (most.to_bits(), most.to_bits() << 12);
        let exponent = (bits >> 52) as i32 - 1023 + i32::from(fraction != 0);
        2f32.powi(BITS - exponent)
    }

    /// The sums, to be added up with those of others.
    pub fn values_mut(&mut self) -> &mut Vec<i32> {
        self.values.truncate(self.begun);
        &mut self.values
    }

    /// How many parts of pieces had numbers out of range.
    #[must_use]
    pub fn broken(&self) -> i32 {
        self.broken
    }

    /// Writes the sums to statistics of the same shape.
    pub fn read(&mut self, statistics: &mut impl Summable) {
        self.at = 0;
        statistics.each_mut(self.ranges, &mut |range, values| self.read_part(range, values));
        statistics.set_samples(self.samples);
    }

    /// Writes the sums of the numbers behind the statistics.
    pub fn read_numbers(&mut self, numbers: &mut [f32]) {
        self.read_part(self.ranges.weights, numbers);
    }

    fn read_part(&mut self, range: f32, values: &mut [f32]) {
        let (inverse, end) = (1.0 / self.scale(range), self.at + values.len());
        let (level, sums) = (self.level, &self.values[self.at..end]);
        let parts = values.par_chunks_mut(TASK).zip(sums.par_chunks(TASK));
        parts.for_each(|(values, sums)| read(level, inverse, sums, values));
        self.at = end;
    }
}

dispatch! {
    /// `sums += round(scale * values)`; whether all values lie within `limit`, which no NaN does.
    fn add(scale: f32, limit: f32, values: &[f32], sums: &mut [i32]) -> bool {
        let mut fits = true;
        for (value, sum) in values.iter().zip(sums) {
            fits &= value.abs() <= limit;
            *sum = sum.wrapping_add((value * scale).round_ties_even() as i32);
        }
        fits
    }
}

dispatch! {
    /// `sums = round(scale * values)`, as [`add`] to zeros.
    fn begin(scale: f32, limit: f32, values: &[f32], sums: &mut [i32]) -> bool {
        let mut fits = true;
        for (value, sum) in values.iter().zip(sums) {
            fits &= value.abs() <= limit;
            *sum = (value * scale).round_ties_even() as i32;
        }
        fits
    }
}

dispatch! {
    fn read(inverse: f32, sums: &[i32], values: &mut [f32]) {
        for (value, &sum) in values.iter_mut().zip(sums) {
            *value = sum as f32 * inverse;
        }
    }
}

/// The numbers of rows.
fn flat(rows: &[Row]) -> &[f32] {
    // SAFETY: a row is 32 floats, as long as its alignment divides: an array of rows is one of floats.
    unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), rows.len() * BLOCK) }
}

/// The same for writing.
fn flat_mut(rows: &mut [Row]) -> &mut [f32] {
    // SAFETY: as above; nothing else has the rows.
    unsafe { std::slice::from_raw_parts_mut(rows.as_mut_ptr().cast(), rows.len() * BLOCK) }
}

/// `row -= factor * pull`.
fn take(row: &mut Row, factor: f32, pull: &Row) {
    row.0.iter_mut().zip(&pull.0).for_each(|(x, pull)| *x -= factor * pull);
}

impl Summable for Statistics {
    fn each(&self, ranges: Ranges, with: &mut dyn FnMut(f32, &[f32])) {
        let labels = self.label_w.iter().map(|rows| &rows[..]);
        for rows in [self.w.rows(), &self.hb, &self.vb].into_iter().chain(labels) {
            with(ranges.weights, flat(rows));
        }
        with(ranges.weights, &self.label_b);
    }

    fn each_mut(&mut self, ranges: Ranges, with: &mut dyn FnMut(f32, &mut [f32])) {
        let labels = self.label_w.iter_mut().map(|rows| &mut rows[..]);
        for rows in [self.w.rows_mut(), &mut self.hb, &mut self.vb].into_iter().chain(labels) {
            with(ranges.weights, flat_mut(rows));
        }
        with(ranges.weights, &mut self.label_b);
    }

    fn set_samples(&mut self, samples: usize) {
        self.samples = samples;
    }

    fn pull(&mut self, pull: &[f32], sums: &Offsets, weight: f32) {
        for (panel, pull) in self.panels_mut().zip(&pack_rows(pull, 0.0)) {
            panel.w.iter_mut().zip(&sums.visible).for_each(|(row, &sum)| take(row, sum, pull));
            panel.label_w.iter_mut().zip(&sums.labels).for_each(|(row, &sum)| take(row, sum, pull));
            take(panel.hb, weight, pull);
        }
    }
}

impl Summable for TypedStatistics {
    fn each(&self, ranges: Ranges, with: &mut dyn FnMut(f32, &[f32])) {
        for rows in [self.w.rows(), &self.h] {
            with(ranges.weights, flat(rows));
        }
        for Moments { b, log_g, b_below, log_g_below } in self.hidden.iter().chain(&self.visible) {
            for row in [b, log_g, b_below, log_g_below] {
                with(ranges.fields, &row.0);
            }
        }
    }

    fn each_mut(&mut self, ranges: Ranges, with: &mut dyn FnMut(f32, &mut [f32])) {
        for rows in [self.w.rows_mut(), &mut self.h] {
            with(ranges.weights, flat_mut(rows));
        }
        for Moments { b, log_g, b_below, log_g_below } in self.hidden.iter_mut().chain(&mut self.visible) {
            for row in [b, log_g, b_below, log_g_below] {
                with(ranges.fields, &mut row.0);
            }
        }
    }

    fn set_samples(&mut self, samples: usize) {
        self.samples = samples;
    }

    fn pull(&mut self, pull: &[f32], sums: &Offsets, weight: f32) {
        let panels = self.w.slices_mut().zip(self.h.iter_mut().zip(&mut self.hidden));
        for ((w, (h, fields)), pull) in panels.zip(&pack_rows(pull, 0.0)) {
            w.iter_mut().zip(&sums.visible).for_each(|(row, &sum)| take(row, sum, pull));
            take(h, weight, pull);
            take(&mut fields.b, weight, pull);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ZERO;

    fn ranges(weights: f32) -> Ranges {
        Ranges { weights, fields: 1.0 }
    }

    fn statistics(numbers: &[f32]) -> Statistics {
        let mut row = ZERO;
        row.0[..numbers.len()].copy_from_slice(numbers);
        Statistics { hb: vec![row], ..Statistics::default() }
    }

    /// Numbers of which sums of floats depend on the order.
    #[test]
    fn sums_are_exact_in_any_order_and_as_near_as_said() {
        let pieces: Vec<f32> = (0..1000_u16).map(|i| f32::sin(f32::from(i)) * 64.0).collect();
        let total = |order: &mut dyn Iterator<Item = f32>| {
            let mut sums = ExactSums::new(ranges(1.0));
            sums.reset(64_000, 64_000.0);
            order.for_each(|value| sums.add(&statistics(&[value]), 128.0));
            assert_eq!(sums.broken(), 0);
            let mut out = statistics(&[]);
            sums.read(&mut out);
            assert_eq!(out.samples, 64_000);
            out.hb[0].0[0]
        };
        let floats = |order: &mut dyn Iterator<Item = f32>| order.sum::<f32>();
        let (forth, back) = (total(&mut pieces.iter().copied()), total(&mut pieces.iter().rev().copied()));
        assert_eq!(forth.to_bits(), back.to_bits());
        assert_ne!(floats(&mut pieces.iter().copied()), floats(&mut pieces.iter().rev().copied()));
        // Each piece is rounded once, by half of the last bit: 2^-13 at 64,000 samples.
        let exact: f64 = pieces.iter().map(|&x| f64::from(x)).sum();
        assert!((f64::from(forth) - exact).abs() <= 1000.0 * 2f64.powi(-14), "{forth} {exact}");
    }

    /// Half of the pieces by each of two, then their integers together.
    #[test]
    fn two_parts_make_the_whole() {
        let of = |range: std::ops::Range<u16>| {
            let mut sums = ExactSums::new(ranges(1.0));
            sums.reset(640, 640.0);
            for i in range {
                sums.add(&statistics(&[f32::from(i) / 7.0, -1.0 / f32::from(i + 1)]), 64.0);
                sums.add_numbers(&[0.3], 64.0);
            }
            sums
        };
        let (whole, mut first, second) = (of(0..10), of(0..4), of(4..10));
        first.values_mut().iter_mut().zip(&second.values).for_each(|(a, b)| *a += b);
        assert_eq!(first.values, whole.values);
    }

    #[test]
    fn the_largest_sums_fit_and_what_is_out_of_range_is_seen() {
        for samples in [1_usize, 63, 64, 65, 100, 1 << 20] {
            let mut sums = ExactSums::new(ranges(64.0));
            sums.reset(samples, samples as f32);
            for start in (0..samples).step_by(64) {
                let weight = 2.0 * (samples - start).min(64) as f32;
                sums.add(&statistics(&[64.0 * weight, -64.0 * weight]), weight);
            }
            let mut out = statistics(&[]);
            sums.read(&mut out);
            assert_eq!(sums.broken(), 0);
            let expected = 128.0 * samples as f32;
            assert_eq!(out.hb[0].0[..2], [expected, -expected], "{samples}");
        }
        for bad in [f32::NAN, f32::INFINITY, -f32::INFINITY, 64.2] {
            let mut sums = ExactSums::new(ranges(1.0));
            sums.reset(64, 64.0);
            sums.add(&statistics(&[bad]), 64.0);
            assert!(sums.broken() > 0, "{bad}");
        }
    }

    /// What was summed before a reset leaves nothing.
    #[test]
    fn another_minibatch_begins_with_its_first_piece() {
        let mut sums = ExactSums::new(ranges(1.0));
        for pieces in [[1.0, 2.0], [-3.0, 0.5]] {
            sums.reset(8, 8.0);
            for value in pieces {
                sums.add(&statistics(&[value]), 4.0);
                sums.add_numbers(&[-value], 4.0);
            }
            let (mut out, mut number) = (statistics(&[]), [0.0]);
            sums.read(&mut out);
            sums.read_numbers(&mut number);
            let total: f32 = pieces.iter().sum();
            assert_eq!((out.hb[0].0[0], number[0], sums.broken()), (total, -total, 0));
        }
    }

    #[test]
    fn instruction_sets_agree() {
        let values: Vec<f32> = (0..1001).map(|i| f32::cos(i as f32) * 3.0).collect();
        let of = |level| {
            let mut sums = vec![7; values.len()];
            assert!(begin(level, 1024.0, 3.0, &values, &mut sums) && add(level, 1024.0, 3.0, &values, &mut sums));
            sums
        };
        let plain: Vec<i32> = values.iter().map(|x| 2 * (x * 1024.0).round_ties_even() as i32).collect();
        assert!(Level::available().into_iter().all(|level| of(level) == plain));
    }
}
