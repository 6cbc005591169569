//! The cells of a CSV file's pieces, parsed on all threads: each piece alone, then the texts of all in the order of the
//! file, so that the number of threads changes nothing.

use std::path::Path;

use rayon::prelude::*;

use super::comments::Comments;
use super::decimal::decimal;
use super::dialect::Dialect;
use super::gaps::Gaps;
use super::header::Line;
use super::pieces::Piece;
use super::records::{MOST_FIELDS, Records};
use crate::error::{Error, LineError};
use crate::memory::room::reserve;
use crate::tables::sheet::{Cell, Content, Sheet, Texts, too_many_texts};

/// Bytes that a cell takes once it is a unit, beside its own.
pub(super) const VALUE: u64 = 4;

/// Whether a number has zeros in front, as codes have.
fn is_padded(field: &[u8]) -> bool {
    field.len() > 1 && field[0] == b'0' && field.iter().all(u8::is_ascii_digit)
}

/// How the lines of a file are read.
pub(super) struct How<'a> {
    pub(super) path: &'a Path,
    pub(super) dialect: Dialect,
    /// What parts the fields.
    pub(super) separator: u8,
    pub(super) gaps: Gaps,
    pub(super) comments: Comments,
    /// The column that is text whatever it looks like.
    pub(super) label: Option<usize>,
    /// Whether all columns are.
    pub(super) all_texts: bool,
    /// Whether lines of nothing but separators are rows.
    pub(super) keep_empty: bool,
    pub(super) columns: usize,
}

/// What is read so far.
pub(super) struct Rows {
    pub(super) sheet: Sheet,
    /// Lines of nothing but separators.
    pub(super) empty: usize,
    /// Comments.
    pub(super) comments: usize,
}

impl Rows {
    /// Adds what was parsed, as far as there is nothing wrong.
    pub(super) fn take(&mut self, path: &Path, parsed: Vec<Parsed>) -> Result<(), Error> {
        let mut places = Vec::new();
        for parsed in &parsed {
            self.sheet.lines.extend_from_slice(&parsed.lines);
            places.push(self.places(path, parsed)?);
            self.sheet.padded.iter_mut().zip(&parsed.padded).for_each(|(all, padded)| *all |= padded);
            self.empty += parsed.empty;
            self.comments += parsed.comments;
            if parsed.wrong.is_some() {
                break;
            }
        }
        let columns = self.sheet.columns();
        let numbered = parsed.into_par_iter().zip(places).map(|(mut parsed, places)| {
            for (column, places) in places {
                for cell in parsed.cells.iter_mut().skip(column).step_by(columns) {
                    if let Content::Text(place) = cell.content() {
                        *cell = places[place as usize];
                    }
                }
            }
            (parsed.cells, parsed.wrong)
        });
        for (cells, wrong) in numbered.collect::<Vec<_>>() {
            self.sheet.blocks.push(cells);
            wrong.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// The cells of the different texts of a piece, of each column that has some.
    fn places(&mut self, path: &Path, parsed: &Parsed) -> Result<Vec<(usize, Vec<Cell>)>, Error> {
        let sheet = &mut self.sheet;
        let columns = parsed.texts.iter().enumerate().filter(|(_, texts)| !texts.distinct.is_empty());
        let cells = |(column, texts): (usize, &Texts)| {
            let cells = texts.distinct.iter().map(|text| sheet.text(path, column, text.as_bytes()));
            Ok((column, cells.collect::<Result<_, _>>()?))
        };
        columns.map(cells).collect()
    }

    /// Bytes that the sheet takes, and its values once they are units.
    pub(super) fn needed(&self) -> u64 {
        self.sheet.bytes() + VALUE * self.sheet.len() as u64 + 8 * self.sheet.lines.len() as u64
    }
}

/// What lines have that are parsed together.
pub(super) struct Parsed {
    cells: Vec<Cell>,
    lines: Vec<u32>,
    /// The texts of each column, by which its cells are numbered.
    texts: Vec<Texts>,
    /// Whether each column has padded numbers.
    padded: Vec<bool>,
    empty: usize,
    comments: usize,
    /// What is wrong behind all this.
    wrong: Option<Error>,
}

impl How<'_> {
    /// Parses lines that were split already, none of which is a comment.
    pub(super) fn parse_lines(&self, lines: &[Line]) -> Parsed {
        self.parsed(|parsed| {
            lines.iter().try_for_each(|(line, fields)| self.put(parsed, *line, fields.iter().map(Vec::as_slice)))
        })
    }

    /// Parses pieces, each for itself.
    pub(super) fn parse(&self, pieces: &[Piece]) -> Vec<Parsed> {
        let parse = |piece: &Piece| {
            self.parsed(|parsed| {
                // A field takes a byte at least.
                let cells = (piece.ends.saturating_mul(self.columns)).min(piece.text.len());
                reserve(self.path, &mut parsed.cells, cells)?;
                if piece.quotes { self.quoted(parsed, piece) } else { self.plain(parsed, piece) }
            })
        };
        pieces.par_iter().map(parse).collect()
    }

    fn parsed(&self, fill: impl FnOnce(&mut Parsed) -> Result<(), Error>) -> Parsed {
        let mut parsed = Parsed {
            cells: Vec::new(),
            lines: Vec::new(),
            texts: vec![Texts::default(); self.columns],
            padded: vec![false; self.columns],
            empty: 0,
            comments: 0,
            wrong: None,
        };
        if let Err(wrong) = fill(&mut parsed) {
            parsed.wrong = Some(wrong);
            // Of a row that is not whole nothing is kept.
            parsed.cells.truncate(parsed.lines.len() * self.columns);
        }
        parsed
    }

    /// Lines with quotes.
    fn quoted(&self, parsed: &mut Parsed, piece: &Piece) -> Result<(), Error> {
        let mut records = Records::new(self.path, piece.text.as_slice(), self.separator).starting(piece.line);
        while let Some(record) = records.next()? {
            self.line(parsed, record.line, &record.fields().collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Lines without quotes.
    fn plain(&self, parsed: &mut Parsed, piece: &Piece) -> Result<(), Error> {
        let (text, mut at, mut line) = (piece.text.as_slice(), 0, piece.line);
        while let Some(&byte) = text.get(at) {
            match byte {
                b'\n' => (line, at) = (line + 1, at + 1),
                b'\r' => at += 1,
                _ => {
                    let start = at;
                    let letter = |byte: &u8| !byte.is_ascii_whitespace() || is_end(*byte);
                    let first =
                        if letter(&byte) { Some(&byte) } else { text[start..].iter().find(|byte| letter(byte)) };
                    if first != Some(&b'#')
                        && let Some(end) = self.whole_row(parsed, text, start)?
                    {
                        parsed.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
                        at = end;
                        continue;
                    }
                    let end =
                        text[start..].iter().position(|byte| is_end(*byte)).map_or(text.len(), |length| start + length);
                    let fields = text[start..end].split(|&byte| byte == self.separator).map(<[u8]>::trim_ascii);
                    self.line(parsed, line, &fields.take(MOST_FIELDS + 1).collect::<Vec<_>>())?;
                    at = end;
                }
            }
        }
        Ok(())
    }

    /// Adds the cells of a line that starts at a byte of a text without quotes, and tells where it ends; none where it
    /// has another number of fields than there are columns, or nothing in any.
    fn whole_row(&self, parsed: &mut Parsed, text: &[u8], mut at: usize) -> Result<Option<usize>, Error> {
        let (before, mut has_some) = (parsed.cells.len(), false);
        let point = if self.dialect.decimal_comma { b',' } else { b'.' };
        let plain = !self.all_texts && !self.gaps.has_numbers();
        for column in 0..self.columns {
            let rest = &text[at..];
            let stops = |end: usize| rest.get(end).is_none_or(|byte| *byte == self.separator || is_end(*byte));
            let short = decimal(rest, point).filter(|&(_, end)| stops(end));
            let length = match short {
                Some((x, length)) if plain && self.label != Some(column) => {
                    // What numbers count as is looked up where they are written, as codes are.
                    parsed.padded[column] |= rest[0] == b'0' && is_padded(&rest[..length]);
                    parsed.cells.push(Cell::number(x));
                    has_some = true;
                    length
                }
                _ => {
                    let end = |byte: &u8| *byte == self.separator || is_end(*byte);
                    let length = short.map(|(_, length)| length).or_else(|| rest.iter().position(end));
                    let length = length.unwrap_or(rest.len());
                    let field = rest[..length].trim_ascii();
                    has_some |= !field.is_empty();
                    self.cell(parsed, column, field)?;
                    length
                }
            };
            at += length;
            let is_last = column + 1 == self.columns;
            if (text.get(at) == Some(&self.separator)) == is_last {
                parsed.cells.truncate(before);
                return Ok(None);
            }
            at += usize::from(!is_last);
        }
        if !has_some && self.columns > 1 {
            parsed.cells.truncate(before);
            return Ok(None);
        }
        Ok(Some(at))
    }

    /// Adds a line, if it is no comment and has a field with something in it.
    fn line(&self, parsed: &mut Parsed, line: u64, fields: &[&[u8]]) -> Result<(), Error> {
        if fields.len() > MOST_FIELDS {
            return Err(LineError::ManyFields { path: self.path.into(), line, most: MOST_FIELDS }.into());
        }
        if fields.len() > 1 && fields.iter().all(|field| field.is_empty()) {
            if self.keep_empty {
                self.put(parsed, line, vec![&b""[..]; self.columns].into_iter())?;
            } else {
                parsed.empty += 1;
            }
        } else if fields[0].starts_with(b"#") && self.comments.has(self.path, line, fields)? {
            parsed.comments += 1;
        } else {
            self.put(parsed, line, fields.iter().copied())?;
        }
        Ok(())
    }

    /// Adds a row.
    fn put<'b>(
        &self,
        parsed: &mut Parsed,
        line: u64,
        mut fields: impl ExactSizeIterator<Item = &'b [u8]>,
    ) -> Result<(), Error> {
        let (got, expected) = (fields.len(), self.columns);
        if got != expected {
            return Err(LineError::Ragged { path: self.path.into(), line, got, expected }.into());
        }
        reserve(self.path, &mut parsed.cells, expected)?;
        (0..).zip(&mut fields).try_for_each(|(column, field)| self.cell(parsed, column, field))?;
        parsed.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Adds a cell.
    fn cell(&self, parsed: &mut Parsed, column: usize, field: &[u8]) -> Result<(), Error> {
        let mut text = |field: &[u8]| {
            let place = parsed.texts[column].place(field);
            place.map(Cell::text).ok_or_else(|| too_many_texts(self.path, format!("{column} (from 0)")))
        };
        let cell = if self.all_texts {
            text(field)?
        } else if self.gaps.has(field) {
            Cell::MISSING
        } else if self.label == Some(column) {
            text(field)?
        } else if let Some(x) = self.dialect.number(field) {
            parsed.padded[column] |= is_padded(field);
            if self.gaps.has_number(x) { Cell::MISSING } else { Cell::number(x) }
        } else {
            text(field)?
        };
        parsed.cells.push(cell);
        Ok(())
    }
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}
