//! How an alignment is read for a model: as asked, else as in training.

use crate::args::DataArgs;
use crate::failure::{Failure, Result};
use deepbelief_data::{AlignmentOptions, Schema, Source};
use serde_json::Value;
use std::path::PathBuf;
use std::str::FromStr;

/// Options of a source; `same` says that it is what the model learned from by `recipe`. What is left out of the training
/// data, and a file of their weights, say nothing of others.
pub(crate) fn options(
    recipe: &Value,
    schema: Option<&Schema>,
    args: &DataArgs,
    (source, same): (&Source, bool),
) -> Result<AlignmentOptions> {
    let mut options = args.alignment();
    if schema.is_none_or(|schema| schema.alphabet().is_none()) {
        return Ok(options);
    }
    if !matches!(source, Source::Fasta(_) | Source::Hub(_)) && args.schema.is_none() {
        return Err(Failure::new(format!("the model is one of an alignment, and '{source}' is none"))
            .hint("name an alignment: --data fasta:FILE, which may be FASTA, A2M, A3M or Stockholm"));
    }
    let number = |key: &str| recipe.get(key).and_then(Value::as_f64);
    options.unknown = args.unknown.or_else(|| recorded(recipe, "unknown")).unwrap_or_default();
    let weights_are_asked = args.reweight.is_some() || args.weights.is_some();
    if !weights_are_asked {
        options.reweight = number("reweight").filter(|&share| share != 0.0);
    }
    if same {
        options.inserts = args.inserts.or_else(|| recorded(recipe, "inserts")).unwrap_or_default();
        options.max_gaps = number("max_gaps");
        options.clusters = number("valid_clusters").filter(|&share| share != 0.0);
        options.deduplicate = recipe.get("deduplicate").and_then(Value::as_bool).unwrap_or_default();
        if !weights_are_asked {
            // A model may come from anyone, and what it names may have no end.
            let is_file = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
            options.weights = recorded(recipe, "weights").filter(is_file);
        }
    }
    Ok(options)
}

fn recorded<T: FromStr>(recipe: &Value, key: &str) -> Option<T> {
    recipe.get(key)?.as_str()?.parse().ok()
}
