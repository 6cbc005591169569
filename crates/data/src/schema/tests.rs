//! Tables as people have them: what is inferred of them, and what a schema makes of other files.

use std::fmt::Write as _;

use crate::schema::pixels::Row;
use crate::{BlockValues, ColumnKind, Dataset, LoadOptions, Schema, Source, load};

pub(super) fn read(text: &str, options: &LoadOptions) -> Result<Dataset, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let prefix = format!("{}/", dir.path().display());
    load(&Source::Csv(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
}

pub(super) fn plain() -> LoadOptions {
    LoadOptions::default()
}

fn inferred(text: &str) -> String {
    read(text, &plain()).unwrap().schema.to_string()
}

/// All values of the training samples, as probabilities.
pub(crate) fn values(data: &Dataset) -> Vec<Vec<f32>> {
    let row = |sample| match data.train.row(sample) {
        Row::Bytes(bytes) => bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect(),
        Row::Floats(floats) => floats.to_vec(),
    };
    (0..data.train.samples()).map(row).collect()
}

/// A survey: a person a line.
const PEOPLE: &str = "id,name,age,sex,smokes,blood,height\n\
                      17,ann,21,f,no,A,1.62\n\
                      5,bob,81,m,yes,0,1.80\n\
                      9,cid,33,m,no,AB,1.71\n\
                      11,dee,45,f,no,A,1.55\n";

#[test]
fn every_column_is_understood_by_itself() {
    let asked = LoadOptions { column_types: "id=ignored,name=ignored".parse().unwrap(), ..plain() };
    let data = read(PEOPLE, &asked).unwrap();
    let shown = "id      ignored\nname    ignored\nage     real: 21 to 81\nsex     binary: f is off, m is on\n\
                 smokes  binary: no is off, yes is on\nblood   categorical: 3 levels, 0, A, AB\n\
                 height  real: 1.55 to 1.8";
    assert_eq!(data.schema.to_string(), shown);
    assert_eq!(data.schema.unit_names(), ["age", "sex", "smokes", "blood=0", "blood=A", "blood=AB", "height"]);
    let rows = values(&data);
    assert_eq!(rows[1], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(rows[3], [0.4, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

/// The right scale for whole numbers that are no bytes, and for those that are.
#[test]
fn whole_numbers_are_divided_by_their_own_largest() {
    let table = |most: usize| {
        let mut text = String::new();
        for row in 0..40 {
            let cells: Vec<String> = (0..64).map(|k| ((row * 31 + k * 17) % (most + 1)).to_string()).collect();
            writeln!(text, "{}", cells.join(",")).unwrap();
        }
        read(&text, &plain()).unwrap()
    };
    for (most, divisor) in [(16, 16.0), (63, 63.0), (100, 100.0), (200, 255.0), (255, 255.0)] {
        let data = table(most);
        assert_eq!(data.schema.columns[0].kind, ColumnKind::Unit { divisor });
        assert_eq!((data.schema.columns.len(), data.schema.units()), (1, 64));
        let said = format!("whole numbers from 0 to {divisor} in all columns: divided by {divisor} ");
        assert!(data.notes[0].starts_with(&said), "{:?}", data.notes);
        assert!((values(&data).concat().into_iter().fold(0.0, f32::max) - most as f32 / divisor).abs() < 1e-6);
    }
}

#[test]
fn an_index_and_a_header_of_numbers_are_no_data() {
    let mut text = String::from(",0,1,2,3\n");
    for row in 0..20 {
        writeln!(text, "{row},{},{},{},{}", row % 2, row % 3 % 2, 1 - row % 2, row / 10).unwrap();
    }
    let data = read(&text, &plain()).unwrap();
    assert_eq!((data.train.samples(), data.train.units()), (20, 4));
    assert!(data.schema.to_string().starts_with("   ignored\n0  binary: 0 is off, 1 is on"), "{}", data.schema);
    assert_eq!(data.notes.len(), 2, "{:?}", data.notes);
    assert!(
        data.notes[0].starts_with("line 1 numbers the columns") && data.notes[1].contains("counts the rows: ignored")
    );
}

#[test]
fn kinds_follow_the_values() {
    for (text, want) in [
        ("a\n0\n1\n0\n", "a  binary: 0 is off, 1 is on"),
        ("a,b\n0,0.5\n1,0.25\n", "a  unit: 0 to 1\nb  unit: 0 to 1"),
        ("a,b\n-1,1\n1,-1\n", "a  spin\nb  spin"),
        ("a,b\n0,255\n7,128\n", "a  unit: 0 to 255\nb  unit: 0 to 255"),
        ("a,b\n1,5.5\n2,7.25\n3,1\n", "a  real: 1 to 3\nb  real: 1 to 7.25"),
        ("a\ntrue\nfalse\n", "a  binary: false is off, true is on"),
        ("a\nY\nN\n", "a  binary: N is off, Y is on"),
        ("a,b\nx,1\ny,2\nz,3\nx,4\n", "a  categorical: 3 levels, x, y, z\nb  real: 1 to 4"),
        ("a,b\n1,0\n2,1\n3+,1\n1,0\n", "a  categorical: 3 levels, 1, 2, 3+\nb  binary: 0 is off, 1 is on"),
        ("a;b\n1,5;2\n2,5;3\n0;4\n", "a  real: 0 to 2.5\nb  real: 2 to 4"),
    ] {
        assert_eq!(inferred(text), want, "{text:?}");
    }
}

/// Every kind that can be asked for is what the column becomes, or is refused with what it needs.
#[test]
fn a_column_is_of_the_kind_that_is_asked_for() {
    let as_kind = |text: &str, kind: &str| {
        let column_types = format!("a={kind}").parse().unwrap();
        read(text, &LoadOptions { column_types, ..plain() }).map(|data| data.schema.to_string())
    };
    let numbers = "a,b\n1,0\n2,1\n1,1\n2,0\n";
    for (kind, want) in [
        ("binary", "binary: 1 is off, 2 is on"),
        ("unit", "unit: 0 to 2"),
        ("real", "real: 1 to 2"),
        ("categorical", "categorical: 2 levels, 1, 2"),
        ("ignored", "ignored"),
        ("label", "label"),
        ("weight", "weight"),
    ] {
        let shown = as_kind(numbers, kind).unwrap();
        assert_eq!(shown.lines().next(), Some(format!("a  {want}").as_str()), "{kind}");
    }
    let spins = as_kind("a,b\n-1,0\n1,1\n-1,1\n", "spin").unwrap();
    assert_eq!(spins.lines().next(), Some("a  spin"));
    let words = "a,b\nx,0\ny,1\nz,1\nx,0\n";
    for (text, kind, needs) in [
        (numbers, "spin", "-1 and 1, but has 1 to 2"),
        (words, "binary", "two different values, but has \"x\""),
        (words, "unit", "numbers from 0 up, but has \"x\""),
        (words, "real", "numbers, but has \"x\""),
    ] {
        let error = as_kind(text, kind).unwrap_err();
        assert!(error.contains(&format!("asked for as {kind}, which needs {needs}")), "{error}");
    }
}

/// What cannot be inferred is asked, with commands to choose from; each is accepted.
#[test]
fn what_cannot_be_told_is_asked() {
    let mut text = String::from("who,x\n");
    for k in 0..60 {
        writeln!(text, "p{k},{}", k % 2).unwrap();
    }
    let error = read(&text, &plain()).unwrap_err();
    assert_eq!(
        error,
        "t.csv: column \"who\": 60 different texts in 60 rows: is it an identifier, then say `--column-types \
         who=ignored`; the class of a sample, then `--label-column who`; or levels, then `--column-types \
         who=categorical`"
    );
    for (kinds, label, units) in
        [("who=ignored", None, 1), ("who=categorical", None, 61), ("", Some("who".to_string()), 1)]
    {
        let options = LoadOptions { column_types: kinds.parse().unwrap(), label_column: label, ..plain() };
        assert_eq!(read(&text, &options).unwrap().train.units(), units, "{kinds}");
    }
    let slips: Vec<String> = (0..50).map(|k| format!("{},{}\n", f64::from(k) / 7.0, k % 3)).collect();
    let slips = slips.concat() + "oops,1\n";
    let error = read(&slips, &plain()).unwrap_err();
    assert!(error.contains("line 51 has \"oops\" among numbers") && error.contains("`--missing oops`"), "{error}");
}

#[test]
fn declared_codes_are_missing() {
    let text = "a,b\n1,-9\n2,none\n3,4\n5,6\n";
    let options = LoadOptions { missing: vec!["-9".into(), "none".into()], ..plain() };
    let lacks = |text: &str, options: &LoadOptions| {
        let train = read(text, options).unwrap().train;
        let missing = train.missing(&(0..train.samples()).collect::<Vec<_>>());
        missing.map(|missing| (0..train.samples()).map(|row| missing.units(row).collect()).collect::<Vec<Vec<_>>>())
    };
    assert_eq!(lacks(text, &options), Some(vec![vec![1], vec![1], vec![], vec![]]));
    assert_eq!(lacks("a,b\n1,0.5\n2,-9.0\n3,0.25\n", &options), Some(vec![vec![], vec![1], vec![]]));
    assert_eq!(lacks("a,b\n1,0.5\n2,1\n3,0.25\n", &options), None);
    // A column of several units lacks all of them; what always means a gap does.
    let text = "a,b\nred,1\n?,0\nblue,NA\ngreen,1\nred,\n";
    assert_eq!(lacks(text, &plain()), Some(vec![vec![], vec![0, 1, 2], vec![3], vec![], vec![3]]));
}

/// A column of weights is no unit; a model finds it by name, and does without it.
#[test]
fn weights_are_a_column_of_their_own() {
    let options = LoadOptions { weight_column: Some("w".into()), ..plain() };
    let data = read("a,w,b\n1,2,0\n0,0,1\n1,0.5,1\n", &options).unwrap();
    assert_eq!((data.train.units(), data.schema.summary()), (2, "2 binary, 1 weight".into()));
    assert_eq!((0..3).map(|row| data.train.weight(row)).collect::<Vec<_>>(), [Some(2.0), Some(0.0), Some(0.5)]);
    let mut batches =
        crate::Minibatcher::new(&data.train, crate::BatchConfig { batch_size: 3, ..Default::default() }).unwrap();
    let mut batch = deepbelief_kernels::Batch::default();
    deepbelief_kernels::Minibatches::fill(&mut batches, 0, &mut batch);
    let mean = deepbelief_kernels::Minibatches::weights(&batches).unwrap().iter().sum::<f32>() / 3.0;
    assert!((mean - 1.0).abs() < 1e-6, "{mean}");
    let others = applied(&data.schema, "b,a\n1,0\n").unwrap();
    assert_eq!((others.train.units(), others.train.weight(0)), (2, None));
    for (text, said) in [
        ("a,w\n1,-1\n0,2\n", "-1 to 2"),
        ("a,w\n1,\n0,2\n", "1 rows without one"),
        ("a,w\n1,x\n0,2\n", "texts, such as \"x\""),
        ("a,w\n1,0\n0,0\n", "0 to 0"),
    ] {
        let error = read(text, &options).unwrap_err();
        assert!(error.contains("weights are numbers from 0 up") && error.contains(said), "{error}");
    }
}

/// A model's schema, applied to other files.
pub(super) fn applied(schema: &Schema, text: &str) -> Result<Dataset, String> {
    let json = serde_json::to_string(schema).unwrap();
    let schema = Some(serde_json::from_str(&json).unwrap());
    read(text, &LoadOptions { schema, ..plain() })
}

#[test]
fn columns_of_other_files_are_matched_by_name() {
    let options = LoadOptions {
        column_types: "id=ignored,name=ignored".parse().unwrap(),
        label_column: Some("smokes".into()),
        ..plain()
    };
    let data = read(PEOPLE, &options).unwrap();
    let all = values(&data);
    // In another order, with a column more, without those that are ignored: rows 4 and 2 of the people.
    let other = "height,more,blood,sex,age,smokes\n1.55,x,A,f,45,no\n1.80,y,0,m,81,yes\n";
    let read = applied(&data.schema, other).unwrap();
    assert_eq!(values(&read), [all[3].clone(), all[1].clone()]);
    assert_eq!(read.notes, ["left out columns that the schema does not name: more"]);
    assert_eq!(read.train.labels().unwrap().len(), 2);
    // One row alone is that row.
    assert_eq!(values(&applied(&data.schema, "age,height,blood,sex\n33,1.71,AB,m\n").unwrap()), [all[2].clone()]);
    let error = applied(&data.schema, "age,heigth,blood,sex\n33,1.71,AB,m\n").unwrap_err();
    assert_eq!(error, "t.csv: columns that the schema names are missing: height; it has heigth instead");
    let error = applied(&data.schema, "age,height,blood,sex\n33,1.71,C,m\n").unwrap_err();
    assert_eq!(error, "t.csv: line 2, column \"blood\": \"C\" is not one of 0, A, AB");
    let error = applied(&data.schema, "age,height,blood,sex\nold,1.71,A,m\n").unwrap_err();
    assert_eq!(error, "t.csv: line 2, column \"age\": \"old\" is not a number, 21 to 81");
    let beyond = applied(&data.schema, "age,height,blood,sex\n99,1.71,A,m\n").unwrap();
    assert_eq!(values(&beyond)[0][0], 1.0);
    let said = "1 value lies beyond the ranges of the columns and is taken for their ends: column \"age\" (real: 21 to 81) 1, the \
          first in line 2";
    assert_eq!(beyond.notes, [said]);
}

/// Without names the place says which column it is, and the label may be left out.
#[test]
fn columns_without_names_are_matched_by_place() {
    let options = LoadOptions { label_column: Some("1".into()), ..plain() };
    let data = read("0.5,cat,3\n0.25,ant,5\n1,cat,4\n", &options).unwrap();
    let all = values(&data);
    assert_eq!(values(&applied(&data.schema, "1,cat,4\n").unwrap()), [all[2].clone()]);
    let read = applied(&data.schema, "0.5,3\n0.25,5\n").unwrap();
    assert_eq!((values(&read), read.train.labels()), (all[..2].to_vec(), None));
    let error = applied(&data.schema, "1,2,3,4\n1,2,3,5\n").unwrap_err();
    assert_eq!(error, "t.csv: there are 4 columns, expected 3 as in the training data");
}

/// Labels that differ in a byte that is no text never merge; a number is one class however it is written.
#[test]
fn labels_are_bytes_and_numbers_are_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, b"caf\xe9,0\ncaf\xe8,1\ncaf\xe9,1\n").unwrap();
    let label = |column: &str| LoadOptions { label_column: Some(column.into()), ..plain() };
    let data = load(&Source::Csv(path), &label("first")).unwrap();
    assert_eq!((data.classes, data.train.labels()), (Some(2), Some(vec![1, 0, 1])));
    let data = read("1,0\n1.0,1\n+1,1\n01,0\n-1,0\n", &label("first")).unwrap();
    assert_eq!(data.class_names, Some(vec!["-1".to_string(), "1".to_string()]));
    let error = read("a,0\n?,1\n", &label("first")).unwrap_err();
    assert_eq!(
        error,
        "t.csv: line 2, column 0 (from 0) has no label: give it one, remove the row, or learn without labels, by `--column-types COLUMN=ignored` in place of `--label-column`"
    );
}

/// Every cell of the training data comes back as it stood in the file.
#[test]
fn decoding_undoes_encoding() {
    let asked = LoadOptions { column_types: "id=ignored,name=ignored".parse().unwrap(), ..plain() };
    let mut grey = String::from("a,b\n");
    for k in 0..256 {
        writeln!(grey, "{},{k}", k * 7 % 256).unwrap();
    }
    for (text, skipped) in [(PEOPLE, 2), (&grey, 0), ("a,b\n-1,1\n1,-1\n", 0), ("a,b\n0.25,0.1\n1,0.7\n", 0)] {
        let data = read(text, &asked).or_else(|_| read(text, &plain())).unwrap();
        let blocks = data.schema.decode(&values(&data).concat());
        let cell = |row: usize, column: usize| match &blocks[column].values {
            BlockValues::Floats(values) => values[row].to_string(),
            BlockValues::Doubles(values) => values[row].to_string(),
            BlockValues::Whole(values) => values[row].to_string(),
            BlockValues::Texts { texts, places } => texts[places[row] as usize].clone(),
        };
        let names: Vec<&str> = text.lines().next().unwrap().split(',').skip(skipped).collect();
        assert_eq!(blocks.iter().map(|block| block.names[0].as_str()).collect::<Vec<_>>(), names);
        for (row, line) in text.lines().skip(1).enumerate() {
            for (column, field) in line.split(',').skip(skipped).enumerate() {
                let same = field.parse::<f32>().map_or(field.to_string(), |number| number.to_string());
                assert_eq!(cell(row, column), same, "row {row} of {text}");
            }
        }
    }
}

/// The mean less two deviations becomes 0, the mean and two 1, and what lies beyond becomes these; two values stay two.
#[test]
fn standard_columns_are_read_by_mean_and_deviation() {
    let options = LoadOptions { scale: "standard".parse().unwrap(), ..plain() };
    let mut text = "x,flag\n".to_string();
    for k in 0..100 {
        writeln!(text, "{},{}", if k == 99 { 1000 } else { k % 2 * 2 + 10 }, k % 2).unwrap();
    }
    let data = read(&text, &options).unwrap();
    let ColumnKind::Real { offset, scale } = data.schema.columns[0].kind else { panic!("{}", data.schema) };
    let values_of_x: Vec<f64> = (0..99).map(|k| f64::from(k % 2 * 2 + 10)).chain([1000.0]).collect();
    let mean = values_of_x.iter().sum::<f64>() / 100.0;
    let deviation = (values_of_x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 100.0).sqrt();
    assert!((offset - (mean - 2.0 * deviation)).abs() < 1e-3 * deviation);
    assert!((scale - 4.0 * deviation).abs() < 1e-3 * deviation);
    assert!(matches!(data.schema.columns[1].kind, ColumnKind::Binary { .. }));
    assert_eq!(values(&data)[99][0], 1.0);
    assert_eq!(data.notes.len(), 1, "{:?}", data.notes);
    assert!(
        data.notes[0]
            .starts_with("1 value lies beyond the ranges of the columns and is taken for their ends: column \"x\"")
    );
    assert!(data.notes[0].ends_with("1, the first in line 101"), "{}", data.notes[0]);
}

/// One line says how many and where, whatever the number of columns; fractions have their ends by nature.
#[test]
fn values_beyond_those_of_the_training_data_are_taken_for_its_ends() {
    let schema = read("a,b,c\n1,5,0.5\n2,6,0.25\n4,9,0\n", &plain()).unwrap().schema;
    let options = LoadOptions { schema: Some(schema), ..plain() };
    let data = read("a,b,c\n3,9,0\n0,10,0.5\n9,5,0.1\n", &options).unwrap();
    let rows = values(&data);
    assert_eq!((rows[1][0], rows[1][1], rows[2][0]), (0.0, 1.0, 1.0));
    assert_eq!(
        data.notes,
        [
            "3 values lie beyond the ranges of the columns and are taken for their ends: column \"a\" (real: 1 to 4) 2, the first in \
          line 3; column \"b\" (real: 5 to 9) 1, the first in line 3"
        ]
    );
    let grades: String =
        (0..20).map(|k| (0..8).map(|c| ((k * 7 + c) % 6).to_string()).collect::<Vec<_>>().join(",") + "\n").collect();
    let schema = read(&grades, &plain()).unwrap().schema;
    assert_eq!(schema.to_string(), "0 to 7  unit: 0 to 5");
    let options = LoadOptions { schema: Some(schema), ..plain() };
    assert_eq!(values(&read("7,0,0,0,0,0,0,5\n", &options).unwrap())[0][0], 1.0);
    let schema = read("0.5,0.25\n0.1,1\n", &plain()).unwrap().schema;
    let refused = read("0.5,1.5\n", &LoadOptions { schema: Some(schema), ..plain() }).unwrap_err();
    assert_eq!(refused, "t.csv: line 1, column 1 (from 0): \"1.5\" is not a number from 0 to 1");
}

/// A header in a comment is one for the model too, whatever the first row looks like beside it.
#[test]
fn names_in_a_comment_are_found_again() {
    for text in ["#,1\n1,-1\n0,1\n1,1\n", "# a,b\nx,0.5\ny,0.25\nx,0.125\n", "# made by hand\tb\na\tb\n-1\t1\n1\t-1\n"]
    {
        let data = read(text, &plain()).unwrap();
        let again = applied(&data.schema, text).unwrap();
        assert_eq!((again.train.samples(), again.train.units()), (data.train.samples(), data.train.units()), "{text}");
    }
}
