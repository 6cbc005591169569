//! How long chains of an RBM remember where they start.

use crate::failure::Result;
use deepbelief_kernels::Batch;
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::{AnnealConfig, mixing};
use serde::Serialize;

/// Chains that are followed, at most.
const CHAINS: usize = 200;

/// Correlation with the start above which states still depend on it; a rule of thumb.
pub(crate) const MOST_LEFT: f64 = 0.2;

/// How long chains remember.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Memory {
    /// Gibbs steps after which the correlation with the start is below one half; none if it never was.
    pub(crate) half_life: Option<usize>,
    /// The correlation after the last step.
    pub(crate) left: f64,
    pub(crate) chains: usize,
}

impl Memory {
    /// Of chains that start at some of these visible states, evenly spread.
    pub(crate) fn of(rbm: &Rbm, states: &Batch, steps: u32, seed: u64) -> Result<Self> {
        let (rows, chains) = (states.rows(), CHAINS.min(states.rows()));
        let chosen: Vec<usize> = (0..chains).map(|k| k * rows / chains).collect();
        let starts = states.chosen(&chosen);
        let config = AnnealConfig { burn_in: steps, seed, ..AnnealConfig::default() };
        let found = mixing(rbm, &starts, &[], &config)?;
        Ok(Self { half_life: found.half_life(), left: found.left(), chains })
    }
}
