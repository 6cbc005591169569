//! The update of the packed RBM: gradient, momentum, costs and step in one pass over each
//! panel of weights; or the gradient alone, for steps that need all of it ([`crate::Statistics`]).

use crate::learning::packed::{PackedRbm, Transpose};
use crate::learning::statistics::{Statistics, StatisticsPanel};
use crate::learning::update::{self, StepRule};
use crate::learning::weights::{self, Factors};
use crate::products::dense;
use crate::products::scratch::Scratch;
use crate::products::source::Source;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::Chunks;
use crate::states::unit_lists::{Side, UnitLists};
use rayon::prelude::*;
use std::ops::Range;

/// Pull of the mean hidden activity towards a target (Hinton 2010, section 11).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Wanted mean probability of a hidden unit.
    pub target: f32,
    /// Strength; 0 turns it off.
    pub cost: f32,
}

/// What becomes of the statistics of an update.
enum Then<'a> {
    /// All parameters step along them.
    Step(&'a StepRule),
    /// They are kept.
    Keep(&'a mut Statistics),
}

/// The rule of those who do not step.
const NONE: StepRule = StepRule { learning_rate: 0.0, momentum: 0.0, l2: 0.0, l1: 0.0 };

/// What of the hidden units the statistics of an update take.
#[derive(Clone, Copy)]
enum Hidden<'a> {
    /// Their probabilities, of the data and of the last reconstruction.
    Probabilities(Sparsity),
    /// Their states: those drawn for the data, and the RBM's own.
    States(&'a Bits),
}

impl Hidden<'_> {
    /// What sparsity takes from the gradient of the biases of a panel, whose probabilities for the data are `p0`.
    fn pull(self, p0: &[Row], biases: &Row, factors: Option<&Factors>) -> Row {
        match self {
            Self::Probabilities(sparsity) => sparsity_pull(sparsity, p0, biases, factors),
            Self::States(_) => ZERO,
        }
    }
}

impl PackedRbm {
    /// Lets the samples of the last positive phase weigh `weights` in the statistics that follow it, until the next
    /// one. Chains weigh what their sample does where `paired`, and else together as much as the samples.
    ///
    /// # Panics
    /// If there is not one weight a sample.
    pub fn weigh(&mut self, weights: &[f32], paired: bool) {
        assert_eq!(weights.len(), self.p0.panel(0).len(), "one weight a sample");
        self.weights.set(weights, paired);
    }

    /// Lets each chain weigh as much as `weight` samples in the statistics that follow the last positive phase, until
    /// the next one; without it all chains weigh as much as all samples.
    pub fn weigh_chains(&mut self, weight: f32) {
        self.weights.set_chain(weight);
    }

    /// The negative phase's last p(h|v) and the update of all parameters:
    /// `W += rate (v0ᵀ p(h|v0) / n - vᵀ p(h|v) / m)`, and likewise biases and labels, for n samples
    /// in the data and m in the chains. Returns the largest |weight| or |bias| afterwards: NaN
    /// if a parameter is NaN.
    pub fn update(&mut self, v0: &Batch, rule: &StepRule, sparsity: Sparsity) -> f32 {
        self.contrast(v0, Then::Step(rule), Hidden::Probabilities(sparsity))
    }

    /// What [`Self::update`] steps along, without the step.
    pub fn statistics(&mut self, v0: &Batch, sparsity: Sparsity, gradient: &mut Statistics) {
        gradient.reshape(self, v0.rows());
        self.contrast(v0, Then::Keep(gradient), Hidden::Probabilities(sparsity));
    }

    /// The same update with hidden states instead of probabilities: `h0`, drawn for the data
    /// by the positive phase, and those of the RBM, drawn by an up pass after the last down
    /// pass. With the states at hand, no product is left to compute.
    ///
    /// # Panics
    /// If there is not one row of `h0` a sample.
    pub fn update_from_states(&mut self, v0: &Batch, h0: &Bits, rule: &StepRule) -> f32 {
        assert_eq!((h0.rows(), h0.units()), (v0.rows(), self.hidden), "hidden states of every sample");
        self.contrast(v0, Then::Step(rule), Hidden::States(h0))
    }

    fn contrast(&mut self, v0: &Batch, mut then: Then<'_>, hidden: Hidden<'_>) -> f32 {
        let (samples, negatives) = (v0.rows(), self.h.rows());
        // A row at least, or there would be no panels to step.
        self.x.reshape(negatives.max(1), self.hidden);
        let (r, chunks) = (self.weights.ratio(samples, negatives), Chunks::new(samples.max(negatives)));
        let factors = &self.weights.factors(negatives);
        let vb_gradient = self.gather_visible(v0, chunks, r, factors.as_ref());
        let source = match hidden {
            Hidden::States(_) => Source::Done,
            Hidden::Probabilities(_) => {
                Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists)
            }
        };

        let dense_positive = Side::of_batch(v0, &self.support).1;
        let dense_negative = dense_values(&self.reconstruction);
        let label_gradient = self.labels.bias_gradient(r, factors.as_ref());
        // A panel's place in the gradient that is to be kept, if one is.
        let (rule, mut kept): (_, Vec<Option<StatisticsPanel<'_>>>) = match then {
            Then::Step(rule) => (rule, self.hb.iter().map(|_| None).collect()),
            Then::Keep(ref mut gradient) => (&NONE, gradient.panels_mut().map(Some).collect()),
        };

        let (level, lists, unit_lists, visible) = (self.level, &self.visible_lists, &self.unit_lists, self.visible);
        let (scale, height, scratch) = (rule.scale(samples), self.rec.height(), self.labels.scratch(chunks.size));
        // One chunk of binary states needs no gradient in memory.
        let direct = chunks.count() == 1 && dense_positive.is_empty() && dense_negative.is_empty();
        // Each panel's label weights are stepped beside it; the rest is shared.
        let mut label_panels = std::mem::take(&mut self.labels.panels);
        let (labels, p0, h) = (&self.labels, &self.p0, &self.h);
        let largest = self
            .rec
            .panels_mut()
            .zip(self.velocity.panels_mut())
            .zip(self.x.panels_mut())
            .zip(self.hb.par_iter_mut().zip(&mut self.hb_velocity))
            .zip(label_panels.par_iter_mut().zip(&mut kept))
            .enumerate()
            .with_max_len(1)
            .map_init(
                || (chunks.table(), Scratch::new(if direct { 0 } else { height }), scratch()),
                |(table, own, scratch),
                 (panel, ((((weights, velocity), x), (hb, hb_velocity)), (label_panel, kept)))| {
                    let (gradient, kept): (&mut [Row], _) = match kept {
                        Some(StatisticsPanel { w, hb, label_w }) => (w, Some((hb, label_w))),
                        None => (own, None),
                    };
                    let pull = hidden.pull(p0.panel(panel), hb, factors.as_ref());
                    let mut hb_gradient = ZERO;
                    // The one chunk writes the gradient.
                    if !direct {
                        gradient.fill(ZERO);
                    }
                    let mut label_gradient = vec![ZERO; labels.classes];
                    for chunk in 0..chunks.count() {
                        let range = chunks.range(chunk);
                        let positives = range.start.min(samples)..range.end.min(samples);
                        let range = range.start.min(negatives)..range.end.min(negatives);
                        match hidden {
                            Hidden::Probabilities(_) => {
                                source.product(level, weights, lists, range.start, &mut x[range.clone()]);
                                let x = &x[range.clone()];
                                let x = labels.with_reconstruction(level, &label_panel.w, range.start, x, scratch);
                                let p0 = &p0.panel(panel)[positives.clone()];
                                let size = chunks.size;
                                update::contrast(level, p0, x, hb, &pull, r, size, table, &mut hb_gradient);
                            }
                            Hidden::States(h0) => {
                                let (h0, h) = (&h0.block(panel)[positives.clone()], &h.block(panel)[range.clone()]);
                                update::contrast_states(level, h0, h, r, chunks.size, table, &mut hb_gradient);
                            }
                        }
                        let rows = (positives.clone(), range.clone());
                        weights::apply(level, factors.as_ref(), &rows, chunks.size, table, &mut hb_gradient);
                        labels.accumulate(level, table, chunks.size, rows, &mut label_gradient);
                        add_dense(level, table, dense_positive, positives, visible, gradient);
                        add_dense(level, &table[chunks.size..], dense_negative, range, visible, gradient);
                        if chunk + 1 < chunks.count() {
                            update::accumulate(level, table, unit_lists, chunk, gradient);
                        }
                    }
                    let last = chunks.count() - 1;
                    if let Some((hb, label_w)) = kept {
                        let gather = if direct { update::collect } else { update::accumulate };
                        gather(level, table, unit_lists, last, gradient);
                        (**hb, **label_w) = (hb_gradient, label_gradient);
                        return 0;
                    }
                    let largest =
                        update::step(level, rule, scale, table, unit_lists, last, gradient, velocity, weights);
                    rule.step_bias(scale, &hb_gradient, hb_velocity, hb);
                    largest.max(label_panel.step(level, rule, scale, &label_gradient))
                },
            )
            .reduce(|| 0, u32::max);
        self.labels.panels = label_panels;
        match then {
            Then::Step(rule) => {
                self.step_visible(rule, samples, &vb_gradient, &label_gradient);
                self.stepped(largest)
            }
            Then::Keep(gradient) => {
                (gradient.vb, gradient.label_b) = (vb_gradient, label_gradient);
                0.0
            }
        }
    }

    fn gather_visible(&mut self, v0: &Batch, chunks: Chunks, r: f32, factors: Option<&Factors>) -> Vec<Row> {
        let phases = Phases { v0, support: &self.support, v: &self.reconstruction };
        gather_visible(&mut self.unit_lists, &phases, chunks, r, factors)
    }

    /// Steps the biases of visible units and labels along their summed gradients.
    pub(crate) fn step_visible(&mut self, rule: &StepRule, samples: usize, vb: &[Row], label_b: &[f32]) {
        let scale = rule.scale(samples);
        for ((bias, velocity), gradient) in self.vb.iter_mut().zip(&mut self.vb_velocity).zip(vb) {
            rule.step_bias(scale, gradient, velocity, bias);
        }
        self.labels.step_biases(rule, scale, label_b);
    }

    /// Notes that the weights are others now. The largest parameter, from that of the weights as bits.
    pub(crate) fn stepped(&mut self, largest_weight: u32) -> f32 {
        self.transpose = Transpose::Stale;
        self.x_states = None;
        let labels = self.labels.b.iter().map(|b| b.abs().to_bits());
        let biases = labels.fold(update::largest_bias(self.hb.iter().chain(&self.vb)), u32::max);
        f32::from_bits(largest_weight.max(biases))
    }
}

/// The visible units of both phases.
pub(crate) struct Phases<'a> {
    pub(crate) v0: &'a Batch,
    /// Where the data are not zero, if they are real values.
    pub(crate) support: &'a Bits,
    /// Those of the chains.
    pub(crate) v: &'a Batch,
}

/// Notes which samples every visible unit was on in; the gradient of their biases.
pub(crate) fn gather_visible(
    unit_lists: &mut UnitLists,
    &Phases { v0, support, v }: &Phases<'_>,
    chunks: Chunks,
    r: f32,
    factors: Option<&Factors>,
) -> Vec<Row> {
    let (positive, dense_positive) = Side::of_batch(v0, support);
    let negative = match v {
        Batch::Binary(bits) => Side::Binary(bits),
        Batch::Real { .. } => Side::Dense,
    };
    let mut gradient = vec![ZERO; v0.units().div_ceil(BLOCK)];
    unit_lists.gather(chunks, positive, negative, r, &mut gradient);
    update::add_columns(dense_positive, v0.units(), 1.0, &mut gradient);
    update::add_columns(dense_values(v), v0.units(), -r, &mut gradient);
    // Those of the lists count every sample alike.
    if let Some(factors) = factors {
        factors.visible_gradient(v0, v, r, &mut gradient);
    }
    gradient
}

/// The values of real states; none of binary ones.
pub(crate) fn dense_values(batch: &Batch) -> &[f32] {
    match batch {
        Batch::Binary(_) => &[],
        Batch::Real { values, .. } => values,
    }
}

/// Adds what the real values `[.., units]` of some samples contribute, each its row, to the gradient of a
/// panel; binary states have no such values.
pub(crate) fn add_dense(
    level: Level,
    contributions: &[Row],
    values: &[f32],
    samples: Range<usize>,
    units: usize,
    gradient: &mut [Row],
) {
    if !values.is_empty() {
        let (contributions, values) =
            (&contributions[..samples.len()], &values[samples.start * units..samples.end * units]);
        dense::dense(level, contributions, values, 1, units, &mut gradient[..units]);
    }
}

/// What the sparsity cost takes from every positive probability of a hidden unit: its cost
/// times how far the unit's mean activity lies above the target. Zero for padding units.
pub(crate) fn sparsity_pull(sparsity: Sparsity, p0: &[Row], bias: &Row, factors: Option<&Factors>) -> Row {
    let mut pull = ZERO;
    if sparsity.cost == 0.0 || p0.is_empty() {
        return pull;
    }
    for (place, row) in p0.iter().enumerate() {
        let weight = factors.map_or(1.0, |factors| factors.positive[place]);
        for (sum, p) in pull.0.iter_mut().zip(&row.0) {
            *sum += weight * p;
        }
    }
    let total = factors.map_or(p0.len() as f32, Factors::total);
    for (pull, &bias) in pull.0.iter_mut().zip(&bias.0) {
        let excess = *pull / total - sparsity.target;
        *pull = if bias == f32::NEG_INFINITY { 0.0 } else { sparsity.cost * excess };
    }
    pull
}
