//! Settings of the learning of one RBM, alone or as a layer.

use super::{Idle, RunSettings};
use crate::failure::{Failure, Result};
use deepbelief_rbm::{
    CdSteps, HiddenUnits, OnDivergence, RbmConfig, Sampler, Schedule, TrainConfig, VisibleBias, VisibleStates,
    is_default, is_default_fast_rate, is_default_temperatures,
};
use serde::{Deserialize, Serialize};

/// The fields are the keys of a recipe and, with dashes, the flags, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LearningSettings {
    /// Left out where it is the default, so that a checkpoint of Bernoulli units is the same file as
    /// before there were others.
    #[serde(skip_serializing_if = "HiddenUnits::is_bernoulli")]
    pub(crate) hidden_units: HiddenUnits,
    pub(crate) weight_std: f64,
    pub(crate) visible_bias: VisibleBias,
    pub(crate) batch_size: usize,
    pub(crate) epochs: u32,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) final_learning_rate: f64,
    pub(crate) cd_steps: CdSteps,
    pub(crate) persistent_chains: usize,
    /// Left out where they are the default, for the same reason, as the next ones are.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) sampler: Sampler,
    #[serde(skip_serializing_if = "is_default_fast_rate")]
    pub(crate) fast_learning_rate: f64,
    #[serde(skip_serializing_if = "is_default_temperatures")]
    pub(crate) temperatures: usize,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) centred: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) averaging: f64,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) log_z_every: u32,
    pub(crate) visible_states: VisibleStates,
    pub(crate) momentum: f64,
    pub(crate) final_momentum: f64,
    pub(crate) momentum_switch: u32,
    pub(crate) weight_cost: f64,
    pub(crate) l1_cost: f64,
    pub(crate) sparsity_target: f64,
    pub(crate) sparsity_cost: f64,
    pub(crate) tolerance: f64,
    pub(crate) patience: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) on_divergence: OnDivergence,
}

impl LearningSettings {
    /// Checks what [`TrainConfig`] does not know of.
    pub(super) fn validate(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Failure::new("batch_size is 0; it must be at least 1"));
        }
        Ok(())
    }

    /// What changes nothing.
    pub(super) fn idle(&self) -> Idle {
        let tempered = matches!(self.sampler, Sampler::Tempered | Sampler::Trajectory);
        super::idle([
            ("fast_learning_rate", self.sampler != Sampler::Fast, "without the sampler fast"),
            ("temperatures", !tempered, "without the sampler tempered or trajectory"),
            ("final_learning_rate", self.schedule == Schedule::Constant, "with a constant schedule"),
            ("sparsity_target", self.sparsity_cost == 0.0, "without a sparsity cost"),
        ])
    }

    /// Settings of a new RBM.
    pub(crate) fn rbm_config(&self, hidden: usize, seed: u64) -> RbmConfig {
        RbmConfig {
            visible: None,
            hidden,
            hidden_units: self.hidden_units,
            weight_std: self.weight_std,
            visible_bias: self.visible_bias,
            seed,
        }
    }

    /// Settings of its trainer.
    pub(crate) fn train_config(&self, run: &RunSettings) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            final_learning_rate: self.final_learning_rate,
            momentum: self.momentum,
            final_momentum: self.final_momentum,
            momentum_switch: self.momentum_switch,
            weight_cost: self.weight_cost,
            l1_cost: self.l1_cost,
            cd_steps: self.cd_steps.clone(),
            persistent_chains: self.persistent_chains,
            sampler: self.sampler,
            fast_learning_rate: self.fast_learning_rate,
            temperatures: self.temperatures,
            centred: self.centred,
            averaging: self.averaging,
            log_z_every: self.log_z_every,
            visible_states: self.visible_states,
            sparsity_target: self.sparsity_target,
            sparsity_cost: self.sparsity_cost,
            tolerance: self.tolerance,
            patience: self.patience,
            on_divergence: self.on_divergence,
            seed: run.seed,
            precision: run.precision(),
            threads: run.threads,
        }
    }
}
