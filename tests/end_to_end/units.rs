//! Visible units of every kind, from the look at a table to scores.

use crate::tables::{people, text};
use crate::{Place, stderr};

/// The cells of a column of a CSV file, with its name.
fn column(file: &[u8], name: &str) -> Vec<String> {
    let file = String::from_utf8(file.to_vec()).unwrap();
    let mut lines = file.lines();
    let place = lines.next().unwrap().split(',').position(|other| other == name).unwrap();
    lines.map(|line| line.split(',').nth(place).unwrap().to_string()).collect()
}

#[test]
fn check_tells_the_units_of_every_column_and_what_to_learn_them_by() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..120), &[1, 2, 3, 4, 5], ",")).unwrap();
    let shown = place.ok("check csv:people.csv --visible-units auto --recipe r.toml --schema-out s.toml");
    for line in [
        "units    1 gaussian, 2 bernoulli, 1 categorical of 4, 1 gaussian",
        "age     real: mean 4",
        "once each column of numbers has mean 0 and standard deviation 1",
        "a tenth of the usual rate, for Gaussian visible units",
    ] {
        assert!(shown.contains(line), "'{line}' in {shown}");
    }
    let recipe = String::from_utf8(place.read("r.toml")).unwrap();
    assert!(recipe.contains("visible_units = \"auto\"") && !recipe.contains("scale"), "{recipe}");
    let schema = String::from_utf8(place.read("s.toml")).unwrap();
    assert!(schema.contains("\nunits = \"by-kind\"\n"), "{schema}");
    let again = place.ok("check csv:people.csv --schema s.toml");
    assert!(again.contains("units    1 gaussian, 2 bernoulli"), "{again}");
    let both = place.run("check csv:people.csv --schema s.toml --visible-units auto");
    assert!(stderr(&both).contains("--schema says already what --visible-units would say"), "{}", stderr(&both));
}

/// Who smokes is small in these data.
#[test]
fn samples_keep_the_columns_that_are_given() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..240), &[1, 2, 3, 4, 5], ",")).unwrap();
    place.ok("pretrain -q --data csv:people.csv --visible-units bernoulli --epochs 200 --hidden 16 --out run");
    let sample = |given: &str, name: &str| {
        place.ok(&format!("sample run --given {given} --count 200 --steps 50 --out {name}"));
        place.read(name)
    };
    let height = |file: &[u8]| {
        let cells: Vec<f64> = column(file, "height").iter().map(|cell| cell.parse().unwrap()).collect();
        cells.iter().sum::<f64>() / cells.len() as f64
    };
    let (small, tall) = (sample("smokes=yes,blood=AB", "a.csv"), sample("smokes=no", "b.csv"));
    assert!(
        column(&small, "smokes").iter().all(|cell| cell == "yes")
            && column(&small, "blood").iter().all(|cell| cell == "AB")
    );
    let sexes = column(&tall, "sex");
    assert!(sexes.iter().any(|cell| cell == "f") && sexes.iter().any(|cell| cell == "m"), "what is free is drawn");
    // 1.545 and 1.845 in the data, 1.745 among all.
    assert!(height(&small) < 1.65 && height(&tall) > 1.75, "{} and {}", height(&small), height(&tall));
    assert_eq!(sample("smokes=no", "c.csv"), tall);
    let refused = |words: &str| {
        let output = place.run(&format!("sample run {words}"));
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    for (words, said) in [
        ("--given smoke=yes --out x.csv", "given column is \"smoke\"; it must be one that the model learned: age, sex"),
        ("--given blood=C --out x.csv", "given value is blood=C; it must be one of 0, A, AB, B"),
        ("--given age=4000 --out x.csv", "given value is age=4000; it must be a number from 20 to 79"),
        ("--given sex=m --label 1 --out x.csv", "--label and --given do not go together"),
        ("--given sex=m,sex=f --out x.csv", "--given names column \"sex\" twice"),
        ("--given sex --out x.csv", "--given has \"sex\", expected COLUMN=VALUE"),
        ("--given sex=m --out x.png", "--given goes with a table"),
    ] {
        let error = refused(words);
        assert!(error.contains(said), "{error}");
    }
}

/// Numbers of people whose weight goes with their height, and a number that goes with nothing.
fn bodies(rows: usize) -> String {
    let noise = |k: usize, seed: usize| {
        // The sum of twelve uniforms less 6: all but normal.
        (0..12).map(|n| ((k * 12 + n) * 7919 + seed * 104_729) % 10_007).map(|x| x as f64 / 10_007.0).sum::<f64>() - 6.0
    };
    let row = |k: usize| {
        let (tall, fat, luck) = (noise(k, 1), noise(k, 2), noise(k, 3));
        format!("{:.1},{:.1},{:.3}\n", 170.0 + 10.0 * tall, 70.0 + 9.0 * tall + 3.0 * fat, 5.0 * luck)
    };
    "height,weight,luck\n".to_string() + &(0..rows).map(row).collect::<String>()
}

fn numbers(file: &[u8], name: &str) -> Vec<f64> {
    column(file, name).iter().map(|cell| cell.parse().unwrap()).collect()
}

/// Mean and standard deviation.
fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64).sqrt())
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let ((mx, dx), (my, dy)) = (moments(x), moments(y));
    x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / (x.len() as f64 * dx * dy)
}

/// In the units of the table, beyond its range or not.
#[test]
fn numbers_are_learned_drawn_filled_and_scored_by_gaussian_units() {
    let place = Place::new();
    std::fs::write(place.path("bodies.csv"), bodies(600)).unwrap();
    place.ok("pretrain -q --data csv:bodies.csv --visible-units gaussian --hidden 12 --epochs 200 --learning-rate 0.01 --valid 0 --out run");
    let shown = place.ok("show run");
    assert!(shown.contains("gaussian"), "{shown}");
    place.ok("sample run --count 2000 --steps 500 --out new.csv");
    let new = place.read("new.csv");
    let (height, weight, luck) = (numbers(&new, "height"), numbers(&new, "weight"), numbers(&new, "luck"));
    // Of 2000 samples: the mean within half a deviation, correlations to about 0.1.
    assert!(
        (moments(&height).0 - 170.0).abs() < 2.5 && (moments(&weight).0 - 70.0).abs() < 2.5,
        "{:?}",
        moments(&height)
    );
    let (with, without) = (correlation(&height, &weight), correlation(&height, &luck));
    assert!(with > 0.25 && with > without + 0.1, "{with} and {without}");

    std::fs::write(place.path("gaps.csv"), "height,weight,luck\n190,,0\n150,,0\n,90,1\n").unwrap();
    place.ok("impute run --data csv:gaps.csv --out full.csv --spread");
    let full = place.read("full.csv");
    let (weight, spread) = (numbers(&full, "weight"), numbers(&full, "weight.spread"));
    assert!(weight[0] > weight[1] + 5.0 && weight[2] == 90.0, "{weight:?}");
    assert!(spread[0] > 1.0 && spread[0] < 20.0 && spread[2] == 0.0, "{spread:?}");

    place.ok("reconstruct run --split train --out again.csv");
    let (again, data) = (place.read("again.csv"), place.read("bodies.csv"));
    assert!(correlation(&numbers(&again, "height"), &numbers(&data, "height")) > 0.8);
    std::fs::write(place.path("odd.csv"), "height,weight,luck\n170,70,0\n190,50,0\n300,70,0\n").unwrap();
    place.ok("score run --data csv:odd.csv --out scores.csv");
    let free = numbers(&place.read("scores.csv"), "free_energy");
    assert!(free[0] < free[1] && free[0] < free[2], "{free:?}");
    let refused = place.run("sample run --out x.png");
    assert!(stderr(&refused).contains("pictures are of Bernoulli units"), "{}", stderr(&refused));
}

/// A training says its likelihood and its pseudo-likelihood as it goes, whatever the units, and `dbn eval` both of its end,
/// in the units of the table: with few hidden units the likelihood is a sum.
#[test]
fn likelihoods_are_told_along_a_training_of_any_units() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..240), &[1, 2, 3, 4, 5], ",")).unwrap();
    place.ok(
        "pretrain -q --data csv:people.csv --visible-units auto --hidden 6 --epochs 6 --learning-rate 0.01 --valid 40 \
         --log-z-every 2 --pseudo-every 3 --out run",
    );
    let metrics = String::from_utf8(place.read("run/metrics.jsonl")).unwrap();
    let epochs: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = |name: &str| -> Vec<bool> { epochs.iter().map(|epoch| epoch[name].is_number()).collect() };
    assert_eq!(told("log_likelihood_valid"), [false, true, false, true, false, true]);
    assert_eq!(told("pseudo_likelihood_valid"), [false, false, true, false, false, true]);
    let eval: serde_json::Value =
        serde_json::from_str(&place.ok("eval run --split train --pseudo-likelihood exact --json")).unwrap();
    let pseudo = eval["pseudo_log_likelihood"].as_f64().unwrap();
    assert!(pseudo > eval["log_likelihood"]["exact"]["value"].as_f64().unwrap(), "{eval}");
    let each = eval["pseudo_log_likelihood_per_unit"].as_f64().unwrap();
    assert!((each * 5.0 - pseudo).abs() < 1e-9, "a categorical unit is one: {eval}");
    let refused = place.run(
        "pretrain --data csv:people.csv --visible-units auto --hidden-units gaussian --log-z-every 1 --learning-rate \
         0.01 --out other",
    );
    assert!(
        stderr(&refused)
            .contains("log_z_every is not available where gaussian hidden units stand over gaussian visible ones"),
        "{}",
        stderr(&refused)
    );
}
