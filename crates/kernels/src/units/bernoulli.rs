//! What a layer of Bernoulli units does with the products that arrive: probabilities, states,
//! free-energy terms.

use crate::rng::Uniforms;
use crate::row::{BLOCK, Row};
use crate::simd::{dispatch, row_by_row};
use crate::units::fields::{FieldRow, Moments, NO_MOMENTS, each};
use crate::units::math::{bernoulli, bernoulli_logit, sigmoid, softplus};
use crate::units::unit::Unit;

#[inline(always)]
fn plus(x: &Row, bias: &Row) -> [f32; BLOCK] {
    let mut sum = x.0;
    for (sum, &b) in sum.iter_mut().zip(&bias.0) {
        *sum += b;
    }
    sum
}

dispatch! {
    /// `p = sigmoid(x + bias)`.
    pub(crate) fn probabilities(x: &[Row], bias: &Row, p: &mut [Row]) {
        for (x, p) in x.iter().zip(p) {
            p.0 = sigmoid(&plus(x, bias));
        }
    }
}

dispatch! {
    /// `p = sigmoid(x + bias)` and one word of states a sample, drawn with probability p from
    /// row `first + s` of the uniforms.
    pub(crate) fn probabilities_and_states(
        x: &[Row], bias: &Row, draw: Uniforms, first: usize, block: usize, p: &mut [Row],
        states: &mut [u32],
    ) {
        draw.rows(first, block, x.len(), #[inline(always)] |s, u| {
            p[s].0 = sigmoid(&plus(&x[s], bias));
            states[s] = bernoulli(&p[s].0, u);
        });
    }
}

dispatch! {
    /// One word of states a sample, on with probability `sigmoid(x + bias)`, drawn from row
    /// `first + s` of the uniforms.
    pub(crate) fn states(x: &[Row], bias: &Row, draw: Uniforms, first: usize, block: usize, states: &mut [u32]) {
        draw.rows(first, block, x.len(), #[inline(always)] |s, u| states[s] = bernoulli_logit(&plus(&x[s], bias), u));
    }
}

dispatch! {
    /// `x` becomes `target - sigmoid(x + bias)`, whose sum over the samples is added to `sum`.
    pub(crate) fn errors(x: &mut [Row], bias: &Row, target: &[Row], sum: &mut Row) {
        for (x, target) in x.iter_mut().zip(target) {
            let p = sigmoid(&plus(x, bias));
            for i in 0..BLOCK {
                x.0[i] = target.0[i] - p[i];
                sum.0[i] += x.0[i];
            }
        }
    }
}

dispatch! {
    /// `sums[s] += sum over the units of softplus(x + bias)`. Padding units, whose bias is
    /// minus infinity, add nothing.
    pub(crate) fn softplus_sums(x: &[Row], bias: &Row, sums: &mut [f64]) {
        for (x, sum) in x.iter().zip(sums) {
            let mut terms = plus(x, bias);
            for term in &mut terms {
                *term = softplus(*term);
            }
            *sum += terms.iter().map(|&t| f64::from(t)).sum::<f64>();
        }
    }
}

dispatch! {
    /// `sums[s] += sum over the units of softplus(x + bias) - v (x + bias)`: the cross-entropy
    /// in nats between states v and probabilities sigmoid(x + bias).
    pub(crate) fn cross_entropies(x: &[Row], bias: &Row, v: &[Row], sums: &mut [f64]) {
        for ((x, v), sum) in x.iter().zip(v).zip(sums) {
            let logits = plus(x, bias);
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                // v is 0 in padding, where the logit is minus infinity: 0 * inf must not be met.
                let linear = if v.0[i] == 0.0 { 0.0 } else { v.0[i] * logits[i] };
                terms[i] = softplus(logits[i]) - linear;
            }
            *sum += terms.iter().map(|&t| f64::from(t)).sum::<f64>();
        }
    }
}

dispatch! {
    /// `sums[s] += sum over the units of v bias`; units that are off, padding among them, add
    /// nothing.
    pub(crate) fn dot_products(v: &[Row], bias: &Row, sums: &mut [f64]) {
        for (v, sum) in v.iter().zip(sums) {
            row_by_row();
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                terms[i] = if v.0[i] == 0.0 { 0.0 } else { v.0[i] * bias.0[i] };
            }
            *sum += terms.iter().map(|&t| f64::from(t)).sum::<f64>();
        }
    }
}

dispatch! {
    /// One row-major sample: `p = sigmoid(x + bias)` and 0/1 states drawn from it.
    pub(crate) fn bernoulli_row(
        x: &[f32], bias: &[f32], draw: Uniforms, row: usize, p: &mut [f32], states: &mut [f32],
    ) {
        let blocks = x.chunks(BLOCK).zip(bias.chunks(BLOCK)).zip(p.chunks_mut(BLOCK)).zip(states.chunks_mut(BLOCK));
        for (block, (((x, bias), p), states)) in blocks.enumerate() {
            let mut logits = [0.0; BLOCK];
            for ((logit, x), bias) in logits.iter_mut().zip(x).zip(bias) {
                *logit = x + bias;
            }
            let (probabilities, u) = (sigmoid(&logits), draw.block(row as u32, block as u32));
            for i in 0..p.len() {
                p[i] = probabilities[i];
                states[i] = f32::from(u8::from(u[i] < probabilities[i]));
            }
        }
    }
}

/// Up to 32 values, filled up with `rest`.
#[inline(always)]
fn padded(values: &[f32], rest: f32) -> [f32; BLOCK] {
    let mut block = [rest; BLOCK];
    block[..values.len()].copy_from_slice(values);
    block
}

#[inline(always)]
fn add_softplus(sums: &mut [f32; BLOCK], x: &[f32; BLOCK], bias: &[f32; BLOCK], w: &[f32; BLOCK]) {
    for i in 0..BLOCK {
        sums[i] += softplus(x[i] + bias[i] + w[i]);
    }
}

dispatch! {
    /// One row-major sample: `sums[c] = sum over the units of softplus(x + bias + w_c)` for `w`
    /// [classes, units].
    pub(crate) fn softplus_sums_row(x: &[f32], bias: &[f32], w: &[f32], sums: &mut [f32]) {
        let ((blocks, x_rest), (biases, bias_rest)) = (x.as_chunks(), bias.as_chunks());
        // Units beyond the last one are never on and add nothing.
        let (x_rest, bias_rest) = (padded(x_rest, f32::NEG_INFINITY), padded(bias_rest, 0.0));
        for (w, sum) in w.chunks_exact(x.len().max(1)).zip(sums) {
            let (w, w_rest) = w.as_chunks();
            let mut lanes = [0.0; BLOCK];
            for ((x, bias), w) in blocks.iter().zip(biases).zip(w) {
                add_softplus(&mut lanes, x, bias, w);
            }
            add_softplus(&mut lanes, &x_rest, &bias_rest, &padded(w_rest, 0.0));
            *sum = lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>() as f32;
        }
    }
}

/// 32 of them, with states that are the numbers 0 and 1.
pub(crate) struct Bernoulli {
    b: Row,
}

impl Unit for Bernoulli {
    #[inline(always)]
    fn new(f: &FieldRow) -> Self {
        Self { b: f.b }
    }

    #[inline(always)]
    fn mean(&self, x: &Row) -> Row {
        Row(sigmoid(&plus(x, &self.b)))
    }

    #[inline(always)]
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row) {
        let p = self.mean(x);
        (p, each(|i| f32::from_bits(u32::from(u[i] < p.0[i]) * 1.0_f32.to_bits())))
    }

    #[inline(always)]
    fn cgf(&self, x: &Row) -> Row {
        let t = plus(x, &self.b);
        each(|i| softplus(t[i]))
    }

    /// Padding units, whose bias is minus infinity, are off and add nothing.
    #[inline(always)]
    fn energy(&self, h: &Row) -> Row {
        each(|i| if h.0[i] == 0.0 { 0.0 } else { -self.b.0[i] * h.0[i] })
    }

    #[inline(always)]
    fn observed(&self, h: &Row) -> Moments {
        Moments { b: *h, ..NO_MOMENTS }
    }

    #[inline(always)]
    fn expected(&self, x: &Row) -> Moments {
        Moments { b: self.mean(x), ..NO_MOMENTS }
    }
}
