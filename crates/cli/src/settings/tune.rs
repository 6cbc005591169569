//! Settings of `dbn tune`.

use super::common::{Settings, again_from, origin, validate_batch_size, validate_layers};
use super::data::{DataSettings, RunSettings};
use super::unused::{UnusedOption, unused};
use crate::failure::{Explain, Failure, Result, count};
use crate::options::Verb;
use deepbelief_rbm::{RbmConfig, Schedule};
use deepbelief_wake_sleep::{LayerRates, TuneConfig};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use toml::Table;

/// A rate of all directed layers, or one a layer, from the bottom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or an array of them with one a layer")]
pub(crate) enum Rate {
    All(f64),
    Each(Vec<f64>),
}

/// All settings of a tuning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TuneSettings {
    /// What is tuned; none starts from scratch.
    pub(crate) checkpoint: Option<PathBuf>,
    /// Hidden units of a net from scratch.
    pub(crate) layers: Option<Vec<usize>>,
    pub(crate) weight_std: f64,
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    /// Training samples that are learned from; none or 0: all.
    pub(crate) labelled: Option<usize>,
    pub(crate) batch_size: usize,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    /// All but the rates of the directed layers, and the precision. It takes every key that is left.
    #[serde(flatten)]
    pub(crate) tune: TuneConfig,
    pub(crate) wake_rate: Rate,
    pub(crate) sleep_rate: Rate,
}

impl TuneSettings {
    /// Settings of the tuner of a model with so many directed layers.
    pub(crate) fn tune_config(&self, directed: usize) -> Result<TuneConfig> {
        let rates = |name: &str, rate: &Rate| match rate {
            Rate::All(rate) => Ok((*rate, vec![None; directed])),
            Rate::Each(rates) if rates.len() == directed => {
                Ok((rates.first().copied().unwrap_or(1.0), rates.iter().copied().map(Some).collect()))
            }
            Rate::Each(rates) => Err(Failure::new(format!(
                "{name} has {} values, but the model has {} under its top",
                rates.len(),
                count(directed, "directed layer")
            ))
            .hint("give one value for all of them, or one a layer, from the bottom")),
        };
        let (wake_rate, wake) = rates("wake_rate", &self.wake_rate)?;
        let (sleep_rate, sleep) = rates("sleep_rate", &self.sleep_rate)?;
        let own = |(&wake_rate, &sleep_rate)| LayerRates { wake_rate, sleep_rate };
        let layers = wake.iter().zip(&sleep).map(own).collect();
        Ok(TuneConfig { wake_rate, sleep_rate, layers, precision: self.run.precision(), ..self.tune.clone() })
    }
}

impl Settings for TuneSettings {
    const VERB: Verb = Verb::Tune;

    fn built_in(_: &Table) -> Self {
        let tune = TuneConfig::default();
        Self {
            checkpoint: None,
            layers: None,
            weight_std: RbmConfig::default().weight_std,
            data: DataSettings::default(),
            labelled: None,
            batch_size: 100,
            run: RunSettings::default(),
            wake_rate: Rate::All(tune.wake_rate),
            sleep_rate: Rate::All(tune.sleep_rate),
            tune,
        }
    }

    fn validate(&self) -> Result<()> {
        let each = |rate: &Rate| if let Rate::Each(rates) = rate { rates.len() } else { 0 };
        self.tune_config(each(&self.wake_rate).max(each(&self.sleep_rate)))?.validate().or_hint(origin)?;
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
        self.tune.seed
    }

    fn threads(&self) -> usize {
        self.tune.threads
    }

    fn unused(&self) -> Vec<Vec<UnusedOption>> {
        vec![unused([("final_share", self.tune.schedule == Schedule::Constant, "with a constant schedule")])]
    }

    fn again(&self) -> String {
        again_from(Self::VERB, self.checkpoint.as_deref())
    }
}
