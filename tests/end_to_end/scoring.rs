//! `dbn score` and `dbn eval` of data that are not whole, not alike, or not those of the training.

use crate::numbers::{ODD, column, fields, numbers, scores};
use crate::{Place, stderr};

/// What is missing is summed out: a sample with one gap is as probable as its two completions together, and one that
/// has nothing is certain.
#[test]
fn a_sample_is_scored_by_what_was_observed() {
    let place = Place::new();
    let row = |bits: &str| bits.chars().map(String::from).collect::<Vec<_>>().join(",").replace('-', "") + ",0\n";
    let rows = ["-11000000", "011000000", "111000000", "---------", "111-00000"].map(row).concat();
    std::fs::write(place.path("gaps.csv"), rows).unwrap();
    // Summed over the states of the hidden units, and over completions.
    for hidden in [8, 13] {
        place.train("r", &format!("--epochs 30 --force --hidden {hidden}"));
        let likelihoods = numbers(&scores(&place, "r --data csv:gaps.csv --label-column last"), "log_likelihood");
        let sum = likelihoods[1].exp() + likelihoods[2].exp();
        assert!((likelihoods[0].exp() - sum).abs() < 1e-5 * sum, "{likelihoods:?} with {hidden} hidden units");
        assert!(likelihoods[3].abs() < 1e-4, "{likelihoods:?}");
        assert!(likelihoods[4] > likelihoods[2], "a gap makes no sample improbable");
    }
    // What cannot be summed is estimated: that nothing was observed is certain.
    let wide = |first: &str| format!("{first}{}\n", ",1".repeat(19));
    std::fs::write(place.path("wide.csv"), (0..40).map(|k| wide(["0", "1"][k % 2])).collect::<String>()).unwrap();
    place.ok("pretrain -q --data csv:wide.csv --header no --hidden 14 --epochs 1 --valid 0 --out w");
    std::fs::write(place.path("empty.csv"), [wide("1"), wide("NA").replace(",1", ",NA")].concat()).unwrap();
    let estimates = scores(&place, "w --data csv:empty.csv --header no");
    assert_eq!(column(&estimates, "estimated"), ["0", "1"]);
    assert!(numbers(&estimates, "log_likelihood")[1].abs() < 0.1, "{estimates:?}");
    // Of a deep net there is none, and the rest has its score.
    place.ok("stack -q --data csv:wide.csv --header no --labels none --layers 14,5 --epochs 1 --valid 0 --out deep");
    let output = place.run("score deep --data csv:empty.csv --header no --out wide-scores.csv");
    assert!(stderr(&output).contains("1 sample without a score"), "{}", stderr(&output));
    let rows = fields(&place, "wide-scores.csv");
    assert_eq!(rows[2].join(","), "2,,,,0,,,,");
    assert!(!rows[1][1].is_empty() && !rows[1][3].is_empty(), "{rows:?}");
}

/// A missing number is integrated out: its density is the sum of those of whole rows, by the trapezoid rule. Where more are
/// missing there is an estimate, and a column that says so.
#[test]
fn a_sample_that_lacks_numbers_is_scored_by_what_was_observed() {
    let place = Place::new();
    let row = |k: usize| {
        let (a, b) = (k * 37 % 101, k * 53 % 97);
        format!("{},{},{},{},{}\n", 0.5 * a as f64 + 10.0, a + b, 3 * b, k * 29 % 89, ["x", "y", "z"][k % 3])
    };
    let rows: String = (0..300).map(row).collect();
    std::fs::write(place.path("t.csv"), format!("a,b,c,d,kind\n{rows}")).unwrap();
    place.ok("pretrain -q --data csv:t.csv --visible-units auto --hidden 6 --epochs 20 --valid 0 --out r");
    let gaps = "a,b,c,d,kind\n,90,120,40,x\n,90,120,40,\n,,,,x\n";
    std::fs::write(place.path("gaps.csv"), gaps).unwrap();
    let got = numbers(&scores(&place, "r --data csv:gaps.csv"), "log_likelihood");
    assert_eq!(column(&scores(&place, "r --data csv:gaps.csv"), "estimated"), ["0", "0", "1"]);
    let whole = |kind: &str| {
        let rows: Vec<String> = (-400..=800).map(|a| format!("{},90,120,40,{kind}", 0.25 * f64::from(a))).collect();
        std::fs::write(place.path("whole.csv"), format!("a,b,c,d,kind\n{}\n", rows.join("\n"))).unwrap();
        let likelihoods = numbers(&scores(&place, "r --data csv:whole.csv"), "log_likelihood");
        likelihoods.iter().map(|x| x.exp()).sum::<f64>() * 0.25
    };
    let (of_x, of_all) = (whole("x"), whole("x") + whole("y") + whole("z"));
    assert!((got[0].exp() / of_x - 1.0).abs() < 1e-3, "{} and {of_x}", got[0].exp());
    assert!((got[1].exp() / of_all - 1.0).abs() < 1e-3, "{} and {of_all}", got[1].exp());
    // The last row lacks too much to be compared with others.
    let said = place.ok("score r --data csv:gaps.csv --out gaps.scores.csv");
    let last = said.lines().find(|line| line.starts_with("4 ")).unwrap_or_default();
    assert!(said.contains("percentile") && last.split_whitespace().nth(3) == Some("-"), "{said}");
    // What stands in for missing values is no observation.
    let text = place.ok("eval r --data csv:gaps.csv --split train");
    assert!(text.contains("values that 3 samples lacked") && !text.contains("per sample, exactly"), "{text}");
    assert!(text.contains("\nln Z                  ") && text.contains(" nats, exactly\n"), "{text}");
}

/// A percentile against other data than the model's would be a number of nothing.
#[test]
fn percentiles_are_of_the_data_that_the_model_learned_from() {
    let place = Place::new();
    place.train("r", "");
    std::fs::write(place.path("some.csv"), "1,1,1,0,0,0,0,0,0,0\n0,0,0,1,1,1,0,0,0,1\n").unwrap();
    let some = "r --data csv:some.csv --label-column last";
    assert_eq!(column(&scores(&place, some), "percentile").len(), 2);
    let changed = place.text("bits.csv").replacen('1', "0", 1);
    std::fs::write(place.path("bits.csv"), changed).unwrap();
    for words in [some, "r"] {
        let output = place.run(&format!("score {words} --out scores.csv"));
        assert!(
            stderr(&output).contains("no column percentile: the training data bits are no longer what they were"),
            "{}",
            stderr(&output)
        );
        assert_eq!(fields(&place, "scores.csv")[0].join(","), format!("line,free_energy,log_likelihood,beyond,{ODD}"));
    }
}

/// A sample that weighs 3 counts as three of it, in means and in percentiles.
#[test]
fn weights_count_where_a_model_is_used() {
    let place = Place::new();
    let row = |k: usize| format!("{},{},{}", k % 2, k / 2 % 2, u8::from(k % 5 < 2));
    let [mut weighted, mut copies] = ["a,b,c,w\n"; 2].map(String::from);
    for k in 0..40 {
        weighted += &[row(k), ",".into(), (1 + 2 * (k % 2)).to_string(), "\n".into()].concat();
        copies += &format!("{},1\n", row(k)).repeat(1 + 2 * (k % 2));
    }
    std::fs::write(place.path("weighted.csv"), weighted).unwrap();
    std::fs::write(place.path("copies.csv"), copies).unwrap();
    place.ok("pretrain -q --data csv:weighted.csv --weight-column w --hidden 4 --epochs 40 --valid 0 --out r");
    let eval = |words: &str| place.json(&format!("eval r --binarize threshold=0.5 {words} --json"));
    let (of_weighted, of_copies) = (eval(""), eval("--data csv:copies.csv"));
    for value in ["/log_likelihood/exact/value", "/reconstruction_cost", "/free_energy_gap"] {
        let of = |evaluation: &serde_json::Value| evaluation.pointer(value).unwrap().as_f64().unwrap();
        assert!((of(&of_weighted) - of(&of_copies)).abs() < 1e-6, "{value}: {of_weighted} {of_copies}");
    }
    let found = scores(&place, "r");
    let (likelihoods, percentiles) = (numbers(&found, "log_likelihood"), numbers(&found, "percentile"));
    for (x, percentile) in likelihoods.iter().zip(percentiles) {
        let below = (0..40).filter(|&k| likelihoods[k] <= *x).map(|k| 1.0 + 2.0 * (k % 2) as f64).sum::<f64>();
        assert!((percentile - 100.0 * below / 80.0).abs() < 1e-4, "{percentile} of {below}");
    }
}

/// A value far beyond the training data's range counts as the end of the range, and the row is named.
#[test]
fn values_beyond_the_training_range_are_counted() {
    let place = Place::new();
    let rows: Vec<String> = (0..60).map(|k| format!("{},{}", 20 + k % 50, 1.5 + f64::from(k % 7) / 20.0)).collect();
    let write = |name: &str, rows: &str| std::fs::write(place.path(name), format!("age,height\n{rows}\n")).unwrap();
    write("people.csv", &rows.join("\n"));
    place.ok("pretrain -q --data csv:people.csv --visible-units bernoulli --hidden 4 --epochs 3 --valid 0 --out r");
    write("new.csv", "30,1.6\n500,1.7\n-3,9.5");
    assert_eq!(column(&scores(&place, "r --data csv:new.csv"), "beyond"), ["0", "1", "2"]);
    let said = place.ok("score r --data csv:new.csv --out s.csv");
    let expected = "2 rows with values beyond the ranges of their columns, by line: 4 (2 values), 3 (1 value)\n";
    assert!(said.find(expected).is_some_and(|at| at < said.find("least probable").unwrap()), "{said}");
}

/// Numbers of Gaussian units have no range, and are scored as they are. Those far from the mean are counted.
#[test]
fn numbers_far_from_the_mean_are_counted() {
    let place = Place::new();
    let rows: Vec<String> = (0..60).map(|k| format!("{},{}", 20 + k % 50, 1.5 + f64::from(k % 7) / 20.0)).collect();
    let write = |name: &str, rows: &str| std::fs::write(place.path(name), format!("age,height\n{rows}\n")).unwrap();
    write("people.csv", &rows.join("\n"));
    place.ok("pretrain -q --data csv:people.csv --visible-units auto --hidden 4 --epochs 3 --valid 0 --out r");
    // An age of -3 is no more than four standard deviations from the mean.
    write("new.csv", "30,1.6\n500,1.7\n-3,9.5\n400,-4");
    let found = scores(&place, "r --data csv:new.csv");
    assert_eq!(column(&found, "beyond"), ["0", "1", "1", "2"]);
    let free_energies = numbers(&found, "free_energy");
    assert!(free_energies[1] > free_energies[0] + 100.0, "{free_energies:?}");
    let said = place.ok("score r --data csv:new.csv --out s.csv");
    let expected = "3 rows with values beyond the ranges of their columns, or more than 10 standard deviations from their \
                    means, by line: 5 (2 values), 3 (1 value), 4 (1 value)\n";
    assert!(said.contains(expected), "{said}");
}

/// A category that is missing has as many options as levels, and rows that each lack another column beside it are all
/// compared with training samples.
#[test]
fn rows_that_lack_a_category_of_many_levels_have_percentiles() {
    let place = Place::new();
    let row = |k: usize, gap: Option<usize>| {
        let bit = |unit: usize| ((k * (unit + 3) / 7 + k / 5) % 2).to_string();
        let bits = (0..10).map(|unit| if gap == Some(unit) { String::new() } else { bit(unit) });
        let kind = if gap.is_some() { String::new() } else { format!("k{}", k % 20) };
        std::iter::once(kind).chain(bits).collect::<Vec<_>>().join(",") + "\n"
    };
    let write = |name: &str, rows: String| {
        std::fs::write(place.path(name), format!("kind,a,b,c,d,e,f,g,h,i,j\n{rows}")).unwrap();
    };
    write("all.csv", (0..300).map(|k| row(k, None)).collect());
    write("gaps.csv", (0..10).map(|gap| row(7 * gap, Some(gap))).collect());
    let learn = "--column-types kind=categorical --visible-units auto --hidden 14 --epochs 2 --valid 0";
    place.ok(&format!("pretrain -q --data csv:all.csv {learn} --out r"));
    let percentiles = column(&scores(&place, "r --data csv:gaps.csv"), "percentile");
    assert!(percentiles.len() == 10 && percentiles.iter().all(|x| !x.is_empty()), "{percentiles:?}");
}

/// Rows that lack much share the passes out: some have no percentile then, but the same rows in any order.
#[test]
fn percentiles_of_rows_with_gaps_do_not_depend_on_their_order() {
    let place = Place::new();
    let bit = |k: usize, unit: usize| ((k * (unit + 3) / 7 + k / 5) % 2).to_string();
    // Eleven of the fourteen values are missing, other ones in each row: 2,048 passes for each training sample.
    let lacks = |gap: usize, unit: usize| (unit + 14 - gap) % 14 < 11;
    let gap = |gap: usize| (0..14).map(|u| if lacks(gap, u) { String::new() } else { bit(gap, u) }).collect::<Vec<_>>();
    let whole = |k: usize| (0..14).map(|unit| bit(k, unit)).collect::<Vec<_>>();
    let write = |name: &str, rows: &[Vec<String>]| {
        let rows: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        std::fs::write(place.path(name), format!("a,b,c,d,e,f,g,h,i,j,k,l,m,n\n{rows}")).unwrap();
    };
    let mut gaps: Vec<Vec<String>> = (0..14).map(gap).collect();
    write("all.csv", &(0..300).map(whole).collect::<Vec<_>>());
    write("gaps.csv", &gaps);
    gaps.reverse();
    write("turned.csv", &gaps);
    place.ok("pretrain -q --data csv:all.csv --hidden 14 --epochs 1 --valid 0 --out r");
    let of = |data: &str| column(&scores(&place, &format!("r --data csv:{data}")), "percentile");
    let (one, mut other) = (of("gaps.csv"), of("turned.csv"));
    other.reverse();
    assert_eq!(one, other);
    let without = one.iter().filter(|x| x.is_empty()).count();
    assert!((1..14).contains(&without), "{one:?}");
}

/// A row that lacks a value is compared with training samples that lack the same: being scored on less makes it no more
/// usual than it is.
#[test]
fn percentiles_of_rows_with_gaps_are_among_rows_with_the_same_gaps() {
    let place = Place::new();
    let bit = |k: usize, unit: usize| u32::from((k * 7 + unit * k / 3).is_multiple_of(unit + 2));
    let row = |k: usize| (0..4).map(|unit| bit(k, unit).to_string()).collect::<Vec<_>>();
    let all: Vec<Vec<String>> = (0..300).map(row).collect();
    let text = |rows: &[Vec<String>]| {
        "a,b,c,d\n".to_string() + &rows.iter().map(|row| row.join(",") + "\n").collect::<String>()
    };
    std::fs::write(place.path("all.csv"), text(&all)).unwrap();
    // All rows without their last value.
    let gaps: Vec<Vec<String>> = all.iter().map(|row| [&row[..3], &[String::new()]].concat()).collect();
    std::fs::write(place.path("gaps.csv"), text(&gaps)).unwrap();
    place.ok("pretrain -q --data csv:all.csv --hidden 4 --epochs 20 --valid 0 --out r");
    place.ok("score r --data csv:gaps.csv --out gaps.scores.csv");
    let written = place.text("gaps.scores.csv");
    let found: Vec<(f64, f64)> = written
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').take(4).map(|x| x.parse().unwrap()).collect();
            (numbers[1], numbers[3])
        })
        .collect();
    // The rows are the training samples, so a percentile counts those of them that are no more probable.
    for &(f, percentile) in &found {
        let below = found.iter().filter(|(other, _)| *other >= f).count() as f64;
        assert!((percentile - 100.0 * below / 300.0).abs() < 1e-3, "{percentile} of {below}");
    }
}
