//! A row group, read column by column.

use std::borrow::Cow;
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedPageReader;

use super::claims::Claims;
use super::columns::{Column, Parquet, broken};
use super::pages::{LABEL, Pages};
use crate::error::Error;
use crate::schema::labels::Texts;

/// Records of one value that are read at once.
const CHUNK: usize = 1024;

/// What is said of a value that may not be missing.
pub(super) const EMPTY: &str = "is empty: fill in missing values or leave the row out";

/// A row group, and the number of its first row in the file.
pub(super) struct Group<'a> {
    pub(super) file: &'a Parquet,
    pub(super) reader: &'a dyn RowGroupReader,
    pub(super) row: usize,
}

impl Group<'_> {
    pub(super) fn refuse(&self, column: &str, row: usize, reason: &str) -> Error {
        self.file.refuse(column, format!("row {} (from 0) {reason}", self.row + row))
    }

    /// Hands over the numbers of a column, each with whether it is the first of its row. What is made of a
    /// number takes `kept` bytes.
    pub(super) fn numbers(
        &self,
        name: &str,
        kept: u64,
        mut take: impl FnMut(Option<f64>, bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let column = self.file.get(name)?;
        let (Column::Number(leaf) | Column::Numbers(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected numbers", column.what())));
        };
        match self.column(*leaf, kept)? {
            ColumnReader::BoolColumnReader(reader) => self
                .drain(name, *leaf, reader, |x: Option<bool>, starts| take(x.map(|x| f64::from(u8::from(x))), starts)),
            ColumnReader::Int32ColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(x.map(f64::from), starts))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x: Option<i64>, starts| take(x.map(|x| x as f64), starts))
            }
            ColumnReader::FloatColumnReader(reader) => {
                self.drain(name, *leaf, reader, |x, starts| take(x.map(f64::from), starts))
            }
            ColumnReader::DoubleColumnReader(reader) => self.drain(name, *leaf, reader, take),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    /// Whether floats of 32 bits may not hold the numbers of a column.
    pub(super) fn is_wide(&self, name: &str) -> Result<bool, Error> {
        let (Column::Number(leaf) | Column::Numbers(leaf)) = self.file.get(name)? else { return Ok(false) };
        let schema = self.file.reader.metadata().file_metadata().schema_descr();
        Ok(!matches!(schema.column(*leaf).physical_type(), Physical::FLOAT | Physical::BOOLEAN))
    }

    /// Hands over the byte strings of a column, one a row. What is made of one takes `kept` bytes.
    pub(super) fn strings(
        &self,
        name: &str,
        kept: u64,
        mut take: impl FnMut(Option<&[u8]>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let column = self.file.get(name)?;
        let (Column::Pictures(leaf) | Column::Text(leaf)) = column else {
            return Err(self.file.refuse(name, format!("it holds {}, expected pictures or text", column.what())));
        };
        match self.column(*leaf, kept)? {
            ColumnReader::ByteArrayColumnReader(reader) => self.drain(name, *leaf, reader, |bytes, _| {
                // The same bytes of a dictionary may stand in many rows.
                let taken = self.file.allowed.take(bytes.as_ref().map_or(0, ByteArray::len) as u64);
                taken.map_err(|error| broken(&self.file.path, &ParquetError::General(error.to_string())))?;
                take(bytes.as_ref().map(ByteArray::data))
            }),
            _ => Err(self.file.refuse(name, "its type has changed on the way".into())),
        }
    }

    pub(super) fn labels(&self, name: &str, labels: &mut Texts) -> Result<(), Error> {
        let path = &self.file.path;
        let mut row = 0;
        let mut push = |text: Option<Cow<'_, str>>| {
            let text = text.ok_or_else(|| self.refuse(name, row, EMPTY))?;
            row += 1;
            labels.push(path, &text)
        };
        if let Column::Text(_) = self.file.get(name)? {
            return self.strings(name, LABEL, |text| push(text.map(String::from_utf8_lossy)));
        }
        self.numbers(name, LABEL, |x, _| push(x.map(|x| x.to_string().into())))
    }

    fn column(&self, leaf: usize, value: u64) -> Result<ColumnReader, Error> {
        let path = &self.file.path;
        let file = self.file.pages.try_clone().map_err(Error::read(path))?;
        let (meta, allowed) = (self.reader.metadata(), self.file.allowed.clone());
        let (chunk, rows) = (meta.column(leaf), usize::try_from(meta.num_rows()).unwrap_or(0));
        let unpacked = u64::try_from(chunk.uncompressed_size()).unwrap_or(0);
        let claims = Arc::new(Claims { file, unpacked, allowed: allowed.clone() });
        let from = SerializedPageReader::new(claims, chunk, rows, None).map_err(|error| broken(path, &error))?;
        let schema = self.file.reader.metadata().file_metadata().schema_descr_ptr();
        let pages = Pages { from: Box::new(from), allowed, value };
        Ok(get_column_reader(schema.column(leaf), Box::new(pages)))
    }

    /// Reads a column to its end, value by value. In lists no value may be missing.
    fn drain<D: DataType>(
        &self,
        name: &str,
        leaf: usize,
        mut reader: ColumnReaderImpl<D>,
        mut take: impl FnMut(Option<D::T>, bool) -> Result<(), Error>,
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
            if nested && let Some(at) = definitions.iter().position(|&level| level < full) {
                let before = (0..=at).filter(|&at| starts(at)).count().max(1) - 1;
                return Err(self.refuse(name, row + before, EMPTY));
            }
            let mut there = values.drain(..);
            for at in 0..levels {
                row += usize::from(starts(at));
                let is_there = definitions.get(at).is_none_or(|&level| level == full);
                take(if is_there { there.next() } else { None }, starts(at))?;
            }
        }
    }
}
