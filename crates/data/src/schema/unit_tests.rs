//! What schemas make of data whose columns have units of their own kind.

use deepbelief_kernels::{Batch, UnitKind};

use super::tests::{applied, plain, read, values};
use crate::{
    BatchConfig, BlockValues, ColumnKind, ColumnUnits, Dataset, LoadOptions, Minibatcher, Pixels, Schema, Source,
    VisibleUnits, examine, load,
};

fn asked(visible_units: VisibleUnits) -> LoadOptions {
    LoadOptions { visible_units, ..plain() }
}

fn auto(text: &str) -> Dataset {
    let column_types = if text.contains("spin") { "spin=spin".parse().unwrap() } else { plain().column_types };
    read(text, &LoadOptions { column_types, ..asked(VisibleUnits::Auto) }).unwrap()
}

/// An array in a file of its own, row by row.
fn array(units: usize, values: &[f32], options: &LoadOptions) -> Result<Dataset, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.npy");
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {units}), }}", values.len() / units);
    let header = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(header.bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(&path, bytes).unwrap();
    let prefix = format!("{}/", dir.path().display());
    load(&Source::Npy(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
}

const PEOPLE: &str = "age,sex,blood,spin,height\n20,f,A,-1,1.5\n40,m,B,1,1.75\n60,m,AB,1,2\n40,f,A,-1,1.75\n";

#[test]
fn columns_are_units_of_their_own_kind() {
    let data = auto(PEOPLE);
    assert_eq!(data.train.layer().to_string(), "1 gaussian, 1 bernoulli, 1 categorical of 3, 1 spin, 1 gaussian");
    assert_eq!(data.schema.layer(), *data.train.layer());
    let shown = data.schema.to_string();
    assert!(shown.starts_with("age     real: mean 40, deviation 14.142136\nsex     binary"), "{shown}");
    let rows = values(&data);
    let two = 2f32.sqrt();
    assert_eq!(rows[1], [0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    assert!((rows[0][0] + two).abs() < 1e-6 && (rows[2][6] - two).abs() < 1e-6, "{rows:?}");
    let means = data.train.mean().unwrap();
    let variances = data.train.variance(&means).unwrap();
    assert!(means[0].abs() < 1e-6 && (variances[0] - 1.0).abs() < 1e-6 && (variances[6] - 1.0).abs() < 1e-5);
    // The same file comes back.
    let blocks = data.schema.decode(&rows.concat());
    assert_eq!(blocks[0].values, BlockValues::Floats(vec![20.0, 40.0, 60.0, 40.0]));
    assert_eq!(blocks[3].values, BlockValues::Floats(vec![-1.0, 1.0, 1.0, -1.0]));
    assert_eq!(blocks[4].values, BlockValues::Floats(vec![1.5, 1.75, 2.0, 1.75]));
}

/// Neighbouring numbers are filled together: with a word between them, a gap, and a number that is far out, each is what it
/// is by itself.
#[test]
fn numbers_side_by_side_are_what_each_is_alone() {
    let number = |row: usize, column: usize| match (row, column) {
        (17, 1) => 4000.0,
        _ => ((row * (7 + column) + column) % 31) as f64 / 4.0,
    };
    let mut text = String::from("a,b,c,word,d,e\n");
    for row in 0..300 {
        let cell = |column| if (row, column) == (21, 4) { String::new() } else { number(row, column).to_string() };
        let word = ["x", "y", "z"][row % 3];
        text += &[cell(0), cell(1), cell(2), word.to_string(), cell(3), cell(4)].join(",");
        text += "\n";
    }
    let data = auto(&text);
    assert_eq!(data.train.layer().to_string(), "3 gaussian, 1 categorical of 3, 2 gaussian");
    let rows = values(&data);
    for (column, unit) in [0, 1, 2, 6, 7].into_iter().enumerate() {
        let there: Vec<usize> = (0..300).filter(|&row| (row, column) != (21, 4)).collect();
        let of =
            |f: &dyn Fn(f64) -> f64| there.iter().map(|&row| f(number(row, column))).sum::<f64>() / there.len() as f64;
        let mean = of(&|x| x);
        let deviation = of(&|x| (x - mean).powi(2)).sqrt();
        for &row in &there {
            let x = (number(row, column) - mean) / deviation;
            assert!((f64::from(rows[row][unit]) - x).abs() < 1e-5, "row {row}, column {column}");
            assert_eq!(rows[row][3 + row % 3], 1.0);
        }
    }
    assert_eq!(data.train.missing_values(), 1);
    let far = "1 value lies more than 10 standard deviations from the mean of the column: column \"b\"";
    assert!(
        data.notes.iter().any(|note| note.starts_with(far) && note.ends_with("the first in line 19")),
        "{:?}",
        data.notes
    );
}

/// Whoever asks for a scale asks for values between 0 and 1.
#[test]
fn a_scale_is_for_bernoulli_units() {
    let scaled = |units| LoadOptions { scale: "minmax-columns".parse().unwrap(), ..asked(units) };
    let data = read(PEOPLE, &scaled(VisibleUnits::Auto)).unwrap();
    assert!(data.train.layer().is_bernoulli() && values(&data)[2][0] == 1.0);
    let error = read(PEOPLE, &scaled(VisibleUnits::Gaussian)).unwrap_err();
    assert_eq!(
        error,
        "scale is minmax-columns; it must be left out: it brings values into 0 to 1, for Bernoulli units, and these are \
         gaussian"
    );
}

/// Who asks for no other scale than that of Gaussian units gets these; else it is said that there are none.
#[test]
fn standardised_columns_are_gaussian_and_others_say_what_learns_them() {
    let asked = |scale: &str| {
        let options = LoadOptions { scale: scale.parse().unwrap(), ..asked(VisibleUnits::Auto) };
        read(PEOPLE, &options).unwrap()
    };
    let data = asked("standard");
    assert_eq!((data.schema, data.notes), (auto(PEOPLE).schema, vec![]));
    let data = asked("minmax-columns");
    let said = "all columns are learned by Bernoulli units, for which --scale minmax-columns brings them into 0 to 1";
    assert!(data.notes.len() == 1 && data.notes[0].starts_with(said), "{:?}", data.notes);
}

/// Seconds since 1970, of which 32 bits leave nothing.
#[test]
fn numbers_that_lie_close_together_far_from_zero_keep_their_distances() {
    let time = |k: usize| 1_700_000_000.0 + 0.25 * (k * 37 % 160) as f64;
    let rows: Vec<String> = (0..160).map(|k| format!("{},{}\n", time(k), k % 7)).collect();
    let text = format!("time,day\n{}", rows.concat());
    let options = LoadOptions { visible_units: VisibleUnits::Bernoulli, ..plain() };
    for (data, units) in [(auto(&text), 2), (read(&text, &options).unwrap(), 2)] {
        let of_time: Vec<f32> = values(&data).iter().map(|row| row[0]).collect();
        let mut distinct = of_time.clone();
        distinct.sort_by(f32::total_cmp);
        distinct.dedup();
        assert_eq!((distinct.len(), data.schema.units()), (160, units));
        let steps: Vec<f32> = distinct.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| (step - steps[0]).abs() < 1e-6), "{steps:?}");
        let times = BlockValues::Doubles((0..160).map(time).collect());
        assert_eq!(data.schema.decode(&values(&data).concat())[0].values, times);
        let again = applied(&data.schema, &text).unwrap();
        assert_eq!((values(&again), again.schema), (values(&data), data.schema));
    }
    let mut schema = auto(&text).schema.to_string();
    schema.truncate(schema.find('\n').unwrap());
    assert_eq!(schema, "time  real: mean 1700000019.875, deviation 11.54678");
    assert!(read(&text, &options).unwrap().schema.to_string().starts_with("time  real: 1700000000 to 1700000039.75\n"));
    // Two of them are two.
    let two = "time,x\n1700000000.25,1\n1700000000.5,2\n1700000000.25,3\n";
    let data = auto(two);
    assert_eq!(values(&data).iter().map(|row| row[0]).collect::<Vec<_>>(), [0.0, 1.0, 0.0]);
    assert!(data.schema.to_string().starts_with("time  binary: 1700000000.25 is off, 1700000000.5 is on"));
    assert_eq!(values(&applied(&data.schema, two).unwrap()), values(&data));
    let levels = BlockValues::Doubles(vec![1_700_000_000.25, 1_700_000_000.5, 1_700_000_000.25]);
    assert_eq!(data.schema.decode(&values(&data).concat())[0].values, levels);
}

/// Arrays of 64 bits keep them until they are centred, in either order, a row as well as many; what is learned of them
/// is what is learned of the same table of text.
#[test]
fn arrays_keep_64_bits_until_they_are_centred() {
    let time = |k: usize| 1.7e9 + 0.25 * k as f64;
    let rows: Vec<[f64; 2]> = (0..160).map(|k| [time(k), 0.5 * (k * k % 7) as f64]).collect();
    let text = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect::<Vec<_>>().concat();
    let options = asked(VisibleUnits::Gaussian);
    let of_text = read(&text, &options).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let written = |name: &str, rows: &[[f64; 2]], fortran: bool, whole: bool| {
        let (order, descr) = (if fortran { "True" } else { "False" }, if whole { "<i8" } else { "<f8" });
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({}, 2), }}", rows.len());
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").bytes());
        let by_row = rows.iter().flatten().copied();
        let by_column = (0..2).flat_map(|column| rows.iter().map(move |row| row[column]));
        let all: Vec<f64> = if fortran { by_column.collect() } else { by_row.collect() };
        let number = |x: f64| if whole { (x as i64).to_le_bytes() } else { x.to_le_bytes() };
        bytes.extend(all.into_iter().flat_map(number));
        std::fs::write(dir.path().join(name), bytes).unwrap();
        Source::Npy(dir.path().join(name))
    };
    for fortran in [false, true] {
        let source = written("t.npy", &rows, fortran, false);
        let data = load(&source, &options).unwrap();
        assert_eq!(values(&data), values(&of_text));
        assert!(data.doubts.is_empty(), "{:?}", data.doubts);
        let schema = LoadOptions { schema: Some(data.schema), ..plain() };
        let one = load(&written("one.npy", &rows[7..8], fortran, false), &schema).unwrap();
        assert_eq!(values(&one)[0], values(&of_text)[7]);
        let original = crate::Original::read(&source, &schema, false).unwrap();
        assert_eq!(original.columns[0].values, BlockValues::Doubles((0..160).map(time).collect()));
        assert!(matches!(original.columns[1].values, BlockValues::Floats(_)));
    }
    let seconds: Vec<[f64; 2]> = (0..40).map(|k| [1_700_000_000.0 + f64::from(k), f64::from(k % 3) - 300.0]).collect();
    let text = seconds.iter().map(|[a, b]| format!("{a},{b}\n")).collect::<Vec<_>>().concat();
    let whole = load(&written("whole.npy", &seconds, false, true), &options).unwrap();
    assert_eq!(values(&whole), values(&read(&text, &options).unwrap()));
}

/// What 32 bits may have cost is said of arrays that have no more.
#[test]
fn numbers_of_arrays_that_32_bits_do_not_tell_apart_are_named() {
    let rows: Vec<f32> = (0..20).flat_map(|k| [1.7e9 + k as f32 * 128.0, k as f32 * 0.5 - 3.0]).collect();
    let data = array(2, &rows, &asked(VisibleUnits::Gaussian)).unwrap();
    assert_eq!(data.doubts.len(), 1, "{:?}", data.doubts);
    assert!(data.doubts[0].starts_with("column 0 (from 0) has numbers of 32 bits, of which there are 20 from"));
}

#[test]
fn columns_of_spins_are_spins_beside_others() {
    let data = auto("a,b,c\n-1,0.5,x\n1,2,y\n1,3,z\n");
    assert_eq!(data.train.layer().to_string(), "1 spin, 1 gaussian, 1 categorical of 3");
    assert!(data.schema.to_string().starts_with("a  spin\n"), "{}", data.schema);
    let bernoulli = read("a,b,c\n-1,0.5,x\n1,2,y\n1,3,z\n", &plain()).unwrap();
    assert!(bernoulli.schema.to_string().starts_with("a  binary: -1 is off, 1 is on"));
}

/// A row of weight three is three rows, and one of weight zero is none.
#[test]
fn columns_are_standardised_by_the_weights_of_their_rows() {
    let weighed = LoadOptions { weight_column: Some("w".into()), ..asked(VisibleUnits::Auto) };
    let data = read("x,y,w\n1,5,3\n4,7,1\n100,9,0\n2,8.5,2\n", &weighed).unwrap();
    let plain = read("x,y\n1,5\n1,5\n1,5\n4,7\n2,8.5\n2,8.5\n", &asked(VisibleUnits::Auto)).unwrap();
    let kinds = |data: &Dataset| data.schema.columns.iter().take(2).map(|c| c.kind.clone()).collect::<Vec<_>>();
    for (a, b) in kinds(&data).iter().zip(kinds(&plain)) {
        let (ColumnKind::Real { offset, scale }, ColumnKind::Real { offset: mean, scale: deviation }) = (a, b) else {
            panic!()
        };
        assert!((offset - mean).abs() < 1e-6 && (scale - deviation).abs() < 1e-6, "{a:?}");
    }
}

/// What an earlier checkpoint says of its columns means what it meant.
#[test]
fn schemas_that_do_not_name_their_units_are_of_bernoulli_units() {
    let json = r#"{"column":[{"name":"age","kind":"real","offset":20.0,"scale":40.0},
                   {"name":"blood","kind":"categorical","levels":["A","B"]},{"name":"spin","kind":"spin"}]}"#;
    let schema: Schema = serde_json::from_str(json).unwrap();
    assert!(schema.layer().is_bernoulli());
    let text = "spin,blood,age\n1,B,30\n-1,A,70\n";
    for visible_units in [VisibleUnits::Bernoulli, VisibleUnits::Auto, VisibleUnits::Gaussian] {
        let options = LoadOptions { schema: Some(schema.clone()), ..asked(visible_units) };
        let data = read(text, &options).unwrap();
        assert_eq!(values(&data), [[0.25, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]);
    }
    let new = auto(PEOPLE).schema;
    let written = serde_json::to_string(&new).unwrap();
    assert!(written.contains(r#""units":"by-kind""#), "{written}");
    assert_eq!(serde_json::from_str::<Schema>(&written).unwrap(), new);
    // Where all columns are bits and fractions, both are one.
    let bits = auto("a,b\n0,0.5\n1,0.25\n").schema;
    assert_eq!((bits.learned_by, bits.layer().is_bernoulli()), (ColumnUnits::Bernoulli, true));
}

#[test]
fn values_far_out_are_told_and_kept() {
    let rows: Vec<String> = (0..500).map(|k| format!("{},{}", k % 7, k % 5)).collect();
    let data = auto(&format!("x,y\n{}\n", rows.join("\n")));
    assert!(data.notes.is_empty(), "{:?}", data.notes);
    let other = applied(&data.schema, "x,y\n3,2\n500,2\n-400,2\n").unwrap();
    let rows = values(&other);
    assert!(rows[1][0] > 200.0 && rows[2][0] < -200.0);
    assert_eq!([0, 1, 2].map(|row| other.train.beyond(row)), [0, 1, 1]);
    assert_eq!(other.notes.len(), 1, "{:?}", other.notes);
    let said = "2 values lie more than 10 standard deviations from the mean of the column: column \"x\" (real: mean";
    assert!(
        other.notes[0].starts_with(said) && other.notes[0].ends_with("2, the first in line 3"),
        "{:?}",
        other.notes
    );
    let error = applied(&data.schema, "x,y\nold,2\n").unwrap_err();
    assert_eq!(error, "t.csv: line 2, column \"x\": \"old\" is not a number");
}

/// All columns of a category are missing together, and a level stands there; of a number 0, its mean.
#[test]
fn what_is_missing_holds_a_value_of_its_unit() {
    let data = auto("x,kind,on\n1,a,no\n,b,yes\n3,,no\n5,b,\n,a,no\n3,b,no\n1,c,no\n");
    let lacks = data.train.missing(&(0..7).collect::<Vec<_>>()).unwrap();
    let lacks: Vec<Vec<usize>> = (0..7).map(|row| lacks.units(row).collect()).collect();
    assert_eq!(lacks, [vec![], vec![0], vec![1, 2, 3], vec![4], vec![0], vec![], vec![]]);
    let rows = values(&data);
    assert_eq!((rows[1][0], &rows[2][1..4], rows[3][4]), (0.0, &[0.0, 1.0, 0.0][..], 0.0));
}

#[test]
fn minibatches_of_states_are_bits_and_others_are_numbers() {
    let is_binary = |data: &Dataset| {
        let config = BatchConfig { batch_size: 2, ..BatchConfig::default() };
        let mut batch = Batch::default();
        deepbelief_kernels::Minibatches::fill(&mut Minibatcher::new(&data.train, config).unwrap(), 0, &mut batch);
        matches!(batch, Batch::Binary(_))
    };
    assert!(is_binary(&auto("a,b\nx,1\ny,0\nz,1\nx,1\n")));
    assert!(is_binary(&auto("a,b\n-1,1\n1,-1\n")));
    assert!(!is_binary(&auto("a,b\n-1,1.5\n1,-1\n2,3\n")));
    assert!(!is_binary(&auto("a,b\nx,0.5\ny,0\nz,1\nx,0.25\n")), "fractions stay unless they are drawn");
}

#[test]
fn arrays_are_of_the_units_that_are_asked_for() {
    let counts: Vec<f32> = (0..12).map(|k| [0.0, 2.0, 5.0][(k * k) % 3]).collect();
    let data = array(3, &counts, &asked(VisibleUnits::Categorical)).unwrap();
    assert_eq!(data.train.layer().to_string(), "3 categorical of 2", "the array has no 5");
    let ColumnKind::Categorical { levels } = &data.schema.columns[0].kind else { panic!() };
    assert_eq!((levels.as_slice(), data.schema.columns.len()), (&["0".to_string(), "2".to_string()][..], 1));
    let data = array(2, &[1.0, -1.0, -1.0, -1.0], &asked(VisibleUnits::Auto)).unwrap();
    assert_eq!(data.train.layer().to_string(), "2 spin");
    let data = array(2, &[1.0, 5.0, 3.0, 5.0], &asked(VisibleUnits::Gaussian)).unwrap();
    assert_eq!(
        (data.train.layer().to_string(), values(&data)),
        ("2 gaussian".into(), vec![vec![-1.0, 0.0], vec![1.0, 0.0]])
    );
    let again = LoadOptions { schema: Some(data.schema.clone()), ..plain() };
    assert_eq!(values(&array(2, &[4.0, 6.0], &again).unwrap()), [[2.0, 1.0]]);
    let error = array(2, &[1.0, 0.0, 0.0, 1.0], &asked(VisibleUnits::Spin)).unwrap_err();
    assert_eq!(error, "t.npy: column 0 (from 0): asked for as spin, which needs -1 and 1, but has 0 to 1");
    // What an array was before stays.
    assert!(array(2, &[0.0, 0.5, 1.0, 1.0], &asked(VisibleUnits::Auto)).unwrap().schema.columns.is_empty());
}

#[test]
fn an_examination_knows_the_units() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, PEOPLE).unwrap();
    let options = LoadOptions { column_types: "spin=spin".parse().unwrap(), ..asked(VisibleUnits::Auto) };
    let found = examine(&Source::Csv(path), &options, None).unwrap();
    assert_eq!(found.units, auto(PEOPLE).schema.layer());
    assert_eq!((found.train.outside, found.narrow().count(), found.is_narrow()), (0, 0, false));
    assert!((found.active() - 2.0).abs() < 1e-9, "half of them are men, one blood group each, half of the spins");
    assert_eq!(auto(PEOPLE).examine(100).unwrap().units, found.units);
    assert!(found.units.any(|kind| kind == UnitKind::Gaussian));
}

#[test]
fn values_of_a_model_take_the_place_of_samples() {
    let data = auto(PEOPLE);
    let means = [-50.0, 0.5, 0.25, 0.25, 0.5, 0.1, 9.0].repeat(4);
    let other = data.train.with_values(means.clone()).unwrap();
    assert_eq!(other.batch(0..4, crate::Binarize::None, 0).unwrap().to_values(), means);
    let error = data.train.with_values(vec![1.5; 28]).unwrap_err().to_string();
    assert!(error.contains("0 to 1 of units that are no numbers"), "{error}");
    assert!(crate::Split::new(1, Pixels::from(vec![1.5f32]), None).is_err());
}
