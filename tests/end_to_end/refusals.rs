//! What cannot be done is said, with exit code 2, and leaves nothing behind.

use crate::{DEEP, Place, SMALL, stderr};

/// Runs what must fail; returns stderr.
fn refusal(place: &Place, words: &str) -> String {
    let before = place.listing();
    let output = place.run(words);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "dbn {words}\n{message}");
    assert!(output.stdout.is_empty(), "dbn {words}");
    assert_eq!(place.listing(), before, "dbn {words} must leave nothing behind");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn bad_data_are_named_with_their_place() {
    let place = Place::new();
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    write("ragged.csv", "0,1,0\n1,0\n");
    write("wide.csv", "0,1\n0,-7\n");
    write("word.csv", &("0,1\n1,1\n".repeat(10) + "x,1\n"));
    write("label.csv", "0,1,1.5\n1,0,0\n");
    write("empty.csv", "");
    write("inf.csv", "0,1\n0,inf\n");
    write("bytes.csv", "0,255\n1.5,0\n");
    std::fs::write(place.path("short.npy"), b"\x93NUMPY").unwrap();
    let cases: [(&str, &[&str]); 11] = [
        ("csv:inf.csv", &["column 1 (from 0)", "inf"]),
        ("csv:bytes.csv --scale none", &["line 1, column 1", "255", "0 to 1"]),
        ("csv:label.csv --label-column last", &["1.5", "label"]),
        ("csv:none.csv", &["none.csv", "No such file"]),
        ("csv:ragged.csv", &["line 2", "2 fields", "expected 3"]),
        ("csv:wide.csv --scale none", &["line 2, column 1", "-7"]),
        ("csv:word.csv", &["line 21", "\"x\" among numbers", "--missing x"]),
        ("csv:empty.csv", &["no samples"]),
        ("npy:short.npy", &["short.npy"]),
        ("arrow:x", &["unknown data source", "mnist, idx:DIR, csv:FILE"]),
        ("bits.csv", &["write csv:bits.csv"]),
    ];
    for (source, expected) in cases {
        let message = refusal(&place, &format!("pretrain --valid 0 --out r --data {source}"));
        for part in expected {
            assert!(message.contains(part), "{source}: '{part}' in {message}");
        }
    }
}

#[test]
fn damaged_idx_files_are_named() {
    let place = Place::new();
    let path = "bars/train-images-idx3-ubyte";
    let images = place.read(path);
    let message = |bytes: &[u8]| {
        std::fs::write(place.path(path), bytes).unwrap();
        refusal(&place, "pretrain --data idx:bars --out r")
    };
    assert!(message(&images[..images.len() - 1]).contains("truncated"));
    assert!(message(&[&images[..], &[0]].concat()).contains("too long"));
    let mut huge = images.clone();
    huge[4..8].fill(0xFF);
    assert!(message(&huge).contains("truncated"), "a header that promises the world reserves no memory");
}

/// Many more threads than processors only wait: they are refused before anything is read.
#[test]
fn threads_are_at_most_four_a_processor() {
    let place = Place::new();
    let processors = std::thread::available_parallelism().unwrap().get();
    let most = (4 * processors).min(1024);
    place.train("r", &format!("--threads {most}"));
    for words in ["pretrain --data csv:none.csv --out s", "eval r", "sample r", "check csv:none.csv"] {
        let said = refusal(&place, &format!("{words} --threads {}", most + 1));
        assert!(said.contains(&format!("at most {most}")) && said.contains("threads"), "{said}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let place = Place::new();
    let base = "pretrain --data csv:bits.csv --out r";
    let cases: [(&str, &[&str]); 14] = [
        ("--threads 1000000", &["threads is 1000000; it must be at most 1024"]),
        ("--hidden 0", &["hidden is 0; it must be between 1 and 65504 units"]),
        ("--hidden many", &["invalid value 'many' for '--hidden <N>'"]),
        ("--epochs 0", &["epochs is 0; it must be at least 1", "hint:"]),
        ("--learning-rate=-1", &["learning_rate is -1; it must be a positive 32-bit number"]),
        ("--momentum 1", &["momentum is 1; it must be at least 0 and below 1"]),
        ("--batch-size 0", &["batch_size is 0; it must be at least 1"]),
        ("--valid 90", &["cannot hold out 90 of 90 samples", "--valid"]),
        ("--binarize sometimes", &["threshold=T", "fresh"]),
        ("--balanced", &["class-balanced batches need labels"]),
        ("--image-size 4x4", &["4x4"]),
        ("--device gpu", &["--device", "device is 'gpu'; it must be auto, cpu or cuda:N"]),
        ("--device cuda", &["device is cuda:0, but this build has no support for GPUs", "--features cuda"]),
        ("--precision bf16 --device cpu", &["precision is bf16; it must be f32 on the CPU"]),
    ];
    for (option, expected) in cases {
        let message = refusal(&place, &format!("{base} {option}"));
        for part in expected {
            assert!(message.contains(part), "{option}: '{part}' in {message}");
        }
    }
}

#[test]
fn a_device_or_precision_that_is_not_there_is_refused_by_every_verb() {
    let place = Place::new();
    place.train("r", "");
    let data = "--data csv:bits.csv --label-column last --out x";
    let no_gpu = "device is cuda:0, but this build has no support for GPUs";
    let f32_alone = "precision is bf16; it must be f32 on the CPU";
    for (command, expected) in [
        (format!("stack {data} --layers 5,4 --device cuda:0"), no_gpu),
        (format!("stack {data} --layers 5,4 --device cpu --precision bf16"), f32_alone),
        (format!("tune r {data} --device cuda"), no_gpu),
        (format!("tune r {data} --device cpu --precision bf16"), f32_alone),
        (format!("finetune r {data} --device cuda:0"), no_gpu),
        (format!("finetune r {data} --precision bf16"), "precision is bf16; backpropagation computes in f32"),
        ("eval r --device cuda:0".to_string(), no_gpu),
        ("sample r --device cuda:0 --image-size 3x3 --out s.png".to_string(), no_gpu),
        ("selftest --device cuda:0".to_string(), no_gpu),
    ] {
        let message = refusal(&place, &command);
        assert!(message.contains(expected), "{command}: {message}");
    }
}

#[test]
fn an_error_is_one_line_of_what_then_causes_then_a_hint() {
    let place = Place::new();
    std::fs::write(place.path("r.toml"), "hiden = 5\n").unwrap();
    let message = refusal(&place, "pretrain --config r.toml --out r");
    assert_eq!(message, "error: r.toml: unknown key 'hiden'\n  hint: did you mean 'hidden'?\n");
    let message = refusal(&place, "pretrain --config none.toml --out r");
    assert_eq!(message, "error: cannot read the recipe none.toml\n  cause: No such file or directory (os error 2)\n");
    let message = refusal(&place, "pretrain --config none.toml --out r --log-format json");
    let value: serde_json::Value = serde_json::from_str(&message).unwrap();
    assert_eq!(value["level"], "ERROR");
    assert_eq!(value["message"], "cannot read the recipe none.toml");
    assert_eq!(value["causes"], "No such file or directory (os error 2)");
}

#[test]
fn an_earlier_run_is_kept() {
    let place = Place::new();
    place.train("r", "");
    let model = place.read("r/model.safetensors");
    let message = refusal(&place, &format!("pretrain {SMALL} --seed 9 --out r"));
    assert!(message.contains("r already holds a run") && message.contains("--force"), "{message}");
    assert!(place.read("r/model.safetensors") == model);
    place.train("r", "--seed 9 --force");
    assert!(place.read("r/model.safetensors") != model);
}

#[test]
fn places_that_cannot_be_written_are_named() {
    let place = Place::new();
    let message = refusal(&place, &format!("pretrain {SMALL} --out bits.csv/r"));
    assert!(message.contains("cannot make the run folder bits.csv/r"), "{message}");
    place.train("r", "");
    for words in ["show r --filters gone/f.png", "encode r --out gone/f.csv", "reconstruct r --out gone/f.png"] {
        assert!(refusal(&place, words).contains("there is no folder gone"), "{words}");
    }
}

#[test]
fn a_divergence_says_where_and_what_is_left() {
    let place = Place::new();
    let output = place.run(&format!("pretrain {SMALL} --out r --learning-rate 1e6"));
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("training diverged in epoch 1, batch "), "{message}");
    assert!(message.contains("try a learning rate below 1000000"), "{message}");
    assert!(message.contains("hint: the checkpoint of the start is in r/model.safetensors"), "{message}");
    assert!(place.ok("show r").contains("0 epochs"), "the last good checkpoint is whole");
}

#[test]
fn checkpoints_and_data_that_do_not_fit_are_refused() {
    let place = Place::new();
    place.train("r", "");
    // Read without its label column, the same table has one column more.
    std::fs::copy(place.path("bits.csv"), place.path("ten.csv")).unwrap();
    let cases: [(&str, &[&str]); 8] = [
        ("encode r --data idx:bars --out f.csv", &["30 columns, expected 9 as in the training data", "hint:"]),
        ("encode r --data csv:ten.csv --scale minmax --out f.csv", &["10 columns", "9 visible units"]),
        ("encode r --out f.txt", &["f.txt: the name must end in .csv, .npy, .parquet or .safetensors"]),
        ("encode r --split test --out f.csv", &["has no test samples", "--split train"]),
        (
            "reconstruct r --out f.jpg",
            &["f.jpg: the name must end in .png, .csv, .npy, .parquet, .safetensors, .fasta or .fa"],
        ),
        ("show none", &["there is no checkpoint none"]),
        ("show bits.csv", &["bits.csv: is not a whole safetensors file"]),
        ("show r/state.safetensors", &["cannot open the checkpoint", "r/state.safetensors", "hint: "]),
    ];
    for (words, expected) in cases {
        let message = refusal(&place, words);
        for part in expected {
            assert!(message.contains(part), "{words}: '{part}' in {message}");
        }
    }
}

#[test]
fn what_a_model_cannot_do_is_said() {
    let place = Place::new();
    place.train("r", "");
    place.stack("d", "");
    place.stack("plain", "--labels none");
    place.write_inputs("bits.csv", "inputs.csv");
    place.ok("export d --as mlp --out mlp.safetensors");
    std::fs::write(place.path("four.csv"), place.text("bits.csv").replace(",2\n", ",3\n")).unwrap();
    let cases: [(&str, &[&str]); 18] = [
        ("classify r", &["the checkpoint has no label group, which `dbn classify` needs", "dbn stack"]),
        ("classify plain", &["no label group"]),
        ("classify d --split test", &["bits has no test samples", "--split train"]),
        ("classify d --data idx:bars", &["30 columns, expected 9 as in the training data"]),
        ("classify d --data csv:four.csv --label-column last", &["has the label 3", "3 labels, 0 to 2"]),
        ("classify d --data csv:inputs.csv --confusion", &["no labels, which --confusion", "--label-column"]),
        ("classify d --data csv:inputs.csv --errors e.png", &["no labels, which --errors"]),
        ("classify d --errors e.jpg", &["e.jpg: the name must end in .png"]),
        ("classify d --method gibbs --steps 0", &["steps is 0; it must be between 1 and 32767"]),
        ("sample d --label 3 --out x.png", &["label 3 is unknown: the checkpoint has 3 labels, 0 to 2"]),
        ("sample d --label seven --out x.png", &["label seven is unknown: the checkpoint has 3 labels, 0 to 2"]),
        ("sample r --label 0 --out x.png", &["no label group, which --label needs"]),
        ("sample d --count 100 --shown 200 --out x.png", &["20000 tiles", ".gif"]),
        ("sample d --image-size 4x4 --out x.png", &["4x4 pixels do not fit 9 visible units"]),
        ("encode d --depth 4 --out x.csv", &["--depth is 4, but the checkpoint has 3 layers"]),
        ("show d --filters x.png --layer 4", &["layer 4 is asked for, but the model has 3 layers"]),
        ("show d --filters x.png --layer 0", &["invalid value '0' for '--layer <N>'"]),
        ("show mlp.safetensors", &["cannot open the checkpoint", "ends in Sigmoid units; of kind 'mlp'"]),
    ];
    for (words, expected) in cases {
        let message = refusal(&place, words);
        for part in expected {
            assert!(message.contains(part), "{words}: '{part}' in {message}");
        }
    }
}

/// Not even `--force` takes a run away for one that cannot be.
#[test]
fn a_refused_training_replaces_nothing() {
    let place = Place::new();
    place.stack("deep", "");
    let trainings = [
        format!("pretrain {SMALL} --valid 0"),
        format!("stack {DEEP} --valid 0"),
        "tune deep --top-steps 1x1 --valid 0".into(),
        "finetune deep --epochs 1 --valid 0".into(),
    ];
    for (n, training) in trainings.iter().enumerate() {
        place.ok(&format!("{training} -q --out r{n}"));
        let before = place.read(&format!("r{n}/model.safetensors"));
        let rate = if training.starts_with("tune") { "wake-rate" } else { "learning-rate" };
        for (settings, said) in [
            ("--patience 3".to_string(), "patience is 3, but there are no validation samples".to_string()),
            (format!("--{rate} 1e39"), "it must be a positive 32-bit number".into()),
            (format!("--{rate} 1e-50"), "it must be a positive 32-bit number".into()),
            ("--weight-cost 1e39".into(), "it must be zero or a positive 32-bit number".into()),
        ] {
            let message = refusal(&place, &format!("{training} {settings} --out r{n} --force"));
            assert!(message.contains(&said), "{training} {settings}: {message}");
            assert!(place.read(&format!("r{n}/model.safetensors")) == before, "{training} {settings}");
        }
    }
}

#[test]
fn states_and_models_of_another_kind_are_refused() {
    let place = Place::new();
    place.train("r", "");
    place.train("gaussian", "--hidden-units gaussian --learning-rate 0.001");
    let state = place.read("gaussian/state.safetensors");
    std::fs::remove_file(place.path("r/state.safetensors")).unwrap();
    std::fs::write(place.path("r/state.safetensors"), state).unwrap();
    let message = refusal(&place, "pretrain -q --resume r --epochs 4");
    assert!(message.contains(" gaussian hidden units, the settings say "), "{message}");

    // Numbers that can be read, but not summed over.
    let mut model = place.read("r/model.safetensors");
    let header = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    for number in model[8 + header..].chunks_exact_mut(4) {
        number.copy_from_slice(&3e38_f32.to_le_bytes());
    }
    std::fs::write(place.path("large.safetensors"), model).unwrap();
    let message = refusal(&place, "eval large.safetensors");
    assert!(message.contains("the log-likelihood comes out as NaN"), "{message}");
}
