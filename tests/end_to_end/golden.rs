//! What earlier versions wrote, and what recipes gave before: states are resumed and trainings end in the same bytes.

use crate::{Place, stderr};
use deepbelief_data::sha256;
use std::path::{Path, PathBuf};

/// States of version 0.1.0 (commit c93b0b8): trainings that were interrupted in the middle, most of them within an
/// epoch, and some that ended by themselves. None says which run it is of. `expected.txt` has the SHA-256 of what
/// the same training gave that was never interrupted. The labels of `thirds.csv` are 1, 2 and 4, and classes were all
/// numbers from 0 then.
fn states() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/states")
}

#[test]
fn states_of_before_are_resumed_to_the_same_bytes() {
    let (place, states) = (Place::new(), states());
    for data in ["bits.csv", "thirds.csv"] {
        std::fs::copy(states.join(data), place.path(data)).unwrap();
    }
    let expected = std::fs::read_to_string(states.join("expected.txt")).unwrap();
    let mut resumed = Vec::new();
    for line in expected.lines() {
        let [run, verb, file, sha] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        if !resumed.contains(&run) {
            std::fs::create_dir(place.path(run)).unwrap();
            for entry in std::fs::read_dir(states.join(run)).unwrap() {
                let path = entry.unwrap().path();
                std::fs::copy(&path, place.path(run).join(path.file_name().unwrap())).unwrap();
            }
            let output = place.run(&format!("{verb} -q --resume {run}"));
            assert!(output.status.success(), "{run}: {}", stderr(&output));
            resumed.push(run);
        }
        assert_eq!(sha256(&place.read(&format!("{run}/{file}"))), sha, "{file} of {run}");
    }
    assert_eq!(resumed.len(), 17);
}

/// Two runs that differ in their seed alone: the state of one is of no use to the other.
#[test]
fn a_state_of_another_run_is_refused() {
    let place = Place::new();
    let data = "--data csv:bits.csv --label-column last --batch-size 7 --valid 11";
    place.ok(&format!("stack -q --out s {data} --layers 8,7 --epochs 2"));
    for (verb, words, state) in [
        ("pretrain", "--hidden 8 --epochs 3", "state.safetensors"),
        ("tune", "s --top-steps 1x2", "tuning.state.safetensors"),
        ("finetune", "s --epochs 2", "finetuning.state.safetensors"),
    ] {
        for (out, seed) in [("a", 1), ("b", 2)] {
            place.ok(&format!("{verb} -q {words} {data} --seed {seed} --out {verb}-{out}"));
        }
        let [a, b] = ["a", "b"].map(|out| place.path(&format!("{verb}-{out}/{state}")));
        let own = std::fs::read(&a).unwrap();
        std::fs::copy(&b, &a).unwrap();
        let output = place.run(&format!("{verb} -q --resume {verb}-a"));
        assert_eq!(output.status.code(), Some(2), "{verb}");
        let said = stderr(&output);
        assert!(
            said.contains("the saved state is that of another run: its settings, seed or data are others"),
            "{said}"
        );
        assert!(said.contains(&format!("{verb}-a")) && said.contains("put its own state back"), "{said}");
        std::fs::write(&a, own).unwrap();
        place.ok(&format!("{verb} -q --resume {verb}-a"));
    }
}

/// The states of a stack's layers, where a training was stopped by an interrupt.
#[cfg(unix)]
#[test]
fn a_layer_of_another_stack_is_refused() {
    let place = Place::new();
    let run = |out: &str, seed: u32| {
        let words = format!(
            "stack --data csv:bits.csv --label-column last --batch-size 7 --valid 11 --layers 8,7 --epochs 3,100000 \
             --seed {seed} --out {out}"
        );
        let child = crate::resume::start_in(&place, &words, out, 5);
        crate::resume::signal(&child, "-INT");
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    };
    run("a", 1);
    run("b", 2);
    let state = "layer-1.state.safetensors";
    std::fs::copy(place.path("b").join(state), place.path("a").join(state)).unwrap();
    let output = place.run("stack -q --resume a");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the saved state is that of another run"), "{}", stderr(&output));
}

/// The bytes of a shipped model.
fn shipped(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)).unwrap()
}

/// The shipped RBM, two epochs of each layer of the stack, and two of each way to go on from it, by their recipes.
#[test]
#[ignore = "trains MNIST by the recipes for minutes: `just test-slow`"]
fn recipes_give_the_bytes_that_they_gave() {
    let place = Place::new();
    place.ok("pretrain -q --out rbm");
    assert!(place.read("rbm/model.safetensors") == shipped("mnist-rbm.safetensors"), "dbn pretrain");
    std::fs::write(place.path("dbn.safetensors"), shipped("mnist-dbn.safetensors")).unwrap();
    let stacked = ("stack --epochs 2", "de741756a7e078a533bf19e3f5846bb51d2a2ae16396be48056577dd749abb8e");
    let tuned =
        ("tune dbn.safetensors --top-steps 3x2", "5c869d691565cc8084cf8bb376fa2f680ca5347747fe7b8c1a19c0a5a4a00085");
    let finetuned =
        ("finetune dbn.safetensors --epochs 2", "5bcd302f4354970e70913081eb17fe1a459a0460017bc4d45bdb9706cbc5abc7");
    for (words, sha) in [stacked, tuned, finetuned] {
        place.ok(&format!("{words} -q --out x --force"));
        assert_eq!(sha256(&place.read("x/model.safetensors")), sha, "dbn {words}");
    }
}

#[test]
#[ignore = "trains the stack of MNIST for a quarter of an hour: `just test-slow`"]
fn the_shipped_stack_is_what_its_recipe_gives() {
    let place = Place::new();
    place.ok("stack -q --out dbn");
    assert!(place.read("dbn/model.safetensors") == shipped("mnist-dbn.safetensors"));
}
