//! The settings of a stack, gathered from several places, each beating those before it: the
//! built-in recipe's root and its `[top]`, then the recipe's root, its `[top]` and its
//! `[[layer]]`, then the command line. In a root a value is for all layers, an array has one
//! a layer, from the bottom.

use super::stack::{LayerSettings, StackSettings};
use super::{INHERITED_KEYS, LABELLED, OPTIONAL_KEYS, UNLEARNED_KEYS, recipe};
use crate::args::{StackArgs, per_layer};
use crate::failure::{Explain, Failure, Result, count};
use std::path::Path;
use toml::{Table, Value};

/// The recipe that the defaults of `dbn stack` are.
const BUILT_IN: &str = include_str!("../../../../models/mnist-dbn.toml");

/// Puts the places over each other; holds the built-in recipe, taken apart.
pub(super) struct Gatherer {
    /// Settings of the whole.
    root: Table,
    /// Settings of every layer.
    layer: Table,
    top: Table,
    layers: Value,
}

impl Gatherer {
    pub(super) fn new() -> Result<Self> {
        let mut root = recipe::built_in(BUILT_IN)?;
        let broken = || Failure::new("the built-in recipe is broken");
        let layers = root.remove("layers").ok_or_else(broken)?;
        let top = root.remove("top").map_or(Ok(Table::new()), |top| as_table(&top).cloned())?;
        let (root, mut layer): (Table, Table) = root.into_iter().partition(|(key, _)| is_whole(key));
        layer.insert("hidden".into(), Value::Integer(1));
        Ok(Self { root, layer, top, layers })
    }

    /// What the command line and the environment say.
    pub(super) fn flags(&self, args: &StackArgs) -> Result<Table> {
        let mut table = Table::try_from(args).or_fail(|| "cannot read the flags".into())?;
        let start = args.start.as_deref().map(|text| ("start".to_string(), per_layer(text)));
        for (key, value) in args.learning.table().clone().into_iter().chain(start) {
            self.settle_layers(&key, &value).map_err(|failure| {
                Failure::new(format!("--{} is {value}: {}", key.replace('_', "-"), recipe::reason(&failure)))
            })?;
            table.insert(key, value);
        }
        Ok(table)
    }

    /// Reads a recipe.
    pub(super) fn read(&self, path: &Path) -> Result<Table> {
        let (table, name) = (recipe::read(path)?, path.display().to_string());
        let layer_keys: Vec<&str> = self.layer.keys().map(String::as_str).collect();
        let of_layers = layer_keys.iter().copied().filter(|&key| key != "hidden");
        let of_whole = self.root.keys().map(String::as_str).chain(OPTIONAL_KEYS).chain([LABELLED]);
        let known: Vec<&str> = ["layers", "layer", "top"].into_iter().chain(of_layers).chain(of_whole).collect();
        if let Some(hidden) = table.get("hidden") {
            return Err(Failure::new(format!("{name}: unknown key 'hidden'"))
                .hint(format!("a stack lists the hidden units of its layers: layers = [{hidden}]")));
        }
        recipe::check(&name, &table, &known, |key, value| match key {
            "layers" => sizes(value).map(|_| ()),
            "top" => as_table(value).map(|_| ()),
            "layer" => as_tables(value).map(|_| ()),
            key if layer_keys.contains(&key) => self.settle_layers(key, value),
            key => {
                let mut root = self.root.clone();
                root.insert(key.to_string(), value.clone());
                root.insert("layer".into(), Value::Array(Vec::new()));
                root.try_into::<StackSettings>().map(|_| ()).or_fail(|| WRONG_KIND.into())
            }
        })?;
        let check = |place: String, table| {
            recipe::check(&format!("{name}, {place}"), table, &layer_keys, |key, value| self.settle_layer(key, value))
        };
        if let Some(top) = table.get("top") {
            check("[top]".into(), as_table(top)?)?;
        }
        for (layer, own) in table.get("layer").map_or(Ok(Vec::new()), as_tables)?.into_iter().enumerate() {
            check(format!("[[layer]] {layer}"), own)?;
        }
        Ok(table)
    }

    /// Tries a value, or the values of an array, as a setting of layers.
    fn settle_layers(&self, key: &str, value: &Value) -> Result<()> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.settle_layer(key, value)),
            value => self.settle_layer(key, value),
        }
    }

    /// Tries a value as a setting of one layer.
    fn settle_layer(&self, key: &str, value: &Value) -> Result<()> {
        if value.is_array() {
            return Err(Failure::new("a single value is wanted: this is one layer"));
        }
        let mut table = self.layer.clone();
        table.insert(key.to_string(), value.clone());
        table.try_into::<LayerSettings>().map(|_| ()).or_fail(|| WRONG_KIND.into())
    }

    /// Puts a recipe and the flags over what is built in.
    pub(super) fn gather(&self, recipe: &Table, flags: &Table) -> Result<StackSettings> {
        let own = recipe.get("layer").map_or(Ok(Vec::new()), as_tables)?;
        let listed = flags.get("layers").or_else(|| recipe.get("layers"));
        let depth = match listed {
            Some(listed) => sizes(listed)?.len(),
            None if own.is_empty() => sizes(&self.layers)?.len(),
            None => own.len(),
        };
        if !own.is_empty() && own.len() != depth {
            let (tables, layers) = (count(own.len(), "[[layer]] table"), count(depth, "layer"));
            return Err(Failure::new(format!("the recipe has {tables}, but the stack has {layers}")));
        }
        if let Some(layer) = own.iter().position(|own| listed.is_none() && !own.contains_key("hidden")) {
            return Err(Failure::new(format!("[[layer]] {layer} (counted from 0) has no 'hidden'"))
                .hint("give its hidden units there, or those of all layers as layers = [500, 2000]"));
        }
        let mut all = vec![self.layer.clone(); depth];
        if listed.is_none() && own.is_empty() {
            spread("layers", &self.layers, &mut all)?;
        }
        all[depth - 1].extend(self.top.clone());
        // Another list of layers may have another depth.
        for (key, value) in recipe.iter().filter(|(key, _)| *key != "layers" || !flags.contains_key("layers")) {
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
        let mut root = self.root.clone();
        let whole = recipe.iter().chain(flags).filter(|(key, _)| is_whole(key));
        root.extend(whole.map(|(key, value)| (key.clone(), value.clone())));
        root.insert("layer".into(), Value::Array(all.into_iter().map(Value::Table).collect()));
        root.try_into().or_fail(|| WRONG_KIND.into())
    }
}

const WRONG_KIND: &str = "a setting has a value of the wrong kind";

/// Whether a key is a setting of the whole, as in [`StackSettings`], and not of its layers.
fn is_whole(key: &str) -> bool {
    const OF_THE_STACK: [&str; 4] = ["labels", "propagate", "cache", "precision"];
    OF_THE_STACK.contains(&key) || INHERITED_KEYS.contains(&key) || UNLEARNED_KEYS.contains(&key)
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
            return Err(Failure::new(format!("{key} has {values}, but the stack has {layers}"))
                .hint("give one value for all layers, or one a layer, from the bottom"));
        }
        value => layers.iter_mut().for_each(|layer| drop(layer.insert(own.into(), value.clone()))),
    }
    Ok(())
}
