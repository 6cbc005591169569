//! The gradient of a panel of weights and the step along it, in one pass over the panel.
//!
//! With `g = v0ᵀ h0 - vkᵀ hk` summed over the batch, rate η, momentum α and weight costs λ₂,
//! λ₁, per weight:
//!
//! ```text
//! velocity <- α velocity + η (g / n - λ₂ w - λ₁ sign(w))
//! w        <- w + velocity
//! ```

use crate::products::product::{add_rows, add_scaled_rows};
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::bits::unpack_word;
use crate::states::unit_lists::{BlockLists, UnitLists};
use crate::units::math::sigmoid;

/// How weights follow their gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRule {
    /// Step size per mean gradient.
    pub learning_rate: f32,
    /// Share of the previous step that is kept.
    pub momentum: f32,
    /// L2 cost: weights shrink by `learning_rate * l2` of themselves a step.
    pub l2: f32,
    /// L1 cost: weights shrink by `learning_rate * l1` a step.
    pub l1: f32,
}

impl StepRule {
    /// The step size of a gradient that is summed over so many samples.
    pub(crate) fn scale(&self, samples: usize) -> f32 {
        self.learning_rate / samples.max(1) as f32
    }

    fn is_plain(&self) -> bool {
        self.momentum == 0.0 && self.l2 == 0.0 && self.l1 == 0.0
    }

    /// One weight's new velocity. `L1` says whether that cost is on: its sign is worth leaving out.
    #[inline(always)]
    fn velocity<const L1: bool>(&self, velocity: f32, w: f32, gradient: f32, scale: f32) -> f32 {
        let mut cost = self.l2 * w;
        if L1 {
            let sign = if w == 0.0 { 0.0 } else { w.signum() };
            cost += self.l1 * sign;
        }
        self.momentum * velocity + scale * gradient - self.learning_rate * cost
    }

    /// Steps 32 weights along their summed gradient.
    #[inline(always)]
    pub(crate) fn step_weights(&self, scale: f32, gradient: &[f32; BLOCK], velocity: &mut Row, w: &mut Row) {
        if self.l1 == 0.0 {
            for i in 0..BLOCK {
                velocity.0[i] = self.velocity::<false>(velocity.0[i], w.0[i], gradient[i], scale);
                w.0[i] += velocity.0[i];
            }
        } else {
            for i in 0..BLOCK {
                velocity.0[i] = self.velocity::<true>(velocity.0[i], w.0[i], gradient[i], scale);
                w.0[i] += velocity.0[i];
            }
        }
    }

    /// Steps biases, which bear no weight cost.
    pub(crate) fn step_bias(&self, scale: f32, gradient: &Row, velocity: &mut Row, bias: &mut Row) {
        for i in 0..BLOCK {
            let step = self.momentum * velocity.0[i] + scale * gradient.0[i];
            velocity.0[i] = step;
            bias.0[i] += step;
        }
    }
}

/// The largest magnitude among values, as the bits of its absolute value: integers order like
/// the magnitudes, and NaN comes out above everything.
#[inline(always)]
pub(crate) fn magnitude(row: &[f32; BLOCK], largest: &mut [u32; BLOCK]) {
    for (largest, x) in largest.iter_mut().zip(row) {
        *largest = (*largest).max(x.abs().to_bits());
    }
}

/// The same over rows of biases, whose padding is minus infinity on purpose.
pub(crate) fn largest_bias<'a>(biases: impl Iterator<Item = &'a Row>) -> u32 {
    let mut largest = [0; BLOCK];
    for row in biases {
        magnitude(&row.0.map(|b| if b == f32::NEG_INFINITY { 0.0 } else { b }), &mut largest);
    }
    largest.into_iter().fold(0, u32::max)
}

/// `sums += factor *` the column sums of row-major values [samples, units].
pub(crate) fn add_columns(values: &[f32], units: usize, factor: f32, sums: &mut [Row]) {
    for row in values.chunks_exact(units.max(1)) {
        for (chunk, sums) in row.chunks(BLOCK).zip(sums.iter_mut()) {
            for (x, sum) in chunk.iter().zip(&mut sums.0) {
                *sum += factor * x;
            }
        }
    }
}

/// `sum +=` what a chunk's table gives a unit.
#[inline(always)]
fn add_contributions(table: &[Row], lists: BlockLists<'_>, unit: usize, sum: &mut [f32; BLOCK]) {
    let list = lists.list(unit);
    match lists.factors(unit) {
        None => add_rows(table, list, sum),
        Some(factors) => add_scaled_rows(table, list.exact(), |at, _| factors[at], sum),
    }
}

dispatch! {
    /// `gradient[i] = ` the listed table rows of unit i, and zeros in rows beyond the units.
    pub(crate) fn collect(table: &[Row], lists: &UnitLists, chunk: usize, gradient: &mut [Row]) {
        let (units, rest) = gradient.split_at_mut(gradient.len().min(BLOCK * lists.blocks()));
        rest.fill(ZERO);
        for (block, gradient) in units.chunks_mut(BLOCK).enumerate() {
            let lists = lists.block(block, chunk);
            for (unit, gradient) in gradient.iter_mut().enumerate() {
                let mut sum = ZERO.0;
                add_contributions(table, lists, unit, &mut sum);
                gradient.0 = sum;
            }
        }
    }
}

dispatch! {
    /// `gradient[i] += ` the listed table rows of unit i.
    pub(crate) fn accumulate(table: &[Row], lists: &UnitLists, chunk: usize, gradient: &mut [Row]) {
        for (block, gradient) in gradient.chunks_mut(BLOCK).take(lists.blocks()).enumerate() {
            let lists = lists.block(block, chunk);
            for (unit, gradient) in gradient.iter_mut().enumerate() {
                add_contributions(table, lists, unit, &mut gradient.0);
            }
        }
    }
}

dispatch! {
    /// Adds the last chunk's contributions to the gradient gathered so far (none if
    /// `gradient` is empty) and steps a panel's weights. Returns the largest |weight| as bits.
    pub(crate) fn step(
        rule: &StepRule, scale: f32, table: &[Row], lists: &UnitLists, chunk: usize, gradient: &[Row],
        velocity: &mut [Row], weights: &mut [Row],
    ) -> u32 {
        if rule.is_plain() {
            step_units::<true>(rule, scale, table, lists, chunk, gradient, velocity, weights)
        } else {
            step_units::<false>(rule, scale, table, lists, chunk, gradient, velocity, weights)
        }
    }
}

/// [`step`] for rules that are plain or not.
#[inline(always)]
fn step_units<const PLAIN: bool>(
    rule: &StepRule,
    scale: f32,
    table: &[Row],
    lists: &UnitLists,
    chunk: usize,
    gradient: &[Row],
    velocity: &mut [Row],
    weights: &mut [Row],
) -> u32 {
    let mut largest = [0; BLOCK];
    for block in 0..lists.blocks() {
        let lists = lists.block(block, chunk);
        for unit in 0..BLOCK {
            // A pixel that was never on moves nothing but through momentum and costs.
            if PLAIN && gradient.is_empty() && lists.list(unit).is_empty() {
                continue;
            }
            let row = block * BLOCK + unit;
            let mut sum = gradient.get(row).unwrap_or(&ZERO).0;
            add_contributions(table, lists, unit, &mut sum);
            let w = &mut weights[row];
            if PLAIN {
                for i in 0..BLOCK {
                    w.0[i] += scale * sum[i];
                }
            } else {
                rule.step_weights(scale, &sum, &mut velocity[row], w);
            }
            magnitude(&w.0, &mut largest);
        }
    }
    largest.iter().fold(0, |a, &b| a.max(b))
}

dispatch! {
    /// Steps weights along a gradient that is already summed. Returns the largest |weight| as
    /// bits.
    pub(crate) fn apply(
        rule: &StepRule, scale: f32, gradient: &[Row], velocity: &mut [Row], weights: &mut [Row],
    ) -> u32 {
        let mut largest = [0; BLOCK];
        for ((gradient, velocity), w) in gradient.iter().zip(velocity).zip(weights) {
            rule.step_weights(scale, &gradient.0, velocity, w);
            magnitude(&w.0, &mut largest);
        }
        largest.iter().fold(0, |a, &b| a.max(b))
    }
}

dispatch! {
    /// Fills a chunk's table of contributions, `[p0 - pull; -r pk; both]` in three sets of
    /// `size` rows, with `pk = sigmoid(x + bias)`, and adds their sums to the bias gradient.
    pub(crate) fn contrast(
        p0: &[Row], x: &[Row], bias: &Row, pull: &Row, r: f32, size: usize, table: &mut [Row],
        bias_gradient: &mut Row,
    ) {
        let mut sum = bias_gradient.0;
        let (positive, rest) = table.split_at_mut(size);
        let (negative, both) = rest.split_at_mut(size);
        for (p0, positive) in p0.iter().zip(positive.iter_mut()) {
            for i in 0..BLOCK {
                positive.0[i] = p0.0[i] - pull.0[i];
                sum[i] += positive.0[i];
            }
        }
        for (x, negative) in x.iter().zip(negative.iter_mut()) {
            let mut logits = x.0;
            for i in 0..BLOCK {
                logits[i] += bias.0[i];
            }
            let pk = sigmoid(&logits);
            for i in 0..BLOCK {
                negative.0[i] = -(r * pk[i]);
                sum[i] += negative.0[i];
            }
        }
        let paired = p0.len().min(x.len());
        for ((both, positive), negative) in both[..paired].iter_mut().zip(positive).zip(negative) {
            for i in 0..BLOCK {
                both.0[i] = positive.0[i] + negative.0[i];
            }
        }
        bias_gradient.0 = sum;
    }
}

dispatch! {
    /// The same table from hidden states, a word a sample: `[h0; -r hk; both]`.
    pub(crate) fn contrast_states(
        h0: &[u32], hk: &[u32], r: f32, size: usize, table: &mut [Row], bias_gradient: &mut Row,
    ) {
        let mut sum = bias_gradient.0;
        let (positive, rest) = table.split_at_mut(size);
        let (negative, both) = rest.split_at_mut(size);
        for (&word, positive) in h0.iter().zip(positive.iter_mut()) {
            *positive = unpack_word(word);
            for i in 0..BLOCK {
                sum[i] += positive.0[i];
            }
        }
        for (&word, negative) in hk.iter().zip(negative.iter_mut()) {
            let h = unpack_word(word);
            for i in 0..BLOCK {
                negative.0[i] = -(r * h.0[i]);
                sum[i] += negative.0[i];
            }
        }
        let paired = h0.len().min(hk.len());
        for ((both, positive), negative) in both[..paired].iter_mut().zip(positive).zip(negative) {
            for i in 0..BLOCK {
                both.0[i] = positive.0[i] + negative.0[i];
            }
        }
        bias_gradient.0 = sum;
    }
}
