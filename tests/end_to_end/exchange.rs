//! Models that move in from other programs and out again.

use crate::{Place, numbers, stderr};
use std::fmt::Write as _;
use std::path::Path;

/// Copies a file of `tests/golden/import` into the place.
fn golden(place: &Place, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/import").join(name);
    std::fs::copy(from, place.path(name)).unwrap();
}

#[test]
fn a_model_of_scikit_learn_moves_in_and_out() {
    let place = Place::new();
    golden(&place, "sklearn.npz");
    golden(&place, "inputs.csv");
    let output = place.run("import sklearn.npz --out rbm.safetensors");
    assert!(output.status.success());
    assert_eq!(stderr(&output), "sklearn.npz: a model of scikit-learn\nwrote rbm.safetensors, 12-7 RBM\n");
    let shown = place.ok("show rbm.safetensors");
    assert!(shown.contains("imported      sklearn.npz of scikit-learn, sha256 "), "{shown}");
    assert!(!shown.contains("epoch") && !shown.contains("recipe"), "{shown}");

    place.ok("encode rbm.safetensors --data csv:inputs.csv --free-energy --out a.npy");
    let said = stderr(&place.run("export rbm.safetensors --as npz --out back.npz"));
    assert!(said.contains("components_        [7, 12]"), "{said}");
    place.ok("import back.npz --from sklearn --out back");
    place.ok("encode back --data csv:inputs.csv --free-energy --out b.npy");
    assert!(place.read("a.npy") == place.read("b.npy"));
    assert!(place.read("a.free_energy.npy") == place.read("b.free_energy.npy"));
}

#[test]
fn a_net_with_labels_moves_out_and_in() {
    let place = Place::new();
    place.stack("d", "");
    place.ok("export d --as npz --out d.npz");
    place.ok("import d.npz --out back");
    let tensors = |name: &str| {
        let bytes = place.read(name);
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> = file.tensors().into_iter().map(|(name, t)| (name, t.data().to_vec())).collect();
        tensors.sort();
        tensors
    };
    assert!(tensors("d/model.safetensors") == tensors("back/model.safetensors"));
    place.ok("classify back --data csv:bits.csv --label-column last");
    // An imported stack is tuned as any other.
    place.ok("tune back -q --data csv:bits.csv --label-column last --top-steps 1x1 --batch-size 7 --valid 11 --out t");
}

#[test]
fn matlab_files_make_a_stack_in_any_order() {
    let place = Place::new();
    for name in ["mnistvh.mat", "mnistpo.mat"] {
        golden(&place, name);
    }
    place.ok("import mnistpo.mat mnistvh.mat --out nets/science");
    let shown = place.ok("show nets/science");
    assert!(shown.contains("12-7-5 (bernoulli, those of the top gaussian)"), "{shown}");
    assert_eq!(shown.matches(" of Hinton's MATLAB code, sha256 ").count(), 2);
}

/// A Potts model of rbms goes to three programs and comes back the same.
#[test]
fn models_of_other_units_move_in_and_out() {
    let place = Place::new();
    golden(&place, "rbms-potts.h5");
    place.ok("import rbms-potts.h5 --out potts.safetensors");
    let shown = place.ok("show potts.safetensors");
    assert!(shown.contains("categorical"), "{shown}");
    let tensors = |name: &str| {
        let bytes = place.read(name);
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> = file.tensors().into_iter().map(|(name, t)| (name, t.data().to_vec())).collect();
        tensors.sort();
        tensors
    };
    for (program, file) in [("rbms", "a.h5"), ("rbm-jl", "b.h5"), ("pgm", "c.npz")] {
        let said = stderr(&place.run(&format!("export potts.safetensors --as {program} --out {file}")));
        assert!(said.contains(&format!("wrote {file}")), "{said}");
        place.ok(&format!("import {file} --from {program} --out {program}"));
        assert!(tensors("potts.safetensors") == tensors(&format!("{program}/model.safetensors")), "{program}");
    }
    let refused = stderr(&place.run("export potts.safetensors --as npz --out x.npz"));
    assert!(
        refused.contains("6 categorical of 4 below 5 bernoulli units") && refused.contains("--as pgm, rbm-jl and rbms"),
        "{refused}"
    );
}

/// Fields and couplings of three sites, in adabmDCA's order of letters.
fn potts() -> String {
    let letters = "-ACGT";
    let mut values = numbers(3).map(|number| f64::from(number % 1000) / 500.0 - 1.0);
    let mut text = String::new();
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        for (a, b) in letters.chars().flat_map(|a| letters.chars().map(move |b| (a, b))) {
            let _ = writeln!(text, "J {i} {j} {a} {b} {}", values.next().unwrap());
        }
    }
    for i in 0..3 {
        for a in letters.chars() {
            let _ = writeln!(text, "h {i} {a} {}", values.next().unwrap());
        }
    }
    text
}

#[test]
fn a_potts_model_of_adabmdca_moves_in_and_out() {
    let place = Place::new();
    std::fs::write(place.path("params.dat"), potts()).unwrap();
    std::fs::write(place.path("some.fasta"), ">a\nACG\n>b\nT-G\n>c\nAAA\n>d\nGT-\n").unwrap();
    let output = place.run("import params.dat --out potts.safetensors");
    assert_eq!(stderr(&output), "params.dat: a model of adabmDCA\nwrote potts.safetensors, 15-8 RBM\n");
    let shown = place.ok("show potts.safetensors");
    assert!(shown.contains("imported      params.dat of adabmDCA, sha256 "), "{shown}");

    let free_energies = |model: &str| -> Vec<f64> {
        place.ok(&format!("score {model} --data fasta:some.fasta --out scores.csv"));
        let table = place.text("scores.csv");
        let column = table.lines().next().unwrap().split(',').position(|name| name == "free_energy").unwrap();
        table.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect()
    };
    let said = stderr(&place.run("export potts.safetensors --as adabmdca --out back.dat"));
    assert!(said.contains("wrote back.dat") && said.contains("coupling_matrix    [3, 5, 3, 5]"), "{said}");
    place.ok("import back.dat --from adabmdca --out back");
    let (first, again) = (free_energies("potts.safetensors"), free_energies("back"));
    assert_eq!(first.len(), 4);
    assert!(first.iter().zip(&again).all(|(a, b)| (a - b).abs() < 2e-5), "{first:?}, {again:?}");

    std::fs::write(place.path("cut.dat"), potts().replacen("J 0 1 - A ", "J 0 1 A ", 1)).unwrap();
    let refused = stderr(&place.run("import cut.dat --out cut"));
    assert!(refused.contains("cut.dat: line 2: expected 'J i j a b value' or 'h i a value'"), "{refused}");
    place.train("r", "");
    let refused = stderr(&place.run("export r --as adabmdca --out x.dat"));
    assert!(refused.contains("the model is none of an alignment"), "{refused}");
}

#[test]
fn what_cannot_be_moved_is_said_and_leaves_nothing_behind() {
    let place = Place::new();
    golden(&place, "sklearn.npz");
    golden(&place, "mnistpo.mat");
    place.train("r", "");
    place.ok("import mnistpo.mat --out g.safetensors");
    let cases: [(&str, &[&str]); 8] = [
        ("import g.safetensors --out n", &["g.safetensors: was written by deepbelief: it is used as it is"]),
        ("import sklearn.npz --out r", &["r already holds a model", "hint: "]),
        ("import sklearn.npz --out x.npz", &["x.npz: the name must end in .safetensors"]),
        ("import sklearn.npz --out gone/x.safetensors", &["there is no folder gone"]),
        ("import bits.csv --out n/x", &["cannot import the model", "bits.csv: is neither an npz, HDF5 or mat file"]),
        ("import none.npz --out n", &["cannot read none.npz", "No such file"]),
        ("export g.safetensors --as npz --out x.npz", &["7 bernoulli below 5 gaussian units, and an npz"]),
        ("export r --as npz --out x.safetensors", &["x.safetensors: the name must end in .npz"]),
    ];
    for (words, expected) in cases {
        let before = place.listing();
        let output = place.run(words);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "dbn {words}\n{message}");
        assert_eq!(place.listing(), before, "dbn {words} must leave nothing behind");
        for part in expected {
            assert!(message.contains(part), "{words}: '{part}' in {message}");
        }
    }
}
