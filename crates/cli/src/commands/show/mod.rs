//! `dbn show`: what is in a checkpoint.

mod terminal;
mod units;

use crate::args::ShowArgs;
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Failure, Result, count};
use crate::model::checkpoint::{Checkpoint, Header, Model, NetworkCheckpoint};
use crate::model::trained::Trained;
use crate::pictures::{self, Net, Screen, Subject, values};
use crate::report::{LONGEST, Report, WIDEST, cell};
use candle_core::Tensor;
use deepbelief_exchange::IMPORTED_FROM;
use deepbelief_rbm::Provenance;
use deepbelief_stack::{Dbn, Layer};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Summary {
    header: Value,
    tensors: Vec<Statistics>,
    /// Hidden units whose weights are next to nothing, of all layers.
    dead_filters: usize,
    /// The same of each layer, from the bottom.
    dead_filters_by_layer: Vec<usize>,
    /// Units of every layer, from the visible ones.
    #[serde(skip)]
    sizes: Vec<usize>,
    /// What the header says, in words.
    #[serde(skip)]
    facts: Vec<(&'static str, String)>,
    /// What is not among the tensors.
    #[serde(skip)]
    note: &'static str,
}

#[derive(Serialize)]
struct Statistics {
    name: String,
    shape: Vec<usize>,
    mean: f64,
    std: f64,
    min: f32,
    max: f32,
}

/// Prints header and statistics, draws the filters where asked to.
pub(crate) fn show(args: &ShowArgs, report: &Report) -> Result<()> {
    if let Some(path) = &args.filters {
        extension(path, &["png"])?;
        require_folder(path)?;
    }
    if let Some(path) = &args.units {
        units::require_format(path)?;
        require_folder(path)?;
    }
    let model = Model::open(&args.checkpoint)?;
    for path in [&args.filters, &args.units].into_iter().flatten() {
        require_spare(path, &args.checkpoint, &model, None)?;
    }
    if let Some(form) = args.terminal {
        return report.picture(&terminal::drawn(args, &model, Screen::here(form))?);
    }
    let summary = match &model {
        Model::Belief(checkpoint) => of_belief(checkpoint)?,
        Model::Network(checkpoint) => of_network(checkpoint)?,
    };
    if let Some(path) = &args.filters {
        write_file(path, &filters(args, &model)?)?;
    }
    if let Some(path) = &args.units {
        units::write_units(args, path, &model)?;
    }
    if args.json {
        return report.data(&(serde_json::to_string_pretty(&summary)? + "\n"));
    }
    report.data(&describe(&summary, model.provenance()))
}

fn filters(args: &ShowArgs, model: &Model) -> Result<Vec<u8>> {
    let Model::Belief(Checkpoint { dbn, header }) = model else {
        return Err(Failure::new("--filters draws those of RBMs and deep belief nets, not of feed-forward networks"));
    };
    let shape = pictures::shape_of(dbn.visible(), args.image_size.or_else(|| model.image_shape()))?;
    let provenance = model.provenance();
    match (header, args.layer.map(|layer| layer.get() - 1)) {
        (Header::Rbm(_), None | Some(0)) => {
            let (rbm, epochs, seed) = (dbn.top(), provenance.epochs, provenance.seed);
            pictures::filters(Subject { rbm, epochs, shape, seed })
        }
        (_, layer) => Net { dbn, shape }.filters(layer),
    }
}

/// Of an RBM or a deep belief net, whose filters are its generative weights.
fn of_belief(checkpoint: &Checkpoint) -> Result<Summary> {
    let Checkpoint { dbn, header } = checkpoint;
    let (kind, version) = match header {
        Header::Rbm(header) => (&header.kind, header.format_version),
        Header::Dbn(header) => (&header.kind, header.format_version),
    };
    let mut facts = vec![("kind", format!("{kind}, format version {version}"))];
    let sizes = dbn.code_sizes()?;
    let independent = sizes.len() <= dbn.depth();
    let note = match header {
        Header::Rbm(header) => {
            let (visible, hidden) = (header.layers.visible.kinds(), header.layers.hidden.kinds());
            facts.push(("units", format!("{} visible ({visible}), {} hidden ({hidden})", sizes[0], sizes[1])));
            "(w_gen is the transpose of w_rec)\n"
        }
        Header::Dbn(header) => {
            let labels = if header.classes > 0 { format!("{} at the top", header.classes) } else { "none".into() };
            let part = "generative and recognition weights";
            let weights = if header.untied { format!("untied: {part} have parted") } else { format!("tied {part}") };
            let types = match dbn.listed_units() {
                Some(units) => {
                    format!("{} visible ones, {} at the top, bernoulli between", units.visible, units.hidden)
                }
                None if header.units == "gaussian-top" => "bernoulli, those of the top gaussian".into(),
                None => header.units.clone(),
            };
            let units = format!("{} ({types})", joined(&sizes, "-"));
            facts.extend([("units", units), ("labels", labels), ("weights", weights)]);
            if independent {
                "(the units at the top are independent: top.vb has their biases)\n"
            } else if header.untied {
                "(the top's w_gen is the transpose of its w_rec)\n"
            } else {
                "(every w_gen is the transpose of its w_rec)\n"
            }
        }
    };
    // What stands above independent units is not of the model.
    let stands_for_nothing = |name: &str| independent && ["top.w_rec", "top.hb"].contains(&name);
    let tensors = tensors(dbn, header).into_iter().filter(|(name, _)| !stands_for_nothing(name));
    let tensors = tensors.map(|(name, tensor)| statistics(name, tensor));
    let filters = dbn.layers().iter().map(Layer::w_gen).chain([dbn.top().w_gen()]).take(sizes.len() - 1);
    let dead = filters.zip(&sizes).map(|(w_gen, &visible)| Ok(dead_filters(&values(w_gen)?, visible)));
    let (tensors, dead) = (tensors.collect::<Result<_>>()?, dead.collect::<Result<Vec<_>>>()?);
    let (header, dead_filters) = (serde_json::to_value(header)?, dead.iter().sum());
    Ok(Summary { header, tensors, dead_filters, dead_filters_by_layer: dead, sizes, facts, note })
}

/// Of a feed-forward network, whose filters are the weights into a unit.
fn of_network(checkpoint: &NetworkCheckpoint) -> Result<Summary> {
    let NetworkCheckpoint { network, header } = checkpoint;
    let sizes = network.sizes();
    let activations: Vec<String> =
        network.layers().iter().map(|layer| format!("{:?}", layer.activation).to_lowercase()).collect();
    let facts = vec![
        ("kind", format!("{}, format version {}", header.kind, header.format_version)),
        ("units", joined(&sizes, "-")),
        ("activations", activations.join(", ")),
    ];
    let (mut all, mut dead) = (Vec::new(), Vec::new());
    for (name, tensor) in network.named_tensors("")? {
        if let [_, inputs] = tensor.dims() {
            dead.push(dead_filters(&values(&tensor)?, *inputs));
        }
        all.push(statistics(name, &tensor)?);
    }
    let (header, dead_filters) = (serde_json::to_value(header)?, dead.iter().sum());
    Ok(Summary { header, tensors: all, dead_filters, dead_filters_by_layer: dead, sizes, facts, note: "" })
}

/// The tensors of a model by the names that its file has for them, but for those that follow
/// from others.
fn tensors<'a>(dbn: &'a Dbn, header: &Header) -> Vec<(String, &'a Tensor)> {
    let (prefix, untied) = match header {
        Header::Rbm(_) => ("", false),
        Header::Dbn(header) => ("top.", header.untied),
    };
    let mut tensors = Vec::new();
    for (index, layer) in dbn.layers().iter().enumerate() {
        let w_gen = untied.then_some(("w_gen", layer.w_gen()));
        let parts = [Some(("w_rec", layer.w_rec())), w_gen, Some(("hb", layer.hb())), Some(("vb", layer.vb()))];
        tensors.extend(parts.into_iter().flatten().map(|(name, tensor)| (format!("layers.{index}.{name}"), tensor)));
    }
    let top = dbn.top();
    let parts = [("w_rec", top.w_rec()), ("hb", top.hb()), ("vb", top.vb())];
    let labels = top.labels().map(|labels| [("label_w", &labels.w), ("label_b", &labels.b)]);
    let all = parts.into_iter().chain(labels.into_iter().flatten());
    tensors.extend(all.map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
    tensors
}

fn statistics(name: String, tensor: &Tensor) -> Result<Statistics> {
    let values = values(tensor)?;
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    let (min, max) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
    Ok(Statistics { name, shape: tensor.dims().to_vec(), mean, std: variance.sqrt(), min, max })
}

/// Counts the rows of `weights` [hidden, visible] that are next to nothing.
fn dead_filters(weights: &[f32], visible: usize) -> usize {
    let rms = |row: &[f32]| (row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / row.len() as f64).sqrt();
    deepbelief_report::dead_filters(&weights.chunks(visible.max(1)).map(rms).collect::<Vec<f64>>())
}

fn describe(summary: &Summary, provenance: &Provenance) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<14}{}", cell(value, LONGEST));
    };
    summary.facts.iter().for_each(|(name, fact)| line(name, fact));
    let imported = provenance.recipe.get(IMPORTED_FROM).and_then(Value::as_array);
    if let Some(files) = imported {
        for file in files {
            let part = |name: &str| file[name].as_str().unwrap_or_default();
            line("imported", &format!("{} of {}, sha256 {}", part("file"), part("format"), part("sha256")));
        }
    } else {
        line("data", &provenance.dataset);
        line("data sha256", &provenance.dataset_sha256);
        if let Some(sha256) = &provenance.test_sha256 {
            line("test sha256", sha256);
        }
        line(
            "trained",
            &format!(
                "{}{}, seed {}, deepbelief {}",
                count(provenance.epochs as usize, "epoch"),
                if provenance.stopped_early { ", stopped early" } else { "" },
                provenance.seed,
                provenance.crate_version
            ),
        );
    }
    let dead =
        summary.dead_filters_by_layer.iter().zip(&summary.sizes[1..]).map(|(dead, units)| format!("{dead} of {units}"));
    line("dead filters", &dead.collect::<Vec<_>>().join(", "));
    table(&mut text, &summary.tensors);
    text += summary.note;
    if !provenance.figures.is_empty() {
        text += "\nmeasured, in nats per sample unless the name says otherwise\n";
        let figures: Vec<(String, f64)> =
            provenance.figures.iter().map(|(name, &value)| (cell(name, WIDEST), value)).collect();
        let width = figures.iter().map(|(name, _)| name.chars().count() + 1).max().unwrap_or(0).max(28);
        for (name, value) in figures {
            let _ = writeln!(text, "  {name:<width$}{value:.4}");
        }
    }
    if provenance.recipe.is_object() && imported.is_none() {
        text += "\nrecipe\n";
        settings(&mut text, &provenance.recipe, "  ");
    }
    text
}

fn table(text: &mut String, tensors: &[Statistics]) {
    let width = tensors.iter().map(|tensor| tensor.name.len() + 1).max().unwrap_or(0).max(8);
    let _ =
        writeln!(text, "\n{:<width$}{:>12}{:>11}{:>11}{:>11}{:>11}", "tensor", "shape", "mean", "std", "min", "max");
    for t in tensors {
        let (name, shape) = (&t.name, joined(&t.shape, "x"));
        let _ =
            writeln!(text, "{name:<width$}{shape:>12}{:>11.4}{:>11.4}{:>11.4}{:>11.4}", t.mean, t.std, t.min, t.max);
    }
}

/// One setting a line; those of a layer under its number.
fn settings(text: &mut String, object: &Value, indent: &str) {
    let Some(object) = object.as_object() else { return };
    for (name, value) in object {
        match value.as_array() {
            Some(layers) if layers.iter().any(Value::is_object) => {
                for (number, layer) in layers.iter().enumerate() {
                    let _ = writeln!(text, "{indent}{} {}", cell(name, WIDEST), number + 1);
                    settings(text, layer, &format!("{indent}  "));
                }
            }
            _ => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                let _ = writeln!(text, "{indent}{:<28}{}", cell(name, WIDEST), cell(&value, LONGEST));
            }
        }
    }
}

fn joined(numbers: &[usize], separator: &str) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn statistics_are_those_of_the_values() {
        let tensor = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 6.0], (2, 2), &Device::Cpu).unwrap();
        let s = statistics("t".into(), &tensor).unwrap();
        assert_eq!((s.mean, s.min, s.max, s.shape), (3.0, 1.0, 6.0, vec![2, 2]));
        assert!((s.std - 3.5f64.sqrt()).abs() < 1e-12);
    }
}
