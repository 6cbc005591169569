//! What comes out of a model as a table, in the units of the data.

use crate::Place;
use crate::tables::{people, text};
use candle_core::{Device, Tensor};
use std::collections::BTreeSet;

/// An RBM of people, `smokes` their label, and a stack whose top has that label.
fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..120), &[0, 1, 2, 3, 4, 5], ",")).unwrap();
    let read = "-q --data csv:people.csv --label-column smokes --column-types id=ignored";
    place.ok(&format!("pretrain {read} --hidden 12 --epochs 60 --valid 0 --learning-rate 0.3 --out rbm"));
    place.ok(&format!("stack {read} --layers 8,9 --epochs 20 --valid 0 --out deep"));
    place
}

/// Fields of the lines of a file, the header first.
fn fields(place: &Place, name: &str) -> Vec<Vec<String>> {
    place.text(name).lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|other| other == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

#[test]
fn samples_are_rows_of_the_data() {
    let place = place();
    place.ok("sample rbm --count 400 --steps 50 --out s.csv");
    let rows = fields(&place, "s.csv");
    assert_eq!((rows.len(), rows[0].join(",")), (401, "age,sex,blood,height".to_string()));
    let ages: Vec<f32> = column(&rows, "age").iter().map(|age| age.parse().unwrap()).collect();
    assert!(ages.iter().all(|age| (20.0..=79.0).contains(age)) && ages.iter().any(|age| age.fract() != 0.0));
    for (name, levels) in [("sex", &["f", "m"][..]), ("blood", &["0", "A", "AB", "B"])] {
        let found: BTreeSet<String> = column(&rows, name).into_iter().collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), levels, "states are drawn, so that every level comes up");
    }
    // The file is one that the model reads, and what it holds is what the other formats hold.
    place.ok("encode rbm --data csv:s.csv --out codes.csv");
    place.ok("sample rbm --count 400 --steps 50 --out s.npy");
    let file = place.read("s.npy");
    let npy = npyz::NpyFile::new(&file[..]).unwrap();
    assert_eq!(npy.shape(), [400, 4]);
    let values = npy.into_vec::<f32>().unwrap();
    let number = |name: &str, text: &String| match name {
        "sex" => ["f", "m"].iter().position(|level| level == text).unwrap() as f32,
        "blood" => ["0", "A", "AB", "B"].iter().position(|level| level == text).unwrap() as f32,
        _ => text.parse().unwrap(),
    };
    let expected = rows[1..].iter().flat_map(|row| rows[0].iter().zip(row).map(|(name, text)| number(name, text)));
    assert_eq!(values, expected.collect::<Vec<f32>>());
    place.ok("sample rbm --count 400 --steps 50 --out s.parquet");
    assert!(place.read("s.parquet").starts_with(b"PAR1"));

    // A clamped label stands by its name behind the columns; chains and times are rows.
    place.ok("sample deep --label no,yes --count 3 --shown 2 --steps 5 --out l.csv");
    let rows = fields(&place, "l.csv");
    assert_eq!(rows[0].join(","), "age,sex,blood,height,smokes");
    assert_eq!(column(&rows, "smokes").join(" "), "no no no yes yes yes no no no yes yes yes");
    place.ok("sample deep --label yes --count 3 --steps 5 --out l.npy");
    assert_eq!(npyz::NpyFile::new(&place.read("l.labels.npy")[..]).unwrap().into_vec::<i64>().unwrap(), [1, 1, 1]);
    let refused = crate::stderr(&place.run("sample deep --count 101 --out x.png"));
    assert!(refused.contains("a picture shows at most 100 chains"), "{refused}");
}

/// A model of what has no columns gives values in the units of its pixels.
#[test]
fn pictures_and_reconstructions_are_numbers_too() {
    let place = Place::new();
    place.ok("pretrain -q --data idx:bars --hidden 16 --epochs 9 --valid 0 --out r");
    place.ok("reconstruct r --out all.csv");
    let rows = fields(&place, "all.csv");
    assert_eq!((rows.len(), rows[0].len()), (21, 31), "all test samples, 30 pixels and the label");
    assert_eq!(rows[0][..3], ["0", "1", "2"]);
    let bytes = place.read("bars/t10k-images-idx3-ubyte");
    let pixels = &bytes[16..];
    let labels: Vec<String> = place.read("bars/t10k-labels-idx1-ubyte")[8..].iter().map(ToString::to_string).collect();
    assert_eq!(column(&rows, "label"), labels);
    let values: Vec<f32> = rows[1..].iter().flat_map(|row| row[..30].iter().map(|x| x.parse().unwrap())).collect();
    let (rbm, _) = deepbelief_rbm::load(&place.path("r/model.safetensors"), &Device::Cpu).unwrap();
    let v = Tensor::from_vec(pixels.iter().map(|&x| f32::from(x) / 255.0).collect::<Vec<_>>(), (20, 30), &Device::Cpu);
    let means = rbm.reverse(&rbm.forward(&v.unwrap()).unwrap()).unwrap().flatten_all().unwrap();
    for (value, mean) in values.iter().zip(means.to_vec1::<f32>().unwrap()) {
        assert!((value / 255.0 - mean).abs() < 1e-6, "{value} of grey levels is not {mean}");
    }
    place.ok("reconstruct r --count 7 --split train --out some.npy");
    assert_eq!(npyz::NpyFile::new(&place.read("some.npy")[..]).unwrap().shape(), [7, 30]);
}
