//! The sequences of an alignment as a file has them, before anything is known of their letters.

use std::path::Path;

use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::tables::aligned::Inserted;

/// Bytes that a sequence takes beside its letters and its name.
const SEQUENCE: u128 = 96;

/// Sequences as a file has them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences {
    /// The file, for messages.
    pub(crate) what: String,
    pub(crate) names: Vec<String>,
    /// Line of each sequence, as far as 32 bits count.
    pub(crate) lines: Vec<u32>,
    pub(crate) rows: Vec<Vec<u8>>,
    /// Stockholm's line of the columns that are the family's.
    pub(crate) reference: Vec<u8>,
    /// Letters that are no longer in `rows`, since they stand in columns that are no sites.
    pub(crate) inserts: Vec<Inserted>,
    /// How the file was understood.
    pub(crate) notes: Vec<String>,
    /// Letters so far.
    pub(crate) letters: u128,
}

impl Sequences {
    /// Number of sequences.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Begins a sequence.
    pub(crate) fn begin(&mut self, path: &Path, name: String, line: u64, room: Room) -> Result<(), Error> {
        self.letters += SEQUENCE + name.len() as u128;
        room.require(&self.what, self.letters)?;
        reserve(path, &mut self.rows, 1)?;
        self.rows.push(Vec::new());
        self.names.push(name);
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Adds letters to a sequence; white space among them is none.
    pub(crate) fn extend(&mut self, path: &Path, sequence: usize, text: &[u8], room: Room) -> Result<(), Error> {
        self.letters += text.len() as u128;
        room.require(&self.what, self.letters)?;
        let row = &mut self.rows[sequence];
        reserve(path, row, text.len())?;
        row.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        Ok(())
    }

    /// An error about the file.
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::Alignment { what: self.what.clone(), reason: reason.into() }
    }

    /// What a sequence is called in messages: `"S1" (line 12)`.
    pub(crate) fn called(&self, sequence: usize) -> String {
        format!("{:?} (line {})", self.names[sequence], self.lines[sequence])
    }
}
