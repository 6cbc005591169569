//! Gaussian hidden units from the command line: a code layer at the top of a stack, an RBM alone.
#![cfg(unix)]

use crate::resume::{same_metrics, signal, start};
use crate::{Place, SMALL, stderr};
use serde_json::Value;

/// An autoencoder that takes no time to pretrain.
pub(crate) const CODER: &str = "--data csv:bits.csv --label-column last --labels none --layers 8,3 --hidden-units \
                                bernoulli,gaussian --epochs 20,20 --batch-size 7 --valid 11 --schedule constant \
                                --learning-rate 0.2,0.02 --momentum-switch 5 --cd-steps 1";

#[test]
fn a_stack_with_a_gaussian_top_can_be_used() {
    let place = Place::new();
    let told = stderr(&place.run(&format!("stack --out r {CODER}")));
    assert!(told.contains("9-8-3 stack with Gaussian units at the top, no labels"), "{told}");
    assert!(told.contains("layer 2 of 2: 8-3 RBM with Gaussian hidden units"), "{told}");
    let metrics = place.text("r/metrics.jsonl");
    let lines: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let gaussian = line["layer"] == 1;
        assert_eq!(line["hidden_spread"].is_number(), gaussian, "{line}");
        for name in ["hidden_activity", "dead_units", "saturated_units"] {
            assert_eq!(line[name].is_number(), !gaussian, "{line}");
        }
    }
    let cost = |line: &Value| line["reconstruction_cost_valid"].as_f64().unwrap();
    assert!(cost(&lines[39]) < cost(&lines[20]), "the code learns: {} {}", lines[20], lines[39]);

    assert!(place.ok("show r").contains("9-8-3 (bernoulli, those of the top gaussian)"));
    place.ok("encode r --free-energy --out codes.csv");
    let codes = place.text("codes.csv");
    let code = |line: &str| line.split(',').take(3).map(|x| x.parse::<f32>().unwrap()).collect::<Vec<_>>();
    assert!(codes.lines().skip(1).flat_map(code).any(|x| !(0.0..=1.0).contains(&x)), "codes are no probabilities");
    place.ok("encode r --states --out drawn.csv");
    assert_ne!(place.text("drawn.csv").lines().nth(1), codes.lines().nth(1));
    for words in ["reconstruct r --out r.png", "sample r --steps 5 --out s.png", "show r --filters f.png"] {
        place.ok(words);
    }
    let told = stderr(&place.run("export r --as autoencoder --out net.safetensors"));
    assert!(told.contains("(encoder.1 is linear: no sigmoid follows it)"), "{told}");

    let refused = stderr(&place.run("tune r --out t"));
    assert!(refused.contains("hidden_units of the top is gaussian; it must be bernoulli"), "{refused}");
    assert!(!place.path("t").exists(), "a refusal leaves nothing behind");
}

/// A flag with one type a layer, the `[top]` of a recipe and the settings of a run are the same.
#[test]
fn a_recipe_may_say_it_of_the_top_alone() {
    let place = Place::new();
    place.ok(&format!("stack -q --out a {CODER}"));
    std::fs::write(place.path("r.toml"), "[top]\nhidden_units = \"gaussian\"\n").unwrap();
    let rest = CODER.replace("--hidden-units bernoulli,gaussian", "");
    place.ok(&format!("stack -q --out b {rest} --config r.toml"));
    place.ok("stack -q --out c --config a/config.toml");
    for run in ["b", "c"] {
        assert!(place.read("a/model.safetensors") == place.read(&format!("{run}/model.safetensors")), "{run}");
    }
}

#[test]
fn an_interrupted_gaussian_layer_resumes_to_the_same_bytes() {
    let place = Place::new();
    let long = format!("{CODER} --epochs 3,4000");
    let child = start(&place, &format!("stack --out r {long}"), 6);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let text = stderr(&place.run("stack --resume r --threads 2"));
    assert!(text.contains("resuming after 1 layer and"), "{text}");
    place.ok(&format!("stack -q --out whole {long}"));
    for file in ["model.safetensors", "layers.safetensors"] {
        assert!(place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}")), "{file}");
    }
    same_metrics(&place, 3 + 4000);
}

#[test]
fn one_gaussian_rbm_trains_and_resumes() {
    let place = Place::new();
    let gaussian = format!("{SMALL} --hidden-units gaussian --learning-rate 0.01");
    place.ok(&format!("pretrain -q --out whole {gaussian} --epochs 6"));
    place.ok(&format!("pretrain -q --out r {gaussian} --epochs 4"));
    place.ok("pretrain -q --resume r --epochs 6");
    for file in ["model.safetensors", "state.safetensors"] {
        assert!(place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}")), "{file}");
    }
    assert!(place.ok("show r").contains("9 visible (bernoulli), 8 hidden (gaussian)"));
    let figures = place.json("show r --json")["header"]["provenance"]["figures"].clone();
    assert!(figures["hidden_spread"].is_number() && figures.get("hidden_activity").is_none(), "{figures}");

    let output = place.run(&format!("pretrain --out d {gaussian} --learning-rate 20"));
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(message.contains("know no bound: try a learning rate of 0.001 instead of 20"), "{message}");
}

/// Files of Bernoulli units are what they were before there were others.
#[test]
fn bernoulli_files_do_not_mention_the_type() {
    let place = Place::new();
    place.train("p", "");
    place.stack("d", "");
    for run in ["p", "d"] {
        let header = place.json(&format!("show {run} --json"))["header"].clone();
        assert!(!header["provenance"].to_string().contains("hidden_units"), "{header}");
    }
    assert_eq!(place.json("show d --json")["header"]["units"], "bernoulli");
    assert!(!String::from_utf8_lossy(&place.read("p/state.safetensors")).contains("hidden_units"));
}

#[test]
fn what_has_no_meaning_is_refused_with_a_way_out() {
    let place = Place::new();
    let cases: [(&str, &[&str]); 4] = [
        ("--layers 8,3 --hidden-units gaussian", &["layer 1 has gaussian hidden units", "hint: give one type a layer"]),
        (
            "--layers 3 --hidden-units gauss",
            &["--hidden-units is \"gauss\": expected bernoulli, spin, gaussian, relu or drelu"],
        ),
        ("--layers 3 --hidden-units gaussian --sparsity-cost 0.1", &["sparsity_cost is 0.1; it must be 0 unless"]),
        ("--layers 8,9 --hidden-units bernoulli,gaussian --start random,transposed", &["start is transposed"]),
    ];
    for (option, expected) in cases {
        let before = place.listing();
        let output = place.run(&format!("stack --out r --data csv:bits.csv --label-column last {option}"));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{option}\n{message}");
        for part in expected {
            assert!(message.contains(part), "{option}: '{part}' in {message}");
        }
        assert_eq!(place.listing(), before, "{option} must leave nothing behind");
    }
}
