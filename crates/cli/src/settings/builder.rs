//! The settings of a stack, put together from several places, each beating those before it: the built-in recipe, then
//! the recipe's root, its `[top]` and its `[[layer]]`, then the command line. In a root a value is for all layers, an
//! array has one a layer, from the bottom.

use super::common::{first_rate, from_table, hidden_units, optimizer, to_table};
use super::recipe;
use crate::failure::{Failure, Result, count};
use crate::options::{Verb, flag};
use deepbelief_stack::LayerConfig;
use toml::{Table, Value};

/// What hidden units and an optimizer settle where nobody does.
const RATES: [&str; 2] = ["learning_rate", "final_learning_rate"];

/// Puts the places over each other; holds the built-in recipe, taken apart.
pub(super) struct SettingsBuilder {
    /// Settings of the whole.
    root: Table,
    /// Settings of every layer, and of the top.
    layer: Table,
    top: Table,
    layers: Value,
}

impl SettingsBuilder {
    /// Takes the built-in recipe, whose layers are tables.
    pub(super) fn new(mut built_in: Table) -> Result<Self> {
        let layers = built_in.remove("layer").ok_or_else(|| Failure::new("a stack has no layers"))?;
        let layers = as_tables(&layers)?;
        let (layer, top) = match layers[..] {
            [first, .., last] => (first.clone(), last.clone()),
            _ => return Err(Failure::new("the built-in stack has one layer")),
        };
        let hidden = layers.iter().filter_map(|layer| layer.get("hidden").cloned()).collect();
        Ok(Self { root: built_in, layer, top, layers: Value::Array(hidden) })
    }

    /// Checks a recipe, one value at a time; `try_whole` tries settings that are complete.
    pub(super) fn check(&self, name: &str, table: &Table, try_whole: impl Fn(Table) -> Result<()>) -> Result<()> {
        let of_layers = || Verb::Stack.options().filter(|opt| opt.per_layer).map(|opt| opt.key);
        let of_layer: Vec<&str> = ["hidden"].into_iter().chain(of_layers()).collect();
        let known: Vec<&str> = ["layer", "top"].into_iter().chain(Verb::Stack.options().map(|opt| opt.key)).collect();
        if let Some(hidden) = table.get("hidden") {
            return Err(Failure::new(format!("{name}: unknown key 'hidden'")).hint(of_one_rbm(table, hidden)));
        }
        recipe::check(name, table, &known, |key, value| match key {
            "layers" => sizes(value).map(|_| ()),
            "top" => as_table(value).map(|_| ()),
            "layer" => as_tables(value).map(|_| ()),
            key if of_layer.contains(&key) => self.try_layers(key, value),
            key => {
                let mut root = self.root.clone();
                root.insert(key.to_string(), value.clone());
                root.insert("layer".into(), Value::Array(Vec::new()));
                try_whole(root)
            }
        })?;
        let check = |place: String, table| {
            recipe::check(&format!("{name}, {place}"), table, &of_layer, |key, value| self.try_layer(key, value))
        };
        if let Some(top) = table.get("top") {
            check("[top]".into(), as_table(top)?)?;
        }
        for (layer, own) in table.get("layer").map_or(Ok(Vec::new()), as_tables)?.into_iter().enumerate() {
            check(format!("[[layer]] {}", layer + 1), own)?;
        }
        Ok(())
    }

    /// Checks what the command line says of the layers, which clap takes as it comes.
    fn check_flags(&self, flags: &Table) -> Result<()> {
        let per_layer = |key: &str| Verb::Stack.option(key).is_some_and(|opt| opt.per_layer);
        flags.iter().filter(|(key, _)| per_layer(key)).try_for_each(|(key, value)| {
            self.try_layers(key, value)
                .map_err(|failure| Failure::new(format!("{} is {value}: {}", flag(key), recipe::reason(&failure))))
        })
    }

    /// Tries a value, or the values of an array, as a setting of layers.
    fn try_layers(&self, key: &str, value: &Value) -> Result<()> {
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.try_layer(key, value)),
            value => self.try_layer(key, value),
        }
    }

    /// Tries a value as a setting of one layer.
    fn try_layer(&self, key: &str, value: &Value) -> Result<()> {
        if value.is_array() {
            return Err(Failure::new("a single value is wanted: this is one layer"));
        }
        let mut table = self.layer.clone();
        table.insert(key.to_string(), value.clone());
        from_table::<LayerConfig>(table).map(|_| ())
    }

    /// Puts a recipe and the flags over what is built in.
    pub(super) fn build(&self, recipe: &Table, flags: &Table) -> Result<Table> {
        self.check_flags(flags)?;
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
            return Err(Failure::new(format!("[[layer]] {} has no 'hidden'", layer + 1))
                .hint("give its hidden units there, or those of all layers as layers = [500, 2000]"));
        }
        // Without rates, to see which are said.
        let mut built_in = vec![self.layer.clone(); depth];
        built_in[depth - 1] = self.top.clone();
        let mut all = built_in.clone();
        for layer in &mut all {
            layer.retain(|key, _| !RATES.contains(&key));
        }
        if listed.is_none() && own.is_empty() {
            spread("layers", &self.layers, &mut all)?;
        }
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
        for (layer, built_in) in all.iter_mut().zip(built_in) {
            open_rates(layer, built_in)?;
        }
        let mut root = self.root.clone();
        let whole = recipe.iter().chain(flags).filter(|(key, _)| !["layer", "top"].contains(&key.as_str()));
        root.extend(whole.map(|(key, value)| (key.clone(), value.clone())));
        root.insert("layer".into(), Value::Array(all.into_iter().map(Value::Table).collect()));
        Ok(root)
    }
}

/// What to do with a recipe that is one of `dbn pretrain`.
fn of_one_rbm(table: &Table, hidden: &Value) -> String {
    let written = table.get("data").and_then(Value::as_str).map_or(String::new(), |data| {
        let data = deepbelief_data::shell_quoted(data);
        format!("; `dbn check {data} --for stack --recipe stack.toml` writes a recipe for a stack")
    });
    format!("that is the key of one RBM, and a stack lists its layers: layers = [{hidden}]{written}")
}

/// Sets the rates of a layer that nobody set, as its hidden units and its optimizer bear them.
fn open_rates(layer: &mut Table, built_in: Table) -> Result<()> {
    let fitted = from_table::<LayerConfig>(built_in)?.train.fitted(&hidden_units(layer), optimizer(layer));
    let first = first_rate(layer).unwrap_or(fitted.learning_rate);
    for (key, rate) in RATES.into_iter().zip([fitted.learning_rate, fitted.last_rate(first)]) {
        layer.entry(key).or_insert(rate.into());
    }
    Ok(())
}

/// A layer's own settings, by key.
pub(super) fn layer_table(layer: &LayerConfig) -> Result<Table> {
    let mut table = to_table(layer)?;
    table.retain(|key, _| key == "hidden" || Verb::Stack.option(key).is_some_and(|opt| opt.per_layer));
    Ok(table)
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
    let is_of_layers = key == "layers" || Verb::Stack.option(key).is_some_and(|opt| opt.per_layer);
    match value {
        _ if !is_of_layers => {}
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
