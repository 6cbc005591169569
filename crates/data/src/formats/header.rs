//! Whether a table of text starts with the names of its columns.

use std::path::Path;

use super::dialect::{Dialect, Separator};
use super::gaps::Gaps;
use crate::error::{Error, LineError};
use crate::schema::columns::Schema;
use crate::schema::kind::ColumnKind;
use crate::schema::options::{Header, LoadOptions};
use crate::tables::sheet::place;
use crate::text::shown;

/// Columns from which a first line that counts them is a header.
const COUNTED: usize = 4;

/// Times the range of the numbers below, from which those of a first line are of another kind.
const FAR: f64 = 3.0;

/// A line of a file: its number, from 1, and its fields.
pub(crate) type Line = (u64, Vec<Vec<u8>>);

/// What the columns are called, and by which line.
#[derive(Default)]
pub(crate) struct Told {
    /// Whether the first line says it.
    pub(crate) is_there: bool,
    /// Whether a comment above it does.
    pub(crate) is_comment: bool,
    /// What the columns are called.
    pub(crate) names: Option<Vec<String>>,
    /// The column of the labels.
    pub(crate) label: Option<usize>,
    /// What is to be said of it.
    pub(crate) note: Option<String>,
}

/// Tells by the first lines of a file, and by a comment above them that has as many fields.
pub(crate) fn told(
    path: &Path,
    lines: &[Line],
    comment: Option<Line>,
    options: &LoadOptions,
    dialect: Dialect,
    gaps: &Gaps,
) -> Result<Told, Error> {
    let Some(((line, first), rest)) = lines.split_first() else { return Ok(Told::default()) };
    let columns = rest.first().map_or(first.len(), |(_, fields)| fields.len());
    let table = Table { path, line: *line, first, rest, options, dialect, gaps };
    let comment = comment.filter(|_| options.header != Header::No);
    if options.header != Header::No {
        table.refuse_title()?;
    }
    let is_there = match (options.header, &comment) {
        (Header::No, _) => false,
        (Header::Yes, None) => true,
        // What a comment says and the line below it says again is the header.
        (_, Some((_, fields))) if fields == first => true,
        // Of a line of words above numbers and a comment above it, that which has the model's names is the header, and
        // before all that which has them as the model learned them.
        (_, Some((_, fields))) => match (are_names(first, options), are_names(fields, options)) {
            (true, false) => true,
            (false, true) => false,
            _ => match (has_all(first, options), has_all(fields, options)) {
                (true, false) => true,
                (false, true) => false,
                (true, true) => table.tally().is_of_words(),
                (false, false) => named(first, options) || table.tally().is_of_words(),
            },
        },
        (Header::Auto, None) => named(first, options) || table.by_values()?,
    };
    if !is_there && let Some((line, fields)) = comment {
        let names = names(&fields);
        let label = label(options, Some(&names), columns);
        let note = Some(format!("line {line}, a comment, names the columns (--header no if it does not)"));
        return Ok(Told { is_comment: true, names: Some(names), label, note, ..Told::default() });
    }
    if !is_there {
        return Ok(Told { label: label(options, None, columns), ..Told::default() });
    }
    let mut names = names(first);
    // R leaves out the name of the column of row names.
    if names.len() + 1 == columns {
        names.insert(0, String::new());
    }
    if let Some((line, fields)) = rest.first().filter(|(_, fields)| fields.len() != names.len()) {
        let (got, expected) = (fields.len(), names.len());
        return Err(LineError::Ragged { path: path.into(), line: *line, got, expected }.into());
    }
    let label = label(options, Some(&names), columns);
    let counts = first.iter().filter(|field| dialect.number(field).is_some()).count();
    let note = (counts > 0 && options.header == Header::Auto)
        .then(|| format!("line {line} numbers the columns (--header no if it is a sample)"));
    Ok(Told { is_there, names: Some(names), label, note, ..Told::default() })
}

/// Whether a line has names that are known: that of the label, one of the model's that is no number, or all of those
/// that it learned from, or all.
fn named(first: &[Vec<u8>], options: &LoadOptions) -> bool {
    let first: Vec<String> = first.iter().map(|field| shown(field)).collect();
    let is = |name: &str| first.iter().any(|field| field == name);
    let known = |name: &str| name.parse::<f64>().is_err() && !["", "first", "last"].contains(&name) && is(name);
    options.label_column.as_deref().is_some_and(known)
        || options.schema.iter().flat_map(Schema::each).any(|(name, _)| name.is_some_and(known))
        || has_all_names(&is, options)
}

/// Whether a line is the names that a model knows, in their order; R leaves out the first.
fn are_names(line: &[Vec<u8>], options: &LoadOptions) -> bool {
    let Some(schema) = &options.schema else { return false };
    let names: Vec<&str> = schema.each().filter_map(|(name, _)| name).collect();
    let named = if names.len() == line.len() + 1 && names[0].is_empty() { &names[1..] } else { &names[..] };
    named.len() == line.len() && named.iter().zip(line).all(|(name, field)| *name == shown(field))
}

/// Whether a line has all names that a model knows.
fn has_all(line: &[Vec<u8>], options: &LoadOptions) -> bool {
    let line: Vec<String> = line.iter().map(|field| shown(field)).collect();
    has_all_names(&|name| line.iter().any(|field| field == name), options)
}

/// Whether all names are there that a model learned from, or, where a column without a name is all that it learned from,
/// those of the others.
fn has_all_names(is_there: &dyn Fn(&str) -> bool, options: &LoadOptions) -> bool {
    let columns = || options.schema.iter().flat_map(Schema::each);
    has_all_of(&mut columns().filter(|(_, kind)| kind.units() > 0), is_there) || has_all_of(&mut columns(), is_there)
}

/// Whether all columns have names that are there; some column has one.
fn has_all_of<'a>(
    columns: &mut dyn Iterator<Item = (Option<&'a str>, &'a ColumnKind)>,
    is_there: &dyn Fn(&str) -> bool,
) -> bool {
    let mut some = false;
    for (name, _) in columns {
        match name {
            Some("") => {}
            Some(name) if is_there(name) => some = true,
            _ => return false,
        }
    }
    some
}

/// The first lines of a table.
struct Table<'a> {
    path: &'a Path,
    /// The number of the first line, and its fields.
    line: u64,
    first: &'a [Vec<u8>],
    rest: &'a [Line],
    options: &'a LoadOptions,
    dialect: Dialect,
    gaps: &'a Gaps,
}

/// What the fields of the first line are beside those below them.
#[derive(Default)]
struct Tally {
    /// Columns with a word above numbers.
    words: Vec<usize>,
    /// Columns of numbers, with a number above them.
    numbers: Vec<usize>,
    /// Columns with texts below, and those of them where the first comes again.
    texts: usize,
    again: usize,
}

impl Tally {
    /// Whether it has words alone above numbers.
    fn is_of_words(&self) -> bool {
        !self.words.is_empty() && self.numbers.is_empty()
    }
}

impl Table<'_> {
    /// The fields below one of the first line that hold something.
    fn below(&self, column: usize) -> impl Iterator<Item = &Vec<u8>> {
        let shift = usize::from(self.rest.first().is_some_and(|(_, fields)| fields.len() == self.first.len() + 1));
        self.rest.iter().filter_map(move |(_, fields)| fields.get(column + shift)).filter(|field| !self.gaps.has(field))
    }

    fn number(&self, field: &[u8]) -> Option<f64> {
        self.dialect.number(field)
    }

    fn tally(&self) -> Tally {
        // The label may be a word in a line of data, so that its field tells nothing.
        let label = label(self.options, None, self.first.len());
        let mut tally = Tally::default();
        for (column, field) in self.first.iter().enumerate() {
            if Some(column) == label || self.gaps.has(field) {
                continue;
            }
            let numeric = self.below(column).all(|field| self.number(field).is_some());
            match (numeric, self.number(field)) {
                (true, Some(_)) => tally.numbers.push(column),
                (true, None) => tally.words.push(column),
                (false, _) => {
                    tally.texts += 1;
                    tally.again += usize::from(self.below(column).any(|other| other == field));
                }
            }
        }
        tally
    }

    /// Whether the values of the first line are not of the kind of those below it.
    fn by_values(&self) -> Result<bool, Error> {
        let Self { path, line, first, rest, dialect, .. } = *self;
        let tally = self.tally();
        if !tally.numbers.is_empty()
            && counts(first, dialect)
            && !rest.iter().all(|(_, fields)| counts(fields, dialect))
        {
            return Ok(true);
        }
        self.refuse_far_numbers(&tally)?;
        match (tally.words.as_slice(), tally.numbers.len()) {
            ([column, ..], 1..) => {
                let field = String::from_utf8_lossy(&first[*column]).chars().take(40).collect();
                let hint = match label(self.options, None, first.len()) {
                    None => "; is it the label column? If line 1 names the columns, say `--header yes`",
                    Some(_) => "; if line 1 names the columns, say `--header yes`",
                };
                Err(LineError::NotANumber { path: path.into(), line, column: *column, field, hint }.into())
            }
            ([_, ..], 0) => Ok(true),
            ([], 1..) => Ok(false),
            // Texts alone: a header names what never comes again.
            ([], 0) => Ok(tally.texts > 0 && tally.again == 0 && !rest.is_empty()),
        }
    }

    /// Refuses a first line that may name years or depths: whole numbers in even steps that lie far from those below
    /// them, or beside a word that never comes again.
    fn refuse_far_numbers(&self, tally: &Tally) -> Result<(), Error> {
        let numbers: Vec<(usize, f64)> =
            tally.numbers.iter().filter_map(|&column| Some((column, self.number(&self.first[column])?))).collect();
        let step = match numbers.as_slice() {
            [(_, a), (_, b), ..] => b - a,
            _ => return Ok(()),
        };
        let even = numbers.windows(2).all(|pair| pair[1].1 - pair[0].1 == step);
        if self.rest.is_empty() || step <= 0.0 || !even || numbers.iter().any(|(_, x)| x.fract() != 0.0) {
            return Ok(());
        }
        let beyond = |times: f64| {
            numbers.iter().all(|&(column, x)| {
                let below = || self.below(column).filter_map(|field| self.number(field));
                let (min, max) = (below().fold(f64::INFINITY, f64::min), below().fold(f64::NEG_INFINITY, f64::max));
                // Where nothing varies the values themselves are the measure.
                let range = if max > min { max - min } else { max.abs() };
                x > max + times * range || x < min - times * range
            })
        };
        let new_word = tally.texts > 0 && tally.again == 0;
        if beyond(FAR) || new_word && beyond(0.0) {
            let shown: Vec<String> = numbers.iter().take(3).map(|(_, x)| x.to_string()).collect();
            let reason = format!(
                "has {}, whole numbers in even steps unlike those below: say `--header yes` if they name the columns, or \
                 `--header no` if they are a sample",
                shown.join(", ")
            );
            return Err(LineError::Unfit { path: self.path.into(), line: self.line, reason }.into());
        }
        Ok(())
    }

    /// Refuses a title: one text alone above lines of several fields.
    fn refuse_title(&self) -> Result<(), Error> {
        let mut filled = self.first.iter().enumerate().filter(|(_, field)| !field.is_empty());
        let (Some((column, title)), None) = (filled.next(), filled.next()) else { return Ok(()) };
        let fields = self.rest.first().map_or(0, |(_, fields)| fields.iter().filter(|field| !field.is_empty()).count());
        // R leaves out the name of the column of row names.
        let blanks = matches!(self.dialect.separator, Separator::Blanks | Separator::Byte(b'\t'));
        let of_r = blanks && self.first.len() == 1 && fields == 2;
        let is_value =
            self.number(title).is_some() || self.gaps.has(title) || self.below(column).any(|other| other == title);
        if fields < 2 || of_r || self.first.len() > 1 && is_value {
            return Ok(());
        }
        let title: String = shown(title).chars().take(40).collect();
        let reason =
            format!("has {title:?} alone, but the line below has {fields} fields: if it is a title, remove the line");
        Err(LineError::Unfit { path: self.path.into(), line: self.line, reason }.into())
    }
}

/// Whether the numbers of a line are those of the columns, from 0 or 1.
fn counts(fields: &[Vec<u8>], dialect: Dialect) -> bool {
    let numbers: Vec<(usize, f64)> =
        fields.iter().enumerate().filter_map(|(column, field)| Some((column, dialect.number(field)?))).collect();
    let Some(&(first, from)) = numbers.first() else { return false };
    let starts = from == 0.0 || from == 1.0;
    numbers.len() >= COUNTED && starts && numbers.iter().all(|&(column, x)| x == from + (column - first) as f64)
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
