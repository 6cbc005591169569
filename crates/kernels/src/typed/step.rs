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
//! which is the step of the weights W of the units as they are. Fields step along their own statistics. Where offsets
//! follow the means, they also lose what the step of the weights makes of the offsets, as in
//! [`crate::PackedRbm::step`].

use super::gauges;
use super::gradient::TypedStatistics;
use super::layer::Layer;
use super::machine::TypedRbm;
use crate::learning::contrast::Sparsity;
use crate::learning::parameters::Offsets;
use crate::learning::update::{StepRule, magnitude};
use crate::products::panels::pack_rows;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::batch::Batch;
use crate::units::conditional::Moments;
use rayon::prelude::*;

/// The root mean square of a mean gradient with real units beyond which it is scaled down.
const MOST_GRADIENT: f64 = 1.0;

/// What the rows of all panels have in common: numbers of the visible units.
pub(crate) struct OfRows {
    /// s.
    scale: Vec<f32>,
    /// Offsets in bits, and those of the units as they are over s: what a step takes from the fields.
    mu: Vec<f32>,
    kept: Vec<f32>,
    /// Gradients of the biases in bits.
    v: Vec<f32>,
}

/// The same of a panel's 32 hidden units.
pub(crate) struct OfLanes<'a> {
    scale: Row,
    lambda: Row,
    kept: Row,
    h: &'a Row,
}

impl TypedRbm {
    /// [`Self::statistics`] and [`Self::step`]. Returns the largest |weight| or |field| afterwards: NaN if one is NaN.
    pub fn update(&mut self, v0: &Batch, rule: &StepRule, sparsity: Sparsity) -> f32 {
        let mut gradient = std::mem::take(&mut self.statistics);
        self.statistics(v0, sparsity, &mut gradient);
        let largest = self.step(&gradient, rule);
        self.statistics = gradient;
        largest
    }

    /// The same with hidden states in the place of means: `h0`, drawn for the data by the positive phase, and those of
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
        let plain = !moved && !self.visible.spins && !self.hidden.spins;
        let Self { visible, hidden, rec, velocity, rescaled, .. } = self;
        let sites = &visible.sites;
        let mut shifts = vec![0.0; if moved { height * lanes.len() } else { 0 }];
        let mut of_panels: Vec<&mut [f32]> = shifts.chunks_mut(height).collect();
        of_panels.resize_with(lanes.len(), Default::default);
        let Layer { fields, velocity: speeds, learned, panels, precisions, .. } = hidden;
        let largest = rec
            .panels_mut()
            .zip(velocity.panels_mut())
            .zip(fields.par_iter_mut().zip(speeds))
            .zip(of_panels)
            .zip(rescaled)
            .enumerate()
            .with_max_len(1)
            .map(|(at, ((((w, velocity), (fields, speeds)), shifts), rescaled))| {
                let (learned, lanes) = (&learned[at], &lanes[at]);
                if plain {
                    step_plainly(level, rule, scale, gradient.w.panel(at), velocity, w);
                } else {
                    step_centred(level, rule, scale, &rows, lanes, gradient.w.panel(at), velocity, w);
                }
                step_fields(rule, scale, &lanes.scale, learned, &gradient.hidden[at], speeds, fields);
                if moved {
                    let taken = of_offsets(level, &rows.kept, &lanes.kept, velocity, shifts);
                    add_to_inputs(-1.0, &taken, &lanes.scale, learned, fields);
                }
                if !sites.is_empty() {
                    let moved = gauges::zero_sums(level, sites, w);
                    add_to_inputs(1.0, &moved, &lanes.scale, learned, fields);
                }
                if panels[at].learns_moments() {
                    *rescaled = gauges::unit_norms(level, learned, &rows.scale, w, velocity, fields, speeds);
                    gauges::bound_precisions(learned, *precisions, fields);
                }
                largest_weight(level, w, &rows.scale, &lanes.scale)
            })
            .reduce(|| 0, u32::max);
        self.step_visible(rule, scale, gradient, &shifts);
        self.follow_scale();
        self.refresh();
        self.largest_of(largest)
    }

    /// Steps the visible fields, of which the panels of hidden units take `shifts`.
    fn step_visible(&mut self, rule: &StepRule, scale: f32, gradient: &TypedStatistics, shifts: &[f32]) {
        let layer = &mut self.visible;
        for (at, fields) in layer.fields.iter_mut().enumerate() {
            let (own, learned) = (&layer.scale[at], &layer.learned[at]);
            step_fields(rule, scale, own, learned, &gradient.visible[at], &mut layer.velocity[at], fields);
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

    /// The largest parameter, from that of the weights as bits.
    fn largest_of(&self, weight: u32) -> f32 {
        let mut largest = [0; BLOCK];
        for fields in self.visible.fields.iter().chain(&self.hidden.fields) {
            for row in [&fields.b, &fields.log_g, &fields.b_below, &fields.log_g_below] {
                magnitude(&row.0, &mut largest);
            }
        }
        f32::from_bits(largest.into_iter().fold(weight, u32::max))
    }

    pub(crate) fn of_rows(&self, gradient: &TypedStatistics, offsets: &Offsets) -> OfRows {
        let (layer, height) = (&self.visible, self.rec.height());
        assert!([0, layer.columns].contains(&offsets.visible.len()), "an offset a visible column");
        assert_eq!(
            (gradient.w.height(), gradient.visible.len()),
            (height, layer.panels.len()),
            "a gradient of this RBM"
        );
        let each = |rows: &dyn Fn(usize) -> Row, rest: f32| {
            let mut values: Vec<f32> = (0..layer.panels.len()).flat_map(|at| rows(at).0).collect();
            values.resize(height, rest);
            values
        };
        let (mu, kept) = (layer.in_bits(&offsets.visible), padded(&offsets.visible, layer));
        OfRows {
            scale: each(&|at| layer.scale[at], 1.0),
            mu: each(&|at| mu[at], 0.0),
            kept: each(&|at| over(&kept[at], &layer.scale[at]), 0.0),
            v: each(&|at| gradient.visible[at].b, 0.0),
        }
    }

    pub(crate) fn of_lanes<'a>(&self, gradient: &'a TypedStatistics, offsets: &Offsets) -> Vec<OfLanes<'a>> {
        let layer = &self.hidden;
        assert!([0, layer.columns].contains(&offsets.hidden.len()), "an offset a hidden column");
        assert_eq!(gradient.h.len(), layer.panels.len(), "a gradient of this RBM");
        let (lambda, kept) = (layer.in_bits(&offsets.hidden), padded(&offsets.hidden, layer));
        let each = lambda.into_iter().zip(kept).enumerate();
        let lanes = each.map(|(at, (lambda, kept))| {
            let scale = layer.scale[at];
            OfLanes { scale, lambda, kept: over(&kept, &scale), h: &gradient.h[at] }
        });
        lanes.collect()
    }

    /// What a gradient is multiplied by so that the root mean square of its mean over the samples is at most 1, if
    /// some units are real: 1 for most.
    pub(crate) fn shortened(&self, gradient: &TypedStatistics, rows: &OfRows, lanes: &[OfLanes<'_>]) -> f32 {
        if self.visible.discrete && self.hidden.discrete {
            return 1.0;
        }
        let level = self.level;
        // Each panel is summed by one task, and the panels in order: threads change nothing.
        let squares: Vec<f64> = lanes
            .par_iter()
            .enumerate()
            .with_max_len(1)
            .map(|(at, lanes)| gradient_squares(level, rows, lanes, gradient.w.panel(at)))
            .collect();
        let fields = |layer: &Layer, gradient: &[Moments]| {
            let each = gradient.iter().zip(&layer.learned).zip(&layer.scale);
            each.map(|((gradient, learned), scale)| field_squares(gradient, learned, scale)).sum::<f64>()
        };
        let samples = gradient.samples.max(1) as f64;
        let sum = squares.iter().sum::<f64>()
            + fields(&self.visible, &gradient.visible)
            + fields(&self.hidden, &gradient.hidden);
        let count = (self.visible.columns * self.hidden.columns + self.visible.columns + self.hidden.columns) as f64;
        let size = libm::sqrt(sum / count) / samples;
        if size > MOST_GRADIENT { (MOST_GRADIENT / size) as f32 } else { 1.0 }
    }
}

fn padded(values: &[f32], layer: &Layer) -> Vec<Row> {
    let mut rows = pack_rows(values, 0.0);
    rows.resize(layer.panels.len(), ZERO);
    rows
}

fn over(values: &Row, scale: &Row) -> Row {
    Row(std::array::from_fn(|i| values.0[i] / scale.0[i]))
}

/// The squares of a gradient of fields as the units have them, added up.
fn field_squares(gradient: &Moments, learned: &Moments, scale: &Row) -> f64 {
    let mut sum = 0.0;
    for i in 0..BLOCK {
        for part in [
            scale.0[i] * gradient.b.0[i],
            learned.log_g.0[i] * gradient.log_g.0[i],
            learned.b_below.0[i] * gradient.b_below.0[i],
            learned.log_g_below.0[i] * gradient.log_g_below.0[i],
        ] {
            sum += f64::from(part) * f64::from(part);
        }
    }
    sum
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

/// Adds an input in bits to the linear fields of hidden units: both of those of dReLU units.
fn add_to_inputs(sign: f32, input: &Row, scale: &Row, learned: &Moments, fields: &mut Moments) {
    for i in 0..BLOCK {
        let step = sign * input.0[i] / scale.0[i];
        fields.b.0[i] += step;
        fields.b_below.0[i] += learned.b_below.0[i] * step;
    }
}

/// The centred gradient of one row of weights as the units have them, times `s_i s_u`.
#[inline(always)]
pub(crate) fn centred(rows: &OfRows, row: usize, lanes: &OfLanes<'_>, gradient: &Row) -> [f32; BLOCK] {
    let (mu, v, scale) = (rows.mu[row], rows.v[row], rows.scale[row]);
    let mut out = gradient.0;
    for i in 0..BLOCK {
        let factor = scale * lanes.scale.0[i];
        out[i] = factor * factor * (out[i] - (mu * lanes.h.0[i] + v * lanes.lambda.0[i]));
    }
    out
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
        rule: &StepRule, scale: f32, rows: &OfRows, lanes: &OfLanes<'_>, gradient: &[Row], velocity: &mut [Row],
        weights: &mut [Row],
    ) {
        for (row, ((gradient, velocity), w)) in gradient.iter().zip(velocity).zip(weights).enumerate() {
            let step = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                let sign = if w.0[i] == 0.0 { 0.0 } else { w.0[i].signum() };
                let cost = rule.l2 * w.0[i] + rule.l1 * rows.scale[row] * lanes.scale.0[i] * sign;
                velocity.0[i] = rule.momentum * velocity.0[i] + scale * step[i] - rule.learning_rate * cost;
                w.0[i] += velocity.0[i];
            }
        }
    }
}

dispatch! {
    fn gradient_squares(rows: &OfRows, lanes: &OfLanes<'_>, gradient: &[Row]) -> f64 {
        let mut sums = [0.0_f64; BLOCK];
        for (row, gradient) in gradient.iter().enumerate() {
            let step = centred(rows, row, lanes, gradient);
            for i in 0..BLOCK {
                let own = f64::from(step[i] / (rows.scale[row] * lanes.scale.0[i]));
                sums[i] += own * own;
            }
        }
        sums.iter().sum()
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
