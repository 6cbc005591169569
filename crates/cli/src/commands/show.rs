//! `dbn show`: what is in a checkpoint.

use super::{extension, require_folder, write_file};
use crate::args::ShowArgs;
use crate::checkpoint::{Checkpoint, Header};
use crate::failure::{Result, count};
use crate::pictures::{self, Net, Subject, values};
use crate::report::Report;
use candle_core::Tensor;
use deepbelief_rbm::Provenance;
use deepbelief_stack::{Dbn, Layer};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;

/// A filter is called dead if its weights' root mean square is below this share of the median
/// filter's: it never left the noise it started from.
const DEAD: f64 = 0.1;

#[derive(Serialize)]
struct Summary<'a> {
    header: &'a Header,
    tensors: Vec<Statistics>,
    /// Hidden units whose weights are next to nothing, of all layers.
    dead_filters: usize,
    /// The same of each layer, from the bottom.
    dead_filters_by_layer: Vec<usize>,
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
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let (dbn, header) = (&checkpoint.dbn, &checkpoint.header);
    let dead = dead_filters_by_layer(dbn)?;
    let summary = Summary {
        header,
        tensors: tensors(dbn, header)
            .into_iter()
            .map(|(name, tensor)| statistics(name, tensor))
            .collect::<Result<_>>()?,
        dead_filters: dead.iter().sum(),
        dead_filters_by_layer: dead,
    };
    if let Some(path) = &args.filters {
        let shape = pictures::shape_of(dbn.visible(), args.image_size.or_else(|| checkpoint.image_shape()))?;
        let provenance = checkpoint.provenance();
        let picture = match (header, args.layer) {
            (Header::Rbm(_), None | Some(0)) => {
                let (rbm, epochs, seed) = (dbn.top(), provenance.epochs, provenance.seed);
                pictures::filters(Subject { rbm, epochs, shape, seed })?
            }
            (_, layer) => Net { dbn, shape }.filters(layer)?,
        };
        write_file(path, &picture)?;
    }
    if args.json {
        return report.data(&(serde_json::to_string_pretty(&summary)? + "\n"));
    }
    report.data(&describe(&summary, checkpoint.provenance()))
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

/// Of every layer, from the bottom: its generative weights are what a filter is.
fn dead_filters_by_layer(dbn: &Dbn) -> Result<Vec<usize>> {
    let weights = dbn.layers().iter().map(Layer::w_gen).chain([dbn.top().w_gen()]);
    weights.zip(dbn.sizes()).map(|(w_gen, visible)| Ok(dead_filters(&values(w_gen)?, visible))).collect()
}

/// Counts the rows of `weights` [hidden, visible] that are next to nothing.
fn dead_filters(weights: &[f32], visible: usize) -> usize {
    let rms = |row: &[f32]| (row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / row.len() as f64).sqrt();
    let sizes: Vec<f64> = weights.chunks(visible.max(1)).map(rms).collect();
    let mut sorted = sizes.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    sizes.iter().filter(|&&size| size < DEAD * median).count()
}

fn describe(summary: &Summary<'_>, provenance: &Provenance) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<14}{value}");
    };
    let (kind, version, sizes) = match summary.header {
        Header::Rbm(header) => (&header.kind, header.format_version, vec![header.visible, header.hidden]),
        Header::Dbn(header) => (&header.kind, header.format_version, header.sizes.clone()),
    };
    line("kind", &format!("{kind}, format version {version}"));
    match summary.header {
        Header::Rbm(header) => {
            let (visible, hidden) = (&header.visible_units, &header.hidden_units);
            line("units", &format!("{} visible ({visible}), {} hidden ({hidden})", sizes[0], sizes[1]));
        }
        Header::Dbn(header) => {
            let units =
                if header.units == "gaussian-top" { "bernoulli, those of the top gaussian" } else { &header.units };
            line("units", &format!("{} ({units})", joined(&sizes, "-")));
            line("labels", &if header.classes > 0 { format!("{} at the top", header.classes) } else { "none".into() });
            let part = "generative and recognition weights";
            line(
                "weights",
                &if header.untied { format!("untied: {part} have parted") } else { format!("tied {part}") },
            );
        }
    }
    line("data", &provenance.dataset);
    line("data sha256", &provenance.dataset_sha256);
    line(
        "trained",
        &format!(
            "{}, seed {}, deepbelief {}",
            count(provenance.epochs as usize, "epoch"),
            provenance.seed,
            provenance.crate_version
        ),
    );
    let dead = summary.dead_filters_by_layer.iter().zip(&sizes[1..]).map(|(dead, units)| format!("{dead} of {units}"));
    line("dead filters", &dead.collect::<Vec<_>>().join(", "));
    table(&mut text, &summary.tensors);
    text += match summary.header {
        Header::Rbm(_) => "(w_gen is the transpose of w_rec)\n",
        Header::Dbn(header) if header.untied => "(the top's w_gen is the transpose of its w_rec)\n",
        Header::Dbn(_) => "(every w_gen is the transpose of its w_rec)\n",
    };
    if !provenance.figures.is_empty() {
        text += "\nmeasured, in nats per sample unless the name says otherwise\n";
        let width = provenance.figures.keys().map(|name| name.len() + 1).max().unwrap_or(0).max(28);
        for (name, value) in &provenance.figures {
            let _ = writeln!(text, "  {name:<width$}{value:.4}");
        }
    }
    if provenance.recipe.is_object() {
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
                    let _ = writeln!(text, "{indent}{name} {number}");
                    settings(text, layer, &format!("{indent}  "));
                }
            }
            _ => {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                let _ = writeln!(text, "{indent}{name:<28}{value}");
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

    #[test]
    fn a_filter_far_below_the_median_is_dead() {
        assert_eq!(dead_filters(&[1.0, 1.0, 0.05, 0.05, 2.0, 2.0], 2), 1);
        assert_eq!(dead_filters(&[0.0; 6], 2), 0, "where all are alike none is dead");
    }
}
