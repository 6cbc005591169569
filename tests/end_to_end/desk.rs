//! Tables as a teacher has them: semicolons, decimal commas and a column of names; results that fit them.

use crate::numbers::{column, fields};
use crate::{Place, stderr};

/// Two numbers that go together, a word that goes with them, and a name: 180 rows with semicolons and decimal commas.
fn pupils() -> String {
    let row = |k: usize| {
        let (grade, noise) = (k % 3, (k * 37 % 11) as f64 / 40.0);
        let hours = 2.0 + 3.0 * grade as f64 + noise;
        let points = 20.25 + 10.0 * hours + (k * 53 % 7) as f64 / 8.0;
        let number = |x: f64| x.to_string().replace('.', ",");
        let hours = if k % 30 == 7 { String::new() } else { number(hours) };
        format!("Pupil {k};{hours};{};{}\n", number(points), ["low", "middle", "high"][grade])
    };
    "name;hours;points;course\n".to_string() + &(0..180).map(row).collect::<String>()
}

/// The fields of a file of this separator.
fn parted(place: &Place, name: &str, separator: char) -> Vec<Vec<String>> {
    place.text(name).lines().map(|line| line.split(separator).map(String::from).collect()).collect()
}

fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.path("pupils.csv"), pupils()).unwrap();
    place
        .ok("pretrain -q --data csv:pupils.csv --column-types name=ignored --hidden 12 --epochs 60 --valid 30 --out r");
    place
}

/// Results have the separator and the decimal mark of the data, and are read again.
#[test]
fn results_are_written_as_the_data_are() {
    let place = place();
    let original = parted(&place, "pupils.csv", ';');
    place.ok("impute r --data csv:pupils.csv --out filled.csv");
    let filled = parted(&place, "filled.csv", ';');
    assert_eq!(filled.len(), original.len());
    for (before, after) in original.iter().zip(&filled) {
        for (before, after) in before.iter().zip(after) {
            assert!(before == after || before.is_empty() && after.contains(','), "{before:?} became {after:?}");
        }
    }
    for (words, out, columns) in [
        ("sample r --count 40", "new.csv", "hours;points;course"),
        ("reconstruct r --data csv:pupils.csv --split train", "again.csv", "name;hours;points;course"),
        (
            "score r --data csv:pupils.csv",
            "scores.csv",
            "line;name;free_energy;percentile;beyond;oddest;oddest_nats;second;second_nats",
        ),
        ("encode r --data csv:pupils.csv", "codes.csv", "name;h0;h1;h2;h3;h4;h5;h6;h7;h8;h9;h10;h11"),
    ] {
        place.ok(&format!("{words} --out {out}"));
        let rows = parted(&place, out, ';');
        assert_eq!(rows[0].join(";").replace("log_likelihood;", ""), columns, "{words}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{words}");
        assert!(rows[1].iter().any(|field| field.contains(',')) && !place.text(out).contains('.'), "{:?}", rows[1]);
        let read = place.ok(&format!(
            "check csv:{out} --column-types {}",
            if out == "new.csv" { "course=categorical" } else { "name=ignored" }
        ));
        assert!(read.contains("semicolons part the fields, decimals have commas"), "{read}");
    }
    // The model reads its own samples.
    place.ok("score r --data csv:new.csv --out of-new.csv");
    // Another form, where it is asked for, of what is filled in and of what was there.
    place.ok("impute r --data csv:pupils.csv --separator comma --decimal point --out points.csv");
    assert_eq!(fields(&place, "points.csv")[1][2], original[1][2].replace(',', "."));
    place.ok("sample r --count 3 --decimal point --out p.csv");
    assert!(place.text("p.csv").contains('.') && place.text("p.csv").starts_with("hours;points"));
    let refused = stderr(&place.run("sample r --count 3 --decimal comma --out p.npy"));
    assert!(refused.contains("--separator and --decimal go with a table of text"), "{refused}");
    let refused = stderr(&place.run("sample r --count 3 --separator colon --out p.csv"));
    assert!(refused.contains("comma, semicolon, tab, bar"), "{refused}");
}

/// The row, by its line and its name, and the value of it that does not go with the others.
#[test]
fn an_odd_value_is_found_by_line_name_and_column() {
    let place = place();
    let mut lines: Vec<String> = pupils().lines().map(String::from).collect();
    // A pupil of the lowest course with the hours and points of the highest.
    let odd = lines.iter().rposition(|line| line.ends_with(";high")).unwrap();
    let name = lines[odd].split(';').next().unwrap().to_string();
    lines[odd] = lines[odd].replace(";high", ";low");
    std::fs::write(place.path("odd.csv"), lines.join("\n") + "\n").unwrap();
    let said = place.ok("score r --data csv:odd.csv --out scores.csv");
    let first = said.lines().skip_while(|line| !line.starts_with("line ")).nth(1).unwrap();
    assert!(first.starts_with(&format!("{} ", odd + 1)) && first.contains(&name), "{said}");
    assert!(first.contains("course low where high is expected"), "{said}");
    let rows = parted(&place, "scores.csv", ';');
    assert_eq!(rows[odd][..2], [(odd + 1).to_string(), name]);
    let row = |of: &str| column(&rows, of)[odd - 1].replace(',', ".");
    assert_eq!(row("oddest"), "course");
    assert!(row("oddest_nats").parse::<f64>().unwrap() > 1.0, "{said}");
    let json = place.json("score r --data csv:odd.csv --out scores.csv --json");
    assert_eq!(json["least_probable"][0]["line"], odd + 1);
    assert_eq!(json["least_probable"][0]["odd"][0]["column"], "course");
}

/// Validation samples are measured by themselves; those that a model learned from are called so.
#[test]
fn an_evaluation_says_which_samples_it_is_of() {
    let place = place();
    let measured = |split: &str| place.json(&format!("eval r --data csv:pupils.csv --split {split} --json"));
    let (train, valid) = (measured("train"), measured("valid"));
    assert_eq!((&train["samples"], &valid["samples"]), (&180.into(), &30.into()));
    assert_eq!((&train["split"], &valid["split"]), (&"train".into(), &"valid".into()));
    let output = place.run("eval r --split train");
    assert!(stderr(&output).contains("but for 30 samples held out for validation"), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("180 training samples"));
    std::fs::write(place.path("others.csv"), pupils().replace("Pupil 1;", "Anna;").replace(";middle", ";high"))
        .unwrap();
    let text = place.ok("eval r --data csv:others.csv");
    assert!(text.contains("others, 180 samples"), "{text}");
    let refused = stderr(&place.run("eval r --data csv:others.csv --split valid"));
    assert!(refused.contains("--split valid is of the data that the model learned from"), "{refused}");
    place
        .ok("pretrain -q --data csv:pupils.csv --column-types name=ignored --hidden 4 --epochs 1 --valid 0 --out none");
    let refused = stderr(&place.run("eval none --split valid"));
    assert!(refused.contains("held no samples out"), "{refused}");
}

/// A net with labels over a table with gaps: what comes next can be typed, and samples that it learned from are called so.
#[test]
fn a_net_over_gaps_says_what_comes_next() {
    let place = place();
    let columns = "--column-types name=ignored --label-column course";
    let output = place.run(&format!("stack --data csv:pupils.csv {columns} --layers 8 --epochs 3 --valid 30 --out s"));
    let said = stderr(&output);
    assert!(said.contains("next:    dbn impute s --out filled.csv\n"), "{said}");
    assert!(!said.contains("dbn finetune s") && !said.contains("dbn tune s"), "{said}");
    assert!(said.contains("the columns of a table are no pixels") && !said.contains("--image-size"), "{said}");
    place.ok("impute s --out filled.csv");

    let output = place.run("classify s");
    let held = "but for 30 samples held out for validation, which --split valid measures: of new ones it usually gets";
    assert!(stderr(&output).contains(held), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("samples 180 (training of pupils)"));
    assert!(place.ok("classify s --split valid --out valid.csv").contains("samples 30 (validation of pupils)"));
    let rows = parted(&place, "valid.csv", ';');
    assert_eq!(rows.len(), 31);
    for row in &rows[1..] {
        let line: usize = row[0].parse().unwrap();
        assert_eq!(row[1], format!("Pupil {}", line - 2));
    }
    std::fs::write(place.path("others.csv"), pupils().replace(";middle", ";medium")).unwrap();
    let refused = stderr(&place.run("score r --data csv:others.csv --out x.csv"));
    let cell = "line 3, column \"course\": \"medium\" is not one of high, low, middle";
    assert!(refused.contains(cell) && refused.contains("leave its cell empty"), "{refused}");
}

/// What `check` advises: a class, layers by the number of rows, and commands that run.
#[test]
fn advice_has_the_commands_to_type() {
    let place = place();
    let said = place.ok("check csv:pupils.csv --column-types name=ignored --for stack --recipe stack.toml");
    assert!(said.contains("column \"course\" has 3 values and may be the class of a sample"), "{said}");
    assert!(said.contains("--label-column course --for stack"), "{said}");
    assert!(said.contains("one layer, for another learns little from fewer than 1,000 samples"), "{said}");
    place.ok("stack -q --config stack.toml --epochs 2 --out s");
    // A recipe for one RBM, given to a stack, and the other way round: what is said to be typed is typed.
    place.ok("check csv:pupils.csv --column-types name=ignored --recipe rbm.toml");
    let refused = stderr(&place.run("stack --config rbm.toml --out t"));
    let command = refused.split('`').find_map(|part| part.strip_prefix("dbn ")).unwrap();
    assert!(command.ends_with("--for stack --recipe stack.toml"), "{refused}");
    place.ok(&format!("{command} --column-types name=ignored"));
    place.ok("stack -q --config stack.toml --epochs 2 --out t");
    let refused = stderr(&place.run("pretrain --config stack.toml --out u"));
    assert!(refused.contains("`dbn stack --config` trains by this recipe"), "{refused}");
}

/// What nobody set is what `dbn check` recommends, and is said: of bits, grey levels, whole numbers and fractions, in an
/// array, in pictures, in a table; of settings that change nothing nothing is said.
#[test]
fn settings_that_nobody_set_are_those_that_check_recommends() {
    let place = Place::new();
    let words = |k: usize| (k as u32 + 1).wrapping_mul(2_654_435_761) >> 8;
    let write = |name: &str, of: &dyn Fn(u32) -> f32| {
        let values: Vec<f32> = (0..120 * 64).map(|k| of(words(k))).collect();
        place.write_values(name, 120, &values);
        values
    };
    let grey = |word: u32| [0, 0, 0, 255, 255, 255, 250, word % 256][word as usize % 8] as f32;
    write("bits.npy", &|word| (word % 2) as f32);
    let values = write("grey.npy", &grey);
    write("whole.npy", &|word| [0, 0, 0, word % 17][word as usize % 4] as f32);
    write("fractions.npy", &|word| (word % 1000) as f32 / 999.0);
    let rows = values.chunks(64).map(|row| row.iter().map(f32::to_string).collect::<Vec<_>>().join(",") + "\n");
    std::fs::write(place.path("grey.csv"), rows.collect::<String>()).unwrap();
    let sources =
        ["npy:bits.npy", "npy:grey.npy", "npy:grey.npy --image-size 8x8", "npy:whole.npy", "npy:fractions.npy"];
    for (at, data) in sources.into_iter().chain(["csv:grey.csv", "idx:bars"]).enumerate() {
        for verb in ["pretrain", "stack"] {
            let (folder, recipe) = (format!("{verb}{at}"), format!("{verb}{at}.toml"));
            place.ok(&format!("check {data} --for {verb} --recipe {recipe}"));
            let said = stderr(&place.run(&format!("{verb} --data {data} --epochs 1 --valid 0 --out {folder}")));
            let [advised, taken]: [toml::Table; 2] =
                [recipe, format!("{folder}/config.toml")].map(|name| place.text(&name).parse().unwrap());
            for (key, value) in advised.iter().filter(|(key, _)| !["data", "scale", "epochs"].contains(&key.as_str())) {
                assert_eq!(&taken[key], value, "{verb} {data}: {key}: {said}");
            }
            assert!(said.contains("not set, so by what the data are: --batch-size"), "{verb} {data}: {said}");
        }
    }
    let said =
        stderr(&place.run("pretrain --data idx:bars --epochs 1 --valid 0 --hidden 4 --schedule constant --out b"));
    assert!(said.contains("--batch-size") && !said.contains("--hidden") && !said.contains("--final"), "{said}");
    let said = stderr(&place.run("pretrain --epochs 1 --hidden 4 --learning-rate 0.05 --out m"));
    assert!(!said.contains("not set"), "the digits have their recipe: {said}");
}

/// Pictures that are dark on a light ground are warned of where nobody spoke of their scale.
#[test]
fn drawings_on_paper_are_warned_of() {
    let place = Place::new();
    let values: Vec<f32> = (0..40 * 16).map(|k| if k * 7 % 17 < 3 { 0.0 } else { 255.0 }).collect();
    place.write_values("ink.npy", 40, &values);
    let train = "pretrain --data npy:ink.npy --image-size 4x4 --epochs 1 --valid 0 --hidden 4 --out";
    let said = stderr(&place.run(&format!("{train} r")));
    let command = said.split('`').find_map(|part| part.strip_prefix("dbn check npy:ink.npy")).expect(&said);
    assert!(said.contains("recommends a --scale"), "{said}");
    let advised = place.ok(&format!("check npy:ink.npy{command}"));
    assert!(advised.contains("--scale 255..0"), "{advised}");
    let said = stderr(&place.run(&format!("{train} s --scale 255..0")));
    assert!(!said.contains("recommends a --scale"), "{said}");
}

/// Recipes that were found for some kind of data are in the program.
#[test]
fn recipes_are_printed_by_name() {
    let place = Place::new();
    let rows: String = (0..80u32)
        .map(|k| [k & 1, k >> 1 & 1, k >> 2 & 1].map(|x| if x == 1 { "1" } else { "-1" }).join(",") + "\n")
        .collect();
    std::fs::write(place.path("spins.csv"), rows).unwrap();
    let said = place.ok("check csv:spins.csv");
    assert!(said.contains("dbn recipe ising > ising.toml") && said.contains("--config ising.toml"), "{said}");
    std::fs::write(place.path("ising.toml"), place.ok("recipe ising")).unwrap();
    place.ok("pretrain -q --config ising.toml --data csv:spins.csv --epochs 1 --valid 0 --out r");
    assert!(place.ok("recipe protein").contains("drelu"));
    let refused = stderr(&place.run("recipe proteins"));
    assert!(refused.contains("protein") && refused.contains("finetune"), "{refused}");
}
