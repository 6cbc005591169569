//! Saves by the clock, in the middle of epochs.
#![cfg(unix)]

use crate::resume::{same_metrics, signal};
use crate::{Place, stderr};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Batches done in the running epoch, as a state says.
fn batches(place: &Place, state: &str) -> u64 {
    let Ok(bytes) = std::fs::read(place.path(state)) else { return 0 };
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let header = metadata.metadata().clone().unwrap().remove("deepbelief").unwrap();
    let header: serde_json::Value = serde_json::from_str(&header).unwrap();
    let position = if header["position"].is_null() { &header } else { &header["position"] };
    position["batch"].as_u64().unwrap()
}

/// Waits until `state` was saved in the middle of an epoch, kills the training, resumes it, and
/// compares it with one that saved nothing on its way.
fn saved_midway(place: &Place, verb: &str, words: &str, state: &str) {
    let _ = std::fs::remove_dir_all(place.path("whole"));
    let _ = std::fs::remove_dir_all(place.path("r"));
    place.ok(&format!("{verb} -q {words} --out whole --save-every 0"));
    let words = format!("{verb} {words} --out r --save-every 1s");
    let mut child = place.command(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while batches(place, &format!("r/{state}")) == 0 && begun.elapsed() < Duration::from_secs(60) {
        assert!(child.try_wait().unwrap().is_none(), "{verb}: done without a save in the middle of an epoch");
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(batches(place, &format!("r/{state}")) > 0);
    // It goes on saving by the clock until it is done.
    let output = place.run(&format!("{verb} --resume r"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("interrupted"), "{}", stderr(&output));
    assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"), "{verb}");
    same_metrics(place, place.text("whole/metrics.jsonl").lines().count());
}

#[test]
fn a_long_epoch_is_saved_in_its_middle_and_resumed_to_the_same_bytes() {
    let place = Place::new();
    place.write_npy("x.npy", 120_000, 9);
    place.write_npy("few.npy", 200, 9);
    place.ok("stack -q --data npy:few.npy --layers 8,7 --labels none --epochs 1 --out deep");
    let one = "--data npy:x.npy --valid 100 --batch-size 1 --threads 1";
    saved_midway(
        &place,
        "pretrain",
        &format!("{one} --hidden 8 --epochs 2 --persistent-chains 3"),
        "state.safetensors",
    );
    let deep = format!("{one} --layers 8,7 --labels none --epochs 1");
    saved_midway(&place, "stack", &deep, "layer-1.state.safetensors");
    saved_midway(&place, "tune", &format!("deep {one} --top-steps 1x1"), "tuning.state.safetensors");
    let network = format!("deep {one} --as autoencoder --epochs 1 --labelled 0");
    saved_midway(&place, "finetune", &network, "finetuning.state.safetensors");
}

#[test]
fn times_are_taken_from_flag_variable_and_recipe() {
    let place = Place::new();
    std::fs::write(place.path("r.toml"), "save_every = \"10m\"\n").unwrap();
    place.train("a", "--config r.toml");
    assert!(place.text("a/config.toml").contains("save_every = \"10m\"\n"));
    place.train("b", "--save-every 120s");
    assert!(place.text("b/config.toml").contains("save_every = \"2m\"\n"));
    assert!(place.read("a/model.safetensors") == place.read("b/model.safetensors"));
    place.ok("pretrain -q --resume b --save-every 3 --epochs 4");
    assert!(place.text("b/config.toml").contains("save_every = 3\n"));
    let output = place.run("pretrain --save-every 5x");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("a whole number of epochs, or a time such as 90s, 10m or 2h"), "{said}");
}
