//! What `dbn pretrain` leaves behind, and what that depends on.

use crate::{DEEP, Place, SMALL, stderr};

const RUN_FILES: [&str; 12] = [
    "config.toml",
    "curves.png",
    "curves.svg",
    "fantasies.png",
    "filters.png",
    "metrics.jsonl",
    "model.safetensors",
    "observed.json",
    "reconstructions.png",
    "report.html",
    "state.previous.safetensors",
    "state.safetensors",
];

#[test]
fn a_run_leaves_its_files_and_says_where_on_stdout() {
    let place = Place::new();
    let before = place.listing();
    let stdout = place.ok("pretrain --data idx:bars --hidden 8 --epochs 3 --batch-size 7 --out runs/a");
    assert_eq!(stdout, "runs/a\n", "stdout is for other programs");
    let mut expected: Vec<String> = RUN_FILES.iter().map(|file| format!("runs/a/{file}")).collect();
    expected.extend(["runs".into(), "runs/a".into()]);
    expected.extend(before);
    expected.sort();
    assert_eq!(place.listing(), expected, "nothing else, no temporary file");

    let metrics = place.text("runs/a/metrics.jsonl");
    assert_eq!(metrics.lines().count(), 3);
    for (line, epoch) in metrics.lines().zip(1..) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["epoch"], epoch);
        let names = [
            "layer",
            "epoch",
            "reconstruction_cost",
            "free_energy_train",
            "free_energy_valid",
            "free_energy_gap",
            "hidden_activity",
            "samples_per_second",
            "seconds",
        ];
        for name in names {
            assert!(value[name].is_number(), "{name} in {line}");
        }
    }
}

/// The patterns are learned: without learning the cost stays what it was after the first epoch.
#[test]
fn training_lowers_the_reconstruction_cost() {
    let place = Place::new();
    place.train("r", "--epochs 60 --learning-rate 0.2");
    let costs: Vec<f64> = place
        .text("r/metrics.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["reconstruction_cost"].as_f64().unwrap())
        .collect();
    assert!(costs[59] < 0.8 * costs[0], "from {} to {}", costs[0], costs[59]);
}

#[test]
fn the_seed_alone_decides_the_file() {
    let place = Place::new();
    place.train("a", "--seed 3 --threads 1");
    let model = place.read("a/model.safetensors");
    for (out, more) in [("b", "--threads 1"), ("c", "--threads 2"), ("d", "--threads 4"), ("e", "--save-every 1 -v")] {
        // A quiet run cannot be verbose, so this one is not `train`.
        let flags = crate::SMALL;
        place.ok(&format!("pretrain --out {out} {flags} --seed 3 {more}"));
        assert!(place.read(&format!("{out}/model.safetensors")) == model, "{more}");
    }
    place.train("f", "--seed 4");
    assert!(place.read("f/model.safetensors") != model, "another seed, another file");
}

#[test]
fn every_learning_option_changes_what_is_learned() {
    let place = Place::new();
    place.train("base", "");
    let base = place.read("base/state.safetensors");
    let options = [
        "--learning-rate 0.0123",
        "--schedule linear --final-learning-rate 0.001",
        "--schedule exponential --final-learning-rate 0.001",
        "--cd-steps 2",
        "--persistent-chains 5",
        "--momentum 0.123",
        "--momentum-switch 1",
        "--weight-cost 0.0123",
        "--l1-cost 0.01",
        "--sparsity-cost 0.1",
        "--weight-std 0.1",
        "--visible-bias zero",
        "--visible-states probabilities",
        "--batch-size 8",
        "--balanced",
        "--valid 5",
        "--epochs 3",
        "--hidden 9",
    ];
    for (number, option) in options.into_iter().enumerate() {
        let out = format!("o{number}");
        place.train(&out, option);
        assert!(place.read(&format!("{out}/state.safetensors")) != base, "{option}");
    }
}

/// Said of what was asked for, not of what a recipe holds, and of a stack only if no layer does anything with it.
#[test]
fn options_that_change_nothing_are_told() {
    let place = Place::new();
    let warnings = |words: &str| {
        let output = place.run(&format!("{words} -q --epochs 1 --out r --force"));
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        let said = stderr(&output);
        said.lines().filter(|line| line.contains(" changes nothing ")).map(str::to_string).collect::<Vec<_>>()
    };
    let idle = "--temperatures 5 --fast-learning-rate 0.1 --sparsity-target 0.2";
    let expected = [
        "warning: --fast-learning-rate changes nothing without the sampler fast",
        "warning: --sparsity-target changes nothing without a sparsity cost",
        "warning: --temperatures changes nothing without the sampler tempered or trajectory",
    ];
    assert_eq!(warnings(&format!("pretrain {SMALL} {idle}")), expected);
    assert_eq!(warnings(&format!("stack {DEEP} {idle}")), expected);
    let constant = "--schedule constant --final-learning-rate 0.01";
    let expected = ["warning: --final-learning-rate changes nothing with a constant schedule"];
    assert_eq!(warnings(&format!("pretrain {SMALL} {constant}")), expected);
    let deep = format!("stack -q {DEEP} --epochs 1 --out deep");
    place.ok(&deep);
    assert_eq!(warnings(&format!("finetune deep {constant}")), expected);
    let expected = ["warning: --square-momentum changes nothing with the optimizer sgd"];
    assert_eq!(warnings("finetune deep --optimizer sgd --learning-rate 0.1 --square-momentum 0.9"), expected);
    let tune = place.run("tune -q deep --top-steps 1x1 --schedule constant --final-share 0.5 --out tuned");
    assert_eq!(stderr(&tune), "warning: --final-share changes nothing with a constant schedule\n");
    let used = "--sampler tempered --persistent-chains 4 --temperatures 5 --sparsity-cost 0.1 --sparsity-target 0.2";
    assert!(warnings(&format!("pretrain {SMALL} {used}")).is_empty());
    std::fs::write(place.path("r.toml"), "temperatures = 5\n").unwrap();
    assert!(warnings(&format!("pretrain {SMALL} --config r.toml")).is_empty());
}

#[test]
fn every_binarisation_and_source_trains() {
    let place = Place::new();
    for (number, how) in ["none", "threshold=0.5", "fixed", "fresh"].into_iter().enumerate() {
        place.ok(&format!("pretrain -q --data idx:bars --hidden 4 --epochs 1 --binarize {how} --out b{number}"));
    }
    let models: std::collections::BTreeSet<Vec<u8>> =
        (0..4).map(|n| place.read(&format!("b{n}/state.safetensors"))).collect();
    assert_eq!(models.len(), 4, "each way gives other states to learn from");
}

#[test]
fn flags_beat_the_environment_and_that_the_recipe() {
    let place = Place::new();
    std::fs::write(
        place.path("r.toml"),
        "data = \"csv:bits.csv\"\nhidden = 3\nepochs = 1\nbatch_size = 9\nvalid = 0\n",
    )
    .unwrap();
    let mut command = place.command("pretrain -q --config r.toml --hidden 5 --out r");
    let output = command.env("DBN_HIDDEN", "4").env("DBN_EPOCHS", "2").output().unwrap();
    assert!(output.status.success(), "{}", crate::stderr(&output));
    let config = place.text("r/config.toml");
    for line in ["hidden = 5\n", "epochs = 2\n", "batch_size = 9\n", "valid = 0\n"] {
        assert!(config.contains(line), "{line} in\n{config}");
    }
    // The resolved settings repeat the run.
    place.ok("pretrain -q --config r/config.toml --out again");
    assert!(place.read("again/model.safetensors") == place.read("r/model.safetensors"));
}

#[test]
fn data_without_a_picture_shape_train_without_pictures() {
    let place = Place::new();
    // Ten columns, the label among them, are no square.
    let output = place.run("pretrain --data csv:bits.csv --scale minmax --hidden 4 --epochs 1 --out r");
    assert!(output.status.success() && crate::stderr(&output).contains("--image-size"), "{}", crate::stderr(&output));
    assert!(place.path("r/curves.svg").exists() && !place.path("r/filters.png").exists());
    place.ok("pretrain -q --data csv:bits.csv --scale minmax --hidden 4 --epochs 1 --image-size 5x2 --out s");
    assert!(place.path("s/filters.png").exists());
}

/// The defaults must work as they stand on the embedded digits; the second run must not touch
/// the first.
#[test]
fn embedded_mnist_needs_no_options() {
    let place = Place::new();
    for expected in ["runs/mnist-4\n", "runs/mnist-4-2\n"] {
        assert_eq!(place.ok("pretrain -q --hidden 4 --epochs 1"), expected);
    }
    let metrics = place.text("runs/mnist-4/metrics.jsonl");
    assert_eq!(metrics.lines().count(), 1);
}

#[test]
fn pictures_and_checkpoints_come_when_asked() {
    let place = Place::new();
    place.ok("pretrain -q --data idx:bars --hidden 4 --epochs 40 --patience 1 --tolerance 1000 --picture-every 1 --save-every 1 --out r");
    // A tolerance of 1000 nats is met by the second epoch.
    assert_eq!(place.text("r/metrics.jsonl").lines().count(), 2);
    assert!(place.text("r/curves.svg").contains("epoch 2"));
}

/// A batch holds what there is: the memory that is predicted and taken is that of all samples, whatever was asked for.
#[test]
fn a_batch_of_more_than_all_samples_takes_no_more_memory() {
    let place = Place::new();
    let told = |batch_size: usize| {
        let words = format!("--data csv:bits.csv --valid 0 --batch-size {batch_size} --max-memory 300 --force");
        let memory = [
            "pretrain --hidden 8 --epochs 1 --out r",
            "stack --layers 8,8 --epochs 1 --out s",
            "tune --from-scratch --layers 8,8 --top-steps 1x1 --out t",
            "finetune --from-scratch --as autoencoder --layers 8 --epochs 1 --out f",
        ]
        .map(|verb| {
            let output = place.run(&format!("{verb} {words}"));
            let said = stderr(&output);
            assert!(output.status.success(), "{verb}: {said}");
            said.lines().find(|line| line.contains("memory:")).unwrap().to_string()
        });
        (memory, place.tensors("r/model.safetensors"))
    };
    assert_eq!(told(1_000_000), told(90));
}

/// Nobody asked for it, and a slip in a script makes NaN too; an empty cell of a table says what it is.
#[test]
fn nan_of_an_array_is_a_warning() {
    let place = Place::new();
    let values: Vec<f32> = (0..80).map(|k| if k == 5 { f32::NAN } else { (k * 7 % 11) as f32 / 10.0 }).collect();
    place.write_values("x.npy", 20, &values);
    let said = stderr(&place.run("pretrain -q --data npy:x.npy --hidden 3 --epochs 1 --valid 0 --out a"));
    assert!(said.contains("warning: missing: 1 of the units' values") && said.contains("are NaN"), "{said}");
    std::fs::write(place.path("x.csv"), "a,b\n0.5,0.25\n,0.75\n0.125,0.5\n").unwrap();
    let said = stderr(&place.run("pretrain -q --data csv:x.csv --hidden 3 --epochs 1 --valid 0 --out b"));
    assert!(!said.contains("missing:"), "{said}");
}
