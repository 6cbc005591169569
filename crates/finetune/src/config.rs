//! Settings of a training by backpropagation. The defaults are the recipe of `dbn finetune` for a classifier.

use crate::error::{Result, require};
use crate::layers::Objective;
use crate::optimizer::{DescentConfig, OptimizerKind};
use deepbelief_rbm::{OnDivergence, Schedule, is_not_negative, is_positive};
use deepbelief_training::{Settings, validate_threads};
use serde::{Deserialize, Serialize};

/// A training by backpropagation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FinetuneConfig {
    /// Passes over the data.
    pub epochs: u32,
    /// How parameters follow their gradient.
    pub optimizer: OptimizerKind,
    /// Step size.
    pub learning_rate: f64,
    /// How the step size moves over the epochs.
    pub schedule: Schedule,
    /// Step size of the last epoch, unless the schedule is constant.
    pub final_learning_rate: f64,
    /// Share of the last step kept in the next; of Adam, of the mean gradient (its first decay).
    pub momentum: f64,
    /// Whether momentum looks ahead (Sutskever et al. 2013); Adam does not.
    pub nesterov: bool,
    /// Share of the mean squared gradient that Adam keeps (its second decay).
    pub square_momentum: f64,
    /// L2 cost of the weights; of Adam, the share times the step size that they shrink by.
    pub weight_cost: f64,
    /// Share of the sigmoid hidden units that is left out, drawn for every sample.
    pub dropout: f64,
    /// Share of the inputs that is left out, likewise.
    pub input_dropout: f64,
    /// Largest Euclidean norm of the weights into a unit (Srivastava et al. 2014); 0 sets none.
    pub max_norm: f64,
    /// Stops after this many epochs in a row without a better model on the validation data; 0 turns
    /// it off.
    pub patience: u32,
    /// What becomes of a training that diverges.
    pub on_divergence: OnDivergence,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        Self {
            epochs: 20,
            optimizer: OptimizerKind::Adam,
            learning_rate: 1e-3,
            schedule: Schedule::Exponential,
            final_learning_rate: 2e-5,
            momentum: 0.9,
            nesterov: false,
            square_momentum: 0.999,
            weight_cost: 0.0,
            dropout: 0.0,
            input_dropout: 0.0,
            max_norm: 0.0,
            patience: 0,
            on_divergence: OnDivergence::Stop,
            seed: 1,
            threads: 0,
        }
    }
}

impl FinetuneConfig {
    /// The recipe of `dbn finetune`: the default for a classifier; an autoencoder trains for longer.
    #[must_use]
    pub fn of(objective: Objective) -> Self {
        match objective {
            Objective::Classifier => Self::default(),
            Objective::Autoencoder => Self { epochs: 100, final_learning_rate: 1e-5, ..Self::default() },
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        validate_threads(self.threads)?;
        require(self.epochs > 0, "epochs", self.epochs, "at least 1")?;
        require(is_positive(self.learning_rate), "learning_rate", self.learning_rate, "a positive 32-bit number")?;
        let rate = self.final_learning_rate;
        let fits = self.schedule == Schedule::Constant || is_positive(rate);
        require(fits, "final_learning_rate", rate, "a positive 32-bit number unless the schedule is constant")?;
        let shares = [
            ("momentum", self.momentum),
            ("square_momentum", self.square_momentum),
            ("dropout", self.dropout),
            ("input_dropout", self.input_dropout),
        ];
        for (name, share) in shares {
            require((0.0..1.0).contains(&share), name, share, "at least 0 and below 1")?;
        }
        let sgd = self.optimizer == OptimizerKind::Sgd;
        require(sgd || !self.nesterov, "nesterov", self.nesterov, "false unless the optimizer is sgd")?;
        for (name, x) in [("weight_cost", self.weight_cost), ("max_norm", self.max_norm)] {
            require(is_not_negative(x), name, x, "zero or a positive 32-bit number")?;
        }
        Ok(())
    }

    /// The step size of an epoch, counted from 0.
    #[must_use]
    pub fn rate(&self, epoch: u32) -> f64 {
        self.schedule.at(self.learning_rate, self.final_learning_rate, epoch, self.epochs)
    }

    /// Settings of the optimiser in the first epoch.
    #[must_use]
    pub fn descent(&self) -> DescentConfig {
        DescentConfig {
            kind: self.optimizer,
            learning_rate: self.learning_rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
            square_momentum: self.square_momentum,
            weight_cost: self.weight_cost,
            max_norm: self.max_norm,
        }
    }
}

impl Settings for FinetuneConfig {
    fn epochs(&self) -> u32 {
        self.epochs
    }

    fn patience(&self) -> u32 {
        self.patience
    }

    fn on_divergence(&self) -> OnDivergence {
        self.on_divergence
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named() {
        let message = |config: FinetuneConfig| config.validate().map_err(|error| error.to_string());
        let bad = FinetuneConfig { dropout: 1.0, ..Default::default() };
        assert_eq!(message(bad), Err("dropout is 1; it must be at least 0 and below 1".into()));
        let bad = FinetuneConfig { learning_rate: f64::NAN, ..Default::default() };
        assert_eq!(message(bad), Err("learning_rate is NaN; it must be a positive 32-bit number".into()));
        let bad = FinetuneConfig { schedule: Schedule::Linear, final_learning_rate: 0.0, ..Default::default() };
        let rate = "final_learning_rate is 0; it must be a positive 32-bit number unless the schedule is constant";
        assert_eq!(message(bad), Err(rate.into()));
        let bad = FinetuneConfig { nesterov: true, ..Default::default() };
        assert_eq!(message(bad), Err("nesterov is true; it must be false unless the optimizer is sgd".into()));
        let bad = FinetuneConfig { max_norm: -1.0, ..Default::default() };
        assert_eq!(message(bad), Err("max_norm is -1; it must be zero or a positive 32-bit number".into()));
        assert_eq!(message(FinetuneConfig::default()), Ok(()));
    }
}
