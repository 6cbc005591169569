//! Settings of a new run, and of one that resumes.

use super::common::Settings;
use super::unused;
use crate::data::schema_file;
use crate::failure::{Failure, Result};
use crate::options::{Opt, flag};
use deepbelief_rbm::{Provenance, Schedule};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Options given on the command line or in the environment, by key.
    pub(crate) flags: Table,
    /// What to say of how they were given.
    pub(crate) notes: Vec<String>,
    /// A recipe.
    pub(crate) config: Option<PathBuf>,
    /// Whether the net starts from random weights, where a verb starts from a model otherwise.
    pub(crate) from_scratch: bool,
}

impl Asked {
    /// The checkpoint that a new run starts from; none for one from scratch.
    pub(crate) fn checkpoint(&self) -> Option<PathBuf> {
        let path = self.flags.get("checkpoint").filter(|_| !self.from_scratch)?;
        path.as_str().map(PathBuf::from)
    }
}

/// Settings and what is known of where they came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolved<S> {
    pub(crate) settings: S,
    /// What was asked for.
    pub(crate) said: Said,
    /// Nobody asked for these data but the model that is to be trained on.
    pub(crate) data_are_recorded: bool,
    /// Nobody asked for minibatches of this size but the model that is to be trained on.
    pub(crate) batch_is_recorded: bool,
}

/// What was asked for, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// In the recipe, or by the model that is to be trained on.
    pub(crate) recipe: Table,
    /// By flags and the environment.
    pub(crate) flags: Table,
}

impl Said {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.flags.get(key).or_else(|| self.recipe.get(key))
    }

    /// Whether anybody spoke of a key, be it of one layer.
    pub(crate) fn has(&self, key: &str) -> bool {
        let tables = self.recipe.values().flat_map(|v| v.as_array().map_or(std::slice::from_ref(v), Vec::as_slice));
        self.get(key).is_some() || tables.filter_map(Value::as_table).any(|layer| layer.contains_key(key))
    }

    /// How many layers a stack has, if anybody said so.
    pub(crate) fn depth(&self) -> Option<usize> {
        let layers = self.get("layers").or_else(|| self.recipe.get("layer"));
        layers.and_then(Value::as_array).map(Vec::len)
    }
}

/// Settings of a new run from a model of this provenance.
pub(crate) fn resolve<S: Settings>(asked: &Asked, from: Option<&Provenance>) -> Result<Resolved<S>> {
    asked.notes.iter().for_each(|note| tracing::warn!("{note}"));
    let flags = &asked.flags;
    let starts_from_a_model = S::VERB.option("checkpoint").is_some() && !asked.from_scratch;
    if let Some(key) = ["layers", "weight_std"].into_iter().find(|&key| starts_from_a_model && flags.contains_key(key))
    {
        let flag = flag(key);
        return Err(Failure::new(format!("{flag} goes with --from-scratch: a checkpoint has layers of its own")));
    }
    let mut recipe = asked.config.as_deref().map(S::read).transpose()?.unwrap_or_default();
    if asked.from_scratch {
        recipe.remove("checkpoint");
    }
    schema_file::require_alone(|key| flags.contains_key(key))?;
    schema_file::yield_to(&mut recipe, flags);
    let mut inherited = from.map_or_else(Table::new, |from| inherited::<S>(from, flags, &recipe));
    schema_file::yield_to(&mut inherited, &recipe);
    schema_file::yield_to(&mut inherited, flags);
    let is_asked = |key| recipe.contains_key(key) || flags.contains_key(key);
    let data_are_recorded = inherited.contains_key("data") && !is_asked("data");
    let batch_is_recorded = inherited.contains_key("batch_size") && !is_asked("batch_size");
    let settings = S::combine(&inherited, &recipe, flags)?;
    settings.validate()?;
    unused::warn(flags, &settings.unused());
    let mut said = Said { recipe: inherited, flags: flags.clone() };
    said.recipe.extend(recipe);
    Ok(Resolved { settings, said, data_are_recorded, batch_is_recorded })
}

/// What says nothing of data of another format.
const OF_FORMAT: [&str; 10] = [
    "label_column",
    "feature_column",
    "weight_column",
    "unknown",
    "inserts",
    "max_gaps",
    "deduplicate",
    "reweight",
    "weights",
    "valid_clusters",
];

/// What a model says of the data it was trained on, as far as it does.
fn inherited<S: Settings>(from: &Provenance, flags: &Table, recipe: &Table) -> Table {
    // How many labels the net had been given is nothing to what learns none.
    let learns_labels = flags.get("as").or(recipe.get("as")).and_then(Value::as_str) != Some("autoencoder");
    let recorded = |key: &str| Value::try_from(from.recipe.get(key)?).ok();
    // Which columns hold what says nothing of data of another format.
    let format = |data: Option<&Value>| data.and_then(Value::as_str)?.split(':').next().map(String::from);
    let now = format(flags.get("data").or(recipe.get("data")));
    let same_format = now.is_none() || now == format(recorded("data").as_ref());
    S::VERB
        .options()
        .filter(|opt| same_format || !OF_FORMAT.contains(&opt.key))
        // A sigmoid belief net stays one.
        .filter(|opt| opt.inherited || opt.key == "top")
        .filter(|opt| opt.key != "labelled" || learns_labels)
        .filter_map(|opt| Some((opt.key.to_string(), recorded(opt.key)?)))
        .chain(small_minibatches::<S>(&from.recipe))
        .collect()
}

/// The key and size of the minibatches that a model of this recipe learned from, where they are smaller than the
/// default. A model of few samples learned from small minibatches. With larger ones it would hardly move.
pub(crate) fn small_minibatches<S: Settings>(recipe: &serde_json::Value) -> Option<(String, Value)> {
    let key = "batch_size";
    // The recipe of a stack has a table a layer, of which the lowest says how the data were dealt.
    let of_lowest = || recipe.get("layer")?.get(0)?.get(key);
    let had = recipe.get(key).or_else(of_lowest)?.as_i64()?;
    let most = S::built_in(&Table::new()).flat().ok()?.get(key)?.as_integer()?;
    (had < most).then(|| (key.into(), Value::Integer(had)))
}

/// Settings of the run whose `config.toml` is `path`, with the changes that were asked for.
pub(crate) fn resume<S: Settings>(path: &Path, asked: &Asked) -> Result<S> {
    asked.notes.iter().for_each(|note| tracing::warn!("{note}"));
    let (recipe, none) = (S::read(path)?, Table::new());
    let before = S::combine(&none, &recipe, &none)?;
    let table = before.flat()?;
    for (key, value) in &asked.flags {
        let (opt, before) = (S::VERB.option(key), table.get(key));
        if opt.is_some_and(|opt| opt.may_change(S::VERB)) || before.is_some_and(|before| is_same(before, value)) {
            continue;
        }
        let before = before.map_or("not set".to_string(), ToString::to_string);
        let changeable = S::VERB.options().filter(|opt| opt.may_change(S::VERB)).map(Opt::flag);
        let changeable: Vec<String> = changeable.collect();
        return Err(Failure::new(format!("{} is {value}, but {before} in the run to resume", flag(key)))
            .hint(format!("a resumed run keeps its settings; {} may change", changeable.join(", "))));
    }
    let settings = S::combine(&none, &recipe, &asked.flags)?;
    settings.validate()?;
    if let (Some((schedule, now)), Some((_, before))) = (settings.span(), before.span())
        && schedule != Schedule::Constant
        && now > before
    {
        tracing::warn!(
            "the learning rate's schedule spans all epochs: with another number of them this run follows another path \
             than one that had it from the start"
        );
    }
    Ok(settings)
}

/// Whether two values say the same; one value stands for as many as there are layers.
fn is_same(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| value.as_float().or(value.as_integer().map(|number| number as f64));
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Array(all), one) | (one, Value::Array(all)) => {
            !all.is_empty() && all.iter().all(|each| is_same(each, one))
        }
        _ => a == b || number(a).is_some_and(|a| Some(a) == number(b)),
    }
}
