//! `dbn classify`: its figures against labels, the library and each other.

use crate::{Place, stderr};
use candle_core::{Device, Tensor};
use deepbelief_stack::Dbn;

/// Columns of a CSV file, by their names.
fn column(text: &str, name: &str) -> Vec<String> {
    let at = text.lines().next().unwrap().split(',').position(|column| column == name).unwrap();
    text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().to_string()).collect()
}

/// The labels predicted are those of the library, and every figure follows from them.
#[test]
fn figures_follow_from_the_labels() {
    let place = Place::new();
    place.stack("d", "");
    let json = place.json("classify d --json --out labels.csv");
    let csv = place.text("labels.csv");
    assert_eq!(csv.lines().next(), Some("line,predicted,probability,label"));
    let (told, labels) = (column(&csv, "predicted"), column(&csv, "label"));

    let (dbn, _) = Dbn::load(&place.path("d/model.safetensors"), &Device::Cpu).unwrap();
    let v = Tensor::from_vec(place.inputs("bits.csv"), (90, 9), &Device::Cpu).unwrap();
    assert_eq!(told, dbn.classify(&v).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(labels, (0..90).map(|sample| (sample % 3).to_string()).collect::<Vec<_>>());
    let p = dbn.label_probabilities(&v).unwrap().max(1).unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(column(&csv, "probability"), p.iter().map(ToString::to_string).collect::<Vec<_>>());

    let errors = told.iter().zip(&labels).filter(|(told, label)| told != label).count();
    assert!((1..60).contains(&errors), "{errors} errors of 90: none or all would prove little");
    assert_eq!((json["errors"].as_u64(), json["samples"].as_u64()), (Some(errors as u64), Some(90)));
    assert!((json["error"].as_f64().unwrap() - errors as f64 / 90.0).abs() < 1e-12);
    for (class, row) in json["confusion"].as_array().unwrap().iter().enumerate() {
        for (column, n) in row.as_array().unwrap().iter().enumerate() {
            let pairs = told.iter().zip(&labels);
            let count = pairs.filter(|(t, l)| **l == class.to_string() && **t == column.to_string()).count();
            assert_eq!(n.as_u64(), Some(count as u64));
        }
    }
    let text = place.ok("classify d --confusion");
    let percent = 100.0 * errors as f64 / 90.0;
    let percent = format!("error   {percent:.2} %\nerrors  {errors}\nsamples 90 (training of bits)\n");
    assert!(text.starts_with(&percent), "{text}");
    assert!(text.contains("rows: true label"), "{text}");
    let often = |name: &str| labels.iter().filter(|label| *label == name).count();
    let most = ["0", "1", "2"].into_iter().rev().max_by_key(|name| often(name)).unwrap();
    let guess = 100.0 * (90 - often(most)) as f64 / 90.0;
    assert_eq!(place.ok("classify d"), format!("{percent}guess   {guess:.2} % wrong, by always saying {most}\n"));
}

#[test]
fn test_samples_come_first_and_errors_are_drawn() {
    let place = Place::new();
    place.ok("stack -q --data idx:bars --layers 6,8 --epochs 2,3 --out d");
    assert_eq!(place.json("classify d --json --errors e.png")["samples"], 20);
    assert_eq!(place.json("classify d --json --split train")["samples"], 60);
    assert!(place.read("e.png").starts_with(b"\x89PNG"));
    let gibbs = place.json("classify d --json --method gibbs --steps 5");
    assert_eq!(gibbs, place.json("classify d --json --method gibbs --steps 5"), "the checkpoint's seed decides");
}

#[test]
fn without_labels_the_models_are_told_alone() {
    let place = Place::new();
    place.stack("d", "");
    place.write_inputs("bits.csv", "inputs.csv");
    place.ok("classify d --out labels.csv");
    let told = column(&place.text("labels.csv"), "predicted");
    assert_eq!(place.ok("classify d --data csv:inputs.csv"), told.join("\n") + "\n");
    // Where a file has them, their numbers are printed.
    let output = place.run("classify d --data csv:inputs.csv --out alone.csv");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(column(&place.text("alone.csv"), "predicted"), told);
    assert_eq!(text.lines().next(), Some("alone.csv"), "{text}");
    let of = |label: &str| told.iter().filter(|told| *told == label).count().to_string();
    for (line, label) in text.lines().skip(2).zip(["0", "1", "2"]) {
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [label, &of(label)], "{text}");
    }
    assert!(stderr(&output).contains("inputs has no labels"), "{}", stderr(&output));
    assert!(!place.text("alone.csv").contains("label"));
    let json = place.json("classify d --data csv:inputs.csv --json");
    assert_eq!(json, serde_json::json!({ "samples": 90, "labels": told }));
}

/// Classes keep the numbers they had in training where other data lack some; a new one is refused.
#[test]
fn classes_are_called_as_the_data_call_them() {
    let place = Place::new();
    let named = place.text("bits.csv").replace(",0\n", ",ant\n").replace(",1\n", ",bee\n").replace(",2\n", ",cat\n");
    std::fs::write(place.path("named.csv"), &named).unwrap();
    place.ok("stack -q --data csv:named.csv --label-column last --layers 8,12 --epochs 1 --out d");
    let text = place.ok("classify d --confusion --out labels.csv");
    assert!(text.contains("ant") && text.contains("bee") && text.contains("cat"), "{text}");
    assert_eq!(column(&place.text("labels.csv"), "label")[..3], ["ant", "bee", "cat"]);
    let fewer: Vec<&str> = named.lines().filter(|line| !line.ends_with("bee")).collect();
    std::fs::write(place.path("fewer.csv"), fewer.join("\n")).unwrap();
    place.ok("classify d --data csv:fewer.csv --label-column last --out fewer.labels.csv");
    let told = |file: &str| -> Vec<String> {
        let text = place.text(file);
        column(&text, "label").into_iter().zip(column(&text, "predicted")).map(|(a, b)| format!("{a}{b}")).collect()
    };
    let all = told("labels.csv").into_iter().filter(|pair| !pair.starts_with("bee"));
    assert_eq!(told("fewer.labels.csv"), all.collect::<Vec<_>>());
    std::fs::write(place.path("other.csv"), named.replace("bee", "dog")).unwrap();
    let output = place.run("classify d --data csv:other.csv --label-column last");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("dog"), "{}", stderr(&output));
}
