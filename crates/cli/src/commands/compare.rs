//! `dbn compare`: what sets two models apart, in settings, figures and weights; nothing that they agree in.

use crate::args::CompareArgs;
use crate::failure::{Result, count};
use crate::model::checkpoint::{Checkpoint, Header, Model, NetworkCheckpoint};
use crate::pictures::values;
use crate::report::{Report, table};
use candle_core::Tensor;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Settings of the trainings that do not agree; those of layers are lists where layers differ.
    settings: BTreeMap<String, Pair<Value>>,
    /// All figures of either.
    figures: BTreeMap<String, Pair<Value>>,
    tensors: Vec<Distance>,
    /// The shapes of tensors of the same name and another shape.
    reshaped: BTreeMap<String, Pair<Vec<usize>>>,
    /// Tensors that the other has not.
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
    let Matched { tensors, reshaped, unmatched } = matched(&a.tensors, &b.tensors)?;
    let comparison = Comparison {
        checkpoints: Pair { a: args.a.clone(), b: args.b.clone() },
        header: differing(&a.header, &b.header),
        settings: differing(&a.settings, &b.settings),
        figures: paired(&a.figures, &b.figures),
        tensors,
        reshaped,
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
        if let Some(recipe) = header.pointer_mut("/provenance/recipe") {
            join_layers(recipe);
        }
        let mut take = |place: &str| flat(&header.pointer_mut(place).map(Value::take).unwrap_or_default());
        let (settings, figures) = (take("/provenance/recipe"), take("/provenance/figures"));
        let provenance = take("/provenance");
        let header = flat(&header).into_iter().chain(provenance).filter(|(_, value)| !value.is_null()).collect();
        Ok(Self { header, settings, figures, tensors })
    }
}

/// Puts the settings of layers into the root, as one value where all layers have the same, else as a list: another verb
/// has the same setting there.
fn join_layers(recipe: &mut Value) {
    let Some(root) = recipe.as_object_mut() else { return };
    let Some(Value::Array(layers)) = root.remove("layer") else { return };
    let keys: BTreeSet<&String> = layers.iter().filter_map(Value::as_object).flat_map(|layer| layer.keys()).collect();
    for key in keys {
        let mut values: Vec<Value> = layers.iter().map(|layer| layer.get(key).cloned().unwrap_or_default()).collect();
        let same = values.windows(2).all(|pair| pair[0] == pair[1]);
        root.insert(key.clone(), if same { values.remove(0) } else { values.into() });
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

/// The tensors of two models, side by side.
struct Matched {
    tensors: Vec<Distance>,
    reshaped: BTreeMap<String, Pair<Vec<usize>>>,
    unmatched: Pair<Vec<String>>,
}

/// How far the tensors are apart that both have, and what the others are.
fn matched(a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>) -> Result<Matched> {
    let (mut tensors, mut reshaped) = (Vec::new(), BTreeMap::new());
    for (name, tensor, other) in a.iter().filter_map(|(name, tensor)| Some((name, tensor, b.get(name)?))) {
        if tensor.dims() == other.dims() {
            tensors.push(distance(name, tensor, other)?);
        } else {
            reshaped.insert(name.clone(), Pair { a: tensor.dims().to_vec(), b: other.dims().to_vec() });
        }
    }
    let only = |a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>| {
        a.keys().filter(|name| !b.contains_key(*name)).cloned().collect()
    };
    Ok(Matched { tensors, reshaped, unmatched: Pair { a: only(a, b), b: only(b, a) } })
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
    let Comparison { checkpoints, header, settings, figures, tensors, reshaped, unmatched } = comparison;
    let mut text = format!("A  {}\nB  {}\n", checkpoints.a.display(), checkpoints.b.display());
    for (title, one_of_them, pairs) in [("what differs", "fact", header), ("settings that differ", "setting", settings)]
    {
        let rows = both(pairs).map(|(name, pair)| vec![name.clone(), words(&pair.a), words(&pair.b)]);
        text += &section(&[title, "A", "B"], rows);
        text += &alone(one_of_them, pairs);
    }
    let rows = both(figures).filter(|(_, pair)| pair.a != pair.b).filter_map(|(name, pair)| {
        let (a, b) = (pair.a.as_f64()?, pair.b.as_f64()?);
        Some(vec![name.clone(), format!("{a:.4}"), format!("{b:.4}"), format!("{:+.4}", b - a)])
    });
    text += &section(&["figures (nats per sample unless the name says otherwise)", "A", "B", "B - A"], rows);
    text += &alone("figure", figures);
    let rows = tensors.iter().filter(|tensor| tensor.max_difference != 0.0).map(|tensor| {
        let numbers = [tensor.rms.a, tensor.rms.b, tensor.rms_difference, tensor.max_difference];
        let named = [tensor.name.clone(), product(&tensor.shape)];
        named.into_iter().chain(numbers.map(|x| format!("{x:.5}"))).collect()
    });
    text += &section(&["tensor", "shape", "rms A", "rms B", "rms B - A", "greatest |B - A|"], rows);
    let rows = reshaped.iter().map(|(name, pair)| vec![name.clone(), product(&pair.a), product(&pair.b)]);
    text += &section(&["shapes that differ", "A", "B"], rows);
    for (side, names) in [("A", &unmatched.a), ("B", &unmatched.b)] {
        if !names.is_empty() {
            let _ = writeln!(text, "\nonly in {side}: {}", names.join(", "));
        }
    }
    let same = tensors.iter().filter(|tensor| tensor.max_difference == 0.0).count();
    if same == tensors.len() && reshaped.is_empty() && unmatched.a.is_empty() && unmatched.b.is_empty() {
        text += "\nthe weights are the same\n";
    } else if same > 0 {
        let _ = writeln!(text, "\n{} the same", count(same, "tensor"));
    }
    text
}

/// What both models have.
fn both(pairs: &BTreeMap<String, Pair<Value>>) -> impl Iterator<Item = (&String, &Pair<Value>)> {
    pairs.iter().filter(|(_, pair)| !pair.a.is_null() && !pair.b.is_null())
}

/// How much one model has that the other does not know, in a line.
fn alone(what: &str, pairs: &BTreeMap<String, Pair<Value>>) -> String {
    let only = |other: fn(&Pair<Value>) -> &Value| pairs.values().filter(|pair| other(pair).is_null()).count();
    let sides = [("A", only(|pair| &pair.b)), ("B", only(|pair| &pair.a))];
    let parts: Vec<String> = sides
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(side, n)| format!("{} only {side} has", count(n, what)))
        .collect();
    if parts.is_empty() { String::new() } else { format!("({}; --json lists them)\n", parts.join(", ")) }
}

/// A value as one reads it.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(","),
        value => value.to_string(),
    }
}

/// A shape, `784x500`.
fn product(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

/// A table under an empty line; nothing of no rows.
fn section(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return String::new();
    }
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
        let b = BTreeMap::from([
            ("x".to_string(), tensor(&[3.0, 2.0])),
            ("y".to_string(), tensor(&[1.0, 1.0])),
            ("z".to_string(), tensor(&[1.0])),
        ]);
        let Matched { tensors, reshaped, unmatched } = matched(&a, &b).unwrap();
        let x = &tensors[0];
        assert_eq!(
            (tensors.len(), x.rms.a, x.rms_difference, x.max_difference),
            (1, 12.5f64.sqrt(), 2.0f64.sqrt(), 2.0)
        );
        assert_eq!(reshaped["y"], Pair { a: vec![1], b: vec![2] });
        assert_eq!(unmatched, Pair { a: vec![], b: vec!["z".to_string()] });
    }

    /// A stack's settings and those of a training that has no layers of its own.
    #[test]
    fn settings_of_layers_stand_beside_those_of_other_verbs() {
        let mut recipe = json!({ "seed": 1, "layer": [{ "epochs": 3, "k": "1" }, { "epochs": 3, "k": "10" }] });
        join_layers(&mut recipe);
        assert_eq!(recipe, json!({ "seed": 1, "epochs": 3, "k": ["1", "10"] }));
    }
}
