//! A table as a file of text has it: every cell a number, a text or nothing, before anything is known of what
//! the columns are.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Error;
use crate::memory::room::reserve;
use crate::number;
use crate::tables::table::Table;
use crate::tables::text_form::TextForm;
use crate::tables::values::Values;
use crate::text::shown;

/// Different texts of a column, at most.
const MOST_TEXTS: u32 = 1 << 22;

/// Bytes that a text takes beside its letters, twice.
const TEXT: u64 = 128;

/// Texts among numbers: a NaN with its sign set, and below that the text's number.
const TEXTS: u64 = 0xfff8_0000_0000_0000;

/// Rows that are looked at together: from so many on, and of a block at most so many.
const LEAST: usize = 1 << 8;
const MOST: usize = 1 << 12;

/// A cell, in eight bytes: a number, the number of a text among those of its column, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(u64);

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Content {
    Missing,
    Number(f64),
    Text(u32),
}

impl Cell {
    /// A cell without a value.
    pub(crate) const MISSING: Self = Self(0x7ff8_0000_0000_0000);

    /// A number; NaN is none.
    pub(crate) fn number(x: f64) -> Self {
        if x.is_nan() { Self::MISSING } else { Self(x.to_bits()) }
    }

    /// A text of the column.
    pub(crate) fn text(place: u32) -> Self {
        debug_assert!(place < MOST_TEXTS);
        Self(TEXTS | u64::from(place))
    }

    /// The number that it holds.
    #[inline]
    pub(crate) fn as_number(self) -> Option<f64> {
        (self.0 < TEXTS && self != Self::MISSING).then(|| f64::from_bits(self.0))
    }

    /// The number that it holds; NaN where it holds none.
    #[inline]
    pub(crate) fn or_nan(self) -> f64 {
        f64::from_bits(self.0)
    }

    #[inline]
    pub(crate) fn content(self) -> Content {
        match self {
            Self::MISSING => Content::Missing,
            Self(bits) if bits >= TEXTS => Content::Text((bits - TEXTS) as u32),
            Self(bits) => Content::Number(f64::from_bits(bits)),
        }
    }
}

/// The different texts of a column, each kept once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// In the order they came in.
    pub(crate) distinct: Vec<String>,
    places: HashMap<String, u32>,
    bytes: u64,
}

impl Texts {
    /// The place of a text among the different ones, a new one behind the others; none where there are too many.
    pub(crate) fn place(&mut self, text: &[u8]) -> Option<u32> {
        let known = std::str::from_utf8(text).ok().and_then(|text| self.places.get(text));
        if let Some(&place) = known {
            return Some(place);
        }
        let text = shown(text);
        if let Some(&place) = self.places.get(&text) {
            return Some(place);
        }
        let place = u32::try_from(self.distinct.len()).ok().filter(|&place| place < MOST_TEXTS)?;
        self.bytes += TEXT + 2 * text.len() as u64;
        self.distinct.push(text.clone());
        self.places.insert(text, place);
        Some(place)
    }

    /// Bytes that the different texts take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// All cells of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    /// The file, for messages.
    pub(crate) what: String,
    /// What the columns are called, where the file says so.
    pub(crate) names: Option<Vec<String>>,
    /// Row by row, in blocks of whole rows.
    pub(crate) blocks: Vec<Vec<Cell>>,
    /// Texts of each column.
    pub(crate) texts: Vec<Texts>,
    /// Line of each row, as far as 32 bits count; of an array 0.
    pub(crate) lines: Vec<u32>,
    /// The column that the format says has the labels.
    pub(crate) label: Option<usize>,
    /// What each row weighs, where the format has a place for it beside the columns.
    pub(crate) weights: Option<Vec<f32>>,
    /// The values that each column may have, where the file declares them.
    pub(crate) levels: Vec<Option<Vec<String>>>,
    /// Whether each column has numbers with zeros in front, `01049`, where that was looked for.
    pub(crate) padded: Vec<bool>,
    /// How the file was understood, where that is not the usual way.
    pub(crate) read_as: Vec<String>,
    /// How its fields and decimals are written, where it is a CSV file.
    pub(crate) form: TextForm,
}

impl Sheet {
    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.texts.len()
    }

    /// The rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.blocks.iter().flat_map(|block| block.chunks_exact(self.columns().max(1)))
    }

    /// Neighbouring rows, in slices of whole ones, behind the number of the first: few enough that each thread has some,
    /// and many enough that little is to be joined. What they are does not depend on the threads.
    pub(crate) fn parts(&self) -> Vec<(usize, Vec<&[Cell]>)> {
        let columns = self.columns().max(1);
        let mut parts: Vec<(usize, Vec<&[Cell]>)> = Vec::new();
        let (mut row, mut rows) = (0, MOST);
        for slice in self.blocks.iter().flat_map(|block| block.chunks(MOST * columns)) {
            let more = slice.len() / columns;
            match parts.last_mut() {
                Some((_, slices)) if rows < LEAST => slices.push(slice),
                _ => {
                    parts.push((row, vec![slice]));
                    rows = 0;
                }
            }
            (row, rows) = (row + more, rows + more);
        }
        parts
    }

    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    /// The last block, for more rows.
    pub(crate) fn last(&mut self) -> &mut Vec<Cell> {
        if self.blocks.is_empty() {
            self.blocks.push(Vec::new());
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// What a column is called in messages: its name, or its number from 0.
    pub(crate) fn called(&self, column: usize) -> String {
        match &self.names {
            Some(names) if !names[column].is_empty() => format!("{:?}", names[column]),
            _ => format!("{column} (from 0)"),
        }
    }

    /// What a row is called in messages.
    pub(crate) fn called_row(&self, row: usize) -> String {
        match self.lines[row] {
            0 => format!("row {row} (from 0)"),
            line => format!("line {line}"),
        }
    }

    /// Whether it is an array, whose rows have no lines.
    pub(crate) fn is_of_array(&self) -> bool {
        self.lines.first() == Some(&0)
    }

    /// The values that a column may have, where the file declares them.
    pub(crate) fn declared(&self, column: usize) -> Option<&[String]> {
        self.levels.get(column)?.as_deref()
    }

    /// The column of this name, or of this number, `first` or `last`; a name goes first.
    pub(crate) fn find(&self, column: &str) -> Option<usize> {
        let named = self.names.as_ref().and_then(|names| names.iter().position(|name| name == column));
        named.or_else(|| place(column, self.columns()))
    }

    /// What columns can be asked for.
    pub(crate) fn available(&self) -> String {
        let numbers = format!("give first, last or a number from 0 to {}", self.columns().saturating_sub(1));
        match &self.names {
            None => format!("{numbers} (the file has no header)"),
            Some(names) => {
                let more = if names.len() > 12 { ", ..." } else { "" };
                format!("{numbers}, or a name of the header: {}{more}", names[..names.len().min(12)].join(", "))
            }
        }
    }

    /// Adds a cell with a text.
    pub(crate) fn push_text(&mut self, path: &Path, column: usize, text: &[u8]) -> Result<(), Error> {
        let cell = self.text(path, column, text)?;
        reserve(path, self.last(), 1)?;
        self.last().push(cell);
        Ok(())
    }

    /// A cell with a text of a column.
    pub(crate) fn text(&mut self, path: &Path, column: usize, text: &[u8]) -> Result<Cell, Error> {
        let place = self.texts[column].place(text);
        place.map(Cell::text).ok_or_else(|| too_many_texts(path, self.called(column)))
    }

    /// A cell's text as it is shown.
    pub(crate) fn show(&self, cell: Cell, column: usize) -> String {
        match cell.content() {
            Content::Missing => String::new(),
            Content::Number(x) => number::shown(x),
            Content::Text(place) => self.texts[column].distinct[place as usize].clone(),
        }
    }

    /// Bytes that the cells, lines and texts take.
    pub(crate) fn bytes(&self) -> u64 {
        let texts: u64 = self.texts.iter().map(Texts::bytes).sum();
        size_of::<Cell>() as u64 * self.len() as u64 + 4 * self.lines.len() as u64 + texts
    }
}

/// An array: columns without names. Numbers keep their 64 bits.
impl Sheet {
    /// Of the values of a table, without its labels.
    pub(crate) fn of_table(table: &Table) -> Result<Self, Error> {
        let mut cells = Vec::new();
        reserve(Path::new(&table.what), &mut cells, table.units * table.samples())?;
        for part in table.values.parts() {
            match &*part?.1 {
                Values::Doubles(doubles) => cells.extend(doubles.iter().map(|&x| Cell::number(x))),
                values => cells.extend(values.floats(0..values.len()).iter().map(|&x| Cell::number(x.into()))),
            }
        }
        // Samples are whole.
        cells.truncate(table.units * table.samples());
        Ok(Self {
            what: table.what.clone(),
            blocks: vec![cells],
            texts: vec![Texts::default(); table.units],
            lines: vec![0; table.samples()],
            weights: table.weights.clone(),
            ..Self::default()
        })
    }
}

/// The error of a column with more texts than can be numbered.
pub(crate) fn too_many_texts(path: &Path, column: String) -> Error {
    Error::Column { path: path.into(), column, reason: format!("more than {MOST_TEXTS} different texts") }
}

/// A column by its place among so many.
pub(crate) fn place(column: &str, columns: usize) -> Option<usize> {
    match column {
        "first" => Some(0),
        "last" => columns.checked_sub(1),
        number => number.parse().ok().filter(|&place| place < columns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_was_put_in() {
        for x in [0.0, -0.0, 1.5, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Cell::number(x).content(), Content::Number(x));
        }
        assert_eq!(Cell::number(f64::NAN).content(), Content::Missing);
        assert_eq!((Cell::number(-2.5).or_nan(), Cell::MISSING.or_nan().is_nan()), (-2.5, true));
        assert!(Cell::text(0).or_nan().is_nan() && Cell::text(MOST_TEXTS - 1).or_nan().is_nan());
        assert_eq!(Cell::number(f64::from_bits(0xfff8_0000_0000_0001)).content(), Content::Missing);
        for place in [0, 1, MOST_TEXTS - 1] {
            assert_eq!(Cell::text(place).content(), Content::Text(place));
        }
    }

    /// Names in Latin-1 that differ in one letter are two.
    #[test]
    fn texts_that_differ_never_merge() {
        let mut texts = Texts::default();
        let places: Vec<_> =
            [&b"caf\xe9"[..], b"caf\xe8", b"caf\xe9", "café".as_bytes()].map(|text| texts.place(text)).into();
        assert_eq!(places, [Some(0), Some(1), Some(0), Some(2)]);
        assert_eq!(texts.distinct, ["caf\\xe9", "caf\\xe8", "café"]);
    }
}
