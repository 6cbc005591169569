//! CSV: a line a sample, comma-separated numbers, one column perhaps the label. Numbers are kept as they
//! come, four bytes each, and of the labels each different text once.

use std::fs::File;
use std::path::Path;

use super::records::{Record, Records};
use crate::error::Error;
use crate::memory::room::{Room, length, reserve};
use crate::place::Place;
use crate::schema::labels::{self, Texts};
use crate::schema::options::{Header, LoadOptions};
use crate::tables::table::{Table, Tables, check_units};
use crate::tables::values::Values;

/// Bytes that a value takes: as it is read, and as a byte where all are whole.
const VALUE: u64 = 5;

/// Bytes that a sample takes beside its values: its line, and its label twice.
const SAMPLE: u64 = 12;

/// Bytes of a file after which its whole need of memory is told.
const TELLING: u64 = 1 << 20;

/// Reads a file. All of it is training data. With `gaps`, values that are missing or no finite
/// numbers are read as such, for one who looks at data rather than learns from them.
pub(crate) fn read(path: &Path, options: &LoadOptions, gaps: bool) -> Result<Tables, Error> {
    let (what, room) = (path.display().to_string(), Room::of(options.max_memory));
    let file = File::open(path).map_err(Error::read(path))?;
    let mut telling = length(path, &file)?.filter(|&length| length > TELLING);
    let mut records = Records::new(path, file);
    let mut columns: Option<Columns> = None;
    let mut rows = Rows::default();
    while let Some(record) = records.next()? {
        match &columns {
            None => {
                let (first, is_header) = Columns::of_first_line(path, record, options, gaps)?;
                if !is_header {
                    rows.push(path, &first, record)?;
                }
                columns = Some(first);
            }
            Some(columns) => rows.push(path, columns, record)?,
        }
        room.require(&what, rows.bytes().into())?;
        // A file that is too large is refused by its start, not when the memory is full.
        if let Some(length) = telling
            && records.parsed() > TELLING
        {
            let whole = u128::from(rows.bytes()) * u128::from(length) / u128::from(records.parsed());
            room.require(&what, whole)?;
            telling = None;
        }
    }
    let columns = columns.ok_or_else(|| Error::Empty { what: what.clone() })?;
    let (labels, class_names) = match columns.label {
        Some(_) => labels::from_text(&what, rows.labels, options.class_names.is_some())
            .map(|(labels, names)| (Some(labels), names))?,
        None => (None, None),
    };
    let train = Table {
        what,
        units: columns.units(),
        values: Values::Floats(rows.values).into(),
        labels,
        lines: Some(rows.lines),
        label_column: columns.label,
    };
    Ok(Tables { train, test: None, image: None, class_names })
}

/// What the first line says.
struct Columns {
    fields: usize,
    label: Option<usize>,
    /// Whether values may be missing.
    gaps: bool,
}

impl Columns {
    /// The columns, and whether the first line is a header.
    fn of_first_line(
        path: &Path,
        record: Record<'_>,
        options: &LoadOptions,
        gaps: bool,
    ) -> Result<(Self, bool), Error> {
        let (fields, line) = (record.len(), record.line);
        let wanted = options.label_column.as_deref();
        let by_place = match wanted {
            Some("first") => Some(0),
            Some("last") => Some(fields.saturating_sub(1)),
            other => other.and_then(|text| text.parse().ok()),
        };
        let by_name = wanted.and_then(|name| record.fields().position(|field| field == name.as_bytes()));
        let is_header = match options.header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto if by_place.is_none() && by_name.is_some() => true,
            Header::Auto => {
                // The label may be a word in a line of data, so its field tells nothing.
                let tells = |field: &[u8]| !(is_empty(field) || gaps && is_gap(field));
                let telling = || record.fields().enumerate().filter(|&(i, field)| Some(i) != by_place && tells(field));
                let word = telling().find(|(_, field)| number(field).is_none());
                if let Some((column, field)) = word
                    && telling().any(|(_, field)| number(field).is_some())
                {
                    // A header taken for data is seen at once; a sample taken for a header never is.
                    let hint = match by_place {
                        None => "; is it the label column? If line 1 names the columns, say `--header yes`",
                        Some(_) => "; if line 1 names the columns, say `--header yes`",
                    };
                    return Err(not_a_number(path, line, column, field, hint));
                }
                word.is_some()
            }
        };
        // A name in the header wins over a place: a column may be called `first` or `0`.
        let label = if is_header { by_name.or(by_place) } else { by_place };
        match (wanted, label) {
            (None, _) => {}
            (Some(_), Some(label)) if label < fields => {}
            (Some(wanted), _) => {
                let mut available = format!("give first, last or a number from 0 to {}", fields.saturating_sub(1));
                if is_header {
                    let names: Vec<_> = record.fields().take(12).map(String::from_utf8_lossy).collect();
                    let more = if fields > 12 { ", ..." } else { "" };
                    available = format!("{available}, or a name of the header: {}{more}", names.join(", "));
                } else {
                    available.push_str(" (the file has no header)");
                }
                return Err(Error::NoSuchColumn { path: path.into(), column: wanted.into(), available });
            }
        }
        let columns = Self { fields, label, gaps };
        check_units(columns.units() as u128, &path.display().to_string())?;
        Ok((columns, is_header))
    }

    fn units(&self) -> usize {
        self.fields - usize::from(self.label.is_some())
    }
}

#[derive(Default)]
struct Rows {
    values: Vec<f32>,
    labels: Texts,
    lines: Vec<u32>,
}

impl Rows {
    /// Bytes that the samples take.
    fn bytes(&self) -> u64 {
        VALUE * self.values.len() as u64 + SAMPLE * self.lines.len() as u64 + self.labels.bytes()
    }

    fn push(&mut self, path: &Path, columns: &Columns, record: Record<'_>) -> Result<(), Error> {
        let line = record.line;
        reserve(path, &mut self.values, columns.units())?;
        reserve(path, &mut self.lines, 1)?;
        if record.len() != columns.fields {
            return Err(Error::Ragged { path: path.into(), line, got: record.len(), expected: columns.fields });
        }
        for (column, field) in record.fields().enumerate() {
            let of_label = columns.label == Some(column);
            if columns.gaps && !of_label && is_gap(field) {
                self.values.push(f32::NAN);
                continue;
            }
            if is_empty(field) {
                return Err(Error::MissingValue { path: path.into(), line, column });
            }
            if of_label {
                self.labels.push(path, &String::from_utf8_lossy(field))?;
                continue;
            }
            let Some(value) = number(field) else {
                let hint = match columns.label {
                    None if self.lines.is_empty() => "; is it the label column, or the header?",
                    None => "; is it the label column?",
                    Some(_) => "",
                };
                return Err(not_a_number(path, line, column, field, hint));
            };
            if !value.is_finite() && !columns.gaps {
                let place = Place { what: path.display().to_string(), row: self.lines.len(), line: Some(line), column };
                return Err(Error::NotFinite { place, value });
            }
            self.values.push(value);
        }
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }
}

/// The refusal of a field; where it is several numbers, that is the hint.
fn not_a_number(path: &Path, line: u64, column: usize, field: &[u8], hint: &'static str) -> Error {
    let field = String::from_utf8_lossy(field).chars().take(40).collect::<String>();
    let hint = if field.contains([';', '\t']) { "; fields must be separated by commas" } else { hint };
    Error::NotANumber { path: path.into(), line, column, field, hint }
}

fn is_empty(field: &[u8]) -> bool {
    field.trim_ascii().is_empty()
}

/// Whether a field says that its value is missing.
fn is_gap(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    field.is_empty() || ["na", "n/a", "nan", "null", "?"].iter().any(|gap| field.eq_ignore_ascii_case(gap.as_bytes()))
}

fn number(field: &[u8]) -> Option<f32> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::pixels::Row;
    use crate::{Dataset, Source, load};

    fn read_text(text: &[u8], options: &LoadOptions) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let prefix = format!("{}/", dir.path().display());
        load(&Source::Csv(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn labelled(column: &str) -> LoadOptions {
        LoadOptions { label_column: Some(column.into()), ..LoadOptions::default() }
    }

    fn refused(text: &str) -> String {
        read_text(text.as_bytes(), &LoadOptions::default()).unwrap_err()
    }

    /// The same two samples in every spelling of a file must be the same data.
    #[test]
    fn headers_labels_blanks_and_line_ends_do_not_change_the_data() {
        for (text, column) in [
            ("3,0,255\n1,51,0\n", "first"),
            ("3,0,255\r\n1,51,0\r\n", "0"),
            ("label,a,b\n3,0,255\n1,51,0", "label"),
            ("a,b,label\n0,255,3\n\n51,0,1\n", "last"),
            ("a,\"the label\",b\n 0 , 3 ,255\n51,1,\"0\"\n", "the label"),
            ("\u{feff}first,b,first_b\n0,3,255\n51,1,0\n", "1"),
            ("last,a,b\n3,0,255\n1,51,0\n", "last"),
        ] {
            let data = read_text(text.as_bytes(), &labelled(column)).unwrap();
            assert_eq!(data.train.labels(), Some(vec![3, 1]), "{text:?}");
            assert_eq!(data.train.row(0), Row::Bytes(&[0, 255]), "{text:?}");
            assert_eq!(data.train.row(1), Row::Bytes(&[51, 0]), "{text:?}");
            assert_eq!((data.classes, data.name.as_str()), (Some(4), "t"));
        }
    }

    #[test]
    fn names_of_classes_are_numbered_and_reported() {
        let data = read_text(b"cat,0,1\nant,1,0\n", &labelled("first")).unwrap();
        assert_eq!(data.train.labels(), Some(vec![1, 0]));
        assert_eq!(data.class_names, Some(vec!["ant".to_string(), "cat".to_string()]));
        assert_eq!(data.train.row(0), Row::Bytes(&[0, 255]));
    }

    /// A piece of a file of names that are numbers must not be read as one of numbers.
    #[test]
    fn names_given_elsewhere_number_the_classes() {
        let whole = read_text(b"-1,0,1\n1,1,0\n10,1,1\n", &labelled("first")).unwrap();
        assert_eq!(whole.train.labels(), Some(vec![0, 1, 2]));
        let options = LoadOptions { class_names: whole.class_names.clone(), ..labelled("first") };
        let piece = read_text(b"10,0,1\n1,1,0\n", &options).unwrap();
        assert_eq!((piece.train.labels(), piece.class_names), (Some(vec![2, 1]), whole.class_names));
        assert_eq!(
            read_text(b"10,0,1\n2,1,0\n", &options).unwrap_err(),
            "t.csv: there is a class \"2\"; the classes are -1, 1, 10"
        );
    }

    #[test]
    fn the_header_can_be_forced_either_way() {
        let options = |header| LoadOptions { header, ..LoadOptions::default() };
        assert_eq!(read_text(b"1,0\n0,1\n", &options(Header::Auto)).unwrap().train.samples(), 2);
        assert_eq!(read_text(b"1,0\n0,1\n", &options(Header::Yes)).unwrap().train.samples(), 1);
        assert_eq!(
            read_text(b"a,b\n0,1\n", &options(Header::No)).unwrap_err(),
            "t.csv: line 1, column 0 (from 0): \"a\" is not a number; is it the label column, or the header?"
        );
    }

    /// A first sample with a hole in it must not vanish as a header.
    #[test]
    fn a_first_line_of_numbers_and_words_is_refused() {
        let said = "t.csv: line 1, column 2 (from 0): \"n/a\" is not a number";
        let header = "f line 1 names the columns, say `--header yes`";
        assert_eq!(refused("0.1,0.2,n/a\n0.3,0.4,0.5\n"), format!("{said}; is it the label column? I{header}"));
        let text = b"cat,0.2,n/a\ndog,0.4,0.5\n";
        assert_eq!(read_text(text, &labelled("first")).unwrap_err(), format!("{said}; i{header}"));
        // Said to be a header it is one, and so it is if it holds the label column's name.
        let yes = LoadOptions { header: Header::Yes, ..LoadOptions::default() };
        assert_eq!(read_text(b"0,1,x\n0,1,0\n", &yes).unwrap().train.samples(), 1);
        assert_eq!(read_text(b"kind,1,2\n3,1,0\n", &labelled("kind")).unwrap().train.samples(), 1);
        // A line of words is a header with the label's place known, too; a word as label is data.
        assert_eq!(read_text(b"kind,a,b\ncat,1,0\n", &labelled("0")).unwrap().train.samples(), 1);
        assert_eq!(read_text(b"ant,1,1\ncat,1,0\n", &labelled("0")).unwrap().train.samples(), 2);
        assert!(
            refused("\n\n0,1;2\n")
                .ends_with("line 3, column 1 (from 0): \"1;2\" is not a number; fields must be separated by commas")
        );
    }

    #[test]
    fn bad_lines_are_named() {
        assert_eq!(refused("0,1\n0,1,0\n"), "t.csv: line 2 has 3 fields, expected 2 as in the first line");
        assert_eq!(
            refused("\u{feff}a,b\n0,1\n\n\n0\n0,1\n"),
            "t.csv: line 5 has 1 fields, expected 2 as in the first line"
        );
        assert_eq!(
            refused("0,1\n0,x\n"),
            "t.csv: line 2, column 1 (from 0): \"x\" is not a number; is it the label column?"
        );
        assert_eq!(
            refused("0,1\r\n\r\n0,"),
            "t.csv: line 3, column 1 (from 0) is empty: fill in missing values or remove the line"
        );
        assert_eq!(
            refused("0,1\n1,nan"),
            "t.csv: row 1, column 1 (counted from 0; line 2 of the file) is NaN: every value must be a finite number"
        );
        // The mark at the start of the file must not shift the count.
        assert!(refused("\u{feff}a,b\n0.125,1\n0.25,x\n").starts_with("t.csv: line 3, column 1 "));
        assert!(refused("0,1\n1,1e99\n0,0\n").contains("line 2 of the file) is inf"));
        assert!(refused("x\n0;1\n").ends_with("\"0;1\" is not a number; fields must be separated by commas"));
        assert!(
            refused("0,1\n1,-2\n").starts_with("t.csv: row 1, column 1 (counted from 0; line 2 of the file) is -2,")
        );
        let shifted = read_text(b"9,0.5\n8,1\n7,3\n6,999", &labelled("0")).unwrap_err();
        assert!(
            shifted.starts_with("t.csv: row 3, column 1 (counted from 0; line 4 of the file) is 999,"),
            "{shifted}"
        );
    }

    #[test]
    fn missing_columns_are_named_with_those_there_are() {
        assert_eq!(
            read_text(b"a,b\n0,1\n", &labelled("c")).unwrap_err(),
            "t.csv: there is no label column \"c\"; give first, last or a number from 0 to 1, or a name of the header: a, b"
        );
        assert_eq!(
            read_text(b"0,1\n", &labelled("2")).unwrap_err(),
            "t.csv: there is no label column \"2\"; give first, last or a number from 0 to 1 (the file has no header)"
        );
        assert_eq!(read_text(b"0\n1\n", &labelled("last")).unwrap_err(), "t.csv: the samples have no columns");
    }

    #[test]
    fn files_without_samples_are_refused() {
        for text in ["", "\n\n", "a,b\n"] {
            assert_eq!(refused(text), "t.csv: there are no samples", "{text:?}");
        }
        let wide = vec!["0"; 65_505].join(",");
        assert!(refused(&wide).starts_with("t.csv: the samples have 65505 columns;"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_not_a_panic() {
        for text in [&b"0,1\n\xff\xfe,1\n"[..], b"\x00\n\x00", b"\"", b"\"\"\"\n1", b"\r\r\r", b",\n,"] {
            assert!(read_text(text, &LoadOptions::default()).is_err(), "{text:?}");
            assert!(read_text(text, &labelled("last")).is_err(), "{text:?}");
        }
    }

    /// Of a thousand labels the text is kept once, and of each sample its values, line and label.
    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "0,1,cat\n1,0,dog\n".repeat(500)).unwrap();
        let within = |most| {
            let options = LoadOptions { max_memory: Some(most), ..labelled("last") };
            load(&Source::Csv(path.clone()), &options).map_err(|error| error.to_string())
        };
        let needed = 1000 * (2 * VALUE + SAMPLE) + 2 * (128 + 2 * 3);
        assert_eq!(within(needed).unwrap().train.samples(), 1000);
        assert!(within(needed - 1).unwrap_err().contains("the data take more than 0 MiB of memory"));
    }
}
