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

use crate::error::{Error, Result};
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
        sites.require_fit(sequences)?;
        let inputs = by_unit(sites, sequences);
        let (lowest, highest) = ranges(sites, &inputs, 2);
        let curves = Curves::of(sites, &lowest, &highest)?;
        let background = Background { sites, sequences: &sequences.by_site(), weights: sequences.weights(), inputs };
        let all: Vec<(usize, usize)> = pairs(sites.count()).collect();
        let total: f64 = sequences.weights().iter().sum();
        let block = |&(i, j): &(usize, usize)| {
            let mut block = background.block(&curves, i, j);
            for x in &mut block {
                *x /= total;
            }
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

/// Effective couplings of three different sites of two levels each: the third difference of the free energy,
///
/// ```text
/// J_ijk = <sum over s_i, s_j, s_k = -1, 1 of s_i s_j s_k L_ijk(s) / 8>
/// ```
///
/// averaged over the sequences, in nats; s is 1 at the second level. Without labels, and over spins alone, these are what three
/// spins have beyond their pairs.
///
/// # Errors
/// [`Error::Setting`] for sites that are not different or have not two levels; if the sequences do not fit the model, or candle
/// refuses an operation.
pub fn of_three(sites: &Sites, sequences: &Sequences, triples: &[[usize; 3]]) -> Result<Vec<f64>> {
    sites.require_fit(sequences)?;
    let fits = |&[i, j, k]: &[usize; 3]| {
        i != j && j != k && i != k && [i, j, k].iter().all(|&i| sites.levels().get(i) == Some(&2))
    };
    if let Some(triple) = triples.iter().find(|triple| !fits(triple)) {
        let expected = "different sites of two levels each".into();
        return Err(Error::Setting { name: "three sites", got: format!("{triple:?} (from 0)"), expected });
    }
    let inputs = by_unit(sites, sequences);
    let (lowest, highest) = ranges(sites, &inputs, 3);
    let curves = Curves::of(sites, &lowest, &highest)?;
    let background = Background { sites, sequences: &sequences.by_site(), weights: sequences.weights(), inputs };
    let total: f64 = sequences.weights().iter().sum();
    Ok(triples.par_iter().map(|triple| background.three(&curves, *triple) / (8.0 * total)).collect())
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
struct Background<'a> {
    sites: &'a Sites,
    /// Levels `[sites][sequences]`.
    sequences: &'a [Vec<Level>],
    weights: &'a [f64],
    /// Inputs `[hidden][sequences]`.
    inputs: Vec<Vec<f64>>,
}

impl Background<'_> {
    /// `sum_v p_v sum over s of s_i s_j s_k sum_u cgf_u(...)` of three sites of two levels.
    fn three(&self, curves: &Curves, triple: [usize; 3]) -> f64 {
        let Self { sites, sequences, weights, inputs } = self;
        let (mut histogram, mut averages) = (Histogram::new(), Averages::default());
        let mut sum = 0.0;
        for (u, inputs) in inputs.iter().enumerate() {
            let w = triple.map(|site| [sites.weights(site, 0)[u], sites.weights(site, 1)[u]]);
            let others = inputs.iter().zip(*weights).enumerate().map(|(n, (x, &weight))| {
                let own: f64 = triple.iter().zip(&w).map(|(&site, w)| w[usize::from(sequences[site][n])]).sum();
                (x - own, weight)
            });
            histogram.gather(curves.grids[u], others);
            let ends = |of: fn(f64, f64) -> f64| w.iter().map(|w| of(w[0], w[1])).sum::<f64>();
            averages.of(curves, u, &histogram, ends(f64::min), ends(f64::max));
            for word in 0..8usize {
                let at = |k: usize| w[k][word >> k & 1];
                let sign = if word.count_ones() % 2 == 1 { 1.0 } else { -1.0 };
                sum += sign * averages.at(at(0) + at(1) + at(2));
            }
        }
        sum
    }

    /// `sum_v p_v sum_u cgf_u(...)` of two sites: [levels of i, levels of j].
    fn block(&self, curves: &Curves, i: usize, j: usize) -> Vec<f64> {
        let Self { sites, sequences, weights, inputs } = self;
        let (rows, columns) = (sites.levels()[i], sites.levels()[j]);
        let mut block = vec![0.0; rows * columns];
        let (mut histogram, mut averages) = (Histogram::new(), Averages::default());
        let (of_i, of_j) = (spans(sites, i), spans(sites, j));
        for (u, inputs) in inputs.iter().enumerate() {
            let column = |site: usize, levels: usize| -> Vec<f64> {
                (0..levels).map(|level| sites.weights(site, level)[u]).collect()
            };
            let (w_i, w_j) = (column(i, rows), column(j, columns));
            let others = inputs.iter().zip(&sequences[i]).zip(&sequences[j]).zip(*weights);
            let others = others.map(|(((x, &a), &b), &weight)| (x - w_i[usize::from(a)] - w_j[usize::from(b)], weight));
            histogram.gather(curves.grids[u], others);
            averages.of(curves, u, &histogram, of_i[u].0 + of_j[u].0, of_i[u].1 + of_j[u].1);
            for (row, a) in block.chunks_exact_mut(columns).zip(&w_i) {
                row.iter_mut().zip(&w_j).for_each(|(x, b)| *x += averages.at(a + b));
            }
        }
        block
    }
}
