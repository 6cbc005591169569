//! Tables of text: a line a sample, in whatever dialect. Every cell is kept as it comes, four bytes each, and of
//! texts each different one once.

use std::io::{Cursor, Read};
use std::path::Path;

use super::blanks::Blanks;
use super::comments::{Comments, said_of_comments};
use super::dialect::{Dialect, LOOK, Separator};
use super::gaps::Gaps;
use super::header::{self, Line};
use super::mistaken;
use super::pieces::Pieces;
use super::records::Records;
use super::rows::{How, Rows};
use super::stream::{self, NewEnds};
use crate::error::Error;
use crate::memory::room::Room;
use crate::schema::options::LoadOptions;
use crate::tables::sheet::{Sheet, Texts};
use crate::tables::table::check_units;

/// Lines by which the header is recognised.
const LINES: usize = 100;

/// Pieces by which the whole need of memory is predicted, and those that are parsed at once behind them: so many, and more
/// where each thread would have less than that. Threads wait for each other once for all of these.
const FIRST: usize = 4;
const MANY: usize = 32;
const EACH: usize = 4;

/// Bytes of a file from which on its whole need of memory is predicted by its start.
const TELLING: u64 = 1 << 20;

/// Reads a file.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Sheet, Error> {
    cells(path, options, false)
}

/// Reads a file whose every cell is a text: the field as it stands there.
pub(crate) fn read_texts(path: &Path, options: &LoadOptions) -> Result<Sheet, Error> {
    cells(path, options, true)
}

fn cells(path: &Path, options: &LoadOptions, texts: bool) -> Result<Sheet, Error> {
    let (what, room) = (path.display().to_string(), Room::of(options.max_memory));
    let mut text = stream::open(path)?;
    let mut telling = text.length.filter(|&length| text.stored.is_empty() && length > TELLING);
    let (mut start, is_windows) = (Vec::new(), text.is_windows.clone());
    text.bytes.by_ref().take(LOOK as u64).read_to_end(&mut start).map_err(Error::read(path))?;
    mistaken::refuse(path, &start)?;
    let dialect = Dialect::of(&start, start.len() < LOOK);
    let old_ends = start.contains(&b'\r') && !start.contains(&b'\n');
    let bytes = Cursor::new(start).chain(text.bytes);
    let bytes: Box<dyn Read + Send> = if old_ends { Box::new(NewEnds(bytes)) } else { Box::new(bytes) };
    let (bytes, separator): (Box<dyn Read + Send>, u8) = match dialect.separator {
        Separator::Byte(byte) => (bytes, byte),
        Separator::Blanks => (Box::new(Blanks::new(bytes)), b'\t'),
    };
    let mut records = Records::new(path, bytes, separator);
    if dialect.declared {
        records.next()?;
    }
    let (mut first, mut empty, mut left_out): (Vec<Line>, Vec<u64>, usize) = (Vec::new(), Vec::new(), 0);
    while first.len() < LINES
        && let Some(record) = records.next()?
    {
        if record.has_only_separators() {
            if options.keep_empty { empty.push(record.line) } else { left_out += 1 }
        } else {
            first.push((record.line, record.fields().map(<[u8]>::to_vec).collect()));
        }
    }
    let mut comments = Comments::take(path, &mut first, dialect.separator == Separator::Blanks)?;
    let gaps = Gaps::new(options, dialect);
    let comment = comments.names.as_ref().map(|(line, _)| *line);
    let header = header::told(path, &first, comments.names.take(), options, dialect, &gaps)?;
    if header.is_comment {
        comments.count -= 1;
    }
    let columns = first.get(usize::from(header.is_there)).or(first.first()).map_or(0, |(_, fields)| fields.len());
    let columns = columns.max(header.names.as_ref().map_or(0, Vec::len));
    if first.is_empty() {
        return Err(Error::Empty { what });
    }
    check_units(columns as u128, &what)?;
    let read_as = text
        .stored
        .iter()
        .map(|how| format!("stored as {how}"))
        .chain(Some(dialect.to_string()).filter(|s| !s.is_empty()));
    let sheet = Sheet {
        what: what.clone(),
        names: header.names,
        texts: vec![Texts::default(); columns],
        padded: vec![false; columns],
        read_as: read_as.chain(header.note).collect(),
        form: dialect.form(),
        ..Sheet::default()
    };
    let head = match (header.is_there, header.is_comment) {
        (true, _) => first[0].0,
        (_, true) => comment.unwrap_or(0),
        _ => 0,
    };
    let mut lines = first.split_off(usize::from(header.is_there));
    // Lines of separators above the names of the columns are no rows.
    let (above, kept): (Vec<u64>, Vec<u64>) = empty.into_iter().partition(|&line| line <= head);
    let mut rows = Rows { sheet, empty: left_out + above.len(), comments: comments.count };
    lines.extend(kept.into_iter().map(|line| (line, vec![Vec::new(); columns])));
    lines.sort_by_key(|(line, _)| *line);
    let (label, keep_empty) = (header.label, options.keep_empty);
    let how = How { path, dialect, separator, gaps, comments, label, all_texts: texts, keep_empty, columns };
    rows.take(path, vec![how.parse_lines(&lines)])?;
    let before = records.parsed();
    let (rest, line) = records.into_rest();
    let mut pieces = Pieces::new(path, rest, separator, line);
    let mut next = pieces.some(FIRST);
    let many = MANY.max(EACH * rayon::current_num_threads());
    while !next.0.is_empty() || next.1.is_some() {
        let taken = before + pieces.taken();
        let (some, ended) = std::mem::take(&mut next);
        // What is wrong with a line comes after what is wrong with those before it.
        let more = || if ended.is_none() { pieces.some(many) } else { (Vec::new(), None) };
        let (more, parsed) = rayon::join(more, || how.parse(&some));
        rows.take(path, parsed)?;
        room.require(&what, rows.needed().into())?;
        // A file that is too large is refused by its start, not when the memory is full.
        if let Some(length) = telling.take() {
            let whole = u128::from(rows.needed()) * u128::from(length) / u128::from(taken);
            room.require(&what, whole)?;
        }
        ended.map_or(Ok(()), Err)?;
        next = more;
    }
    let Rows { mut sheet, empty, comments } = rows;
    sheet.read_as.extend(is_windows.note());
    sheet.read_as.extend(said_of_comments(comments));
    sheet.read_as.extend(said_of_empty(empty));
    Ok(sheet)
}

/// A note on lines of nothing but separators.
fn said_of_empty(lines: usize) -> Option<String> {
    match lines {
        0 => None,
        1 => Some("left out 1 line of nothing but separators".into()),
        lines => Some(format!("left out {lines} lines of nothing but separators")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::VALUE;
    use super::*;
    use crate::schema::options::Header;
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
            assert_eq!(data.train.labels(), Some(vec![1, 0]), "{text:?}");
            assert_eq!(data.train.row(0), Row::Bytes(&[0, 255]), "{text:?}");
            assert_eq!(data.train.row(1), Row::Bytes(&[51, 0]), "{text:?}");
            assert_eq!((data.classes, data.name.as_str()), (Some(2), "t"));
            assert_eq!(data.class_names, Some(vec!["1".into(), "3".into()]), "{text:?}");
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
        assert_eq!(read_text(b"a,b\n0,1\n", &options(Header::No)).unwrap().train.samples(), 2);
    }

    /// A first sample with a hole in it must not vanish as a header, nor a header as a sample.
    #[test]
    fn a_header_is_told_by_what_lies_below() {
        let samples =
            |text: &str, options: &LoadOptions| read_text(text.as_bytes(), options).map(|d| d.train.samples());
        let hole = "0.1,0.2,n/a\n0.3,0.4,0.5\n";
        assert_eq!(samples(hole, &LoadOptions::default()), Ok(2));
        let said = "t.csv: line 1, column 2 (from 0): \"x\" is not a number";
        let header = "f line 1 names the columns, say `--header yes`";
        let mixed = "0.1,0.2,x\n0.3,0.4,0.5\n0.3,0.1,0.25\n";
        assert_eq!(refused(mixed), format!("{said}; is it the label column? I{header}"));
        let labels = "cat,0.2,x\ncat,0.4,0.5\nant,0.1,0.25\n";
        assert_eq!(samples(labels, &labelled("first")).unwrap_err(), format!("{said}; i{header}"));
        // Said to be a header it is one, and so it is if it holds the label column's name.
        let yes = LoadOptions { header: Header::Yes, ..LoadOptions::default() };
        assert_eq!(samples("0,1,x\n0,1,0\n1,0,0\n", &yes), Ok(2));
        assert_eq!(samples("kind,1,2\n3,1,0\n", &labelled("kind")), Ok(1));
        // A line of words is a header with the label's place known, too; a word as label is data.
        assert_eq!(samples("kind,a,b\ncat,1,0\n", &labelled("0")), Ok(1));
        assert_eq!(samples("ant,1,1\ncat,1,0\n", &labelled("0")), Ok(2));
        let plain = LoadOptions::default();
        // Numbers that count the columns are names, with an index and a label or without.
        assert_eq!(samples("0,1,2,3\n1,0,0,1\n0,0,1,0\n", &plain), Ok(2));
        assert_eq!(samples(",0,1,2,3,y\n0,1,0,0,1,a\n1,0,0,1,0,b\n", &labelled("y")), Ok(2));
        assert_eq!(samples("0,1,2\n1,2,0\n", &plain), Ok(2), "three numbers are too few to tell");
        // Texts above texts: what comes again is no name.
        assert_eq!(samples("colour,size\nred,big\nblue,small\nred,small\n", &plain), Ok(3));
        assert_eq!(samples("red,big\nblue,small\nred,small\n", &plain), Ok(3));
        // R leaves out the name of the column of row names.
        assert_eq!(samples("a,b\n1,0,1\n2,1,1\n3,1,0\n", &plain), Ok(3));
        // A sample of which nothing is known is no header.
        assert_eq!(samples("NA,NA\n0.3,0.4\n0.5,0.25\n", &plain), Ok(3));
    }

    #[test]
    fn bad_lines_are_named() {
        assert_eq!(refused("0,1\n0,1,0\n0,1\n"), "t.csv: line 2 has 3 fields, expected 2 as in the first line");
        assert_eq!(refused("a,b\n0,1,0,1\n"), "t.csv: line 2 has 4 fields, expected 2 as in the first line");
        assert_eq!(
            refused("\u{feff}a,b\n0,1\n\n\n0\n0,1\n"),
            "t.csv: line 5 has 1 fields, expected 2 as in the first line"
        );
        let many: Vec<String> = (0..40).map(|k| format!("{k},{}\n", k * k)).collect();
        assert_eq!(
            refused(&(many.concat() + "0,x\n")),
            "t.csv: column 1 (from 0): line 41 has \"x\" among numbers: mend it, say `--missing x` if it means a missing \
             value, or `--column-types 1=categorical` if the column is no number"
        );
        // Ends of lines of every kind count, and the mark at the start of the file does not.
        let options = LoadOptions { scale: "0..1".parse().unwrap(), ..LoadOptions::default() };
        for text in ["0,1\r\n\r\n0,7", "0,1\r1,1\r0,7", "\u{feff}a,b\n0.125,1\n0.25,7\n"] {
            let error = read_text(text.as_bytes(), &options).unwrap_err();
            assert!(error.starts_with("t.csv: line 3, column "), "{error}");
        }
        assert_eq!(
            refused("0,1\n1,1e99\n0,0\n0.5,3"),
            "t.csv: column 1 (from 0): line 2 is infinite or too large for 32 bits, which end at 3.4e38: every value must be \
             finite"
        );
        let options = LoadOptions { scale: "0..5".parse().unwrap(), ..labelled("0") };
        let shifted = read_text(b"9,0.5\n8,1\n7,3\n6,999", &options).unwrap_err();
        assert_eq!(shifted, "t.csv: line 4, column 1 (from 0): \"999\" is not a number from 0 to 5");
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
        for text in [b"\x00\n\x00", &b"\""[..], b"\r\r\r", b",\n,"] {
            assert!(read_text(text, &LoadOptions::default()).is_err(), "{text:?}");
            assert!(read_text(text, &labelled("last")).is_err(), "{text:?}");
        }
        let data = read_text(b"a,b\n\xff\xfe,1\n\xff,2\n", &LoadOptions::default()).unwrap();
        assert_eq!(data.schema.to_string(), "a  binary: ÿ is off, ÿþ is on\nb  binary: 1 is off, 2 is on");
    }

    /// Of a thousand labels the text is kept once, and of each sample its cells, their values, its line and label.
    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "0,1,cat\n1,0,dog\n".repeat(500)).unwrap();
        let within = |most| {
            let options = LoadOptions { max_memory: Some(most), ..labelled("last") };
            load(&Source::Csv(path.clone()), &options).map_err(|error| error.to_string())
        };
        let needed = 1000 * (3 * (8 + VALUE) + 12) + 2 * (128 + 2 * 3);
        assert_eq!(within(needed).unwrap().train.samples(), 1000);
        assert!(within(needed - 1).unwrap_err().contains("the data take more than 0 MiB of memory"));
    }

    /// A file of many pieces, with every kind of line and cell.
    #[test]
    fn the_number_of_threads_changes_nothing() {
        let line = |k: usize| match k % 1000 {
            7 => "# a comment\n".to_string(),
            8 => ",,,\n\r\n\n".into(),
            9 => "\"1,\n5\", 2 ,x y,\"0\"\n".replace("1,\n5", "1.5"),
            k => format!("{}.{:03},{},{},{}\n", k % 13, k, k % 3, ["red", "green", "blue"][k * k % 7 % 3], k % 2),
        };
        let text = format!("a,b,c,d\n{}", (0..60_000).map(line).collect::<String>());
        let load = |threads: usize, text: &str| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| read_text(text.as_bytes(), &LoadOptions::default()))
        };
        let (one, three) = (load(1, &text).unwrap(), load(3, &text).unwrap());
        assert_eq!(one.sha256().unwrap(), three.sha256().unwrap());
        assert_eq!((one.schema.clone(), one.notes.clone()), (three.schema, three.notes));
        assert_eq!(one.train.samples(), 60_000 - 120);
        assert!(one.schema.to_string().contains("c  categorical: 4 levels, blue, green, red, x y"), "{}", one.schema);
        assert_eq!(
            one.notes[..2],
            [
                "left out 60 comment lines, which begin with #".to_string(),
                "left out 60 lines of nothing but separators".into(),
            ]
        );
        // The first wrong line is the one that is named, however many are wrong behind it.
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (start, end) = (lines[..40_001].concat(), lines[40_001..].concat());
        let wrong = format!("{start}1,2,3\n{}", end.replace("red", "red,1"));
        for threads in [1, 3] {
            let said = format!("t.csv: line {} has 3 fields, expected 4 as in the first line", 40_002);
            assert_eq!(load(threads, &wrong).unwrap_err(), said);
        }
    }
}
