//! Sums over all states of a layer of units, as exact partition functions need them.
//!
//! ```text
//! ln sum over s in {0,1}^n of exp(b·s + sum over j of softplus(c_j + (s W)_j) + ln sum over y of exp(d_y + (s U)_y))
//! ```
//!
//! is ln Z of an RBM when s are its hidden units, c the visible biases and (d, U) its label group;
//! or, without the last term, when s are its visible units and c the hidden biases. States follow
//! each other in the order of a Gray code: each differs from the one before in one unit, so that its
//! inputs cost one row of W.

use crate::products::panels::{Panels, pack_bias};
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{Level, dispatch};
use crate::units::math::softplus;
use rayon::prelude::*;

/// Units whose states one task goes through: the others' states are its number. Short, so that
/// rounding does not pile up along the way.
const WALK: usize = 10;

/// The side that is summed over in closed form, given states of the other one.
#[derive(Clone, Copy, Debug)]
pub struct Conditionals<'a> {
    /// W, row-major [n, units].
    pub w: &'a [f32],
    /// c, one a unit.
    pub bias: &'a [f32],
    /// U, row-major [n, classes]; empty without a label group.
    pub label_w: &'a [f32],
    /// d, one a class.
    pub label_bias: &'a [f32],
}

/// The sum of the module's formula over the states of units with biases `b`, in nats. Runs in the
/// caller's rayon pool; the result does not depend on the number of threads.
///
/// # Panics
/// If the lengths do not fit, or for more than 30 units.
#[must_use]
pub fn log_sum_over_states(b: &[f32], given: &Conditionals<'_>) -> f64 {
    let (n, units, classes) = (b.len(), given.bias.len(), given.label_bias.len());
    assert!(n <= 30, "2^{n} states are too many");
    assert_eq!(given.label_w.len(), n * classes, "a label weight for each pair");
    let walked = n.min(WALK);
    let (level, w, bias) = (Level::detect(), Panels::pack(n, units, given.w), pack_bias(given.bias));
    let walk = |task: usize| {
        let mut state = task << walked;
        // b·s and the label group's inputs.
        let mut linear: f64 = (0..n).filter(|&i| state >> i & 1 == 1).map(|i| f64::from(b[i])).sum();
        let mut inputs: Vec<f64> = given.label_bias.iter().map(|&d| f64::from(d)).collect();
        let mut x = bias.clone();
        for i in (0..n).filter(|&i| state >> i & 1 == 1) {
            add_row(level, &w, i, 1.0, &mut x);
            add_labels(given.label_w, i, 1.0, &mut inputs);
        }
        let mut sum = LogSum::default();
        for step in 0..1_usize << walked {
            if step > 0 {
                let i = step.trailing_zeros() as usize;
                state ^= 1 << i;
                let sign = if state >> i & 1 == 1 { 1.0 } else { -1.0 };
                linear += f64::from(sign) * f64::from(b[i]);
                add_row(level, &w, i, sign, &mut x);
                add_labels(given.label_w, i, f64::from(sign), &mut inputs);
            }
            let labels = if classes == 0 { 0.0 } else { inputs.iter().copied().collect::<LogSum>().value() };
            sum.add(linear + softplus_sum(level, &x) + labels);
        }
        sum
    };
    let sums: Vec<LogSum> = (0..1_usize << (n - walked)).into_par_iter().map(walk).collect();
    sums.iter().map(LogSum::value).collect::<LogSum>().value()
}

fn add_labels(w: &[f32], unit: usize, sign: f64, inputs: &mut [f64]) {
    let classes = inputs.len();
    for (input, w) in inputs.iter_mut().zip(&w[unit * classes..]) {
        *input += sign * f64::from(*w);
    }
}

fn add_row(level: Level, w: &Panels, row: usize, sign: f32, x: &mut [Row]) {
    for (panel, x) in x.iter_mut().enumerate() {
        add_scaled(level, sign, &w.panel(panel)[row], x);
    }
}

dispatch! {
    fn add_scaled(sign: f32, row: &Row, x: &mut Row) {
        for i in 0..BLOCK {
            x.0[i] += sign * row.0[i];
        }
    }
}

dispatch! {
    /// Sum of softplus; padding, at minus infinity, adds nothing.
    fn softplus_sum(x: &[Row]) -> f64 {
        let mut sum = 0.0;
        for x in x {
            let mut terms = ZERO.0;
            for i in 0..BLOCK {
                terms[i] = softplus(x.0[i]);
            }
            sum += terms.iter().map(|&t| f64::from(t)).sum::<f64>();
        }
        sum
    }
}

/// ln of a sum of exponentials, term by term, which overflows nowhere.
#[derive(Clone, Copy, Debug)]
pub struct LogSum {
    largest: f64,
    scaled: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self { largest: f64::NEG_INFINITY, scaled: 0.0 }
    }
}

impl LogSum {
    /// Adds exp(x).
    pub fn add(&mut self, x: f64) {
        if x <= self.largest {
            // Nothing is added to nothing: the difference of two infinities is no number.
            self.scaled += if x == f64::NEG_INFINITY { 0.0 } else { libm::exp(x - self.largest) };
        } else {
            // From minus infinity the sum so far is zero.
            self.scaled = self.scaled * libm::exp(self.largest - x) + 1.0;
            self.largest = x;
        }
    }

    /// ln of the sum; minus infinity for no terms.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.largest + libm::log(self.scaled)
    }
}

impl FromIterator<f64> for LogSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, Uniforms};

    fn numbers(count: usize, step: u32) -> Vec<f32> {
        let mut values = vec![0.0; count];
        Uniforms::new(9, Stream::User, step).fill_row(0, &mut values);
        values.iter().map(|u| 4.0 * u - 2.0).collect()
    }

    /// Against the sum written out in double precision, on both sides of the walk's length.
    #[test]
    fn sums_are_those_of_every_state() {
        for (n, units, classes) in [(1, 1, 0), (5, 40, 0), (5, 7, 3), (11, 33, 0), (12, 3, 4)] {
            let (b, w, bias) = (numbers(n, 1), numbers(n * units, 2), numbers(units, 3));
            let (label_w, label_bias) = (numbers(n * classes, 4), numbers(classes, 5));
            let state = |s: usize| (0..n).filter(move |i| s >> i & 1 == 1);
            let input = |s: usize, w: &[f32], bias: &[f32], j: usize| {
                f64::from(bias[j]) + state(s).map(|i| f64::from(w[i * bias.len() + j])).sum::<f64>()
            };
            let term = |s: usize| {
                let own: f64 = state(s).map(|i| f64::from(b[i])).sum();
                let given: f64 = (0..units).map(|j| input(s, &w, &bias, j).exp().ln_1p()).sum();
                let labels: f64 = (0..classes).map(|y| input(s, &label_w, &label_bias, y).exp()).sum();
                own + given + if classes == 0 { 0.0 } else { labels.ln() }
            };
            let exact = (0..1_usize << n).map(|s| term(s).exp()).sum::<f64>().ln();
            let given = Conditionals { w: &w, bias: &bias, label_w: &label_w, label_bias: &label_bias };
            let got = log_sum_over_states(&b, &given);
            assert!((got - exact).abs() < 2e-6 * (units as f64 + exact.abs()), "{n} units: {got}, exactly {exact}");
        }
    }

    #[test]
    fn sums_of_exponentials_overflow_nowhere() {
        let sum: LogSum = [1000.0, -1000.0, 1000.0].into_iter().collect();
        assert!((sum.value() - 1000.0 - 2f64.ln()).abs() < 1e-12);
        assert_eq!(LogSum::default().value(), f64::NEG_INFINITY);
        let nothing: LogSum = [f64::NEG_INFINITY; 2].into_iter().collect();
        assert_eq!(nothing.value(), f64::NEG_INFINITY);
    }
}
