//! svmlight's and libsvm's tables: a sample a line, its label and what of it is not zero.
//!
//! ```text
//! LABEL [qid:QUERY] INDEX:VALUE INDEX:VALUE ... [# COMMENT]
//! ```
//!
//! Indices rise along a line. They count from 0 where one of them is 0, else from 1; a column is called by its index,
//! so that files of one data set agree on it however few of its features they have.

use std::path::Path;

use super::dialect::number;
use super::gaps::Gaps;
use super::lines::Lines;
use super::stream;
use crate::error::Error;
use crate::memory::room::{Room, reserve};
use crate::schema::columns::Schema;
use crate::schema::options::LoadOptions;
use crate::tables::sheet::{Cell, Sheet, Texts};
use crate::tables::table::check_units;

/// What the column of the labels is called.
const LABEL: &str = "label";

/// Bytes that a feature takes as it is read.
const ENTRY: u128 = 16;

/// Bytes that a cell takes, and its value once it is a unit.
const VALUE: u128 = 12;

/// Reads a file.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Sheet, Error> {
    let (what, room) = (path.display().to_string(), Room::of(options.max_memory));
    let stream::Text { bytes, is_windows, stored, .. } = stream::open(path)?;
    let mut lines = Lines::new(path, bytes);
    let mut rows = Rows::new(path, options);
    while let Some((line, text)) = lines.next()? {
        let end = text.iter().position(|&byte| byte == b'#').unwrap_or(text.len());
        rows.push(line, &text[..end])?;
        room.require(&what, rows.needed())?;
    }
    let mut sheet = rows.dense()?;
    let stored = stored.iter().map(|how| format!("stored as {how}"));
    sheet.read_as.splice(0..0, stored.chain(is_windows.note()));
    Ok(sheet)
}

/// What is read so far.
struct Rows<'a> {
    path: &'a Path,
    gaps: Gaps,
    /// The labels, numbers or texts, and the lines they stand in.
    sheet: Sheet,
    /// What is not zero, sample by sample, and where each sample ends.
    entries: Vec<(u32, Cell)>,
    ends: Vec<usize>,
    /// The smallest index and the largest.
    least: u32,
    most: u32,
    /// Whether a label has a fraction.
    fractions: bool,
    /// Whether queries were left out.
    queries: bool,
}

impl<'a> Rows<'a> {
    /// Features that a model knows are there, whether the file has them or not.
    fn new(path: &'a Path, options: &LoadOptions) -> Self {
        let names = options.schema.iter().flat_map(Schema::each).filter_map(|(name, _)| name?.parse().ok());
        let known: Vec<u32> = names.collect();
        Self {
            path,
            gaps: Gaps::new(options, super::dialect::Dialect::default()),
            sheet: Sheet { what: path.display().to_string(), texts: vec![Texts::default()], ..Sheet::default() },
            entries: Vec::new(),
            ends: Vec::new(),
            least: known.iter().copied().min().unwrap_or(1),
            most: known.iter().copied().max().unwrap_or(0),
            fractions: false,
            queries: false,
        }
    }

    fn push(&mut self, line: u64, text: &[u8]) -> Result<(), Error> {
        let mut fields = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let Some(label) = fields.next() else { return Ok(()) };
        if label.contains(&b':') {
            return Err(self.refuse(line, label, "a label: a line begins with one, 0 where none is known"));
        }
        if label.contains(&b',') {
            return Err(self.refuse(line, label, "one label: samples of several classes are not read"));
        }
        match number(label, false) {
            _ if self.gaps.has(label) => self.sheet.last().push(Cell::MISSING),
            Some(x) => {
                self.fractions |= x.fract() != 0.0;
                self.sheet.last().push(Cell::number(x));
            }
            None => self.sheet.push_text(self.path, 0, label)?,
        }
        let mut last = None;
        for field in fields {
            let (index, value) = self.feature(line, field)?;
            let Some(index) = index else { continue };
            if last.is_some_and(|last| last >= index) {
                return Err(self.refuse(line, field, "a feature behind the one before it: indices rise along a line"));
            }
            last = Some(index);
            reserve(self.path, &mut self.entries, 1)?;
            self.entries.push((index, value));
            (self.least, self.most) = (self.least.min(index), self.most.max(index));
        }
        check_units(u128::from(self.most.max(1)), &self.sheet.what)?;
        reserve(self.path, &mut self.ends, 1)?;
        self.ends.push(self.entries.len());
        self.sheet.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Index and value; no index of what is no feature.
    fn feature(&mut self, line: u64, field: &[u8]) -> Result<(Option<u32>, Cell), Error> {
        let mut parts = field.splitn(2, |&byte| byte == b':');
        let (key, value) = (parts.next().unwrap_or_default(), parts.next());
        if key == b"qid" {
            self.queries = true;
            return Ok((None, Cell::MISSING));
        }
        let index = std::str::from_utf8(key).ok().and_then(|key| key.parse().ok());
        let (Some(index), Some(value)) = (index, value) else {
            return Err(self.refuse(line, field, "a feature, INDEX:VALUE"));
        };
        if self.gaps.has(value) {
            return Ok((Some(index), Cell::MISSING));
        }
        match number(value, false) {
            Some(x) if self.gaps.has_number(x) => Ok((Some(index), Cell::MISSING)),
            Some(x) => Ok((Some(index), Cell::number(x))),
            None => Err(self.refuse(line, field, "a feature whose value is a number")),
        }
    }

    fn refuse(&self, line: u64, value: &[u8], expected: &str) -> Error {
        Error::Cell {
            path: self.path.into(),
            place: format!("line {line}"),
            value: String::from_utf8_lossy(value).chars().take(40).collect(),
            expected: expected.into(),
        }
    }

    /// Columns beside that of the labels.
    fn features(&self) -> usize {
        (self.most + 1).saturating_sub(self.least) as usize
    }

    /// Bytes that it takes in the end.
    fn needed(&self) -> u128 {
        let cells = self.ends.len() as u128 * (1 + self.features() as u128);
        ENTRY * self.entries.len() as u128 + VALUE * cells + u128::from(self.sheet.bytes())
    }

    /// All cells, those that the file leaves out as zeros.
    fn dense(self) -> Result<Sheet, Error> {
        let columns = 1 + self.features();
        let mut sheet = self.sheet;
        let (labels, mut cells) = (std::mem::take(sheet.last()), Vec::new());
        sheet.texts.resize(columns, Texts::default());
        sheet.names =
            Some(std::iter::once(LABEL.into()).chain((self.least..=self.most).map(|i| i.to_string())).collect());
        reserve(self.path, &mut cells, columns * labels.len())?;
        let mut from = 0;
        for (label, end) in labels.into_iter().zip(self.ends) {
            let start = cells.len();
            cells.push(label);
            cells.resize(start + columns, Cell::number(0.0));
            for &(index, value) in &self.entries[from..end] {
                cells[start + 1 + (index - self.least) as usize] = value;
            }
            from = end;
        }
        sheet.blocks = vec![cells];
        if self.fractions {
            let note = format!(
                "the labels have fractions, so they are no classes: \"{LABEL}\" is a column like the others \
                 (--column-types {LABEL}=ignored leaves it out)"
            );
            sheet.read_as.push(note);
        } else {
            sheet.label = Some(0);
        }
        if self.queries {
            sheet.read_as.push("queries (qid) left out".into());
        }
        Ok(sheet)
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::tests::values;
    use crate::{Dataset, LoadOptions, Source, load};

    fn read(text: &[u8], options: &LoadOptions) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.svm");
        std::fs::write(&path, text).unwrap();
        let prefix = format!("{}/", dir.path().display());
        load(&Source::Svm(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn plain(text: &str) -> Result<Dataset, String> {
        read(text.as_bytes(), &LoadOptions::default())
    }

    #[test]
    fn what_is_left_out_is_zero_and_indices_count_from_the_smallest() {
        let data = plain("# a comment\n+1 qid:3 1:0.5 3:1 # end\n\n-1\n+1 2:0.25\n").unwrap();
        let names = || Some(vec!["-1".to_string(), "1".to_string()]);
        assert_eq!((data.train.labels(), data.class_names.clone()), (Some(vec![1, 0, 1]), names()));
        assert_eq!(data.schema.unit_names(), ["1", "2", "3"]);
        assert_eq!(values(&data)[0], [0.5, 0.0, 1.0]);
        assert_eq!(values(&data)[1], [0.0; 3]);
        assert_eq!(data.notes, ["queries (qid) left out"]);
        let from_zero = plain("1 0:0.5 2:1\n0 1:0.25\n").unwrap();
        assert_eq!(from_zero.schema.unit_names(), ["0", "1", "2"]);
        assert_eq!(values(&from_zero)[0], [0.5, 0.0, 1.0]);
    }

    /// A file of few features is read by the columns of the training data; what they have not is left out.
    #[test]
    fn another_file_has_the_columns_of_the_model() {
        let schema = plain("1 1:0.5 4:1\n0 2:0.25\n").unwrap().schema;
        let options = LoadOptions { schema: Some(schema), ..LoadOptions::default() };
        let data = read(b"0 2:1 9:3\n", &options).unwrap();
        assert_eq!(values(&data)[0], [0.0, 1.0, 0.0, 0.0]);
        assert!(data.notes[0].starts_with("left out columns that the schema does not name: 5, 6"), "{:?}", data.notes);
    }

    #[test]
    fn targets_that_are_no_classes_are_a_column() {
        let data = plain("1.5 1:1\n2 1:0\n").unwrap();
        assert_eq!((data.train.labels(), data.train.units()), (None, 2));
        assert!(data.notes[0].contains("(--column-types label=ignored leaves it out)"), "{:?}", data.notes);
        let options = LoadOptions { column_types: "label=ignored".parse().unwrap(), ..LoadOptions::default() };
        assert_eq!(read(b"1.5 1:1\n2 1:0\n", &options).unwrap().train.units(), 1);
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, said) in [
            ("1 1:1\n2:1\n", "t.svm: line 2: \"2:1\" is not a label: a line begins with one, 0 where none is known"),
            ("1,2 1:1\n", "t.svm: line 1: \"1,2\" is not one label: samples of several classes are not read"),
            ("1 1:1 x\n", "t.svm: line 1: \"x\" is not a feature, INDEX:VALUE"),
            ("1 -1:1\n", "t.svm: line 1: \"-1:1\" is not a feature, INDEX:VALUE"),
            ("1 1:x\n", "t.svm: line 1: \"1:x\" is not a feature whose value is a number"),
            (
                "1 2:1 1:1\n",
                "t.svm: line 1: \"1:1\" is not a feature behind the one before it: indices rise along a line",
            ),
            ("1 4000000000:1\n", "t.svm: the samples have 4000000000 columns; a layer has at most 65504 units"),
            ("# nothing\n", "t.svm: there are no samples"),
            ("1\n0\n", "t.svm: the samples have no columns"),
        ] {
            assert_eq!(plain(text).unwrap_err(), said);
        }
    }

    /// A few bytes stand for many zeros.
    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let text = "1 50000:1\n".repeat(100);
        let within =
            |most| read(text.as_bytes(), &LoadOptions { max_memory: Some(most), ..LoadOptions::default() }).map(|_| ());
        assert_eq!(within(100 << 20), Ok(()));
        assert!(within(30 << 20).unwrap_err().contains("the data take more than 30 MiB of memory"));
    }
}
