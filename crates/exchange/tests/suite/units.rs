//! RBMs of other than Bernoulli units: scores of other programs, round trips through their files, refusals.

use crate::golden;
use candle_core::{Device, Tensor};
use deepbelief_exchange::{Format, Options, read, write};
use deepbelief_kernels::{Fields, Parameters};
use deepbelief_rbm::{Layers, Rbm, Segment, UnitKind, Units};
use deepbelief_stack::Dbn;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn layer(parts: &[(UnitKind, usize, usize)]) -> Units {
    parts.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
}

/// Numbers between -0.5 and 0.5 that differ.
fn numbers(count: usize, from: usize) -> Vec<f32> {
    (from..from + count).map(|at| ((at * 7919) % 1013) as f32 / 1013.0 - 0.5).collect()
}

fn net(visible: Units, hidden: Units) -> Dbn {
    let fields = |units: &Units, from: usize| {
        let mut fields = Fields::at_rest(units);
        for (at, (_, values)) in fields.each_mut().into_iter().enumerate() {
            *values = numbers(values.len(), from + 100 * at);
        }
        fields
    };
    let (v, h) = (visible.columns(), hidden.columns());
    let parameters = Parameters {
        w_rec: numbers(v * h, 1),
        hb: numbers(h, 500),
        vb: numbers(v, 600),
        visible_fields: fields(&visible, 700),
        hidden_fields: fields(&hidden, 800),
        ..Parameters::default()
    };
    let rbm = Rbm::from_parameters(&Layers { visible, hidden }, parameters, &Device::Cpu).unwrap();
    Dbn::from_rbms(vec![rbm]).unwrap()
}

fn through(folder: &Path, dbn: &Dbn, format: Format) -> Dbn {
    let path = folder.join("model");
    write(&path, dbn, format).unwrap();
    let imported = read(&[path], &Options::default()).unwrap();
    assert_eq!(imported.sources[0].format, format);
    imported.model
}

const VISIBLE: [(UnitKind, usize, usize); 4] =
    [(UnitKind::Bernoulli, 1, 5), (UnitKind::Spin, 1, 4), (UnitKind::Categorical, 3, 4), (UnitKind::Gaussian, 1, 3)];

const HIDDEN: [UnitKind; 5] =
    [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu];

#[test]
fn every_pair_comes_back_from_the_files_of_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    for visible in VISIBLE {
        for hidden in HIDDEN {
            let dbn = net(layer(&[visible]), layer(&[(hidden, 1, 6)]));
            let formats = [
                (Format::RbmJl, true),
                (Format::Pgm, true),
                (
                    Format::Rbms,
                    matches!(
                        (visible.0, hidden),
                        (UnitKind::Bernoulli | UnitKind::Categorical, UnitKind::Bernoulli)
                            | (UnitKind::Spin, UnitKind::Spin)
                    ),
                ),
            ];
            for (format, _) in formats.into_iter().filter(|(_, has)| *has) {
                let back = through(folder.path(), &dbn, format);
                let name = format!("{} with {hidden}, {}", visible.0, format.name());
                assert_eq!(back.top().layers(), dbn.top().layers(), "{name}");
                assert_eq!(back.top().to_parameters().unwrap(), dbn.top().to_parameters().unwrap(), "{name}");
            }
        }
    }
}

/// Scores that rbms computed of its Potts and Ising models, kept by `tests/verify_units.py`: within 1e-5.
#[test]
fn rbms_scores_categorical_units_and_spins_the_same() {
    let scores: Value = serde_json::from_str(&std::fs::read_to_string(golden("rbms-units.json")).unwrap()).unwrap();
    for (file, scores) in scores.as_object().unwrap() {
        let rows = |name: &str| -> Vec<Vec<f32>> { serde_json::from_value(scores[name].clone()).unwrap() };
        let imported = read(&[golden(file)], &Options::default()).unwrap();
        let states = rows("states");
        let v = Tensor::new(states.clone(), &Device::Cpu).unwrap();
        let hidden: Vec<Vec<f32>> = imported.model.top().forward(&v).unwrap().to_vec2().unwrap();
        let energies: Vec<f32> = imported.model.top().free_energy(&v).unwrap().to_vec1().unwrap();
        let theirs: Vec<f32> = serde_json::from_value(scores["free_energy"].clone()).unwrap();
        let close = |a: f32, b: f32| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
        assert!(hidden.iter().flatten().zip(rows("hidden").iter().flatten()).all(|(&a, &b)| close(a, b)), "{file}");
        assert!(energies.iter().zip(&theirs).all(|(&a, &b)| close(a, b)), "{file}: {energies:?}, theirs {theirs:?}");
    }
}

#[test]
fn units_that_a_program_has_no_model_of_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("x");
    let mixed = net(layer(&[(UnitKind::Gaussian, 1, 2), (UnitKind::Spin, 1, 1)]), layer(&[(UnitKind::Relu, 1, 3)]));
    for format in [Format::Rbms, Format::RbmJl, Format::Pgm] {
        let refusal = write(&path, &mixed, format).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!(
                "the model has 2 gaussian, 1 spin below 3 relu units, of which {} has no model: its checkpoint, a \
                 safetensors file, holds all of it",
                format.name()
            )
        );
    }
    let spins = net(layer(&[(UnitKind::Spin, 1, 2)]), layer(&[(UnitKind::Relu, 1, 3)]));
    let refusal = write(&path, &spins, Format::Rbms).unwrap_err().to_string();
    assert!(refusal.starts_with("the model has 2 spin below 3 relu units, of which rbms has no model"), "{refusal}");
    let one = net(layer(&[(UnitKind::Bernoulli, 1, 3)]), layer(&[(UnitKind::Bernoulli, 1, 2)])).top().clone();
    let above = net(layer(&[(UnitKind::Bernoulli, 1, 2)]), layer(&[(UnitKind::Bernoulli, 1, 2)])).top().clone();
    let deep = Dbn::from_rbms(vec![one, above]).unwrap();
    let refusal = write(&path, &deep, Format::Pgm).unwrap_err().to_string();
    assert_eq!(refusal, "the model has layers under its top, and PGM has RBMs alone: export it as npz");
    assert!(!path.exists());
}

/// Without the axes that the fields have, weights are refused by their name.
#[test]
fn arrays_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let arrays: [(&str, &[usize]); 3] = [("vlayer.fields", &[4]), ("hlayer.fields", &[2]), ("weights", &[4, 2])];
    let path = crate::write(folder.path(), "x.safetensors", &arrays);
    let refusal = read(&[path], &Options::default()).unwrap_err().to_string();
    assert!(refusal.contains("there is no array 'visible', which a model of PGM has"), "{refusal}");
}
