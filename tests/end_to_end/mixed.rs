//! Nets over a table of a number, a category, a binary value and a spin: stacked, tuned, unrolled, and used.

use crate::{Place, stderr};
use std::fmt::Write as _;

/// Rows of two kinds of things, which each column but the last number tells with some errors.
pub(crate) fn things(rows: usize) -> String {
    let mut text = "length,colour,sharp,charge,luck,kind\n".to_string();
    for row in 0..rows {
        let u = |of: usize| ((row * 6 + of) * 7919 % 10_007) as f64 / 10_007.0;
        let normal = |of: usize| (0..12).map(|k| u(of + 31 * k + 7)).sum::<f64>() - 6.0;
        let blade = u(0) < 0.5;
        let right = |of: usize| (u(of) < 0.92) == blade;
        let length = if blade { 30.0 } else { 10.0 } + 3.0 * normal(1);
        let colour = if u(2) < 0.2 {
            "grey"
        } else if right(3) {
            "red"
        } else {
            "blue"
        };
        let (sharp, charge) = (if right(4) { "yes" } else { "no" }, if right(5) { 1 } else { -1 });
        let kind = if blade { "blade" } else { "ball" };
        let _ = writeln!(text, "{length:.2},{colour},{sharp},{charge},{:.3},{kind}", 100.0 * normal(6));
    }
    text
}

/// The cells of the named columns, a row a line.
fn cells(file: &[u8], names: [&str; 4]) -> Vec<[String; 4]> {
    let file = String::from_utf8(file.to_vec()).unwrap();
    let mut lines = file.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let places = names.map(|name| header.iter().position(|other| *other == name).unwrap());
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            places.map(|place| cells[place].to_string())
        })
        .collect()
}

const COLUMNS: [&str; 4] = ["length", "colour", "sharp", "charge"];

/// Whether values are of their columns, and go together as they do in the data.
fn require_likeness(file: &[u8], rows: usize) {
    let rows_of = cells(file, COLUMNS);
    assert_eq!(rows_of.len(), rows);
    let (mut together, mut lengths) = (0, [(0.0, 0); 2]);
    for [length, colour, sharp, charge] in &rows_of {
        assert!(["red", "blue", "grey"].contains(&colour.as_str()) && ["yes", "no"].contains(&sharp.as_str()));
        assert!(["-1", "1"].contains(&charge.as_str()), "{charge}");
        let (is_sharp, charged) = (sharp == "yes", charge == "1");
        together += usize::from(is_sharp == charged);
        let (sum, count) = &mut lengths[usize::from(charged)];
        *sum += length.parse::<f64>().unwrap();
        *count += 1;
    }
    // 85 of 100 in the data.
    assert!(together as f64 > 0.7 * rows as f64, "{together} of {rows}");
    let [down, up] = lengths.map(|(sum, count)| sum / f64::from(count.max(1)));
    // Some 11.6 and 28.4 in the data.
    assert!(down < 17.0 && up > 23.0, "{down} and {up}");
}

fn number(text: &str, key: &str) -> f64 {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    json[key].as_f64().unwrap_or_else(|| panic!("{key} in {text}"))
}

/// Uses a net with labels in every way, which tells labels with at most this error.
fn require_use(place: &Place, model: &str, error: f64) {
    place.ok(&format!("sample {model} --count 400 --steps 100 --out {model}.csv"));
    require_likeness(&place.read(&format!("{model}.csv")), 400);
    place.ok(&format!("sample {model} --label blade --count 400 --steps 100 --out blades.csv"));
    let blades = cells(&place.read("blades.csv"), COLUMNS);
    // 340 of 400 in the data.
    let charged = blades.iter().filter(|row| row[3] == "1").count();
    assert!(charged > 280, "{model}: {charged}");
    let told = place.ok(&format!("classify {model} --json"));
    assert!(number(&told, "error") < error, "{model}: {told}");
    let told = place.ok(&format!("eval {model} --json"));
    assert!(number(&told, "reconstruction_cost").is_finite(), "{told}");
    // Of all that is in a file: what is given stays.
    place.ok(&format!("sample {model} --given charge=1,sharp=yes --count 60 --steps 50 --out given.csv"));
    let given = cells(&place.read("given.csv"), COLUMNS);
    assert!(given.iter().all(|row| row[2] == "yes" && row[3] == "1"));
    let mean = given.iter().map(|row| row[0].parse::<f64>().unwrap()).sum::<f64>() / given.len() as f64;
    assert!(mean > 22.0, "{model}: {mean}");

    std::fs::write(place.path("gaps.csv"), "length,colour,sharp,charge,luck\n31,,yes,1,\n,blue,no,-1,0\n").unwrap();
    place.ok(&format!("impute {model} --data csv:gaps.csv --out filled.csv"));
    let filled = cells(&place.read("filled.csv"), COLUMNS);
    assert!(filled[0][1] == "red" && filled[1][0].parse::<f64>().unwrap() < 20.0, "{model}: {filled:?}");
    place.ok(&format!("score {model} --data csv:things.csv --out scores.csv"));
    let scores = String::from_utf8(place.read("scores.csv")).unwrap();
    assert!(scores.starts_with("line,free_energy,log_likelihood,percentile,beyond,oddest,"), "{}", &scores[..80]);
    place.ok(&format!("reconstruct {model} --out back.csv"));
    require_likeness(&place.read("back.csv"), 400);
    place.ok(&format!("encode {model} --out codes.csv"));
}

#[test]
fn nets_over_mixed_columns_are_stacked_tuned_unrolled_and_used() {
    let place = Place::new();
    std::fs::write(place.path("things.csv"), things(400)).unwrap();
    std::fs::write(place.path("many.csv"), things(1200)).unwrap();
    let shown = place.ok("check csv:many.csv --visible-units auto --label-column kind --for stack");
    assert!(shown.contains("in the lowest layer"), "{shown}");
    let stacked = place.run(
        "stack --data csv:things.csv --visible-units auto --column-types charge=spin --label-column kind --layers 12,12 \
         --epochs 150 --valid 50 --out stack",
    );
    assert!(stacked.status.success(), "{}", stderr(&stacked));
    let told = stderr(&stacked);
    assert!(
        told.contains("stack of 1 gaussian, 1 categorical of 3, 1 bernoulli, 1 spin, 1 gaussian visible units"),
        "{told}"
    );
    assert!(place.ok("show stack").contains("format version 2"));

    place.ok("tune stack --top-steps 3x40 --out tuned");
    for model in ["stack", "tuned"] {
        require_use(&place, model, 0.12);
    }
    place.ok("finetune tuned --epochs 30 --out mlp");
    let told = place.ok("classify mlp --json");
    assert!(number(&told, "error") < 0.1, "{told}");
    place.ok("finetune stack --as autoencoder --epochs 60 --out auto");
    place.ok("reconstruct auto --out back.csv");
    require_likeness(&place.read("back.csv"), 400);
    place.ok("encode auto --out codes.csv");
}

/// The label is one of the visible units; so is it under hidden units of another kind.
#[test]
fn one_layer_with_labels_over_mixed_columns_is_used() {
    let place = Place::new();
    std::fs::write(place.path("things.csv"), things(400)).unwrap();
    let stacked = "stack -q --data csv:things.csv --column-types charge=spin --label-column kind --valid 50 --epochs 150 \
                   --persistent-chains 100 --cd-steps 2";
    place.ok(&format!("{stacked} --layers 16 --out one"));
    require_use(&place, "one", 0.12);
    place.ok(&format!("{stacked} --layers 24 --hidden-units spin --out spins"));
    let told = place.ok("classify spins --json");
    assert!(number(&told, "error") < 0.12, "{told}");
}

#[test]
fn what_nets_over_mixed_columns_are_not_is_said() {
    let place = Place::new();
    std::fs::write(place.path("things.csv"), things(60)).unwrap();
    let refused = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output)
    };
    let common = "stack --data csv:things.csv --visible-units auto --label-column kind --labels none --valid 0 --epochs 1 --out x";
    let error = refused(&format!("{common} --layers 5,4 --hidden-units relu"));
    assert!(
        error.contains("layer 1 has relu hidden units, but only the top layer of a stack of 2 can have such"),
        "{error}"
    );
    let error = refused(&format!("{common} --layers 5,13 --start random,transposed"));
    assert!(error.contains("which would mirror visible units that are not bernoulli"), "{error}");
    place.ok(&format!("{common} --layers 5 -q"));
    let error = refused("sample x --given length=1e30 --count 5 --steps 5 --out far.csv");
    assert!(
        error.contains("length=1e30; it must be a number from") && error.contains("1000 standard deviations"),
        "{error}"
    );
    let far = stderr(&place.run("sample x --given length=500 --count 5 --steps 5 --out far.csv"));
    assert!(far.contains("length=500 lies") && far.contains("standard deviations from the mean"), "{far}");
    let error = refused("tune x --out y");
    assert!(error.contains("in nets of two layers or more"), "{error}");
}
