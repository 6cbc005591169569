//! Training by contrastive divergence.

pub(crate) mod cd;
pub(crate) mod cd_steps;
pub(crate) mod config;
pub(crate) mod contrastive;
pub(crate) mod defaults;
pub(crate) mod engine_learner;
pub(crate) mod exact_learner;
pub(crate) mod forms;
pub(crate) mod gauges;
pub(crate) mod health;
pub(crate) mod imputed;
pub(crate) mod learned;
pub(crate) mod learner;
pub(crate) mod measured_by_ranks;
pub(crate) mod measuring;
pub(crate) mod memory_needs;
pub(crate) mod metrics;
pub(crate) mod optimizer;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod sums;
pub(crate) mod tensor_learner;
pub(crate) mod trainer;
pub(crate) mod unit_gaussians;
pub(crate) mod velocity;
