//! The example as a reader runs it.

use std::process::Command;

#[test]
fn an_rbm_is_trained_watched_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_train-rbm")).current_dir(&folder).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let cost = |epoch: u32| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("epoch {epoch}: "))).unwrap();
        line.split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    assert!(cost(5) < cost(1), "{text}");
    assert!(text.lines().rev().take(14).any(|line| line.contains('#')), "a picture with strokes in it: {text}");
    assert!(folder.path().join("rbm.safetensors").is_file());
}
