//! The cells of a CSV file's lines, parsed on all threads: each line alone, texts in the order of the file, so that the
//! number of threads changes nothing.

use std::path::Path;

use rayon::prelude::*;

use super::dialect::Dialect;
use super::gaps::Gaps;
use crate::error::Error;
use crate::memory::room::reserve;
use crate::tables::sheet::{Cell, Sheet};

/// Bytes that a cell takes once it is a unit, beside its own.
pub(super) const VALUE: u64 = 4;

/// Whether a number has zeros in front, as codes have.
fn is_padded(field: &[u8]) -> bool {
    field.len() > 1 && field[0] == b'0' && field.iter().all(u8::is_ascii_digit)
}

/// Lines that are parsed together, all of as many fields.
#[derive(Default)]
pub(super) struct Batch {
    /// The fields, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    lines: Vec<u64>,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.lines.clear();
    }

    pub(super) fn add<'a>(&mut self, line: u64, fields: impl Iterator<Item = &'a [u8]>) {
        for field in fields {
            self.text.extend_from_slice(field);
            self.ends.push(self.text.len());
        }
        self.lines.push(line);
    }

    /// Bytes of all fields and their ends.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + size_of::<usize>() * self.ends.len()
    }

    fn field(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }
}

/// What is read so far.
pub(super) struct Rows<'a> {
    pub(super) path: &'a Path,
    pub(super) dialect: Dialect,
    pub(super) gaps: Gaps,
    /// The column that is text whatever it looks like.
    pub(super) label: Option<usize>,
    /// Whether all columns are.
    pub(super) all_texts: bool,
    pub(super) sheet: Sheet,
}

/// Fields that are texts, by the places of their cell and of the field; and whether each column has padded numbers.
type Told = (Vec<(usize, usize)>, Vec<bool>);

impl Rows<'_> {
    /// Refuses a line of other than the expected number of fields.
    pub(super) fn require_whole(&self, line: u64, got: usize) -> Result<(), Error> {
        match self.sheet.columns() {
            expected if got != expected => Err(Error::Ragged { path: self.path.into(), line, got, expected }),
            _ => Ok(()),
        }
    }

    /// Adds whole lines: numbers on all threads, then texts in their order.
    pub(super) fn parse(&mut self, batch: &Batch) -> Result<(), Error> {
        let (columns, done) = (self.sheet.columns(), self.sheet.cells.len());
        let fields = batch.ends.len();
        reserve(self.path, &mut self.sheet.cells, fields)?;
        reserve(self.path, &mut self.sheet.lines, batch.lines.len())?;
        self.sheet.cells.resize(done + fields, Cell::MISSING);
        let mut cells = std::mem::take(&mut self.sheet.cells);
        let each = (batch.lines.len().div_ceil(4 * rayon::current_num_threads()) * columns).max(1);
        let chunks = cells[done..].par_chunks_mut(each).enumerate();
        let told: Vec<Told> = chunks.map(|(chunk, cells)| self.numbers(batch, chunk * each, cells)).collect();
        self.sheet.cells = cells;
        for (texts, padded) in told {
            for (at, column) in texts {
                let field = batch.field(at);
                let text = if self.all_texts { self.dialect.with_point(field) } else { field.into() };
                self.sheet.cells[done + at] = self.sheet.text(self.path, column, &text)?;
            }
            self.sheet.padded.iter_mut().zip(padded).for_each(|(all, padded)| *all |= padded);
        }
        self.sheet.lines.extend(batch.lines.iter().map(|&line| u32::try_from(line).unwrap_or(u32::MAX)));
        Ok(())
    }

    /// Puts numbers into the cells of fields from `first` on.
    fn numbers(&self, batch: &Batch, first: usize, cells: &mut [Cell]) -> Told {
        let columns = self.sheet.columns();
        let (mut texts, mut padded) = (Vec::new(), vec![false; columns]);
        for (row, cells) in cells.chunks_mut(columns.max(1)).enumerate() {
            for (column, cell) in cells.iter_mut().enumerate() {
                let at = first + row * columns + column;
                let field = batch.field(at);
                if self.all_texts {
                    texts.push((at, column));
                } else if self.gaps.has(field) {
                    *cell = Cell::MISSING;
                } else if self.label == Some(column) {
                    texts.push((at, column));
                } else if let Some(x) = self.dialect.number(field) {
                    padded[column] |= is_padded(field);
                    *cell = if self.gaps.has_number(x) { Cell::MISSING } else { Cell::number(x) };
                } else {
                    texts.push((at, column));
                }
            }
        }
        (texts, padded)
    }

    /// Bytes that the sheet takes, and its values once they are units.
    pub(super) fn needed(&self) -> u64 {
        self.sheet.bytes() + VALUE * self.sheet.cells.len() as u64 + 8 * self.sheet.lines.len() as u64
    }
}
