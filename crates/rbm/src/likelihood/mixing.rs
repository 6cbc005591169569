//! How fast Gibbs chains forget where they started.
//!
//! Estimates that start chains from data, and training by persistent chains, trust them to wander. Over
//! chains c and visible units i, states v after t steps are correlated with those at the start by
//!
//! ```text
//! C(t) = sum over i of cov_c(v_i(0), v_i(t)) / sqrt(sum of var_c(v_i(0)) sum of var_c(v_i(t)))
//! ```
//!
//! which is 1 at t = 0 and falls to 0 where every chain has forgotten its start: within the noise of
//! as many chains as there are.

use super::runs::{AnnealConfig, MIXING, draws, in_bits, run, starts};
use crate::error::Result;
use crate::model::rbm::Rbm;
use deepbelief_kernels::{Batch, Betas};

/// The memory of chains.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixing {
    /// C(t) after t = 0, 1, 2, ... Gibbs steps.
    pub correlation: Vec<f64>,
}

impl Mixing {
    /// C after the last step.
    #[must_use]
    pub fn left(&self) -> f64 {
        self.correlation.last().copied().unwrap_or(1.0)
    }

    /// Gibbs steps after which C has fallen below one half for the first time, if it has.
    #[must_use]
    pub fn half_life(&self) -> Option<usize> {
        self.correlation.iter().position(|&c| c < 0.5)
    }
}

/// Runs chains for [`AnnealConfig::burn_in`] Gibbs steps of the model from visible states `v` (with
/// `labels`, where there is a label group), one chain each. The ladder of `config` plays no part.
///
/// # Errors
/// As [`super::reverse_annealed_importance`].
pub fn mixing(rbm: &Rbm, v: &Batch, labels: &[u32], config: &AnnealConfig) -> Result<Mixing> {
    let (v, labels) = starts(rbm, v, labels)?;
    let config = AnnealConfig { chains: v.rows(), ..config.clone() };
    run(&in_bits(rbm)?.0, &config, |chains| {
        chains.start_from(&v, labels)?;
        let start = Deviations::of(&v);
        let mut correlation = vec![1.0];
        for step in 0..config.burn_in {
            chains.anneal(Betas::All(1.0), Betas::All(1.0), Some(&draws(config.seed, MIXING, step)))?;
            correlation.push(start.correlation(&Deviations::of(&chains.states()?)));
        }
        Ok(Mixing { correlation })
    })
}

/// States as they differ from each unit's mean over the chains.
struct Deviations {
    values: Vec<f32>,
    squares: f64,
}

impl Deviations {
    fn of(states: &Batch) -> Self {
        let (units, mut values) = (states.units(), states.to_values());
        let mut means = vec![0.0f32; units];
        for row in values.chunks_exact(units.max(1)) {
            means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
        }
        for row in values.chunks_exact_mut(units.max(1)) {
            row.iter_mut().zip(&means).for_each(|(x, mean)| *x -= mean / states.rows() as f32);
        }
        let squares = values.iter().map(|&x| f64::from(x * x)).sum();
        Self { values, squares }
    }

    fn correlation(&self, other: &Self) -> f64 {
        let product: f64 = self.values.iter().zip(&other.values).map(|(a, b)| f64::from(a * b)).sum();
        let scale = (self.squares * other.squares).sqrt();
        // Chains that are all alike have nothing to forget.
        if scale > 0.0 { product / scale } else { 0.0 }
    }
}
