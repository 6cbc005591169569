//! Settings of `dbn stack`.
//!
//! A layer's settings are gathered from several places, each beating those before it: the
//! built-in recipe's root and its `[top]`, then the recipe's root, its `[top]` and its
//! `[[layer]]`, then the command line. In a root a value is for all layers, an array has one
//! a layer, from the bottom.

use super::{DataSettings, LearningSettings, OPTIONAL_KEYS, Resolved, RunSettings, UNLEARNED_KEYS, origin, recipe};
use crate::args::{StackArgs, per_layer};
use crate::failure::{Explain, Failure, Result, count};
use deepbelief_stack::{Error as StackError, LayerConfig, Propagate, StackConfig, Start};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// The recipe that the defaults of `dbn stack` are.
const BUILT_IN: &str = include_str!("../../../../models/mnist-dbn.toml");

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

/// Settings of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LayerSettings {
    pub(crate) hidden: usize,
    pub(crate) start: Start,
    #[serde(flatten)]
    pub(crate) learning: LearningSettings,
}

/// All settings of a greedy training. The fields are the keys of a recipe and, with dashes, the
/// flags of `dbn stack`, where they are described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackSettings {
    #[serde(flatten)]
    pub(crate) data: DataSettings,
    pub(crate) labels: Labels,
    pub(crate) propagate: Propagate,
    /// MiB.
    pub(crate) cache: u32,
    #[serde(flatten)]
    pub(crate) run: RunSettings,
    #[serde(rename = "layer")]
    pub(crate) layers: Vec<LayerSettings>,
}

impl StackSettings {
    /// Settings of a new run.
    pub(crate) fn resolve(args: &StackArgs) -> Result<Resolved<Self>> {
        let recipe = match &args.run.config {
            Some(path) => read(path)?,
            None => Table::new(),
        };
        let flags = flags(args)?;
        let valid_is_default = !recipe.contains_key("valid") && !flags.contains_key("valid");
        let settings = gather(&recipe, &flags)?;
        settings.validate()?;
        Ok(Resolved { settings, valid_is_default })
    }

    /// Settings of the run whose `config.toml` is `path`, continued with what `args` may change.
    pub(crate) fn resume(path: &Path, args: &StackArgs) -> Result<Self> {
        let table = read(path)?;
        let before = gather(&table, &Table::new())?;
        let flags = flags(args)?;
        let settings = gather(&table, &flags)?;
        settings.validate()?;
        if settings.recipe()? != before.recipe()? {
            let asked = flags.keys().filter(|key| !UNLEARNED_KEYS.contains(&key.as_str()));
            let asked: Vec<String> = asked.map(|key| format!("--{}", key.replace('_', "-"))).collect();
            return Err(Failure::new(format!("{} would change the run to resume", asked.join(", "))).hint(
                format!("a resumed run keeps its settings; --{} may change", UNLEARNED_KEYS.join(", --"))
                    .replace('_', "-"),
            ));
        }
        Ok(settings)
    }

    /// As the text of a recipe that gives the same run again.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let text = toml::to_string(self).or_fail(|| "cannot write the settings as TOML".into())?;
        Ok(format!("# Settings of this run; `dbn stack --config` with this file repeats it.\n{text}"))
    }

    /// The units of every layer, `784-500-2000`.
    pub(crate) fn sizes_in_words(&self, visible: usize) -> String {
        let hidden = self.layers.iter().map(|layer| format!("-{}", layer.hidden));
        std::iter::once(visible.to_string()).chain(hidden).collect()
    }

    /// What a checkpoint records: the settings that what is learned depends on.
    pub(crate) fn recipe(&self) -> Result<serde_json::Value> {
        super::learned(self)
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
        let layer = |layer: &LayerSettings| LayerConfig {
            hidden: layer.hidden,
            hidden_units: layer.learning.hidden_units,
            start: layer.start,
            weight_std: layer.learning.weight_std,
            visible_bias: layer.learning.visible_bias,
            batch_size: Some(layer.learning.batch_size),
            train: layer.learning.train_config(self.run.seed, self.run.threads),
        };
        Ok(StackConfig {
            layers: self.layers.iter().map(layer).collect(),
            propagate: self.propagate,
            classes,
            balanced: self.data.balanced,
            cache_bytes: u64::from(self.cache) << 20,
            seed: self.run.seed,
            threads: self.run.threads,
        })
    }

    fn validate(&self) -> Result<()> {
        // What depends on the data is checked when they are there.
        let config = StackConfig { balanced: false, classes: None, ..self.stack_config(Some(2))? };
        config.validate().map_err(|error| match error {
            StackError::GaussianBelowTop { .. } => Failure::from(error).hint(
                "give one type a layer, such as --hidden-units bernoulli,gaussian, or that of the top under [top] in a \
                 recipe",
            ),
            error => Failure::from(error).hint(origin()),
        })?;
        for layer in &self.layers {
            layer.learning.validate().or_hint(origin)?;
        }
        self.run.validate()
    }
}

/// What the command line and the environment say.
fn flags(args: &StackArgs) -> Result<Table> {
    let mut table = Table::try_from(args).or_fail(|| "cannot read the flags".into())?;
    let start = args.start.as_deref().map(|text| ("start".to_string(), per_layer(text)));
    let of_layers = args.learning.table().clone().into_iter().chain(start);
    for (key, value) in of_layers {
        let place = format!("--{}", key.replace('_', "-"));
        settle_layer(&key, &value).map_err(|failure| {
            let reason = failure.causes().first().cloned().unwrap_or_default();
            Failure::new(format!("{place} is {value}: {reason}"))
        })?;
        table.insert(key, value);
    }
    Ok(table)
}

/// Reads a recipe.
fn read(path: &Path) -> Result<Table> {
    let (table, defaults) = (recipe::read(path)?, Defaults::get()?);
    let layer_keys: Vec<&str> = defaults.layer.keys().map(String::as_str).collect();
    let of_layers = layer_keys.iter().copied().filter(|&key| key != "hidden");
    let of_whole = defaults.root.keys().map(String::as_str).chain(OPTIONAL_KEYS);
    let known: Vec<&str> = ["layers", "layer", "top"].into_iter().chain(of_layers).chain(of_whole).collect();
    let name = path.display().to_string();
    recipe::check(&name, &table, &known, |key, value| match key {
        "layers" => sizes(value).map(|_| ()),
        "top" => as_table(value).map(|_| ()),
        "layer" => as_tables(value).map(|_| ()),
        key if layer_keys.contains(&key) => settle_layer(key, value),
        key => {
            let mut root = defaults.root.clone();
            root.insert(key.to_string(), value.clone());
            root.insert("layer".into(), Value::Array(Vec::new()));
            root.try_into::<StackSettings>().map(|_| ()).or_fail(|| "a setting has a value of the wrong kind".into())
        }
    })?;
    let check = |place: String, table| recipe::check(&format!("{name}, {place}"), table, &layer_keys, settle_layer);
    if let Some(top) = table.get("top") {
        check("[top]".into(), as_table(top)?)?;
    }
    for (layer, own) in table.get("layer").map_or(Ok(Vec::new()), as_tables)?.into_iter().enumerate() {
        check(format!("[[layer]] {layer}"), own)?;
    }
    Ok(table)
}

/// The built-in recipe, taken apart.
struct Defaults {
    /// Settings of the whole.
    root: Table,
    /// Settings of every layer.
    layer: Table,
    top: Table,
    layers: Value,
}

impl Defaults {
    fn get() -> Result<Self> {
        let mut root = recipe::built_in(BUILT_IN)?;
        let broken = || Failure::new("the built-in recipe is broken");
        let layers = root.remove("layers").ok_or_else(broken)?;
        let top = root.remove("top").map_or(Ok(Table::new()), |top| as_table(&top).cloned())?;
        let (root, mut layer): (Table, Table) = root.into_iter().partition(|(key, _)| is_whole(key));
        layer.insert("hidden".into(), Value::Integer(1));
        Ok(Self { root, layer, top, layers })
    }
}

/// Whether a key is a setting of the whole, as in [`StackSettings`], and not of its layers.
fn is_whole(key: &str) -> bool {
    const KEYS: [&str; 12] = [
        "data",
        "scale",
        "label_column",
        "header",
        "image_size",
        "valid",
        "binarize",
        "balanced",
        "labels",
        "propagate",
        "cache",
        "seed",
    ];
    KEYS.contains(&key) || UNLEARNED_KEYS.contains(&key)
}

/// Tries a value, or the values of an array, as a layer's setting.
fn settle_layer(key: &str, value: &Value) -> Result<()> {
    let defaults = Defaults::get()?.layer;
    let one = |value: &Value| {
        let mut table = defaults.clone();
        table.insert(key.to_string(), value.clone());
        table.try_into::<LayerSettings>().map(|_| ()).or_fail(|| "a setting has a value of the wrong kind".into())
    };
    match value {
        Value::Array(values) => values.iter().try_for_each(one),
        value => one(value),
    }
}

/// Hidden units of every layer.
fn sizes(value: &Value) -> Result<Vec<Value>> {
    let sizes = value.as_array().filter(|sizes| !sizes.is_empty() && sizes.iter().all(Value::is_integer));
    sizes.cloned().ok_or_else(|| Failure::new("expected an array of whole numbers, one a layer, such as [500, 2000]"))
}

fn as_table(value: &Value) -> Result<&Table> {
    value.as_table().ok_or_else(|| Failure::new("expected a table of a layer's settings"))
}

fn as_tables(value: &Value) -> Result<Vec<&Table>> {
    let tables = value.as_array().ok_or_else(|| Failure::new("expected one table a layer, under [[layer]]"))?;
    tables.iter().map(as_table).collect()
}

/// Puts the places over each other.
fn gather(recipe: &Table, flags: &Table) -> Result<StackSettings> {
    let Defaults { mut root, layer, top, layers } = Defaults::get()?;
    let own = recipe.get("layer").map_or(Ok(Vec::new()), as_tables)?;
    let listed = flags.get("layers").or_else(|| recipe.get("layers"));
    let depth = match listed {
        Some(listed) => sizes(listed)?.len(),
        None if own.is_empty() => sizes(&layers)?.len(),
        None => own.len(),
    };
    if !own.is_empty() && own.len() != depth {
        let tables = count(own.len(), "[[layer]] table");
        return Err(Failure::new(format!("the recipe has {tables}, but there are {}", count(depth, "layer"))));
    }
    if let Some(layer) = own.iter().position(|own| listed.is_none() && !own.contains_key("hidden")) {
        return Err(Failure::new(format!("[[layer]] {layer} (counted from 0) has no 'hidden'"))
            .hint("give its hidden units there, or those of all layers as layers = [500, 2000]"));
    }
    let mut all = vec![layer; depth];
    if listed.is_none() && own.is_empty() {
        spread("layers", &layers, &mut all)?;
    }
    all[depth - 1].extend(top);
    for (key, value) in recipe {
        spread(key, value, &mut all)?;
    }
    if let Some(top) = recipe.get("top") {
        all[depth - 1].extend(as_table(top)?.clone());
    }
    for (layer, own) in all.iter_mut().zip(own) {
        layer.extend(own.clone());
    }
    for (key, value) in flags {
        spread(key, value, &mut all)?;
    }
    let whole = recipe.iter().chain(flags).filter(|(key, _)| is_whole(key));
    root.extend(whole.map(|(key, value)| (key.clone(), value.clone())));
    root.insert("layer".into(), Value::Array(all.into_iter().map(Value::Table).collect()));
    root.try_into().or_fail(|| "a setting has a value of the wrong kind".into())
}

/// Sets a key of the layers, if it is one: to one value, or to one a layer.
fn spread(key: &str, value: &Value, layers: &mut [Table]) -> Result<()> {
    let depth = layers.len();
    let own = if key == "layers" { "hidden" } else { key };
    match value {
        _ if is_whole(key) || key == "layer" || key == "top" => {}
        Value::Array(values) if values.len() == depth => {
            for (layer, value) in layers.iter_mut().zip(values) {
                layer.insert(own.into(), value.clone());
            }
        }
        Value::Array(values) => {
            let (values, layers) = (count(values.len(), "value"), count(depth, "layer"));
            return Err(Failure::new(format!("{key} has {values}, but there are {layers}"))
                .hint("give one value for all layers, or one a layer, from the bottom"));
        }
        value => layers.iter_mut().for_each(|layer| drop(layer.insert(own.into(), value.clone()))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{DataArgs, RunArgs, Sizes};

    fn resolve(recipe: &str, args: StackArgs) -> Result<StackSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, recipe).unwrap();
        let args = StackArgs { run: RunArgs { config: Some(path), ..Default::default() }, ..args };
        StackSettings::resolve(&args).map(|resolved| resolved.settings)
    }

    fn layers(sizes: &[u32]) -> StackArgs {
        StackArgs { layers: Some(Sizes(sizes.to_vec())), ..Default::default() }
    }

    fn of<T>(settings: &StackSettings, value: impl Fn(&LayerSettings) -> T) -> Vec<T> {
        settings.layers.iter().map(value).collect()
    }

    #[test]
    fn the_built_in_recipe_is_complete_and_valid() {
        let Resolved { settings, valid_is_default } = StackSettings::resolve(&StackArgs::default()).unwrap();
        assert!(valid_is_default);
        assert_eq!(of(&settings, |layer| layer.hidden), [500, 500, 2000]);
        assert_eq!(settings.stack_config(Some(10)).unwrap().classes, Some(10));
    }

    /// Each place beats those before it, key by key.
    #[test]
    fn a_layer_is_gathered_from_its_places_in_order() {
        let recipe = "epochs = 3\nmomentum = [0.1, 0.2]\ncd_steps = 2\n[top]\nepochs = 4\ncd_steps = 5\n\
                      [[layer]]\nhidden = 7\n[[layer]]\nhidden = 8\ncd_steps = 6\n";
        let settings = resolve(recipe, StackArgs::default()).unwrap();
        assert_eq!(of(&settings, |layer| layer.hidden), [7, 8]);
        assert_eq!(of(&settings, |layer| layer.learning.epochs), [3, 4]);
        assert_eq!(of(&settings, |layer| layer.learning.momentum), [0.1, 0.2]);
        assert_eq!(of(&settings, |layer| layer.learning.cd_steps.at(0)), [2, 6]);
        let settings = resolve(recipe, layers(&[9, 10])).unwrap();
        assert_eq!(of(&settings, |layer| layer.hidden), [9, 10], "a flag beats everything");
    }

    #[test]
    fn resolved_settings_written_and_read_are_the_same() {
        let mut args = layers(&[3, 4]);
        args.data = DataArgs { label_column: Some("class".into()), ..Default::default() };
        let settings = resolve("learning_rate = [0.25, 0.125]\nseed = 5\n", args).unwrap();
        assert_eq!(settings.data.label_column.as_deref(), Some("class"));
        assert_eq!(resolve(&settings.to_toml().unwrap(), StackArgs::default()).unwrap(), settings);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_key_and_place() {
        let refusal = |recipe: &str, args| {
            let failure = resolve(recipe, args).unwrap_err();
            failure.what().rsplit_once("r.toml").map_or(failure.what(), |(_, what)| what).to_string()
        };
        let none = StackArgs::default;
        assert_eq!(refusal("hiden = 5", none()), ": unknown key 'hiden'");
        assert_eq!(refusal("[top]\nepoch = 5", none()), ", [top]: unknown key 'epoch'");
        assert_eq!(refusal("epochs = [1, 2]", layers(&[5, 6, 7])), "epochs has 2 values, but there are 3 layers");
        assert_eq!(
            refusal("[[layer]]\nhidden = 3\n[[layer]]\nepochs = 2", none()),
            "[[layer]] 1 (counted from 0) has no 'hidden'"
        );
        assert_eq!(
            refusal("[[layer]]\nhidden = 3", layers(&[5, 6])),
            "the recipe has 1 [[layer]] table, but there are 2 layers"
        );
        assert!(refusal("layers = []", none()).contains("'layers' is []: expected an array of whole numbers"));
        assert!(refusal("epochs = \"many\"", none()).starts_with(": 'epochs' is \"many\": invalid type"));
        let failure = resolve("", layers(&[5, 0])).unwrap_err();
        assert_eq!(failure.what(), "the settings of layer 1 do not hold");
        assert_eq!(failure.causes(), ["hidden is 0; it must be between 1 and 65504 units"]);
    }

    #[test]
    fn a_resumed_run_keeps_what_was_learned_by() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let settings = resolve("", layers(&[5, 6])).unwrap();
        std::fs::write(&path, settings.to_toml().unwrap()).unwrap();
        let run = RunArgs { threads: Some(2), ..Default::default() };
        let resumed = StackSettings::resume(&path, &StackArgs { run, ..layers(&[5, 6]) }).unwrap();
        assert_eq!((resumed.run.threads, &resumed.layers), (2, &settings.layers));
        let failure = StackSettings::resume(&path, &layers(&[5, 7])).unwrap_err();
        assert_eq!(failure.what(), "--layers would change the run to resume");
    }
}
