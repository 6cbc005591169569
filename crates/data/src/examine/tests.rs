//! Data with every fault there is, each of which is known.

use super::*;
use crate::schema::visible::VisibleUnits;
use std::path::Path;

fn csv(folder: &Path, name: &str, text: &str) -> Source {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    Source::Csv(path)
}

/// An array of the numbers of a text.
fn npy(folder: &Path, name: &str, text: &str) -> Source {
    let rows: Vec<Vec<f32>> =
        text.lines().map(|line| line.split(',').map(|x| x.parse().unwrap_or(f32::NAN)).collect()).collect();
    let shape = format!("({}, {})", rows.len(), rows[0].len());
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(rows.iter().flatten().flat_map(|x| x.to_le_bytes()));
    std::fs::write(folder.join(name), file).unwrap();
    Source::Npy(folder.join(name))
}

fn labelled() -> LoadOptions {
    LoadOptions { label_column: Some("first".into()), ..LoadOptions::default() }
}

fn numbers<'a>(columns: impl Iterator<Item = &'a Column>) -> Vec<usize> {
    columns.map(|column| column.number).collect()
}

/// Columns of the file: the label, 0 to 20, a constant, a copy of the first, one with gaps, two values.
const FAULTY: &str = "y,a,b,c,d,e\n\
                      1,0,7,0,3,0.1\n\
                      0,20,7,20,?,0.2\n\
                      1,5,7,5,-4,0.1\n\
                      1,5,7,5,,0.1\n\
                      0,5,7,5,-4,0.1\n";

#[test]
fn every_fault_is_found_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let source = csv(folder.path(), "a.csv", FAULTY);
    assert_eq!(crate::load(&source, &labelled()).unwrap().train.missing_values(), 2);
    let found = examine(&source, &labelled(), None).unwrap();
    let shown = "y  label\na  real: 0 to 20\nb  ignored\nc  real: 0 to 20\nd  binary: -4 is off, 3 is on\n\
                 e  binary: 0.1 is off, 0.2 is on";
    assert_eq!(found.schema.to_string(), shown);
    assert_eq!(found.doubts, ["column \"b\" is 7 in every row: ignored"]);
    assert_eq!((found.min, found.max, found.kind, found.scale), (0.0, 1.0, ValueKind::Unit, Scale::Auto));
    assert_eq!((numbers(found.constant()), numbers(found.copies())), (vec![], vec![3]));
    assert_eq!(found.train.columns[1].same_as, Some(0));
    assert_eq!((found.train.missing, found.train.columns[2].missing), (2, 2));
    let place = found.train.first_missing.unwrap();
    assert_eq!((place.row, place.line, place.column), (1, Some(3), 4));
    assert_eq!(found.train.classes, Some(vec![2, 3]));
    assert_eq!((found.train.repeated, found.train.contradictory), (1, 2), "rows 2 and 4 differ in their label alone");
    assert_eq!(found.train.columns[0].mean, 0.35);
    assert_eq!(found.train.columns[2].mean, 1.0 / 3.0, "of the values that are there");
}

/// Columns of unlike ranges, whose scale is `auto`, are looked at as a training reads them, each by its own.
/// Marks from 1 to 5 may be grades; ages, shares and columns that were spoken of are none.
#[test]
fn columns_of_few_whole_numbers_are_hinted_at() {
    let folder = tempfile::tempdir().unwrap();
    let row = |k: usize| format!("{},{},{},{}\n", 1 + k % 5, 20 + k, 0.5 * (k % 4) as f64, k % 3);
    let text = format!("mark,age,share,sport\n{}", (0..60).map(row).collect::<String>());
    let source = csv(folder.path(), "a.csv", &text);
    let hint = |types: &str| {
        let column_types = types.parse().unwrap();
        let options = LoadOptions { visible_units: VisibleUnits::Auto, column_types, ..LoadOptions::default() };
        examine(&source, &options, None).unwrap().hint
    };
    let both = hint("").unwrap();
    assert!(both.starts_with("columns \"mark\", \"sport\" have few different whole numbers"), "{both}");
    assert!(both.contains("say --column-types mark=categorical,sport=categorical if"), "{both}");
    let other = hint("sport=real").unwrap();
    assert!(other.starts_with("column \"mark\" has") && other.contains("sport=real,mark=categorical if"), "{other}");
    assert_eq!(hint("mark=categorical,sport=categorical"), None);
}

#[test]
fn kinds_and_scales_follow_the_values() {
    let folder = tempfile::tempdir().unwrap();
    for (text, kind, scale) in [
        ("0,1\n1,0", ValueKind::Binary, Scale::None),
        ("-1,1\n1,-1", ValueKind::Binary, Scale::Auto),
        ("0,0.5\n1,0.25", ValueKind::Unit, Scale::None),
        ("0,200\n3,17", ValueKind::Bytes, Scale::By255),
        ("0,9\n3,7", ValueKind::Whole, Scale::Range { min: 0.0, max: 9.0 }),
        ("0,900\n3,7", ValueKind::Binary, Scale::Auto),
        ("0,-0.5\n3,7\n1,4", ValueKind::Unit, Scale::Auto),
        ("5,5\n5,5", ValueKind::Constant, Scale::Range { min: 0.0, max: 5.0 }),
        ("0,0\n-0,0", ValueKind::Constant, Scale::None),
        ("nan,\n?,NA", ValueKind::Constant, Scale::None),
    ] {
        let source = npy(folder.path(), "a.npy", text);
        let found = examine(&source, &LoadOptions::default(), None).unwrap();
        assert_eq!((found.kind, found.scale), (kind, scale), "{text}");
        assert_eq!(found.train.outside, 0, "{text}");
    }
}

/// What is recommended must be accepted.
#[test]
fn data_load_with_the_scale_that_suits_them() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["0,1\n1,0", "-1,1\n1,-1", "0,0.5\n1,0.25", "0,200\n3,17", "0,9\n3,7", "0,-0.5\n300,7"] {
        let source = npy(folder.path(), "a.npy", text);
        let found = examine(&source, &LoadOptions::default(), None).unwrap();
        let data = crate::load(&source, &LoadOptions { scale: found.scale, ..Default::default() }).unwrap();
        assert_eq!(data.train.mean().unwrap(), means(&found), "{text}");
    }
}

fn means(found: &Examination) -> Vec<f32> {
    found.train.columns.iter().map(|column| found.scaled(column.mean) as f32).collect()
}

#[test]
fn a_scale_that_is_asked_for_tells_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    for source in [csv(folder.path(), "a.csv", "0,300\n-1,0.5"), npy(folder.path(), "a.npy", "0,300\n-1,0.5")] {
        let outside =
            |scale| examine(&source, &LoadOptions { scale, ..LoadOptions::default() }, None).unwrap().train.outside;
        assert_eq!([Scale::None, Scale::By255, Scale::Range { min: -1.0, max: 300.0 }].map(outside), [2, 2, 0]);
    }
}

#[test]
fn test_samples_may_come_from_a_source_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let train = csv(folder.path(), "a.csv", "cat,0,1\ndog,1,0\ndog,1,1");
    let test = csv(folder.path(), "b.csv", "dog,1,0\ndog,0,0\ndog,1,0");
    let found = examine(&train, &labelled(), Some(&test)).unwrap();
    assert_eq!(found.shared, Some(2));
    assert_eq!(found.test.unwrap().classes, Some(vec![0, 3]), "classes keep their numbers");
    let wide = csv(folder.path(), "c.csv", "dog,1,0,1");
    assert!(
        examine(&train, &labelled(), Some(&wide)).unwrap_err().to_string().contains("there are 4 columns, expected 3")
    );
}

/// Bytes and floats of the same numbers are the same samples and columns, in memory or in a file.
#[test]
fn what_is_found_does_not_depend_on_how_numbers_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let npy = |name: &str, descr: &str, bytes: Vec<u8>| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (40, 3), }}");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend(bytes);
        std::fs::write(folder.path().join(name), file).unwrap();
        Source::Npy(folder.path().join(name))
    };
    let values: Vec<u8> = (0..120).map(|k| if k % 3 == 1 { 9 } else { (k * k % 200) as u8 }).collect();
    let floats = values.iter().flat_map(|&x| f32::from(x).to_le_bytes()).collect();
    let sources = [npy("u.npy", "|u1", values.clone()), npy("f.npy", "<f4", floats)];
    let found = sources.each_ref().map(|source| examine(source, &LoadOptions::default(), None).unwrap());
    assert!(found[0] == found[1]);
    assert_eq!(examine(&sources[0], &LoadOptions::default(), Some(&sources[1])).unwrap().shared, Some(40));

    // A data set that is scaled: all of what is held, and some of what is in a file.
    let held = crate::load(&sources[0], &LoadOptions::default()).unwrap().examine(7).unwrap();
    assert_eq!((held.train.examined, numbers(held.constant())), (40, vec![1]));
    assert_eq!(held.train.repeated, found[0].train.repeated);
    let filed = crate::open(&sources[0], &LoadOptions::default()).unwrap().examine(7).unwrap();
    assert_eq!((filed.train.samples, filed.train.examined, filed.shared), (40, 7, None));
}

#[cfg(feature = "embedded-mnist")]
#[test]
fn the_digits_are_fit() {
    let found = examine(&Source::Mnist, &LoadOptions::default(), None).unwrap();
    assert_eq!((found.kind, found.scale, found.constant().count()), (ValueKind::Bytes, Scale::By255, 67));
    assert_eq!(found.train.classes.as_ref().map(|classes| classes[5]), Some(5421));
    assert_eq!((found.train.missing, found.train.repeated, found.shared), (0, 0, Some(0)));
    assert!((found.active() - 102.5).abs() < 0.1, "{}", found.active());
}
