//! Settings of a training, resolved once: flag, else `DBN_*` environment (both through clap),
//! else the recipe given by `--config`, else the built-in recipe.

#[cfg(test)]
mod damaged;
mod finetune;
mod gather;
mod learning;
mod pretrain;
mod recipe;
mod stack;
mod tune;

pub(crate) use finetune::FinetuneSettings;
pub(crate) use learning::LearningSettings;
pub(crate) use pretrain::PretrainSettings;
pub(crate) use stack::StackSettings;
pub(crate) use tune::TuneSettings;

use crate::device::DeviceName;
use crate::failure::{Explain, Failure, Result};
use crate::save_every::SaveEvery;
use deepbelief_data::{Binarize, Dataset, Fetch, Header, ImageShape, LoadOptions, Scale, Source};
use deepbelief_kernels::Precision;
use deepbelief_rbm::{Provenance, RbmConfig, Schedule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Keys that have no default, so that a built-in recipe does not show them.
const OPTIONAL_KEYS: [&str; 4] = ["label_column", "feature_column", "image_size", "precision"];

/// Optional too, of the verbs that learn labels.
const LABELLED: &str = "labelled";

/// Keys that do not change what is learned: they may differ when a run is resumed, and a
/// checkpoint leaves them out, so that the same training gives the same file.
const UNLEARNED_KEYS: [&str; 5] = ["threads", "device", "max_memory", "save_every", "picture_every"];

/// What is learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataSettings {
    pub(crate) data: Source,
    pub(crate) scale: Scale,
    pub(crate) label_column: Option<String>,
    pub(crate) feature_column: Option<String>,
    pub(crate) header: Header,
    pub(crate) image_size: Option<ImageShape>,
    pub(crate) valid: usize,
    pub(crate) binarize: Binarize,
    pub(crate) balanced: bool,
}

impl DataSettings {
    /// How the data are read.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let defaults = LoadOptions::default();
        LoadOptions {
            scale: self.scale,
            header: self.header,
            label_column: self.label_column.clone(),
            feature_column: self.feature_column.clone(),
            image_size: self.image_size.unwrap_or(defaults.image_size),
            fetch: Fetch(crate::hub::dataset),
            ..defaults
        }
    }

    /// Fills in what only the data tell: the shape of a picture, the range of values, and, where nobody asked for a
    /// number of validation samples, one that is at most a sixth of all.
    pub(crate) fn complete(&mut self, data: &Dataset, valid_is_default: bool) {
        if valid_is_default {
            self.valid = self.valid.min(data.train.samples() / 6);
        }
        self.image_size = self.image_size.or(data.image);
        // The range that was found, so that other data are read alike.
        if self.scale == Scale::MinMax {
            self.scale = Scale::from(data.scaling);
        }
    }
}

/// How a training runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunSettings {
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) device: DeviceName,
    /// F32 where nothing is said.
    pub(crate) precision: Option<Precision>,
    /// MiB; 0 leaves it to what is free.
    pub(crate) max_memory: u32,
    pub(crate) save_every: SaveEvery,
    pub(crate) picture_every: u32,
}

impl RunSettings {
    /// What products are computed in.
    pub(crate) fn precision(&self) -> Precision {
        self.precision.unwrap_or_default()
    }
}

/// Settings and what is known of where they came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved<S> {
    pub(crate) settings: S,
    /// Nobody asked for this number of validation samples: it may shrink to fit the data.
    pub(crate) valid_is_default: bool,
    /// Nobody asked for these data but the model that is to be trained on.
    pub(crate) data_are_recorded: bool,
}

/// Where a setting out of range may come from.
fn origin() -> String {
    "it may come from a flag, a DBN_ variable or the recipe".into()
}

/// Checks the layers of a net from scratch, before the memory that they would take is computed.
fn validate_layers(layers: Option<&[usize]>) -> Result<()> {
    for &hidden in layers.unwrap_or_default() {
        RbmConfig { hidden, ..Default::default() }.validate().or_hint(origin)?;
    }
    Ok(())
}

/// What a checkpoint records: the settings that what is learned depends on.
fn learned(settings: &impl Serialize) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(settings)?;
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, value| !UNLEARNED_KEYS.contains(&key.as_str()) && !value.is_null());
    }
    Ok(value)
}

/// Keys that a checkpoint says how it was trained by.
const INHERITED_KEYS: [&str; 11] = [
    "data",
    "scale",
    "label_column",
    "feature_column",
    "header",
    "image_size",
    "valid",
    "binarize",
    "balanced",
    LABELLED,
    "seed",
];

/// What a checkpoint says of the data it was trained on, as far as it does.
fn inherited(provenance: &Provenance) -> Table {
    let recipe = provenance.recipe.as_object().into_iter().flatten();
    recipe
        .filter(|(key, _)| INHERITED_KEYS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), Value::try_from(value).ok()?)))
        .collect()
}

/// Keys of settings that change nothing, as others are, each with the reason.
type Idle = BTreeMap<&'static str, &'static str>;

/// Of settings that may change nothing, those that do not.
fn idle<const N: usize>(settings: [(&'static str, bool, &'static str); N]) -> Idle {
    settings.into_iter().filter_map(|(key, idle, reason)| idle.then_some((key, reason))).collect()
}

/// Warns of flags that change nothing in any of the layers that are to learn.
fn warn_of_idle(flags: &Table, layers: impl IntoIterator<Item = Idle>) {
    let everywhere =
        layers.into_iter().reduce(|all, layer| all.into_iter().filter(|(key, _)| layer.contains_key(key)).collect());
    for (key, reason) in everywhere.into_iter().flatten().filter(|(key, _)| flags.contains_key(*key)) {
        tracing::warn!("--{} changes nothing {reason}", key.replace('_', "-"));
    }
}

/// Warns of a run that is to end after more epochs than it was started with, where its schedule depends
/// on that.
fn warn_if_prolonged(schedule: Schedule, before: Option<&Value>, now: u32) {
    if schedule != Schedule::Constant
        && before.and_then(Value::as_integer).is_some_and(|before| i64::from(now) > before)
    {
        tracing::warn!(
            "the learning rate's schedule spans all epochs: with another number of them this run follows \
             another path than one that had it from the start"
        );
    }
}

/// Puts `flags` over the settings `table` of a run that is to continue; a flag that is not
/// `changeable` must agree with them.
fn continue_with(table: &mut Table, flags: Table, changeable: &[&str]) -> Result<()> {
    for (key, value) in flags {
        let before = table.get(&key);
        if !changeable.contains(&key.as_str()) && before != Some(&value) {
            let before = before.map_or("not set".to_string(), ToString::to_string);
            let flag = key.replace('_', "-");
            let hint = format!("a resumed run keeps its settings; --{} may change", changeable.join(", --"));
            return Err(Failure::new(format!("--{flag} is {value}, but {before} in the run to resume"))
                .hint(hint.replace('_', "-")));
        }
        table.insert(key, value);
    }
    Ok(())
}
