//! Units at inverse temperatures: states, and what they add to ratios of probabilities.

use crate::rng::Uniforms;
use crate::row::{BLOCK, Row};
use crate::simd::dispatch;
use crate::states::bits::unpack_word;
use crate::units::math::{bernoulli_logit, softplus_step};

dispatch! {
    /// One word of states a chain, on with probability `sigmoid(offset + beta (x + bias))`, drawn
    /// from row `first + s` of the uniforms.
    pub(crate) fn tempered_states(
        x: &[Row], bias: &Row, offset: &Row, beta: &[f32], draw: Uniforms, first: usize, block: usize,
        states: &mut [u32],
    ) {
        draw.rows(first, block, x.len(), #[inline(always)] |s, u| {
            let mut logits = [0.0; BLOCK];
            for i in 0..BLOCK {
                logits[i] = offset.0[i] + beta[s] * (x[s].0[i] + bias.0[i]);
            }
            states[s] = bernoulli_logit(&logits, u);
        });
    }
}

dispatch! {
    /// `sums[s] = sum over the units of softplus(offset + to (x + bias)) - softplus(offset + from (x + bias))`.
    pub(crate) fn log_ratios(
        x: &[Row], bias: &Row, offset: &Row, units: usize, from: &[f32], to: &[f32], sums: &mut [f64],
    ) {
        for (s, (x, sum)) in x.iter().zip(sums).enumerate() {
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                terms[i] = x.0[i] + bias.0[i];
            }
            softplus_step(&mut terms, &offset.0, from[s], to[s]);
            *sum = terms[..units].iter().map(|&t| f64::from(t)).sum();
        }
    }
}

dispatch! {
    /// `sums[s] = slope · v` of one block of units.
    pub(crate) fn linear(words: &[u32], slope: &Row, sums: &mut [f64]) {
        for (&word, sum) in words.iter().zip(sums) {
            let states = unpack_word(word);
            let mut terms = [0.0; BLOCK];
            for i in 0..BLOCK {
                terms[i] = f64::from(states.0[i] * slope.0[i]);
            }
            *sum = terms.iter().sum();
        }
    }
}
