//! Schemas as TOML, for people to read and change.

use crate::failure::{Failure, Result};
use crate::toml_file;
use deepbelief_data::{ColumnKind, ColumnSchema, ColumnUnits, KindName, Schema, Source};
use std::fmt::Write as _;
use std::path::Path;
use toml::{Table, Value};

/// The option of a schema, and where a checkpoint's recipe keeps what the columns were.
pub(crate) const SCHEMA: &str = "schema";

/// The options that a schema stands for.
const STANDS_FOR: [&str; 7] =
    ["label_column", "weight_column", "column_types", "missing", "scale", "visible_units", "alphabet"];

/// Keys of a column beside those that its kind needs.
const OF_ALL: [&str; 3] = ["name", "count", "kind"];

const HOW: &str = "\
# The columns of a file are found by their names, in any order, or by their places where they have
# no names. Change what is wrong: the names of kinds, the values that they need, or the order of
# levels, which is that of their units.
#   binary       off, on        one of two values
#   unit         divisor        a number from 0; the divisor becomes 1
#   real         offset, scale  a number; (value - offset) / scale, the mean and the standard deviation where
#                               units are by-kind; else below 0 taken for 0, above 1 for 1
#   categorical  levels         one of these values: a unit each
#   spin                        -1 or 1
#   ignored                     not learned from
#   label                       the class of a sample, in one column at most
#   weight                      what a sample weighs in training, in one column at most
# `count` stands for so many neighbouring columns without names. `missing` lists texts that mean a
# missing value, beside the empty text, NA, N/A, NaN, null and ?.
# `units` says which visible units learn the columns: \"by-kind\" takes Gaussian units for real columns,
# categorical units for categories and spins; \"bernoulli\", which may be left out, Bernoulli units for all.
# `alphabet` is that of an alignment, whose columns, the sites, are categorical with its letters as levels.
";

/// A schema as a file, with comments that say how to use it.
pub(crate) fn text(schema: &Schema, data: &Source, path: &Path) -> String {
    format!(
        "# What the columns of {data} are. To use it:\n#   dbn pretrain --data {data} --schema {}\n#\n{HOW}\n{}",
        path.display(),
        entries(schema, None)
    )
}

/// The entries of a schema: of a file of its own, or `under` a key of a recipe, behind all other keys.
pub(crate) fn entries(schema: &Schema, under: Option<&str>) -> String {
    let mut text = under.map_or(String::new(), |key| format!("[{key}]\n"));
    let texts = |texts: &[String]| Value::from(texts.to_vec()).to_string();
    let _ = writeln!(text, "missing = {}", texts(&schema.missing));
    if schema.learned_by == ColumnUnits::ByKind {
        let _ = writeln!(text, "units = \"by-kind\"");
    }
    if let Some(alphabet) = schema.alphabet() {
        let _ = writeln!(text, "alphabet = {}", Value::from(alphabet.letters()));
    }
    let prefix = under.map_or(String::new(), |key| format!("{key}."));
    for ColumnSchema { name, count, kind } in &schema.columns {
        let _ = writeln!(text, "\n[[{prefix}column]]");
        if let Some(name) = name {
            let _ = writeln!(text, "name = {}", Value::from(name.as_str()));
        }
        if *count > 1 {
            let _ = writeln!(text, "count = {count}");
        }
        let _ = writeln!(text, "kind = \"{}\"", kind.name());
        let _ = match kind {
            ColumnKind::Binary { off, on } => {
                writeln!(text, "off = {}\non = {}", Value::from(off.as_str()), Value::from(on.as_str()))
            }
            ColumnKind::Unit { divisor } => writeln!(text, "divisor = {}", number((*divisor).into())),
            ColumnKind::Real { offset, scale } => {
                writeln!(text, "offset = {}\nscale = {}", number(*offset), number(*scale))
            }
            ColumnKind::Categorical { levels } => writeln!(text, "levels = {}", texts(levels)),
            ColumnKind::Spin | ColumnKind::Ignored | ColumnKind::Label | ColumnKind::Weight => Ok(()),
        };
    }
    text
}

/// The shortest number that is read back as the same.
fn number(x: f64) -> String {
    let short = (x as f32).to_string();
    let back = short.parse::<f64>().map(|number| f64::from(number as f32));
    let text = if back == Ok(x) { short } else { x.to_string() };
    if text.contains(['.', 'e']) { text } else { text + ".0" }
}

/// A schema that a flag names, as a value of settings.
pub(crate) fn of_flag(path: &str) -> std::result::Result<Value, String> {
    read(Path::new(path)).map_err(|failure| [&[failure.what().to_string()], failure.causes()].concat().join(": "))
}

/// A schema of a recipe, which has it whole or names its file.
pub(crate) fn resolve(value: &Value) -> Result<Value> {
    match value {
        Value::String(path) => read(Path::new(path)),
        Value::Table(table) => checked(table).map_err(Failure::new),
        _ => Err(Failure::new("'schema' must be the name of a file, or a table with [[schema.column]] entries")),
    }
}

/// Refuses a schema beside what it stands for.
pub(crate) fn require_alone(is_asked: impl Fn(&str) -> bool) -> Result<()> {
    match STANDS_FOR.into_iter().find(|key| is_asked(SCHEMA) && is_asked(key)) {
        Some(key) => Err(Failure::new(format!("--schema says already what --{} would say", key.replace('_', "-")))
            .hint("leave it out, or change the file of the schema")),
        None => Ok(()),
    }
}

/// Leaves a schema out of settings where those that beat them say otherwise what the columns are.
pub(crate) fn yield_to(settings: &mut Table, over: &Table) {
    if STANDS_FOR.into_iter().any(|key| over.contains_key(key)) {
        settings.remove(SCHEMA);
    }
}

fn read(path: &Path) -> Result<Value> {
    let table = toml_file::read(path, "schema")?;
    checked(&table).map_err(|reason| {
        Failure::new(format!("{}: {reason}", path.display()))
            .hint("`dbn check DATA --schema-out FILE` writes the schema of data")
    })
}

/// The same table, if it is a schema; else what is wrong with it.
fn checked(table: &Table) -> std::result::Result<Value, String> {
    known("the schema", table, &["missing", "units", "alphabet", "column"])?;
    if table.get("missing").is_some_and(|missing| !are_texts(missing)) {
        return Err("'missing' must be an array of texts in quotes".into());
    }
    if table.get("units").is_some_and(|units| ![Some("bernoulli"), Some("by-kind")].contains(&units.as_str())) {
        return Err("'units' must be \"bernoulli\" or \"by-kind\"".into());
    }
    let columns = table.get("column").and_then(Value::as_array).filter(|columns| !columns.is_empty());
    let columns = columns.ok_or("a schema has a [[column]] entry for each column, and here is none")?;
    for (place, column) in columns.iter().enumerate() {
        let column = column.as_table().ok_or("'column' must be a list of [[column]] entries")?;
        let called = match column.get("name").and_then(Value::as_str) {
            Some(name) => format!("column {name:?}"),
            None => format!("[[column]] {place} (from 0)"),
        };
        check_column(column).map_err(|reason| format!("{called}: {reason}"))?;
    }
    let value = Value::Table(table.clone());
    let schema: Schema = value.clone().try_into().map_err(|error: toml::de::Error| error.message().to_string())?;
    schema.validate().map_err(|error| error.to_string())?;
    Ok(value)
}

fn check_column(column: &Table) -> std::result::Result<(), String> {
    let kind = column.get("kind").and_then(Value::as_str);
    let kind: KindName = kind
        .ok_or_else(|| {
            format!("'kind' must be one of {}, in quotes", KindName::ALL.map(|kind| kind.to_string()).join(", "))
        })?
        .parse()
        .map_err(|error: deepbelief_data::Error| error.to_string())?;
    known(&format!("kind {kind}"), column, &[&OF_ALL, kind.keys()].concat())?;
    if let Some(key) = kind.keys().iter().find(|&&key| !column.contains_key(key)) {
        return Err(format!("kind {kind} needs '{key}'"));
    }
    for (key, value) in column {
        let (is_right, expected) = match key.as_str() {
            "count" => (value.as_integer().is_some_and(|count| count > 0), "a whole number above 0"),
            "offset" | "scale" | "divisor" => (value.is_float() || value.is_integer(), "a number"),
            "levels" => (are_texts(value), "an array of texts in quotes"),
            _ => (value.is_str(), "a text in quotes"),
        };
        if !is_right {
            return Err(format!("'{key}' is {value}, expected {expected}"));
        }
    }
    Ok(())
}

fn known(what: &str, table: &Table, keys: &[&str]) -> std::result::Result<(), String> {
    match table.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key '{key}'; {what} has {}", keys.join(", "))),
        None => Ok(()),
    }
}

fn are_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|values| values.iter().all(Value::is_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let kinds = [
            ("a \"b\"\n\\xe9", ColumnKind::Real { offset: (-0.1f32).into(), scale: 1e-30f32.into() }),
            ("", ColumnKind::Unit { divisor: 16.0 }),
            ("c", ColumnKind::Categorical { levels: vec!["1".into(), "x, y".into()] }),
            ("d", ColumnKind::Binary { off: "no".into(), on: "yes".into() }),
            ("e", ColumnKind::Spin),
            ("f", ColumnKind::Ignored),
            ("g", ColumnKind::Label),
            ("h", ColumnKind::Real { offset: f32::MIN.into(), scale: f32::MAX.into() }),
            ("i", ColumnKind::Real { offset: 16_777_216.0, scale: 0.333_333_34f32.into() }),
        ];
        Schema::new(kinds.map(|(name, kind)| (Some(name.to_string()), kind)), vec!["-9".into(), "none".into()])
    }

    fn again(text: &str) -> Schema {
        checked(&text.parse().unwrap()).unwrap().try_into().unwrap()
    }

    /// To the bit, of a file of its own and under a key of a recipe.
    #[test]
    fn what_is_written_is_read() {
        let unnamed = Schema::new(vec![(None, ColumnKind::Unit { divisor: 255.0 }); 784], Vec::new());
        let alignment = Schema::of_alignment("protein".parse().unwrap(), 53);
        for schema in [schema(), schema().with_units(ColumnUnits::ByKind), unnamed, alignment] {
            assert_eq!(again(&text(&schema, &Source::Mnist, Path::new("s.toml"))), schema);
            let recipe: Table = format!("seed = 1\n{}", entries(&schema, Some("schema"))).parse().unwrap();
            let value = resolve(&recipe["schema"]).unwrap();
            assert_eq!(value.try_into::<Schema>().unwrap(), schema);
        }
        let mut x = 1.0e-38f32;
        while x < 1e38 {
            assert_eq!(number(x.into()).parse::<f64>().unwrap() as f32, x);
            x *= 1.3;
        }
    }

    /// Whole numbers are numbers; the name of what is wrong stands in the message, and what was expected.
    #[test]
    fn slips_are_named_with_their_column() {
        let age = |rest: &str| format!("[[column]]\nname = \"age\"\n{rest}\n");
        let schema = again(&age("kind = \"real\"\noffset = 20\nscale = 60"));
        assert_eq!(schema.columns[0].kind, ColumnKind::Real { offset: 20.0, scale: 60.0 });
        for (text, expected) in [
            (
                age("kind = \"real\"\nofset = 1"),
                "column \"age\": unknown key 'ofset'; kind real has name, count, kind, offset, scale",
            ),
            (age("kind = \"real\"\noffset = 1"), "column \"age\": kind real needs 'scale'"),
            (age("kind = \"unit\"\ndivisor = \"9\""), "column \"age\": 'divisor' is \"9\", expected a number"),
            (age("kind = \"unit\"\ndivisor = 0"), "column \"age\": divisor must be a finite number above 0"),
            (age("kind = \"binary\"\noff = 0\non = 1"), "column \"age\": 'off' is 0, expected a text in quotes"),
            (
                age("kind = \"large\""),
                "column \"age\": kind of a column is \"large\"; it must be binary, unit, real, categorical, spin, ignored, label, weight",
            ),
            (age("kind = \"spin\"") + &age("kind = \"spin\""), "column \"age\": two columns have this name"),
            (age("kind = \"spin\"\ncount = -1"), "column \"age\": 'count' is -1, expected a whole number above 0"),
            ("[[columns]]\n".into(), "unknown key 'columns'; the schema has missing, units, alphabet, column"),
            (String::new(), "a schema has a [[column]] entry for each column, and here is none"),
            ("units = \"gaussian\"".into(), "'units' must be \"bernoulli\" or \"by-kind\""),
            ("missing = [1]".into(), "'missing' must be an array of texts in quotes"),
        ] {
            assert_eq!(checked(&text.parse().unwrap()).unwrap_err(), expected);
        }
    }
}
