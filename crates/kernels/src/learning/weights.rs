//! Samples that weigh more or less than others in the statistics of an update.

use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch};
use crate::states::batch::Batch;
use std::ops::Range;

/// What samples and chains weigh; nothing where all weigh the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    /// Of each sample.
    samples: Vec<f32>,
    /// Whether each chain belongs to a sample.
    paired: bool,
    /// What a chain weighs beside a sample, where samples and chains are a part of more of them.
    chain: Option<f32>,
}

impl Weights {
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.chain = None;
    }

    /// Lets a chain weigh as much as so many samples.
    pub(crate) fn set_chain(&mut self, weight: f32) {
        self.chain = Some(weight);
    }

    /// What a chain weighs beside a sample: all chains as much as all samples, unless something else was said.
    pub(crate) fn ratio(&self, samples: usize, chains: usize) -> f32 {
        self.chain.unwrap_or(samples as f32 / chains.max(1) as f32)
    }

    pub(crate) fn set(&mut self, samples: &[f32], paired: bool) {
        self.samples.clear();
        self.samples.extend_from_slice(samples);
        self.paired = paired;
    }

    /// The weight of each sample, and that of each of the chains beside what chains weigh otherwise; none where all
    /// weigh the same.
    pub(crate) fn factors(&self, chains: usize) -> Option<Factors> {
        if self.samples.is_empty() {
            return None;
        }
        let positive = self.samples.clone();
        let mean = positive.iter().sum::<f32>() / positive.len() as f32;
        let negative = match self.chain {
            _ if self.paired => positive.clone(),
            // Its weight has been said.
            Some(_) => vec![1.0; chains],
            None => vec![mean; chains],
        };
        Some(Factors { positive, negative })
    }
}

/// Factors of the rows of both phases.
pub(crate) struct Factors {
    pub(crate) positive: Vec<f32>,
    pub(crate) negative: Vec<f32>,
}

impl Factors {
    /// What all samples weigh together; never 0, which is what a minibatch without any weight has.
    pub(crate) fn total(&self) -> f32 {
        self.positive.iter().sum::<f32>().max(f32::MIN_POSITIVE)
    }

    /// The weighted sum of rows, one a sample.
    pub(crate) fn sum(&self, rows: &[Row]) -> Row {
        let mut sums = ZERO;
        for (row, weight) in rows.iter().zip(&self.positive) {
            sums.0.iter_mut().zip(&row.0).for_each(|(sum, x)| *sum += weight * x);
        }
        sums
    }

    /// The gradient of the visible biases: `v0` minus `r` times the chains' `v`.
    pub(crate) fn visible_gradient(&self, v0: &Batch, v: &Batch, r: f32, gradient: &mut [Row]) {
        gradient.fill(ZERO);
        add_weighted(v0, &self.positive, 1.0, gradient);
        add_weighted(v, &self.negative, -r, gradient);
    }

    /// The weighted sum of visible units over the samples.
    pub(crate) fn visible_sums(&self, v0: &Batch) -> Vec<Row> {
        let mut sums = vec![ZERO; v0.units().div_ceil(BLOCK)];
        add_weighted(v0, &self.positive, 1.0, &mut sums);
        sums
    }
}

/// `sums += factor *` the weighted sums of a batch's units.
fn add_weighted(batch: &Batch, weights: &[f32], factor: f32, sums: &mut [Row]) {
    for (block, sums) in sums.iter_mut().enumerate() {
        for (row, weight) in weights.iter().enumerate() {
            for (sum, x) in sums.0.iter_mut().zip(batch.block(row, block).0) {
                *sum += factor * weight * x;
            }
        }
    }
}

/// Weighs a chunk's table of contributions, of these samples and chains (see [`super::update::contrast`]), and the sums
/// of it that the bias gradient has.
pub(crate) fn apply(
    level: Level,
    factors: Option<&Factors>,
    (samples, chains): &(Range<usize>, Range<usize>),
    size: usize,
    table: &mut [Row],
    bias_gradient: &mut Row,
) {
    if let Some(Factors { positive, negative }) = factors {
        weigh(level, &positive[samples.clone()], &negative[chains.clone()], size, table, bias_gradient);
    }
}

dispatch! {
    fn weigh(
        positive_weights: &[f32], negative_weights: &[f32], size: usize, table: &mut [Row], bias_gradient: &mut Row,
    ) {
        let mut sum = bias_gradient.0;
        let (positive, rest) = table.split_at_mut(size);
        let (negative, both) = rest.split_at_mut(size);
        for (rows, weights) in [(&mut *positive, positive_weights), (&mut *negative, negative_weights)] {
            for (row, &weight) in rows.iter_mut().zip(weights) {
                for i in 0..BLOCK {
                    sum[i] += (weight - 1.0) * row.0[i];
                    row.0[i] *= weight;
                }
            }
        }
        let paired = positive_weights.len().min(negative_weights.len());
        for ((both, positive), negative) in both[..paired].iter_mut().zip(positive).zip(negative) {
            for i in 0..BLOCK {
                both.0[i] = positive.0[i] + negative.0[i];
            }
        }
        bias_gradient.0 = sum;
    }
}
