//! `dbn check` as a user runs it, and what every training says of data that it finds the same of.

use crate::{Place, stderr};
use std::fmt::Write as _;

/// 60 samples of a label, two columns that vary, a constant one and a copy; `gap` stands in one place.
fn table(gap: &str) -> String {
    let mut text = "class,a,b,c,d\n".to_string();
    for row in 0..60 {
        let (class, b) =
            (if row < 2 { "rare" } else { "often" }, if row == 7 { gap.to_string() } else { (row % 7).to_string() });
        let _ = writeln!(text, "{class},{},{b},5,{}", row % 10, row % 10);
    }
    text
}

#[test]
fn the_digits_are_fit_and_their_training_says_nothing() {
    let place = Place::new();
    let text = place.ok("check mnist");
    for part in
        ["60,000 training and 10,000 test samples of 784 columns, pictures of 28x28", "grey levels", "67 constant"]
    {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }
    assert!(!text.contains("warning") && text.contains("fit for training"), "{text}");
    let said = stderr(&place.run("pretrain -q --hidden 2 --epochs 1 --valid 0 --out r"));
    assert_eq!(said, "");
}

/// Faults of every kind: each is reported, in words and as JSON, and the exit code says whether they matter.
#[test]
fn faults_are_told_and_the_exit_code_says_whether_they_matter() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), table("3")).unwrap();
    let text = place.ok("check csv:t.csv --label-column class --test csv:t.csv");
    for part in [
        "none constant, 1 the same as one before (4)",
        "real: mean 4.5, deviation 2.8",
        "column \"c\" is 5 in every row: ignored",
        "2: 2 (class rare) to 58 (class often) samples, 29.0 times as many",
        "60 test samples are training samples too",
        "the largest class has 29 times the samples of the smallest",
    ] {
        assert!(text.contains(part), "'{part}' in\n{text}");
    }

    std::fs::write(place.path("gap.csv"), table("NA")).unwrap();
    let output = place.run("check csv:gap.csv --label-column class --json --recipe gap.toml");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["fit"], &json["train"]["missing"]), (&true.into(), &1.into()));
    assert!(json["train"]["first_missing"].as_str().unwrap().contains("2 (counted from 0; line 9"));
    place.ok("pretrain -q --config gap.toml --epochs 1 --out gap");

    std::fs::write(place.path("same.csv"), "1,2\n1,2\n").unwrap();
    let output = place.run("check csv:same.csv --recipe same.toml");
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path("same.toml").exists(), "nothing to train by");
    assert!(String::from_utf8_lossy(&output.stdout).contains("there is nothing to learn"));
    let output = place.run("check csv:t.csv --label-column class --scale none");
    assert_eq!(output.status.code(), Some(1));

    let output = place.run("check csv:none.csv");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot read none.csv"), "{}", stderr(&output));
}

/// A recipe that is written must be one that trains, on what was looked at.
#[test]
fn the_recipe_trains() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), table("3")).unwrap();
    place.write_npy("x.npy", 300, 20);
    for (name, data) in [
        ("bits", "csv:bits.csv --label-column last"),
        ("bars", "idx:bars"),
        ("table", "csv:t.csv --label-column class --header yes"),
        ("npy", "npy:x.npy --image-size 5x4"),
    ] {
        place.ok(&format!("check {data} --recipe {name}.toml"));
        place.ok(&format!("pretrain -q --config {name}.toml --epochs 2 --out {name}"));
        let written: toml::Table = place.text(&format!("{name}.toml")).parse().unwrap();
        let used: toml::Table = place.text(&format!("{name}/config.toml")).parse().unwrap();
        for (key, value) in
            written.into_iter().filter(|(key, value)| key != "epochs" && value.as_str() != Some("minmax"))
        {
            let default = key == "hidden_units";
            assert!(used.get(&key).map_or(default, |used| *used == value), "{name}: {key} is {value}");
        }
    }
}

/// Pictures of ink on paper: the recipe turns them, and what the model gives back is in the values of the files.
#[test]
fn dark_pictures_on_a_light_ground_are_turned() {
    let place = Place::new();
    for k in 0..40 {
        let folder = place.path(["ink/across", "ink/down"][k % 2]);
        std::fs::create_dir_all(&folder).unwrap();
        let line = (k / 2 % 6) as u32;
        let picture = image::GrayImage::from_fn(6, 6, |x, y| {
            let at = if k % 2 == 0 { y } else { x };
            image::Luma([if at == line { 0 } else { 255 }])
        });
        picture.save(folder.join(format!("{k}.png"))).unwrap();
    }
    let said = place.ok("check images:ink --for stack --recipe ink.toml");
    assert!(said.contains("dark on a light ground: about 30 of 36 units are on; --scale 255..0 turns it"), "{said}");
    assert!(place.text("ink.toml").contains("scale = \"255..0\""), "{}", place.text("ink.toml"));
    place.ok("stack -q --config ink.toml --epochs 3 --out r");
    place.ok("reconstruct r --split train --out back.csv");
    let text = place.text("back.csv");
    let values: Vec<f64> =
        text.lines().skip(1).flat_map(|line| line.split(',').filter_map(|x| x.parse().ok())).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean > 170.0, "paper is 255, and five of six pixels are: {mean}");
}

/// Every training looks at its data, whatever it trains, and warns even where it is asked to be quiet.
#[test]
fn trainings_warn_of_what_check_finds() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), table("3")).unwrap();
    let data = "--data csv:t.csv --label-column class --scale minmax --valid 8";
    for verb in [
        "pretrain --hidden 4 --epochs 1",
        "stack --layers 4,4 --epochs 1",
        "tune --from-scratch --layers 4,4 --top-steps 1x1",
        "finetune --from-scratch --layers 4 --epochs 1",
    ] {
        let name = verb.split(' ').next().unwrap();
        let output = place.run(&format!("{verb} -q {data} --out {name}"));
        let said = stderr(&output);
        assert!(output.status.success(), "{verb}\n{said}");
        assert!(said.contains("warning: 1 of 4 visible units is constant: 2; see `dbn check`"), "{verb}\n{said}");
        assert!(said.contains("the largest class has 29 times"), "{verb}\n{said}");
    }
    place.write_npy("x.npy", 11_000, 64);
    let said = stderr(
        &place.run("pretrain -q --hidden 4 --epochs 1 --valid 0 --data npy:x.npy --binarize threshold=0.9 --out x"),
    );
    assert_eq!(said, "");
}

/// Their recipe is of values that are spread, and trains without the warning.
#[test]
fn values_that_fill_little_are_spread() {
    let place = Place::new();
    let row = |n: usize| format!("0.00{},0.00{},0.00{}\n", n % 7, n % 5, n % 3);
    std::fs::write(place.path("small.csv"), (0..60).map(row).collect::<Vec<_>>().concat()).unwrap();
    let found = place.ok("check csv:small.csv --recipe small.toml");
    assert!(found.contains("as good as constant: spread them by --scale minmax"), "{found}");
    assert!(place.text("small.toml").contains("scale = \"minmax\""));
    let warned = "as good as constant";
    let said = |words: &str| stderr(&place.run(&format!("pretrain -q --epochs 1 --hidden 4 --force --out r {words}")));
    assert!(said("--data csv:small.csv --valid 0").contains(warned));
    assert!(!said("--config small.toml --valid 0").contains(warned));
}

/// Columns of unlike ranges are recommended what a training makes of them: Gaussian units, each by its own mean.
#[test]
fn an_array_is_checked_as_it_is_trained() {
    let place = Place::new();
    let row = |k: usize| [(k % 7) as f32, 1000.0 + 37.0 * (k % 11) as f32, 0.001 * (k % 5) as f32];
    place.write_values("x.npy", 80, &(0..80).flat_map(row).collect::<Vec<_>>());
    let found = place.json("check npy:x.npy --json --recipe r.toml --schema-out s.toml");
    assert_eq!((&found["recipe"]["visible_units"], &found["narrow"]), (&"auto".into(), &serde_json::json!([])));
    let shown = place.ok("check npy:x.npy");
    assert!(shown.contains("3 gaussian") && shown.contains("real: mean 1179.45"), "{shown}");
    let shown = place.ok("check npy:x.npy --visible-units bernoulli");
    assert!(shown.contains("real: 1000 to 1370") && shown.contains("real: 0 to 0.004"), "{shown}");
    let of_array = "--epochs 1 --valid 0 --hidden 3 --seed 2";
    place.ok(&format!("pretrain -q {of_array} --config r.toml --out a"));
    place.ok(&format!("pretrain -q {of_array} --config r.toml --schema s.toml --out b"));
    assert_eq!(place.tensors("a/model.safetensors"), place.tensors("b/model.safetensors"));
}

/// The recipe for a stack is one that trains, and is read by its own verb.
#[test]
fn a_stack_has_a_recipe_too() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), table("3")).unwrap();
    let read = "--label-column class --for stack --visible-units bernoulli";
    let shown = place.ok(&format!("check csv:t.csv {read} --recipe s.toml"));
    assert!(shown.contains("to start `dbn stack` from:"), "{shown}");
    let written: toml::Table = place.text("s.toml").parse().unwrap();
    assert_eq!(written["layers"].as_array().unwrap().len(), 1, "of few samples");
    assert_eq!(written["visible_states"].as_str(), Some("probabilities"), "of amounts, in all layers");
    place.ok("stack -q --config s.toml --epochs 1 --out s");
    // Without a recipe it is the same.
    place.ok("stack -q --data csv:t.csv --label-column class --visible-units bernoulli --epochs 1 --out d");
    let [by_recipe, by_data] = ["s", "d"].map(|run| {
        let used: toml::Table = place.text(&format!("{run}/config.toml")).parse().unwrap();
        ["binarize", "visible_states", "layers"].map(|key| used[key].clone())
    });
    assert_eq!(by_recipe, by_data);
    assert_eq!(place.run("check csv:t.csv --for tune").status.code(), Some(2));
}

/// What is a sample to a training is one to `dbn check`.
#[test]
fn a_first_line_of_gaps_is_a_sample() {
    let place = Place::new();
    let row = |k: usize| format!("{},{}\n", k % 7, k * 3 % 5);
    let rows: String = (0..40).map(row).collect();
    std::fs::write(place.path("t.csv"), format!("NA,NA\n{rows}")).unwrap();
    let output = place.run("check csv:t.csv --json");
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&checked["train"]["samples"], &checked["train"]["missing"]), (&41.into(), &2.into()), "{checked}");
    let said = stderr(&place.run("pretrain --data csv:t.csv --hidden 3 --epochs 1 --valid 0 --out r"));
    assert!(said.contains("data:    t, 41 training samples"), "{said}");
}

/// How many rows have holes, in which columns, and which columns have them together.
#[test]
fn what_is_missing_is_counted_by_column_and_by_pattern() {
    let place = Place::new();
    let row = |k: usize| match k % 10 {
        0 => format!(",{},\n", k % 3),
        1 | 2 => format!("{},,m\n", 20 + k % 30),
        3 if k == 3 => "NA,NA,NA\n".to_string(),
        _ => format!("{},{},{}\n", 20 + k % 30, k % 3, if k.is_multiple_of(4) { "f" } else { "m" }),
    };
    let text: String = (0..100).map(row).collect();
    std::fs::write(place.path("t.csv"), format!("age,grade,sex\n{text}")).unwrap();
    let shown = String::from_utf8(place.run("check csv:t.csv").stdout).unwrap();
    for line in [
        "43 values in 31 of 100 samples",
        "by column: \"grade\" 21, \"age\" 11, \"sex\" 11",
        "missing alone: \"grade\", in 20 samples",
        "missing together: \"age\", \"sex\", in 10 samples",
        "together: \"age\", \"grade\", \"sex\", in 1 sample",
    ] {
        assert!(shown.contains(line), "'{line}' in {shown}");
    }
}
