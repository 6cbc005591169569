//! What the program prints and the files that its smaller verbs write.

use crate::{Place, stderr};
use std::process::Stdio;

/// Help is part of the interface: a change of it is seen and approved.
#[test]
fn help_reads_as_approved() {
    let place = Place::new();
    for verb in [
        "",
        "pretrain",
        "stack",
        "tune",
        "finetune",
        "recipe",
        "show",
        "reconstruct",
        "encode",
        "classify",
        "sample",
        "page",
        "eval",
        "score",
        "contacts",
        "quality",
        "thermodynamics",
        "impute",
        "export",
        "import",
        "pull",
        "push",
        "check",
        "report",
        "runs",
        "compare",
        "completions",
        "man",
    ] {
        let name = if verb.is_empty() { "dbn" } else { verb };
        let help = place.ok(&format!("{verb} --help"));
        insta::assert_snapshot!(name, help);
        if ["pretrain", "stack", "tune", "finetune"].contains(&verb) {
            let help = place.ok(&format!("{verb} -h"));
            insta::assert_snapshot!(format!("{name}_in_short"), help);
        }
    }
}

#[test]
fn quiet_is_quiet_and_json_is_json() {
    let place = Place::new();
    let quiet = place.run(&format!("pretrain -q --out a {}", crate::SMALL));
    assert_eq!(stderr(&quiet), "");
    let json = place.run(&format!("pretrain --log-format json --out b {}", crate::SMALL));
    let lines: Vec<serde_json::Value> = stderr(&json).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let epochs: Vec<&serde_json::Value> = lines.iter().filter(|line| line.get("epoch").is_some()).collect();
    assert_eq!(epochs.len(), 2);
    assert!(epochs.iter().all(|line| line["free_energy_gap"].is_number()));
}

/// stderr is no terminal here: one line an epoch, no bar, no colour.
#[test]
fn before_training_the_plan_is_told_and_then_one_line_an_epoch() {
    let place = Place::new();
    let text = stderr(&place.run(&format!("pretrain --out a {}", crate::SMALL)));
    for part in
        ["bits, 79 training samples, 11 validation of 9 units", "9-8 RBM, 89 parameters", "thread", "MiB", "run:     a"]
    {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ") && line.contains("samples/s")).count(), 2);
    assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    place.train("r", "");
    let mut child = place.command("show r --json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}

#[test]
fn show_tells_what_is_in_a_checkpoint() {
    let place = Place::new();
    place.train("r", "--seed 5");
    let text = place.ok("show r");
    for part in ["9 visible (bernoulli), 8 hidden (bernoulli)", "2 epochs, seed 5", "w_rec", "9x8", "free_energy_gap"] {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&place.ok("show r/model.safetensors --json --filters f.png")).unwrap();
    assert_eq!(json["header"]["hidden"], 8);
    assert_eq!(json["tensors"][0]["name"], "w_rec");
    assert_eq!(json["tensors"][0]["shape"], serde_json::json!([9, 8]));
    assert!(json["dead_filters"].is_number());
    assert!(place.read("f.png").starts_with(b"\x89PNG"));
}

#[test]
fn reconstruct_draws_what_it_is_asked_for() {
    let place = Place::new();
    place.ok("pretrain -q --data idx:bars --hidden 4 --epochs 1 --out r");
    place.ok("reconstruct r --out ten.png");
    place.ok("reconstruct r --out three.png --count 3 --split train");
    let width = |name: &str| image::load_from_memory(&place.read(name)).unwrap().width();
    assert!(width("ten.png") > width("three.png"));
    // Data without test samples: training samples, and a word about it.
    place.train("s", "");
    let output = place.run("reconstruct s --out s.png");
    assert!(output.status.success() && stderr(&output).contains("showing training samples"), "{}", stderr(&output));
}

/// Three formats of the same features must hold the same numbers.
#[test]
fn encode_writes_the_same_features_in_every_format() {
    let place = Place::new();
    place.train("r", "");
    for file in ["f.safetensors", "f.npy", "f.csv"] {
        place.ok(&format!("encode r --free-energy --out {file}"));
    }
    let bytes = place.read("f.safetensors");
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        file.tensor(name).unwrap().data().as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x)).collect()
    };
    let (features, free_energy) = (floats("features"), floats("free_energy"));
    assert_eq!(file.tensor("features").unwrap().shape(), [90, 8]);
    let labels: Vec<i64> =
        file.tensor("labels").unwrap().data().as_chunks::<8>().0.iter().map(|&x| i64::from_le_bytes(x)).collect();
    assert_eq!(labels, (0..90).map(|sample| sample % 3).collect::<Vec<_>>());

    let npy = |name: &str| place.read(name);
    let read = |bytes: &[u8]| npyz::NpyFile::new(bytes).unwrap().into_vec::<f32>().unwrap();
    assert_eq!(read(&npy("f.npy")), features);
    assert_eq!(read(&npy("f.free_energy.npy")), free_energy);
    assert_eq!(npyz::NpyFile::new(&npy("f.labels.npy")[..]).unwrap().into_vec::<i64>().unwrap(), labels);

    let csv = place.text("f.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("h0,h1,h2,h3,h4,h5,h6,h7,free_energy,label"));
    for (sample, line) in lines.enumerate() {
        let fields: Vec<f32> = line.split(',').map(|field| field.parse().unwrap()).collect();
        assert_eq!(fields[..8], features[sample * 8..(sample + 1) * 8]);
        assert_eq!(fields[8..], [free_energy[sample], labels[sample] as f32]);
    }
}

#[test]
fn states_are_drawn_from_the_probabilities() {
    let place = Place::new();
    place.train("r", "");
    place.ok("encode r --states --out a.npy");
    place.ok("encode r --states --out b.npy");
    place.ok("encode r --out p.npy");
    let read = |name: &str| npyz::NpyFile::new(&place.read(name)[..]).unwrap().into_vec::<f32>().unwrap();
    let (states, probabilities) = (read("a.npy"), read("p.npy"));
    assert_eq!(states, read("b.npy"), "the checkpoint's seed decides");
    assert!(states.iter().all(|&h| h == 0.0 || h == 1.0));
    // Their difference has mean 0 and at most 1/4 variance: five standard errors of 720 draws.
    let n = states.len() as f32;
    let mean = states.iter().zip(&probabilities).map(|(h, p)| h - p).sum::<f32>() / n;
    assert!(mean.abs() < 5.0 * 0.5 / n.sqrt(), "mean difference {mean}");
}

#[test]
fn a_machine_that_computes_right_passes_the_selftest() {
    let place = Place::new();
    let json: serde_json::Value = serde_json::from_str(&place.ok("selftest --device cpu --json")).unwrap();
    assert_eq!((&json["ok"], &json["device"]), (&true.into(), &"cpu".into()), "{json}");
    assert_eq!(json["checks"].as_array().unwrap().len(), 13, "{json}");
}

/// The tool's own data sets: written, read back, trained on, and compared with their entropy.
#[test]
fn small_data_sets_are_made_with_their_entropy() {
    let place = Place::new();
    let said: serde_json::Value =
        serde_json::from_str(&place.ok("data make bars-and-stripes --size 3 --out bars.csv --json")).unwrap();
    let entropy = 4.0 * std::f64::consts::LN_2 - 0.25 * std::f64::consts::LN_2;
    assert!((said["entropy"].as_f64().unwrap() - entropy).abs() < 1e-9, "{said}");
    assert_eq!((&said["samples"], &said["units"]), (&16.into(), &9.into()));
    place.ok(
        "pretrain -q --data csv:bars.csv --label-column label --valid 0 --hidden 8 --batch-size 16 --epochs 2000 \
         --learning-rate 0.5 --schedule linear --final-learning-rate 0.01 --persistent-chains 100 --momentum 0 \
         --final-momentum 0 --binarize threshold=0.5 --weight-cost 0 --save-every 0 --out r",
    );
    let eval = |options: &str| -> serde_json::Value {
        serde_json::from_str(&place.ok(&format!("eval r --split train --json {options}"))).unwrap()
    };
    let exact = eval("--pseudo-likelihood exact");
    let likelihood = exact["log_likelihood"]["exact"]["value"].as_f64().unwrap();
    // Far better than independent fair units (-6.24), never better than the entropy allows.
    assert!(likelihood > -3.2 && likelihood <= -entropy + 1e-6, "{likelihood}, entropy {entropy}");
    // Single units given the others are predicted more easily than whole samples.
    let pseudo = exact["pseudo_log_likelihood"].as_f64().unwrap();
    assert!(pseudo > likelihood && pseudo < 0.0, "{pseudo} and {likelihood}");
    let one = eval("--pseudo-likelihood stochastic")["pseudo_log_likelihood"].as_f64().unwrap();
    assert!(one < 0.0 && one != pseudo);
    let said = place.ok("data make parity --out p.csv");
    assert!(said.contains("128 samples of 8 units; entropy 4.8520 nats"), "{said}");
    assert!(said.ends_with("to train on them: dbn pretrain --data csv:p.csv\n"), "{said}");
    let said = place.ok("data make bars-and-stripes --out b.csv");
    assert!(said.ends_with("to train on them: dbn pretrain --data csv:b.csv --label-column label\n"), "{said}");
}
