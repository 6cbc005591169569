//! A training that was stopped, killed or prolonged ends as one that never was.
#![cfg(unix)]

use crate::{Place, SMALL, stderr};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A training that ends only when it is stopped; a resume, which may have other epochs, says how many there are.
pub(crate) fn endless() -> String {
    format!("{SMALL} --epochs 100000000")
}

/// A few epochs more than there are in the metrics of a run that was stopped.
pub(crate) fn some_more(place: &Place, run: &str) -> usize {
    place.text(&format!("{run}/metrics.jsonl")).lines().count() + 5
}

/// Starts a training into `r` and waits until it has done `epochs`, or for a minute.
pub(crate) fn start(place: &Place, words: &str, epochs: usize) -> Child {
    start_in(place, words, "r", epochs)
}

/// The same of one into `out`.
pub(crate) fn start_in(place: &Place, words: &str, out: &str, epochs: usize) -> Child {
    let child = place.command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let (begun, metrics) = (Instant::now(), place.path(&format!("{out}/metrics.jsonl")));
    let done = || std::fs::read_to_string(&metrics).map_or(0, |text| text.lines().count());
    while done() < epochs && begun.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Whether a program started by this one can be sent a signal: `nohup` has both ignore that their terminal is closed.
pub(crate) fn arrives(name: &str) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    name != "-HUP" || u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 0
}

fn same(place: &Place, file: &str) {
    let (resumed, whole) = (place.read(&format!("r/{file}")), place.read(&format!("whole/{file}")));
    assert!(resumed == whole, "{file} of the resumed run differs from that of the uninterrupted one");
}

/// Model and state byte for byte, and the metrics.
fn resumed_equals_whole(place: &Place, epochs: usize) {
    same(place, "model.safetensors");
    same(place, "state.safetensors");
    same_metrics(place, epochs);
}

/// The metrics of `r` are those of `whole`, but for the times.
pub(crate) fn same_metrics(place: &Place, epochs: usize) {
    let metrics = |name: &str| -> Vec<serde_json::Value> {
        let without_times = |line: &str| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            let map = value.as_object_mut().unwrap();
            map.remove("seconds");
            map.remove("samples_per_second");
            value
        };
        place.text(name).lines().map(without_times).collect()
    };
    let resumed = metrics("r/metrics.jsonl");
    assert_eq!(resumed.len(), epochs);
    assert_eq!(resumed, metrics("whole/metrics.jsonl"));
}

/// Ctrl-C in the middle of an epoch (the signal comes whenever it comes), for contrastive
/// divergence with fresh draws and for persistent chains, which are state of their own.
#[test]
fn an_interrupted_run_saves_exits_130_and_resumes_to_the_same_bytes() {
    for rule in ["", "--persistent-chains 10 --cd-steps 2"] {
        let place = Place::new();
        let child = start(&place, &format!("pretrain --out r {} {rule}", endless()), 3);
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        assert!(stderr(&output).contains("continue with: dbn pretrain --resume r"), "{}", stderr(&output));
        let epochs = some_more(&place, "r");
        place.ok(&format!("pretrain -q --resume r --epochs {epochs} --threads 2"));
        place.ok(&format!("pretrain -q --out whole {SMALL} {rule} --epochs {epochs}"));
        resumed_equals_whole(&place, epochs);
    }
}

/// A kill leaves the last save, some metrics beyond it, and nothing half-written.
#[test]
fn a_killed_run_resumes_from_its_last_save() {
    let place = Place::new();
    let mut child = start(&place, &format!("pretrain --out r {} --save-every 7", endless()), 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let epochs = some_more(&place, "r");
    place.ok(&format!("pretrain -q --resume r --epochs {epochs}"));
    place.ok(&format!("pretrain -q --out whole {SMALL} --epochs {epochs}"));
    resumed_equals_whole(&place, epochs);
}

#[test]
fn a_run_can_be_prolonged_and_a_finished_one_resumed() {
    let place = Place::new();
    place.train("r", "");
    let before = place.read("r/model.safetensors");
    place.ok("pretrain -q --resume r");
    assert!(place.read("r/model.safetensors") == before, "a finished run has nothing left to do");
    place.ok("pretrain -q --resume r --epochs 5");
    place.ok(&format!("pretrain -q --out whole {SMALL} --epochs 5"));
    resumed_equals_whole(&place, 5);
    assert!(place.text("r/config.toml").contains("epochs = 5\n"));
}

#[test]
fn prolonging_a_schedule_is_warned_of() {
    let place = Place::new();
    place.train("r", "--schedule linear --final-learning-rate 0.01");
    assert_eq!(stderr(&place.run("pretrain -q --resume r")), "");
    let text = stderr(&place.run("pretrain -q --resume r --epochs 4"));
    assert!(text.starts_with("warning: the learning rate's schedule spans all epochs"), "{text}");
}

#[test]
fn what_cannot_be_resumed_is_refused() {
    let place = Place::new();
    place.train("r", "");
    let refusal = |words: &str| {
        let output = place.run(&format!("pretrain -q {words}"));
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output)
    };
    assert!(refusal("--resume nowhere").contains("nowhere is not a run that can be resumed: it has no config.toml"));
    let other = refusal("--resume r --learning-rate 0.123");
    assert!(other.contains("--learning-rate is 0.123, but") && other.contains("--epochs"), "{other}");
    let less = refusal("--resume r --epochs 1");
    assert!(less.contains("--epochs is 1, but the run has done 2 already"), "{less}");

    let mut data = place.text("bits.csv");
    data.replace_range(0..1, if data.starts_with('0') { "1" } else { "0" });
    std::fs::write(place.path("bits.csv"), data).unwrap();
    let changed = refusal("--resume r --epochs 3");
    assert!(changed.contains("the data 'csv:bits.csv' have changed since the run was started"), "{changed}");

    // Of one damaged state the run recovers: see `damage.rs`.
    for name in ["r/state.safetensors", "r/state.previous.safetensors"] {
        let state = place.read(name);
        std::fs::write(place.path(name), &state[..state.len() / 2]).unwrap();
    }
    let cut = refusal("--resume r");
    assert!(cut.contains("cannot resume") && cut.contains("state.safetensors"), "{cut}");
}
