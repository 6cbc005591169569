//! Settings of `dbn finetune`.

use super::common::{Settings, again_from, origin, validate_batch_size, validate_layers, word};
use super::data::{DataSettings, RunSettings};
use super::unused::{UnusedOption, unused};
use crate::failure::{Explain, Failure, Result};
use crate::options::Verb;
use deepbelief_finetune::{FinetuneConfig, Objective, OptimizerKind};
use deepbelief_rbm::Schedule;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::Table;

/// All settings of a training by backpropagation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FinetuneSettings {
    /// What is unrolled; none starts from scratch.
    pub(crate) checkpoint: Option<PathBuf>,
    /// Hidden units of a network from scratch.
    pub(crate) layers: Option<Vec<usize>>,
    #[serde(rename = "as")]
    pub(crate) objective: Objective,
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    pub(crate) labelled: usize,
    pub(crate) batch_size: usize,
    pub(crate) test: bool,
    #[serde(flatten)]
    pub(crate) config: FinetuneConfig,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
}

impl Settings for FinetuneSettings {
    const VERB: Verb = Verb::Finetune;

    fn built_in(asked: &Table) -> Self {
        let autoencoder = word(asked, "as") == Some("autoencoder");
        let objective = if autoencoder { Objective::Autoencoder } else { Objective::Classifier };
        Self {
            checkpoint: None,
            layers: None,
            objective,
            data: DataSettings::default(),
            labelled: 0,
            batch_size: 100,
            test: true,
            config: FinetuneConfig::of(objective),
            run: RunSettings::default(),
        }
    }

    fn validate(&self) -> Result<()> {
        let precision = self.run.precision();
        if !precision.is_f32() {
            return Err(
                Failure::new(format!("precision is {precision}; backpropagation computes in f32")).hint(origin())
            );
        }
        self.config.validate().or_hint(origin)?;
        validate_layers(self.layers.as_deref())?;
        validate_batch_size(self.batch_size)
    }

    fn data(&self) -> &DataSettings {
        &self.data
    }

    fn data_mut(&mut self) -> &mut DataSettings {
        &mut self.data
    }

    fn run(&self) -> &RunSettings {
        &self.run
    }

    fn seed(&self) -> u64 {
        self.config.seed
    }

    fn threads(&self) -> usize {
        self.config.threads
    }

    fn span(&self) -> Option<(Schedule, u32)> {
        Some((self.config.schedule, self.config.epochs))
    }

    fn unused(&self) -> Vec<Vec<UnusedOption>> {
        vec![unused([
            ("final_learning_rate", self.config.schedule == Schedule::Constant, "with a constant schedule"),
            ("square_momentum", self.config.optimizer == OptimizerKind::Sgd, "with the optimizer sgd"),
        ])]
    }

    fn again(&self) -> String {
        again_from(Self::VERB, self.checkpoint.as_deref())
    }
}
