//! Killed or interrupted at any moment, a training ends as one that never was: the signals of each
//! test come after delays of a fixed seed, spread over the whole length of the run, which is
//! measured first.
#![cfg(unix)]

use crate::resume::{arrives, same_metrics, signal};
use crate::{DEEP, Place, SMALL, numbers, stderr};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Kills that have hit a running program, at least, a test.
const KILLS: usize = 50;

/// A run takes about so many until it is done.
const KILLS_A_RUN: u32 = 12;

/// A run that was stopped so often is left to end: where starting takes as long as the delays do, on a busy machine,
/// it would else never.
const MOST_KILLS_A_RUN: u32 = 2 * KILLS_A_RUN;

/// What no program can catch.
const KILL: &[&str] = &["-KILL"];

/// Trains uninterrupted into `whole`; then into `r`, stopped by `signals` and resumed again and
/// again, over and over until there were `enough` stops. All of `files` must be the same, and the
/// metrics.
fn stopped_equals_whole(verb: &str, start: &str, files: &[&str], seed: u32, signals: &[&str], enough: usize) {
    let place = Place::new();
    place.stack("deep", "");
    let begun = Instant::now();
    place.ok(&format!("{verb} -q {start} --out whole"));
    let length = begun.elapsed();
    let epochs = place.text("whole/metrics.jsonl").lines().count();
    let mut random = numbers(seed);
    let (mut kills, mut unsaved, mut runs) = (0, 0, 0);
    while kills < enough {
        runs += 1;
        let mut starts = 0;
        let _ = std::fs::remove_dir_all(place.path("r"));
        loop {
            // What a user would do, who does not know when it was killed.
            let words = if place.path("r/config.toml").exists() {
                "-q --resume r".into()
            } else {
                format!("-q {start} --out r")
            };
            let delay = length * 2 / KILLS_A_RUN * random.next().unwrap() / 0x1_0000;
            let delay = if starts < MOST_KILLS_A_RUN { delay } else { Duration::MAX };
            starts += 1;
            let mut child =
                place.command(&format!("{verb} {words}")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let begun = Instant::now();
            let mut ended = None;
            while ended.is_none() && begun.elapsed() < delay {
                std::thread::sleep(Duration::from_millis(1));
                ended = child.try_wait().unwrap();
            }
            if ended.is_none() {
                signal(&child, signals[kills % signals.len()]);
            }
            let output = child.wait_with_output().unwrap();
            let said = stderr(&output);
            match output.status.code() {
                // Before there is anything to save, other signals end a program like this one.
                None => kills += 1,
                Some(130) => {
                    assert!(said.contains("interrupted and saved; continue with: "), "{said}");
                    kills += 1;
                }
                Some(0) => break,
                Some(2) if said.contains("it was stopped before its first save: start it again, with --out r") => {
                    unsaved += 1;
                    std::fs::remove_dir_all(place.path("r")).unwrap();
                }
                code => panic!("{verb} {words} ended with {code:?} after {kills} kills:\n{said}"),
            }
            assert!(!said.contains("resuming from what was saved before it"), "nothing is damaged:\n{said}");
        }
        for file in files {
            let same = place.read(&format!("r/{file}")) == place.read(&format!("whole/{file}"));
            assert!(same, "{file} of a run that was stopped differs from that of one that was not");
        }
        same_metrics(&place, epochs);
        let left = place.listing();
        assert!(!left.iter().any(|file| file.contains(".tmp") || file.contains("lock")), "{left:?}");
    }
    // Stops before the first save, which start a run again, are few: they do not make up the number.
    assert!(unsaved < kills / 2, "{verb}: {kills} stops in {runs} runs of {length:?}, {unsaved} before the first save");
}

#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn pretraining_killed_fifty_times_ends_as_if_it_never_was() {
    let start = format!("{SMALL} --epochs 400 --save-every 1 --persistent-chains 10");
    stopped_equals_whole("pretrain", &start, &["model.safetensors", "state.safetensors"], 1, KILL, KILLS);
}

#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn a_stack_killed_fifty_times_ends_as_if_it_never_was() {
    let start = format!("{DEEP} --epochs 130 --save-every 1");
    let pictures = ["layer-1.curves.svg", "layer-2.filters.png", "layer-3.curves.svg"];
    let files = [&["model.safetensors", "layers.safetensors"][..], &pictures].concat();
    stopped_equals_whole("stack", &start, &files, 2, KILL, KILLS);
}

#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn tuning_killed_fifty_times_ends_as_if_it_never_was() {
    let start = "deep --top-steps 1x100,3x100 --save-every 1";
    let files = ["model.safetensors", "best.safetensors", "tuning.state.safetensors"];
    stopped_equals_whole("tune", start, &files, 3, KILL, KILLS);
}

#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn backpropagation_killed_fifty_times_ends_as_if_it_never_was() {
    let start = "deep --epochs 200 --batch-size 20 --save-every 1";
    let files = ["model.safetensors", "best.safetensors", "finetuning.state.safetensors"];
    stopped_equals_whole("finetune", start, &files, 4, KILL, KILLS);
}

/// Ctrl-C, a request to terminate and a terminal that was closed save first.
#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn signals_at_any_moment_save_and_resume_to_the_same_bytes() {
    let signals: Vec<&str> = ["-INT", "-TERM", "-HUP"].into_iter().filter(|name| arrives(name)).collect();
    let start = format!("{SMALL} --epochs 2000 --save-every 0");
    stopped_equals_whole("pretrain", &start, &["model.safetensors", "state.safetensors"], 5, &signals, 15);
    let start = format!("{DEEP} --epochs 600 --save-every 0");
    stopped_equals_whole("stack", &start, &["model.safetensors", "layers.safetensors"], 6, &signals, 15);
    let (start, files) = ("deep --top-steps 1x1500 --save-every 0", ["model.safetensors", "tuning.state.safetensors"]);
    stopped_equals_whole("tune", start, &files, 7, &signals, 15);
}
