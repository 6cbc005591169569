//! Signals to a program that does not train, and a terminal that is closed.
#![cfg(unix)]

use crate::resume::{arrives, signal};
use crate::{Place, SMALL, stderr};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// The numbers of the signals, the same on every Unix.
const SIGNALS: [(&str, i32); 3] = [("-INT", 2), ("-TERM", 15), ("-HUP", 1)];

/// Caught while it writes, the program dies of the signal and leaves nothing. Whether it is caught is chance, so that
/// it is tried until it is.
#[test]
fn a_write_that_is_interrupted_leaves_nothing() {
    let place = Place::new();
    place.train("r", "--hidden 400");
    place.write_npy("many.npy", 20_000, 9);
    let is_temporary = |name: &String| name.contains(".dbn-");
    for (name, number) in SIGNALS.into_iter().filter(|(name, _)| arrives(name)) {
        let mut caught = false;
        while !caught {
            let mut child = place
                .command("encode -q r --data npy:many.npy --scale 255 --split train --out f.npy")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut over = false;
            while !over && !place.listing().iter().any(is_temporary) {
                over = child.try_wait().unwrap().is_some();
            }
            if over {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", stderr(&output));
                continue;
            }
            // While it stands still there is time to look.
            signal(&child, "-STOP");
            caught = place.listing().iter().any(is_temporary);
            signal(&child, name);
            signal(&child, "-CONT");
            let output = child.wait_with_output().unwrap();
            caught &= output.status.signal() == Some(number);
            assert!(caught || output.status.success(), "{name}: {:?} {}", output.status, stderr(&output));
            let left = place.listing();
            assert!(!left.iter().any(is_temporary), "{name}: {left:?}");
        }
    }
}

/// As `nohup` starts it.
#[test]
fn a_training_that_is_to_survive_its_terminal_does() {
    let place = Place::new();
    let ours = place.command(&format!("pretrain -q --out r {SMALL} --epochs 400"));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(ours.get_program()).args(ours.get_args());
    let mut child = shell.current_dir(place.folder.path()).stdout(Stdio::null()).spawn().unwrap();
    while !place.path("r/metrics.jsonl").exists() {
        assert!(child.try_wait().unwrap().is_none());
    }
    signal(&child, "-HUP");
    assert!(child.wait().unwrap().success());
    assert_eq!(place.text("r/metrics.jsonl").lines().count(), 400);
}
