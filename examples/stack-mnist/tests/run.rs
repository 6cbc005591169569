//! The example as a reader runs it, for one epoch.

use std::process::Command;

/// One epoch a layer tells most digits apart (guessing is wrong in 90 %), and the last lines are a
/// picture with strokes in it.
#[test]
fn one_epoch_stacks_encodes_classifies_and_samples() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_stack-mnist")).arg("1").current_dir(&folder).output().unwrap();
    let (text, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{errors}");
    assert!(text.contains("layer 2, epoch 1: ") && text.contains("features of the top layer: [10000, 2000]"), "{text}");
    let error: f64 = text.lines().find_map(|line| line.split_once(" % of 10000")).unwrap().0.parse().unwrap();
    assert!(error < 30.0, "{error} %");
    let picture: Vec<&str> = text.lines().rev().take(14).collect();
    assert!(picture.iter().all(|line| line.len() == 28) && picture.concat().contains('#'), "{text}");
    assert!(folder.path().join("dbn.safetensors").is_file());
}
