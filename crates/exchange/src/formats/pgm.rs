//! RBMs of PGM (Tubiana, Cocco & Monasson 2019), whose own files are pickles, as an npz of their arrays:
//!
//! ```python
//! np.savez("rbm.npz", visible=RBM.visible, hidden=RBM.hidden, weights=RBM.weights,
//!          **{f"vlayer.{name}": getattr(RBM.vlayer, name) for name in RBM.vlayer.list_params},
//!          **{f"hlayer.{name}": getattr(RBM.hlayer, name) for name in RBM.hlayer.list_params})
//! ```
//!
//! | layer | arrays | of this project |
//! |---|---|---|
//! | `Bernoulli`, `Spin` | `fields` [N] | b |
//! | `Potts` | `fields` [N, q] | b |
//! | `Gaussian`, `ReLUplus` | `gamma`, `theta` [N] | g, -b |
//! | `ReLU` | `gamma`, `theta_plus`, `theta_minus` [N] | g and g-, -b, b- |
//! | `dReLU` | `gamma_plus`, `gamma_minus`, `theta_plus`, `theta_minus` [N] | g, g-, -b, b- |
//!
//! `weights` is [H, V], over a Potts layer [H, V, q].

use super::layer::{Column, Layer, parts, rbm_of, transposed};
use crate::containers::arrays::{Dataset, Values};
use crate::error::Result;
use crate::file::File;
use crate::format::Format;
use deepbelief_rbm::{Rbm, UnitKind};
use deepbelief_stack::Dbn;

const FORMAT: Format = Format::Pgm;

pub(crate) fn is(file: &File) -> bool {
    file.names.iter().any(|name| name.starts_with("vlayer."))
}

pub(crate) fn rbms(file: &File) -> Result<Vec<Rbm>> {
    if !is(file) {
        return Ok(Vec::new());
    }
    Ok(vec![rbm_of(file, layer(file, "visible", "vlayer")?, layer(file, "hidden", "hlayer")?, FORMAT)?])
}

/// A layer and its axes.
fn layer(file: &File, side: &str, prefix: &str) -> Result<(Layer, Vec<usize>)> {
    let Some(kind) = file.text(side) else { return Err(file.missing(side, FORMAT)) };
    let numbers = |name: &str| file.numbers(&format!("{prefix}.{name}"), FORMAT);
    let known = match kind.as_str() {
        "Bernoulli" => UnitKind::Bernoulli,
        "Spin" => UnitKind::Spin,
        "Potts" => UnitKind::Categorical,
        "Gaussian" => UnitKind::Gaussian,
        "ReLUplus" => UnitKind::Relu,
        "ReLU" | "dReLU" => UnitKind::Drelu,
        _ => {
            return file.unfit(format!(
                "has a {side} layer of the nature {kind}: Bernoulli, Spin, Potts, Gaussian, ReLUplus, ReLU and dReLU are \
                 read"
            ));
        }
    };
    if known.is_discrete() {
        let fields = numbers("fields")?;
        let axes = if known == UnitKind::Categorical { 2 } else { 1 };
        if fields.shape.len() != axes || fields.shape.contains(&0) {
            let expected = if axes == 2 { "[N, q]" } else { "[N]" };
            return Err(file.shape(&format!("{prefix}.fields"), &fields, expected.into()));
        }
        let levels = if axes == 2 { fields.shape[1] } else { 1 };
        return Ok((Layer::biased(known, levels, &fields.values), fields.shape));
    }
    let names: &[&str] = match kind.as_str() {
        "dReLU" => &["gamma_plus", "gamma_minus", "theta_plus", "theta_minus"],
        "ReLU" => &["gamma", "gamma", "theta_plus", "theta_minus"],
        _ => &["gamma", "gamma", "theta", "theta"],
    };
    let mut arrays = Vec::new();
    for name in names {
        let array = numbers(name)?;
        let first = arrays.first().map_or(&array.shape, |first: &crate::containers::arrays::Array| &first.shape);
        if array.shape.len() != 1 || array.shape != *first || array.shape == [0] {
            return Err(file.shape(
                &format!("{prefix}.{name}"),
                &array,
                "[N], the same of all fields of a layer".into(),
            ));
        }
        arrays.push(array);
    }
    if let Some(at) = names[..2].iter().zip(&arrays).position(|(_, array)| array.values.iter().any(|&g| g <= 0.0)) {
        return file.unfit(format!("has a {prefix}.{} that is not above 0", names[at]));
    }
    let value = |field: usize, at: usize| arrays[field].values[at];
    let column = |at: usize| {
        let whole = Column { g: value(0, at), ..Column::of(-value(2, at)) };
        if known == UnitKind::Drelu { Column { g_below: value(1, at), b_below: value(3, at), ..whole } } else { whole }
    };
    let sites = arrays[0].shape[0];
    Ok((Layer { kind: known, levels: 1, columns: (0..sites).map(column).collect() }, vec![sites]))
}

/// The arrays of the RBM of a net.
pub(crate) fn arrays(dbn: &Dbn) -> Result<Vec<Dataset>> {
    let (visible, hidden, w) = parts(dbn, FORMAT.name())?;
    let mut all = Vec::new();
    let mut axes = Vec::new();
    for (side, prefix, layer) in [("hidden", "hlayer", &hidden), ("visible", "vlayer", &visible)] {
        let mut own = vec![layer.sites()];
        if layer.kind == UnitKind::Categorical {
            own.push(layer.levels);
        }
        let (b, g) = (layer.values(|c| c.b), layer.values(|c| c.g));
        let theta = layer.values(|c| -c.b);
        let (kind, fields): (_, Vec<(&str, Vec<f64>)>) = match layer.kind {
            UnitKind::Bernoulli => ("Bernoulli", vec![("fields", b)]),
            UnitKind::Spin => ("Spin", vec![("fields", b)]),
            UnitKind::Categorical => ("Potts", vec![("fields", b)]),
            UnitKind::Gaussian => ("Gaussian", vec![("gamma", g), ("theta", theta)]),
            UnitKind::Relu => ("ReLUplus", vec![("gamma", g), ("theta", theta)]),
            UnitKind::Drelu => {
                let below = [layer.values(|c| c.g_below), layer.values(|c| c.b_below)];
                let [g_below, b_below] = below;
                let names = ["gamma_plus", "gamma_minus", "theta_plus", "theta_minus"];
                ("dReLU", names.into_iter().zip([g, g_below, theta, b_below]).collect())
            }
        };
        all.push(Dataset { path: side.into(), shape: Vec::new(), values: Values::Text(kind.into()) });
        for (name, values) in fields {
            all.push(Dataset { path: format!("{prefix}.{name}"), shape: own.clone(), values: Values::F64(values) });
        }
        axes.extend(own);
    }
    let w = transposed(&w, visible.columns.len(), hidden.columns.len());
    let w = w.into_iter().map(f64::from).collect();
    all.push(Dataset { path: "weights".into(), shape: axes, values: Values::F64(w) });
    Ok(all)
}
