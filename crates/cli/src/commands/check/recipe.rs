//! What is recommended, as a recipe.

use crate::args::CheckArgs;
use crate::data::advice::Advice;
use crate::data::schema_file::{self, SCHEMA};
use crate::data::setting::Setting;
use crate::failure::{Explain, Result};
use crate::options::flag;
use deepbelief_data::shell_quoted;
use std::fmt::Write as _;
use toml::Value;

/// How the data are read, where the command says it: options of text by their keys.
fn read_as(args: &CheckArgs) -> Vec<(&'static str, String)> {
    let read = &args.read;
    let said = [
        ("label_column", read.label_column.clone()),
        ("feature_column", read.feature_column.clone()),
        ("column_types", read.column_types.as_ref().map(ToString::to_string)),
        ("missing", read.missing.as_ref().map(ToString::to_string)),
        ("weight_column", read.weight_column.clone()),
        ("visible_units", read.visible_units.map(|units| units.to_string())),
        ("header", read.header.map(|header| header.to_string())),
        ("alphabet", read.alphabet.as_ref().map(ToString::to_string)),
        ("unknown", read.unknown.map(|unknown| unknown.to_string())),
        ("inserts", read.inserts.map(|inserts| inserts.to_string())),
        ("weights", read.weights.as_ref().map(|path| path.display().to_string())),
        ("image_size", read.image_size.map(|size| size.to_string())),
    ];
    said.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// The same as one types them.
pub(super) fn said(args: &CheckArgs) -> impl Iterator<Item = String> {
    let scale = args.read.scale.map(|scale| ("scale", scale.to_string()));
    read_as(args).into_iter().chain(scale).map(|(key, value)| {
        // What starts with a dash would be an option.
        let between = if value.starts_with('-') { "=" } else { " " };
        format!("{}{between}{}", flag(key), shell_quoted(&value))
    })
}

/// Advice as a recipe for the data that `args` name.
/// Sequences of an alignment are weighed at the share `identity` of equal letters that its effective number is for.
pub(super) fn recipe(advice: &Advice, args: &CheckArgs, identity: Option<f64>) -> Result<String> {
    let mut text = format!(
        "# What `dbn check {}` recommends to start from: `dbn {} --config` with this file.\n\n",
        args.data, args.verb
    );
    let mut line = |key: &str, value: Value, reason: &str| -> Result<()> {
        let mut table = toml::Table::new();
        table.insert(key.into(), value);
        let pair = toml::to_string(&table).or_fail(|| "cannot write the recipe as TOML".into())?;
        let comment = if reason.is_empty() { String::new() } else { format!("  # {reason}") };
        let _ = writeln!(text, "{}{comment}", pair.trim_end());
        Ok(())
    };
    line("data", args.data.to_string().into(), "")?;
    let advised = advice.settings.iter().any(|setting| setting.key == "visible_units");
    for (key, value) in read_as(args).into_iter().filter(|(key, _)| !(advised && *key == "visible_units")) {
        line(key, value.into(), "")?;
    }
    for (key, value) in [
        ("max_gaps", args.read.max_gaps.map(Value::from)),
        ("deduplicate", args.read.deduplicate.map(Value::from)),
        ("reweight", args.read.reweight.or(identity).map(Value::from)),
    ] {
        if let Some(value) = value {
            line(key, value, "")?;
        }
    }
    // A schema says how values are scaled, and for which units.
    let of_schema = |key| ["scale", "visible_units"].contains(&key);
    let is_said = |setting: &&Setting| args.read.schema.is_none() || !of_schema(setting.key);
    for Setting { key, value, reason } in advice.settings.iter().filter(is_said) {
        line(key, value.clone(), reason)?;
    }
    if let Some(schema) = &args.read.schema {
        let _ = write!(text, "\n{}", schema_file::entries(schema, Some(SCHEMA)));
    }
    Ok(text)
}
