//! The HDF5 files that rbms writes while it trains, of its binary RBM (`model_type` BBRBM).
//!
//! The group `update_{n}/params` has the parameters after n updates: `weight_matrix` [V, H],
//! `hbias` `[H]`, `vbias` `[V]`. The last one is read, or the one that is asked for.

use crate::error::Result;
use crate::file::{File, Names, Rows};
use crate::format::Format;
use deepbelief_rbm::Rbm;

const BINARY: &str = "BBRBM";

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
    if let Some(kind) = file.text("model_type").filter(|kind| kind != BINARY) {
        return file.unfit(format!("holds a model of the type {kind}: only rbms' binary RBM, {BINARY}, is read"));
    }
    let updates = updates(file);
    let Some(&last) = updates.last() else { return Ok(Vec::new()) };
    let update = update.unwrap_or(last);
    if !updates.contains(&update) {
        let known = updates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return file.unfit(format!("holds no update {update}: it has {known}"));
    }
    let [w, hb, vb] = ["weight_matrix", "hbias", "vbias"].map(|name| format!("update_{update}/params/{name}"));
    Ok(vec![file.rbm(&Names { format: Format::Rbms, w: (&w, Rows::Visible), hb: &hb, vb: &vb })?])
}
