//! Settings of `dbn finetune`: flag, else environment, else recipe; what they leave open of the data
//! as the checkpoint had it; else the built-in recipe of a classifier or of an autoencoder.

use super::{DataSettings, LABELLED, OPTIONAL_KEYS, Resolved, RunSettings, UNLEARNED_KEYS, inherited, origin, recipe};
use crate::args::FinetuneArgs;
use crate::failure::{Explain, Failure, Result};
use deepbelief_finetune::{FinetuneConfig, Objective, OptimizerKind};
use deepbelief_rbm::{OnDivergence, Provenance, Schedule, is_default};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::Table;

/// The recipes that the defaults of `dbn finetune` are.
const CLASSIFIER: &str = include_str!("../../../../models/mnist-finetune.toml");
const AUTOENCODER: &str = include_str!("../../../../models/mnist-autoencoder-finetune.toml");

/// All settings of a training by backpropagation. The fields are the keys of a recipe and, with
/// dashes, the flags of `dbn finetune`, where they are described.
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
    pub(crate) epochs: u32,
    pub(crate) optimizer: OptimizerKind,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) final_learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) square_momentum: f64,
    pub(crate) weight_cost: f64,
    pub(crate) dropout: f64,
    pub(crate) input_dropout: f64,
    pub(crate) max_norm: f64,
    pub(crate) patience: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) on_divergence: OnDivergence,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
}

impl FinetuneSettings {
    /// The checkpoint that a new run starts from; none for one from scratch.
    pub(crate) fn checkpoint(args: &FinetuneArgs) -> Option<PathBuf> {
        args.checkpoint.clone().filter(|_| !args.from_scratch)
    }

    /// Settings of a new run from a model of this provenance.
    pub(crate) fn resolve(args: &FinetuneArgs, from: Option<&Provenance>) -> Result<Resolved<Self>> {
        if args.layers.is_some() && !args.from_scratch {
            return Err(Failure::new("--layers goes with --from-scratch: a checkpoint has layers of its own"));
        }
        let mut given = from.map_or_else(Table::new, inherited);
        let recipe = args.run.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let flags = flags(args)?;
        // How many labels the net had been told is nothing to what learns none.
        if flags.get("as").or(recipe.get("as")).and_then(|name| name.as_str()) == Some("autoencoder") {
            given.remove(LABELLED);
        }
        let asked = recipe.contains_key("data") || flags.contains_key("data");
        let data_are_recorded = given.contains_key("data") && !asked;
        given.extend(recipe);
        given.extend(flags.clone());
        if args.from_scratch {
            given.remove("checkpoint");
        }
        let valid_is_default = !given.contains_key("valid");
        let settings = settle(given)?;
        settings.validate()?;
        let constant = settings.schedule == Schedule::Constant;
        let idle = super::idle([
            ("final_learning_rate", constant, "with a constant schedule"),
            ("square_momentum", settings.optimizer == OptimizerKind::Sgd, "with the optimizer sgd"),
        ]);
        super::warn_of_idle(&flags, [idle]);
        Ok(Resolved { settings, valid_is_default, data_are_recorded })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change.
    pub(crate) fn resume(path: &Path, args: &FinetuneArgs) -> Result<Self> {
        let mut table = read(path)?;
        let epochs = table.get("epochs").cloned();
        let changeable: Vec<&str> = ["epochs", "test", "data"].into_iter().chain(UNLEARNED_KEYS).collect();
        super::continue_with(&mut table, flags(args)?, &changeable)?;
        let settings = settle(table)?;
        settings.validate()?;
        super::warn_if_prolonged(settings.schedule, epochs.as_ref(), settings.epochs);
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        let from = if self.checkpoint.is_some() { "CKPT" } else { "--from-scratch --layers N,N" };
        Ok(format!("# Settings of this run; `dbn finetune {from} --config` with this file repeats it.\n{text}"))
    }

    /// What a checkpoint records: the settings that what is learned depends on. Where the model
    /// lay that was unrolled is none of them, nor whether it is tested.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        let mut learned = super::learned(&Self { checkpoint: None, ..self.clone() })?;
        learned.as_object_mut().map(|recipe| recipe.remove("test"));
        Ok(learned)
    }

    /// Settings of the training.
    pub(crate) fn config(&self) -> FinetuneConfig {
        FinetuneConfig {
            epochs: self.epochs,
            optimizer: self.optimizer,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            final_learning_rate: self.final_learning_rate,
            momentum: self.momentum,
            nesterov: self.nesterov,
            square_momentum: self.square_momentum,
            weight_cost: self.weight_cost,
            dropout: self.dropout,
            input_dropout: self.input_dropout,
            max_norm: self.max_norm,
            patience: self.patience,
            on_divergence: self.on_divergence,
            seed: self.run.seed,
            threads: self.run.threads,
        }
    }

    fn validate(&self) -> Result<()> {
        let precision = self.run.precision();
        if !precision.is_f32() {
            return Err(
                Failure::new(format!("precision is {precision}; backpropagation computes in f32")).hint(origin())
            );
        }
        self.config().validate().or_hint(origin)?;
        super::validate_layers(self.layers.as_deref())?;
        if self.batch_size == 0 {
            return Err(Failure::new("batch_size is 0; it must be at least 1").hint(origin()));
        }
        Ok(())
    }
}

/// What the command line and the environment say.
fn flags(args: &FinetuneArgs) -> Result<Table> {
    Table::try_from(args).or_fail(|| "cannot read the flags".into())
}

/// The built-in recipe of what is asked for.
fn built_in(given: &Table) -> Result<Table> {
    let autoencoder = given.get("as").and_then(|name| name.as_str()) == Some("autoencoder");
    recipe::built_in(if autoencoder { AUTOENCODER } else { CLASSIFIER })
}

/// The built-in recipe with `given` over it.
fn settle(given: Table) -> Result<FinetuneSettings> {
    let mut table = built_in(&given)?;
    table.extend(given);
    table.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

/// Reads a recipe.
fn read(path: &Path) -> Result<Table> {
    let table = recipe::read(path)?;
    let built_in = built_in(&table)?;
    let optional = OPTIONAL_KEYS.into_iter().chain(["checkpoint", "layers"]);
    let known: Vec<&str> = built_in.keys().map(String::as_str).chain(optional).collect();
    recipe::check(&path.display().to_string(), &table, &known, |key, value| {
        settle(Table::from_iter([(key.to_string(), value.clone())])).map(|_| ())
    })?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::RunArgs;

    fn resolve(recipe: &str) -> Result<FinetuneSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, recipe).unwrap();
        let args = FinetuneArgs { run: RunArgs { config: Some(path), ..Default::default() }, ..Default::default() };
        FinetuneSettings::resolve(&args, None).map(|resolved| resolved.settings)
    }

    #[test]
    fn both_built_in_recipes_are_complete() {
        assert_eq!(resolve("").unwrap().objective, Objective::Classifier);
        assert_eq!(resolve("as = \"autoencoder\"\n").unwrap().objective, Objective::Autoencoder);
        let dropout = include_str!("../../../../models/mnist-dropout.toml");
        assert!(resolve(dropout).unwrap().dropout > 0.0);
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let settings = resolve("optimizer = \"sgd\"\nnesterov = true\ndropout = 0.25\n").unwrap();
        assert_eq!(resolve(&settings.to_toml().unwrap()).unwrap(), settings);
    }

    #[test]
    fn wrong_settings_are_named() {
        let what = |recipe| resolve(recipe).unwrap_err().what().to_string();
        assert!(what("dropout = 1.5\n").starts_with("dropout is 1.5; it must be at least 0 and below 1"));
        assert!(what("dropuot = 0.5\n").ends_with("unknown key 'dropuot'"));
    }
}
