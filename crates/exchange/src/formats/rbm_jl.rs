//! The HDF5 files of RestrictedBoltzmannMachines.jl's `save_rbm`, version 1.0.0 of them, of an `RBM`.
//!
//! | name | holds |
//! |---|---|
//! | `rbm_hdf5_file_format_version`, `rbm_type` | `1.0.0`, `RBM` |
//! | `visible_type`, `hidden_type` | `Binary`, `Spin`, `Potts`, `Gaussian`, `ReLU`, `dReLU`, `xReLU`, `nsReLU` |
//! | `visible_par`, `hidden_par` | the fields: θ; of Gaussian and ReLU layers θ, γ; of dReLU ones θ+, θ-, γ+, γ-; of xReLU ones θ, γ, Δ, ξ |
//! | `weights` | visible axes, then hidden ones |
//!
//! Julia's first axis varies fastest, and HDF5 lists axes the other way round: `visible_par` of a Potts layer is [N, q, 1],
//! `weights` [H, N, q]. The signs are those of this project: `U(x) = γ x²/2 - θ x`, where a γ below 0 counts without its
//! sign. A dReLU layer is written as an xReLU one, which all versions of the program read.

use super::layer::{Column, Layer, parts, rbm_of, transposed};
use crate::containers::arrays::{Dataset, Values};
use crate::error::Result;
use crate::file::File;
use crate::format::Format;
use deepbelief_rbm::{Rbm, UnitKind};
use deepbelief_stack::Dbn;

const VERSION_KEY: &str = "rbm_hdf5_file_format_version";
const VERSION: &str = "1.0.0";
const FORMAT: Format = Format::RbmJl;

pub(crate) fn is(file: &File) -> bool {
    file.has(VERSION_KEY)
}

pub(crate) fn rbms(file: &File) -> Result<Vec<Rbm>> {
    if !is(file) {
        return Ok(Vec::new());
    }
    if let Some(version) = file.text(VERSION_KEY).filter(|version| version != VERSION) {
        return file.unfit(format!("has the format version {version}: {VERSION} is read"));
    }
    if let Some(kind) = file.text("rbm_type").filter(|kind| kind != "RBM") {
        return file.unfit(format!("holds a {kind}: only an RBM is read, which `RBM({kind})` makes of it"));
    }
    Ok(vec![rbm_of(file, layer(file, "visible")?, layer(file, "hidden")?, FORMAT)?])
}

/// A layer and its axes, as HDF5 lists them.
fn layer(file: &File, side: &str) -> Result<(Layer, Vec<usize>)> {
    let (name, par) = (format!("{side}_type"), file.numbers(&format!("{side}_par"), FORMAT)?);
    let Some(kind) = file.text(&name) else { return Err(file.missing(&name, FORMAT)) };
    let (units, rows) = match kind.as_str() {
        "Binary" => (UnitKind::Bernoulli, 1),
        "Spin" => (UnitKind::Spin, 1),
        "Potts" | "PottsGumbel" => (UnitKind::Categorical, 1),
        "Gaussian" => (UnitKind::Gaussian, 2),
        "ReLU" => (UnitKind::Relu, 2),
        "dReLU" | "xReLU" => (UnitKind::Drelu, 4),
        "nsReLU" => (UnitKind::Drelu, 3),
        _ => {
            return file.unfit(format!(
                "has a {side} layer of the type {kind}: Binary, Spin, Potts, Gaussian, ReLU, dReLU, xReLU and nsReLU are \
                 read"
            ));
        }
    };
    let potts = units == UnitKind::Categorical;
    let axes = match par.shape.split_last() {
        Some((&last, axes)) if last == rows && axes.len() > usize::from(potts) && !axes.contains(&0) => axes.to_vec(),
        _ => return Err(file.shape(&format!("{side}_par"), &par, format!("the axes of the layer, then {rows}"))),
    };
    let levels = if potts { axes[axes.len() - 1] } else { 1 };
    let columns = par.values.chunks_exact(rows).map(|par| match (kind.as_str(), par) {
        ("dReLU", &[b, b_below, g, g_below]) => Column { b, g: g.abs(), b_below, g_below: g_below.abs() },
        (_, &[theta, gamma, delta, xi]) => halves(theta, gamma.abs(), delta, xi),
        (_, &[theta, delta, xi]) => halves(theta, 1.0, delta, xi),
        (_, par) => Column { g: par.get(1).map_or(1.0, |g| g.abs()), ..Column::of(par[0]) },
    });
    Ok((Layer { kind: units, levels, columns: columns.collect() }, axes))
}

/// The two halves that θ, γ, Δ, ξ say together.
fn halves(theta: f64, gamma: f64, delta: f64, xi: f64) -> Column {
    let (above, below) =
        ((1.0 + xi.abs()) / (1.0 + (2.0 * xi).max(0.0)), (1.0 + xi.abs()) / (1.0 - (2.0 * xi).min(0.0)));
    Column { b: theta + delta * above, g: gamma * above, b_below: theta - delta * below, g_below: gamma * below }
}

/// The other way round: θ, γ, Δ, ξ.
fn together(&Column { b, g, b_below, g_below }: &Column) -> [f64; 4] {
    let sum = g + g_below;
    let gamma = 2.0 * g * g_below / sum;
    let xi = (g_below - g) / (sum - (g_below - g).abs());
    [(b * g_below + b_below * g) / sum, gamma, gamma * (b - b_below) / sum, xi]
}

/// The datasets of a file with the RBM of a net.
pub(crate) fn datasets(dbn: &Dbn) -> Result<Vec<Dataset>> {
    let (visible, hidden, w) = parts(dbn, FORMAT.name())?;
    let text =
        |path: &str, text: &str| Dataset { path: path.into(), shape: Vec::new(), values: Values::Text(text.into()) };
    let mut datasets = vec![text(VERSION_KEY, VERSION), text("rbm_type", "RBM")];
    let mut axes = Vec::new();
    for (side, layer) in [("hidden", &hidden), ("visible", &visible)] {
        let (kind, par): (_, Vec<f64>) = match layer.kind {
            UnitKind::Bernoulli => ("Binary", layer.values(|column| column.b)),
            UnitKind::Spin => ("Spin", layer.values(|column| column.b)),
            UnitKind::Categorical => ("Potts", layer.values(|column| column.b)),
            UnitKind::Gaussian => ("Gaussian", layer.columns.iter().flat_map(|c| [c.b, c.g]).collect()),
            UnitKind::Relu => ("ReLU", layer.columns.iter().flat_map(|c| [c.b, c.g]).collect()),
            UnitKind::Drelu => ("xReLU", layer.columns.iter().flat_map(together).collect()),
        };
        let mut own = vec![layer.sites()];
        if layer.kind == UnitKind::Categorical {
            own.push(layer.levels);
        }
        axes.extend(own.clone());
        own.push(par.len() / layer.columns.len().max(1));
        datasets.push(text(&format!("{side}_type"), kind));
        datasets.push(Dataset { path: format!("{side}_par"), shape: own, values: Values::F64(par) });
    }
    let w: Vec<f64> = w.iter().map(|&w| w.into()).collect();
    let w = transposed(&w, visible.columns.len(), hidden.columns.len());
    datasets.push(Dataset { path: "weights".into(), shape: axes, values: Values::F64(w) });
    Ok(datasets)
}
