//! From the cells of a sheet to the values of visible units, as a schema says.

mod column;
mod run;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::column::Column;
use self::run::Run;
use super::columns::Schema;
use super::kind::ColumnKind;
use super::labels::{self, Labels, Texts};
use super::options::LabelUse;
use super::scaling::Scaling;
use super::visible::ColumnUnits;
use crate::error::Error;
use crate::memory::room::zeros;
use crate::tables::sheet::{Cell, Content, Sheet};
use crate::tables::table::{Table, check_units};
use crate::tables::values::Values;

pub(crate) use self::column::Use;

/// Columns that a note names, at most.
const NAMED: usize = 5;

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
    let mut values = zeros(Path::new(&sheet.what), units * sheet.lines.len())?;
    let mut rows_beyond = vec![0u32; sheet.lines.len()];
    let beyond = fill(sheet, &columns, (how, raw), &mut values, &mut rows_beyond)?;
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
        ids: None,
        clusters: None,
        beyond: rows_beyond.iter().any(|&count| count > 0).then_some(rows_beyond),
        missing: None,
    };
    let scaling = if raw { Scaling::By255 } else { Scaling::None };
    Ok(Encoded { table, class_names, scaling, notes })
}

/// Values of each column that lie beyond its range, or far out, and the first row with one.
type Beyond = Vec<(usize, usize)>;

/// Makes values of all cells, each part of the rows by itself; the first that cannot be is refused.
fn fill(
    sheet: &Sheet,
    columns: &[Column],
    (how, raw): (Use, bool),
    mut values: &mut [f32],
    mut rows_beyond: &mut [u32],
) -> Result<Beyond, Error> {
    let units: usize = columns.iter().map(|column| column.units).sum();
    let width = sheet.columns().max(1);
    let (runs, mut parts) = (Run::all(columns), Vec::new());
    for (first, slices) in sheet.parts() {
        let rows = slices.iter().map(|slice| slice.len() / width).sum::<usize>();
        let (part, rest) = std::mem::take(&mut values).split_at_mut(rows * units);
        let (beyond, others) = std::mem::take(&mut rows_beyond).split_at_mut(rows);
        (values, rows_beyond) = (rest, others);
        parts.push((first, slices, part, beyond));
    }
    let fill = |(first, slices, values, rows_beyond): (usize, Vec<&[Cell]>, &mut [f32], &mut [u32])| {
        let mut beyond = vec![(0, 0); columns.len()];
        let rows = slices.into_iter().flat_map(|slice| slice.chunks_exact(width));
        for (row, ((cells, values), row_beyond)) in rows.zip(values.chunks_mut(units)).zip(rows_beyond).enumerate() {
            for run in &runs {
                if run.fill(cells, values) {
                    continue;
                }
                let (columns, beyond) = (&columns[run.columns.clone()], &mut beyond[run.columns.clone()]);
                let mut rest = run.values(values);
                for (column, beyond) in columns.iter().zip(beyond) {
                    let (values, others) = rest.split_at_mut(column.units);
                    rest = others;
                    if column
                        .fill(cells[column.from], values, how, raw, row_beyond)
                        .map_err(|()| column.refuse(sheet, first + row, cells[column.from]))?
                    {
                        *beyond = (beyond.0 + 1, if beyond.0 == 0 { first + row } else { beyond.1 });
                    }
                }
            }
        }
        Ok(beyond)
    };
    let each: Vec<Result<Beyond, Error>> = parts.into_par_iter().map(fill).collect();
    let mut all = vec![(0usize, 0usize); columns.len()];
    for part in each {
        for (all, part) in all.iter_mut().zip(part?) {
            *all = (all.0 + part.0, if all.0 == 0 { part.1 } else { all.1 });
        }
    }
    Ok(all)
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
    let (values, far) = (if all == 1 { "value lies" } else { "values lie" }, ColumnUnits::FAR_OUT);
    (all > 0).then(|| format!("{all} {values} more than {far} standard deviations from the mean of the column: {each}"))
}

/// How many values are counted in all columns that are Gaussian units, or in all others, and how many in each of these, with the first row.
fn named(sheet: &Sheet, columns: &[Column], counts: &[(usize, usize)], gaussian: bool) -> (usize, String) {
    let found: Vec<_> =
        columns.iter().zip(counts).filter(|(column, (count, _))| *count > 0 && column.gaussian == gaussian).collect();
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
        Content::Number(x) if x >= 0.0 && (x as f32).is_finite() => Ok(x as f32),
        _ => Err(Error::Cell {
            path: PathBuf::from(&sheet.what),
            place: format!("{}, column {}", sheet.called_row(row), sheet.called(column)),
            value: sheet.show(cells[column], column),
            expected: "a weight, a number from 0 up".into(),
        }),
    };
    sheet.rows().enumerate().map(weight).collect::<Result<_, _>>().map(Some)
}
