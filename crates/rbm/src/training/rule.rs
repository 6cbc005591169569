//! What one update needs to know.

use deepbelief_kernels::AdamDecays;
use serde::{Deserialize, Serialize};

/// What the reconstruction's visible units are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisibleStates {
    /// Binary states drawn from p(v|h).
    #[default]
    Sampled,
    /// The probabilities p(v|h) themselves: less noise, a little bias (guide, section 3.2).
    Probabilities,
}

/// What one update of contrastive divergence needs to know: [`crate::TrainConfig`] at one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Step size, per mean gradient of a batch.
    pub learning_rate: f64,
    /// Share of the last step kept in the next.
    pub momentum: f64,
    /// L2 cost of the weights.
    pub weight_cost: f64,
    /// L1 cost of the weights.
    pub l1_cost: f64,
    /// L1b cost of the weights.
    pub l1b_cost: f64,
    /// Adam instead of momentum.
    pub adam: Option<AdamDecays>,
    /// Gibbs steps of the negative phase.
    pub cd_steps: u32,
    /// What the reconstruction's visible units are.
    pub visible_states: VisibleStates,
    /// Mean hidden probability that `sparsity_cost` pulls towards.
    pub sparsity_target: f64,
    /// Strength of that pull; 0 turns it off.
    pub sparsity_cost: f64,
    /// Step size of fast weights, where the sampler has them.
    pub fast_learning_rate: f64,
}
