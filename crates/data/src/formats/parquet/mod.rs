//! Parquet: a column of pictures or of lists of numbers, or a column a number, and perhaps one of
//! labels. Read column by column, a row group at a time; sizes follow from what is read, never
//! from what a header promises, and what is read has an end ([`Allowance`](crate::Allowance)).

mod columns;
mod pages;
#[cfg(test)]
mod tests;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};

use crate::error::Error;
use crate::formats::images;
use crate::memory::room::Room;
use crate::schema::labels::{Texts, from_text, whole_numbers};
use crate::schema::options::LoadOptions;
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Table, Tables, check_units};
use crate::tables::values::Values;
use columns::{Column, Parquet, Plan, broken};
use pages::{LABEL, LISTED, NUMBER, Pages};

/// Records of one value that are read at once.
const CHUNK: usize = 1024;

/// Reads the files of a data set: those of the training samples and those of the test samples,
/// which may be none.
pub(crate) fn read(train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<Tables, Error> {
    let Some(first) = train.first() else { return Err(Error::Empty { what: "the training samples".into() }) };
    // The library asserts where it could return: a damaged file is an error here all the same.
    catch_unwind(|| read_from(first, train, test, options)).unwrap_or_else(|_| {
        let (what, reason) = (first.display().to_string(), "it is damaged".into());
        Err(Error::Broken { what, format: "Parquet", reason })
    })
}

fn read_from(first: &Path, train: &[PathBuf], test: &[PathBuf], options: &LoadOptions) -> Result<Tables, Error> {
    let mut room = Room::of(options.max_memory);
    let plan = Plan::of(&Parquet::open(first, room)?, options)?;
    let size = options.image_size;
    let (mut splits, mut labels) = (Vec::new(), Texts::default());
    for paths in [train, test] {
        let mut split = Samples { units: plan.units(size), ..Samples::default() };
        for path in paths {
            let before = split.bytes();
            split.append(&Parquet::open(path, room)?, &plan, size, &mut labels)?;
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
        let values = if plan.is_pictures() { Values::Bytes(split.bytes) } else { Values::Floats(split.floats) };
        let mut table = Table::new(path.display().to_string(), split.units, values);
        table.labels = plan.label.as_ref().map(|_| own);
        table
    };
    let mut splits = splits.into_iter();
    let (train, of_test) = (splits.next().unwrap_or_default(), splits.next().unwrap_or_default());
    let train = table(train, first);
    Ok(Tables {
        test: test.first().map(|path| table(of_test, path)),
        image: plan.is_pictures().then_some(size),
        class_names,
        ..Tables::of(train)
    })
}

/// Samples of one split, as they are read.
#[derive(Default)]
struct Samples {
    units: usize,
    bytes: Vec<u8>,
    floats: Vec<f32>,
    /// How many have a label.
    labelled: usize,
}

impl Samples {
    fn bytes(&self) -> u64 {
        (self.bytes.len() + 4 * self.floats.len()) as u64
    }

    fn append(&mut self, file: &Parquet, plan: &Plan, size: ImageShape, labels: &mut Texts) -> Result<(), Error> {
        let mut row = 0;
        for group in 0..file.reader.num_row_groups() {
            let group = file.reader.get_row_group(group).map_err(|error| broken(&file.path, &error))?;
            let group = Group { file, reader: &*group, row };
            let rows = match &plan.features[..] {
                [(name, Column::Pictures(_))] => self.pictures(&group, name, size)?,
                [(name, Column::Numbers(_))] => self.lists(&group, name)?,
                columns => self.numbers(&group, columns)?,
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

    fn pictures(&mut self, group: &Group<'_>, name: &str, size: ImageShape) -> Result<usize, Error> {
        let mut row = 0;
        group.strings(name, self.units as u64, |picture| {
            images::decode(picture, size, &mut self.bytes)
                .map_err(|reason| group.refuse(name, row, &format!("is no readable picture: {reason}")))?;
            row += 1;
            Ok(())
        })?;
        Ok(row)
    }

    fn lists(&mut self, group: &Group<'_>, name: &str) -> Result<usize, Error> {
        let (mut rows, mut length) = (0, 0);
        group.numbers(name, LISTED, |x, starts_a_row| {
            if starts_a_row && rows > 0 {
                self.end_of_list(group, name, rows - 1, length)?;
            }
            (rows, length) = if starts_a_row { (rows + 1, 1) } else { (rows, length + 1) };
            self.floats.push(x as f32);
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

    fn numbers(&mut self, group: &Group<'_>, columns: &[(String, Column)]) -> Result<usize, Error> {
        let (start, units) = (self.floats.len(), columns.len());
        let mut rows = 0;
        for (place, (name, _)) in columns.iter().enumerate() {
            let mut row = 0;
            group.numbers(name, NUMBER, |x, _| {
                if place == 0 {
                    self.floats.resize(start + (row + 1) * units, 0.0);
                    rows = row + 1;
                }
                if let Some(value) = self.floats.get_mut(start + row * units + place) {
                    *value = x as f32;
                }
                row += 1;
                Ok(())
            })?;
            if row != rows {
                return Err(group
                    .file
                    .refuse(name, format!("it has {row} rows, expected {rows} as the first column has")));
            }
        }
        Ok(rows)
    }
}

/// A row group, and the number of its first row in the file.
struct Group<'a> {
    file: &'a Parquet,
    reader: &'a dyn RowGroupReader,
    row: usize,
}

impl Group<'_> {
    fn refuse(&self, column: &str, row: usize, reason: &str) -> Error {
        self.file.refuse(column, format!("row {} (from 0) {reason}", self.row + row))
    }

    /// Hands over the numbers of a column, each with whether it is the first of its row. What is made of a
    /// number takes `kept` bytes.
    fn numbers(
        &self,
        name: &str,
        kept: u64,
        mut take: impl FnMut(f64, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let column = self.file.get(name)?;
        let (Column::Number(leaf) | Column::Numbers(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected numbers", column.what())));
        };
        match self.column(*leaf, kept)? {
            ColumnReader::BoolColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(f64::from(u8::from(x)), starts))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(f64::from(x), starts))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(x as f64, starts))
            }
            ColumnReader::FloatColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(f64::from(x), starts))
            }
            ColumnReader::DoubleColumnReader(reader) => self.drain(name, *leaf, reader, take),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    /// Hands over the byte strings of a column, one a row. What is made of one takes `kept` bytes.
    fn strings(&self, name: &str, kept: u64, mut take: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let column = self.file.get(name)?;
        let (Column::Pictures(leaf) | Column::Text(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected pictures or text", column.what())));
        };
        match self.column(*leaf, kept)? {
            ColumnReader::ByteArrayColumnReader(reader) => self.drain(name, *leaf, reader, |bytes, _| {
                // The same bytes of a dictionary may stand in many rows.
                let taken = self.file.allowed.take(bytes.len() as u64);
                taken.map_err(|error| broken(&self.file.path, &ParquetError::General(error.to_string())))?;
                take(bytes.data())
            }),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    fn labels(&self, name: &str, labels: &mut Texts) -> Result<(), Error> {
        let path = &self.file.path;
        if let Column::Text(_) = self.file.get(name)? {
            return self.strings(name, LABEL, |text| labels.push(path, &String::from_utf8_lossy(text)));
        }
        self.numbers(name, LABEL, |x, _| labels.push(path, &x.to_string()))
    }

    fn column(&self, leaf: usize, value: u64) -> Result<ColumnReader, Error> {
        let from = self.reader.get_column_page_reader(leaf).map_err(|error| broken(&self.file.path, &error))?;
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let pages = Pages { from, allowed: self.file.allowed.clone(), value };
        Ok(get_column_reader(schema.column(leaf), Box::new(pages)))
    }

    /// Reads a column to its end, value by value. No value may be missing.
    fn drain<D: DataType>(
        &self,
        name: &str,
        leaf: usize,
        mut reader: ColumnReaderImpl<D>,
        mut take: impl FnMut(D::T, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let descriptor = schema.column(leaf);
        let (full, nested, mut row) = (descriptor.max_def_level(), descriptor.max_rep_level() > 0, 0);
        // A record may be long.
        let at_once = if nested { 1 } else { CHUNK };
        let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            definitions.clear();
            repetitions.clear();
            values.clear();
            let read = reader.read_records(at_once, Some(&mut definitions), Some(&mut repetitions), &mut values);
            let (records, _, levels) = read.map_err(|error| broken(&self.file.path, &error))?;
            if records == 0 && levels == 0 {
                return Ok(());
            }
            let starts = |at: usize| !nested || repetitions.get(at).is_none_or(|&level| level == 0);
            if let Some(at) = definitions.iter().position(|&level| level < full) {
                let before = (0..=at).filter(|&at| starts(at)).count().max(1) - 1;
                return Err(self.refuse(name, row + before, "is empty: fill in missing values or leave the row out"));
            }
            for (at, value) in values.drain(..).enumerate() {
                row += usize::from(starts(at));
                take(value, starts(at))?;
            }
        }
    }
}
