//! What comes out of a model as a table, in the units of the data.

use crate::Place;
use crate::tables::{people, text};
use candle_core::{Device, Tensor};
use std::collections::BTreeSet;

/// An RBM of people, `smokes` their label, and a stack whose top has that label.
fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..120), &[0, 1, 2, 3, 4, 5], ",")).unwrap();
    let read = "-q --data csv:people.csv --label-column smokes --column-types id=ignored";
    place.ok(&format!(
        "pretrain {read} --visible-units bernoulli --hidden 12 --epochs 60 --valid 0 --learning-rate 0.3 --out rbm"
    ));
    place.ok(&format!("stack {read} --layers 8,9 --epochs 20 --valid 0 --out deep"));
    place
}

/// The last columns of the scores of a table.
pub(crate) const ODD: &str = "oddest,oddest_nats,second,second_nats";

/// Fields of the lines of a file, the header first.
pub(crate) fn fields(place: &Place, name: &str) -> Vec<Vec<String>> {
    place.text(name).lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

pub(crate) fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|other| other == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

#[test]
fn samples_are_rows_of_the_data() {
    let place = place();
    place.ok("sample rbm --count 400 --steps 50 --out s.csv");
    let rows = fields(&place, "s.csv");
    assert_eq!((rows.len(), rows[0].join(",")), (401, "age,sex,blood,height".to_string()));
    let ages: Vec<f32> = column(&rows, "age").iter().map(|age| age.parse().unwrap()).collect();
    assert!(ages.iter().all(|age| (20.0..=79.0).contains(age)) && ages.iter().any(|age| age.fract() != 0.0));
    for (name, levels) in [("sex", &["f", "m"][..]), ("blood", &["0", "A", "AB", "B"])] {
        let found: BTreeSet<String> = column(&rows, name).into_iter().collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), levels, "states are drawn, so that every level comes up");
    }
    // The file is one that the model reads, and what it holds is what the other formats hold.
    place.ok("encode rbm --data csv:s.csv --out codes.csv");
    place.ok("sample rbm --count 400 --steps 50 --out s.npy");
    let file = place.read("s.npy");
    let npy = npyz::NpyFile::new(&file[..]).unwrap();
    assert_eq!(npy.shape(), [400, 4]);
    let values = npy.into_vec::<f32>().unwrap();
    let number = |name: &str, text: &String| match name {
        "sex" => ["f", "m"].iter().position(|level| level == text).unwrap() as f32,
        "blood" => ["0", "A", "AB", "B"].iter().position(|level| level == text).unwrap() as f32,
        _ => text.parse().unwrap(),
    };
    let expected = rows[1..].iter().flat_map(|row| rows[0].iter().zip(row).map(|(name, text)| number(name, text)));
    assert_eq!(values, expected.collect::<Vec<f32>>());
    place.ok("sample rbm --count 400 --steps 50 --out s.parquet");
    assert!(place.read("s.parquet").starts_with(b"PAR1"));

    // A clamped label stands by its name behind the columns; chains and times are rows.
    place.ok("sample deep --label no,yes --count 3 --shown 2 --steps 5 --out l.csv");
    let rows = fields(&place, "l.csv");
    assert_eq!(rows[0].join(","), "age,sex,blood,height,smokes");
    assert_eq!(column(&rows, "smokes").join(" "), "no no no yes yes yes no no no yes yes yes");
    place.ok("sample deep --label yes --count 3 --steps 5 --out l.npy");
    assert_eq!(npyz::NpyFile::new(&place.read("l.labels.npy")[..]).unwrap().into_vec::<i64>().unwrap(), [1, 1, 1]);
    let refused = crate::stderr(&place.run("sample deep --count 101 --out x.png"));
    assert!(refused.contains("a picture shows at most 100 chains"), "{refused}");
}

/// A model of what has no columns gives values in the units of its pixels.
#[test]
fn pictures_and_reconstructions_are_numbers_too() {
    let place = Place::new();
    place.ok("pretrain -q --data idx:bars --hidden 16 --epochs 9 --valid 0 --out r");
    place.ok("reconstruct r --out all.csv");
    let rows = fields(&place, "all.csv");
    assert_eq!((rows.len(), rows[0].len()), (21, 31), "all test samples, 30 pixels and the label");
    assert_eq!(rows[0][..3], ["0", "1", "2"]);
    let bytes = place.read("bars/t10k-images-idx3-ubyte");
    let pixels = &bytes[16..];
    let labels: Vec<String> = place.read("bars/t10k-labels-idx1-ubyte")[8..].iter().map(ToString::to_string).collect();
    assert_eq!(column(&rows, "label"), labels);
    let values: Vec<f32> = rows[1..].iter().flat_map(|row| row[..30].iter().map(|x| x.parse().unwrap())).collect();
    let (rbm, _) = deepbelief_rbm::load(&place.path("r/model.safetensors"), &Device::Cpu).unwrap();
    let v = Tensor::from_vec(pixels.iter().map(|&x| f32::from(x) / 255.0).collect::<Vec<_>>(), (20, 30), &Device::Cpu);
    let means = rbm.reverse(&rbm.forward(&v.unwrap()).unwrap()).unwrap().flatten_all().unwrap();
    for (value, mean) in values.iter().zip(means.to_vec1::<f32>().unwrap()) {
        assert!((value / 255.0 - mean).abs() < 1e-6, "{value} of grey levels is not {mean}");
    }
    place.ok("reconstruct r --count 7 --split train --out some.npy");
    assert_eq!(npyz::NpyFile::new(&place.read("some.npy")[..]).unwrap().shape(), [7, 30]);
    place.ok("reconstruct r --out all.parquet");
    assert!(place.read("all.parquet").starts_with(b"PAR1"));
}

/// Scores of a table `dbn score` wrote, by column.
pub(crate) fn scores(place: &Place, words: &str) -> Vec<Vec<String>> {
    place.ok(&format!("score {words} --out scores.csv"));
    fields(place, "scores.csv")
}

pub(crate) fn numbers(rows: &[Vec<String>], name: &str) -> Vec<f64> {
    column(rows, name).iter().map(|x| x.parse().unwrap()).collect()
}

/// Of binary data everything is exact: the mean is what `dbn eval` says.
#[test]
fn scores_are_exact_and_the_same_wherever_a_row_stands() {
    let place = Place::new();
    place.train("r", "--epochs 30");
    place.write_inputs("bits.csv", "inputs.csv");
    let all = scores(&place, "r");
    assert_eq!(all[0].join(","), format!("line,free_energy,log_likelihood,percentile,beyond,{ODD}"));
    let likelihoods = numbers(&all, "log_likelihood");
    let exact = place.json("eval r --json")["log_likelihood"]["exact"]["value"].as_f64().unwrap();
    let mean = likelihoods.iter().sum::<f64>() / 90.0;
    assert!((mean - exact).abs() < 1e-4, "{mean} and {exact}");
    // The rank of a training sample among all of them, itself included.
    let percentiles = numbers(&all, "percentile");
    for (x, percentile) in likelihoods.iter().zip(&percentiles) {
        let rank = likelihoods.iter().filter(|other| *other <= x).count() as f64;
        assert!((percentile - 100.0 * rank / 90.0).abs() < 1e-4, "{percentile} of {rank}");
    }
    // Some of the rows in another order, in a file of their own.
    let lines: Vec<String> = place.text("bits.csv").lines().map(String::from).collect();
    let chosen = [41, 3, 88, 0];
    std::fs::write(place.path("some.csv"), chosen.map(|row| lines[row].clone()).join("\n")).unwrap();
    let some = scores(&place, "r --data csv:some.csv --label-column last");
    for (k, row) in chosen.into_iter().enumerate() {
        assert_eq!(some[1 + k][1..], all[1 + row][1..], "row {row}");
    }
    // The least probable come first in the summary.
    let said = place.json("score r --json --out s.npy");
    let least = likelihoods.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert_eq!(said["least_probable"][0]["row"], least);
    assert_eq!(said["least_probable"][0]["line"], least + 1);
    assert!(place.ok("score r --out s.csv").contains("the least probable 5 rows"));
    // Another ln Z moves all alike.
    let given = numbers(&scores(&place, "r --log-z -2.5"), "log_likelihood");
    let z = said["log_z"].as_f64().unwrap();
    assert!(given.iter().zip(&likelihoods).all(|(a, b)| (a - b - z - 2.5).abs() < 1e-4));
    // Where the training data are gone there is no percentile.
    std::fs::remove_file(place.path("bits.csv")).unwrap();
    let output = place.run("score r --data csv:some.csv --label-column last --out gone.csv");
    assert!(
        crate::stderr(&output).contains("no column percentile: the model's training data 'csv:bits.csv' are not there")
    );
    assert_eq!(fields(&place, "gone.csv")[0].join(","), format!("line,free_energy,log_likelihood,beyond,{ODD}"));
}

/// A deep net's scores rest on draws, which are the same for every row.
#[test]
fn a_deep_net_scores_rows_by_themselves() {
    let place = Place::new();
    place.stack("d", "");
    let all = scores(&place, "d --layer-draws 2000");
    let lines: Vec<String> = place.text("bits.csv").lines().map(String::from).collect();
    std::fs::write(place.path("two.csv"), [17, 5].map(|row| lines[row].clone()).join("\n")).unwrap();
    let two = scores(&place, "d --layer-draws 2000 --data csv:two.csv --label-column last");
    assert_eq!((&two[1][1..], &two[2][1..]), (&all[18][1..], &all[6][1..]));
    let mean = numbers(&all, "log_likelihood").iter().sum::<f64>() / 90.0;
    let estimate = place.json("eval d --layer-draws 2000 --json")["log_likelihood"]["importance"]["value"].as_f64();
    assert!((mean - estimate.unwrap()).abs() < 0.3, "{mean} and {estimate:?}");
    let refused = crate::stderr(&place.run("score d --binarize fixed --out x.csv"));
    assert!(refused.contains("a score must not depend on draws"), "{refused}");
}

/// People whose height says whether they smoke; some cells are empty or NA.
fn gaps(place: &Place) -> Vec<Vec<String>> {
    let mut lines: Vec<String> = place.text("people.csv").lines().map(String::from).collect();
    for (k, line) in lines.iter_mut().enumerate().skip(1) {
        let mut fields: Vec<&str> = line.split(',').collect();
        match k % 5 {
            0 => fields[5] = "",
            1 => fields[3] = "NA",
            2 => fields[4] = "",
            _ => {}
        }
        *line = fields.join(",");
    }
    // Beyond the range of the others, with more digits than a number of 32 bits keeps.
    lines[3] = lines[3].replace("p2,", "000123456789,").replace(&format!(",{}", height(&lines[3])), ",9.123456789");
    std::fs::write(place.path("gaps.csv"), lines.join("\n")).unwrap();
    lines.iter().map(|line| line.split(',').map(String::from).collect()).collect()
}

fn height(line: &str) -> &str {
    line.rsplit_once(',').unwrap().1
}

#[test]
fn gaps_are_filled_and_the_rest_stays_as_it_was() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..300), &[0, 1, 2, 3, 4, 5], ",")).unwrap();
    let read = "-q --data csv:people.csv --column-types id=ignored";
    place.ok(&format!("pretrain {read} --hidden 20 --epochs 150 --valid 0 --learning-rate 0.3 --out r"));
    let rows = gaps(&place);
    let said = place.json("impute r --data csv:gaps.csv --out filled.csv --spread --json");
    assert_eq!((&said["samples"], &said["filled"]), (&300.into(), &(3 * 60).into()));
    let filled = fields(&place, "filled.csv");
    let spreads = "age.spread,sex.spread,smokes.spread,blood.spread,height.spread";
    assert_eq!(filled[0].join(","), format!("id,age,sex,smokes,blood,height,{spreads}"));
    let whole = people(0..300);
    let (mut right, mut error, mut baseline) = (0, 0.0, 0.0);
    for (row, (filled, gap)) in filled[1..].iter().zip(&rows[1..]).enumerate() {
        for column in 0..6 {
            let known = !["", "NA"].contains(&gap[column].as_str());
            assert!(!known || filled[column] == gap[column], "row {row}: {} became {}", gap[column], filled[column]);
            if column > 0 {
                let spread: f32 = filled[5 + column].parse().unwrap();
                assert_eq!(spread == 0.0, known, "row {row}, column {column}: {spread}");
            }
        }
        right += usize::from(gap[3] == "NA" && filled[3] == whole[row][3]);
        if gap[5].is_empty() {
            let truth: f64 = whole[row][5].parse().unwrap();
            error += (filled[5].parse::<f64>().unwrap() - truth).abs() / 60.0;
            baseline += (1.74 - truth).abs() / 60.0;
        }
    }
    // Who smokes is short: each is predicted from the other.
    assert!(right >= 57, "{right} of 60 predicted");
    assert!(error < 0.5 * baseline, "{error} off, {baseline} by the mean");
    // A row without any value is a row of the output, whatever else it lacks.
    let some: Vec<String> = [rows[0].join(","), rows[6].join(","), ",,,,,".into(), rows[11].join(",")].into();
    std::fs::write(place.path("blank.csv"), some.join("\n")).unwrap();
    place.ok("impute r --data csv:blank.csv --out blank-filled.csv");
    let blank = fields(&place, "blank-filled.csv");
    assert_eq!((blank.len(), &blank[1][..], &blank[3][..]), (4, &filled[6][..6], &filled[11][..6]));
    assert!(blank[2][0].is_empty() && blank[2][1..].iter().all(|field| !field.is_empty()), "{:?}", blank[2]);
    // Whole rows of a table by itself: the same as beside others.
    let some: Vec<String> = [0, 6, 11].map(|row: usize| rows[row].join(",")).into();
    std::fs::write(place.path("some.csv"), some.join("\n")).unwrap();
    place.ok("impute r --data csv:some.csv --out some-filled.csv --spread");
    let alone = fields(&place, "some-filled.csv");
    assert_eq!((&alone[1][..6], &alone[2][..6]), (&filled[6][..6], &filled[11][..6]));
}

#[test]
fn draws_are_tables_one_after_the_other() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..120), &[0, 1, 2, 3, 4, 5], ",")).unwrap();
    place.ok("pretrain -q --data csv:people.csv --column-types id=ignored --hidden 9 --epochs 20 --valid 0 --out rbm");
    let rows = gaps(&place);
    place.ok("impute rbm --data csv:gaps.csv --draws 8 --out draws.csv");
    place.ok("impute rbm --data csv:gaps.csv --draws 8 --seed 2 --out other.csv");
    let (drawn, other) = (fields(&place, "draws.csv"), fields(&place, "other.csv"));
    assert_eq!((drawn.len(), drawn[0].join(",")), (1 + 8 * 120, "draw,id,age,sex,smokes,blood,height".to_string()));
    assert_ne!(drawn, other);
    let bloods = |draw: usize| -> Vec<&str> {
        let rows = (0..120).filter(|row| rows[1 + row][4].is_empty());
        rows.map(|row| drawn[1 + draw * 120 + row][5].as_str()).collect()
    };
    assert_ne!(bloods(0), bloods(7));
    let levels: BTreeSet<&str> = bloods(3).into_iter().collect();
    assert_eq!(levels.into_iter().collect::<Vec<_>>(), ["0", "A", "AB", "B"], "rows of a table draw by themselves");
    for (line, row) in drawn[1..].iter().enumerate() {
        assert_eq!(row[0], (1 + line / 120).to_string());
        assert_eq!(row[1], rows[1 + line % 120][0]);
    }
    // Numbers alone: levels by their places.
    place.ok("impute rbm --data csv:gaps.csv --out filled.npy");
    let npy = place.read("filled.npy");
    let npy = npyz::NpyFile::new(&npy[..]).unwrap();
    assert_eq!(npy.shape(), [120, 5]);
    let values = npy.into_vec::<f32>().unwrap();
    assert_eq!(values[5..9], [rows[2][1].parse::<f32>().unwrap(), 0.0, 0.0, values[8]], "age, f, no");
    let said = crate::stderr(&place.run("impute rbm --out x.csv"));
    assert!(said.contains("no value of people is missing"), "{said}");
    assert_eq!(place.text("x.csv"), place.text("people.csv"));
}
