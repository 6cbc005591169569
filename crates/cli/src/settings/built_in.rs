//! The built-in recipes, and what help shows of them.

use super::common::Settings;
use super::finetune::FinetuneSettings;
use super::pretrain::PretrainSettings;
use super::stack::StackSettings;
use super::tune::TuneSettings;
use crate::failure::Result;
use crate::options::Verb;
use toml::{Table, Value};

/// The built-in recipe of a verb, by key, for what was asked.
pub(crate) fn built_in(verb: Verb, asked: &Table) -> Result<Table> {
    match verb {
        Verb::Pretrain => PretrainSettings::built_in(asked).flat(),
        Verb::Stack => StackSettings::built_in(asked).flat(),
        Verb::Tune => TuneSettings::built_in(asked).flat(),
        Verb::Finetune => FinetuneSettings::built_in(asked).flat(),
        Verb::Use | Verb::Check => Ok(Table::new()),
    }
}

/// A default as help shows it, which is as the command line takes it.
pub(crate) fn default_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => number.to_string(),
        Value::Array(values) if values.is_empty() => "none".into(),
        Value::Array(values) => values.iter().map(default_text).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}
