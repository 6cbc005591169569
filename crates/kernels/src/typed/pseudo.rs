//! Pseudo-likelihood: how probable each visible unit is given all others (Besag 1975).
//!
//! The partition function is not in it. With the free energy F and `v(x)` the state v but for the value x of unit i,
//!
//! ```text
//! p(v_i | others) = exp(-F(v)) / sum over x of exp(-F(v(x)))
//! ```
//!
//! over both values of a bit and all levels of a categorical unit. A Gaussian unit has the density `exp(-F(v))` over the
//! integral of `exp(-F(v(x)))`. Given the hidden units, of whatever kinds, it is normal with variance `1/g`: what is
//! integrated is a mixture of such densities, and the sum over a grid of step `1/√g` comes within 5e-9 of the integral.

use super::layer::Site;
use super::machine::TypedRbm;
use crate::measures::enumerate::LogSum;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::layers::UnitKind;
use rayon::prelude::*;

/// A visible unit, by its columns.
#[derive(Clone, Copy)]
enum Unit {
    /// A Bernoulli unit or a spin.
    Bit(usize),
    Levels(Site),
    Real(usize),
}

/// Values that two columns gain.
type Move = [(usize, f32); 2];

/// Points of the grid that are looked at together.
const AT_ONCE: usize = 16;

/// The most of these on either side.
const MOST: usize = 4096;

/// Nats below the largest density at which the grid ends: what lies beyond is no more than rounding.
const NOTHING: f64 = 50.0;

/// Standard deviations of a Gaussian unit given the hidden ones, beyond the means it can have, that the grid covers.
const MARGIN: f32 = 8.0;

impl TypedRbm {
    /// `sum over visible units i of ln p(v_i | others)` of every sample, in nats; of real units it is a density. Of
    /// Bernoulli units and spins between their values it is the mean over these. The sum runs over the units of the first
    /// `columns`; those beyond, such as a label, are given.
    ///
    /// With `draw` one unit a sample is drawn from row s, column 0, and stands for all of them: an estimate without
    /// bias.
    ///
    /// # Panics
    /// If the samples have another number of columns.
    #[must_use]
    pub fn pseudo_log_likelihood(&self, batch: &Batch, columns: usize, draw: Option<Uniforms>) -> Vec<f64> {
        let units = self.visible_units(columns);
        let count = units.len() as f64;
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(batch, &mut support, &mut lists);
        let chunks = Chunks::new(batch.rows());
        let of_chunk = |chunk: usize| {
            let range = chunks.range(chunk);
            // Inputs of one sample after the other, panel by panel.
            let mut inputs = vec![vec![ZERO; self.hidden.panels.len()]; range.len()];
            let mut x = vec![ZERO; range.len()];
            for panel in 0..self.hidden.panels.len() {
                source.product(self.level, self.rec.panel(panel), &lists, range.start, &mut x);
                inputs.iter_mut().zip(&x).for_each(|(inputs, x)| inputs[panel] = *x);
            }
            let values = batch.slice(range.clone()).to_values();
            let samples = values.chunks_exact(self.visible.columns.max(1)).zip(&inputs).zip(range);
            let of_sample = |((v, inputs), s): ((&[f32], &Vec<Row>), usize)| match draw {
                None => self.sum_of(&units, v, inputs),
                Some(draw) => {
                    let unit = ((f64::from(draw.at(s as u32, 0)) * count) as usize).min(units.len() - 1);
                    count * self.sum_of(&units[unit..=unit], v, inputs)
                }
            };
            samples.map(of_sample).collect::<Vec<f64>>()
        };
        if units.is_empty() {
            return vec![0.0; batch.rows()];
        }
        let parts: Vec<Vec<f64>> = (0..chunks.count()).into_par_iter().with_max_len(1).map(of_chunk).collect();
        parts.into_iter().flatten().collect()
    }

    /// `U(others) - F(v with the level)` of every level of the categorical unit at `first`, [samples, levels], in nats: its
    /// softmax is p(level | others). What samples have there plays no part.
    ///
    /// # Panics
    /// If the samples have another number of columns, or there is no such unit.
    #[must_use]
    pub fn scores_of_levels(&self, batch: &Batch, first: usize, levels: usize) -> Vec<f64> {
        let site = Site { first, levels };
        assert!(self.visible.sites.contains(&site), "a categorical unit of these levels");
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(batch, &mut support, &mut lists);
        let chunks = Chunks::new(batch.rows());
        let of_chunk = |chunk: usize| {
            let range = chunks.range(chunk);
            let (mut x, mut moved) = (vec![ZERO; range.len()], vec![ZERO; range.len()]);
            let mut sums = vec![vec![0.0; range.len()]; levels];
            for (at, panel) in self.hidden.panels.iter().enumerate() {
                let w = self.rec.panel(at);
                source.product(self.level, w, &lists, range.start, &mut x);
                for (x, s) in x.iter_mut().zip(range.clone()) {
                    for level in site.columns() {
                        let v = batch.value(s, level);
                        x.0.iter_mut().zip(&w[level].0).for_each(|(x, w)| *x -= v * w);
                    }
                }
                for (sums, level) in sums.iter_mut().zip(site.columns()) {
                    for (moved, x) in moved.iter_mut().zip(&x) {
                        *moved = Row(std::array::from_fn(|i| x.0[i] + w[level].0[i]));
                    }
                    panel.add_cgfs(self.level, &moved, sums);
                }
            }
            let score = |sample: usize, level: usize| sums[level][sample] + f64::from(self.level_bias(first + level));
            (0..range.len()).flat_map(|s| (0..levels).map(move |level| (s, level))).map(|(s, l)| score(s, l)).collect()
        };
        let parts: Vec<Vec<f64>> = (0..chunks.count()).into_par_iter().with_max_len(1).map(of_chunk).collect();
        parts.into_iter().flatten().collect()
    }

    /// Those of the first `among` columns.
    fn visible_units(&self, among: usize) -> Vec<Unit> {
        let each = self.visible.units.each().flat_map(|(segment, columns)| {
            let each = columns.step_by(segment.levels).filter(move |first| first + segment.levels <= among);
            each.map(move |first| match segment.units {
                UnitKind::Categorical => Unit::Levels(Site { first, levels: segment.levels }),
                UnitKind::Gaussian => Unit::Real(first),
                _ => Unit::Bit(first),
            })
        });
        each.collect()
    }

    /// `ln p(v_i | others)` of some units, added up.
    fn sum_of(&self, units: &[Unit], v: &[f32], inputs: &[Row]) -> f64 {
        // What every other value of each discrete unit makes of the hidden units, all at once.
        let mut moves: Vec<Move> = Vec::new();
        for unit in units {
            match *unit {
                Unit::Bit(i) => moves.extend([[(i, -v[i]), (i, 0.0)], [(i, 1.0 - v[i]), (i, 0.0)]]),
                Unit::Levels(site) => {
                    let on = level_of(site, v);
                    moves.extend(site.columns().map(|level| [(level, 1.0), (on, -1.0)]));
                }
                Unit::Real(_) => {}
            }
        }
        let cgfs = self.cgfs(inputs, &moves);
        let (mut sum, mut at) = (0.0, 0);
        for unit in units {
            match *unit {
                Unit::Bit(i) => {
                    let higher = cgfs[at + 1] - cgfs[at] + f64::from(self.bias(i));
                    let off = -(higher.max(0.0) + libm::log1p(libm::exp(-higher.abs())));
                    sum += off + f64::from(v[i]) * higher;
                    at += 2;
                }
                Unit::Levels(site) => {
                    let weight = |level: usize| cgfs[at + level - site.first] + f64::from(self.level_bias(level));
                    sum += weight(level_of(site, v)) - site.columns().map(weight).collect::<LogSum>().value();
                    at += site.levels;
                }
                Unit::Real(i) => sum += self.log_density(i, v[i], inputs),
            }
        }
        sum
    }

    fn bias(&self, column: usize) -> f32 {
        self.visible.panels[column / BLOCK].fields.b.0[column % BLOCK]
    }

    fn level_bias(&self, column: usize) -> f32 {
        self.visible.panels[column / BLOCK].levels.0[column % BLOCK]
    }

    /// `sum over the hidden units of cgf` of the inputs after each of some moves.
    fn cgfs(&self, inputs: &[Row], moves: &[Move]) -> Vec<f64> {
        let (mut sums, mut rows) = (vec![0.0; moves.len()], vec![ZERO; moves.len()]);
        for (at, (x, panel)) in inputs.iter().zip(&self.hidden.panels).enumerate() {
            let w = self.rec.panel(at);
            for (row, moves) in rows.iter_mut().zip(moves) {
                *row = *x;
                for &(column, by) in moves.iter().filter(|(_, by)| *by != 0.0) {
                    row.0.iter_mut().zip(&w[column].0).for_each(|(x, w)| *x += by * w);
                }
            }
            panel.add_cgfs(self.level, &rows, &mut sums);
        }
        sums
    }

    /// ln of the density of a Gaussian unit where it is, given all others.
    fn log_density(&self, column: usize, x: f32, inputs: &[Row]) -> f64 {
        let (b, g) = (self.bias(column), self.visible.panels[column / BLOCK].fields.g.0[column % BLOCK]);
        let step = 1.0 / g.sqrt();
        let log_weights = |points: &[f32]| -> Vec<f64> {
            let moves: Vec<Move> = points.iter().map(|point| [(column, point - x), (column, 0.0)]).collect();
            let energy = |point: f32| f64::from(point) * (0.5 * f64::from(g) * f64::from(point) - f64::from(b));
            self.cgfs(inputs, &moves).into_iter().zip(points).map(|(cgf, &point)| cgf - energy(point)).collect()
        };
        let (lowest, highest) = self.means_of(column, b, g);
        let here = log_weights(&[x])[0];
        let (mut sum, mut best) = (LogSum::default(), here);
        sum.add(here);
        for (sign, end) in [(1.0, highest + MARGIN * step), (-1.0, lowest - MARGIN * step)] {
            for block in 0..MOST {
                let first = block * AT_ONCE + 1;
                let points: Vec<f32> = (first..first + AT_ONCE).map(|at| x + sign * step * at as f32).collect();
                let terms = log_weights(&points);
                let (last, most) = (points[AT_ONCE - 1], terms.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                best = best.max(most);
                for &term in &terms {
                    sum.add(term);
                }
                let falls = terms[AT_ONCE - 1] < terms[0];
                if sign * (last - end) > 0.0 && falls && most < best - NOTHING {
                    break;
                }
            }
        }
        here - sum.value() - f64::from(step.ln())
    }

    /// The least and the largest mean that a Gaussian unit has given hidden units of two values; those of others, which
    /// know no bound, at 0.
    fn means_of(&self, column: usize, b: f32, g: f32) -> (f32, f32) {
        let (mut lowest, mut highest) = (b, b);
        for (at, panel) in self.hidden.panels.iter().enumerate() {
            let w = &self.rec.panel(at)[column];
            for part in panel.parts.iter().filter(|part| part.kind == UnitKind::Bernoulli) {
                for &w in &w.0[part.lanes.clone()] {
                    lowest += w.min(0.0);
                    highest += w.max(0.0);
                }
            }
        }
        (lowest / g, highest / g)
    }
}

/// The column of the level that a categorical unit has.
fn level_of(site: Site, v: &[f32]) -> usize {
    site.columns().find(|&level| v[level] > 0.5).unwrap_or(site.first)
}
