//! What the data settle of a training that nobody asked for.

use crate::data::advice::Advice;
use crate::data::learners::{Hidden, Learners};
use crate::failure::Result;
use crate::options::{Verb, flag};
use crate::settings::{Said, Settings, everywhere};
use deepbelief_data::Examination;
use toml::{Table, Value};

/// The settings that differ, as options.
fn changes(advised: &Table, before: &Table) -> Vec<String> {
    let differ = advised.iter().filter(|(key, value)| before.get(*key) != Some(value));
    differ.map(|(key, value)| format!("{} {}", flag(key), as_option(value))).collect()
}

/// Settles what nobody asked for by what the data are found to be: what suits 60,000 digits suits few others. Returns the
/// options that changed, as one would type them.
pub(crate) fn advise<S: Settings>(settings: &mut S, said: &Said, found: &Examination) -> Result<Vec<String>> {
    let units = settings.data().visible_units.unwrap_or_default();
    let before = settings.flat()?;
    let advice = Advice::of(found, units, S::VERB == Verb::Stack, &learners(&before, said));
    let unused = everywhere(&settings.unused());
    let is_unused = |key: &str| unused.iter().any(|(unused, _)| *unused == key);
    let open = advice.left_open(|key| said.has(key) || is_unused(key));
    let advised = changes(&open, &before);
    // As if a recipe had said it: what the user's says comes after it.
    let mut recipe = open;
    recipe.extend(said.recipe.clone());
    *settings = S::combine(&Table::new(), &recipe, &said.flags)?;
    settings.validate()?;
    Ok(advised)
}

/// What learns by these settings.
fn learners(settings: &Table, said: &Said) -> Learners {
    let of_layers = |key: &str| match settings.get(key) {
        Some(Value::Array(values)) => values.clone(),
        value => value.cloned().into_iter().collect(),
    };
    let hidden_units = of_layers("hidden_units");
    let word = |value: &Value, part: &str| value.as_str().is_some_and(|text| text.contains(part));
    let has = |kind| hidden_units.first().is_some_and(|units| word(units, kind));
    let hidden = match (has("relu"), has("gaussian")) {
        (true, _) => Hidden::Rectified,
        (false, true) => Hidden::Gaussian,
        (false, false) => Hidden::Discrete,
    };
    let adam = of_layers("optimizer").iter().any(|optimizer| word(optimizer, "adam"));
    Learners {
        depth: said.depth(),
        rates: of_layers("learning_rate").iter().filter_map(Value::as_float).collect(),
        adam,
        descends: said.has("optimizer") && !adam,
        hidden,
        counted: hidden_units.first().is_some_and(|units| word(units, "=")),
    }
}

/// A value as an option has it.
fn as_option(value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().map(as_option).collect::<Vec<_>>().join(","),
        value => value.to_string().replace('"', ""),
    }
}
