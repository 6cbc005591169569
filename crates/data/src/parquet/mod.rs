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

use crate::dataset::ImageShape;
use crate::load::LoadOptions;
use crate::split::check_units;
use crate::table::{Table, Tables, Values};
use crate::{Error, images, labels};
use columns::{Column, Parquet, Plan, broken};
use pages::{LABEL, NUMBER, Pages, TEXT};

/// Records read at once.
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
    let plan = Plan::of(&Parquet::open(first)?, options)?;
    let size = options.image_size;
    let mut splits = Vec::new();
    for paths in [train, test] {
        let mut split = Samples { units: plan.units(size), ..Samples::default() };
        for path in paths {
            split.append(&Parquet::open(path)?, &plan, size)?;
        }
        splits.push(split);
    }
    let texts: Vec<String> = splits.iter().flat_map(|split| split.labels.iter().cloned()).collect();
    let what = first.display().to_string();
    let (mut numbers, class_names) = match (&plan.label, &plan.class_names) {
        (None, _) => (Vec::new(), None),
        (Some(_), Some(names)) => {
            let numbers: Vec<f64> = texts.iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect();
            (labels::from_numbers(&what, &numbers)?, Some(names.clone()))
        }
        (Some(_), None) => labels::from_text(&what, &texts, options.class_names.is_some())?,
    };
    let mut table = |split: Samples, path: &Path| {
        let rest = numbers.split_off(split.labels.len().min(numbers.len()));
        let own = std::mem::replace(&mut numbers, rest);
        let values = if plan.is_pictures() { Values::Bytes(split.bytes) } else { Values::Floats(split.floats) };
        let mut table = Table::new(path.display().to_string(), split.units, values);
        table.labels = plan.label.as_ref().map(|_| own);
        table
    };
    let mut splits = splits.into_iter();
    let (train, of_test) = (splits.next().unwrap_or_default(), splits.next().unwrap_or_default());
    Ok(Tables {
        train: table(train, first),
        test: test.first().map(|path| table(of_test, path)),
        image: plan.is_pictures().then_some(size),
        class_names,
    })
}

/// Samples of one split, as they are read.
#[derive(Default)]
struct Samples {
    units: usize,
    bytes: Vec<u8>,
    floats: Vec<f32>,
    labels: Vec<String>,
}

impl Samples {
    fn append(&mut self, file: &Parquet, plan: &Plan, size: ImageShape) -> Result<(), Error> {
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
                let found = group.labels(label)?;
                if found.len() != rows {
                    let what = file.path.display().to_string();
                    return Err(Error::Counts { what, samples: rows, labels: found.len() });
                }
                self.labels.extend(found);
            }
            row += rows;
        }
        Ok(())
    }

    fn pictures(&mut self, group: &Group<'_>, name: &str, size: ImageShape) -> Result<usize, Error> {
        let pictures = group.bytes(name, TEXT)?;
        for (row, picture) in pictures.iter().enumerate() {
            images::decode(picture, size, &mut self.bytes)
                .map_err(|reason| group.refuse(name, row, &format!("is no readable picture: {reason}")))?;
        }
        Ok(pictures.len())
    }

    fn lists(&mut self, group: &Group<'_>, name: &str) -> Result<usize, Error> {
        let lists = group.values(name, NUMBER)?;
        for (row, &length) in lists.lengths.iter().enumerate() {
            if self.units == 0 {
                check_units(length as u128, &group.file.path.display().to_string())?;
                self.units = length;
            }
            if length != self.units {
                let reason = format!("has {length} numbers, expected {} as in the first row", self.units);
                return Err(group.refuse(name, row, &reason));
            }
        }
        self.floats.extend(lists.values.iter().map(|&x| x as f32));
        Ok(lists.lengths.len())
    }

    fn numbers(&mut self, group: &Group<'_>, columns: &[(String, Column)]) -> Result<usize, Error> {
        let start = self.floats.len();
        let mut rows = 0;
        for (place, (name, _)) in columns.iter().enumerate() {
            let column = group.values(name, NUMBER)?.values;
            if place == 0 {
                rows = column.len();
                self.floats.resize(start + rows * columns.len(), 0.0);
            }
            if column.len() != rows {
                let reason = format!("it has {} rows, expected {rows} as the first column has", column.len());
                return Err(group.file.refuse(name, reason));
            }
            for (row, value) in column.into_iter().enumerate() {
                self.floats[start + row * columns.len() + place] = value as f32;
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

/// Values of a column, and how many of them each row has.
struct Leaf<T> {
    values: Vec<T>,
    lengths: Vec<usize>,
}

impl Group<'_> {
    fn refuse(&self, column: &str, row: usize, reason: &str) -> Error {
        self.file.refuse(column, format!("row {} (from 0) {reason}", self.row + row))
    }

    /// Numbers of a column, one or more a row, each of which takes so many bytes.
    fn values(&self, name: &str, number: u64) -> Result<Leaf<f64>, Error> {
        let column = self.file.get(name)?;
        let (Column::Number(leaf) | Column::Numbers(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected numbers", column.what())));
        };
        match self.column(*leaf, number)? {
            ColumnReader::BoolColumnReader(reader) => self.drain(name, *leaf, reader, |x| f64::from(u8::from(x))),
            ColumnReader::Int32ColumnReader(reader) => self.drain(name, *leaf, reader, f64::from),
            ColumnReader::Int64ColumnReader(reader) => self.drain(name, *leaf, reader, |x| x as f64),
            ColumnReader::FloatColumnReader(reader) => self.drain(name, *leaf, reader, f64::from),
            ColumnReader::DoubleColumnReader(reader) => self.drain(name, *leaf, reader, |x| x),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    /// Byte strings of a column, one a row, each of which takes so many bytes beside its content.
    fn bytes(&self, name: &str, string: u64) -> Result<Vec<Vec<u8>>, Error> {
        let column = self.file.get(name)?;
        let (Column::Pictures(leaf) | Column::Text(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected pictures or text", column.what())));
        };
        match self.column(*leaf, string)? {
            ColumnReader::ByteArrayColumnReader(reader) => {
                // The same bytes of a dictionary may stand in many rows.
                let shared = self.drain(name, *leaf, reader, |bytes| bytes)?.values;
                let size = shared.iter().fold(0u64, |size, bytes| size.saturating_add(bytes.len() as u64));
                let taken = self.file.allowed.take(size).map_err(|error| ParquetError::General(error.to_string()));
                taken.map_err(|error| broken(&self.file.path, &error))?;
                Ok(shared.iter().map(|bytes| bytes.data().to_vec()).collect())
            }
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    fn labels(&self, name: &str) -> Result<Vec<String>, Error> {
        if let Column::Text(_) = self.file.get(name)? {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            return Ok(self.bytes(name, LABEL)?.into_iter().map(text).collect());
        }
        Ok(self.values(name, LABEL)?.values.iter().map(ToString::to_string).collect())
    }

    fn column(&self, leaf: usize, value: u64) -> Result<ColumnReader, Error> {
        let from = self.reader.get_column_page_reader(leaf).map_err(|error| broken(&self.file.path, &error))?;
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let pages = Pages { from, allowed: self.file.allowed.clone(), value };
        Ok(get_column_reader(schema.column(leaf), Box::new(pages)))
    }

    /// Reads a column to its end. No value may be missing.
    fn drain<D: DataType, X>(
        &self,
        name: &str,
        leaf: usize,
        mut reader: ColumnReaderImpl<D>,
        convert: impl Fn(D::T) -> X,
    ) -> Result<Leaf<X>, Error> {
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let descriptor = schema.column(leaf);
        let mut all = Leaf { values: Vec::new(), lengths: Vec::new() };
        loop {
            let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let read = reader.read_records(CHUNK, Some(&mut definitions), Some(&mut repetitions), &mut values);
            let (records, _, levels) = read.map_err(|error| broken(&self.file.path, &error))?;
            if records == 0 && levels == 0 {
                return Ok(all);
            }
            let full = descriptor.max_def_level();
            let missing = definitions.iter().position(|&level| level < full);
            if let Some(at) = missing {
                let starts = repetitions.iter().take(at + 1).filter(|&&level| level == 0).count();
                let row = all.lengths.len() + if descriptor.max_rep_level() == 0 { at } else { starts.max(1) - 1 };
                return Err(self.refuse(name, row, "is empty: fill in missing values or leave the row out"));
            }
            if descriptor.max_rep_level() == 0 {
                all.lengths.extend(std::iter::repeat_n(1, values.len()));
            } else {
                for level in repetitions {
                    match all.lengths.last_mut().filter(|_| level > 0) {
                        Some(length) => *length += 1,
                        None => all.lengths.push(1),
                    }
                }
            }
            all.values.extend(values.into_iter().map(&convert));
        }
    }
}
