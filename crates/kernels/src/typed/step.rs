//! The step of all weights and fields along their gradient.
//!
//! With the factors s and offsets μ, λ of bits (one half for spins that no offsets are known of), statistics S of the
//! weights in bits, v and h of their inputs, rate η, momentum α and weight costs λ₂, λ₁:
//!
//! ```text
//! G_iu     = s_i² s_u² (S_iu - μ_i h_u - v_i λ_u) / n
//! velocity <- α velocity + η (G - λ₂ W' - λ₁ s_i s_u sign(W'))
//! W'       <- W' + velocity
//! ```
//!
//! which is the step of the weights W of the units as they are. [`super::descent`] has that of Adam. Fields step along their own statistics. Where offsets
//! follow the means, they also lose what the step of the weights makes of the offsets, as in
//! [`crate::PackedRbm::step`].

use super::adam::{Costs, step_by_adam};
use super::centred::{OfLanes, OfRows, centred};
use super::descent::AdamStep;
use super::gauges;
use super::gradient::TypedStatistics;
use super::layer::Layer;
use super::machine::TypedRbm;
use crate::learning::contrast::Sparsity;
use crate::learning::update::{StepRule, magnitude};
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::batch::Batch;
use crate::units::conditional::Moments;
use rayon::prelude::*;

impl TypedRbm {
    /// [`Self::statistics`] and [`Self::step`]. Returns the largest |weight| or |field| afterwards: NaN if one is NaN.
    pub fn update(&mut self, v0: &Batch, rule: &StepRule, sparsity: Sparsity) -> f32 {
        let mut gradient = std::mem::take(&mut self.statistics);
        self.statistics(v0, sparsity, &mut gradient);
        let largest = self.step(&gradient, rule);
        self.statistics = gradient;
        largest
    }

    /// The same with hidden states instead of means: `h0`, drawn for the data by the positive phase, and those of
    /// the RBM, drawn by an up pass after the last down pass.
    ///
    /// # Panics
    /// If there is not one row of `h0` a sample.
    pub fn update_from_states(&mut self, v0: &Batch, h0: &Batch, rule: &StepRule) -> f32 {
        let mut gradient = std::mem::take(&mut self.statistics);
        self.statistics_of_states(v0, h0, &mut gradient);
        let largest = self.step(&gradient, rule);
        self.statistics = gradient;
        largest
    }

    /// Steps all parameters along a gradient, centred at the offsets if there are any, and brings them to the form
    /// that is chosen. The velocities are those of the centred parameters. Returns the largest |weight| or |field|
    /// afterwards, NaN if one is NaN.
    ///
    /// # Panics
    /// If the gradient does not have the shapes of the RBM.
    pub fn step(&mut self, gradient: &TypedStatistics, rule: &StepRule) -> f32 {
        let offsets = self.offsets.clone().unwrap_or_default();
        let (rows, lanes) = (self.of_rows(gradient, &offsets), self.of_lanes(gradient, &offsets));
        let (level, factor) = (self.level, self.shortened(gradient, &rows, &lanes));
        let (scale, height) = (factor * rule.scale(gradient.samples), self.rec.height());
        let moved = !offsets.visible.is_empty() || !offsets.hidden.is_empty();
        let plain = !moved && !self.visible.spins && !self.hidden.spins && self.descent.l1b == 0.0;
        let (columns, l1b, share) = (self.visible.columns, self.descent.l1b, factor / gradient.samples.max(1) as f32);
        let adam = self.begin_adam(rule.learning_rate);
        let Self { visible, hidden, rec, velocity, rescaled, squares, .. } = self;
        let sites = &visible.sites;
        let mut shifts = vec![0.0; if moved { height * lanes.len() } else { 0 }];
        let mut of_panels: Vec<&mut [f32]> = shifts.chunks_mut(height).collect();
        of_panels.resize_with(lanes.len(), Default::default);
        let mut memories: Vec<Option<_>> = match squares {
            Some(squares) => squares.w.slices_mut().zip(&mut squares.hidden).map(Some).collect(),
            None => Vec::new(),
        };
        memories.resize_with(lanes.len(), || None);
        let Layer { fields, velocity: speeds, learned, panels, precisions, .. } = hidden;
        let largest = rec
            .panels_mut()
            .zip(velocity.panels_mut())
            .zip(fields.par_iter_mut().zip(speeds))
            .zip(of_panels)
            .zip(rescaled)
            .zip(memories)
            .enumerate()
            .with_max_len(1)
            .map(|(at, (((((w, velocity), (fields, speeds)), shifts), rescaled), mut memory))| {
                let (learned, lanes, slopes) = (&learned[at], &lanes[at], gradient.w.panel(at));
                let costs = || Costs::of(level, rule, l1b, columns, &rows, lanes, w);
                let mut steps = Vec::new();
                if let (Some(adam), Some((squares, of_fields))) = (&adam, &mut memory) {
                    let costs = costs();
                    steps.resize(height, ZERO);
                    step_by_adam(level, adam, share, &costs, &rows, lanes, slopes, velocity, squares, w, &mut steps);
                    let slopes = &gradient.hidden[at];
                    fields_by_adam(adam, share, &lanes.scale, learned, slopes, speeds, of_fields, fields);
                } else {
                    if plain {
                        step_plainly(level, rule, scale, slopes, velocity, w);
                    } else {
                        step_centred(level, rule, scale, &costs(), &rows, lanes, slopes, velocity, w);
                    }
                    step_fields(rule, scale, &lanes.scale, learned, &gradient.hidden[at], speeds, fields);
                }
                if moved {
                    let steps = if adam.is_some() { &steps } else { &*velocity };
                    let taken = of_offsets(level, &rows.kept, &lanes.kept, steps, shifts);
                    add_to_inputs(-1.0, &taken, &lanes.scale, learned, fields);
                }
                if !sites.is_empty() {
                    let moved = gauges::zero_sums(level, sites, w);
                    add_to_inputs(1.0, &moved, &lanes.scale, learned, fields);
                }
                if panels[at].learns_moments() {
                    gauges::bound_precisions(learned, *precisions, fields);
                    let norms = gauges::unit_norms(level, learned, *precisions, &rows.scale, w, fields);
                    match memory {
                        // Gradients by weights of another measure.
                        Some((squares, of_fields)) => {
                            gauges::rescale(level, &norms, velocity, speeds);
                            let norms = Row(norms.0.map(|norm| norm * norm));
                            gauges::rescale(level, &norms, squares, of_fields);
                        }
                        None => gauges::rescale(level, &gauges::inverse(&norms), velocity, speeds),
                    }
                    gauges::bound_precisions(learned, *precisions, fields);
                    *rescaled = norms;
                }
                largest_weight(level, w, &rows.scale, &lanes.scale)
            })
            .reduce(|| 0, u32::max);
        self.step_visible(rule, (scale, share), adam.as_ref(), gradient, &shifts);
        self.follow_scale();
        self.refresh();
        self.largest_of(largest)
    }

    /// Steps the visible fields, of which the panels of hidden units take `shifts`.
    fn step_visible(
        &mut self,
        rule: &StepRule,
        (scale, share): (f32, f32),
        adam: Option<&AdamStep>,
        gradient: &TypedStatistics,
        shifts: &[f32],
    ) {
        let (layer, mut squares) = (&mut self.visible, self.squares.as_mut());
        for (at, fields) in layer.fields.iter_mut().enumerate() {
            let (own, learned, slopes) = (&layer.scale[at], &layer.learned[at], &gradient.visible[at]);
            let memory = &mut layer.velocity[at];
            match (adam, &mut squares) {
                (Some(adam), Some(squares)) => {
                    let squares = &mut squares.visible[at];
                    fields_by_adam(adam, share, own, learned, slopes, memory, squares, fields);
                }
                _ => step_fields(rule, scale, own, learned, slopes, memory, fields),
            }
            for shifts in shifts.chunks_exact(self.rec.height()) {
                for ((b, shift), scale) in fields.b.0.iter_mut().zip(&shifts[at * BLOCK..]).zip(&own.0) {
                    *b -= shift / scale;
                }
            }
            gauges::bound_precisions(learned, layer.precisions, fields);
        }
        gauges::zero_sum_biases(&layer.sites, &mut layer.fields);
    }

    /// Hidden states and their means follow the units of measure that the last step chose.
    fn follow_scale(&mut self) {
        if let Batch::Real { .. } = self.h {
            let mut h = std::mem::take(&mut self.h);
            self.rescale_hidden(&mut h);
            self.h = h;
        }
        if let Some(offsets) = self.offsets.as_mut().filter(|offsets| !offsets.hidden.is_empty()) {
            let factors = self.rescaled.iter().flat_map(|row| row.0);
            offsets.hidden.iter_mut().zip(factors).for_each(|(offset, factor)| *offset *= factor);
        }
    }

    /// Brings hidden states that were kept before the last step to the unit of measure of the hidden units after it.
    pub fn rescale_hidden(&self, h: &mut Batch) {
        if let Batch::Real { units, values, .. } = h {
            for row in values.chunks_exact_mut((*units).max(1)) {
                for (chunk, factors) in row.chunks_mut(BLOCK).zip(&self.rescaled) {
                    chunk.iter_mut().zip(&factors.0).for_each(|(h, factor)| *h *= factor);
                }
            }
        }
    }

    /// The largest parameter, from that of the weights as bits; linear fields in units of the noise.
    fn largest_of(&self, weight: u32) -> f32 {
        let mut largest = [0; BLOCK];
        for fields in self.visible.fields.iter().chain(&self.hidden.fields) {
            // In the unit of the unit's noise: a ReLU unit whose weights a cost takes away is one of large precision.
            let noises = |b: &Row, log_g: &Row| {
                if *log_g == ZERO {
                    return *b;
                }
                Row(std::array::from_fn(|i| b.0[i] * libm::expf(-0.5 * log_g.0[i]).min(1.0)))
            };
            let (b, below) = (noises(&fields.b, &fields.log_g), noises(&fields.b_below, &fields.log_g_below));
            for row in [&b, &fields.log_g, &below, &fields.log_g_below] {
                magnitude(&row.0, &mut largest);
            }
        }
        f32::from_bits(largest.into_iter().fold(weight, u32::max))
    }
}

/// Steps fields, which bear no weight cost.
pub(crate) fn step_fields(
    rule: &StepRule,
    scale: f32,
    own: &Row,
    learned: &Moments,
    gradient: &Moments,
    velocity: &mut Moments,
    fields: &mut Moments,
) {
    let linear = |gradient: &Row| Row(std::array::from_fn(|i| own.0[i] * gradient.0[i]));
    let marked = |gradient: &Row, learned: &Row| Row(std::array::from_fn(|i| learned.0[i] * gradient.0[i]));
    rule.step_bias(scale, &linear(&gradient.b), &mut velocity.b, &mut fields.b);
    let log_g = marked(&gradient.log_g, &learned.log_g);
    rule.step_bias(scale, &log_g, &mut velocity.log_g, &mut fields.log_g);
    let b_below = marked(&gradient.b_below, &learned.b_below);
    rule.step_bias(scale, &b_below, &mut velocity.b_below, &mut fields.b_below);
    let log_g_below = marked(&gradient.log_g_below, &learned.log_g_below);
    rule.step_bias(scale, &log_g_below, &mut velocity.log_g_below, &mut fields.log_g_below);
}

/// Steps fields by Adam, which bear no weight cost.
fn fields_by_adam(
    adam: &AdamStep,
    share: f32,
    own: &Row,
    learned: &Moments,
    gradient: &Moments,
    m: &mut Moments,
    s: &mut Moments,
    fields: &mut Moments,
) {
    let times = |gradient: &Row, factors: &Row| Row(std::array::from_fn(|i| factors.0[i] * gradient.0[i]));
    adam.step_field(share, &times(&gradient.b, own), &mut m.b, &mut s.b, &mut fields.b);
    let log_g = times(&gradient.log_g, &learned.log_g);
    adam.step_field(share, &log_g, &mut m.log_g, &mut s.log_g, &mut fields.log_g);
    let below = times(&gradient.b_below, &learned.b_below);
    adam.step_field(share, &below, &mut m.b_below, &mut s.b_below, &mut fields.b_below);
    let below = times(&gradient.log_g_below, &learned.log_g_below);
    adam.step_field(share, &below, &mut m.log_g_below, &mut s.log_g_below, &mut fields.log_g_below);
}

/// Adds an input in bits to the linear fields of hidden units: both of those of dReLU units.
fn add_to_inputs(sign: f32, input: &Row, scale: &Row, learned: &Moments, fields: &mut Moments) {
    for i in 0..BLOCK {
        let step = sign * input.0[i] / scale.0[i];
        fields.b.0[i] += step;
        fields.b_below.0[i] += learned.b_below.0[i] * step;
    }
}

dispatch! {
    fn step_plainly(rule: &StepRule, scale: f32, gradient: &[Row], velocity: &mut [Row], weights: &mut [Row]) {
        for ((gradient, velocity), w) in gradient.iter().zip(velocity).zip(weights) {
            rule.step_weights(scale, &gradient.0, velocity, w);
        }
    }
}

dispatch! {
    fn step_centred(
        rule: &StepRule, scale: f32, costs: &Costs, rows: &OfRows, lanes: &OfLanes<'_>, gradient: &[Row],
        velocity: &mut [Row], weights: &mut [Row],
    ) {
        for (row, ((gradient, velocity), w)) in gradient.iter().zip(velocity).zip(weights).enumerate() {
            let step = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                let cost = costs.pull(i, rows.scale[row] * lanes.scale.0[i], w.0[i]);
                velocity.0[i] = rule.momentum * velocity.0[i] + scale * step[i] - rule.learning_rate * cost;
                w.0[i] += velocity.0[i];
            }
        }
    }
}

dispatch! {
    /// What a step of weights makes of the offsets: of the visible ones returned, of the hidden ones a number a row.
    fn of_offsets(mu: &[f32], lambda: &Row, step: &[Row], shifts: &mut [f32]) -> Row {
        let mut taken = ZERO;
        for ((step, mu), shift) in step.iter().zip(mu).zip(shifts) {
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                taken.0[i] += mu * step.0[i];
                terms[i] = step.0[i] * lambda.0[i];
            }
            *shift = terms.iter().sum();
        }
        taken
    }
}

dispatch! {
    fn largest_weight(weights: &[Row], rows: &[f32], lanes: &Row) -> u32 {
        let (mut largest, mut inverse) = ([0; BLOCK], ZERO);
        for i in 0..BLOCK {
            inverse.0[i] = 1.0 / lanes.0[i];
        }
        for (w, scale) in weights.iter().zip(rows) {
            let (mut own, of_row) = (w.0, 1.0 / scale);
            for i in 0..BLOCK {
                own[i] *= of_row * inverse.0[i];
            }
            magnitude(&own, &mut largest);
        }
        largest.iter().fold(0, |a, &b| a.max(b))
    }
}
