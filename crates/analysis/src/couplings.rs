//! Effective couplings of two sites: what the hidden units make of pairs of levels.
//!
//! With all other sites as in a sequence v, the free energy as a function of the levels a and b of sites i and j is a sum of
//! what each does alone and a coupling, the second difference
//!
//! ```text
//! L_ij(a, b | v) = -F(v with v_i = a, v_j = b) = sum_u cgf_u(I_u(v) - W_iu(v_i) - W_ju(v_j) + W_iu(a) + W_ju(b)) + ...
//! J_ij(a, b) = <L(a, b) - mean_a L(a, b) - mean_b L(a, b) + mean_ab L(a, b)>
//! ```
//!
//! in the zero-sum gauge, averaged over the sequences of the data (Tubiana, Cocco & Monasson 2019, eLife 8:e39397). Nothing
//! is expanded in the weights: sums over sequences are sums over histograms of the hidden inputs
//! (`hidden_curves`), which costs one pass over the sequences for each pair and hidden unit and not one for each pair
//! of levels too.

use crate::error::Result;
use crate::hidden_curves::{Averages, Curves, Histogram};
use crate::sites::{Level, Sequences, Sites};
use rayon::prelude::*;

/// Couplings `J_ij(a, b)` of all pairs i < j, in the zero-sum gauge, in nats.
#[derive(Clone, Debug, PartialEq)]
pub struct Couplings {
    levels: Vec<usize>,
    /// Of each pair, [levels of i, levels of j].
    blocks: Vec<Vec<f64>>,
}

impl Couplings {
    /// From a block [levels of i, levels of j] of each pair i < j, in the order of [`pairs`]; put into the zero-sum gauge.
    #[must_use]
    pub fn new(levels: Vec<usize>, blocks: Vec<Vec<f64>>) -> Self {
        let mut blocks = blocks;
        for ((i, j), block) in pairs(levels.len()).zip(&mut blocks) {
            to_zero_sum(block, levels[i], levels[j]);
        }
        Self { levels, blocks }
    }

    /// The effective couplings of an RBM.
    ///
    /// # Errors
    /// If the sequences do not fit the model, or candle refuses an operation.
    pub fn effective(sites: &Sites, sequences: &Sequences) -> Result<Self> {
        Self::effective_watched(sites, sequences, &|| ())
    }

    /// The same, with `done` called after each pair of sites.
    ///
    /// # Errors
    /// Those of [`Couplings::effective`].
    pub fn effective_watched(sites: &Sites, sequences: &Sequences, done: &(dyn Fn() + Sync)) -> Result<Self> {
        let by_site = sequences.by_site();
        let (background, curves) = Background::new(sites, sequences, &by_site, 2)?;
        let all: Vec<(usize, usize)> = pairs(sites.count()).collect();
        let block = |&(i, j): &(usize, usize)| {
            let block = background.block(&curves, [i, j]);
            done();
            block
        };
        Ok(Self::new(sites.levels().to_vec(), all.par_iter().map(block).collect()))
    }

    /// Number of sites.
    #[must_use]
    pub fn sites(&self) -> usize {
        self.levels.len()
    }

    /// Levels of each site.
    #[must_use]
    pub fn levels(&self) -> &[usize] {
        &self.levels
    }

    /// Each pair i < j with its couplings, [levels of i, levels of j].
    pub fn each(&self) -> impl Iterator<Item = ((usize, usize), &[f64])> {
        pairs(self.levels.len()).zip(self.blocks.iter().map(Vec::as_slice))
    }

    /// The couplings `J_ij` of spins, whose energy is `- sum of J_ij s_i s_j` with s 1 at the second of two levels and -1 at the first;
    /// none where a site has other levels than two.
    #[must_use]
    pub fn of_spins(&self) -> Option<Vec<f64>> {
        self.levels.iter().all(|&q| q == 2).then(|| self.blocks.iter().map(|block| block[3]).collect())
    }

    /// The Frobenius norm of every pair's couplings, of the levels that `counts(site, level)` says: gaps are usually left
    /// out. The gauge is that of all levels.
    #[must_use]
    pub fn norms(&self, counts: impl Fn(usize, usize) -> bool) -> Vec<f64> {
        let norm = |((i, j), block): ((usize, usize), &[f64])| {
            let q = self.levels[j];
            let counted = block.iter().enumerate().filter(|(at, _)| counts(i, at / q) && counts(j, at % q));
            counted.map(|(_, x)| x * x).sum::<f64>().sqrt()
        };
        self.each().map(norm).collect()
    }
}

/// All pairs i < j of so many sites, by i.
pub fn pairs(sites: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..sites).flat_map(move |i| (i + 1..sites).map(move |j| (i, j)))
}

/// Takes from a block [rows, columns] the means of its rows and columns.
fn to_zero_sum(block: &mut [f64], rows: usize, columns: usize) {
    let mut of_columns = vec![0.0; columns];
    for row in block.chunks_exact_mut(columns) {
        let mean = row.iter().sum::<f64>() / columns as f64;
        row.iter_mut().zip(&mut of_columns).for_each(|(x, sum)| {
            *x -= mean;
            *sum += *x / rows as f64;
        });
    }
    for row in block.chunks_exact_mut(columns) {
        row.iter_mut().zip(&of_columns).for_each(|(x, mean)| *x -= mean);
    }
}

/// Inputs of the hidden units, `[hidden][sequences]`.
fn by_unit(sites: &Sites, sequences: &Sequences) -> Vec<Vec<f64>> {
    let rows: Vec<&[Level]> = sequences.rows().collect();
    let inputs: Vec<Vec<f64>> = rows.par_iter().map(|row| sites.inputs(row)).collect();
    (0..sites.hidden()).map(|u| inputs.iter().map(|inputs| inputs[u]).collect()).collect()
}

/// The least and the largest weight of a site into each hidden unit.
fn spans(sites: &Sites, site: usize) -> Vec<(f64, f64)> {
    let mut spans = vec![(f64::INFINITY, f64::NEG_INFINITY); sites.hidden()];
    for level in 0..sites.levels()[site] {
        for (span, &w) in spans.iter_mut().zip(sites.weights(site, level)) {
            *span = (span.0.min(w), span.1.max(w));
        }
    }
    spans
}

/// The range of each hidden unit's input when so many sites of a sequence take any levels.
fn ranges(sites: &Sites, inputs: &[Vec<f64>], changed: usize) -> (Vec<f64>, Vec<f64>) {
    let mut widths = vec![Vec::with_capacity(sites.count()); sites.hidden()];
    for site in 0..sites.count() {
        widths.iter_mut().zip(spans(sites, site)).for_each(|(widths, (low, high))| widths.push(high - low));
    }
    let room = widths.into_iter().map(|mut widths| {
        widths.sort_by(|a, b| b.total_cmp(a));
        widths.iter().take(changed).sum::<f64>()
    });
    let room: Vec<f64> = room.collect();
    let least = |x: &[f64]| x.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let each = inputs.iter().zip(&room);
    (each.clone().map(|(x, room)| least(x) - room).collect(), each.map(|(x, room)| most(x) + room).collect())
}

/// The sequences that couplings are averaged over.
pub(crate) struct Background<'a> {
    sites: &'a Sites,
    /// Levels `[sites][sequences]`.
    sequences: &'a [Vec<Level>],
    /// Weights of the sequences, of sum 1.
    weights: Vec<f64>,
    /// Inputs `[hidden][sequences]`.
    inputs: Vec<Vec<f64>>,
}

impl<'a> Background<'a> {
    /// Of sequences, whose levels are given `by_site` too, and the curves of the hidden units for blocks of so many sites.
    ///
    /// # Errors
    /// If the sequences do not fit the model, or candle refuses an operation.
    pub(crate) fn new(
        sites: &'a Sites,
        sequences: &Sequences,
        by_site: &'a [Vec<Level>],
        changed: usize,
    ) -> Result<(Self, Curves)> {
        sites.require_fit(sequences)?;
        let inputs = by_unit(sites, sequences);
        let (lowest, highest) = ranges(sites, &inputs, changed);
        let curves = Curves::of(sites, &lowest, &highest)?;
        let total: f64 = sequences.weights().iter().sum();
        let weights = sequences.weights().iter().map(|weight| weight / total).collect();
        Ok((Self { sites, sequences: by_site, weights, inputs }, curves))
    }

    /// `sum_v p_v sum_u cgf_u(...)` of some sites, in a block with the levels of each, those of the last varying fastest.
    pub(crate) fn block<const N: usize>(&self, curves: &Curves, at: [usize; N]) -> Vec<f64> {
        let Self { sites, sequences, weights, inputs } = self;
        let mut block = vec![0.0; at.iter().map(|&site| sites.levels()[site]).product()];
        let (mut histogram, mut averages) = (Histogram::new(), Averages::default());
        let (mut shifts, mut next) = (Vec::new(), Vec::new());
        for (u, inputs) in inputs.iter().enumerate() {
            let w = at
                .map(|site| (0..sites.levels()[site]).map(|level| sites.weights(site, level)[u]).collect::<Vec<f64>>());
            let levels = at.map(|site| sequences[site].as_slice());
            let others = inputs.iter().zip(weights).enumerate().map(|(n, (x, &weight))| {
                let own = (0..N).fold(0.0, |sum, k| sum + w[k][usize::from(levels[k][n])]);
                (x - own, weight)
            });
            histogram.gather(curves.grids[u], others);
            // Sums of the weights of all levels.
            shifts.clear();
            shifts.push(0.0);
            for w in &w {
                next.clear();
                next.extend(shifts.iter().flat_map(|sum| w.iter().map(move |w| sum + w)));
                std::mem::swap(&mut shifts, &mut next);
            }
            let ends = |of: fn(f64, f64) -> f64, start: f64| shifts.iter().copied().fold(start, of);
            averages.of(curves, u, &histogram, ends(f64::min, f64::INFINITY), ends(f64::max, f64::NEG_INFINITY));
            block.iter_mut().zip(&shifts).for_each(|(x, &shift)| *x += averages.at(shift));
        }
        block
    }
}
