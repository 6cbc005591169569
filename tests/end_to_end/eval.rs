//! `dbn eval`: the exact value of a small model, the estimates around it, and what is refused.

use crate::{Place, stderr};
use serde_json::Value;

/// Exact and estimated, of an RBM whose hidden units can be summed over.
#[test]
fn estimates_of_a_small_model_bracket_the_exact_value() {
    let place = Place::new();
    place.train("r", "");
    let exact = place.json("eval r --json");
    let value = |evaluation: &Value, name: &str| evaluation["log_likelihood"][name]["value"].as_f64().unwrap();
    let truth = value(&exact, "exact");
    // Nine binary pixels: a model that knows nothing is at -9 ln 2.
    assert!(truth < 0.0 && truth > -7.0, "{exact}");
    assert!(exact["log_likelihood"]["ais"].is_null() && exact["samples"] == 90, "{exact}");
    let words = "eval r --estimate --temperatures 500 --burn-in 100 --json";
    for more in ["", "--spacing published", "--path matched", "--path visible"] {
        let estimated = place.json(&format!("{words} {more}"));
        assert_eq!(estimated["log_z"]["verdict"], "sound", "{estimated}");
        for name in ["ais", "reverse_ais", "both_ways"] {
            assert!((value(&estimated, name) - truth).abs() < 0.1, "{name}: {estimated}, exactly {truth}");
            let of = |key: &str| estimated["log_likelihood"][name][key].as_f64().unwrap();
            assert!(of("low") <= of("value") && of("value") <= of("high"), "{estimated}");
            assert!(of("effective_sample_size") > 50.0, "{estimated}");
        }
    }
    let without_time = |mut evaluation: Value| {
        evaluation["seconds"] = Value::Null;
        evaluation
    };
    let again = |threads: u32| without_time(place.json(&format!("{words} --threads {threads}")));
    assert_eq!(again(1), again(3));
    assert!(place.ok("eval r").contains("nats per sample, exactly"));
}

#[test]
fn a_stack_gets_a_bound_below_its_estimate() {
    let place = Place::new();
    place.stack("s", "");
    let evaluation = place.json("eval s --json --layer-draws 200");
    let of = |name: &str| evaluation["log_likelihood"][name]["value"].as_f64().unwrap();
    assert!(of("bound") <= of("importance"), "{evaluation}");
    assert!(evaluation["log_likelihood"]["exact"].is_null() && evaluation["log_z"]["exact"].is_number());
    assert!(evaluation["label_error"].is_number(), "{evaluation}");
    let text = place.ok("eval s --samples 20 --estimate --temperatures 300 --burn-in 50");
    for part in ["20 training samples", "variational bound", "reverse AIS", "label error", "300 temperatures"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// Measuring draws from streams of its own and writes nothing.
#[test]
fn evaluating_changes_nothing() {
    let place = Place::new();
    place.train("r", "");
    let (model, before) = (place.read("r/model.safetensors"), place.listing());
    place.ok("eval r --estimate --temperatures 50 --burn-in 0");
    assert!(place.read("r/model.safetensors") == model && place.listing() == before);
}

#[test]
fn what_has_no_likelihood_is_refused() {
    let place = Place::new();
    place.ok(
        "pretrain -q --out g --data csv:bits.csv --label-column last --hidden 4 --epochs 1 --hidden-units gaussian \
         --learning-rate 0.001",
    );
    assert!(place.ok("eval g").contains("nats per sample, exactly"), "visible units are few enough to sum over");
    place.train("r", "");
    let output = place.run("eval r --binarize fresh");
    assert!(
        stderr(&output).starts_with("error: --binarize is fresh, but likelihoods are of binary"),
        "{}",
        stderr(&output)
    );
    let output = place.run("eval r --estimate --chains 2 --temperatures 2 --burn-in 0");
    assert!(
        stderr(&output).contains("fewer than 10 chains carry the estimate of one direction"),
        "{}",
        stderr(&output)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("no interval"));
    let output = place.run("eval g --chains 1");
    assert!(stderr(&output).contains("expected a whole number from 2 to 100000"), "{}", stderr(&output));
}

/// Grey pixels become binary by a draw: several draws have a mean and its error, binary pixels have one value.
#[test]
fn draws_of_the_pixels_have_a_mean_and_its_error() {
    let place = Place::new();
    place.train("r", "");
    let binary = place.json("eval r --json --draws 3");
    assert!(binary["standard_error_of_draws"].as_f64().unwrap() < 1e-9, "{binary}");
    place.ok("pretrain -q --out grey --data idx:bars --hidden 4 --epochs 1 --valid 10");
    let of = |options: &str| place.json(&format!("eval grey --json {options}"));
    let value = |evaluation: &Value| evaluation["log_likelihood"]["exact"]["value"].as_f64().unwrap();
    let (one, two, both) = (of(""), of("--seed 2"), of("--draws 2"));
    assert!(one["standard_error_of_draws"].is_null(), "{one}");
    assert!((value(&both) - 0.5 * (value(&one) + value(&two))).abs() < 1e-9, "{both}");
    let error = both["standard_error_of_draws"].as_f64().unwrap();
    assert!((error - 0.5 * (value(&one) - value(&two)).abs()).abs() < 1e-9 && error > 0.0, "{both}");
}

/// The gap is to the samples that the model learned from, whatever else is evaluated, or there is none.
#[test]
fn the_free_energy_gap_is_to_the_training_data() {
    let place = Place::new();
    place.train("r", "--epochs 40");
    let text = place.text("bits.csv");
    std::fs::write(place.path("copy.csv"), &text).unwrap();
    let flipped: String = text
        .lines()
        .map(|line| {
            let (bits, label) = line.rsplit_once(',').unwrap();
            bits.replace('0', "x").replace('1', "0").replace('x', "1") + "," + label + "\n"
        })
        .collect();
    std::fs::write(place.path("flipped.csv"), flipped).unwrap();
    let gap = |data: &str| place.json(&format!("eval r --json {data}"))["free_energy_gap"].as_f64();
    assert_eq!(gap("--data csv:copy.csv"), gap(""));
    assert_eq!(gap("--data csv:./bits.csv"), gap(""));
    assert!(gap("--data csv:flipped.csv").unwrap() > 0.5);
    std::fs::write(place.path("bits.csv"), text.replacen('0', "1", 1)).unwrap();
    let said = place.ok("eval r --data csv:copy.csv");
    assert!(said.contains("free-energy gap       none: the training data bits are no longer what they were"), "{said}");
    std::fs::remove_file(place.path("bits.csv")).unwrap();
    assert_eq!(gap("--data csv:copy.csv"), None);
    let said = place.ok("eval r --data csv:copy.csv");
    assert!(
        said.contains("free-energy gap       none: the model's training data 'csv:bits.csv' are not there"),
        "{said}"
    );
}
