//! Settings of `dbn tune`: flag, else environment, else recipe; what they leave open of the data
//! as the checkpoint had it; else the built-in recipe.

use super::{DataSettings, LABELLED, OPTIONAL_KEYS, Resolved, RunSettings, UNLEARNED_KEYS, inherited, origin, recipe};
use crate::args::{TuneArgs, per_layer};
use crate::failure::{Explain, Failure, Result, count};
use deepbelief_rbm::{OnDivergence, Provenance, Schedule, is_default};
use deepbelief_wake_sleep::{LayerRates, Part, TopModel, TopSteps, TuneConfig, UnitChoices, Units};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::Table;

/// The recipe that the defaults of `dbn tune` are.
const BUILT_IN: &str = include_str!("../../../../models/mnist-dbn-tune.toml");

/// A rate of all directed layers, or one a layer, from the bottom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, or an array of them with one a layer")]
pub(crate) enum Rate {
    All(f64),
    Each(Vec<f64>),
}

/// All settings of a tuning. The fields are the keys of a recipe and, with dashes, the flags of
/// `dbn tune`, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TuneSettings {
    /// What is tuned; none starts from scratch.
    pub(crate) checkpoint: Option<PathBuf>,
    /// Hidden units of a net from scratch.
    pub(crate) layers: Option<Vec<usize>>,
    pub(crate) weight_std: f64,
    pub(crate) top: TopModel,
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    /// Training samples that are learned from; none or 0: all.
    pub(crate) labelled: Option<usize>,
    pub(crate) batch_size: usize,
    pub(crate) top_steps: TopSteps,
    pub(crate) wake_rate: Rate,
    pub(crate) sleep_rate: Rate,
    pub(crate) top_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) final_share: f64,
    pub(crate) momentum: f64,
    pub(crate) weight_cost: f64,
    pub(crate) persistent_chains: usize,
    pub(crate) freeze: Vec<Part>,
    pub(crate) patience: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) on_divergence: OnDivergence,
    pub(crate) wake_units: Units,
    pub(crate) penultimate_units: Units,
    pub(crate) label_units: Units,
    pub(crate) top_statistics: Units,
    pub(crate) sleep_units: Units,
    pub(crate) visible_units: Units,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
}

impl TuneSettings {
    /// The checkpoint that a new run starts from; none for one from scratch.
    pub(crate) fn checkpoint(args: &TuneArgs) -> Result<Option<PathBuf>> {
        let in_recipe = || -> Result<Option<PathBuf>> {
            let recipe = args.run.config.as_deref().map(read).transpose()?;
            Ok(recipe.as_ref().and_then(|recipe| recipe.get("checkpoint")?.as_str()).map(PathBuf::from))
        };
        match &args.checkpoint {
            _ if args.from_scratch => Ok(None),
            Some(path) => Ok(Some(path.clone())),
            None => in_recipe(),
        }
    }

    /// Settings of a new run from a model of this provenance.
    pub(crate) fn resolve(args: &TuneArgs, from: Option<&Provenance>) -> Result<Resolved<Self>> {
        let of_scratch = [("--layers", args.layers.is_some()), ("--weight-std", args.weight_std.is_some())];
        if let Some((flag, _)) = of_scratch.into_iter().find(|&(_, given)| given && !args.from_scratch) {
            return Err(Failure::new(format!("{flag} goes with --from-scratch: a checkpoint has layers of its own")));
        }
        let mut given = match from {
            Some(provenance) => inherited(provenance),
            None => Table::new(),
        };
        // A sigmoid belief net stays one.
        if let Some(top) = from.and_then(|provenance| provenance.recipe.get("top")?.as_str()) {
            given.insert("top".into(), top.into());
        }
        let recipe = args.run.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let flags = flags(args)?;
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
        super::warn_of_idle(&flags, [super::idle([("final_share", constant, "with a constant schedule")])]);
        Ok(Resolved { settings, valid_is_default, data_are_recorded })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change.
    pub(crate) fn resume(path: &Path, args: &TuneArgs) -> Result<Self> {
        let mut table = read(path)?;
        let changeable: Vec<&str> = ["data"].into_iter().chain(UNLEARNED_KEYS).collect();
        super::continue_with(&mut table, flags(args)?, &changeable)?;
        let settings = settle(table)?;
        settings.validate()?;
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        let again = if self.checkpoint.is_some() { "dbn tune CKPT" } else { "dbn tune --from-scratch --layers N,N" };
        Ok(format!("# Settings of this run; `{again} --config` with this file repeats it.\n{text}"))
    }

    /// What a checkpoint records: the settings that what is learned depends on. Where the model
    /// lay that was tuned is none of them.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        super::learned(&Self { checkpoint: None, ..self.clone() })
    }

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
        Ok(TuneConfig {
            top_steps: self.top_steps.clone(),
            wake_rate,
            sleep_rate,
            top_rate: self.top_rate,
            layers: wake.iter().zip(&sleep).map(own).collect(),
            schedule: self.schedule,
            final_share: self.final_share,
            momentum: self.momentum,
            weight_cost: self.weight_cost,
            persistent_chains: self.persistent_chains,
            freeze: self.freeze.clone(),
            top: self.top,
            units: UnitChoices {
                wake: self.wake_units,
                penultimate: self.penultimate_units,
                label: self.label_units,
                top_statistics: self.top_statistics,
                sleep: self.sleep_units,
                visible: self.visible_units,
            },
            patience: self.patience,
            on_divergence: self.on_divergence,
            seed: self.run.seed,
            precision: self.run.precision(),
            threads: self.run.threads,
        })
    }

    fn validate(&self) -> Result<()> {
        let each = |rate: &Rate| if let Rate::Each(rates) = rate { rates.len() } else { 0 };
        self.tune_config(each(&self.wake_rate).max(each(&self.sleep_rate)))?.validate().or_hint(origin)?;
        super::validate_layers(self.layers.as_deref())?;
        if self.batch_size == 0 {
            return Err(Failure::new("batch_size is 0; it must be at least 1").hint(origin()));
        }
        Ok(())
    }
}

/// What the command line and the environment say.
fn flags(args: &TuneArgs) -> Result<Table> {
    let mut table = Table::try_from(args).or_fail(|| "cannot read the flags".into())?;
    for (key, text) in [("wake_rate", &args.wake_rate), ("sleep_rate", &args.sleep_rate)] {
        if let Some(text) = text {
            table.insert(key.into(), per_layer(text));
        }
    }
    Ok(table)
}

/// The built-in recipe with `given` over it.
fn settle(given: Table) -> Result<TuneSettings> {
    let mut table = recipe::built_in(BUILT_IN)?;
    table.extend(given);
    table.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

/// Reads a recipe.
fn read(path: &Path) -> Result<Table> {
    let (table, built_in) = (recipe::read(path)?, recipe::built_in(BUILT_IN)?);
    let optional = OPTIONAL_KEYS.into_iter().chain(["checkpoint", "layers", LABELLED]);
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

    fn resolve(recipe: &str, from: Option<&Provenance>) -> Result<TuneSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, recipe).unwrap();
        let args = TuneArgs { run: RunArgs { config: Some(path), ..Default::default() }, ..Default::default() };
        TuneSettings::resolve(&args, from).map(|resolved| resolved.settings)
    }

    /// The built-in recipe is the paper's algorithm: its schedule, and what it samples.
    #[test]
    fn the_built_in_recipe_is_complete_and_the_papers() {
        let config = resolve("", None).unwrap().tune_config(2).unwrap();
        let expected = TuneConfig::default();
        assert_eq!((config.top_steps, config.units), (expected.top_steps, expected.units));
        assert_eq!((config.layers, config.freeze), (vec![LayerRates::default(); 2], expected.freeze));
    }

    #[test]
    fn the_data_are_read_as_the_checkpoint_was_trained_on_them() {
        let recipe = serde_json::json!({"data": "csv:a.csv", "label_column": "last", "seed": 7, "epochs": 3});
        let provenance = Provenance { recipe, ..Default::default() };
        let settings = resolve("seed = 8\n", Some(&provenance)).unwrap();
        assert_eq!(settings.data.data.to_string(), "csv:a.csv");
        assert_eq!(settings.data.label_column.as_deref(), Some("last"));
        assert_eq!(settings.run.seed, 8, "a recipe beats the checkpoint");
    }

    #[test]
    fn rates_are_one_or_one_a_layer() {
        let settings = resolve("wake_rate = [0.1, 0.2]\nsleep_rate = 0.3\n", None).unwrap();
        let config = settings.tune_config(2).unwrap();
        assert_eq!(config.layers[1], LayerRates { wake_rate: Some(0.2), sleep_rate: None });
        assert_eq!(config.sleep_rate, 0.3);
        let failure = settings.tune_config(3).unwrap_err();
        assert_eq!(failure.what(), "wake_rate has 2 values, but the model has 3 directed layers under its top");
        assert!(resolve("wake_rate = -1.0\n", None).unwrap_err().what().starts_with("wake_rate is -1"));
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let settings = resolve("top_steps = \"2x3\"\nfreeze = [\"top\"]\nwake_rate = [0.25, 0.5]\n", None).unwrap();
        assert_eq!(resolve(&settings.to_toml().unwrap(), None).unwrap(), settings);
    }
}
