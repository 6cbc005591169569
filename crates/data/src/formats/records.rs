//! Lines of a CSV file, one at a time. A line has an end: at as many fields as the largest layer has
//! units, and one for the label, and at 16 MiB.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use deepbelief_kernels::MAX_UNITS;

use crate::error::{Error, LineError};

/// Fields of a line, at most.
pub(crate) const MOST_FIELDS: usize = MAX_UNITS + 1;

/// Bytes of a line, at most: some 256 for each field of the longest.
pub(crate) const LONGEST: usize = 1 << 24;

/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// The lines of a file.
pub(crate) struct Records<R> {
    path: PathBuf,
    from: R,
    parser: Reader,
    block: Vec<u8>,
    /// How much of the block is parsed.
    at: usize,
    /// Bytes parsed in all.
    parsed: u64,
    /// Line, from 1, that the next byte stands in.
    line: u64,
    /// The fields of a line, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The fields of a line, without the white space around them.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    text: &'a [u8],
    ends: &'a [usize],
    /// Where it starts in the file, from 1.
    pub(crate) line: u64,
}

impl<'a> Record<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has several fields, and nothing in any.
    pub(crate) fn has_only_separators(&self) -> bool {
        self.len() > 1 && self.fields().all(<[u8]>::is_empty)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (text, mut start) = (self.text, 0);
        self.ends.iter().map(move |&end| text[std::mem::replace(&mut start, end)..end].trim_ascii())
    }
}

impl<R: Read> Records<R> {
    /// Reads lines whose fields `separator` parts.
    pub(crate) fn new(path: &Path, from: R, separator: u8) -> Self {
        Self {
            path: path.into(),
            from,
            parser: ReaderBuilder::new().delimiter(separator).build(),
            block: Vec::with_capacity(BLOCK),
            at: 0,
            parsed: 0,
            line: 1,
            text: vec![0; 1 << 12],
            ends: vec![0; 1 << 6],
        }
    }

    /// The same, where the first line has another number than 1.
    pub(crate) fn starting(self, line: u64) -> Self {
        Self { line, ..self }
    }

    /// Bytes of the file that the lines so far take.
    pub(crate) fn parsed(&self) -> u64 {
        self.parsed
    }

    /// What is behind the lines so far, and the number of the next line.
    pub(crate) fn into_rest(mut self) -> (impl Read + use<R>, u64) {
        (Cursor::new(self.block.split_off(self.at)).chain(self.from), self.line)
    }

    /// The next line that is not blank.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let (mut written, mut ended, mut start) = (0, 0, None);
        loop {
            if self.at == self.block.len() {
                self.block.clear();
                self.at = 0;
                self.from.by_ref().take(BLOCK as u64).read_to_end(&mut self.block).map_err(Error::read(&self.path))?;
            }
            let (text, ends) = (&mut self.text[written..], &mut self.ends[ended..]);
            let (result, taken, wrote, ends) = self.parser.read_record(&self.block[self.at..], text, ends);
            for &byte in &self.block[self.at..self.at + taken] {
                if start.is_none() && !matches!(byte, b'\r' | b'\n') {
                    start = Some(self.line);
                }
                self.line += u64::from(byte == b'\n');
            }
            (self.at, self.parsed) = (self.at + taken, self.parsed + taken as u64);
            (written, ended) = (written + wrote, ended + ends);
            let line = start.unwrap_or(self.line);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull if written >= LONGEST => {
                    return Err(LineError::LongLine { path: self.path.clone(), line, most: LONGEST }.into());
                }
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                _ if ended > MOST_FIELDS => {
                    return Err(LineError::ManyFields { path: self.path.clone(), line, most: MOST_FIELDS }.into());
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => {
                    return Ok(Some(Record { text: &self.text[..written], ends: &self.ends[..ended], line }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields and line of every record, or why there are no more.
    fn all(from: impl Read) -> (Vec<(Vec<String>, u64)>, Option<String>) {
        let (mut records, mut found) = (Records::new(Path::new("f"), from, b','), Vec::new());
        loop {
            match records.next() {
                Ok(None) => return (found, None),
                Ok(Some(record)) => {
                    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
                    found.push((record.fields().map(text).collect(), record.line));
                }
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn fields_and_lines_are_those_of_the_text() {
        let text = "\u{feff}a, \"b\nc\" ,\r\n\r\n\n1,\"2\",3\n4,5,6";
        let fields = |list: [&str; 3]| list.map(String::from).to_vec();
        let want = vec![(fields(["a", "b\nc", ""]), 1), (fields(["1", "2", "3"]), 5), (fields(["4", "5", "6"]), 6)];
        // A field is trimmed, its quotes included, only where they start it.
        let (found, error) = all(text.replace(" \"b", "\"b").replace("c\" ", "c\"").as_bytes());
        assert_eq!((found, error), (want, None));
        assert_eq!(all(&b""[..]), (vec![], None));
    }

    /// Whatever ends them.
    #[test]
    fn lines_are_counted_as_an_editor_does() {
        for end in ["\n", "\r\n"] {
            let text = ["", "a,b", "", "", "1,2", "\"3", "3\",4", "5,6"].join(end);
            let (found, _) = all(text.as_bytes());
            let lines: Vec<u64> = found.iter().map(|(_, line)| *line).collect();
            assert_eq!(lines, [2, 5, 6, 8], "{end:?}");
        }
    }

    /// A line across many blocks is one line.
    #[test]
    fn long_lines_are_read_whole() {
        let line = vec!["0.25"; MOST_FIELDS].join(",");
        let (found, error) = all(format!("{line}\n{line}").as_bytes());
        assert_eq!((found.len(), found[1].0.len(), found[1].1, error), (2, MOST_FIELDS, 2, None));
    }

    /// What never ends, ends: in fields, or in bytes.
    #[test]
    fn a_line_has_an_end() {
        let commas = all(std::io::repeat(b',')).1.unwrap();
        assert_eq!(commas, "f: line 1 has more than 65505 fields: a layer has at most 65504 units");
        let zeros = all((&b"0,1\n\n"[..]).chain(std::io::repeat(0))).1.unwrap();
        assert_eq!(zeros, "f: line 3 is longer than 16 MiB; is it a table of text?");
        let quotes = all(std::io::repeat(b'"')).1.unwrap();
        assert!(quotes.starts_with("f: line 1 is longer than"), "{quotes}");
    }
}
