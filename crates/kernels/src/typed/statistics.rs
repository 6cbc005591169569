//! The gradient of an update: what a minibatch and the chains say of weights and fields.

use super::gradient::TypedStatistics;
use super::machine::TypedRbm;
use super::moments;
use crate::learning::contrast::{Phases, Sparsity, add_dense, dense_values, gather_visible, sparsity_pull};
use crate::learning::update;
use crate::learning::weights::{self, Factors};
use crate::products::source::Source;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::batch::Batch;
use crate::states::lists::Chunks;
use crate::states::unit_lists::Side;
use crate::units::conditional::Moments;
use crate::units::fields::NO_MOMENTS;
use rayon::prelude::*;

/// What of the hidden units the statistics of an update take.
#[derive(Clone, Copy)]
enum Hidden<'a> {
    /// Their means, of the data and of the last reconstruction.
    Means(Sparsity),
    /// Their states: those drawn for the data, and the RBM's own.
    States(&'a Batch),
}

/// What one panel of hidden units adds to.
struct Sums<'a> {
    w: &'a mut [Row],
    h: &'a mut Row,
    fields: &'a mut Moments,
}

impl TypedRbm {
    /// Lets the samples of the last positive phase weigh `weights` in the statistics that follow it, until the next
    /// one. Chains weigh what their sample does where `paired`, and else together as much as the samples.
    ///
    /// # Panics
    /// If there is not one weight a sample.
    pub fn weigh(&mut self, weights: &[f32], paired: bool) {
        assert!(self.hidden.columns == 0 || weights.len() == self.means.panel(0).len(), "one weight a sample");
        self.weights.set(weights, paired);
    }

    /// Lets each chain weigh as much as `weight` samples in the statistics that follow the last positive phase, until
    /// the next one; without it all chains weigh as much as all samples.
    pub fn weigh_chains(&mut self, weight: f32) {
        self.weights.set_chain(weight);
    }

    /// The negative phase's last E[h|v], and what a step follows.
    ///
    /// # Panics
    /// If sparsity is asked of units that are not Bernoulli.
    pub fn statistics(&mut self, v0: &Batch, sparsity: Sparsity, gradient: &mut TypedStatistics) {
        let all = self.hidden.units.is_bernoulli();
        assert!(sparsity.cost == 0.0 || all, "sparsity pulls Bernoulli units");
        self.contrast(v0, Hidden::Means(sparsity), gradient);
    }

    /// The same with hidden states instead of means: `h0`, drawn for the data by the positive phase, and those of
    /// the RBM, drawn by an up pass after the last down pass.
    ///
    /// # Panics
    /// If there is not one row of `h0` a sample.
    pub(crate) fn statistics_of_states(&mut self, v0: &Batch, h0: &Batch, gradient: &mut TypedStatistics) {
        assert_eq!((h0.rows(), h0.units()), (v0.rows(), self.hidden.columns), "hidden states of every sample");
        self.contrast(v0, Hidden::States(h0), gradient);
    }

    fn contrast(&mut self, v0: &Batch, hidden: Hidden<'_>, gradient: &mut TypedStatistics) {
        let (samples, negatives) = (v0.rows(), self.reconstruction.rows());
        gradient.reset((self.visible.columns, self.hidden.columns), samples);
        // A row at least, or there would be no panels.
        self.x.reshape(negatives.max(1), self.hidden.columns);
        let (r, chunks) = (self.weights.ratio(samples, negatives), Chunks::new(samples.max(negatives)));
        let factors = self.weights.factors(negatives);
        let factors = factors.as_ref();
        self.visible_gradient(v0, chunks, r, factors, &mut gradient.visible);
        let source = match hidden {
            Hidden::States(_) => Source::Done,
            Hidden::Means(_) => {
                Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists)
            }
        };
        let dense_positive = Side::of_batch(v0, &self.support).1;
        let dense_negative = dense_values(&self.reconstruction);
        let (level, lists, unit_lists, columns) =
            (self.level, &self.visible_lists, &self.unit_lists, self.visible.columns);
        let (rec, layer, means, h) = (&self.rec, &self.hidden, &self.means, &self.h);
        gradient
            .w
            .panels_mut()
            .zip(gradient.h.par_iter_mut().zip(&mut gradient.hidden))
            .zip(self.x.panels_mut().zip(&mut self.moments))
            .enumerate()
            .with_max_len(1)
            .for_each_init(
                || (chunks.table(), vec![NO_MOMENTS; chunks.size]),
                |(table, own), (at, ((w, (h_sum, fields)), (x, moments)))| {
                    let panel = &layer.panels[at];
                    let sums = Sums { w, h: h_sum, fields };
                    let pull = match hidden {
                        Hidden::Means(sparsity) => sparsity_pull(sparsity, means.panel(at), &layer.pulled[at], factors),
                        Hidden::States(_) => ZERO,
                    };
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let positives = range.start.min(samples)..range.end.min(samples);
                        let range = range.start.min(negatives)..range.end.min(negatives);
                        let (positive, rest) = table.split_at_mut(chunks.size);
                        let (positive, negative) = (&mut positive[..positives.len()], &mut rest[..range.len()]);
                        match hidden {
                            Hidden::Means(_) => {
                                let x = &mut x[range.clone()];
                                source.product(level, rec.panel(at), lists, range.start, x);
                                positive.copy_from_slice(&means.panel(at)[positives.clone()]);
                                if panel.learns_moments() {
                                    let of = |moments: &[Moments], factor, weights: Option<&[f32]>, fields: &mut _| {
                                        moments::add(level, moments, weights, factor, fields);
                                    };
                                    let weights = factors.map(|factors| &factors.positive[positives.clone()]);
                                    of(&moments[positives.clone()], 1.0, weights, sums.fields);
                                    let own = &mut own[..range.len()];
                                    panel.expected(level, x, own);
                                    moments::means(level, own, negative);
                                    let weights = factors.map(|factors| &factors.negative[range.clone()]);
                                    of(own, -r, weights, sums.fields);
                                } else {
                                    panel.means(level, x, negative);
                                }
                            }
                            Hidden::States(h0) => {
                                for (rows, batch, samples, factor, weights) in [
                                    (&mut *positive, h0, &positives, 1.0, factors.map(|factors| &factors.positive)),
                                    (&mut *negative, h, &range, -r, factors.map(|factors| &factors.negative)),
                                ] {
                                    rows.iter_mut().zip(samples.clone()).for_each(|(row, s)| *row = batch.block(s, at));
                                    if panel.learns_moments() {
                                        let own = &mut own[..rows.len()];
                                        panel.observed(level, rows, own);
                                        let weights = weights.map(|weights| &weights[samples.clone()]);
                                        moments::add(level, own, weights, factor, sums.fields);
                                    }
                                }
                            }
                        }
                        let rows = (positives.clone(), range.clone());
                        complete(level, rows.0.len(), rows.1.len(), &pull, r, chunks.size, table, sums.h);
                        weights::apply(level, factors, &rows, chunks.size, table, sums.h);
                        add_dense(level, table, dense_positive, positives, columns, sums.w);
                        add_dense(level, &table[chunks.size..], dense_negative, range, columns, sums.w);
                        update::accumulate(level, table, unit_lists, chunk, sums.w);
                    }
                    // Only of dReLU units the bias has a share of the whole.
                    let drelu = &layer.learned[at].b_below;
                    for i in 0..BLOCK {
                        if drelu.0[i] == 0.0 {
                            sums.fields.b.0[i] = sums.h.0[i];
                        }
                    }
                },
            );
    }

    /// The gradient of the visible fields; notes which samples every visible unit was on in.
    fn visible_gradient(
        &mut self,
        v0: &Batch,
        chunks: Chunks,
        r: f32,
        factors: Option<&Factors>,
        gradient: &mut [Moments],
    ) {
        let phases = Phases { v0, support: &self.support, v: &self.reconstruction };
        let biases = gather_visible(&mut self.unit_lists, &phases, chunks, r, factors);
        gradient.iter_mut().zip(biases).for_each(|(gradient, b)| gradient.b = b);
        if self.visible.discrete {
            return;
        }
        let mut squares = vec![ZERO; gradient.len()];
        for (batch, weights, factor) in [
            (v0, factors.map(|factors| &factors.positive), 1.0),
            (&self.reconstruction, factors.map(|factors| &factors.negative), -r),
        ] {
            let values;
            let values = match batch {
                Batch::Real { values, .. } => values,
                Batch::Binary(bits) => {
                    values = bits.to_values();
                    &values
                }
            };
            let weights = weights.map(|weights| &weights[..]);
            moments::add_squares(self.level, values, self.visible.columns, weights, factor, &mut squares);
        }
        for ((gradient, squares), panel) in gradient.iter_mut().zip(squares).zip(&self.visible.panels) {
            gradient.log_g = Row(std::array::from_fn(|i| -0.5 * panel.fields.g.0[i] * squares.0[i]));
        }
    }
}

dispatch! {
    /// Completes a chunk's table of contributions, whose first set has `positives` rows of the data's hidden units, and
    /// whose second set `negatives` rows of the chains': `[data - pull; -r chains; both]`. Adds their sums to `sum`.
    fn complete(
        positives: usize, negatives: usize, pull: &Row, r: f32, size: usize, table: &mut [Row], sum: &mut Row,
    ) {
        let mut total = sum.0;
        let (positive, rest) = table.split_at_mut(size);
        let (negative, both) = rest.split_at_mut(size);
        for positive in &mut positive[..positives] {
            for i in 0..BLOCK {
                positive.0[i] -= pull.0[i];
                total[i] += positive.0[i];
            }
        }
        for negative in &mut negative[..negatives] {
            for i in 0..BLOCK {
                negative.0[i] = -(r * negative.0[i]);
                total[i] += negative.0[i];
            }
        }
        let paired = positives.min(negatives);
        for ((both, positive), negative) in both[..paired].iter_mut().zip(positive).zip(negative) {
            for i in 0..BLOCK {
                both.0[i] = positive.0[i] + negative.0[i];
            }
        }
        sum.0 = total;
    }
}
