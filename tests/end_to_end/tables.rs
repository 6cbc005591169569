//! Tables as people have them: a model keeps what it learned of its data, and applies it by name.

use crate::{Place, stderr};
use std::fmt::Write as _;

/// A survey of people; columns of every kind, with a header.
pub(crate) fn people(rows: std::ops::Range<usize>) -> Vec<[String; 6]> {
    let row = |k: usize| {
        let smokes = k.is_multiple_of(3);
        [
            format!("p{k}"),
            (20 + k * 7 % 60).to_string(),
            if k.is_multiple_of(2) { "m" } else { "f" }.to_string(),
            if smokes { "yes" } else { "no" }.to_string(),
            ["A", "B", "AB", "0"][k % 4].to_string(),
            format!("{:.2}", if smokes { 1.5 } else { 1.8 } + (k % 10) as f64 / 100.0),
        ]
    };
    rows.map(row).collect()
}

const NAMES: [&str; 6] = ["id", "age", "sex", "smokes", "blood", "height"];

/// Some columns of a table, in this order, with `separator` between.
pub(crate) fn text(rows: &[[String; 6]], columns: &[usize], separator: &str) -> String {
    let mut text = columns.iter().map(|&c| NAMES[c]).collect::<Vec<_>>().join(separator) + "\n";
    for row in rows {
        let fields: Vec<&str> = columns.iter().map(|&c| row[c].as_str()).collect();
        writeln!(text, "{}", fields.join(separator)).unwrap();
    }
    text
}

#[test]
fn columns_are_asked_about_understood_and_found_by_name() {
    let place = Place::new();
    let all = people(0..120);
    let write = |name: &str, text: String| std::fs::write(place.path(name), text).unwrap();
    write("people.csv", text(&all, &[0, 1, 2, 3, 4, 5], ","));

    // An identifier is asked about, with commands to choose from; what is chosen is accepted.
    let asked = place.run("check csv:people.csv --label-column smokes");
    assert_eq!(asked.status.code(), Some(2));
    assert!(stderr(&asked).contains("`--column-types id=ignored`"), "{}", stderr(&asked));
    let read = "--label-column smokes --column-types id=ignored";
    let shown = place.ok(&format!("check csv:people.csv {read} --recipe r.toml"));
    for line in ["id      ignored", "age     real: mean 4", "sex     binary: f is off, m is on", "smokes  label"] {
        assert!(shown.contains(line), "'{line}' in {shown}");
    }
    assert!(shown.contains("blood   categorical: 4 levels, 0, A, AB, B"), "{shown}");
    place.ok("pretrain -q --config r.toml --epochs 3 --out run");
    place.ok("encode run --data csv:people.csv --out all.csv");
    let all_codes = place.read("all.csv");
    let codes = |name: &str, words: &str| {
        place.ok(&format!("encode run --data {words} --out {name}"));
        // They are written as the data are.
        let text = String::from_utf8(place.read(name)).unwrap().replace([';', '\t'], ",");
        text.lines().map(String::from).collect::<Vec<_>>()
    };
    // Before the codes stands the identifier, behind them the label.
    let bare = |line: &str| line.rsplit_once(',').unwrap().0.split_once(',').unwrap().1.to_string();
    let of_all = String::from_utf8(all_codes).unwrap();
    assert!(of_all.starts_with("id,h0,") && of_all.contains("\np7,"), "{of_all}");
    let of_all: Vec<String> = of_all.lines().map(bare).collect();

    // Another order, another separator, a few of the rows, without the label and the identifier: the same codes.
    let some = &all[40..50];
    write("some.csv", text(some, &[5, 4, 2, 1], ";"));
    let of_some = codes("some-codes.csv", "csv:some.csv");
    assert_eq!(of_some[of_some.len() - 10..], of_all[of_all.len() - 80..of_all.len() - 70]);
    write("one.csv", text(&all[7..8], &[1, 2, 3, 4, 5, 0], "\t"));
    let one = codes("one-codes.csv", "csv:one.csv").pop().unwrap();
    assert_eq!(bare(&one), of_all[of_all.len() - 120 + 7]);

    write("less.csv", text(some, &[1, 2, 4], ","));
    let refused = place.run("encode run --data csv:less.csv --out x.csv");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("columns that the schema names are missing: height"), "{}", stderr(&refused));
    write("more.csv", text(some, &[1, 2, 4, 5], ",").replace("age", "age,colour"));
    let ragged = place.run("encode run --data csv:more.csv --out x.csv");
    assert!(stderr(&ragged).contains("fields, expected"), "{}", stderr(&ragged));
}

/// Data recorded with a scale are read by it wherever they come from, whatever their own values suggest.
#[test]
fn rows_saved_apart_mean_what_they_meant() {
    let place = Place::new();
    let row = |k: usize| (0..64).map(|c| ((k * 31 + c * 17) % 17).to_string()).collect::<Vec<_>>().join(",");
    let table = |rows: &[usize]| rows.iter().map(|&k| row(k) + "\n").collect::<Vec<_>>().concat();
    std::fs::write(place.path("all.csv"), table(&(0..60).collect::<Vec<_>>())).unwrap();
    let said = stderr(&place.run("pretrain --data csv:all.csv --hidden 5 --epochs 1 --valid 0 --out run"));
    assert!(said.contains("whole numbers from 0 to 16 in all columns: divided by 16"), "{said}");
    let shown = place.run("check csv:all.csv --recipe r.toml");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("unit: 0 to 16"), "{shown:?}");
    assert!(place.text("r.toml").contains("scale = \"auto\""), "{}", place.text("r.toml"));
    std::fs::write(place.path("two.csv"), table(&[3, 4]).replace(",16", ",1")).unwrap();
    std::fs::write(place.path("three.csv"), table(&[3, 4, 5]).replace(",16", ",1")).unwrap();
    place.ok("encode run --data csv:two.csv --out two-codes.csv");
    place.ok("encode run --data csv:three.csv --out three-codes.csv");
    let [two, three] = ["two-codes.csv", "three-codes.csv"].map(|name| String::from_utf8(place.read(name)).unwrap());
    assert!(three.starts_with(&two), "a row does not depend on its neighbours");
    std::fs::write(place.path("wide.csv"), table(&[3]).replacen(',', ",99,", 1)).unwrap();
    let refused = stderr(&place.run("encode run --data csv:wide.csv --out x.csv"));
    assert!(refused.contains("there are 65 columns, expected 64 as in the training data"), "{refused}");
}

/// The labels of samples that are all dark are those that they have beside bright ones, whichever scale was recorded.
#[test]
fn rows_saved_apart_are_classified_as_they_were() {
    let place = Place::new();
    let write = |name: &str, rows: &[usize], of: f32| {
        let line = |&k: &usize| {
            let value =
                |unit: usize| ((k * 31 + unit * 5) % 17 + if k.is_multiple_of(2) { 0 } else { 230 }) as f32 / of;
            let values: Vec<String> = (0..8).map(|unit| value(unit).to_string()).collect();
            format!("{},{}\n", values.join(","), k % 2)
        };
        std::fs::write(place.path(name), rows.iter().map(line).collect::<String>()).unwrap();
    };
    let all: Vec<usize> = (0..40).collect();
    let dark: Vec<usize> = (0..40).step_by(2).collect();
    for (scale, of) in [("auto", 1.0), ("255", 1.0), ("none", 255.0)] {
        write("all.csv", &all, of);
        write("dark.csv", &dark, of);
        let learn = "--label-column last --layers 5 --epochs 20 --learning-rate 0.1 --valid 0";
        place.ok(&format!("stack -q --data csv:all.csv --scale {scale} {learn} --out s --force"));
        let labels = |name: &str| -> Vec<String> {
            place.ok(&format!("classify s --data csv:{name} --out labels.csv"));
            // Without the number of the line.
            place.text("labels.csv").lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_string()).collect()
        };
        let of_all: Vec<String> = labels("all.csv").into_iter().step_by(2).collect();
        assert_eq!(labels("dark.csv"), of_all, "{scale}");
    }
}

/// Holes are no obstacle: a training draws what is missing, the model fills it wherever it is used, and a sample means
/// the same beside others as alone.
#[test]
fn a_table_with_holes_is_learned_from_and_used() {
    let place = Place::new();
    let holes = |k: usize, column: usize| (k * 5 + column).is_multiple_of(7) && column != 3;
    let mut rows = people(0..200);
    for (k, row) in rows.iter_mut().enumerate() {
        (0..6).filter(|&column| holes(k, column)).for_each(|column| row[column] = String::new());
    }
    let write = |name: &str, text: String| std::fs::write(place.path(name), text).unwrap();
    write("holes.csv", text(&rows, &[1, 2, 3, 4, 5], ","));
    let read = "--data csv:holes.csv --label-column smokes";
    let small = "--epochs 4 --valid 20 --batch-size 20";
    let said = stderr(&place.run(&format!("pretrain {read} --hidden 12 {small} --out run")));
    assert!(said.contains("missing: "), "{said}");
    for sampled in
        ["--visible-states probabilities --binarize none", "--missing-as excluded", "--hidden-units gaussian"]
    {
        place.ok(&format!("pretrain -q {read} --hidden 6 {small} {sampled} --out other --force"));
    }
    place.ok(&format!("stack -q {read} --layers 12,8 {small} --out stack"));
    for model in ["run", "stack"] {
        let codes = |name: &str, data: &str| {
            place.ok(&format!("encode {model} --data csv:{data} --out {name}"));
            let text = String::from_utf8(place.read(name)).unwrap();
            text.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect::<Vec<_>>()
        };
        let all = codes("all.csv", "holes.csv");
        write("some.csv", text(&rows[70..75], &[1, 2, 3, 4, 5], ","));
        assert_eq!(codes("some-codes.csv", "some.csv"), all[70..75], "{model}");
        place.ok(&format!("reconstruct {model} --data csv:holes.csv --out {model}.csv"));
    }
    // A run that goes on has the same gaps as one that never stopped.
    let steady = "--hidden 12 --valid 20 --batch-size 20 --schedule constant";
    place.ok(&format!("pretrain -q {read} {steady} --epochs 4 --out whole"));
    place.ok(&format!("pretrain -q {read} {steady} --epochs 2 --out half"));
    place.ok("pretrain -q --resume half --epochs 4");
    assert!(place.read("whole/model.safetensors") == place.read("half/model.safetensors"));
    // What does not draw gaps says so, and what to do.
    let refused = place.run("finetune stack --epochs 1 --out tuned");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("`dbn impute`"), "{}", stderr(&refused));
}

/// A weight of 3 is three of the row; weights of another kind are refused with their column.
#[test]
fn a_column_of_weights_counts_samples() {
    let place = Place::new();
    let rows = people(0..60);
    let weight = |k: usize| [1, 3][usize::from(k.is_multiple_of(2))];
    let with = |copies: bool| {
        let mut out = "age,sex,height,weight\n".to_string();
        for (k, row) in rows.iter().enumerate() {
            let line = format!("{},{},{},{}\n", row[1], row[2], row[5], if copies { 1 } else { weight(k) });
            out += &line.repeat(if copies { weight(k) } else { 1 });
        }
        out
    };
    std::fs::write(place.path("weights.csv"), with(false)).unwrap();
    std::fs::write(place.path("copies.csv"), with(true)).unwrap();
    // One batch an epoch, and chains that persist: the same model but for the order of sums.
    let learn = "--hidden 5 --epochs 30 --valid 0 --batch-size 1000 --persistent-chains 20 --binarize none \
                 --visible-states probabilities --momentum-switch 100";
    place.ok(&format!("pretrain -q --data csv:weights.csv --weight-column weight {learn} --out weighted"));
    place.ok(&format!("pretrain -q --data csv:copies.csv --column-types weight=ignored {learn} --out copied"));
    let codes = |run: &str| -> Vec<f32> {
        place.ok(&format!("encode {run} --data csv:weights.csv --out {run}.csv"));
        let text = String::from_utf8(place.read(&format!("{run}.csv"))).unwrap();
        text.lines()
            .skip(1)
            .flat_map(|line| {
                let fields: Vec<f32> = line.split(',').map(|x| x.parse().unwrap()).collect();
                // An ignored column stands before them.
                fields[fields.len() - 5..].to_vec()
            })
            .collect()
    };
    let (weighted, copied) = (codes("weighted"), codes("copied"));
    assert_eq!(weighted.len(), 300);
    let apart = weighted.iter().zip(&copied).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 0.02, "{apart}");
    let shown = place.ok("check csv:weights.csv --weight-column weight");
    assert!(shown.contains("weight  weight"), "{shown}");
    let refused = place.run("pretrain --data csv:weights.csv --weight-column sex --out x");
    assert!(stderr(&refused).contains("weights are numbers from 0 up"), "{}", stderr(&refused));
}

/// What is reported of a table in one format holds for the same table in another.
#[test]
fn tables_of_other_programs_are_tables() {
    let place = Place::new();
    let all = people(0..120);
    std::fs::write(place.path("people.csv"), text(&all, &[1, 2, 3, 4, 5], ",")).unwrap();
    let mut arff = "@relation people\n@attribute age integer\n@attribute sex {m, f}\n@attribute class {no, yes}\n\
                    @attribute blood {A, B, AB, 0}\n@attribute height real\n@data\n"
        .to_string();
    for row in &all {
        writeln!(arff, "{}", row[1..].join(", ")).unwrap();
    }
    std::fs::write(place.path("people.arff"), arff).unwrap();
    let shown = place.ok("check arff:people.arff");
    for line in ["sex     binary: f is off, m is on", "blood   categorical: 4 levels, A, B, AB, 0", "class   label"] {
        assert!(shown.contains(line), "'{line}' in {shown}");
    }
    place.ok("pretrain -q --data arff:people.arff --hidden 5 --epochs 2 --out run");
    place.ok("encode run --data csv:people.csv --out csv.csv");
    place.ok("encode run --data arff:people.arff --out arff.csv");
    let codes = |name: &str| {
        let text = String::from_utf8(place.read(name)).unwrap();
        text.lines().map(|line| line.split(',').take(5).map(String::from).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(codes("csv.csv"), codes("arff.csv"));

    let svm = |rows: std::ops::Range<usize>| {
        let row = |k: usize| {
            format!("{} {}:1 {}:1 # {k}\n", if k.is_multiple_of(2) { "+1" } else { "-1" }, 1 + k % 2, 3 + k % 4)
        };
        rows.map(row).collect::<Vec<_>>().concat()
    };
    std::fs::write(place.path("all.svm"), svm(0..80)).unwrap();
    std::fs::write(place.path("few.svm"), svm(1..2)).unwrap();
    place.ok("pretrain -q --data svm:all.svm --hidden 5 --epochs 2 --out sparse");
    place.ok("encode sparse --data svm:all.svm --out all.csv");
    place.ok("encode sparse --data svm:few.svm --out few.csv");
    assert_eq!(codes("few.csv").last(), codes("all.csv").iter().rev().nth(78), "a file of few features has them all");
}

/// The same samples in the containers of other programs are the same data.
#[test]
fn arrays_of_other_programs_are_samples() {
    let place = Place::new();
    for (source, file) in [("h5", "samples.h5"), ("mat", "samples-v73.mat")] {
        let golden = format!("{}/../../tests/golden/data/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(golden, place.path(file)).unwrap();
        let shown = place.ok(&format!("check {source}:{file}"));
        assert!(shown.contains("4 training samples of 3 columns") && shown.contains("classes"), "{shown}");
        place.ok(&format!("pretrain -q --data {source}:{file} --hidden 2 --epochs 1 --valid 0 --out {source}"));
        place.ok(&format!("encode {source} --data h5:samples.h5 --out {source}.npy"));
    }
    assert_eq!(place.read("h5.npy"), place.read("mat.npy"));
}

/// What a file says holds for every verb, whatever would be inferred; a run repeats and resumes by it.
#[test]
fn a_schema_is_a_file_that_can_be_changed() {
    let place = Place::new();
    std::fs::write(place.path("people.csv"), text(&people(0..60), &[0, 1, 2, 3, 4, 5], ",")).unwrap();
    place.ok(
        "check csv:people.csv --visible-units bernoulli --column-types id=ignored,smokes=label --schema-out s.toml",
    );
    let written = place.text("s.toml");
    assert!(written.contains("name = \"age\"\nkind = \"real\"\noffset = 20.0\nscale = 59.0\n"), "{written}");
    place.ok("check csv:people.csv --schema s.toml --schema-out s2.toml --recipe r.toml");
    assert_eq!(place.text("s2.toml").replace("s2.toml", "s.toml"), written, "what is read is what was written");

    let changed = written
        .replace("offset = 20.0\nscale = 59.0", "offset = 0\nscale = 100")
        .replace("levels = [\"0\", \"A\", \"AB\", \"B\"]", "levels = [\"B\", \"A\", \"AB\", \"0\"]");
    std::fs::write(place.path("s.toml"), &changed).unwrap();
    let shown = place.ok("check csv:people.csv --schema s.toml --recipe r.toml");
    assert!(shown.contains("age     real: 0 to 100") && shown.contains("4 levels, B, A, AB, 0"), "{shown}");
    place.ok("pretrain -q --config r.toml --epochs 2 --out a");
    let by_flag = "--hidden 5 --valid 0 --seed 3 --data csv:people.csv --schema s.toml";
    place.ok(&format!("pretrain -q {by_flag} --epochs 4 --out b"));
    place.ok(&format!("pretrain -q {by_flag} --epochs 2 --schedule constant --out c"));
    // The file may go: the run has what it said.
    std::fs::rename(place.path("s.toml"), place.path("gone.toml")).unwrap();
    place.ok("pretrain -q --config b/config.toml --out d");
    assert_eq!(place.read("d/model.safetensors"), place.read("b/model.safetensors"));
    place.ok("pretrain -q --resume c --epochs 4");
    place.ok("tune -q b --top-steps 1x1 --out t");
    for run in ["a", "b", "c", "t"] {
        let table: toml::Table = place.text(&format!("{run}/config.toml")).parse().unwrap();
        let schema = table["schema"].as_table().unwrap();
        assert_eq!(schema["column"][1]["scale"].as_float(), Some(100.0), "{run}");
    }
    place.ok("encode b --data csv:people.csv --out x.csv");
    place.ok("encode b --data csv:people.csv --schema gone.toml --out y.csv");
    place.ok("encode b --data csv:people.csv --schema s2.toml --out z.csv");
    assert_eq!(place.read("x.csv"), place.read("y.csv"));
    assert_ne!(place.read("x.csv"), place.read("z.csv"));
}

#[test]
fn a_schema_that_cannot_be_is_refused_by_file_and_column() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), "age,sex\n20,m\n30,f\n41,m\n").unwrap();
    place.ok("check csv:t.csv --visible-units bernoulli --schema-out s.toml");
    let refused = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output)
    };
    let said = refused("check csv:t.csv --schema s.toml --scale 255");
    assert!(said.contains("--schema says already what --scale would say"), "{said}");
    let with = |from: &str, to: &str| {
        std::fs::write(place.path("x.toml"), place.text("s.toml").replace(from, to)).unwrap();
        refused("pretrain --data csv:t.csv --schema x.toml --out r")
    };
    let said = with("scale = 21.0", "scale = \"wide\"");
    assert!(said.contains("x.toml: column \"age\": 'scale' is \"wide\", expected a number"), "{said}");
    let said = with("name = \"age\"", "name = \"aeg\"");
    assert!(said.contains("columns that the schema names are missing: aeg; it has age instead"), "{said}");
    let said = with("off = \"f\"", "off = \"x\"");
    assert!(said.contains("line 3, column \"sex\": \"f\" is not x or m"), "{said}");
    std::fs::write(place.path("r.toml"), "schema = \"none.toml\"\n").unwrap();
    assert!(refused("pretrain --config r.toml").contains("cannot read the schema none.toml"));
    let said = refused("check mnist --schema-out m.toml");
    assert!(said.contains("mnist has no schema to write"), "{said}");
}

/// A range that begins with a minus is typed as any other, as is a code of what is missing.
#[test]
fn values_of_options_may_begin_with_a_minus() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), "-1.5,1\n2.5,0\n-9,1\n4,0\n").unwrap();
    for words in ["--scale -2..5 --missing -9", "--scale=-2..5 --missing=-9"] {
        let shown = place.run(&format!("check csv:t.csv {words}"));
        let shown = String::from_utf8_lossy(&shown.stdout);
        assert!(shown.contains("real: -2 to 5") && shown.contains("missing  1 value"), "{shown}");
    }
    let shown = place.ok("check csv:t.csv --scale standard --recipe r.toml");
    assert!(shown.contains("each column by its mean and standard deviation"), "{shown}");
    place.ok("pretrain -q --config r.toml --epochs 1 --valid 0 --out r");
    // A value more than two standard deviations off is no reason against a training, which takes it for an end.
    let row = |k: usize| format!("{}.5,{}\n", k % 5, if k == 7 { 90.5 } else { (k % 7) as f32 + 0.25 });
    let far: String = (0..40).map(row).collect();
    std::fs::write(place.path("far.csv"), far).unwrap();
    place.ok("check csv:far.csv --scale standard --recipe far.toml");
    let said = stderr(&place.run("pretrain --config far.toml --epochs 1 --valid 0 --out far"));
    assert!(said.contains("1 value lies beyond the ranges of the columns and is taken for their ends"), "{said}");
}

/// What is read for a model is read by its scale, whatever its own values are.
#[test]
fn other_data_keep_within_the_range_of_the_training_data() {
    let place = Place::new();
    let values = |scale: f32, n: usize| (0..n * 4).map(|k| (k % 11) as f32 * scale - 1.0).collect::<Vec<f32>>();
    place.write_values("x.npy", 20, &values(0.5, 20));
    place.write_values("y.npy", 3, &values(0.7, 3));
    place.ok("pretrain -q --data npy:x.npy --scale minmax --hidden 3 --epochs 1 --valid 0 --out r");
    let said = stderr(&place.run("encode r --data npy:y.npy --out y.csv"));
    assert!(
        said.contains(
            "3 values lie beyond the training data's range -1 to 4 and are taken for its ends, the first 4.6"
        ) && said.contains("y.npy: row 2, column 0"),
        "{said}"
    );
    let refused = stderr(&place.run("encode r --data npy:y.npy --scale none --out y.csv"));
    assert!(refused.contains("expected 0 to 1"), "{refused}");
    place.write_values("u.npy", 20, &values(0.0, 20).iter().map(|_| 0.5).collect::<Vec<_>>());
    place.ok("pretrain -q --data npy:u.npy --scale none --hidden 3 --epochs 1 --valid 0 --out u");
    let refused = stderr(&place.run("encode u --data npy:y.npy --out y.csv"));
    assert!(refused.contains("expected 0 to 1 as in the training data") && !refused.contains("minmax"), "{refused}");
}

/// The same file under another spelling is read as it was in training.
#[test]
fn a_file_is_the_same_however_its_path_is_spelt() {
    let place = Place::new();
    std::fs::write(place.path("t.csv"), "a,b\nc,d\na,d\nc,b\na,b\n").unwrap();
    place.ok("pretrain -q --data csv:t.csv --header no --hidden 3 --epochs 1 --valid 0 --out r");
    for data in ["csv:t.csv", "csv:./t.csv", "csv:r/../t.csv"] {
        place.ok(&format!("encode r --data {data} --out codes.csv"));
        assert_eq!(place.text("codes.csv").lines().count(), 6, "{data}: a header, and the first line is a sample");
    }
    // The names are numbers, and the first column is the label.
    std::fs::write(place.path("h.csv"), "3,5,8\n".to_string() + &"1,0,1\n0,1,0\n".repeat(10)).unwrap();
    place.ok("stack -q --data csv:h.csv --header yes --label-column 0 --layers 3 --epochs 1 --valid 0 --out s");
    for data in ["csv:h.csv", "csv:./h.csv", "csv:s/../h.csv"] {
        let found = place.json(&format!("classify s --data {data} --json"));
        assert!(found["samples"] == 20 && found["errors"].is_number(), "{data}: {found}");
    }
}

/// A table of real columns is learned by what `check` recommends where nobody asks: a stack tells its classes, which
/// the recipe for pictures does not.
#[test]
fn what_nobody_asks_for_suits_the_table() {
    let place = Place::new();
    let mut text = "a,b,c,kind\n".to_string();
    for k in 0..120 {
        let kind = k % 3;
        let noise = |of: usize| ((k * 37 + of * 53) % 17) as f64 / 10.0;
        let row = [5.0 * f64::from(u8::from(kind == 1)) + noise(1), 40.0 - 9.0 * kind as f64 + noise(2), noise(3)];
        writeln!(text, "{},{},{},{}", row[0], row[1], row[2], ["x", "y", "z"][kind]).unwrap();
    }
    std::fs::write(place.path("t.csv"), text).unwrap();
    let said = stderr(&place.run("stack --data csv:t.csv --label-column kind --out s"));
    for part in [
        "not set, so by what the data are",
        "--batch-size 10",
        "--epochs 500",
        "3-18 stack of 3 gaussian visible units",
    ] {
        assert!(said.contains(part), "'{part}' in {said}");
    }
    let told = place.json("classify s --split train --json");
    assert!(told["error"].as_f64().unwrap() < 0.1, "{told}");
    // Whatever is asked for stays, in the recipe or by flags.
    std::fs::write(place.path("r.toml"), "epochs = 7\n").unwrap();
    place.ok("pretrain -q --data csv:t.csv --label-column kind --config r.toml --batch-size 50 --out p");
    let config = place.text("p/config.toml");
    for line in ["epochs = 7", "batch_size = 50", "visible_units = \"auto\"", "learning_rate = 0.01"] {
        assert!(config.contains(line), "'{line}' in {config}");
    }
}
