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
        ("--given sex=m,sex=f --out x.csv", "--given names column \"sex\" twice"),
        ("--given sex --out x.csv", "--given has \"sex\", expected COLUMN=VALUE"),
        ("--given sex=m --out x.png", "--given goes with a table"),
    ] {
        let error = refused(words);
        assert!(error.contains(said), "{error}");
    }
}
