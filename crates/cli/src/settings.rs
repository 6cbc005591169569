//! Settings of a training, resolved once: flag, else `DBN_*` environment (both through clap),
//! else the recipe given by `--config`, else the built-in recipe.

use crate::args::PretrainArgs;
use crate::failure::{Explain, Failure, Result, closest};
use deepbelief_data::{Binarize, Header, ImageShape, LoadOptions, Scale, Source};
use deepbelief_rbm::{RbmConfig, Schedule, TrainConfig, VisibleBias, VisibleStates};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::Table;

/// The recipe that the defaults of `dbn pretrain` are.
const BUILT_IN: &str = include_str!("../../../models/mnist-rbm.toml");

/// Keys that have no default, so that the built-in recipe does not show them.
const OPTIONAL_KEYS: [&str; 2] = ["label_column", "image_size"];

/// Keys that may differ when a run is resumed: none of them changes what is learned, except
/// `epochs`, which says how long.
const RESUMABLE_KEYS: [&str; 5] = ["epochs", "threads", "device", "save_every", "picture_every"];

/// Keys that do not change what is learned and so are left out of a checkpoint: the same
/// training gives the same file.
const UNLEARNED_KEYS: [&str; 4] = ["threads", "device", "save_every", "picture_every"];

/// All settings of a training. The fields are the keys of a recipe and, with dashes, the flags
/// of `dbn pretrain`, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) data: Source,
    pub(crate) scale: Scale,
    pub(crate) label_column: Option<String>,
    pub(crate) header: Header,
    pub(crate) image_size: Option<ImageShape>,
    pub(crate) valid: usize,
    pub(crate) binarize: Binarize,
    pub(crate) batch_size: usize,
    pub(crate) balanced: bool,
    pub(crate) hidden: usize,
    pub(crate) weight_std: f64,
    pub(crate) visible_bias: VisibleBias,
    pub(crate) epochs: u32,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) final_learning_rate: f64,
    pub(crate) cd_steps: u32,
    pub(crate) persistent_chains: usize,
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
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) device: String,
    pub(crate) save_every: u32,
    pub(crate) picture_every: u32,
}

/// Settings and what is known of where they came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    /// Nobody asked for this number of validation samples: it may shrink to fit the data.
    pub(crate) valid_is_default: bool,
}

impl Settings {
    /// Settings of a new run.
    pub(crate) fn resolve(args: &PretrainArgs) -> Result<Resolved> {
        let mut given = match &args.config {
            Some(path) => read_recipe(path)?,
            None => Table::new(),
        };
        given.extend(flags(args)?);
        let valid_is_default = !given.contains_key("valid");
        let settings = from_table(given)?;
        settings.validate()?;
        Ok(Resolved { settings, valid_is_default })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change.
    pub(crate) fn resume(path: &Path, args: &PretrainArgs) -> Result<Self> {
        let mut table = read_recipe(path)?;
        let epochs = table.get("epochs").cloned();
        for (key, value) in flags(args)? {
            let before = table.get(&key);
            if !RESUMABLE_KEYS.contains(&key.as_str()) && before != Some(&value) {
                let flag = key.replace('_', "-");
                let before = before.map_or("not set".to_string(), ToString::to_string);
                return Err(Failure::new(format!("--{flag} is {value}, but {before} in the run to resume")).hint(
                    format!("a resumed run keeps its settings; --{} may change", RESUMABLE_KEYS.join(", --"))
                        .replace('_', "-"),
                ));
            }
            table.insert(key, value);
        }
        let settings = from_table(table)?;
        settings.validate()?;
        if settings.schedule != Schedule::Constant && epochs != Some(toml::Value::from(settings.epochs)) {
            tracing::warn!(
                "the learning rate's schedule spans all epochs: with another number of them this run follows \
                 another path than one that had it from the start"
            );
        }
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        Ok(format!("# Settings of this run; `dbn pretrain --config` with this file repeats it.\n{text}"))
    }

    /// What a checkpoint records: the settings that what is learned depends on.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        let mut value = serde_json::to_value(self)?;
        if let Some(map) = value.as_object_mut() {
            map.retain(|key, value| !UNLEARNED_KEYS.contains(&key.as_str()) && !value.is_null());
        }
        Ok(value)
    }

    /// How the data are read.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let defaults = LoadOptions::default();
        LoadOptions {
            scale: self.scale,
            header: self.header,
            label_column: self.label_column.clone(),
            image_size: self.image_size.unwrap_or(defaults.image_size),
            ..defaults
        }
    }

    /// Settings of the model.
    pub(crate) fn rbm_config(&self) -> RbmConfig {
        RbmConfig {
            visible: None,
            hidden: self.hidden,
            weight_std: self.weight_std,
            visible_bias: self.visible_bias,
            seed: self.seed,
        }
    }

    /// Settings of the trainer.
    pub(crate) fn train_config(&self) -> TrainConfig {
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
            cd_steps: self.cd_steps,
            persistent_chains: self.persistent_chains,
            visible_states: self.visible_states,
            sparsity_target: self.sparsity_target,
            sparsity_cost: self.sparsity_cost,
            tolerance: self.tolerance,
            patience: self.patience,
            seed: self.seed,
            threads: self.threads,
        }
    }

    fn validate(&self) -> Result<()> {
        let hint = || "it may come from a flag, a DBN_ variable or the recipe".to_string();
        self.rbm_config().validate().or_hint(hint)?;
        self.train_config().validate().or_hint(hint)?;
        if self.batch_size == 0 {
            return Err(Failure::new("batch_size is 0; it must be at least 1").hint(hint()));
        }
        if self.device != "auto" && self.device != "cpu" {
            return Err(Failure::new(format!("device is '{}'; this build knows auto and cpu", self.device)));
        }
        Ok(())
    }
}

/// What the command line and the environment say.
fn flags(args: &PretrainArgs) -> Result<Table> {
    Table::try_from(args).or_fail(|| "cannot read the flags".into())
}

/// The built-in recipe with `given` over it.
fn from_table(given: Table) -> Result<Settings> {
    let mut table: Table = BUILT_IN.parse().or_fail(|| "the built-in recipe is broken".into())?;
    table.extend(given);
    table.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

/// Reads a recipe; every key must be one that exists, every value of its kind.
fn read_recipe(path: &Path) -> Result<Table> {
    let name = path.display();
    let text = std::fs::read_to_string(path).or_fail(|| format!("cannot read the recipe {name}"))?;
    let recipe: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        Failure::new(format!("{name}, line {line}: not TOML ({})", error.message()))
    })?;
    let built_in: Table = BUILT_IN.parse().or_fail(|| "the built-in recipe is broken".into())?;
    let known = || built_in.keys().map(String::as_str).chain(OPTIONAL_KEYS);
    if let Some(key) = recipe.keys().find(|key| !known().any(|known| known == key.as_str())) {
        let failure = Failure::new(format!("{name}: unknown key '{key}'"));
        return Err(match closest(key, known()) {
            Some(word) => failure.hint(format!("did you mean '{word}'?")),
            None => failure.hint(format!("the keys are {}", known().collect::<Vec<_>>().join(", "))),
        });
    }
    // One key at a time, so that the message names the one at fault.
    for (key, value) in &recipe {
        from_table(Table::from_iter([(key.clone(), value.clone())])).map_err(|failure| {
            let reason =
                failure.causes().first().and_then(|cause| cause.lines().next()).unwrap_or_default().to_string();
            Failure::new(format!("{name}: '{key}' is {value}: {reason}"))
        })?;
    }
    Ok(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(text: &str) -> Result<Resolved> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, text).unwrap();
        Settings::resolve(&PretrainArgs { config: Some(path), ..Default::default() })
    }

    #[test]
    fn the_built_in_recipe_is_complete_and_valid() {
        let resolved = Settings::resolve(&PretrainArgs::default()).unwrap();
        assert!(resolved.valid_is_default);
        assert_eq!(resolved.settings.data, Source::Mnist);
    }

    #[test]
    fn a_flag_beats_the_recipe_and_the_recipe_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, "hidden = 7\nepochs = 9\nvalid = 3").unwrap();
        let args = PretrainArgs { config: Some(path), epochs: Some(11), ..Default::default() };
        let Resolved { settings, valid_is_default } = Settings::resolve(&args).unwrap();
        assert_eq!((settings.hidden, settings.epochs, settings.valid), (7, 11, 3));
        assert!(!valid_is_default);
        let default = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        assert_eq!(settings.learning_rate, default.learning_rate);
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let mut settings = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        settings.label_column = Some("class".into());
        settings.learning_rate = 1.0 / 3.0;
        assert_eq!(recipe(&settings.to_toml().unwrap()).unwrap().settings, settings);
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
        assert_eq!(
            refusal("hidden = \"many\"").0,
            ": 'hidden' is \"many\": invalid type: string \"many\", expected usize"
        );
        assert!(refusal("schedule = \"cosine\"").0.contains("'schedule' is \"cosine\": unknown variant `cosine`"));
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let failure = recipe("learning_rate = -1.0").unwrap_err();
        assert_eq!(failure.what(), "learning_rate is -1; it must be a positive number");
        assert_eq!(recipe("batch_size = 0").unwrap_err().what(), "batch_size is 0; it must be at least 1");
    }

    #[test]
    fn a_resumed_run_keeps_what_was_learned_by() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let settings = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        std::fs::write(&path, settings.to_toml().unwrap()).unwrap();
        let hidden = Some(settings.hidden as u32);
        let more = PretrainArgs { epochs: Some(99), threads: Some(2), hidden, ..Default::default() };
        let resumed = Settings::resume(&path, &more).unwrap();
        assert_eq!(resumed, Settings { epochs: 99, threads: 2, ..settings.clone() });
        let other = PretrainArgs { learning_rate: Some(0.123), ..Default::default() };
        let failure = Settings::resume(&path, &other).unwrap_err();
        let was = settings.learning_rate;
        assert_eq!(failure.what(), format!("--learning-rate is 0.123, but {was} in the run to resume"));
    }

    #[test]
    fn a_checkpoint_does_not_know_how_many_threads_trained_it() {
        let settings = Settings::resolve(&PretrainArgs::default()).unwrap().settings;
        let other = Settings { threads: 3, save_every: 1, ..settings.clone() };
        assert_eq!(settings.recipe().unwrap(), other.recipe().unwrap());
        assert_ne!(settings.recipe().unwrap(), Settings { seed: 2, ..settings }.recipe().unwrap());
    }
}
