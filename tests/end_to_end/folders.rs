//! Run folders that a stranger made: links, pipes, devices, folders in place of files, names and numbers that no
//! program of ours writes. Nothing outside is written to, nothing waits, nothing panics.
#![cfg(unix)]

use crate::{Place, SMALL, stderr};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs what must end by itself, without a panic.
fn ended(place: &Place, words: &str) -> Output {
    let mut child = place.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_mins(1) {
            child.kill().unwrap();
            panic!("dbn {words} waits");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 2)), "dbn {words}: {:?} {}", output.status, stderr(&output));
    output
}

fn refused(place: &Place, words: &str, parts: &[&str]) {
    let output = ended(place, words);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "dbn {words}: {said}");
    for part in parts {
        assert!(said.contains(part), "dbn {words}: '{part}' in {said}");
    }
}

/// Puts the files of one folder into a new one.
fn copy(place: &Place, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(place.path(to));
    std::fs::create_dir(place.path(to)).unwrap();
    for entry in std::fs::read_dir(place.path(from)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), place.path(to).join(entry.file_name())).unwrap();
    }
}

/// Makes the second path another name of the first.
type Link = fn(&Path, &Path);

#[test]
fn nothing_behind_a_link_is_written_to() {
    let place = Place::new();
    place.train("run", "");
    let link: [(&str, Link); 2] = [
        ("a symbolic link", |to, path| symlink(to, path).unwrap()),
        ("a hard link", |to, path| std::fs::hard_link(to, path).unwrap()),
    ];
    for (what, link) in link {
        for name in ["run.lock", "metrics.jsonl"] {
            copy(&place, "run", "r");
            let (mine, path) = (place.path("mine"), place.path(&format!("r/{name}")));
            let text = place.text("run/metrics.jsonl");
            std::fs::write(&mine, &text).unwrap();
            let _ = std::fs::remove_file(&path);
            link(&mine, &path);
            refused(&place, "pretrain -q --resume r --epochs 4", &[&format!("r/{name}"), what]);
            assert_eq!(place.text("mine"), text, "{what} in place of {name}");
            std::fs::remove_file(mine).unwrap();
        }
    }
    // What is written beside its place takes that of the link.
    copy(&place, "run", "r");
    std::fs::create_dir(place.path("mine")).unwrap();
    let names = ["config.toml", "model.safetensors", "state.safetensors", "filters.png"];
    for name in names {
        std::fs::rename(place.path(&format!("r/{name}")), place.path(&format!("mine/{name}"))).unwrap();
        symlink(place.path(&format!("mine/{name}")), place.path(&format!("r/{name}"))).unwrap();
    }
    place.ok("pretrain -q --resume r --epochs 4");
    for name in names {
        assert!(place.read(&format!("mine/{name}")) == place.read(&format!("run/{name}")), "{name}");
    }
}

#[test]
fn pipes_devices_and_folders_in_place_of_files_are_no_files() {
    let place = Place::new();
    let more = "--epochs 4 --averaging 0.5 --log-z-every 1";
    place.train("run", more);
    place.ok("eval run --out run/evaluation.json --data csv:bits.csv --label-column last");
    place.ok("stack -q --data csv:bits.csv --layers 4,3 --epochs 1 --out stack");
    let put: [fn(&Path); 3] = [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| symlink("/dev/zero", path).unwrap(),
        |path| std::fs::create_dir(path).unwrap(),
    ];
    let names = |run: &str, more: &[&str]| -> Vec<String> {
        let files = std::fs::read_dir(place.path(run)).unwrap();
        let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        files.chain(more.iter().map(ToString::to_string)).collect()
    };
    for put in put {
        for name in names("run", &["run.lock"]) {
            copy(&place, "run", "r");
            let path = place.path(&format!("r/{name}"));
            let _ = std::fs::remove_file(&path);
            put(&path);
            for words in ["runs .", "runs r", "show r", "compare r run", "pretrain -q --resume r --epochs 5"] {
                ended(&place, words);
            }
            ended(&place, &format!("pretrain -q --out r --force {SMALL}"));
        }
        for name in names("stack", &["layer-1.state.safetensors", "layer-1.state.previous.safetensors"]) {
            copy(&place, "stack", "r");
            let path = place.path(&format!("r/{name}"));
            let _ = std::fs::remove_file(&path);
            put(&path);
            ended(&place, "stack -q --resume r");
        }
    }
    copy(&place, "run", "r");
    std::fs::remove_file(place.path("r/state.safetensors")).unwrap();
    put[0](&place.path("r/state.safetensors"));
    std::fs::remove_file(place.path("r/filters.png")).unwrap();
    put[2](&place.path("r/filters.png"));
    let before = place.listing();
    refused(&place, &format!("pretrain -q --out r --force {SMALL}"), &["r/filters.png is a folder, where a run has a"]);
    assert_eq!(place.listing(), before, "nothing is removed by halves");
}

/// Lets `change` a checkpoint's header.
fn edit(place: &Place, name: &str, change: impl FnOnce(&mut Value)) {
    let file = place.read(name);
    let (length, rest) = file.split_at(8);
    let (head, tensors) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut head: Value = serde_json::from_slice(head).unwrap();
    let mut header: Value = serde_json::from_str(head["__metadata__"]["deepbelief"].as_str().unwrap()).unwrap();
    change(&mut header);
    head["__metadata__"]["deepbelief"] = header.to_string().into();
    let head = head.to_string();
    let length = (head.len() as u64).to_le_bytes();
    std::fs::write(place.path(name), [&length, head.as_bytes(), tensors].concat()).unwrap();
}

/// More than 65,535 characters are no width of a column.
#[test]
fn names_without_end_are_cut_where_people_read_them() {
    let place = Place::new();
    place.train("a", "");
    place.train("b", "");
    let long = "long\n".repeat(20_000);
    edit(&place, "a/model.safetensors", |header| {
        let provenance = &mut header["provenance"];
        provenance["dataset"] = json!(long);
        provenance["figures"][&long] = json!(1.5);
        provenance["recipe"][&long] = json!(long);
        provenance["recipe"]["layer"] = json!([{ &long: 1 }]);
        provenance["recipe"]["class_names"] = json!([long, "b", "c"]);
    });
    for words in ["show a", "compare a b", "compare b a"] {
        let said = String::from_utf8(ended(&place, words).stdout).unwrap();
        let longest = said.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((100..3000).contains(&longest) && said.contains("long"), "{words}: {longest}");
        assert!(!said.lines().any(|line| line == "long"), "{words}: a name makes no line");
    }
    let shown = place.json("show a --json");
    assert_eq!(shown["header"]["provenance"]["dataset"], json!(long), "programs read all of it");
}

/// Its sides times each other are 9 in 64 bits, as many as there are visible units.
#[test]
fn a_shape_without_end_is_no_shape() {
    let place = Place::new();
    place.train("r", "");
    edit(&place, "r/model.safetensors", |header| {
        header["provenance"]["recipe"]["image_size"] = json!("27x12297829382473034411");
    });
    ended(&place, "show r --filters f.png");
    ended(&place, "reconstruct r --data csv:bits.csv --label-column last --out f.png");
    refused(&place, "show r --filters f.png --image-size 27x12297829382473034411", &["--image-size"]);
}

/// Numbers of metrics and settings that nobody measured or could train.
#[test]
fn numbers_that_no_run_has_are_listed() {
    let place = Place::new();
    place.train("r", "");
    place.stack("s", "");
    let epoch = |seconds: &str| format!("{{\"epoch\": 4294967295, \"seconds\": {seconds}}}\n");
    std::fs::write(place.path("r/metrics.jsonl"), epoch("1e308").repeat(2) + &epoch("-1e300") + "\u{fffd}\n[]\n")
        .unwrap();
    let config = place.text("s/config.toml").replace("epochs = 30", "epochs = 9223372036854775807");
    let config = config.replace("epochs = 9\n", "epochs = 9223372036854775807\n");
    std::fs::write(place.path("s/config.toml"), config).unwrap();
    for words in ["runs r", "runs s", "runs ."] {
        let output = ended(&place, words);
        assert!(output.status.success(), "{words}: {}", stderr(&output));
    }
    ended(&place, "pretrain -q --resume r --epochs 4");
    ended(&place, "stack -q --resume s");
}
