//! The HDF5 files that rbms writes while it trains: `model_type` BBRBM of bits, PBRBM of categorical units under bits,
//! IIRBM of spins.
//!
//! The group `update_{n}/params` has the parameters after n updates: `weight_matrix` [V, H], `hbias` `[H]`,
//! `vbias` `[V]`; of PBRBM `weight_matrix` [V, q, H] and `vbias` [V, q]. The last one is read, or the one that is asked
//! for. Signs and units of measure are those of this project. Its models with Gaussian hidden units are not read: the
//! variance of their energy is not that of their samples.

use super::layer::{Layer, no_model, parts, rbm};
use crate::containers::arrays::{Dataset, Values};
use crate::error::Result;
use crate::file::{File, Names, Rows};
use crate::format::Format;
use deepbelief_rbm::{Rbm, UnitKind};
use deepbelief_stack::Dbn;

const BINARY: &str = "BBRBM";
const POTTS: &str = "PBRBM";
const ISING: &str = "IIRBM";
const FORMAT: Format = Format::Rbms;

pub(crate) fn is(file: &File) -> bool {
    file.has("model_type") || !updates(file).is_empty()
}

/// The numbers of the updates that have parameters, in order.
fn updates(file: &File) -> Vec<u64> {
    let update = |name: &str| name.strip_prefix("update_")?.strip_suffix("/params/weight_matrix")?.parse().ok();
    let mut updates: Vec<u64> = file.names.iter().filter_map(|name| update(name)).collect();
    updates.sort_unstable();
    updates
}

pub(crate) fn rbms(file: &File, update: Option<u64>) -> Result<Vec<Rbm>> {
    let kind = file.text("model_type").unwrap_or_else(|| BINARY.into());
    if ![BINARY, POTTS, ISING].contains(&kind.as_str()) {
        return file.unfit(format!(
            "holds a model of the type {kind}: of rbms' models {BINARY}, {POTTS} and {ISING} are read"
        ));
    }
    let updates = updates(file);
    let Some(&last) = updates.last() else { return Ok(Vec::new()) };
    let update = update.unwrap_or(last);
    if !updates.contains(&update) {
        let known = updates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return file.unfit(format!("holds no update {update}: it has {known}"));
    }
    let [w, hb, vb] = ["weight_matrix", "hbias", "vbias"].map(|name| format!("update_{update}/params/{name}"));
    if kind == BINARY {
        return Ok(vec![file.rbm(&Names { format: FORMAT, w: (&w, Rows::Visible), hb: &hb, vb: &vb })?]);
    }
    let [weights, hidden, visible] =
        [file.numbers(&w, FORMAT)?, file.numbers(&hb, FORMAT)?, file.numbers(&vb, FORMAT)?];
    let axes = if kind == POTTS { 2 } else { 1 };
    if visible.shape.len() != axes || visible.shape.contains(&0) {
        let expected = if axes == 2 { "[V, q]" } else { "[V]" };
        return Err(file.shape(&vb, &visible, expected.into()));
    }
    if hidden.shape.len() != 1 || hidden.shape == [0] {
        return Err(file.shape(&hb, &hidden, "[H]".into()));
    }
    let expected = [visible.shape.clone(), hidden.shape.clone()].concat();
    if weights.shape != expected {
        return Err(file.shape(&w, &weights, format!("{expected:?}, as the biases have it")));
    }
    let (below, above, levels) = if kind == POTTS {
        (UnitKind::Categorical, UnitKind::Bernoulli, visible.shape[1])
    } else {
        (UnitKind::Spin, UnitKind::Spin, 1)
    };
    let (below, above) = (Layer::biased(below, levels, &visible.values), Layer::biased(above, 1, &hidden.values));
    Ok(vec![rbm(&below, &above, &weights.values)?])
}

/// The datasets of a file with the RBM of a net, as after one update, with one chain that stands at rest.
pub(crate) fn datasets(dbn: &Dbn) -> Result<Vec<Dataset>> {
    let (visible, hidden, w) = parts(dbn, FORMAT.name())?;
    let (kind, resting) = match (visible.kind, hidden.kind) {
        (UnitKind::Bernoulli, UnitKind::Bernoulli) => (BINARY, 0.0),
        (UnitKind::Categorical, UnitKind::Bernoulli) => (POTTS, 0.0),
        (UnitKind::Spin, UnitKind::Spin) => (ISING, -1.0),
        _ => return Err(no_model(dbn, FORMAT.name())),
    };
    let (sites, height) = (visible.sites(), hidden.sites());
    let below = if kind == POTTS { vec![sites, visible.levels] } else { vec![sites] };
    let narrow = |layer: &Layer| Values::F32(layer.values(|column| column.b).into_iter().map(|b| b as f32).collect());
    let dataset = |path: &str, shape: Vec<usize>, values| Dataset { path: path.into(), shape, values };
    Ok(vec![
        dataset("model_type", Vec::new(), Values::Text(kind.into())),
        dataset("parallel_chains", vec![1, sites], Values::F32(vec![resting; sites])),
        dataset("update_1/params/weight_matrix", [below.clone(), vec![height]].concat(), Values::F32(w)),
        dataset("update_1/params/vbias", below, narrow(&visible)),
        dataset("update_1/params/hbias", vec![height], narrow(&hidden)),
        dataset("update_1/time", Vec::new(), Values::F64(vec![0.0])),
        dataset("update_1/learning_rate", Vec::new(), Values::F64(vec![0.0])),
    ])
}
