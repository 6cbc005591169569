//! `dbn stack`: what it leaves behind, what that depends on, what it refuses, and that a run that
//! was stopped or killed ends as one that never was.
#![cfg(unix)]

use crate::resume::{same_metrics, signal, start};
use crate::{Place, stderr};

/// A training that takes no time: three layers on `bits.csv` with its labels.
const SMALL: &str = "--data csv:bits.csv --label-column last --layers 8,7,12 --epochs 2,3,2 --batch-size 7 --valid 11 \
                     --schedule constant --learning-rate 0.1 --momentum-switch 5";

/// More epochs than a test waits for before it stops the training.
const LONG: &str = "--epochs 3,4000,3";

#[test]
fn a_run_leaves_its_files_and_says_where_on_stdout() {
    let place = Place::new();
    let before = place.listing();
    assert_eq!(place.ok(&format!("stack {SMALL} --out runs/a")), "runs/a\n", "stdout is for other programs");
    let files: Vec<String> = place.listing().into_iter().filter(|file| !before.contains(file)).collect();
    let pictures = ["layer-3.curves.svg", "layer-1.filters.png", "filters.png", "reconstructions.png", "fantasies.png"];
    let data = ["config.toml", "layers.safetensors", "metrics.jsonl", "model.safetensors"];
    for file in data.into_iter().chain(pictures) {
        assert!(files.contains(&format!("runs/a/{file}")), "{file} in {files:?}");
    }
    assert!(!files.iter().any(|file| file.contains("state") || file.contains(".tmp")), "{files:?}");
    let metrics = place.text("runs/a/metrics.jsonl");
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place_of = |line: &serde_json::Value| (line["layer"].as_u64().unwrap(), line["epoch"].as_u64().unwrap());
    let expected = [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (2, 1), (2, 2)];
    assert_eq!(lines.iter().map(place_of).collect::<Vec<_>>(), expected);
    for line in &lines {
        for name in ["free_energy_gap", "hidden_activity", "dead_units", "samples_per_second"] {
            assert!(line[name].is_number(), "{name} in {line}");
        }
        assert_eq!(line["label_error_valid"].is_number(), line["layer"] == 2, "{line}");
    }
}

/// As a kill leaves them between the save of a layer and its pictures: none, or older ones.
#[test]
fn a_resume_draws_what_was_not_drawn() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out r"));
    let pictures = ["layer-1.curves.svg", "layer-2.filters.png", "layer-3.filters.png", "filters.png"];
    let before = pictures.map(|name| place.read(&format!("r/{name}")));
    for (number, name) in pictures.iter().enumerate() {
        let path = place.path(&format!("r/{name}"));
        if number < 2 { std::fs::remove_file(path).unwrap() } else { std::fs::write(path, "older").unwrap() }
    }
    place.ok("stack -q --resume r");
    assert!(pictures.map(|name| place.read(&format!("r/{name}"))) == before);
}

#[test]
fn the_seed_alone_decides_the_file_and_the_settings_repeat_the_run() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out a --seed 3 --threads 1"));
    let model = place.read("a/model.safetensors");
    place.ok(&format!("stack {SMALL} --out b --seed 3 --threads 2 --save-every 1 --picture-every 1 -v"));
    place.ok("stack -q --config a/config.toml --out c");
    for run in ["b", "c"] {
        assert!(place.read(&format!("{run}/model.safetensors")) == model, "{run}");
    }
    place.ok(&format!("stack -q {SMALL} --out d --seed 4"));
    assert!(place.read("d/model.safetensors") != model, "another seed, another file");
}

#[test]
fn every_option_of_a_stack_changes_what_is_learned() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out base"));
    let base = place.read("base/layers.safetensors");
    let options = [
        "--labels none",
        "--propagate samples",
        "--cache 0",
        "--balanced",
        "--layers 8,9,12 --start random,transposed,random",
        "--learning-rate 0.1,0.1,0.05",
        "--cd-steps 1,1,2",
        "--batch-size 7,7,5",
        "--epochs 2,3,3",
    ];
    for (number, option) in options.into_iter().enumerate() {
        place.ok(&format!("stack -q {SMALL} --out o{number} {option}"));
        assert!(place.read(&format!("o{number}/layers.safetensors")) != base, "{option}");
    }
}

/// The layers under the top learn from all samples, the top from those whose labels count.
#[test]
fn few_labels_teach_the_top_alone() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out all"));
    let output = place.run(&format!("stack {SMALL} --out few --labelled 21"));
    assert!(stderr(&output).contains("labels:  21 of the training samples have theirs"), "{}", stderr(&output));
    let tensors = |run: &str| place.tensors(&format!("{run}/model.safetensors"));
    let (all, few) = (tensors("all"), tensors("few"));
    for (name, bytes) in &few {
        assert_eq!(*bytes == all[name], name.starts_with("layers."), "{name}");
    }
    // What is made of the net sees no more labels, unless it is asked to.
    let samples =
        |more: &str| stderr(&place.run(&format!("tune few --top-steps 1x1 --batch-size 7 --out t --force {more}")));
    assert!(samples("").contains(" 21 training samples"), "{}", samples(""));
    assert!(samples("--labelled 0").contains(" 79 training samples"), "{}", samples("--labelled 0"));
    let text = stderr(&place.run(&format!("stack {SMALL} --out x --labels none --labelled 21")));
    assert!(text.starts_with("error: labelled says how many samples teach their labels, but labels is none"), "{text}");
    place.write_inputs("bits.csv", "plain.csv");
    let text = stderr(&place.run("stack --data csv:plain.csv --layers 8,7 --labelled 20 --out x"));
    assert!(text.starts_with("error: --labelled is 20, but the data have no labels"), "{text}");
    let text = stderr(&place.run(&format!("stack {SMALL} --out x --balanced --labelled 21")));
    assert!(text.starts_with("error: balanced minibatches of all samples need all labels"), "{text}");
    place.ok(&format!("stack -q {SMALL} --labels none --out blind"));
    let text = stderr(&place.run("tune blind --labelled 20 --out x"));
    assert!(
        text.starts_with("error: labelled says how many samples teach their labels, but the model has no"),
        "{text}"
    );
    // An autoencoder learns no labels: how many the net had seen does not matter to it.
    let text = stderr(&place.run("finetune few --as autoencoder --epochs 1 --batch-size 7 --out a"));
    assert!(text.contains(" 79 training samples"), "{text}");
    let text = stderr(&place.run(&format!("stack {SMALL} --out x --labelled 80")));
    assert!(text.starts_with("error: --labelled is 80, but there are 79 training samples"), "{text}");
}

#[test]
fn a_stack_of_few_labels_resumes_in_either_stage() {
    for (epochs, begun) in [("3,4000,3", 4), ("3,3,4000", 8)] {
        let place = Place::new();
        let words = format!("stack {SMALL} --labelled 21 --epochs {epochs}");
        let child = start(&place, &format!("{words} --out r"), begun);
        signal(&child, "-INT");
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
        place.ok("stack -q --resume r");
        place.ok(&format!("{words} -q --out whole"));
        assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"), "{epochs}");
    }
}

/// The three classes are distinguished through three layers; guessing would miss two in three.
#[test]
fn labels_are_learned() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out r --epochs 20,20,60 --learning-rate 0.2"));
    let metrics = place.text("r/metrics.jsonl");
    let last: serde_json::Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    assert!(last["label_error_train"].as_f64().unwrap() < 0.1, "{last}");
}

/// Ctrl-C in layer 2 of 3: the run exits with 130, resumes there, and ends in the same bytes.
#[test]
fn an_interrupted_stack_resumes_in_its_layer_to_the_same_bytes() {
    for more in ["", "--propagate samples --cache 0"] {
        let place = Place::new();
        let child = start(&place, &format!("stack --out r {SMALL} {LONG} {more}"), 6);
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(stderr(&output).contains("continue with: dbn stack --resume r"), "{}", stderr(&output));
        let text = stderr(&place.run("stack --resume r --threads 2"));
        assert!(text.contains("resuming after 1 layer and") && !text.contains("layer 1 of 3"), "{text}");
        place.ok(&format!("stack -q --out whole {SMALL} {LONG} {more}"));
        resumed_equals_whole(&place);
    }
}

/// Between its layers, a stack that is to have labels has none yet.
#[test]
fn an_unfinished_stack_says_how_to_finish_it() {
    let place = Place::new();
    let child = start(&place, &format!("stack --out r {SMALL} {LONG}"), 6);
    signal(&child, "-INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    for words in ["classify r", "sample r --label 1"] {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2));
        let message = stderr(&output);
        assert!(message.contains("no label group") && message.contains("with 2 of 3 layers: go on with"), "{message}");
    }
}

/// 150,000 samples of 64 bytes (9.2 MiB) where 66 MiB are allowed for program, training and data:
/// they stay in their file, and everything learned is the same to the byte.
#[test]
fn data_that_do_not_fit_in_memory_are_read_from_disk_with_the_same_result() {
    let place = Place::new();
    place.write_npy("large.npy", 150_000, 64);
    for verb in ["stack --layers 16,8 --epochs 1 --cache 0 --learning-rate 0.05", "pretrain --hidden 16 --epochs 2"] {
        let run = |out: &str, more: &str| {
            let words = format!("{verb} --data npy:large.npy --valid 1000 --save-every 1 --out {out} {more}");
            let output = place.run(&words);
            assert!(output.status.success(), "{words}\n{}", stderr(&output));
            stderr(&output)
        };
        for binarize in ["none", "fixed"] {
            let held = run("held", &format!("--force --binarize {binarize}"));
            let filed = run("filed", &format!("--force --binarize {binarize} --max-memory 66"));
            let on_disk = "9.2 MiB of samples stay on disk, read a minibatch at a time";
            assert!(!held.contains(on_disk) && filed.contains(on_disk), "{filed}");
            assert!(place.read("filed/model.safetensors") == place.read("held/model.safetensors"), "{verb} {binarize}");
        }
    }
    let refused = stderr(&place.run("stack --layers 16 --data npy:large.npy --max-memory 20 --out r"));
    assert!(refused.contains("but may take 20 MiB (as --max-memory says)"), "{refused}");
    std::fs::write(place.path("large.csv"), "0,1,0,1\n".repeat(1_000_000)).unwrap();
    let refused = stderr(&place.run("stack --layers 16 --data csv:large.csv --max-memory 60 --out r"));
    assert!(refused.contains("read into memory whole") && refused.contains("uncompressed IDX or npy"), "{refused}");
}

/// Stopped in the first epoch, before anything was measured: there are no metrics yet, and the run
/// that says it was saved must go on. An epoch of so many Gibbs steps is slow enough to be caught.
#[test]
fn a_stack_interrupted_in_its_first_epoch_resumes() {
    use std::io::{BufRead as _, BufReader};
    let place = Place::new();
    let slow = format!("{SMALL} --layers 40,12 --epochs 1,1 --cd-steps 10000,1 --start random,random");
    let mut child =
        place.command(&format!("stack --out r {slow}")).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("layer 1 of 2")), "training starts");
    std::thread::sleep(std::time::Duration::from_millis(20));
    signal(&child, "-INT");
    let said: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
    assert!(!place.path("r/metrics.jsonl").exists(), "caught too late: {said:?}");
    place.ok("stack -q --resume r");
    place.ok(&format!("stack -q --out whole {slow}"));
    assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"));
}

#[test]
fn a_killed_stack_resumes_from_its_last_save() {
    let place = Place::new();
    let mut child = start(&place, &format!("stack --out r {SMALL} {LONG} --save-every 7"), 30);
    child.kill().unwrap();
    child.wait().unwrap();
    place.ok("stack -q --resume r");
    place.ok(&format!("stack -q --out whole {SMALL} {LONG}"));
    resumed_equals_whole(&place);
    let before = place.read("r/model.safetensors");
    place.ok("stack -q --resume r");
    assert!(place.read("r/model.safetensors") == before, "a finished run has nothing left to do");
}

fn resumed_equals_whole(place: &Place) {
    for file in ["model.safetensors", "layers.safetensors"] {
        assert!(place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}")), "{file}");
    }
    same_metrics(place, 3 + 4000 + 3);
}

#[test]
fn what_cannot_be_stacked_is_refused_in_a_sentence() {
    let place = Place::new();
    let bits = place.text("bits.csv");
    let unlabelled: Vec<&str> = bits.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    std::fs::write(place.path("u.csv"), unlabelled.join("\n")).unwrap();
    std::fs::write(place.path("r.toml"), "[[layer]]\nhidden = 5\nepoch = 3\n").unwrap();
    let cases: [(&str, &[&str]); 12] = [
        ("--layers 500,,2000", &["invalid value '500,,2000' for '--layers <N,N,...>': layer 2 is ''"]),
        ("--layers 8,0", &["the settings of layer 2 do not hold", "hidden is 0; it must be between 1 and 65504 units"]),
        ("--layers 8,70000", &["hidden is 70000; it must be between 1 and 65504 units"]),
        ("--layers 65000,65000", &["the training takes about", "GiB of memory", "--max-memory"]),
        ("--layers 8,7 --epochs 1,2,3", &["epochs has 3 values, but the stack has 2 layers", "hint:"]),
        ("--epochs 2,many", &["--epochs is [2, \"many\"]: expected a whole number, not below 0"]),
        ("--layers 8,7 --start transposed,random", &["start is transposed; it must be random in layer 1"]),
        ("--layers 8,7 --start random,transposed", &["hidden is 7; it must be at least 9, the units it mirrors"]),
        ("--data csv:u.csv --label-column 99", &["99"]),
        ("--data csv:u.csv --labels yes --layers 3", &["'csv:u.csv' have no labels", "--labels none"]),
        ("--labels none --balanced", &["balanced is true; it must be false where there are no classes"]),
        ("--config r.toml", &["[[layer]] 1: unknown key 'epoch'"]),
    ];
    for (option, expected) in cases {
        let before = place.listing();
        let data = if option.contains("--data") { "" } else { "--data csv:bits.csv --label-column last" };
        let output = place.run(&format!("stack --out r {data} {option}"));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{option}\n{message}");
        for part in expected {
            assert!(message.contains(part), "{option}: '{part}' in {message}");
        }
        assert_eq!(place.listing(), before, "{option} must leave nothing behind");
    }
}

#[test]
fn what_cannot_be_resumed_is_refused() {
    let place = Place::new();
    place.ok(&format!("stack -q {SMALL} --out r"));
    place.train("p", "");
    let refusal = |words: &str| {
        let output = place.run(&format!("stack -q {words}"));
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output)
    };
    assert!(refusal("--resume nowhere").contains("nowhere is not a run that can be resumed"));
    assert!(refusal("--resume p").contains("p is a run of `dbn pretrain`, not of `dbn stack`"));
    assert!(refusal("--resume p").contains("continue it with: dbn pretrain --resume p"));
    assert!(refusal("--resume r --layers 8,7").contains("--layers is [8, 7], but [8, 7, 12] in the run to resume"));
    assert!(
        refusal("--resume r --cd-steps 3").contains("--cd-steps is 3, but [1, 1, \"10x20+25\"] in the run to resume")
    );
    // Of one damaged file the run recovers: see `damage.rs`.
    for name in ["r/layers.safetensors", "r/layers.previous.safetensors"] {
        let layers = place.read(name);
        std::fs::write(place.path(name), &layers[..layers.len() / 2]).unwrap();
    }
    let cut = refusal("--resume r");
    assert!(cut.contains("cannot resume") && cut.contains("layers.safetensors"), "{cut}");
}
