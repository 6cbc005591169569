//! Settings of `dbn pretrain`.

use super::{DataSettings, LearningSettings, OPTIONAL_KEYS, Resolved, RunSettings, UNLEARNED_KEYS, origin, recipe};
use crate::args::PretrainArgs;
use crate::failure::{Explain, Result};
use deepbelief_rbm::{RbmConfig, TrainConfig};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::Table;

/// The recipe that the defaults of `dbn pretrain` are.
const BUILT_IN: &str = include_str!("../../../../models/mnist-rbm.toml");

/// All settings of a training. The fields are the keys of a recipe and, with dashes, the flags
/// of `dbn pretrain`, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PretrainSettings {
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    pub(crate) hidden: usize,
    #[serde(flatten)]
    pub(crate) learning: LearningSettings,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
}

impl PretrainSettings {
    /// Settings of a new run.
    pub(crate) fn resolve(args: &PretrainArgs) -> Result<Resolved<Self>> {
        let mut given = match &args.run.config {
            Some(path) => read(path)?,
            None => Table::new(),
        };
        let flags = flags(args)?;
        given.extend(flags.clone());
        let valid_is_default = !given.contains_key("valid");
        let settings = settle(given)?;
        settings.validate()?;
        super::warn_of_idle(&flags, [settings.learning.idle()]);
        Ok(Resolved { settings, valid_is_default, data_are_recorded: false })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change:
    /// `epochs` says how long, and what is [`UNLEARNED_KEYS`].
    pub(crate) fn resume(path: &Path, args: &PretrainArgs) -> Result<Self> {
        let mut table = read(path)?;
        let epochs = table.get("epochs").cloned();
        let changeable: Vec<&str> = ["epochs", "data"].into_iter().chain(UNLEARNED_KEYS).collect();
        super::continue_with(&mut table, flags(args)?, &changeable)?;
        let settings = settle(table)?;
        settings.validate()?;
        super::warn_if_prolonged(settings.learning.schedule, epochs.as_ref(), settings.learning.epochs);
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        Ok(format!("# Settings of this run; `dbn pretrain --config` with this file repeats it.\n{text}"))
    }

    /// What a checkpoint records: the settings that what is learned depends on.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        super::learned(self)
    }

    /// Settings of the model.
    pub(crate) fn rbm_config(&self) -> RbmConfig {
        self.learning.rbm_config(self.hidden, self.run.seed)
    }

    /// Settings of the trainer.
    pub(crate) fn train_config(&self) -> TrainConfig {
        self.learning.train_config(&self.run)
    }

    fn validate(&self) -> Result<()> {
        self.rbm_config().validate().or_hint(origin)?;
        self.train_config().validate().or_hint(origin)?;
        self.train_config().validate_for(self.learning.hidden_units).or_hint(origin)?;
        self.learning.validate().or_hint(origin)
    }
}

/// What the command line and the environment say.
fn flags(args: &PretrainArgs) -> Result<Table> {
    Table::try_from(args).or_fail(|| "cannot read the flags".into())
}

/// The built-in recipe with `given` over it.
fn settle(given: Table) -> Result<PretrainSettings> {
    let mut table = recipe::built_in(BUILT_IN)?;
    table.extend(given);
    table.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

/// Reads a recipe.
fn read(path: &Path) -> Result<Table> {
    let (table, built_in) = (recipe::read(path)?, recipe::built_in(BUILT_IN)?);
    let known: Vec<&str> = built_in.keys().map(String::as_str).chain(OPTIONAL_KEYS).collect();
    recipe::check(&path.display().to_string(), &table, &known, |key, value| {
        settle(Table::from_iter([(key.to_string(), value.clone())])).map(|_| ())
    })?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{LearningArgs, RunArgs};
    use crate::save_every::SaveEvery;
    use deepbelief_data::Source;

    fn recipe(text: &str) -> Result<Resolved<PretrainSettings>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, text).unwrap();
        PretrainSettings::resolve(&PretrainArgs {
            run: RunArgs { config: Some(path), ..Default::default() },
            ..Default::default()
        })
    }

    #[test]
    fn the_built_in_recipe_is_complete_and_valid() {
        let resolved = PretrainSettings::resolve(&PretrainArgs::default()).unwrap();
        assert!(resolved.valid_is_default);
        assert_eq!(resolved.settings.data.data, Source::Mnist);
    }

    #[test]
    fn a_flag_beats_the_recipe_and_the_recipe_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, "hidden = 7\nepochs = 9\nvalid = 3").unwrap();
        let args = PretrainArgs {
            run: RunArgs { config: Some(path), ..Default::default() },
            learning: LearningArgs { epochs: Some(11), ..Default::default() },
            ..Default::default()
        };
        let Resolved { settings, valid_is_default, .. } = PretrainSettings::resolve(&args).unwrap();
        assert_eq!((settings.hidden, settings.learning.epochs, settings.data.valid), (7, 11, 3));
        assert!(!valid_is_default);
        let default = PretrainSettings::resolve(&PretrainArgs::default()).unwrap().settings;
        assert_eq!(settings.learning.learning_rate, default.learning.learning_rate);
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let mut settings = PretrainSettings::resolve(&PretrainArgs::default()).unwrap().settings;
        settings.data.label_column = Some("class".into());
        settings.learning.learning_rate = 1.0 / 3.0;
        for save_every in [SaveEvery::Epochs(3), SaveEvery::Seconds(600)] {
            settings.run.save_every = save_every;
            assert_eq!(recipe(&settings.to_toml().unwrap()).unwrap().settings, settings);
        }
        assert!(settings.to_toml().unwrap().contains("save_every = \"10m\"\n"));
    }

    #[test]
    fn a_bad_recipe_is_refused_by_key_or_line() {
        let refusal = |text: &str| {
            let failure = recipe(text).unwrap_err();
            let what = failure.what().rsplit_once("r.toml").unwrap().1.to_string();
            (what, failure.hint_text().unwrap_or_default().to_string())
        };
        assert_eq!(refusal("hiden = 5"), (": unknown key 'hiden'".into(), "did you mean 'hidden'?".into()));
        assert!(refusal("banana = 5").1.starts_with("the keys are "));
        assert!(refusal("epochs = 3\nhidden = = 5").0.starts_with(", line 2: not TOML"));
        let expected = "expected a whole number of epochs, or a time such as 90s, 10m or 2h";
        for value in ["\"often\"", "\"0s\"", "-1", "1.5", "true"] {
            assert_eq!(refusal(&format!("save_every = {value}")).0, format!(": 'save_every' is {value}: {expected}"));
        }
        assert_eq!(refusal("hidden = \"many\"").0, ": 'hidden' is \"many\": expected a whole number, not below 0");
        let schedules = "expected 'constant', 'linear', 'exponential'";
        assert_eq!(refusal("schedule = \"cosine\"").0, format!(": 'schedule' is \"cosine\": {schedules}"));
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let failure = recipe("learning_rate = -1.0").unwrap_err();
        assert_eq!(failure.what(), "learning_rate is -1; it must be a positive 32-bit number");
        assert_eq!(recipe("batch_size = 0").unwrap_err().what(), "batch_size is 0; it must be at least 1");
    }

    #[test]
    fn a_resumed_run_keeps_what_was_learned_by() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let settings = PretrainSettings::resolve(&PretrainArgs::default()).unwrap().settings;
        std::fs::write(&path, settings.to_toml().unwrap()).unwrap();
        let hidden = Some(settings.hidden as u32);
        let more = PretrainArgs {
            hidden,
            learning: LearningArgs { epochs: Some(99), ..Default::default() },
            run: RunArgs { threads: Some(2), ..Default::default() },
            ..Default::default()
        };
        let resumed = PretrainSettings::resume(&path, &more).unwrap();
        let mut expected = settings.clone();
        (expected.learning.epochs, expected.run.threads) = (99, 2);
        assert_eq!(resumed, expected);
        let learning = LearningArgs { learning_rate: Some(0.123), ..Default::default() };
        let other = PretrainArgs { learning, ..Default::default() };
        let failure = PretrainSettings::resume(&path, &other).unwrap_err();
        let was = settings.learning.learning_rate;
        assert_eq!(failure.what(), format!("--learning-rate is 0.123, but {was} in the run to resume"));
    }

    #[test]
    fn a_checkpoint_does_not_know_how_many_threads_trained_it() {
        let settings = PretrainSettings::resolve(&PretrainArgs::default()).unwrap().settings;
        let mut other = settings.clone();
        (other.run.threads, other.run.save_every) = (3, SaveEvery::Seconds(60));
        assert_eq!(settings.recipe().unwrap(), other.recipe().unwrap());
        other.run.seed = 2;
        assert_ne!(settings.recipe().unwrap(), other.recipe().unwrap());
    }
}
