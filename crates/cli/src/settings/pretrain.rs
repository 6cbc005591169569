//! Settings of `dbn pretrain`.

use super::common::{Settings, first_rate, hidden_units, optimizer, origin, validate_batch_size};
use super::data::{DataSettings, RunSettings};
use super::unused::{self, UnusedOption};
use crate::failure::{Explain, Result};
use crate::machine::ranks;
use crate::options::Verb;
use deepbelief_data::Binarize;
use deepbelief_rbm::{RbmConfig, Schedule, TrainConfig, Units};
use deepbelief_stack::LayerConfig;
use serde::{Deserialize, Serialize};
use toml::Table;

/// All settings of a training of one RBM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PretrainSettings {
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    /// The RBM and its training, as if it were the only layer of a stack. It takes every key that is left.
    #[serde(flatten)]
    pub(crate) layer: LayerConfig,
}

impl PretrainSettings {
    /// Settings of the model.
    pub(crate) fn rbm_config(&self) -> RbmConfig {
        self.layer.rbm(self.seed())
    }

    /// Settings of the trainer.
    pub(crate) fn train_config(&self) -> TrainConfig {
        let train = self.layer.train.clone();
        TrainConfig { precision: self.run.precision(), threads: ranks::threads(train.threads), ..train }
    }

    /// Samples in a minibatch.
    pub(crate) fn batch_size(&self) -> usize {
        self.layer.batch_size.unwrap_or_default()
    }
}

impl Settings for PretrainSettings {
    const VERB: Verb = Verb::Pretrain;

    fn built_in(asked: &Table) -> Self {
        let units = hidden_units(asked);
        let layer = LayerConfig::default();
        let fitted = layer.train.clone().fitted(&units, optimizer(asked));
        let last = fitted.last_rate(first_rate(asked).unwrap_or(fitted.learning_rate));
        let layer = LayerConfig { train: TrainConfig { final_learning_rate: last, ..fitted }, ..layer };
        Self {
            data: DataSettings { valid: 5000, binarize: Binarize::Fresh, ..Default::default() },
            run: RunSettings::default(),
            // A mixture says how many hidden units there are.
            layer: LayerConfig { batch_size: Some(100), hidden: units.count().unwrap_or(layer.hidden), ..layer },
        }
    }

    fn validate(&self) -> Result<()> {
        self.rbm_config().validate().or_hint(origin)?;
        self.train_config().validate().or_hint(origin)?;
        self.train_config().validate_for(&self.layer.units(Units::default())).or_hint(origin)?;
        validate_batch_size(self.batch_size())
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
        self.layer.train.seed
    }

    fn threads(&self) -> usize {
        self.layer.train.threads
    }

    fn span(&self) -> Option<(Schedule, u32)> {
        Some((self.layer.train.schedule, self.layer.train.epochs))
    }

    fn unused(&self) -> Vec<Vec<UnusedOption>> {
        vec![unused::of_learning(&self.layer.train)]
    }
}
