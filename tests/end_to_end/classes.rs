//! Labels that are numbers but not 0 and those after it: results are given in them.

use crate::{Place, stderr};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Rows of seven bits and a label, of these labels in turn.
fn table(labels: &[u32], rows: usize) -> String {
    let mut text = "a,b,c,d,e,f,g,kind\n".to_string();
    for k in 0..rows {
        let label = labels[k % labels.len()];
        let bit =
            |unit: u32| u32::from((unit + label).is_multiple_of(3)) ^ u32::from((k as u32 + unit).is_multiple_of(11));
        let bits: Vec<String> = (0..7).map(|unit| bit(unit).to_string()).collect();
        writeln!(text, "{},{label}", bits.join(",")).unwrap();
    }
    text
}

/// What stands in the last column of a csv file, each once.
fn last_column(place: &Place, name: &str) -> BTreeSet<String> {
    let text = place.text(name);
    text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_string()).collect()
}

#[test]
fn classes_are_the_labels_that_occur_and_results_are_told_in_them() {
    let place = Place::new();
    let write = |name: &str, text: String| std::fs::write(place.path(name), text).unwrap();
    write("all.csv", table(&[10, 20, 30], 90));
    write("two.csv", table(&[20, 30], 40));
    let shown = place.ok("check csv:all.csv --label-column kind");
    assert!(shown.contains("3: 30 samples each") && !shown.contains("no training samples"), "{shown}");
    place.ok("stack -q --data csv:all.csv --label-column kind --layers 12,8 --epochs 5 --out run");
    let labels = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();

    let told = place.ok("classify run --data csv:all.csv --label-column none");
    assert!(told.lines().collect::<BTreeSet<_>>().iter().all(|label| ["10", "20", "30"].contains(label)), "{told}");
    place.ok("classify run --data csv:two.csv --out predicted.csv");
    assert_eq!(last_column(&place, "predicted.csv"), labels(&["20", "30"]));
    for (verb, out) in [("encode", "codes.csv"), ("reconstruct", "reconstructed.csv")] {
        place.ok(&format!("{verb} run --data csv:two.csv --split train --out {out}"));
        assert_eq!(last_column(&place, out), labels(&["20", "30"]), "{verb}");
    }
    let sampled = place.json("sample run --label 20 --count 2 --steps 3 --out some.csv --json");
    assert_eq!(sampled["labels"], serde_json::json!([20]));
    assert_eq!(last_column(&place, "some.csv"), labels(&["20"]));
    let unknown = place.run("sample run --label 0 --out some.csv");
    let said = "label 0 is unknown: the checkpoint has 3 labels: 10, 20, 30";
    assert!(stderr(&unknown).contains(said), "{}", stderr(&unknown));

    // What is trained further keeps the numbers, of fewer classes too; a classifier may have more.
    place.ok("tune run -q --data csv:two.csv --top-steps 1x2 --out tuned");
    place.ok("finetune run -q --data csv:two.csv --epochs 2 --out fine");
    for run in ["tuned", "fine"] {
        place.ok(&format!("classify {run} --data csv:all.csv --out predicted.csv"));
        assert_eq!(last_column(&place, "predicted.csv"), labels(&["10", "20", "30"]), "{run}");
    }
    write("more.csv", table(&[5, 10, 20, 30], 40));
    let refused = place.run("tune run -q --data csv:more.csv --top-steps 1x2 --out no");
    assert!(stderr(&refused).contains("there is a class \"5\"; the classes are 10, 20, 30"), "{}", stderr(&refused));
    place.ok("finetune run -q --data csv:more.csv --epochs 2 --out more");
    place.ok("classify more --data csv:more.csv --out predicted.csv");
    assert_eq!(last_column(&place, "predicted.csv"), labels(&["5", "10", "20", "30"]));
    place.ok("finetune -q --resume more --epochs 3");
}

/// The model of a stack that was stopped has labels 0 to 4, of which 1, 2 and 4 occur.
#[test]
fn a_model_of_before_tells_labels_by_its_numbers() {
    let place = Place::new();
    let states = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/states");
    std::fs::copy(states.join("thirds.csv"), place.path("thirds.csv")).unwrap();
    std::fs::copy(states.join("stack-thirds/model.safetensors"), place.path("old.safetensors")).unwrap();
    place.ok("classify old.safetensors --data csv:thirds.csv --out predicted.csv");
    assert_eq!(last_column(&place, "predicted.csv"), ["1", "2", "4"].map(String::from).into());
    place.ok("encode old.safetensors --data csv:thirds.csv --out codes.csv");
    assert_eq!(last_column(&place, "codes.csv"), ["1", "2", "4"].map(String::from).into());
    place.ok("finetune old.safetensors -q --data csv:thirds.csv --label-column last --epochs 1 --valid 0 --out fine");
    assert!(place.ok("show fine").contains('5'));
    place.ok("classify fine --data csv:thirds.csv");
}
