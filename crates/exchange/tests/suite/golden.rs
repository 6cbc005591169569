//! The scores that the programs themselves compute of their models, kept by
//! `tests/verify_import.py`.
//!
//! Theirs are in double or single precision, ours in single: sums of some ten terms of magnitude
//! below ten lose a few units of 1e-7 each, so 1e-5 (relative to values of at least 1) is exceeded by
//! a mistake alone; nothing here is random.

use crate::golden;
use candle_core::{Device, Tensor};
use deepbelief_exchange::{Format, Options, read};
use deepbelief_stack::Dbn;
use serde_json::Value;
use std::path::PathBuf;

const VISIBLE: usize = 12;

fn text(name: &str) -> String {
    std::fs::read_to_string(golden(name)).unwrap()
}

/// All numbers of nested arrays.
fn flat(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(entries) => entries.iter().flat_map(flat).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}

fn samples(values: Vec<f64>) -> Tensor {
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    let rows = values.len() / VISIBLE;
    Tensor::from_vec(values, (rows, VISIBLE), &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect()
}

fn free_energy(dbn: &Dbn, v: &Tensor) -> Vec<f64> {
    values(&dbn.top().free_energy(&dbn.penultimate(v).unwrap()).unwrap())
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    assert!(
        theirs.iter().any(|x| (x - theirs[0]).abs() > 0.1),
        "{what} must vary for the comparison to mean something"
    );
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{what}: ours {a}, theirs {b}");
    }
}

/// Every model of a package gives the scores that the package gives.
fn check(package: &str, format: Format) {
    let inputs = text("inputs.csv");
    let v = samples(inputs.split_whitespace().flat_map(|line| line.split(',')).map(|x| x.parse().unwrap()).collect());
    let scores: Value = serde_json::from_str(&text(&format!("{package}.json"))).unwrap();
    for (name, scores) in scores.as_object().unwrap() {
        let files = scores["files"].as_array().unwrap().iter().map(|file| golden(file.as_str().unwrap()));
        let update = scores.get("options").map(|options| options[1].as_str().unwrap().parse().unwrap());
        let paths: Vec<PathBuf> = files.collect();
        let imported = read(&paths, &Options { update, ..Options::default() }).unwrap();
        assert!(imported.sources.iter().all(|source| source.format == format), "{name}");
        let dbn = imported.model;
        let energies = free_energy(&dbn, &v);
        close(
            &format!("{name}, hidden"),
            &values(&dbn.encode(&v, dbn.depth(), None).unwrap()),
            &flat(&scores["hidden"]),
        );
        close(&format!("{name}, free energy"), &energies, &flat(&scores["free_energy"]));
        if let Some(flipped) = scores.get("flipped") {
            // V log sigmoid(F(flipped) - F(v)), the pseudo-likelihood of scikit-learn.
            let flipped = free_energy(&dbn, &samples(flat(flipped)));
            let pseudo = energies.iter().zip(&flipped).map(|(f, g)| -(VISIBLE as f64) * (f - g).exp().ln_1p());
            close(&format!("{name}, score_samples"), &pseudo.collect::<Vec<_>>(), &flat(&scores["score_samples"]));
        }
    }
}

#[test]
fn scikit_learn_scores_the_same() {
    check("sklearn", Format::Sklearn);
}

#[test]
fn rbms_scores_the_same() {
    check("rbms", Format::Rbms);
}

#[test]
fn learnergy_scores_the_same() {
    check("learnergy", Format::Learnergy);
}

#[test]
fn the_formulas_of_2006_score_the_same() {
    check("hinton", Format::Hinton);
}
