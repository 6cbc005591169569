//! What settings of all trainings can do.

use super::data::{DataSettings, RunSettings};
use super::recipe;
use super::unused::UnusedOption;
use crate::data::schema_file::{self, SCHEMA};
use crate::failure::{Explain, Failure, Result};
use crate::options::Verb;
use crate::toml_file;
use deepbelief_rbm::{Optimizer, RbmConfig, Schedule, UnitMix};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::{Table, Value};

/// All settings of a verb that trains. Their fields are the keys of a recipe, which the table of options describes.
pub(crate) trait Settings: Sized + Clone + Serialize + DeserializeOwned {
    /// The verb.
    const VERB: Verb;

    /// The built-in recipe for what was asked, by key.
    fn built_in(asked: &Table) -> Self;

    /// Checks everything.
    fn validate(&self) -> Result<()>;

    /// What the data are.
    fn data(&self) -> &DataSettings;

    /// The same, to complete.
    fn data_mut(&mut self) -> &mut DataSettings;

    /// How the training runs.
    fn run(&self) -> &RunSettings;

    /// Seed of everything drawn.
    fn seed(&self) -> u64;

    /// Threads; 0 takes one a core.
    fn threads(&self) -> usize;

    /// How the learning rate moves, and over how many epochs, where a resume may prolong a run.
    fn span(&self) -> Option<(Schedule, u32)> {
        None
    }

    /// Options that change nothing with these settings, in each of the layers that learn.
    fn unused(&self) -> Vec<Vec<UnusedOption>> {
        Vec::new()
    }

    /// Every option by its key; a stack has an array where its layers differ.
    fn flat(&self) -> Result<Table> {
        let mut table = to_table(self)?;
        table.retain(|key, _| Self::VERB.option(key).is_some());
        Ok(table)
    }

    /// What was asked over the built-in recipe. `inherited` comes from a model, `recipe` from a file, `flags` from
    /// the command line and the environment; each beats those before it.
    fn combine(inherited: &Table, recipe: &Table, flags: &Table) -> Result<Self> {
        let mut asked = inherited.clone();
        asked.extend(recipe.clone());
        asked.extend(flags.clone());
        let mut table = Self::built_in(&asked).flat()?;
        table.extend(asked);
        from_table(table)
    }

    /// Reads a recipe.
    fn read(path: &Path) -> Result<Table> {
        let table = read::<Self>(path)?;
        Self::check(&path.display().to_string(), &table)?;
        Ok(table)
    }

    /// Checks a recipe that stands at `place`.
    fn check(place: &str, table: &Table) -> Result<()> {
        let known: Vec<&str> = Self::VERB.options().map(|opt| opt.key).collect();
        recipe::check(place, table, &known, |key, value| {
            let alone = Table::from_iter([(key.to_string(), value.clone())]);
            Self::combine(&Table::new(), &alone, &Table::new()).map(|_| ())
        })
    }

    /// The words after `dbn` that train by the same settings again, without `--config`.
    fn again(&self) -> String {
        Self::VERB.name().to_string()
    }
}

/// Reads a recipe's table, with the names that options have now and the schema that it may name.
fn read<S: Settings>(path: &Path) -> Result<Table> {
    let mut table = toml_file::read(path, "recipe")?;
    for opt in S::VERB.options() {
        if let Some(value) = opt.was.and_then(|name| table.remove(name)) {
            table.entry(opt.key).or_insert(value);
        }
    }
    if let Some(schema) = table.get_mut(SCHEMA) {
        *schema = schema_file::resolve(schema).or_fail(|| format!("cannot use the recipe {}", path.display()))?;
    }
    Ok(table)
}

pub(super) fn from_table<T: DeserializeOwned>(table: Table) -> Result<T> {
    table.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

pub(super) fn to_table(settings: &impl Serialize) -> Result<Table> {
    Table::try_from(settings).or_fail(|| "cannot write the settings as TOML".into())
}

/// Where a setting out of range may come from.
pub(crate) fn origin() -> String {
    "it may come from a flag, a DBN_ variable or the recipe".into()
}

/// The words after `dbn` that train a net again, which starts from a checkpoint or from scratch.
pub(super) fn again_from(verb: Verb, checkpoint: Option<&Path>) -> String {
    let from = if checkpoint.is_some() { "CKPT" } else { "--from-scratch --layers N,N" };
    format!("{} {from}", verb.name())
}

/// Checks the layers of a net from scratch, before the memory that they would take is computed.
pub(super) fn validate_layers(layers: Option<&[usize]>) -> Result<()> {
    for &hidden in layers.unwrap_or_default() {
        RbmConfig { hidden, ..Default::default() }.validate().or_hint(origin)?;
    }
    Ok(())
}

/// Refuses minibatches of nothing.
pub(super) fn validate_batch_size(batch_size: usize) -> Result<()> {
    if batch_size == 0 {
        return Err(Failure::new("batch_size is 0; it must be at least 1").hint(origin()));
    }
    Ok(())
}

/// The name of a word of a setting, such as `autoencoder`.
pub(super) fn word<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Value::as_str)
}

/// The learning rate that was asked for, which the last one depends on.
pub(super) fn first_rate(asked: &Table) -> Option<f64> {
    let rate = asked.get("learning_rate")?;
    rate.as_float().or(rate.as_integer().map(|rate| rate as f64)).filter(|rate| *rate > 0.0)
}

/// The hidden units that were asked for, which defaults depend on.
pub(super) fn hidden_units(asked: &Table) -> UnitMix {
    word(asked, "hidden_units").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The same of the optimizer.
pub(super) fn optimizer(asked: &Table) -> Optimizer {
    if word(asked, "optimizer") == Some("adam") { Optimizer::Adam } else { Optimizer::Sgd }
}
