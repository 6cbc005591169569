//! What people and scripts expect of a command-line program: JSON on stdout where it is asked for,
//! lists of what is there, completions and manual pages.

use crate::{Place, SMALL, stderr};
use serde_json::json;

/// stdout holds one object and nothing else; without the option it stays as empty as it was.
#[test]
fn verbs_that_write_files_say_what_they_wrote() {
    let place = Place::new();
    place.ok("stack -q --data idx:bars --layers 6,8 --epochs 1 --out d");
    for (words, file) in [
        ("encode d --out f.npy", "f.npy"),
        ("reconstruct d --out r.png", "r.png"),
        ("sample d --steps 2 --out s.png", "s.png"),
    ] {
        assert_eq!(place.ok(words), "", "{words}");
        let said = place.json(&format!("{words} --json"));
        assert!(said["file"] == file || said["files"].as_array().unwrap().contains(&json!(file)), "{said}");
    }
    let encoded = place.json("encode d --data idx:bars --split train --out f.npy --free-energy --json");
    assert_eq!(encoded["files"], json!(["f.free_energy.npy", "f.labels.npy", "f.npy"]));
    assert_eq!((&encoded["samples"], &encoded["features"], &encoded["depth"]), (&json!(60), &json!(8), &json!(2)));
    let sampled = place.json("sample d --label all --count 3 --steps 2 --seed 5 --json");
    assert_eq!((&sampled["labels"], &sampled["count"], &sampled["seed"]), (&json!([0, 1]), &json!(3), &json!(5)));
    let reconstructed = place.json("reconstruct d --count 4 --json");
    assert_eq!(reconstructed["samples"].as_array().unwrap().len(), 4);
    assert!(reconstructed["reconstruction_cost"].as_f64().unwrap() > 0.0 && reconstructed["squared_error"].is_null());
    let exported = place.json("export d --as mlp --out m.safetensors --json");
    assert_eq!(exported["tensors"][0], json!({ "name": "layers.0.weight", "shape": [6, 30] }));
    assert_eq!((&exported["file"], &exported["linear"]), (&json!("m.safetensors"), &json!([])));
}

#[test]
fn runs_are_listed_with_what_they_have_come_to() {
    let place = Place::new();
    place.train("runs/a", "");
    place.stack("runs/b", "");
    place.ok("tune -q runs/b --top-steps 1x2 --out runs/c");
    // A cost never changes by more than this: the second epoch is the last.
    place.train("runs/d", "--epochs 9 --tolerance 1000");
    // As a crash would leave it: the last epoch is not there.
    place.train("runs/e", "");
    let metrics = place.text("runs/e/metrics.jsonl");
    std::fs::write(place.path("runs/e/metrics.jsonl"), metrics.lines().next().unwrap()).unwrap();
    std::fs::create_dir(place.path("runs/other")).unwrap();

    let listed = place.json("runs --json");
    let runs = listed["runs"].as_array().unwrap();
    let of = |key: &str| runs.iter().map(|run| run[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("name"), ["a", "b", "c", "d", "e"]);
    assert_eq!(of("verb"), ["pretrain", "stack", "tune", "pretrain", "pretrain"]);
    assert_eq!(of("sizes")[..2], [json!([9, 8]), json!([9, 8, 7, 12])]);
    assert_eq!(of("epochs_done"), [2, 48, 2, 2, 1]);
    assert_eq!(of("epochs_planned"), [2, 48, 2, 9, 2]);
    assert_eq!(of("state"), ["finished", "finished", "finished", "stopped_early", "unfinished"]);
    assert!(runs.iter().all(|run| run["seconds"].as_f64().unwrap() > 0.0));
    assert_eq!(runs[1]["last_epoch"]["layer"], 2);

    assert!(place.ok("show runs/d").contains("2 epochs, stopped early, seed 1"));

    let text = place.ok("runs");
    let line = text.lines().nth(2).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(words[1].len() == 10 && words[1].starts_with("20") && words[2].len() == 5, "{text}");
    assert_eq!((words[0], &words[3..7]), ("b", &["stack", "csv:bits.csv", "9-8-7-12", "48/48"][..]), "{text}");
    assert!(line.ends_with("finished"), "{text}");
    assert_eq!(place.ok("runs runs/b").lines().count(), 2, "one run is a list of one");
    let none = place.run("runs runs/other");
    assert!(none.status.success() && stderr(&none).contains("no runs in runs/other"), "{}", stderr(&none));
    let missing = place.run("runs nowhere");
    assert_eq!(missing.status.code(), Some(2));
    let said = stderr(&missing);
    assert!(said.contains("there is no folder nowhere") && said.contains("dbn runs DIR"), "{said}");
    assert!(!said.contains("os error"), "{said}");
}

/// A run that diverged is called so until it goes on.
#[test]
fn a_run_that_diverged_is_called_so() {
    let place = Place::new();
    let failed = place.run(&format!("pretrain -q --out runs/a {SMALL} --learning-rate 1e6"));
    assert_eq!(failed.status.code(), Some(2));
    assert_eq!(place.json("runs --json")["runs"][0]["state"], "diverged");
    assert!(place.text("runs/a/failure.txt").starts_with("training diverged in epoch 1"));
    let failed = place.run("pretrain -q --resume runs/a");
    assert_eq!(failed.status.code(), Some(2));
    assert_eq!(place.json("runs --json")["runs"][0]["state"], "diverged");
}

/// A stack that was interrupted has trained a layer, and the model in its folder has that alone.
#[test]
fn an_unfinished_stack_is_told_from_a_finished_one() {
    let place = Place::new();
    place.stack("runs/b", "");
    std::fs::remove_file(place.path("runs/b/layers.safetensors")).unwrap();
    assert_eq!(place.json("runs --json")["runs"][0]["state"], "unfinished");
}

#[test]
fn two_models_are_compared() {
    let place = Place::new();
    place.train("a", "");
    place.train("b", "--learning-rate 0.2");
    let differ = place.json("compare a b --json");
    assert_eq!(differ["settings"], json!({ "learning_rate": { "a": 0.1, "b": 0.2 } }));
    assert_eq!(differ["header"], json!({}));
    assert!(differ["figures"]["reconstruction_cost"]["b"].as_f64().unwrap() > 0.0);
    let tensors = differ["tensors"].as_array().unwrap();
    let names: Vec<_> = tensors.iter().map(|tensor| tensor["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hb", "vb", "w_rec"]);
    assert!(tensors.iter().all(|tensor| tensor["max_difference"].as_f64() >= tensor["rms_difference"].as_f64()));
    let text = place.ok("compare a b/model.safetensors");
    for part in ["learning_rate", "0.2", "free_energy_gap", "w_rec", "9x8"] {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }
    assert!(!text.contains("batch_size") && !text.contains("the same"), "{text}");

    // The same training again, on another number of threads, is the same model.
    place.ok(&format!("pretrain -q --threads 1 --out c {SMALL}"));
    assert!(place.ok("compare a c").ends_with("the weights are the same\n"));
}

/// Tuning leaves sizes and data alone, and parts what was tied.
#[test]
fn a_tuned_net_is_compared_with_its_start() {
    let place = Place::new();
    place.stack("d", "");
    place.ok("tune -q d --top-steps 1x2 --freeze recognition --out t");
    let differ = place.json("compare d t --json");
    assert_eq!(differ["header"]["untied"], json!({ "a": false, "b": true }));
    let distance = |name: &str| {
        let tensors = differ["tensors"].as_array().unwrap();
        tensors.iter().find(|tensor| tensor["name"] == name).unwrap()["rms_difference"].as_f64().unwrap()
    };
    assert_eq!(distance("layers.0.w_rec"), 0.0, "frozen");
    assert!(distance("layers.0.w_gen") > 0.0 && distance("top.w_rec") > 0.0);
    // Models of other sizes have nothing in common.
    place.train("r", "");
    let unlike = place.json("compare d r --json");
    assert_eq!(unlike["tensors"], json!([]));
    assert_eq!(unlike["unmatched"]["b"], json!(["hb", "vb", "w_rec"]));
}

#[test]
fn shells_complete_and_manuals_list_every_verb() {
    let place = Place::new();
    let verbs = ["pretrain", "stack", "tune", "finetune", "show", "sample", "runs", "compare", "completions", "man"];
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&format!("completions {shell}"));
        for word in verbs.iter().chain(&["learning-rate", "free-energy"]) {
            assert!(script.contains(word), "'{word}' for {shell}");
        }
    }
    assert_eq!(place.run("completions tcsh").status.code(), Some(2));

    let page = place.ok("man");
    assert!(page.contains(".TH dbn 1"), "{page}");
    place.ok("man --out pages");
    assert_eq!(place.text("pages/dbn.1"), page);
    for verb in verbs {
        assert!(page.contains(&format!("dbn\\-{verb}(1)")), "{verb} in\n{page}");
        let page = place.text(&format!("pages/dbn-{verb}.1"));
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
        // Examples stand as they were written.
        assert!(page.contains(".SH NOTES\n.nf\n"), "{page}");
    }
}
