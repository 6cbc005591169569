//! `dbn tune`: what it leaves behind, what it changes, what it refuses, and that a run that was
//! stopped or killed ends as one that never was.
#![cfg(unix)]

use crate::resume::{same_metrics, signal, start};
use crate::{Place, stderr};

/// A stack on `bits.csv` in no time, as `s`, and how it is tuned.
fn stacked() -> Place {
    let place = Place::new();
    place.ok("stack -q --out s --data csv:bits.csv --label-column last --layers 8,7,12 --epochs 20 --batch-size 7 \
         --valid 11 --learning-rate 0.2");
    place
}

const SMALL: &str = "--top-steps 1x2,2x2 --batch-size 7 --wake-rate 0.05 --sleep-rate 0.05 --top-rate 0.05";

/// More epochs than a test waits for before it stops the tuning.
const LONG: &str = "--top-steps 1x1000,2x1000";

#[test]
fn a_tuning_leaves_its_files_and_says_where_on_stdout() {
    let place = stacked();
    let before = place.listing();
    assert_eq!(place.ok(&format!("tune s {SMALL}")), "runs/s-tuned\n");
    let files: Vec<String> = place.listing().into_iter().filter(|file| !before.contains(file)).collect();
    for file in ["best.safetensors", "config.toml", "curves.svg", "metrics.jsonl", "model.safetensors"] {
        assert!(files.contains(&format!("runs/s-tuned/{file}")), "{file} in {files:?}");
    }
    let metrics = place.text("runs/s-tuned/metrics.jsonl");
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(lines[0]["layers"][0]["divergence"], 0.0, "a stack is tied");
    for line in &lines[1..] {
        assert!(line["layers"][1]["divergence"].as_f64().unwrap() > 0.0, "{line}");
        for name in ["label_error_valid", "free_energy_gap", "variational_cost_valid", "best_epoch"] {
            assert!(line[name].is_number(), "{name} in {line}");
        }
    }
    let config = place.text("runs/s-tuned/config.toml");
    assert!(config.contains("label_column = \"last\"") && config.contains("valid = 11"), "as the stack was:\n{config}");
}

/// A net of few samples goes on with its small minibatches, which is said.
#[test]
fn minibatches_of_the_net_are_kept_and_said() {
    let place = stacked();
    let known = "not set, so as the net learned: --batch-size 7";
    for (words, is_said) in [
        ("tune s --top-steps 1x1 --batch-size 20", false),
        ("tune s --top-steps 1x1", true),
        ("finetune s --epochs 1", true),
    ] {
        let said = stderr(&place.run(&format!("{words} --out x --force")));
        assert_eq!(said.contains(known), is_said, "{words}: {said}");
    }
    assert!(place.text("x/config.toml").contains("batch_size = 7"), "{}", place.text("x/config.toml"));
}

#[test]
fn the_seed_alone_decides_the_file_and_the_settings_repeat_the_run() {
    let place = stacked();
    place.ok(&format!("tune s -q {SMALL} --out a --threads 1"));
    let model = place.read("a/model.safetensors");
    place.ok(&format!("tune s {SMALL} --out b --threads 2 --save-every 1 --picture-every 1 -v"));
    place.ok("tune s -q --config a/config.toml --out c");
    for run in ["b", "c"] {
        assert!(place.read(&format!("{run}/model.safetensors")) == model, "{run}");
    }
    place.ok(&format!("tune s -q {SMALL} --out d --seed 4"));
    assert!(place.read("d/model.safetensors") != model, "another seed, another file");
}

/// Each set of weights learns alone: what is frozen keeps its bytes, the rest does not.
#[test]
fn frozen_parts_keep_their_bytes() {
    let place = stacked();
    let before = place.tensors("s/model.safetensors");
    let part = |name: &str| match name {
        name if name.starts_with("top.") => "top",
        name if name.ends_with("w_rec") || name.ends_with("hb") => "recognition",
        _ => "generative",
    };
    for frozen in ["recognition", "generative", "top", "recognition,generative"] {
        place.ok(&format!("tune s -q {SMALL} --out f --force --freeze {frozen}"));
        let after = place.tensors("f/model.safetensors");
        assert_eq!(after.len(), before.len());
        for (name, bytes) in &after {
            let kept = frozen.split(',').any(|frozen| frozen == part(name));
            assert_eq!(*bytes == before[name], kept, "{name} with {frozen} frozen");
        }
    }
}

#[test]
fn an_interrupted_tuning_resumes_to_the_same_bytes() {
    for more in ["", "--persistent-chains 9 --momentum 0.5"] {
        let place = stacked();
        let child = start(&place, &format!("tune s --out r {SMALL} {LONG} {more}"), 4);
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(stderr(&output).contains("continue with: dbn tune --resume r"), "{}", stderr(&output));
        place.ok("tune -q --resume r --threads 2");
        place.ok(&format!("tune s -q --out whole {SMALL} {LONG} {more}"));
        resumed_equals_whole(&place);
    }
}

#[test]
fn a_killed_tuning_resumes_from_its_last_save() {
    let place = stacked();
    let mut child = start(&place, &format!("tune s --out r {SMALL} {LONG} --save-every 7"), 30);
    child.kill().unwrap();
    child.wait().unwrap();
    place.ok("tune -q --resume r");
    place.ok(&format!("tune s -q --out whole {SMALL} {LONG}"));
    resumed_equals_whole(&place);
}

fn resumed_equals_whole(place: &Place) {
    for file in ["model.safetensors", "best.safetensors", "tuning.state.safetensors"] {
        assert!(place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}")), "{file}");
    }
    same_metrics(place, 1 + 2000);
}

/// Wake-sleep without pretraining: the three patterns become likelier.
#[test]
fn nets_from_scratch_learn() {
    let place = Place::new();
    for (top, label_error) in [("factorial", false), ("undirected", true)] {
        place.ok(&format!(
            "tune -q --from-scratch --layers 10,6 --top {top} --data csv:bits.csv --label-column last --valid 11 \
             --top-steps 1x60 --batch-size 7 --wake-rate 0.2 --sleep-rate 0.2 --top-rate 0.2 --out {top}"
        ));
        let metrics = place.text(&format!("{top}/metrics.jsonl"));
        let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let cost = |line: &serde_json::Value| line["layers"][0]["generative_cost"].as_f64().unwrap();
        let (first, last) = (cost(&lines[0]), cost(lines.last().unwrap()));
        assert!(last < 0.8 * first, "{top}: from {first} to {last}");
        assert_eq!(lines[0].get("label_error_valid").is_some(), label_error);
    }
    // Nobody is shown the unit that stands above independent ones.
    let shown = place.ok("show factorial");
    assert!(shown.contains("9-10-6 (") && shown.contains("of 6\n") && shown.contains("top.vb"), "{shown}");
    assert!(!shown.contains("top.w_rec") && !shown.contains("top.hb"), "{shown}");
    assert!(place.ok("show undirected").contains("9-10-6 ("));
    assert_eq!(place.json("runs factorial --json")["runs"][0]["sizes"], serde_json::json!([9, 10, 6]));
}

/// Without labels the top is an RBM of its own, as many layers as were asked for.
#[test]
fn a_net_from_scratch_without_labels_has_all_its_layers() {
    let place = Place::new();
    place.write_inputs("bits.csv", "plain.csv");
    place.ok(
        "tune -q --from-scratch --layers 8,4 --data csv:plain.csv --top-steps 1x1 --batch-size 7 --valid 11 --out x",
    );
    assert_eq!(place.json("show x --json")["header"]["sizes"], serde_json::json!([9, 8, 4]));
}

/// A sigmoid belief net that is tuned further stays one.
#[test]
fn a_factorial_top_is_inherited() {
    let place = Place::new();
    place.ok("tune -q --from-scratch --layers 8,4 --top factorial --data csv:bits.csv --label-column last \
         --top-steps 1x1 --batch-size 7 --valid 11 --out x");
    place.ok("tune -q x --top-steps 1x1 --out y");
    assert!(place.text("y/config.toml").contains("top = \"factorial\""), "{}", place.text("y/config.toml"));
    // Its independent units at the top are no layer of weights to what is made of it.
    place.ok("encode y --data csv:bits.csv --label-column last --out f.csv");
    assert_eq!(place.text("f.csv").lines().next(), Some("h0,h1,h2,h3,label"));
    let sizes = |words: &str, out: &str| {
        place.ok(words);
        place.json(&format!("show {out} --json"))["header"]["sizes"].clone()
    };
    let small = "--label-column last --epochs 1 --batch-size 7 -q";
    assert_eq!(sizes(&format!("finetune y {small} --out c"), "c"), serde_json::json!([9, 8, 4, 3]));
    assert_eq!(sizes(&format!("finetune y {small} --as autoencoder --out a"), "a"), serde_json::json!([9, 8, 4, 8, 9]));
    for (network, layers) in [("mlp", 2), ("autoencoder", 4)] {
        place.ok(&format!("export y --as {network} --out e.safetensors"));
        assert_eq!(place.tensors("e.safetensors").len(), 2 * layers, "weights and biases of {network}");
    }
}

#[test]
fn what_cannot_be_tuned_is_refused_in_a_sentence() {
    let place = stacked();
    let cases: [(&str, &[&str]); 11] = [
        ("", &["required", "<CKPT>"]),
        ("none", &["there is no checkpoint none"]),
        ("s --top-steps 3", &["top_steps is '3'; it must be steps x epochs"]),
        ("s --wake-rate 0.1,0.2,0.3", &["wake_rate has 3 values, but the model has 2 directed layers"]),
        ("s --sleep-rate 0", &["sleep_rate is 0; it must be a positive 32-bit number"]),
        ("s --freeze recognition,generative,top", &["freeze is all parts of the model"]),
        ("s --data idx:bars", &["30 columns, expected 9 as in the training data"]),
        ("s --top factorial", &["factorial"]),
        ("--from-scratch", &["--layers"]),
        ("s --layers 3", &["--layers goes with --from-scratch"]),
        ("--from-scratch --layers 3,0 --data csv:bits.csv", &["hidden is 0; it must be between 1 and 65504"]),
    ];
    for (words, expected) in cases {
        let before = place.listing();
        let output = place.run(&format!("tune {words} --out x"));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words}\n{message}");
        assert!(!message.contains("panicked"), "{message}");
        for part in expected {
            assert!(message.contains(part), "{words}: '{part}' in {message}");
        }
        assert_eq!(place.listing(), before, "{words} must leave nothing behind");
    }
}
