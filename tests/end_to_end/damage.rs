//! A state that was damaged on the disk is found out, and the one before it leads to the same end.
#![cfg(unix)]

use crate::resume::{same_metrics, signal, start};
use crate::{DEEP, Place, SMALL, stderr};

type Damage = fn(&mut Vec<u8>);

/// Ways in which files get damaged; each finds something else out.
const DAMAGES: [(&str, Damage); 4] = [
    ("a bit of a number flipped", |bytes| {
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
    }),
    ("cut", |bytes| bytes.truncate(bytes.len() / 2)),
    ("empty", Vec::clear),
    ("zeros", |bytes| bytes.fill(0)),
];

/// The version of a file's format becomes the next.
#[expect(clippy::ptr_arg, reason = "some damages change the length")]
fn newer(bytes: &mut Vec<u8>) {
    const VERSION: &[u8] = br#"\"format_version\":1"#;
    let at = bytes.windows(VERSION.len()).position(|part| part == VERSION).expect("a version");
    bytes[at + VERSION.len() - 1] = b'3';
}

fn damage(place: &Place, name: &str, how: Damage) {
    let mut bytes = place.read(name);
    how(&mut bytes);
    // A kill may have come where both names were on one file: it is this name whose content is damaged.
    std::fs::remove_file(place.path(name)).unwrap();
    std::fs::write(place.path(name), bytes).unwrap();
}

/// Lines that a training does not say of itself when it has a few samples alone: that they change a lot, leave units idle and
/// teach nothing.
fn foreign(said: &str) -> usize {
    let own = [": the last batch changed", "hidden units are", "verdict: "];
    said.lines().filter(|line| own.iter().all(|own| !line.contains(own))).count()
}

/// Kills a training into `r` after `epochs`, damages its newest `file` and resumes it: with a
/// warning, to the files of `whole`.
fn falls_back(place: &Place, verb: &str, words: &str, epochs: usize, file: &str) {
    for (what, how) in DAMAGES {
        let _ = std::fs::remove_dir_all(place.path("r"));
        let mut child = start(place, &format!("{verb} --out r {words} --save-every 1"), epochs);
        signal(&child, "-KILL");
        child.wait().unwrap();
        damage(place, &format!("r/{file}"), how);
        let output = place.run(&format!("{verb} -q --resume r"));
        let said = stderr(&output);
        assert!(output.status.success(), "{verb}, {what}: {said}");
        let warned =
            said.contains(file) && said.contains("; resuming from what was saved before it, to the same result");
        assert!(warned && foreign(&said) == 1, "{verb}, {what}: {said}");
        let same = place.read("r/model.safetensors") == place.read("whole/model.safetensors");
        assert!(same, "{verb}, {what}: the model differs");
        same_metrics(place, place.text("whole/metrics.jsonl").lines().count());
        // The damaged file is gone, and nobody's last good one.
        let said = stderr(&place.run(&format!("{verb} -q --resume r")));
        assert_eq!(foreign(&said), 0, "{verb}, {what}: {said}");
    }
}

#[test]
fn a_damaged_state_falls_back_to_the_one_before() {
    let place = Place::new();
    let words = format!("{SMALL} --epochs 350 --persistent-chains 10");
    place.ok(&format!("pretrain -q --out whole {words}"));
    falls_back(&place, "pretrain", &words, 20, "state.safetensors");
}

#[test]
fn so_does_that_of_a_tuning() {
    let place = Place::new();
    place.stack("deep", "");
    place.ok("tune -q deep --out whole --top-steps 1x300");
    falls_back(&place, "tune", "deep --top-steps 1x300", 20, "tuning.state.safetensors");
}

#[test]
fn so_does_that_of_a_training_by_backpropagation() {
    let place = Place::new();
    place.stack("deep", "");
    place.ok("finetune -q deep --out whole --epochs 400");
    falls_back(&place, "finetune", "deep --epochs 400", 20, "finetuning.state.safetensors");
}

/// In the first layer, and where finished layers are damaged while the second and the third train.
#[test]
fn so_do_the_layers_of_a_stack() {
    let place = Place::new();
    let words = format!("{DEEP} --epochs 150,150,400");
    place.ok(&format!("stack -q --out whole {words}"));
    falls_back(&place, "stack", &words, 20, "layer-0.state.safetensors");
    falls_back(&place, "stack", &words, 160, "layers.safetensors");
    falls_back(&place, "stack", &words, 310, "layers.safetensors");
}

#[test]
fn where_both_states_are_damaged_the_run_is_refused() {
    let place = Place::new();
    place.train("r", "--save-every 1");
    for name in ["r/state.safetensors", "r/state.previous.safetensors"] {
        damage(&place, name, DAMAGES[0].1);
    }
    let output = place.run("pretrain -q --resume r --epochs 4");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    for part in ["cannot resume", "r/state.safetensors: is damaged", "checksum", "hint: neither", "--force"] {
        assert!(said.contains(part), "'{part}' in {said}");
    }
}

/// What a newer program wrote is no damage: it stays as it is, is not gone back from, and nobody is asked to
/// replace it. Of a stack its finished layer is what is newer.
#[test]
fn a_state_of_a_newer_version_is_refused_and_kept() {
    let place = Place::new();
    place.train("p", "--save-every 1");
    let mut child = start(&place, &format!("stack --out r {DEEP} --epochs 2,400,2 --save-every 1"), 20);
    signal(&child, "-KILL");
    child.wait().unwrap();
    for (verb, file) in [("pretrain", "p/state.safetensors"), ("stack", "r/layers.safetensors")] {
        damage(&place, file, newer);
        // A kill leaves its lock and what it was writing, which the next program removes.
        let kept = |name: &String| name.ends_with(".safetensors");
        let content =
            || place.listing().into_iter().filter(kept).map(|name| (place.read(&name), name)).collect::<Vec<_>>();
        let before = content();
        let output = place.run(&format!("{verb} -q --resume {}", &file[..1]));
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2));
        let newer = format!("{file}: has format version 3, this program reads versions up to ");
        assert!(said.contains(&newer) && said.contains("install a newer") && !said.contains("--force"), "{said}");
        assert!(content() == before, "{verb}");
    }
}

/// The model of a run is made again of its state, be it damaged or not there.
#[test]
fn a_damaged_model_does_not_stop_a_resume() {
    let place = Place::new();
    place.train("whole", "--epochs 4");
    for (n, moved) in [false, true].into_iter().enumerate() {
        let run = format!("r{n}");
        place.train(&run, "");
        let model = format!("{run}/model.safetensors");
        if moved {
            std::fs::remove_file(place.path(&model)).unwrap();
        } else {
            damage(&place, &model, DAMAGES[1].1);
        }
        let output = place.run(&format!("pretrain -q --resume {run} --epochs 4"));
        let said = stderr(&output);
        assert!(output.status.success() && said.contains(&model) && said.contains("is not known"), "{said}");
        assert!(place.read(&model) == place.read("whole/model.safetensors"));
    }
}

/// Where no state of a layer is left, that layer starts again from those below it.
#[test]
fn a_layer_whose_states_are_all_damaged_starts_again() {
    let place = Place::new();
    let words = format!("{DEEP} --epochs 2,400,2");
    place.ok(&format!("stack -q --out whole {words}"));
    let mut child = start(&place, &format!("stack --out r {words} --save-every 1"), 20);
    signal(&child, "-KILL");
    child.wait().unwrap();
    let states = ["r/layer-1.state.safetensors", "r/layer-1.state.previous.safetensors"];
    damage(&place, states[0], DAMAGES[1].1);
    // As long as anybody can read one of them, they stay.
    damage(&place, states[1], newer);
    let kept = states.map(|name| place.read(name));
    let output = place.run("stack -q --resume r");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(states.map(|name| place.read(name)) == kept);

    damage(&place, states[1], DAMAGES[1].1);
    let output = place.run("stack -q --resume r");
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("layer-1.state.safetensors: is not a whole"), "{said}");
    assert!(place.read("r/layer-1.state.damaged.safetensors") == kept[0]);
    assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"));
    same_metrics(&place, 404);
}

/// Settings on the disk are those that the saved model was trained by, or the run is refused by the name of
/// what differs; a number of epochs may have been changed.
#[test]
fn settings_that_were_changed_are_refused() {
    let place = Place::new();
    place.train("r", "");
    place.stack("deep", "");
    place.ok("tune -q deep --out tuned --top-steps 1x1");
    place.ok("finetune -q deep --out fine --epochs 1");
    for (verb, run, from, to, said) in [
        ("pretrain", "r", "seed = 1", "seed = 7", "seed is 7, and was 1 when the run was saved"),
        ("pretrain", "r", "batch_size = 7\n", "", "batch_size is 100, and was 7 when"),
        ("stack", "deep", "batch_size = 7\n", "batch_size = 8\n", "layer is other than it was when"),
        ("tune", "tuned", "seed = 1\n", "seed = 2\n", "seed is 2, and was 1 when"),
        ("finetune", "fine", "weight_cost = 0.0", "weight_cost = 0.1", "weight_cost is 0.1, and was 0.0 when"),
    ] {
        let config = format!("{run}/config.toml");
        let before = place.text(&config);
        assert!(before.contains(from), "{from} in {before}");
        std::fs::write(place.path(&config), before.replace(from, to)).unwrap();
        let output = place.run(&format!("{verb} -q --resume {run}"));
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{verb}: {error}");
        assert!(
            error.contains(&format!("{run}/config.toml: {said}")) && error.contains("put the file back"),
            "{error}"
        );
        std::fs::write(place.path(&config), before).unwrap();
        assert_eq!(stderr(&place.run(&format!("{verb} -q --resume {run}"))), "");
    }
    let other = place.run("pretrain -q --resume r --out elsewhere");
    assert!(stderr(&other).contains("cannot be used with"), "{}", stderr(&other));
}

/// What they said of lost epochs is lost, and reported; the model has the same bytes.
#[test]
fn damaged_metrics_do_not_stop_a_resume() {
    let place = Place::new();
    place.ok(&format!("pretrain -q --out whole {SMALL} --epochs 5"));
    // Of the three epochs so many are left.
    let damages: [(&str, Damage, usize); 3] = [
        ("cut", |bytes| bytes.truncate(150), 0),
        ("no text", |bytes| bytes.iter_mut().step_by(2).for_each(|byte| *byte = 0xff), 0),
        ("a line lost", |bytes| bytes[0] = b'?', 2),
    ];
    for (what, how, left) in damages {
        let _ = std::fs::remove_dir_all(place.path("r"));
        place.ok(&format!("pretrain -q --out r {SMALL} --epochs 3"));
        damage(&place, "r/metrics.jsonl", how);
        let output = place.run("pretrain -q --resume r --epochs 5");
        let said = stderr(&output);
        assert!(output.status.success() && said.contains("metrics.jsonl is damaged"), "{what}: {said}");
        assert!(place.read("r/model.safetensors") == place.read("whole/model.safetensors"), "{what}");
        assert_eq!(place.text("r/metrics.jsonl").lines().count(), left + 2, "{what}");
    }
    // A tuning starts at epoch 0.
    place.stack("deep", "");
    place.ok("tune -q deep --out tuned --top-steps 1x2");
    damage(&place, "tuned/metrics.jsonl", damages[2].1);
    let said = stderr(&place.run("tune -q --resume tuned"));
    assert!(said.contains("metrics.jsonl is damaged"), "{said}");
}
