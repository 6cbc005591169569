//! From the cells of a sheet to the values of visible units, as a schema says.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::columns::Schema;
use super::kind::{ColumnKind, ROUNDING};
use super::labels::{self, Labels, Texts};
use super::options::{LabelUse, LoadOptions};
use super::scale::Scale;
use super::scaling::Scaling;
use super::visible::ColumnUnits;
use crate::error::Error;
use crate::memory::room::reserve;
use crate::tables::sheet::{Cell, Content, Sheet};
use crate::tables::table::{Table, check_units};
use crate::tables::values::Values;

/// Columns that a note names, at most.
const NAMED: usize = 5;

/// Standard deviations from its mean from which on a value of a Gaussian unit is told.
const FAR: f32 = 10.0;

/// What became of a sheet.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) table: Table,
    pub(crate) class_names: Option<Vec<String>>,
    /// What is still to be done to the values.
    pub(crate) scaling: Scaling,
    /// What was left out, and what was taken for an end of its range.
    pub(crate) notes: Vec<String>,
}

/// What is to be done with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are those that the schema was inferred from.
    Train,
    /// A model is used on them.
    Apply,
    /// They are only looked at.
    Look,
}

impl Use {
    /// Of training data: what a schema that is given or standard deviations do not reach is taken for the ends.
    pub(crate) fn to_learn(options: &LoadOptions) -> Self {
        if options.schema.is_some() || options.scale == Scale::Standard { Self::Apply } else { Self::Train }
    }
}

/// Makes a table of a sheet, with NaN where a value is missing. `names` are those of the classes where another data set has numbered them.
pub(crate) fn encode(
    schema: &Schema,
    sheet: &Sheet,
    how: Use,
    names: bool,
    label_use: LabelUse,
) -> Result<Encoded, Error> {
    let raw = are_bytes(schema);
    let (columns, mut notes) = columns(schema, sheet, raw)?;
    let units: usize = columns.iter().map(|column| column.units).sum();
    check_units(units as u128, &sheet.what)?;
    let path = PathBuf::from(&sheet.what);
    let mut values: Vec<f32> = Vec::new();
    reserve(&path, &mut values, units * sheet.lines.len())?;
    let mut beyond = vec![(0usize, 0usize); columns.len()];
    let mut rows_beyond = vec![0u32; sheet.lines.len()];
    for (row, cells) in sheet.rows().enumerate() {
        for (column, beyond) in columns.iter().zip(&mut beyond) {
            let cell = cells[column.from];
            if cell == Cell::MISSING {
                values.extend(std::iter::repeat_n(f32::NAN, column.units));
                continue;
            }
            let finite = |x: &f32| x.is_finite() || how == Use::Look;
            let Some(x) = column.unit(cell).filter(finite) else { return Err(column.refuse(sheet, row, cell)) };
            match column.units {
                1 if column.is_gaussian() => {
                    if x.abs() > FAR {
                        *beyond = (beyond.0 + 1, if beyond.0 == 0 { row } else { beyond.1 });
                    }
                    values.push(x);
                }
                1 => {
                    let most = if raw { 255.0 } else { 1.0 };
                    if how == Use::Look {
                        values.push(x);
                        continue;
                    }
                    if !(-ROUNDING..=most + ROUNDING).contains(&x) {
                        if how == Use::Train || !column.has_ends() {
                            return Err(column.refuse(sheet, row, cell));
                        }
                        *beyond = (beyond.0 + 1, if beyond.0 == 0 { row } else { beyond.1 });
                        rows_beyond[row] += 1;
                    }
                    values.push(x.clamp(0.0, most));
                }
                units => values.extend((0..units).map(|unit| if unit as f32 == x { 1.0 } else { 0.0 })),
            }
        }
    }
    notes.extend(said_of_ends(sheet, &columns, &beyond));
    notes.extend(said_of_far(sheet, &columns, &beyond));
    let labels = match labels_of(schema, sheet, names, label_use)? {
        Ok(labels) => labels,
        Err(note) => {
            notes.push(note);
            None
        }
    };
    let (labels, class_names) = labels.map_or((None, None), |(labels, names)| (Some(labels), names));
    let from = columns.iter().flat_map(|column| std::iter::repeat_n(column.from, column.units)).collect();
    let (what, lines) = (sheet.what.clone(), Some(sheet.lines.clone()));
    let table = Table {
        what,
        units,
        values: Values::Floats(values).into(),
        labels,
        lines,
        pictures: false,
        columns: Some(from),
        names: sheet.names.clone(),
        weights: weights_of(schema, sheet)?,
        beyond: rows_beyond.iter().any(|&count| count > 0).then_some(rows_beyond),
        missing: None,
    };
    let scaling = if raw { Scaling::By255 } else { Scaling::None };
    Ok(Encoded { table, class_names, scaling, notes })
}

/// One line on values that were taken for the ends of their ranges: how many of each column, and the first row.
fn said_of_ends(sheet: &Sheet, columns: &[Column], beyond: &[(usize, usize)]) -> Option<String> {
    let (all, each) = named(sheet, columns, beyond, false);
    let (values, are) = if all == 1 { ("value lies", "is") } else { ("values lie", "are") };
    (all > 0).then(|| format!("{all} {values} beyond the ranges of the columns and {are} taken for their ends: {each}"))
}

/// One line on values that lie far out in Gaussian units, which keep them.
fn said_of_far(sheet: &Sheet, columns: &[Column], beyond: &[(usize, usize)]) -> Option<String> {
    let (all, each) = named(sheet, columns, beyond, true);
    let values = if all == 1 { "value lies" } else { "values lie" };
    (all > 0).then(|| format!("{all} {values} more than {FAR} standard deviations from the mean of the column: {each}"))
}

/// How many values are counted in all columns that are Gaussian units, or in all others, and how many in each of these, with the first row.
fn named(sheet: &Sheet, columns: &[Column], counts: &[(usize, usize)], gaussian: bool) -> (usize, String) {
    let found: Vec<_> = columns
        .iter()
        .zip(counts)
        .filter(|(column, (count, _))| *count > 0 && column.is_gaussian() == gaussian)
        .collect();
    let each: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|(column, (count, row))| {
            let (called, first) = (sheet.called(column.from), sheet.called_row(*row));
            format!("column {called} ({}) {count}, the first in {first}", column.learned_by.described(column.kind))
        })
        .collect();
    let more = if found.len() > NAMED { format!("; and {} more columns", found.len() - NAMED) } else { String::new() };
    (found.iter().map(|(_, (count, _))| count).sum(), each.join("; ") + &more)
}

/// Whether all units are grey levels of a byte: they then stay bytes.
fn are_bytes(schema: &Schema) -> bool {
    let mut learned = schema.each().map(|(_, kind)| kind).filter(|kind| kind.units() > 0).peekable();
    let byte = |kind: &ColumnKind| matches!(kind, ColumnKind::Unit { divisor } if *divisor == 255.0);
    learned.peek().is_some() && learned.all(byte)
}

/// A column that becomes units.
struct Column<'a> {
    /// Where it stands in the sheet.
    from: usize,
    kind: &'a ColumnKind,
    learned_by: ColumnUnits,
    units: usize,
    /// Whether grey levels stay undivided.
    raw: bool,
    /// The levels as numbers, where they are some, and the level of each text of the sheet's column.
    numbers: Vec<Option<f32>>,
    texts: Vec<Option<u32>>,
}

impl<'a> Column<'a> {
    fn new(sheet: &Sheet, from: usize, (kind, learned_by): (&'a ColumnKind, ColumnUnits), raw: bool) -> Self {
        let levels: Vec<&String> = match kind {
            ColumnKind::Binary { off, on } => vec![off, on],
            ColumnKind::Categorical { levels } => levels.iter().collect(),
            _ => Vec::new(),
        };
        let place = |text: &String| levels.iter().position(|level| *level == text).map(|place| place as u32);
        let texts = sheet.texts[from].distinct.iter().map(place).collect();
        let numbers = levels.iter().map(|level| level.parse().ok()).collect();
        Self { from, kind, learned_by, units: kind.units(), raw, numbers, texts }
    }

    /// Whether it keeps any number.
    fn is_gaussian(&self) -> bool {
        self.learned_by.are_gaussian(self.kind)
    }

    /// The value of its unit, or the number of the unit that is on; none where the schema has no such value.
    fn unit(&self, cell: Cell) -> Option<f32> {
        match (self.kind, cell.content()) {
            (ColumnKind::Unit { .. }, Content::Number(x)) if self.raw => Some(x),
            (ColumnKind::Unit { .. } | ColumnKind::Real { .. }, Content::Number(x)) => self.kind.scaled(x),
            (ColumnKind::Spin, Content::Number(x)) => (x == 1.0 || x == -1.0).then_some(f32::midpoint(x, 1.0)),
            (_, Content::Number(x)) => {
                self.numbers.iter().position(|level| *level == Some(x)).map(|place| place as f32)
            }
            (_, Content::Text(place)) => self.texts.get(place as usize).copied().flatten().map(|place| place as f32),
            (_, Content::Missing) => None,
        }
    }

    /// Whether its range was found in data, so that values beyond it may come: fractions and bytes have theirs by nature.
    fn has_ends(&self) -> bool {
        match self.kind {
            ColumnKind::Real { .. } => !self.is_gaussian(),
            ColumnKind::Unit { divisor } => *divisor != 1.0 && *divisor != 255.0,
            _ => false,
        }
    }

    fn refuse(&self, sheet: &Sheet, row: usize, cell: Cell) -> Error {
        let expected = match self.kind {
            ColumnKind::Binary { off, on } => format!("{off} or {on}"),
            ColumnKind::Unit { divisor } => format!("a number from 0 to {divisor}"),
            ColumnKind::Real { .. } if self.is_gaussian() => "a number".into(),
            ColumnKind::Real { offset, scale } => format!("a number, {offset} to {}", offset + scale),
            ColumnKind::Categorical { levels } => format!("one of {}", levels[..levels.len().min(12)].join(", ")),
            ColumnKind::Spin => "-1 or 1".into(),
            ColumnKind::Ignored | ColumnKind::Label | ColumnKind::Weight => "anything".into(),
        };
        Error::Cell {
            path: PathBuf::from(&sheet.what),
            place: format!("{}, column {}", sheet.called_row(row), sheet.called(self.from)),
            value: sheet.show(cell, self.from),
            expected,
        }
    }
}

/// Where the sheet has the columns of the schema that have units.
pub(crate) fn places(schema: &Schema, sheet: &Sheet) -> Result<Vec<usize>, Error> {
    Ok(columns(schema, sheet, false)?.0.iter().map(|column| column.from).collect())
}

/// Where the sheet has the columns of the schema, and what is said of those that it has beside.
fn columns<'a>(schema: &'a Schema, sheet: &Sheet, raw: bool) -> Result<(Vec<Column<'a>>, Vec<String>), Error> {
    let learned = || schema.each().enumerate().filter(|(_, (_, kind))| kind.units() > 0);
    let path = || PathBuf::from(&sheet.what);
    let Some(names) = sheet.names.as_ref().filter(|_| schema.has_names()) else {
        // By place. A file may lack the column of the labels.
        let (all, have) = (schema.each().count(), sheet.columns());
        let label = schema.each().position(|(_, kind)| *kind == ColumnKind::Label);
        let shift = match label {
            Some(label) if have + 1 == all => Some(label),
            _ if have == all => None,
            _ => return Err(Error::Columns { path: path(), got: have, expected: all, named: schema.has_names() }),
        };
        let from = |place: usize| place - usize::from(shift.is_some_and(|label| label < place));
        let notes =
            schema.has_names().then(|| "there are no names of columns: they are taken by their position".into());
        return Ok((
            learned()
                .map(|(place, (_, kind))| Column::new(sheet, from(place), (kind, schema.learned_by), raw))
                .collect(),
            notes.into_iter().collect(),
        ));
    };
    // The place of each name, none where two columns have it.
    let mut places: HashMap<&str, Option<usize>> = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        places.entry(name).and_modify(|place| *place = None).or_insert(Some(place));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (_, (name, kind)) in learned() {
        let name = name.unwrap_or_default();
        match places.get(name) {
            Some(Some(place)) => found.push(Column::new(sheet, *place, (kind, schema.learned_by), raw)),
            Some(None) => {
                let reason = "two columns have this name".into();
                return Err(Error::Column { path: path(), column: format!("{name:?}"), reason });
            }
            None => missing.push(name),
        }
    }
    let known: HashSet<&str> = schema.each().filter_map(|(name, _)| name).collect();
    let extra: Vec<&str> = names.iter().map(String::as_str).filter(|name| !known.contains(name)).collect();
    let list = |names: &[&str]| names.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    if !missing.is_empty() {
        let missing = list(&missing);
        let unknown = if extra.is_empty() { String::new() } else { format!("; it has {} instead", list(&extra)) };
        return Err(Error::ColumnsMissing { path: path(), missing, unknown });
    }
    let notes = match extra.as_slice() {
        [] => Vec::new(),
        extra => {
            let more = if extra.len() > 12 { ", ..." } else { "" };
            vec![format!("left out columns that the schema does not name: {}{more}", list(extra))]
        }
    };
    Ok((found, notes))
}

/// The labels, where the schema has a column of them and the sheet has it too; or what is said where samples lack
/// theirs and need not have any.
fn labels_of(
    schema: &Schema,
    sheet: &Sheet,
    names: bool,
    label_use: LabelUse,
) -> Result<Result<Option<Labels>, String>, Error> {
    let Some(label) = schema.label().filter(|_| label_use != LabelUse::Unused) else { return Ok(Ok(None)) };
    let by_place = sheet.names.is_none() || !schema.has_names();
    let column = match by_place {
        true if sheet.columns() < schema.each().count() => None,
        true => schema.each().position(|(_, kind)| *kind == ColumnKind::Label),
        false => sheet.names.as_ref().and_then(|names| names.iter().position(|name| *name == label)),
    };
    let Some(column) = column else { return Ok(Ok(None)) };
    let (path, mut texts) = (PathBuf::from(&sheet.what), Texts::default());
    let missing = sheet.rows().filter(|cells| cells[column] == Cell::MISSING).count();
    if missing > 0 && label_use == LabelUse::IfComplete {
        let (called, rows) = (sheet.called(column), sheet.lines.len());
        return Ok(Err(format!(
            "{missing} of {rows} labels missing in column {called}: the data count as unlabelled, as with `--label-column none`"
        )));
    }
    for (row, cells) in sheet.rows().enumerate() {
        let cell = cells[column];
        if cell == Cell::MISSING {
            let place = format!("{}, column {}", sheet.called_row(row), sheet.called(column));
            return Err(Error::NoLabel { path, place });
        }
        texts.push(&path, &sheet.show(cell, column))?;
    }
    labels::from_text(&sheet.what, texts, names).map(|labels| Ok(Some(labels)))
}

/// The weights, where the schema has a column of them and the sheet has it too.
fn weights_of(schema: &Schema, sheet: &Sheet) -> Result<Option<Vec<f32>>, Error> {
    let Some((place, (name, _))) = schema.each().enumerate().find(|(_, (_, kind))| **kind == ColumnKind::Weight) else {
        return Ok(None);
    };
    let column = match (&sheet.names, name) {
        (Some(names), Some(name)) => names.iter().position(|other| other == name),
        _ => Some(place).filter(|_| sheet.columns() == schema.each().count()),
    };
    let Some(column) = column else { return Ok(None) };
    let weight = |(row, cells): (usize, &[Cell])| match cells[column].content() {
        Content::Number(x) if x >= 0.0 && x.is_finite() => Ok(x),
        _ => Err(Error::Cell {
            path: PathBuf::from(&sheet.what),
            place: format!("{}, column {}", sheet.called_row(row), sheet.called(column)),
            value: sheet.show(cells[column], column),
            expected: "a weight, a number from 0 up".into(),
        }),
    };
    sheet.rows().enumerate().map(weight).collect::<Result<_, _>>().map(Some)
}
