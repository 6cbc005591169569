//! Tables whose columns are numbers and texts, as sheets.

use std::path::{Path, PathBuf};

use parquet::file::reader::FileReader;

use super::columns::{Column, Parquet, Plan, broken};
use super::group::Group;
use super::pages::NUMBER;
use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::tables::found::Sheets;
use crate::tables::sheet::{Cell, Sheet, Texts};

/// From here on neighbouring whole numbers are one number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads the files of a data set.
pub(super) fn read(train: &[PathBuf], test: &[PathBuf], plan: &Plan, mut room: Room) -> Result<Sheets, Error> {
    let mut sheet = |paths: &[PathBuf]| {
        let Some(first) = paths.first() else { return Ok(None) };
        let mut sheet = empty(first, plan);
        for path in paths {
            let before = sheet.bytes();
            append(&mut sheet, &Parquet::open(path, room)?, plan)?;
            room = room.beside(sheet.bytes() - before);
        }
        Ok::<_, Error>(Some(sheet))
    };
    let what = || Error::Empty { what: "the training samples".into() };
    let mut read = sheet(train)?.ok_or_else(what)?;
    if !plan.left_out.is_empty() {
        read.read_as.push(format!("left out columns that are neither numbers nor text: {}", plan.left_out.join(", ")));
    }
    Ok(Sheets { train: read, test: sheet(test)?, class_names: plan.class_names.clone() })
}

/// A sheet without rows.
fn empty(path: &Path, plan: &Plan) -> Sheet {
    let place = |label: &String| plan.features.iter().position(|(name, _)| name == label);
    Sheet {
        what: path.display().to_string(),
        names: Some(plan.features.iter().map(|(name, _)| name.clone()).collect()),
        texts: vec![Texts::default(); plan.features.len()],
        label: plan.label.as_ref().and_then(place),
        ..Sheet::default()
    }
}

fn append(sheet: &mut Sheet, file: &Parquet, plan: &Plan) -> Result<(), Error> {
    let (columns, mut before) = (plan.features.len(), 0);
    for number in 0..file.reader.num_row_groups() {
        let reader = file.reader.get_row_group(number).map_err(|error| broken(&file.path, &error))?;
        let group = Group { file, reader: &*reader, row: before };
        let (start, mut rows) = (sheet.last().len(), 0);
        for (place, (name, _)) in plan.features.iter().enumerate() {
            let mut row = 0;
            let mut put = |sheet: &mut Sheet, cell: Cell| {
                if place == 0 {
                    reserve(&file.path, sheet.last(), columns)?;
                    sheet.last().resize(start + (row + 1) * columns, Cell::MISSING);
                    reserve(&file.path, &mut sheet.lines, 1)?;
                    sheet.lines.push(0);
                    rows = row + 1;
                }
                if let Some(place) = sheet.last().get_mut(start + row * columns + place) {
                    *place = cell;
                }
                row += 1;
                Ok::<_, Error>(())
            };
            if let Column::Text(_) = file.get(name)? {
                group.strings(name, NUMBER, |text| {
                    let cell = match text {
                        Some(text) => sheet.text(&file.path, place, text)?,
                        None => Cell::MISSING,
                    };
                    put(sheet, cell)
                })?;
            } else {
                let (is_label, mut number) = (sheet.label == Some(place), 0);
                group.numbers(name, NUMBER, |x, _| {
                    number += 1;
                    let cell = match x {
                        Some(x) if is_label && x.is_infinite() => {
                            return Err(group.refuse(name, number - 1, "is infinite, which is no class"));
                        }
                        // The number of a class is none to be rounded.
                        Some(x) if is_label && x.abs() >= EXACT => {
                            sheet.text(&file.path, place, x.to_string().as_bytes())?
                        }
                        Some(x) => Cell::number(x),
                        None => Cell::MISSING,
                    };
                    put(sheet, cell)
                })?;
            }
            if row != rows {
                let reason = format!("it has {row} rows, expected {rows} as the first column has");
                return Err(file.refuse(name, reason));
            }
        }
        before += rows;
    }
    Ok(())
}
