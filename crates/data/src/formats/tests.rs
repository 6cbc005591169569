//! Tables of text as people and their programs write them.

use crate::schema::tests::values;
use crate::{Dataset, Header, LoadOptions, Source, load};

fn read_by(text: &[u8], options: &LoadOptions) -> Result<Dataset, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let prefix = format!("{}/", dir.path().display());
    load(&Source::Csv(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn read(text: &str) -> Result<Dataset, String> {
    read_by(text.as_bytes(), &LoadOptions::default())
}

fn names(data: &Dataset) -> Vec<&str> {
    data.schema.columns.iter().filter_map(|column| column.name.as_deref()).collect()
}

/// What Excel writes for no value is no comment and no value, wherever it stands.
#[test]
fn rows_that_begin_with_an_error_of_excel_are_rows() {
    let data = read("x,y\n1,1\n#N/A,2\n3,#DIV/0!\n2,3\n#NAME?,4\n").unwrap();
    assert_eq!((data.train.samples(), names(&data)), (5, vec!["x", "y"]));
    let missing = data.train.missing(&[0, 1, 2, 3, 4]).unwrap();
    let lacks: Vec<Vec<usize>> = (0..5).map(|row| missing.units(row).collect()).collect();
    assert_eq!(lacks, [vec![], vec![0], vec![1], vec![], vec![0]]);
    assert_eq!(read("#N/A,0.5\n0.25,1\n0.5,0\n").unwrap().train.samples(), 3, "a first row is one too");
    assert_eq!(read("x\n0.5\n#REF!\n0.25\n").unwrap().train.samples(), 3, "and a row of one field");
}

/// A comment with as many fields as the rows names the columns, as NumPy writes it; behind the first row it is a row.
#[test]
fn a_comment_may_be_the_header_and_the_others_are_counted() {
    let rows = "0.5,0.1,1\n0.25,0.3,0\n";
    for head in
        ["# c7,c11,c0\n", "#c7,c11,c0\n", "# measured by hand\n# c7,c11,c0\n", "#a,b,c\n#c7,c11,c0\n# by hand\n"]
    {
        let data = read(&[head, rows].concat()).unwrap();
        assert_eq!((names(&data), data.train.samples()), (vec!["c7", "c11", "c0"], 2), "{head:?}");
        assert_eq!(data.train.units(), 3);
    }
    let blanks = read("# c7 c11\n0.5 0.1\n0.25 1\n").unwrap();
    assert_eq!(names(&blanks), ["c7", "c11"]);
    let data = read("# by hand, in May\nx,y\n0.5,1\n# a pause\n0.25,0\n# the end\n").unwrap();
    assert_eq!((names(&data), data.train.samples()), (vec!["x", "y"], 2), "what is a header stays it");
    assert!(data.notes.contains(&"left out 3 comment lines, which begin with #".to_string()), "{:?}", data.notes);
    let data = read("x,y\n#a,1\nb,2\n#a,3\nb,5\n").unwrap();
    assert_eq!(
        (data.train.samples(), data.schema.columns[0].kind.to_string()),
        (4, "binary: #a is off, b is on".into())
    );
    let no = LoadOptions { header: Header::No, ..LoadOptions::default() };
    assert!(!read_by(b"# a,b\n0.5,1\n0.25,0\n", &no).unwrap().schema.has_names());
    let error = read("x,y\n0.5,1\n#,a,\"pause\n0.25,0\n0.5,0\n").unwrap_err();
    assert_eq!(error, "t.csv: line 3 is a comment with a quote that is not closed: remove the quote");
}

/// Years and depths are asked about; what lies among the values below is a sample.
#[test]
fn a_first_line_of_numbers_unlike_those_below_is_asked_about() {
    for text in
        ["2019,2020,2021\n1.5,20,3\n2.5,10,7\n0,800,9\n".replace("800", "200"), "name,2019,2020\np,0,0\nq,1,0\n".into()]
    {
        let error = read(&text).unwrap_err();
        assert!(error.starts_with("t.csv: line 1 has 2019, 2020") && error.contains("`--header yes`"), "{error}");
        let samples = |header| {
            let ignored = if text.starts_with('n') { "0=ignored" } else { "" };
            let options = LoadOptions { header, column_types: ignored.parse().unwrap(), ..LoadOptions::default() };
            read_by(text.as_bytes(), &options).unwrap().train.samples()
        };
        assert_eq!(samples(Header::No), samples(Header::Yes) + 1, "either answer is taken");
    }
    for text in ["1,2\n3,4\n5,0\n", "0,1\n1,0\n", "10,11,12\n9,14,7.5\n11,2,20\n", "a,1,2\nb,3,1\na,0,5\n"] {
        assert_eq!(read(text).unwrap().train.samples(), text.lines().count(), "{text:?}");
    }
}

#[test]
fn lines_that_are_no_rows_are_obeyed_refused_or_left_out() {
    let data = read("sep=;\r\nx;y\r\n0,5;1\r\n0,25;0\r\n").unwrap();
    assert_eq!((names(&data), values(&data)), (vec!["x", "y"], vec![vec![0.5, 1.0], vec![0.25, 0.0]]));
    for title in ["Our data of May", "Our data of May,,"] {
        let error = read(&format!("{title}\nx,y,z\n0.5,1,2\n0.25,0,3\n0.5,1,1\n")).unwrap_err();
        assert_eq!(
            error,
            "t.csv: line 1 has \"Our data of May\" alone, but the line below has 3 fields: if it is a title, remove the line"
        );
    }
    let error = read("Our data\nx;y\n0,5;1\n0,25;0\n").unwrap_err();
    assert!(error.contains("remove the line"), "whatever parts the fields below: {error}");
    let data = read("x,y\n0.5,1\n,\n0.25,0\n , \n").unwrap();
    assert_eq!((data.train.samples(), data.train.missing(&[0, 1]).is_none()), (2, true));
    assert!(data.notes.contains(&"left out 2 lines of nothing but separators".to_string()), "{:?}", data.notes);
}

/// What was inferred of a file reads that file, whatever its names are: numbers alone, one fewer than the rows have
/// fields, where the column without a name is all there is to learn.
#[test]
fn a_header_of_numbers_is_known_again() {
    for (text, label) in [
        ("0,255,17\n3,3,m,b\n", "0"),
        ("0,27\n3,4,:\n", "0"),
        ("0,255217\n3,4,5x\n", "0"),
        // The names are a comment, and the row has them too.
        ("#\t1\n1\t-1\n", "last"),
        // Both hold the names of what is learned, in one order and in the other.
        ("#1,a\na,1\nx,0\n", "a"),
        // What a comment says and the line below it says again is the header.
        ("#1,b\n1,b\n0,x\n", "last"),
    ] {
        let options =
            LoadOptions { label_column: Some(label.into()), scale: crate::Scale::None, ..LoadOptions::default() };
        let data = read_by(text.as_bytes(), &options).unwrap();
        assert_eq!((data.train.samples(), data.schema.has_names()), (1, true), "{text:?}");
        let options = LoadOptions { schema: Some(data.schema), label_column: None, ..options };
        let again = read_by(text.as_bytes(), &options).unwrap();
        assert_eq!((again.train.samples(), again.train.units()), (1, data.train.units()), "{text:?}");
    }
}

/// Asked for, they are rows without any value, wherever they stand below the names of the columns.
#[test]
fn lines_of_separators_can_be_rows() {
    let kept = LoadOptions { keep_empty: true, ..LoadOptions::default() };
    let lacking = |text: &str| {
        let data = read_by(text.as_bytes(), &kept).unwrap();
        assert!(
            !data.notes.iter().any(|note| note.contains("separators") && !text.starts_with(',')),
            "{:?}",
            data.notes
        );
        let rows: Vec<usize> = (0..data.train.samples()).collect();
        let missing = data.train.missing(&rows).unwrap();
        rows.into_iter().map(|row| missing.units(row).count()).collect::<Vec<_>>()
    };
    assert_eq!(lacking("x,y\n,\n0.5,1\n,\n0.25,0\n , \n"), [2, 0, 2, 0, 2]);
    assert_eq!(lacking(",\nx,y\n0.5,1\n,\n0.25,0\n"), [0, 2, 0], "that above the names is none");
    assert_eq!(lacking("0.5,1\n,\n0.25,\n"), [0, 2, 1]);
    assert_eq!(lacking("x,y\n0.5,1\n,,,\n0.25,0\n"), [0, 2, 0], "whatever their number");
    assert_eq!(lacking("\"x\",y\n0.5,\"1\"\n\"\",\n0.25,0\n"), [0, 2, 0]);
    // Behind the lines that are looked at first.
    let long = "0.5,1\n0.25,0\n".repeat(200) + ",\n0.5,\n,\n0.5,1";
    assert_eq!(lacking(&long)[400..], [2, 1, 2, 0]);
}

#[test]
fn other_formats_of_text_are_refused_by_their_name() {
    let arff = "% made by hand\n@RELATION t\n@attribute x numeric\n@data\n1\n";
    assert_eq!(read(arff).unwrap_err(), "t.csv is an ARFF file, no table of text: name it arff:FILE");
    let svm = "+1 1:0.5 3:1 # a\n-1 2:1\n1 1:1 2:0.25\n";
    assert_eq!(read(svm).unwrap_err(), "t.csv is an svmlight file, no table of text: name it svm:FILE");
    assert!(read("0 10:30\n1 11:45\n0 9:15\n").is_ok(), "times of the day are none");
}
