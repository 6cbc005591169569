//! The verbs that look into a checkpoint, on a deep belief net.

use crate::{Place, numbers, stderr};
use candle_core::{Device, Tensor};
use deepbelief_stack::Dbn;

fn features(place: &Place, words: &str) -> Vec<f32> {
    place.ok(&format!("encode d {words} --out x.npy"));
    npyz::NpyFile::new(&place.read("x.npy")[..]).unwrap().into_vec::<f32>().unwrap()
}

#[test]
fn every_depth_is_encoded() {
    let place = Place::new();
    place.stack("d", "");
    let (dbn, _) = Dbn::load(&place.path("d/model.safetensors"), &Device::Cpu).unwrap();
    let v = Tensor::from_vec(place.inputs("bits.csv"), (90, 9), &Device::Cpu).unwrap();
    for depth in 0..=3 {
        let expected = dbn.encode(&v, depth, None).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(features(&place, &format!("--depth {depth}")), expected);
    }
    assert_eq!(features(&place, ""), features(&place, "--depth 3"), "the top is the default");
    let states = features(&place, "--depth 2 --states");
    assert!(states.iter().all(|&h| h == 0.0 || h == 1.0) && states != features(&place, "--depth 3 --states"));

    place.ok("encode d --depth 1 --free-energy --out f.npy");
    let written = npyz::NpyFile::new(&place.read("f.free_energy.npy")[..]).unwrap().into_vec::<f32>().unwrap();
    let top = dbn.top().free_energy(&dbn.penultimate(&v).unwrap()).unwrap();
    assert_eq!(written, top.to_vec1::<f32>().unwrap(), "the free energy is the top's, whatever the depth");
}

#[test]
fn show_tells_layers_labels_and_ties() {
    let place = Place::new();
    place.stack("d", "--seed 5");
    let text = place.ok("show d --filters all.png");
    for part in [
        "kind          dbn, format version 1",
        "9-8-7-12 (bernoulli)",
        "3 at the top",
        "tied generative and recognition weights",
        "48 epochs, seed 5",
        "of 8, ",
        "layers.1.w_rec",
        "7x12",
        "top.label_w",
        "layer_0_free_energy_gap",
        "  layer 1\n",
    ] {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }
    let json = place.json("show d --json --filters top.png --layer 3");
    assert_eq!(json["header"]["sizes"], serde_json::json!([9, 8, 7, 12]));
    assert_eq!(json["tensors"][0]["name"], "layers.0.w_rec");
    assert_eq!(json["dead_filters_by_layer"].as_array().unwrap().len(), 3);
    let height = |name: &str| image::load_from_memory(&place.read(name)).unwrap().height();
    assert!(height("all.png") > height("top.png"));
}

/// The curve has the last value of the metrics between its ends, and as many filters as there are are drawn.
#[test]
fn a_run_is_shown_in_the_terminal() {
    let place = Place::new();
    place.train("run", "");
    let mut command = place.command("show run --terminal");
    let output = command.env("TERM", "dumb").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Reconstruction cost (nats per sample), "), "{text}");
    for part in ["epochs 1 to ", "*", "Weights of hidden units, from -"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\x1b') && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let mut command = place.command("show run/model.safetensors --terminal");
    let coloured = command.env("TERM", "xterm").env_remove("NO_COLOR").output().unwrap();
    let coloured = String::from_utf8(coloured.stdout).unwrap();
    assert!(coloured.starts_with("Weights of hidden units") && coloured.contains("\x1b[48;2;"), "{coloured}");
}

#[test]
fn reconstructions_go_through_all_layers() {
    let place = Place::new();
    place.ok("stack -q --data idx:bars --layers 6,8 --epochs 1 --out d");
    let output = place.run("reconstruct d --out r.png");
    assert!(output.status.success() && stderr(&output).contains("nats per sample"), "{}", stderr(&output));
    assert!(place.read("r.png").starts_with(b"\x89PNG"));
}

#[test]
fn an_export_says_what_it_holds() {
    let place = Place::new();
    place.stack("d", "");
    let said = stderr(&place.run("export d --as autoencoder --out a.safetensors"));
    let bytes = place.read("a.safetensors");
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 12);
    for (name, tensor) in file.tensors() {
        let line = said.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{name} in\n{said}"));
        assert!(line.ends_with(&format!("{:?}", tensor.shape())), "{line}");
    }
    assert_eq!(file.tensor("decoder.0.weight").unwrap().shape(), [7, 12]);
    // An RBM is a network of one layer.
    place.train("r", "");
    place.ok("export r --as mlp --out m.safetensors");
    let bytes = place.read("m.safetensors");
    assert_eq!(
        safetensors::SafeTensors::deserialize(&bytes).unwrap().tensor("layers.0.weight").unwrap().shape(),
        [8, 9]
    );
}

/// Another file of the same kind is read as the training data were: its values by the range that
/// was found there, its classes by the numbers they had there.
#[test]
fn other_data_are_read_as_the_training_data_were() {
    let place = Place::new();
    let row = |k: usize, name: &str| format!("{},{},{},{name}", k, (k * 7) % 20, (k * 3) % 11);
    let all: Vec<String> = (0..40).map(|k| row(k % 20, ["ant", "bee", "cat"][k % 3])).collect();
    let some: Vec<&str> = all.iter().filter(|row| !row.ends_with("bee")).map(String::as_str).collect();
    std::fs::write(place.path("all.csv"), all.join("\n")).unwrap();
    std::fs::write(place.path("some.csv"), some[..9].join("\n")).unwrap();
    place.ok(
        "pretrain -q --data csv:all.csv --label-column last --scale minmax --hidden 3 --epochs 1 --valid 0 --out r",
    );
    place.ok("encode r -q --out all.features.csv");
    place.ok("encode r -q --data csv:some.csv --label-column last --out some.features.csv");
    let (all_features, some_features) = (place.text("all.features.csv"), place.text("some.features.csv"));
    for line in some_features.lines() {
        assert!(all_features.lines().any(|other| other == line), "{line} in\n{all_features}");
    }
    std::fs::write(place.path("new.csv"), "1,2,3,ant\n1,2,3,dog\n").unwrap();
    // A model that has learned no labels leaves them as they are; one that has refuses those that it does not know.
    place.ok("encode r -q --data csv:new.csv --label-column last --out x.csv");
    assert!(place.text("x.csv").lines().last().unwrap().ends_with(",dog"));
    place.ok("stack -q --data csv:all.csv --label-column last --scale minmax --layers 3 --epochs 1 --valid 0 --out s");
    let output = place.run("encode s --data csv:new.csv --label-column last --out x.csv");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("dog"), "{}", stderr(&output));
}

/// Nothing that a verb reads is written over, whatever the path is called.
#[test]
fn results_overwrite_nothing_that_is_used() {
    let place = Place::new();
    place.train("r", "");
    std::fs::write(place.path("new.csv"), "1,1,1,0,0,0,0,0,0,0\n").unwrap();
    let data = "--data csv:new.csv --label-column last";
    let refused = |words: &str, what: &str| {
        let name = words.split_whitespace().last().unwrap();
        let before = place.read(name);
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(
            stderr(&output).contains(&format!("{name} is {what}, which would be overwritten")),
            "{}",
            stderr(&output)
        );
        assert!(place.read(name) == before, "{words}");
    };
    refused(&format!("score r {data} --out r/../new.csv"), "the data");
    refused(&format!("encode r {data} --out bits.csv"), "the model's training data");
    refused("encode r --out r/model.safetensors", "the checkpoint");
    refused("sample r/model.safetensors --out r/state.safetensors", "a file of the model's run");
    refused("export r --as mlp --out r/model.safetensors", "the checkpoint");
    refused(&format!("reconstruct r {data} --image-size 3x3 --out r/filters.png"), "a file of the model's run");
    place.ok(&format!("score r {data} --out r/scores.csv"));
    place.ok("eval r --out r/evaluation.json");
    place.ok("eval r --out r/evaluation.json");
}

/// A table is no picture, even where its units would fill a square.
#[test]
fn a_table_is_shown_as_a_table() {
    let place = Place::new();
    let rows: String = (0..30)
        .map(|k| format!("{},{},{}\n", 20 + k % 9, ["m", "f"][k % 2], ["a", "b"][k / 2 % 2]))
        .collect::<Vec<_>>()
        .concat();
    std::fs::write(place.path("people.csv"), format!("age,sex,kind\n{rows}")).unwrap();
    place.ok("pretrain -q --data csv:people.csv --column-types kind=categorical --visible-units bernoulli --hidden 3 --epochs 1 --out r");
    for words in ["sample r", "reconstruct r", "sample r --out x.gif"] {
        let said = stderr(&place.run(words));
        assert!(said.contains("--out x.csv") && !said.contains("--image-size"), "{said}");
    }
    place.ok("sample r --image-size 2x2 --out x.png");
}

/// The column that numbers the draws is called as no other is.
#[test]
fn draws_are_numbered_beside_a_column_of_that_name() {
    let place = Place::new();
    let rows = (0..30).map(|k| format!("{},{}\n", k % 2, 20 + k % 9)).collect::<Vec<_>>().concat();
    std::fs::write(place.path("games.csv"), format!("draw,age\n{rows},25\n")).unwrap();
    place.ok("pretrain -q --data csv:games.csv --hidden 3 --epochs 1 --valid 0 --out r");
    place.ok("impute r --draws 2 --out filled.csv");
    assert!(place.text("filled.csv").starts_with("draw_,draw,age\n1,"), "{}", place.text("filled.csv"));
    std::fs::remove_file(place.path("games.csv")).unwrap();
    let said = stderr(&place.run("impute r --out filled.csv"));
    for part in ["training data 'csv:games.csv' are not there", "from the folder that the training ran in", "--data"] {
        assert!(said.contains(part), "'{part}' in {said}");
    }
}

/// Where a model is used labels are only compared with: data that lack some are data without, and a training says what
/// to do.
#[test]
fn labels_that_are_missing_stop_no_model() {
    let place = Place::new();
    let row = |k: usize| format!("{},{},{}\n", k % 2, k / 2 % 2, ["no", "yes"][k % 2]);
    let table = |rows: String| format!("a,b,kind\n{rows}");
    std::fs::write(place.path("all.csv"), table((0..40).map(row).collect())).unwrap();
    std::fs::write(place.path("some.csv"), table(row(0) + "1,1,\n" + &row(1))).unwrap();
    let learn = "--epochs 2 --valid 0 --label-column kind";
    place.ok(&format!("stack -q --data csv:all.csv --layers 3 {learn} --out r"));
    let output = place.run("classify r --data csv:some.csv");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);
    assert!(stderr(&output).contains("1 of 3 labels missing in column \"kind\""), "{}", stderr(&output));
    for verb in ["encode", "score", "impute", "reconstruct"] {
        place.ok(&format!("{verb} r --data csv:some.csv --out out.csv"));
    }
    assert!(place.ok("classify r").lines().count() < 40, "these have labels");
    assert_eq!(place.ok("classify r --label-column none").lines().count(), 40);
    let refused = stderr(&place.run(&format!("pretrain --data csv:some.csv {learn} --out x")));
    assert!(refused.contains("`--column-types COLUMN=ignored` in place of `--label-column`"), "{refused}");
    place.ok("pretrain -q --data csv:some.csv --column-types kind=ignored --epochs 1 --valid 0 --out x");
}

/// A net that is trained further takes values beyond the range that it knows for its ends, unless a range is asked for.
#[test]
fn trainings_of_a_net_take_values_beyond_its_range_for_its_ends() {
    let place = Place::new();
    let values = |k: usize| (0..180).map(move |at| ((at * 7 + k) % 41) as f32 / 10.0 - 1.0).collect::<Vec<f32>>();
    place.write_values("a.npy", 30, &values(0));
    let mut beyond = values(3);
    beyond[20] = 9.0;
    place.write_values("b.npy", 30, &beyond);
    place.ok("stack -q --data npy:a.npy --visible-units bernoulli --layers 5,4 --epochs 2 --valid 0 --out s");
    for (words, out) in [("tune s --top-steps 1x2", "t"), ("finetune s --as autoencoder --epochs 2", "f")] {
        let output = place.run(&format!("{words} --data npy:b.npy --valid 0 --out {out}"));
        assert!(output.status.success() && stderr(&output).contains("taken for"), "{}", stderr(&output));
    }
    place.ok("finetune -q --resume f --epochs 3");
    let refused = place.run("tune s --data npy:b.npy --scale -1..3 --top-steps 1x2 --valid 0 --out x");
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
}

/// 60 samples of 12 grey values, high where the number of the unit goes with the label, and the label: `grey.csv`.
fn grey(place: &Place) -> Vec<f32> {
    let mut noise = numbers(5);
    let mut value = |on: bool| (noise.next().unwrap() % 400) as f32 / 1000.0 + if on { 0.55 } else { 0.05 };
    let rows: Vec<Vec<f32>> =
        (0..60_u32).map(|k| (0..12).map(|unit| value((unit + k).is_multiple_of(2))).collect()).collect();
    let line = |(k, row): (usize, &Vec<f32>)| {
        let values: Vec<String> = row.iter().map(|x| format!("{x:.3}")).collect();
        format!("{},{}\n", values.join(","), k % 2)
    };
    std::fs::write(place.path("grey.csv"), rows.iter().enumerate().map(line).collect::<String>()).unwrap();
    place.inputs("grey.csv")
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The largest difference.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Where a training drew states of grey values, their probabilities go through the model, which is said, and states
/// where they are asked for.
#[test]
fn a_model_takes_probabilities_where_its_training_drew_states() {
    let place = Place::new();
    let v = grey(&place);
    let learn = "--data csv:grey.csv --label-column last --scale none --binarize fresh --learning-rate 0.3 --valid 0";
    place.ok(&format!("pretrain -q {learn} --hidden 5 --epochs 30 --out d"));
    let tensors = |run: &str, name: &str| -> Vec<f32> {
        let bytes = place.tensors(&format!("{run}/model.safetensors")).remove(name).unwrap();
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    };
    let (w, b) = (tensors("d", "w_rec"), tensors("d", "hb"));
    let code = |v: &[f32], unit: usize| {
        sigmoid(b[unit] + v.iter().enumerate().map(|(from, v)| v * w[5 * from + unit]).sum::<f32>())
    };
    let expected: Vec<f32> = v.chunks(12).flat_map(|v| (0..5).map(|unit| code(v, unit)).collect::<Vec<_>>()).collect();
    assert!(apart(&features(&place, ""), &expected) < 1e-5);
    assert!(apart(&features(&place, "--binarize fresh"), &expected) > 0.01, "states are another thing");
    let said = "pixels:  probabilities, of which the training drew states; --binarize fresh draws states here too";
    for verb in ["encode", "reconstruct"] {
        assert!(stderr(&place.run(&format!("{verb} d --split train --out x.csv"))).contains(said), "{verb}");
    }
    let asked = stderr(&place.run("encode d --binarize none --out x.csv"));
    assert!(!asked.contains("pixels:"), "{asked}");

    // The labels of a net, and of a classifier that was trained from it.
    place.ok(&format!("stack -q {learn} --layers 6 --epochs 30 --out s"));
    place.ok("finetune -q s --epochs 3 --out f");
    let predicted = |words: &str| -> Vec<f32> {
        place.ok(&format!("classify {words} --out labels.csv"));
        let text = place.text("labels.csv");
        text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().parse().unwrap()).collect()
    };
    let (dbn, _) = Dbn::load(&place.path("s/model.safetensors"), &Device::Cpu).unwrap();
    let samples = Tensor::from_vec(v.clone(), (60, 12), &Device::Cpu).unwrap();
    let of_net = dbn.label_probabilities(&samples).unwrap().max(1).unwrap().to_vec1::<f32>().unwrap();
    assert!(apart(&predicted("s"), &of_net) < 1e-5);
    let layers =
        ["layers.0", "layers.1"].map(|layer| ["weight", "bias"].map(|part| tensors("f", &format!("{layer}.{part}"))));
    let inputs = |[w, b]: &[Vec<f32>; 2], v: &[f32]| -> Vec<f32> {
        let rows = w.chunks(v.len()).zip(b);
        rows.map(|(w, b)| b + w.iter().zip(v).map(|(w, v)| w * v).sum::<f32>()).collect()
    };
    let of_network = v.chunks(12).map(|v| {
        let hidden: Vec<f32> = inputs(&layers[0], v).into_iter().map(sigmoid).collect();
        let scores = inputs(&layers[1], &hidden);
        // Of two labels, the more probable one.
        sigmoid((scores[0] - scores[1]).abs())
    });
    assert!(apart(&predicted("f"), &of_network.collect::<Vec<_>>()) < 1e-5);
    for run in ["s", "f"] {
        assert!(stderr(&place.run(&format!("classify {run}"))).contains(said), "{run}");
    }
}
