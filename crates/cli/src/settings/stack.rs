//! Settings of `dbn stack`.

use super::builder::{SettingsBuilder, layer_table};
use super::common::{Settings, from_table, origin, to_table, validate_batch_size};
use super::data::{DataSettings, RunSettings};
use super::unused::{self, UnusedOption};
use crate::failure::{Failure, Result};
use crate::machine::ranks;
use crate::options::Verb;
use deepbelief_rbm::{MissingAs, TrainConfig};
use deepbelief_stack::{Error as StackError, LayerConfig, Propagate, StackConfig};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Whether the top has a label group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Labels {
    /// If the data have labels.
    Auto,
    /// Without fail.
    Yes,
    /// Never.
    None,
}

/// All settings of a greedy training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackSettings {
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    pub(crate) labels: Labels,
    /// Training samples whose labels the top learns; none or 0: all.
    pub(crate) labelled: Option<usize>,
    pub(crate) propagate: Propagate,
    /// MiB.
    pub(crate) cache: u32,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    /// What a layer's training has of seed, threads and precision is that of the stack.
    #[serde(rename = "layer")]
    pub(crate) layers: Vec<LayerConfig>,
}

impl StackSettings {
    /// The units of every layer, `784-500-2000`.
    pub(crate) fn sizes_in_words(&self, visible: usize) -> String {
        let hidden = self.layers.iter().map(|layer| format!("-{}", layer.hidden));
        std::iter::once(visible.to_string()).chain(hidden).collect()
    }

    /// Samples in a minibatch of the data.
    pub(crate) fn batch_size(&self) -> usize {
        self.layers.first().and_then(|layer| layer.batch_size).unwrap_or_default()
    }

    /// Settings of the training, on data with so many classes (if they have labels).
    pub(crate) fn stack_config(&self, classes: Option<usize>) -> Result<StackConfig> {
        let classes = match self.labels {
            Labels::None => None,
            Labels::Auto => classes,
            Labels::Yes => Some(classes.ok_or_else(|| {
                Failure::new(format!("the data '{}' have no labels for the top of the stack", self.data.data))
                    .hint("name their column with --label-column, or train without: --labels none")
            })?),
        };
        let layer = |layer: &LayerConfig| LayerConfig {
            train: TrainConfig { precision: self.run.precision(), ..layer.train.clone() },
            ..layer.clone()
        };
        Ok(StackConfig {
            visible_units: None,
            layers: self.layers.iter().map(layer).collect(),
            propagate: self.propagate,
            classes,
            balanced: self.data.balanced,
            cache_bytes: u64::from(self.cache) << 20,
            seed: self.seed,
            threads: ranks::threads(self.threads),
        })
    }
}

impl Settings for StackSettings {
    const VERB: Verb = Verb::Stack;

    fn built_in(_: &Table) -> Self {
        let StackConfig { layers, propagate, cache_bytes, seed, threads, .. } = StackConfig::default();
        let layer = |layer| LayerConfig { batch_size: Some(100), ..layer };
        Self {
            data: DataSettings::default(),
            labels: Labels::Auto,
            labelled: None,
            propagate,
            cache: (cache_bytes >> 20) as u32,
            seed,
            threads,
            run: RunSettings::default(),
            layers: layers.into_iter().map(layer).collect(),
        }
    }

    fn validate(&self) -> Result<()> {
        // What depends on the data is checked when they are there.
        let config = StackConfig { balanced: false, classes: None, ..self.stack_config(Some(2))? };
        config.validate().map_err(|error| match error {
            StackError::OthersBelowTop { .. } => Failure::from(error).hint(
                "give one type a layer, such as --hidden-units bernoulli,gaussian, or that of the top under [top] in a \
                 recipe",
            ),
            error => Failure::from(error).hint(origin()),
        })?;
        self.layers.iter().try_for_each(|layer| validate_batch_size(layer.batch_size.unwrap_or_default()))?;
        if self.labels == Labels::None && self.labelled.is_some_and(|samples| samples > 0) {
            return Err(
                Failure::new("labelled says how many samples teach their labels, but labels is none").hint(origin())
            );
        }
        if self.data.balanced && self.labelled.is_some_and(|samples| samples > 0) {
            return Err(Failure::new(
                "balanced minibatches of all samples need all labels, but labelled says that few are known",
            )
            .hint(origin()));
        }
        Ok(())
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
        self.seed
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn unused(&self) -> Vec<Vec<UnusedOption>> {
        self.layers.iter().map(|layer| unused::of_learning(&layer.train)).collect()
    }

    fn flat(&self) -> Result<Table> {
        let mut table = to_table(self)?;
        table.remove("layer");
        let layers = self.layers.iter().map(layer_table).collect::<Result<Vec<Table>>>()?;
        for (key, first) in layers.first().into_iter().flatten() {
            let values: Vec<Value> = layers.iter().filter_map(|layer| layer.get(key).cloned()).collect();
            if key == "hidden" {
                table.insert("layers".into(), Value::Array(values));
            } else if values.iter().all(|value| value == first) {
                table.insert(key.clone(), first.clone());
            } else {
                table.insert(key.clone(), Value::Array(values));
            }
        }
        Ok(table)
    }

    fn combine(_: &Table, recipe: &Table, flags: &Table) -> Result<Self> {
        bottom_alone(from_table(builder()?.build(recipe, flags)?)?, recipe, flags)
    }

    fn check(place: &str, table: &Table) -> Result<()> {
        builder()?.check(place, table, |whole| from_table::<Self>(whole).map(|_| ()))
    }
}

/// Leaves `missing_as` to the layer that sees what is missing, and refuses it where it is set for one above.
fn bottom_alone(mut settings: StackSettings, recipe: &Table, flags: &Table) -> Result<StackSettings> {
    let of_layers = recipe.get("layer").and_then(Value::as_array).into_iter().flatten().skip(1);
    let tables = of_layers.chain(recipe.get("top")).filter_map(|layer| layer.as_table()?.get("missing_as"));
    let arrays = [recipe, flags].into_iter().filter_map(|table| table.get("missing_as")?.as_array());
    let mut above = tables.chain(arrays.flat_map(|values| values.iter().skip(1)));
    if settings.layers.len() > 1 && above.any(|how| how.as_str() == Some("excluded")) {
        return Err(Failure::new("missing_as is excluded for a layer above the bottom, where nothing is missing")
            .hint("set it for the bottom layer, or once for all"));
    }
    for layer in settings.layers.iter_mut().skip(1) {
        layer.train.missing_as = MissingAs::Sampled;
    }
    Ok(settings)
}

/// What puts settings together, over the built-in recipe.
fn builder() -> Result<SettingsBuilder> {
    let built_in = StackSettings::built_in(&Table::new());
    let layers = built_in.layers.iter().map(layer_table).map(|table| table.map(Value::Table));
    let layers = layers.collect::<Result<Vec<Value>>>()?;
    let mut table = to_table(&built_in)?;
    table.insert("layer".into(), Value::Array(layers));
    SettingsBuilder::new(table)
}
