//! The update of the packed machine: gradient, momentum, costs and step in one pass over each
//! panel of weights.

use crate::lists::Chunks;
use crate::machine::{Machine, Transpose};
use crate::panels::{Row, ZERO};
use crate::product;
use crate::rng::BLOCK;
use crate::scratch::Scratch;
use crate::source::Source;
use crate::states::{Batch, Bits};
use crate::unit_lists::Side;
use crate::update::{self, Rule};
use rayon::prelude::*;

/// Pull of the mean hidden activity towards a target (Hinton 2010, section 11).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Wanted mean probability of a hidden unit.
    pub target: f32,
    /// Strength; 0 turns it off.
    pub cost: f32,
}

/// What of the hidden units the statistics of an update take.
#[derive(Clone, Copy)]
enum Hidden<'a> {
    /// Their probabilities, of the data and of the last reconstruction.
    Probabilities(Sparsity),
    /// Their states: those drawn for the data, and the machine's own.
    States(&'a Bits),
}

impl Machine {
    /// The negative phase's last p(h|v) and the update of all parameters:
    /// `W += rate (v0ᵀ p(h|v0) / n - vᵀ p(h|v) / m)`, and likewise biases and labels, for n samples
    /// in the data and m in the chains. Returns the largest |weight| or |bias| afterwards: NaN
    /// if a parameter is NaN.
    pub fn learn(&mut self, v0: &Batch, rule: &Rule, sparsity: Sparsity) -> f32 {
        self.update(v0, rule, Hidden::Probabilities(sparsity))
    }

    /// The same update with hidden states in the place of probabilities: `h0`, drawn for the data
    /// by the positive phase, and those of the machine, drawn by an up pass after the last down
    /// pass. With the states at hand, no product is left to compute.
    ///
    /// # Panics
    /// If there is not one row of `h0` a sample.
    pub fn learn_from_states(&mut self, v0: &Batch, h0: &Bits, rule: &Rule) -> f32 {
        assert_eq!((h0.rows(), h0.units()), (v0.rows(), self.hidden), "hidden states of every sample");
        self.update(v0, rule, Hidden::States(h0))
    }

    fn update(&mut self, v0: &Batch, rule: &Rule, hidden: Hidden<'_>) -> f32 {
        let (samples, negatives) = (v0.rows(), self.h.rows());
        self.x.reshape(negatives, self.hidden);
        let source = match hidden {
            Hidden::Probabilities(_) => {
                Source::of_reconstruction(&self.reconstruction, self.x_states.as_ref(), &mut self.visible_lists)
            }
            Hidden::States(_) => Source::Done,
        };
        let scale = rule.learning_rate / samples.max(1) as f32;
        let r = samples as f32 / negatives.max(1) as f32;
        let chunks = Chunks::new(samples.max(negatives));

        let (positive, dense_positive) = Side::of_batch(v0, &self.support);
        let (negative, dense_negative) = match &self.reconstruction {
            Batch::Binary(bits) => (Side::Binary(bits), [].as_slice()),
            Batch::Real { values, .. } => (Side::Dense, values.as_slice()),
        };
        let mut vb_gradient = vec![ZERO; self.vb.len()];
        self.unit_lists.gather(chunks, positive, negative, r, &mut vb_gradient);
        add_columns(dense_positive, self.visible, 1.0, &mut vb_gradient);
        add_columns(dense_negative, self.visible, -r, &mut vb_gradient);
        for ((bias, velocity), gradient) in self.vb.iter_mut().zip(&mut self.vb_velocity).zip(&vb_gradient) {
            rule.step_bias(scale, gradient, velocity, bias);
        }

        self.labels.step_biases(rule, scale, r);

        let (level, lists, unit_lists, visible) = (self.level, &self.visible_lists, &self.unit_lists, self.visible);
        let (height, p0, h) = (self.rec.height(), &self.p0, &self.h);
        // One chunk of binary states needs no gradient in memory.
        let scratch = self.labels.scratch(chunks.size);
        let direct = chunks.count() == 1 && dense_positive.is_empty() && dense_negative.is_empty();
        // Each panel's label weights are stepped beside it; the rest is shared.
        let mut label_panels = std::mem::take(&mut self.labels.panels);
        let (labels, classes) = (&self.labels, self.labels.classes);
        let largest = self
            .rec
            .panels_mut()
            .zip(self.velocity.panels_mut())
            .zip(self.x.panels_mut())
            .zip(self.hb.par_iter_mut().zip(&mut self.hb_velocity))
            .zip(&mut label_panels)
            .enumerate()
            .with_max_len(1)
            .map_init(
                || (chunks.table(), Scratch::new(if direct { 0 } else { height }), scratch()),
                |(table, gradient, scratch), (panel, ((((weights, velocity), x), (hb, hb_velocity)), label_panel))| {
                    let pull = match hidden {
                        Hidden::Probabilities(sparsity) => sparsity_pull(sparsity, p0.panel(panel), hb),
                        Hidden::States(_) => ZERO,
                    };
                    let mut hb_gradient = ZERO;
                    gradient.fill(ZERO);
                    let mut label_gradient = vec![ZERO; classes];
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
                        let (data, chains) = (positives.clone(), range.clone());
                        labels.accumulate(level, table, chunks.size, data, chains, &mut label_gradient);
                        if !dense_positive.is_empty() {
                            let rows = &table[..positives.len()];
                            let values = &dense_positive[positives.start * visible..positives.end * visible];
                            product::dense(level, rows, values, 1, visible, &mut gradient[..visible]);
                        }
                        if !dense_negative.is_empty() {
                            let rows = &table[chunks.size..chunks.size + range.len()];
                            let values = &dense_negative[range.start * visible..range.end * visible];
                            product::dense(level, rows, values, 1, visible, &mut gradient[..visible]);
                        }
                        if chunk + 1 < chunks.count() {
                            update::accumulate(level, table, unit_lists, chunk, gradient);
                        }
                    }
                    let last = chunks.count() - 1;
                    let largest =
                        update::step(level, rule, scale, table, unit_lists, last, gradient, velocity, weights);
                    rule.step_bias(scale, &hb_gradient, hb_velocity, hb);
                    largest.max(label_panel.step(level, rule, scale, &label_gradient))
                },
            )
            .reduce(|| 0, u32::max);
        self.labels.panels = label_panels;
        self.transpose = Transpose::Stale;
        self.x_states = None;
        let labels = self.labels.b.iter().map(|b| b.abs().to_bits());
        let biases = labels.fold(update::largest_bias(self.hb.iter().chain(&self.vb)), u32::max);
        f32::from_bits(largest.max(biases))
    }
}

/// `sums += factor *` the column sums of row-major values [samples, units].
fn add_columns(values: &[f32], units: usize, factor: f32, sums: &mut [Row]) {
    for row in values.chunks_exact(units.max(1)) {
        for (chunk, sums) in row.chunks(BLOCK).zip(sums.iter_mut()) {
            for (x, sum) in chunk.iter().zip(&mut sums.0) {
                *sum += factor * x;
            }
        }
    }
}

/// What the sparsity cost takes from every positive probability of a hidden unit: its cost
/// times how far the unit's mean activity lies above the target. Zero for padding units.
fn sparsity_pull(sparsity: Sparsity, p0: &[Row], bias: &Row) -> Row {
    let mut pull = ZERO;
    if sparsity.cost == 0.0 || p0.is_empty() {
        return pull;
    }
    for row in p0 {
        for (sum, p) in pull.0.iter_mut().zip(&row.0) {
            *sum += p;
        }
    }
    for (pull, &bias) in pull.0.iter_mut().zip(&bias.0) {
        let excess = *pull / p0.len() as f32 - sparsity.target;
        *pull = if bias == f32::NEG_INFINITY { 0.0 } else { sparsity.cost * excess };
    }
    pull
}
