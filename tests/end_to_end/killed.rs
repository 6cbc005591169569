//! Killed at any moment (SIGKILL, which no program can catch), a training ends as one that never
//! was: the kills of each test come after delays of a fixed seed, spread over the whole length of
//! the run, which is measured first.
#![cfg(unix)]

use crate::resume::same_metrics;
use crate::{DEEP, Place, SMALL, numbers, stderr};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Kills that have hit a running program, at least, a test.
const KILLS: usize = 50;

/// A run takes about so many kills until it is done.
const KILLS_A_RUN: u32 = 12;

/// Trains uninterrupted into `whole`; then into `r`, killed and resumed again and again, over and
/// over until there were enough kills. All of `files` must be the same, and the metrics.
fn killed_equals_whole(verb: &str, start: &str, files: &[&str], seed: u32) {
    let place = Place::new();
    place.stack("deep", "");
    let begun = Instant::now();
    place.ok(&format!("{verb} -q {start} --out whole"));
    let length = begun.elapsed();
    let epochs = place.text("whole/metrics.jsonl").lines().count();
    let mut random = numbers(seed);
    let (mut kills, mut unsaved, mut runs) = (0, 0, 0);
    while kills < KILLS {
        runs += 1;
        let _ = std::fs::remove_dir_all(place.path("r"));
        loop {
            // What a user would do, who does not know when it was killed.
            let words = if place.path("r/config.toml").exists() { "-q --resume r".into() } else { format!("-q {start} --out r") };
            let delay = length * 2 / KILLS_A_RUN * random.next().unwrap() / 0x1_0000;
            let mut child =
                place.command(&format!("{verb} {words}")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let begun = Instant::now();
            let mut ended = None;
            while ended.is_none() && begun.elapsed() < delay {
                std::thread::sleep(Duration::from_millis(1));
                ended = child.try_wait().unwrap();
            }
            if ended.is_none() {
                child.kill().unwrap();
            }
            let output = child.wait_with_output().unwrap();
            let said = stderr(&output);
            match output.status.code() {
                None => kills += 1,
                Some(0) => break,
                Some(2) if said.contains("it was stopped before its first save: start it again, with --out r") => {
                    unsaved += 1;
                    std::fs::remove_dir_all(place.path("r")).unwrap();
                }
                code => panic!("{verb} {words} ended with {code:?} after {kills} kills:\n{said}"),
            }
            assert!(!said.contains("resuming from the save before it"), "a kill damages nothing:\n{said}");
        }
        for file in files {
            let same = place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}"));
            assert!(same, "{file} of a run that was killed differs from that of one that was not");
        }
        same_metrics(&place, epochs);
        let left = place.listing();
        assert!(!left.iter().any(|file| file.contains(".tmp") || file.contains("lock")), "{left:?}");
    }
    println!("{verb}: {kills} kills in {runs} runs of {length:?}, {unsaved} before the first save");
}

#[test]
fn pretraining_killed_fifty_times_ends_as_if_it_never_was() {
    let start = format!("{SMALL} --epochs 400 --save-every 1 --persistent-chains 10");
    killed_equals_whole("pretrain", &start, &["model.safetensors", "state.safetensors"], 1);
}

#[test]
fn a_stack_killed_fifty_times_ends_as_if_it_never_was() {
    let start = format!("{DEEP} --epochs 130 --save-every 1");
    killed_equals_whole("stack", &start, &["model.safetensors", "layers.safetensors"], 2);
}

#[test]
fn tuning_killed_fifty_times_ends_as_if_it_never_was() {
    let start = "deep --top-steps 1x100,3x100 --save-every 1";
    killed_equals_whole("tune", start, &["model.safetensors", "best.safetensors", "tuning.state.safetensors"], 3);
}

#[test]
fn backpropagation_killed_fifty_times_ends_as_if_it_never_was() {
    let start = "deep --epochs 200 --batch-size 20 --save-every 1";
    let files = ["model.safetensors", "best.safetensors", "finetuning.state.safetensors"];
    killed_equals_whole("finetune", start, &files, 4);
}
