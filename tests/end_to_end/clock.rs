//! Saves by the clock, in the middle of epochs.
#![cfg(unix)]

use crate::resume::{same_metrics, signal};
use crate::{Place, stderr};
use std::process::Stdio;
use std::time::Duration;

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
/// compares it with one that saved nothing on its way. False where the training was done before.
fn saved_midway(place: &Place, verb: &str, words: &str, state: &str) -> bool {
    let _ = std::fs::remove_dir_all(place.path("whole"));
    let _ = std::fs::remove_dir_all(place.path("r"));
    let clocked = format!("{verb} {words} --out r --save-every 1s");
    let mut child = place.command(&clocked).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while batches(place, &format!("r/{state}")) == 0 {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    if batches(place, &format!("r/{state}")) == 0 {
        return false;
    }
    // It goes on saving by the clock until it is done.
    let output = place.run(&format!("{verb} --resume r"));
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("interrupted"), "{}", stderr(&output));
    place.ok(&format!("{verb} -q {words} --out whole --save-every 0"));
    assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"), "{verb}");
    same_metrics(place, place.text("whole/metrics.jsonl").lines().count());
    true
}

/// Epochs take some seconds, as many samples as that takes on this machine.
#[test]
#[ignore = "depends on the speed of the machine: `just test-slow`"]
fn a_long_epoch_is_saved_in_its_middle_and_resumed_to_the_same_bytes() {
    let place = Place::new();
    place.write_npy("few.npy", 200, 9);
    place.ok("stack -q --data npy:few.npy --layers 8,7 --labels none --epochs 1 --out deep");
    let samples = [100_000, 300_000, 1_000_000, 3_000_000];
    for (verb, words, state) in [
        ("pretrain", "--hidden 8 --epochs 2 --persistent-chains 3 --batch-size 1", "state.safetensors"),
        ("stack", "--layers 8,7 --labels none --epochs 1 --batch-size 1", "layer-1.state.safetensors"),
        ("tune", "deep --top-steps 1x1 --batch-size 1", "tuning.state.safetensors"),
        ("finetune", "deep --as autoencoder --epochs 1 --labelled 0 --batch-size 1", "finetuning.state.safetensors"),
    ] {
        let long_enough = samples.into_iter().any(|samples| {
            let file = format!("x{samples}.npy");
            if !place.path(&file).exists() {
                place.write_npy(&file, samples, 9);
            }
            let data = format!("--data npy:{file} --valid 100 --threads 1");
            let words = match words.strip_prefix("deep ") {
                Some(options) => format!("deep {data} {options}"),
                None => format!("{data} {words}"),
            };
            saved_midway(&place, verb, &words, state)
        });
        assert!(long_enough, "{verb}: 3,000,000 samples were done without a save in the middle of an epoch");
    }
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
