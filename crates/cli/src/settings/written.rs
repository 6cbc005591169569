//! Settings as text: the recipe that repeats a run, the built-in recipes, and what a checkpoint records.

use super::built_in::built_in;
use super::common::Settings;
use crate::data::schema_file::{self, SCHEMA};
use crate::failure::{Explain, Result};
use crate::options::Verb;
use deepbelief_data::Schema;
use serde_json::Value as Json;
use std::fmt::Write as _;
use toml::Table;

/// Where comments start in a recipe.
const COMMENTS: usize = 34;

/// Settings of a run, as a recipe that gives the same run again.
pub(crate) fn to_toml<S: Settings>(settings: &S) -> Result<String> {
    let text = lines(S::VERB, &settings.flat()?, false)?;
    Ok(format!("# Settings of this run; `dbn {} --config` with this file repeats it.\n{text}", settings.again()))
}

/// The built-in recipe of a verb, for what was asked.
pub(crate) fn print_recipe(verb: Verb, asked: &Table) -> Result<String> {
    let mut table = built_in(verb, asked)?;
    table.extend(asked.clone());
    let name = verb.name();
    let task = asked.get("as").and_then(|task| task.as_str()).map_or(String::new(), |task| format!(" --as {task}"));
    let text = lines(verb, &table, true)?;
    Ok(format!(
        "# The built-in recipe of `dbn {name}{task}`, as `dbn recipe {name}{task}` prints it. A recipe of your own\n\
         # may hold some of these keys; `dbn {name} --config FILE` takes the others from here.\n{text}"
    ))
}

/// A line for each option, with what it means under headings where that is asked for.
fn lines(verb: Verb, table: &Table, explained: bool) -> Result<String> {
    let (mut text, mut behind) = (String::new(), String::new());
    for (heading, options) in verb.groups() {
        let mut heading = Some(heading);
        for opt in options {
            let Some(value) = table.get(opt.key) else { continue };
            // Tables stand behind all keys.
            if opt.key == SCHEMA {
                let schema: Schema = value.clone().try_into().or_fail(|| "cannot write the schema as TOML".into())?;
                let _ = write!(behind, "\n{}", schema_file::entries(&schema, Some(SCHEMA)));
                continue;
            }
            let pair = Table::from_iter([(opt.key.to_string(), value.clone())]);
            let pair = toml::to_string(&pair).or_fail(|| "cannot write the settings as TOML".into())?;
            let pair = pair.trim_end();
            if explained {
                if let Some(heading) = heading.take() {
                    let _ = writeln!(text, "\n# {heading}");
                }
                let _ = write!(text, "{pair:COMMENTS$} # {}", opt.summary());
            } else {
                text += pair;
            }
            text += "\n";
        }
    }
    Ok(text + &behind)
}

/// What a checkpoint records: the settings that what is learned depends on.
pub(crate) fn record<S: Settings>(settings: &S) -> Result<Json> {
    let (mut record, default) = (serde_json::to_value(settings)?, serde_json::to_value(S::built_in(&Table::new()))?);
    let is_stack = S::VERB == Verb::Stack;
    trim(&mut record, &default, S::VERB, |per_layer| !(is_stack && per_layer));
    let layers = record.get_mut("layer").and_then(Json::as_array_mut).into_iter().flatten();
    for layer in layers {
        trim(layer, &default["layer"][0], S::VERB, |per_layer| per_layer);
    }
    Ok(record)
}

/// Leaves in a record the options that belong there, under the names that they have in checkpoints. What came when
/// there were checkpoints already is left out where it is the default: the file is then the same as before.
fn trim(record: &mut Json, default: &Json, verb: Verb, belongs: impl Fn(bool) -> bool) {
    let Some(map) = record.as_object_mut() else { return };
    map.retain(|key, value| match verb.option(key) {
        Some(opt) => {
            let is_new_and_default = opt.later && default.get(key) == Some(value);
            !value.is_null() && belongs(opt.per_layer) && !opt.unrecorded && !is_new_and_default
        }
        None => verb == Verb::Stack && ["layer", "hidden"].contains(&key.as_str()),
    });
    for opt in verb.options() {
        if let Some((name, value)) = opt.was.and_then(|name| Some((name, map.remove(opt.key)?))) {
            map.insert(name.into(), value);
        }
    }
}
