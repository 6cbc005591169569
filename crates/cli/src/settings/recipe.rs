//! Reading recipes: TOML files whose every key must be known and every value of its kind.

use crate::failure::{Explain, Failure, Result, closest};
use std::path::Path;
use toml::{Table, Value};

/// Reads a file as TOML.
pub(super) fn read(path: &Path) -> Result<Table> {
    let name = path.display();
    let text = std::fs::read_to_string(path).or_fail(|| format!("cannot read the recipe {name}"))?;
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        Failure::new(format!("{name}, line {line}: not TOML ({})", error.message()))
    })
}

/// A recipe that is part of the program.
pub(super) fn built_in(text: &str) -> Result<Table> {
    text.parse().or_fail(|| "the built-in recipe is broken".into())
}

/// Checks a table's keys and values, one at a time, so that the message names the one at fault.
/// `place` says where the table stands, `known` which keys it may have, and `settle` tries a
/// key with a value.
pub(super) fn check(
    place: &str,
    table: &Table,
    known: &[&str],
    settle: impl Fn(&str, &Value) -> Result<()>,
) -> Result<()> {
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let failure = Failure::new(format!("{place}: unknown key '{key}'"));
        return Err(match closest(key, known.iter().copied()) {
            Some(word) => failure.hint(format!("did you mean '{word}'?")),
            None => failure.hint(format!("the keys are {}", known.join(", "))),
        });
    }
    for (key, value) in table {
        settle(key, value).map_err(|failure| {
            let cause = failure.causes().first().and_then(|cause| cause.lines().next()).map(str::to_string);
            let reason = cause.unwrap_or_else(|| failure.what().to_string());
            Failure::new(format!("{place}: '{key}' is {value}: {reason}"))
        })?;
    }
    Ok(())
}
