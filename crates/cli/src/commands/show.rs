//! `dbn show`: what is in a checkpoint.

use super::{extension, require_folder, write_file};
use crate::args::ShowArgs;
use crate::checkpoint::Checkpoint;
use crate::failure::Result;
use crate::pictures::{self, Subject, values};
use crate::report::Report;
use candle_core::Tensor;
use serde::Serialize;
use std::fmt::Write as _;

/// A filter is called dead if its weights' root mean square is below this share of the median
/// filter's: it never left the noise it started from.
const DEAD: f64 = 0.1;

#[derive(Serialize)]
struct Summary<'a> {
    header: &'a deepbelief_rbm::Header,
    tensors: Vec<Statistics>,
    /// Hidden units whose weights are next to nothing.
    dead_filters: usize,
}

#[derive(Serialize)]
struct Statistics {
    name: &'static str,
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
    let rbm = &checkpoint.rbm;
    let tensors = [("w_rec", rbm.w_rec()), ("hb", rbm.hb()), ("vb", rbm.vb())];
    let summary = Summary {
        header: &checkpoint.header,
        tensors: tensors.into_iter().map(|(name, tensor)| statistics(name, tensor)).collect::<Result<_>>()?,
        dead_filters: dead_filters(&values(rbm.w_gen())?, rbm.visible()),
    };
    if let Some(path) = &args.filters {
        let shape = pictures::shape_of(rbm.visible(), args.image_size.or_else(|| checkpoint.image_shape()))?;
        let provenance = &checkpoint.header.provenance;
        let subject = Subject { rbm, epochs: provenance.epochs, shape, seed: provenance.seed };
        write_file(path, &pictures::filters(subject)?)?;
    }
    if args.json {
        return report.data(&(serde_json::to_string_pretty(&summary)? + "\n"));
    }
    report.data(&describe(&summary))
}

fn statistics(name: &'static str, tensor: &Tensor) -> Result<Statistics> {
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
    let sizes: Vec<f64> = weights.chunks(visible.max(1)).map(rms).collect();
    let mut sorted = sizes.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    sizes.iter().filter(|&&size| size < DEAD * median).count()
}

fn describe(summary: &Summary<'_>) -> String {
    let header = summary.header;
    let provenance = &header.provenance;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<14}{value}");
    };
    let units = format!(
        "{} visible ({}), {} hidden ({})",
        header.visible, header.visible_units, header.hidden, header.hidden_units
    );
    line("kind", &format!("{}, format version {}", header.kind, header.format_version));
    line("units", &units);
    line("data", &provenance.dataset);
    line("data sha256", &provenance.dataset_sha256);
    line(
        "trained",
        &format!("{} epochs, seed {}, deepbelief {}", provenance.epochs, provenance.seed, provenance.crate_version),
    );
    line("dead filters", &format!("{} of {}", summary.dead_filters, header.hidden));
    let _ = writeln!(text, "\n{:<8}{:>12}{:>11}{:>11}{:>11}{:>11}", "tensor", "shape", "mean", "std", "min", "max");
    for t in &summary.tensors {
        let shape = t.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        let _ = writeln!(text, "{:<8}{shape:>12}{:>11.4}{:>11.4}{:>11.4}{:>11.4}", t.name, t.mean, t.std, t.min, t.max);
    }
    let _ = writeln!(text, "(w_gen is the transpose of w_rec)");
    if !provenance.figures.is_empty() {
        let _ = writeln!(text, "\nmeasured, in nats per sample unless the name says otherwise");
        for (name, value) in &provenance.figures {
            let _ = writeln!(text, "  {name:<28}{value:.4}");
        }
    }
    if let Some(recipe) = provenance.recipe.as_object() {
        let _ = writeln!(text, "\nrecipe");
        for (name, value) in recipe {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let _ = writeln!(text, "  {name:<28}{value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn statistics_are_those_of_the_values() {
        let tensor = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 6.0], (2, 2), &Device::Cpu).unwrap();
        let s = statistics("t", &tensor).unwrap();
        assert_eq!((s.mean, s.min, s.max, s.shape), (3.0, 1.0, 6.0, vec![2, 2]));
        assert!((s.std - 3.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_filter_far_below_the_median_is_dead() {
        assert_eq!(dead_filters(&[1.0, 1.0, 0.05, 0.05, 2.0, 2.0], 2), 1);
        assert_eq!(dead_filters(&[0.0; 6], 2), 0, "where all are alike none is dead");
    }
}
