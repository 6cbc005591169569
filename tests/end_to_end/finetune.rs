//! `dbn finetune`: what it leaves behind, what uses its networks, what it refuses, and that a run that
//! was stopped ends as one that never was.
#![cfg(unix)]

use crate::resume::{same_metrics, signal, start};
use crate::{Place, stderr};

/// A stack on `bits.csv` in no time, as `s`.
fn stacked() -> Place {
    let place = Place::new();
    place.ok("stack -q --out s --data csv:bits.csv --label-column last --layers 8,7,5 --epochs 20 --batch-size 7 \
         --valid 11 --learning-rate 0.2");
    place
}

const SMALL: &str = "--epochs 4 --batch-size 7 --learning-rate 0.01";

/// More epochs than a test waits for before it stops the training, and everything that is drawn.
const LONG: &str = "--epochs 400 --batch-size 7 --dropout 0.2 --input-dropout 0.1";

#[test]
fn a_training_leaves_its_files_and_says_where_on_stdout() {
    let place = stacked();
    for (more, folder, error) in
        [("", "runs/s-mlp", "label_error"), ("--as autoencoder", "runs/s-autoencoder", "squared_error")]
    {
        assert_eq!(place.ok(&format!("finetune s {SMALL} {more}")), format!("{folder}\n"));
        let files = place.listing();
        for file in ["best.safetensors", "config.toml", "curves.svg", "metrics.jsonl", "model.safetensors"] {
            assert!(files.contains(&format!("{folder}/{file}")), "{file} in {files:?}");
        }
        let metrics = place.text(&format!("{folder}/metrics.jsonl"));
        let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        for line in &lines[1..] {
            for name in ["training_cost", "cost", "cost_valid", "best_epoch", "seconds"] {
                assert!(line[name].is_number(), "{name} in {line}");
            }
            for part in ["train", "valid"] {
                assert!(line[format!("{error}_{part}")].is_number(), "{error}_{part} in {line}");
            }
        }
        let config = place.text(&format!("{folder}/config.toml"));
        assert!(config.contains("label_column = \"last\"") && config.contains("valid = 11"), "as the stack:\n{config}");
    }
}

#[test]
fn the_seed_alone_decides_the_file_and_the_settings_repeat_the_run() {
    let place = stacked();
    let drawn = "--dropout 0.2 --input-dropout 0.1";
    place.ok(&format!("finetune s -q {SMALL} {drawn} --out a --threads 1"));
    let model = place.read("a/model.safetensors");
    place.ok(&format!("finetune s {SMALL} {drawn} --out b --threads 2 --save-every 1 --picture-every 1 -v"));
    place.ok("finetune s -q --config a/config.toml --out c");
    for run in ["b", "c"] {
        assert!(place.read(&format!("{run}/model.safetensors")) == model, "{run}");
    }
    place.ok(&format!("finetune s -q {SMALL} {drawn} --out d --seed 4"));
    assert!(place.read("d/model.safetensors") != model, "another seed, another file");
}

/// Layers that are large enough for products to be parted.
#[test]
fn the_threads_of_matrix_products_do_not_matter() {
    let place = stacked();
    let run = |threads: &str| {
        let words =
            format!("finetune --from-scratch --layers 301,203 --data idx:bars --valid 10 --epochs 2 --out t{threads}");
        let output = place.command(&words).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        place.read(&format!("t{threads}/model.safetensors"))
    };
    let one = run("1");
    for threads in ["2", "4"] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn an_interrupted_training_resumes_to_the_same_bytes() {
    for more in ["", "--as autoencoder --optimizer sgd --learning-rate 0.01 --nesterov"] {
        let place = stacked();
        let child = start(&place, &format!("finetune s --out r {LONG} {more}"), 4);
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(stderr(&output).contains("continue with: dbn finetune --resume r"), "{}", stderr(&output));
        place.ok("finetune -q --resume r --threads 2");
        place.ok(&format!("finetune s -q --out whole {LONG} {more}"));
        for file in ["model", "best", "finetuning.state"] {
            let read = |run: &str| place.read(&format!("{run}/{file}.safetensors"));
            assert!(read("r") == read("whole"), "{file}");
        }
        same_metrics(&place, 401);
    }
}

#[test]
fn a_classifier_is_used_by_other_verbs() {
    let place = stacked();
    place.ok("finetune s -q --out c --epochs 60 --batch-size 7 --learning-rate 0.01");
    let told = place.json("classify c --json");
    assert_eq!(told["samples"], 90);
    assert!(told["error"].as_f64().unwrap() < 0.2, "{told}");
    place.ok("encode c --out features.csv");
    assert_eq!(place.text("features.csv").lines().next(), Some("h0,h1,h2,h3,h4,label"), "the layer under the labels");
    let shown = place.json("show c --json");
    assert_eq!(shown["header"]["sizes"], serde_json::json!([9, 8, 7, 5, 3]));
    assert_eq!(shown["tensors"][0]["shape"], serde_json::json!([8, 9]));
    assert!(place.ok("show c").contains("activations   sigmoid, sigmoid, sigmoid, softmax"));
}

#[test]
fn an_autoencoder_is_used_by_other_verbs() {
    let place = stacked();
    place.ok(&format!("finetune s -q --out a --as autoencoder {SMALL}"));
    place.ok("encode a --out code.csv");
    assert_eq!(place.text("code.csv").lines().next(), Some("h0,h1,h2,h3,h4,label"), "the layer in the middle");
    let output = place.run("reconstruct a --split train --out r.png");
    assert!(stderr(&output).contains("squared error of these samples"), "{}", stderr(&output));
    assert!(image::load_from_memory(&place.read("r.png")).is_ok());
}

/// Errors are shares of as many samples as the training says, and those of all training samples are those of
/// `dbn classify`.
#[test]
fn label_errors_are_of_the_samples_that_are_said() {
    let place = stacked();
    let said = stderr(&place.run(&format!("finetune s {SMALL} --out few")));
    assert!(said.contains("measure: each epoch on 11 of the 79 training samples and 11 validation samples"), "{said}");
    let errors = |run: &str, name: &str| -> Vec<f64> {
        let metrics = place.text(&format!("{run}/metrics.jsonl"));
        let error = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()[name].as_f64();
        metrics.lines().filter_map(error).collect()
    };
    for name in ["label_error_train", "label_error_valid"] {
        let found = errors("few", name);
        assert!(found.len() >= 4, "{name}: {found:?}");
        for error in found {
            assert!((11.0 * error - (11.0 * error).round()).abs() < 1e-6, "{name} {error}");
        }
    }
    let said = stderr(&place.run(&format!("finetune s {SMALL} --valid 60 --out more")));
    assert!(said.contains("measure: each epoch on all training samples and 60 validation samples"), "{said}");
    for (verb, run) in [("finetune s", "all"), ("stack --layers 6 --data csv:bits.csv --label-column last", "net")] {
        let said = stderr(&place.run(&format!("{verb} {SMALL} --valid 0 --out {run}")));
        assert!(said.contains("measure: each epoch on all training samples\n"), "{said}");
        let of_all = place.json(&format!("classify {run} --json"))["error"].as_f64().unwrap();
        assert!((errors(run, "label_error_train").last().unwrap() - of_all).abs() < 1e-9, "{run}: {of_all}");
    }
}

#[test]
fn few_labels_and_random_starts_are_trained_on() {
    let place = stacked();
    let text = stderr(&place.run(&format!("finetune s {SMALL} --labelled 30 --out few")));
    assert!(text.contains("30 training samples"), "{text}");
    let data = "--data csv:bits.csv --label-column last --valid 11";
    let text = stderr(&place.run(&format!("finetune --from-scratch --layers 6,5 {data} {SMALL} --out new")));
    assert!(text.contains("9-6-5-3 classifier"), "{text}");
}

#[test]
fn the_test_samples_are_measured_once_unless_told_not_to() {
    let place = Place::new();
    place.ok("stack -q --out s --data idx:bars --layers 8,5 --epochs 2 --batch-size 7 --valid 10");
    let text = stderr(&place.run(&format!("finetune s {SMALL} --out a")));
    assert_eq!(text.matches("test label error").count(), 1, "{text}");
    assert!(place.json("show a --json")["header"]["provenance"]["figures"]["label_error_test"].is_number());
    let text = stderr(&place.run(&format!("finetune s {SMALL} --out b --test false")));
    assert!(!text.contains("test label error"), "{text}");
    assert!(place.json("show b --json")["header"]["provenance"]["figures"]["label_error_test"].is_null());
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let place = stacked();
    place.ok(&format!("finetune s -q {SMALL} --out c"));
    let refusal = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output)
    };
    let told = refusal("finetune s --dropout 1 --out x");
    assert!(told.starts_with("error: dropout is 1; it must be at least 0 and below 1"), "{told}");
    let told = refusal("finetune s --layers 3,3 --out x");
    assert!(told.starts_with("error: --layers goes with --from-scratch"), "{told}");
    place.write_inputs("bits.csv", "plain.csv");
    let told = refusal("finetune --from-scratch --layers 4 --data csv:plain.csv --out x");
    assert!(
        told.starts_with("error: the data 'csv:plain.csv' have no labels, which a classifier learns from"),
        "{told}"
    );
    let told = refusal("finetune s --labelled 500 --out x");
    assert!(told.starts_with("error: --labelled is 500, but there are 79 training samples"), "{told}");
    let told = refusal("finetune c --out x");
    assert!(told.contains("is of kind 'mlp', expected 'rbm' or 'dbn'"), "{told}");
    let told = refusal("reconstruct c --out x.png");
    assert!(told.contains("is of kind 'mlp', which reconstructs nothing"), "{told}");
    let told = refusal("finetune --resume c --learning-rate 0.5");
    assert!(told.contains("--learning-rate is 0.5, but 0.01 in the run to resume"), "{told}");
    assert!(!place.listing().contains(&"x".to_string()), "nothing is left behind");
}
