//! Parquet: a column of pictures or of lists of numbers, and perhaps one of labels; or a table, whose columns are
//! numbers and texts. Read column by column, a row group at a time; sizes follow from what is read, never
//! from what a header promises, and what is read has an end ([`Allowance`](crate::Allowance)).

mod claims;
mod columns;
mod flat;
mod group;
mod pages;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use image::ImageReader;
use parquet::file::reader::FileReader;

use crate::error::Error;
use crate::formats::canvas::{Canvas, decoded};
use crate::memory::room::Room;
use crate::schema::labels::{Texts, from_text, whole_numbers};
use crate::schema::options::LoadOptions;
use crate::tables::found::Found;
use crate::tables::table::{Table, Tables, check_units};
use crate::tables::values::Values;
use columns::{Column, Parquet, Plan, broken};
use group::{EMPTY, Group};
use pages::{LISTED, LISTED_WIDE};

/// Reads the files of a data set: those of the training samples and those of the test samples,
/// which may be none.
pub(crate) fn read(train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<Found, Error> {
    let Some(first) = train.first() else { return Err(Error::Empty { what: "the training samples".into() }) };
    // The library asserts where it could return: a damaged file is an error here all the same.
    catch_unwind(|| read_from(first, train, test, options)).unwrap_or_else(|_| {
        let (what, reason) = (first.display().to_string(), "it is damaged".into());
        Err(Error::Broken { what, format: "Parquet", reason })
    })
}

fn read_from(first: &Path, train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<Found, Error> {
    let mut room = Room::of(options.max_memory);
    let plan = Plan::of(&Parquet::open(first, room)?, options)?;
    if plan.is_flat() {
        return Ok(Found::Sheets(Box::new(flat::read(train, test, &plan, room)?)));
    }
    let mut canvas = Canvas::new(options.image_size);
    let (mut splits, mut labels) = (Vec::new(), Texts::default());
    for paths in [train, test] {
        let mut split = Samples::default();
        for path in paths {
            let before = split.bytes();
            split.append(&Parquet::open(path, room)?, &plan, &mut canvas, &mut labels)?;
            room = room.beside(split.bytes() - before);
        }
        split.labelled = labels.len() - splits.iter().map(|split: &Samples| split.labelled).sum::<usize>();
        splits.push(split);
    }
    let what = first.display().to_string();
    let (mut numbers, class_names) = match (&plan.label, &plan.class_names) {
        (None, _) => (Vec::new(), None),
        (Some(_), Some(names)) => (whole_numbers(&what, labels)?, Some(names.clone())),
        (Some(_), None) => from_text(&what, labels, options.class_names.is_some())?,
    };
    let mut table = |split: Samples, path: &Path| {
        let rest = numbers.split_off(split.labelled.min(numbers.len()));
        let own = std::mem::replace(&mut numbers, rest);
        let values = match split.wide {
            _ if plan.is_pictures() => Values::Bytes(split.bytes),
            Some(true) => Values::Doubles(split.doubles),
            _ => Values::Floats(split.floats),
        };
        let mut table = Table::new(path.display().to_string(), split.units, values);
        table.labels = plan.label.as_ref().map(|_| own);
        table
    };
    let mut splits = splits.into_iter();
    let (train, of_test) = (splits.next().unwrap_or_default(), splits.next().unwrap_or_default());
    let train = table(train, first);
    Ok(Found::Tables(Box::new(Tables {
        test: test.first().map(|path| table(of_test, path)),
        image: canvas.size().filter(|_| plan.is_pictures()),
        notes: canvas.notes(),
        class_names,
        ..Tables::of(train)
    })))
}

/// Samples of one split, as they are read.
#[derive(Default)]
struct Samples {
    units: usize,
    bytes: Vec<u8>,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    /// Whether numbers keep 64 bits: as those of the first file have them.
    wide: Option<bool>,
    /// How many have a label.
    labelled: usize,
}

impl Samples {
    fn bytes(&self) -> u64 {
        (self.bytes.len() + 4 * self.floats.len() + 8 * self.doubles.len()) as u64
    }

    fn append(&mut self, file: &Parquet, plan: &Plan, canvas: &mut Canvas, labels: &mut Texts) -> Result<(), Error> {
        let mut row = 0;
        for group in 0..file.reader.num_row_groups() {
            let group = file.reader.get_row_group(group).map_err(|error| broken(&file.path, &error))?;
            let group = Group { file, reader: &*group, row };
            let rows = match &plan.features[..] {
                [(name, Column::Pictures(_))] => self.pictures(&group, name, canvas)?,
                [(name, Column::Numbers(_))] => self.lists(&group, name)?,
                _ => return Err(file.refuse("of any name", "expected pictures or lists of numbers".into())),
            };
            if let Some(label) = &plan.label {
                let before = labels.len();
                group.labels(label, labels)?;
                let found = labels.len() - before;
                if found != rows {
                    let what = file.path.display().to_string();
                    return Err(Error::Counts { what, samples: rows, labels: found });
                }
            }
            row += rows;
        }
        Ok(())
    }

    fn pictures(&mut self, group: &Group<'_>, name: &str, canvas: &mut Canvas) -> Result<usize, Error> {
        let (mut row, kept) = (0, canvas.size().map_or(0, |size| size.width * size.height));
        group.strings(name, kept as u64, |picture| {
            let picture = picture.ok_or_else(|| group.refuse(name, row, EMPTY))?;
            let picture = decoded(ImageReader::new(Cursor::new(picture)))
                .map_err(|reason| group.refuse(name, row, &format!("is no readable picture: {reason}")))?;
            let size = canvas.size_of(&picture).map_err(|reason| group.refuse(name, row, &reason))?;
            self.units = size.width * size.height;
            canvas.draw(&picture, size, &mut self.bytes);
            row += 1;
            Ok(())
        })?;
        Ok(row)
    }

    fn lists(&mut self, group: &Group<'_>, name: &str) -> Result<usize, Error> {
        let (mut rows, mut length) = (0, 0);
        let wide = match self.wide {
            Some(wide) => wide,
            None => *self.wide.insert(group.is_wide(name)?),
        };
        group.numbers(name, if wide { LISTED_WIDE } else { LISTED }, |x, starts_a_row| {
            if starts_a_row && rows > 0 {
                self.end_of_list(group, name, rows - 1, length)?;
            }
            (rows, length) = if starts_a_row { (rows + 1, 1) } else { (rows, length + 1) };
            // A list has no holes.
            if wide {
                self.doubles.extend(x);
            } else {
                self.floats.extend(x.map(|x| x as f32));
            }
            Ok(())
        })?;
        if rows > 0 {
            self.end_of_list(group, name, rows - 1, length)?;
        }
        Ok(rows)
    }

    /// Checks the length of a row's list; the first one says what all have.
    fn end_of_list(&mut self, group: &Group<'_>, name: &str, row: usize, length: usize) -> Result<(), Error> {
        if self.units == 0 {
            check_units(length as u128, &group.file.path.display().to_string())?;
            self.units = length;
        }
        if length == self.units {
            return Ok(());
        }
        let reason = format!("has {length} numbers, expected {} as in the first row", self.units);
        Err(group.refuse(name, row, &reason))
    }
}
