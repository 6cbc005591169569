//! What one value of a sample costs, given its others.
//!
//! ```text
//! p(x | rest) = exp(-F(v with x)) / sum over y of exp(-F(v with y))      of a number an integral
//! cost        = -ln p(x | rest)
//! usual       = -sum over y of p(y | rest) ln p(y | rest)                its mean under the model, an entropy
//! ```
//!
//! Both are exact, in nats; of a number, which Gaussian units learn, they are of its density in the model's units.

use super::completions::AT_ONCE;
use super::{MOST_NODES, NOTHING, Scorer, reaches};
use crate::choices::Choice;
use crate::error::Result;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{LogSum, UnitKind};
use std::ops::Range;

/// A value given the others of its sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditional {
    /// `-ln p(value | rest)`, nats.
    pub cost: f64,
    /// What a value that the model draws there costs on average, nats.
    pub usual: f64,
    /// What the model expects of the units there: of a number the mean, else the most probable state.
    pub expected: Vec<f32>,
}

impl Conditional {
    /// Nats by which the value costs more than is usual there.
    #[must_use]
    pub fn surprise(&self) -> f64 {
        self.cost - self.usual
    }
}

impl Scorer {
    /// Of the value that the units `at` of a sample `v` `[V]` have: the units of a category, or one unit. Units `missing`,
    /// in their order, are summed out. None where they cannot be, or where a deep net has numbers there.
    ///
    /// # Errors
    /// If `v` does not fit the visible units.
    pub fn conditional(&self, v: &[f32], at: Range<usize>, missing: &[usize]) -> Result<Option<Conditional>> {
        let Some(of_value) = self.terms(&[v.to_vec()], missing)?.and_then(|terms| terms.first().copied()) else {
            return Ok(None);
        };
        let own: Vec<usize> = at.clone().collect();
        let Some(gap) = self.missing(&own).into_iter().next() else { return Ok(None) };
        if gap.kind.is_discrete() {
            let low = if gap.kind == UnitKind::Spin { -1.0 } else { 0.0 };
            let choice = Choice::new(at.clone(), low, Vec::new());
            let option = |k| {
                let mut v = v.to_vec();
                choice.put(k, &mut v);
                v
            };
            let options: Vec<Vec<f32>> = (0..at.len().max(2)).map(option).collect();
            let Some(terms) = self.terms(&options, missing)? else { return Ok(None) };
            let best = (0..terms.len()).fold(0, |best, k| if terms[k] > terms[best] { k } else { best });
            let expected = options[best][at].to_vec();
            return Ok(Some(Conditional { expected, ..of_terms(&terms, 0.0, of_value) }));
        }
        if self.dbn.depth() > 1 {
            return Ok(None);
        }
        let step = self.deviations[gap.at];
        let mut reach = reaches(&[step])[0];
        while 2 * reach < MOST_NODES {
            let nodes: Vec<f64> = (0..=2 * reach).map(|node| (node as f64 - reach as f64) * step).collect();
            let put = |&x: &f64| {
                let mut v = v.to_vec();
                v[at.start] = x as f32;
                v
            };
            let Some(terms) = self.terms(&nodes.iter().map(put).collect::<Vec<_>>(), missing)? else { return Ok(None) };
            let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if terms[0].max(terms[2 * reach]) < most - NOTHING {
                let found = of_terms(&terms, libm::log(step), of_value);
                let (weight, sum) = terms.iter().zip(&nodes).fold((0.0, 0.0), |(weight, sum), (term, x)| {
                    let p = libm::exp(term - most);
                    (weight + p, sum + p * x)
                });
                return Ok(Some(Conditional { expected: vec![(sum / weight) as f32], ..found }));
            }
            reach *= 2;
        }
        Ok(None)
    }

    /// Minus the free energies of samples, with what is missing summed out; none where one cannot be.
    fn terms(&self, samples: &[Vec<f32>], missing: &[usize]) -> Result<Option<Vec<f64>>> {
        if !missing.is_empty() {
            return samples.iter().map(|v| self.observed(v, missing)).collect();
        }
        let mut terms = Vec::with_capacity(samples.len());
        for rows in samples.chunks(AT_ONCE) {
            let shape = (rows.len(), rows[0].len());
            terms.extend(self.complete(&Tensor::from_vec(rows.concat(), shape, &Device::Cpu)?)?);
        }
        Ok(Some(terms))
    }
}

/// Cost and usual cost, where `log_step` lies between neighbouring terms.
fn of_terms(terms: &[f64], log_step: f64, of_value: f64) -> Conditional {
    let log_z = terms.iter().copied().collect::<LogSum>().value() + log_step;
    let share = |term: &f64| {
        let log_p = term - log_z;
        -libm::exp(log_p + log_step) * log_p
    };
    // What has no probability costs nothing on average.
    let usual = terms.iter().map(share).filter(|share| share.is_finite()).sum();
    Conditional { cost: log_z - of_value, usual, expected: Vec::new() }
}
