//! What is said and asked of columns that values do not tell surely.

use super::tests::{applied, plain, read};
use crate::{LoadOptions, Schema, Source, load};

/// So many rows of a function of their number, under a header.
fn table(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..rows).map(|k| row(k) + "\n").collect();
    format!("{header}\n{}", rows.concat())
}

/// A number that comes often and far from all others may mean that there is none; what does not is let alone.
#[test]
fn codes_that_count_as_numbers_are_doubted() {
    let score = |code: &str| {
        table("score,x", 30, |k| {
            let score = if k % 3 == 0 { code.to_string() } else { format!("{}", 2.5 + (k % 10) as f32 / 2.0) };
            format!("{score},{}", k % 2)
        })
    };
    for (code, ends) in [("-9", "2.5 to 7"), ("99", "2.5 to 7")] {
        let data = read(&score(code), &plain()).unwrap();
        let said = format!(
            "column \"score\": {code} comes 10 times and lies apart from {ends}: say --missing={code} if it means a missing value"
        );
        assert_eq!(data.doubts, [said]);
        let told = LoadOptions { missing: vec![code.into()], ..plain() };
        assert_eq!(read(&score(code), &told).unwrap().doubts, Vec::<String>::new());
    }
    for no_code in ["-7", "9", "-1"] {
        assert_eq!(read(&score(no_code), &plain()).unwrap().doubts, Vec::<String>::new(), "{no_code}");
    }
    let spins = table("a,b", 10, |k| format!("{},{}", 2 * (k % 2) as i32 - 1, 1 - 2 * (k % 2) as i32));
    assert_eq!(read(&spins, &plain()).unwrap().doubts, Vec::<String>::new());
}

#[test]
fn identifiers_and_codes_that_are_numbers_are_doubted() {
    let text = table("my id (new),post,x", 30, |k| format!("{},{:05},{}", 70_311 + 37 * k, 1049 + k % 7 * 3000, k % 2));
    let doubts = read(&text, &plain()).unwrap().doubts;
    assert_eq!(doubts.len(), 2, "{doubts:?}");
    assert_eq!(
        doubts[0],
        "column \"my id (new)\" has whole numbers that all differ, as identifiers have, and is learned as a number: say \
         --column-types 'my id (new)=ignored' or --column-types 'my id (new)=categorical' if it is none"
    );
    assert!(doubts[1].contains("\"post\" has numbers with zeros in front") && doubts[1].contains("post=categorical"));
    let asked = LoadOptions { column_types: "0=ignored,post=categorical".parse().unwrap(), ..plain() };
    assert_eq!(read(&text, &asked).unwrap().doubts, Vec::<String>::new());
}

#[test]
fn levels_that_differ_in_case_alone_are_doubted() {
    let data = read("smokes,x\nyes,1\nYes,2\nNO,3\nno,4\nperhaps,5\n", &plain()).unwrap();
    let said =
        "column \"smokes\": NO and no, yes and Yes differ in case alone and are levels of their own: write them alike";
    assert_eq!(data.doubts, [said]);
}

/// One error asks about all columns, and its command answers all.
#[test]
fn all_that_needs_an_answer_is_asked_at_once() {
    let text = table("\"name, first\",day,size,x", 60, |k| {
        let size = if k == 40 { "oops".into() } else { format!("{k}.5") };
        format!("p{k},2023-01-{:02},{size},{}", 1 + k % 2, k % 2)
    });
    let error = read(&text, &plain()).unwrap_err();
    assert_eq!(
        error,
        "t.csv: 3 columns need an answer: column \"name, first\": 60 different texts in 60 rows; column \"day\": dates, such \
         as \"2023-01-01\"; column \"size\": line 42 has \"oops\" among numbers; say `--column-types 0=ignored,day=ignored \
         --missing oops` to leave out what is named there, or give other kinds, such as categorical"
    );
    let told =
        LoadOptions { column_types: "0=ignored,day=ignored".parse().unwrap(), missing: vec!["oops".into()], ..plain() };
    assert_eq!(read(&text, &told).unwrap().schema.summary(), "1 binary, 1 real, 2 ignored");
    let dates = table("day,x", 30, |k| format!("{}.01.2023 12:30,{}", 1 + k % 3, k % 2));
    let error = read(&dates, &plain()).unwrap_err();
    assert!(error.ends_with("`--column-types day=ignored` or `--column-types day=categorical`"), "{error}");
}

/// Numbers as people write them: read where one reading is possible, else refused by what they look like.
#[test]
fn numbers_that_people_write_are_read_or_named() {
    let data = read("x,y\n\"9,37\",1\n\"0,5\",2\n\"2,25\",3\n", &plain()).unwrap();
    assert_eq!(data.schema.to_string(), "x  real: 0.5 to 9.37\ny  real: 1 to 3");
    assert!(data.notes.contains(&"decimals have commas".to_string()), "{:?}", data.notes);
    for (field, called) in [
        ("\"1,234.50\"", "numbers with marks between the thousands"),
        ("\"1,234\"", "numbers with marks between the thousands"),
        ("2 000", "numbers with marks between the thousands"),
        ("12%", "numbers with a percent sign"),
        ("$2.5", "numbers with a sign of money"),
    ] {
        let text = table("a,b", 40, |k| format!("{},{}", field.replace('2', &(1 + k % 9).to_string()), k % 2));
        let error = read(&text, &plain()).unwrap_err();
        assert!(error.starts_with(&format!("t.csv: column \"a\": {called}, such as ")), "{field}: {error}");
    }
}

/// What 32 bits do not hold is refused by its line, in training data and in others.
#[test]
fn numbers_without_end_are_refused_by_their_line() {
    for huge in ["1e300", "inf", "-1e99"] {
        let error = read(&format!("a,b\n1,2\n2,{huge}\n3,4\n"), &plain()).unwrap_err();
        assert!(error.starts_with("t.csv: column \"b\": line 3 is infinite or too large for 32 bits"), "{error}");
        let schema = read("a,b\n1,2\n2,3\n3,4\n", &plain()).unwrap().schema;
        let error = applied(&schema, &format!("a,b\n1,2\n2,{huge}\n")).unwrap_err();
        assert!(error.starts_with("t.csv: line 3, column \"b\": "), "{error}");
    }
}

/// A file in Latin-1 is read letter by letter, and says so.
#[test]
fn old_encodings_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, b"gr\xf6\xdfe,b\nm\xe4\xdfig,0\nklein,1\n").unwrap();
    let data = load(&Source::Csv(path), &plain()).unwrap();
    assert_eq!(data.schema.to_string(), "größe  binary: klein is off, mäßig is on\nb      binary: 0 is off, 1 is on");
    assert_eq!(data.notes, ["not UTF-8: read as Windows-1252"]);
}

#[test]
fn a_file_without_names_is_read_by_position_and_says_so() {
    let schema = read("a,b\n0.5,0\n0.25,1\n", &plain()).unwrap().schema;
    assert_eq!(
        applied(&schema, "0.25,1\n").unwrap().notes,
        ["there are no names of columns: they are taken by their position"]
    );
    assert_eq!(applied(&schema, "b,a\n1,0.25\n").unwrap().notes, Vec::<String>::new());
}

/// The column of the labels may be called otherwise in another file, or come in it alone.
#[test]
fn a_column_of_labels_that_is_asked_for_is_used_with_a_schema() {
    let labelled = LoadOptions { label_column: Some("kind".into()), ..plain() };
    let with = read("a,kind,b\n0.5,x,0\n0.25,y,1\n", &labelled).unwrap().schema;
    let without = read("a,b\n0.5,0\n0.25,1\n", &plain()).unwrap().schema;
    let asked = |schema: &Schema, column: &str, text: &str| {
        let options =
            LoadOptions { schema: Some(schema.clone()), label_column: Some(column.into()), ..LoadOptions::default() };
        read(text, &options)
    };
    for schema in [&with, &without] {
        let data = asked(schema, "sort", "sort,a,b\ny,0.25,1\nx,0.5,0\n").unwrap();
        assert_eq!(data.train.labels(), Some(vec![1, 0]));
        assert_eq!((data.train.units(), data.schema.label()), (2, Some("sort".into())));
        let error = asked(schema, "a", "a,b\n0.25,1\n").unwrap_err();
        assert!(error.contains("it is one of the columns that are learned from"), "{error}");
        assert!(asked(schema, "c", "a,b\n0.25,1\n").unwrap_err().contains("\"c\""));
    }
    let bare = read("0.5,0\n0.25,1\n", &plain()).unwrap().schema;
    let data = asked(&bare, "first", "3,0.25,1\n4,0.5,0\n").unwrap();
    assert_eq!((data.train.labels(), data.train.units()), (Some(vec![0, 1]), 2));
}
