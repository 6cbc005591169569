//! `dbn compare`: what sets two models apart, in settings, figures and weights.

use crate::args::CompareArgs;
use crate::failure::Result;
use crate::model::checkpoint::{Checkpoint, Header, Model, NetworkCheckpoint};
use crate::pictures::values;
use crate::report::{Report, table};
use candle_core::Tensor;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The same of both models; null where one has none.
#[derive(Debug, PartialEq, Serialize)]
struct Pair<T> {
    a: T,
    b: T,
}

#[derive(Serialize)]
struct Comparison {
    checkpoints: Pair<PathBuf>,
    /// What the headers say and does not agree, but for the two below.
    header: BTreeMap<String, Pair<Value>>,
    /// Settings of the trainings that do not agree; those of a layer carry its number.
    settings: BTreeMap<String, Pair<Value>>,
    /// All figures of either.
    figures: BTreeMap<String, Pair<Value>>,
    tensors: Vec<Distance>,
    /// Tensors that the other has not, or not in this shape.
    unmatched: Pair<Vec<String>>,
}

/// How far two tensors are apart.
#[derive(Serialize)]
struct Distance {
    name: String,
    shape: Vec<usize>,
    /// Root mean square of the values.
    rms: Pair<f64>,
    /// The same of their difference.
    rms_difference: f64,
    /// Its greatest absolute value.
    max_difference: f64,
}

/// Compares two models.
pub(crate) fn compare(args: &CompareArgs, report: &Report) -> Result<()> {
    let (a, b) = (Side::open(&args.a)?, Side::open(&args.b)?);
    let (tensors, unmatched) = distances(&a.tensors, &b.tensors)?;
    let comparison = Comparison {
        checkpoints: Pair { a: args.a.clone(), b: args.b.clone() },
        header: differing(&a.header, &b.header),
        settings: differing(&a.settings, &b.settings),
        figures: paired(&a.figures, &b.figures),
        tensors,
        unmatched,
    };
    if args.json {
        return report.json(&comparison);
    }
    report.data(&describe(&comparison))
}

/// One of the models.
struct Side {
    header: BTreeMap<String, Value>,
    settings: BTreeMap<String, Value>,
    figures: BTreeMap<String, Value>,
    tensors: BTreeMap<String, Tensor>,
}

impl Side {
    fn open(path: &Path) -> Result<Self> {
        let (mut header, tensors) = match Model::open(path)? {
            Model::Belief(Checkpoint { dbn, header }) => {
                // An RBM is the top of a net that has nothing else.
                let name = |name: String| match header {
                    Header::Rbm(_) => name.trim_start_matches("top.").to_string(),
                    Header::Dbn(_) => name,
                };
                let tensors = dbn.named_tensors("").into_iter().map(|(full, tensor)| (name(full), tensor)).collect();
                (serde_json::to_value(&header)?, tensors)
            }
            Model::Network(NetworkCheckpoint { network, header }) => {
                (serde_json::to_value(&header)?, network.named_tensors("")?.into_iter().collect())
            }
        };
        let mut take = |place: &str| flat(&header.pointer_mut(place).map(Value::take).unwrap_or_default());
        let (settings, figures) = (take("/provenance/recipe"), take("/provenance/figures"));
        let provenance = take("/provenance");
        let header = flat(&header).into_iter().chain(provenance).filter(|(_, value)| !value.is_null()).collect();
        Ok(Self { header, settings, figures, tensors })
    }
}

/// The leaves of a JSON object by their paths, `layer.0.epochs`. A list of numbers is a leaf.
fn flat(value: &Value) -> BTreeMap<String, Value> {
    fn walk(path: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
        let below = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| walk(&below(key), value, leaves)),
            Value::Array(array) if array.iter().any(Value::is_object) => {
                array.iter().enumerate().for_each(|(index, value)| walk(&below(&index.to_string()), value, leaves));
            }
            leaf if !path.is_empty() => drop(leaves.insert(path.to_string(), leaf.clone())),
            _ => (),
        }
    }
    let mut leaves = BTreeMap::new();
    walk("", value, &mut leaves);
    leaves
}

/// Everything that either has.
fn paired(a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>) -> BTreeMap<String, Pair<Value>> {
    let of = |side: &BTreeMap<String, Value>, key: &String| side.get(key).cloned().unwrap_or_default();
    a.keys().chain(b.keys()).map(|key| (key.clone(), Pair { a: of(a, key), b: of(b, key) })).collect()
}

/// What they do not agree in.
fn differing(a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>) -> BTreeMap<String, Pair<Value>> {
    paired(a, b).into_iter().filter(|(_, pair)| pair.a != pair.b).collect()
}

/// How far the tensors are apart that both have, and the names of the others.
fn distances(a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>) -> Result<(Vec<Distance>, Pair<Vec<String>>)> {
    let alike = |a: &BTreeMap<String, Tensor>, name: &str, tensor: &Tensor| {
        a.get(name).is_some_and(|other| other.dims() == tensor.dims())
    };
    let only = |a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>| {
        a.iter().filter(|(name, tensor)| !alike(b, name, tensor)).map(|(name, _)| name.clone()).collect()
    };
    let both = a.iter().filter(|(name, tensor)| alike(b, name, tensor));
    let distances = both.map(|(name, tensor)| distance(name, tensor, &b[name])).collect::<Result<_>>()?;
    Ok((distances, Pair { a: only(a, b), b: only(b, a) }))
}

fn distance(name: &str, a: &Tensor, b: &Tensor) -> Result<Distance> {
    let wide = |tensor| -> Result<Vec<f64>> { Ok(values(tensor)?.into_iter().map(f64::from).collect()) };
    let (x, y) = (wide(a)?, wide(b)?);
    let difference: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - x).collect();
    Ok(Distance {
        name: name.into(),
        shape: a.dims().to_vec(),
        rms: Pair { a: rms(&x), b: rms(&y) },
        rms_difference: rms(&difference),
        max_difference: difference.iter().fold(0.0, |max, d| d.abs().max(max)),
    })
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|x| x * x).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

fn describe(comparison: &Comparison) -> String {
    let Comparison { checkpoints, header, settings, figures, tensors, unmatched } = comparison;
    let mut text = format!("A  {}\nB  {}\n", checkpoints.a.display(), checkpoints.b.display());
    let words = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    for (title, pairs) in [("what differs", header), ("settings that differ", settings)] {
        if !pairs.is_empty() {
            let rows = pairs.iter().map(|(name, pair)| vec![name.clone(), words(&pair.a), words(&pair.b)]);
            text += &section(&[title, "A", "B"], rows);
        }
    }
    if !figures.is_empty() {
        let number = |value: Option<f64>| value.map_or(String::new(), |x| format!("{x:.4}"));
        let rows = figures.iter().map(|(name, pair)| {
            let (a, b) = (pair.a.as_f64(), pair.b.as_f64());
            let change = a.zip(b).map_or(String::new(), |(a, b)| format!("{:+.4}", b - a));
            vec![name.clone(), number(a), number(b), change]
        });
        text += &section(&["figures (nats per sample unless the name says otherwise)", "A", "B", "B - A"], rows);
    }
    if !tensors.is_empty() {
        let rows = tensors.iter().map(|tensor| {
            let shape = tensor.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
            let numbers = [tensor.rms.a, tensor.rms.b, tensor.rms_difference, tensor.max_difference];
            [tensor.name.clone(), shape].into_iter().chain(numbers.map(|x| format!("{x:.5}"))).collect()
        });
        text += &section(&["tensor", "shape", "rms A", "rms B", "rms B - A", "greatest |B - A|"], rows);
    }
    for (side, names) in [("A", &unmatched.a), ("B", &unmatched.b)] {
        if !names.is_empty() {
            let _ = writeln!(text, "\nonly in {side}: {}", names.join(", "));
        }
    }
    let same = tensors.iter().all(|tensor| tensor.max_difference == 0.0);
    if same && unmatched.a.is_empty() && unmatched.b.is_empty() {
        text += "\nthe weights are the same\n";
    }
    text
}

/// A table under an empty line.
fn section(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    "\n".to_string() + &table(std::iter::once(head).chain(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use serde_json::json;

    #[test]
    fn leaves_are_named_by_their_paths() {
        let value = json!({ "seed": 1, "sizes": [4, 2], "layer": [{ "epochs": 3 }, { "epochs": 5 }], "none": {} });
        let leaves = flat(&value);
        assert_eq!(leaves.keys().collect::<Vec<_>>(), ["layer.0.epochs", "layer.1.epochs", "seed", "sizes"]);
        assert_eq!((&leaves["layer.1.epochs"], &leaves["sizes"]), (&json!(5), &json!([4, 2])));
        assert!(flat(&Value::Null).is_empty());
    }

    #[test]
    fn only_what_differs_is_told() {
        let (a, b) = (flat(&json!({ "seed": 1, "k": 1 })), flat(&json!({ "seed": 1, "k": 2, "l": 3 })));
        let differing = differing(&a, &b);
        assert_eq!(differing.len(), 2);
        assert_eq!(differing["k"], Pair { a: json!(1), b: json!(2) });
        assert_eq!(differing["l"], Pair { a: Value::Null, b: json!(3) });
    }

    #[test]
    fn distances_are_those_of_the_values() {
        let tensor = |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
        let a = BTreeMap::from([("x".to_string(), tensor(&[3.0, 4.0])), ("y".to_string(), tensor(&[1.0]))]);
        let b = BTreeMap::from([("x".to_string(), tensor(&[3.0, 2.0])), ("y".to_string(), tensor(&[1.0, 1.0]))]);
        let (distances, unmatched) = distances(&a, &b).unwrap();
        let x = &distances[0];
        assert_eq!(
            (distances.len(), x.rms.a, x.rms_difference, x.max_difference),
            (1, 12.5f64.sqrt(), 2.0f64.sqrt(), 2.0)
        );
        assert_eq!(unmatched, Pair { a: vec!["y".to_string()], b: vec!["y".to_string()] });
    }
}
