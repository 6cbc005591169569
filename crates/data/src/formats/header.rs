//! Whether a table of text starts with the names of its columns.

use std::path::Path;

use super::dialect::Dialect;
use super::gaps::Gaps;
use crate::error::Error;
use crate::schema::columns::Schema;
use crate::schema::options::{Header, LoadOptions};
use crate::tables::sheet::place;
use crate::text::shown;

/// Columns from which a first line that counts them is a header.
const COUNTED: usize = 4;

/// A line of a file: its number, from 1, and its fields.
pub(crate) type Line = (u64, Vec<Vec<u8>>);

/// What the first line is.
pub(crate) struct Told {
    pub(crate) is_there: bool,
    /// What the columns are called.
    pub(crate) names: Option<Vec<String>>,
    /// The column of the labels.
    pub(crate) label: Option<usize>,
    /// What is to be said of it.
    pub(crate) note: Option<String>,
}

/// Tells by the first lines of a file.
pub(crate) fn told(
    path: &Path,
    lines: &[Line],
    options: &LoadOptions,
    dialect: Dialect,
    gaps: &Gaps,
) -> Result<Told, Error> {
    let Some(((line, first), rest)) = lines.split_first() else {
        return Ok(Told { is_there: false, names: None, label: None, note: None });
    };
    let columns = rest.first().map_or(first.len(), |(_, fields)| fields.len());
    let is_there = match options.header {
        Header::Yes => true,
        Header::No => false,
        Header::Auto => named(first, options) || by_values(path, *line, first, rest, options, dialect, gaps)?,
    };
    if !is_there {
        return Ok(Told { is_there, names: None, label: label(options, None, columns), note: None });
    }
    let mut names = names(first);
    // R leaves out the name of the column of row names.
    if names.len() + 1 == columns {
        names.insert(0, String::new());
    }
    if let Some((line, fields)) = rest.first().filter(|(_, fields)| fields.len() != names.len()) {
        let (got, expected) = (fields.len(), names.len());
        return Err(Error::Ragged { path: path.into(), line: *line, got, expected });
    }
    let label = label(options, Some(&names), columns);
    let counts = first.iter().filter(|field| dialect.number(field).is_some()).count();
    let note = (counts > 0 && options.header == Header::Auto)
        .then(|| format!("line {line} numbers the columns (--header no if it is a sample)"));
    Ok(Told { is_there, names: Some(names), label, note })
}

/// Whether a line has names that are known: that of the label, one of the model's that is no number, or all of those
/// that it learned from.
fn named(first: &[Vec<u8>], options: &LoadOptions) -> bool {
    let first: Vec<String> = first.iter().map(|field| shown(field)).collect();
    let is = |name: &str| first.iter().any(|field| field == name);
    let known = |name: &str| name.parse::<f64>().is_err() && !["", "first", "last"].contains(&name) && is(name);
    let mut learned = options.schema.iter().flat_map(Schema::each).filter(|(_, kind)| kind.units() > 0).peekable();
    options.label_column.as_deref().is_some_and(known)
        || options.schema.iter().flat_map(Schema::each).any(|(name, _)| name.is_some_and(known))
        || learned.peek().is_some() && learned.all(|(name, _)| name.is_some_and(|name| name.is_empty() || is(name)))
}

/// Whether the values of a line are not of the kind of those below it.
fn by_values(
    path: &Path,
    line: u64,
    first: &[Vec<u8>],
    rest: &[Line],
    options: &LoadOptions,
    dialect: Dialect,
    gaps: &Gaps,
) -> Result<bool, Error> {
    let number = |field: &[u8]| dialect.number(field).is_some();
    // The label may be a word in a line of data, so that its field tells nothing.
    let label = label(options, None, first.len());
    let shift = usize::from(rest.first().is_some_and(|(_, fields)| fields.len() == first.len() + 1));
    let (mut words, mut numbers, mut texts, mut again) = (Vec::new(), 0usize, 0usize, 0usize);
    for (column, field) in first.iter().enumerate().filter(|&(column, field)| Some(column) != label && !gaps.has(field))
    {
        let below =
            || rest.iter().filter_map(|(_, fields)| fields.get(column + shift)).filter(|field| !gaps.has(field));
        let numeric = below().all(|field| number(field));
        match (numeric, number(field)) {
            (true, true) => numbers += 1,
            (true, false) => words.push(column),
            (false, _) => {
                texts += 1;
                again += usize::from(below().any(|other| other == field));
            }
        }
    }
    if numbers > 0 && counts(first, dialect) && !rest.iter().all(|(_, fields)| counts(fields, dialect)) {
        return Ok(true);
    }
    match (words.as_slice(), numbers) {
        ([column, ..], 1..) => {
            let field = String::from_utf8_lossy(&first[*column]).chars().take(40).collect();
            let hint = match label {
                None => "; is it the label column? If line 1 names the columns, say `--header yes`",
                Some(_) => "; if line 1 names the columns, say `--header yes`",
            };
            Err(Error::NotANumber { path: path.into(), line, column: *column, field, hint })
        }
        ([_, ..], 0) => Ok(true),
        ([], 1..) => Ok(false),
        // Texts alone: a header names what never comes again.
        ([], 0) => Ok(texts > 0 && again == 0 && !rest.is_empty()),
    }
}

/// Whether the numbers of a line are those of the columns, from 0 or 1.
fn counts(fields: &[Vec<u8>], dialect: Dialect) -> bool {
    let numbers: Vec<(usize, f32)> =
        fields.iter().enumerate().filter_map(|(column, field)| Some((column, dialect.number(field)?))).collect();
    let Some(&(first, from)) = numbers.first() else { return false };
    let starts = from == 0.0 || from == 1.0;
    numbers.len() >= COUNTED && starts && numbers.iter().all(|&(column, x)| x == from + (column - first) as f32)
}

/// The place of the label's column among so many, if the options or the model name one.
fn label(options: &LoadOptions, names: Option<&[String]>, columns: usize) -> Option<usize> {
    let find = |wanted: &str| {
        let named = names.and_then(|names| names.iter().position(|name| name == wanted));
        named.or_else(|| place(wanted, columns))
    };
    match (&options.label_column, &options.schema) {
        (Some(wanted), _) => find(wanted),
        // A file to use a model on may lack the column.
        (None, Some(schema)) if names.is_some() || columns == schema.each().count() => find(&schema.label()?),
        (None, _) => None,
    }
}

/// The names that a line gives.
fn names(fields: &[Vec<u8>]) -> Vec<String> {
    fields.iter().map(|field| shown(field)).collect()
}
