//! Nets of this project as NumPy archives, for programs that read no safetensors.
//!
//! An RBM is written under the names that scikit-learn's `BernoulliRBM` has for its arrays, which
//! that then takes as they are: `components_` [H, V], `intercept_hidden_` `[H]`,
//! `intercept_visible_` `[V]`. A deep belief net, or an RBM with labels, is written under the names
//! of its checkpoint ([`Dbn::named_tensors`]): `layers.{i}.w_rec` [V, H], `layers.{i}.w_gen` [H, V],
//! `layers.{i}.hb` `[H]`, `layers.{i}.vb` `[V]` from the bottom, then `top.w_rec`, `top.hb`, `top.vb`
//! and with labels `top.label_w` [C, H], `top.label_b` `[C]`. All are float32, exactly the numbers of
//! the model, so that reading an archive gives back what was written.

use super::sklearn::{HIDDEN, VISIBLE, WEIGHTS};
use crate::containers::arrays::{Dataset, Values};
use crate::containers::npz;
use crate::error::{Error, Result};
use crate::file::{File, Names, Rows};
use crate::format::Format;
use candle_core::{DType, Tensor};
use deepbelief_rbm::{LabelGroup, write_atomic};
use deepbelief_stack::{Dbn, Layer};
use std::path::Path;

const TOP: &str = "top.w_rec";
const LABELS: &str = "top.label_w";

pub(crate) fn is(file: &File) -> bool {
    file.has(TOP)
}

pub(crate) fn dbn(file: &File) -> Result<Dbn> {
    let format = Format::Deepbelief;
    let mut layers = Vec::new();
    for prefix in file.prefixes("layers.", "w_rec") {
        let [w_rec, w_gen, hb, vb] = ["w_rec", "w_gen", "hb", "vb"].map(|name| format!("{prefix}{name}"));
        let w = file.matrix(&w_rec, format)?;
        let (visible, hidden) = w.dims2()?;
        let w_gen = file.exactly(&w_gen, &[hidden, visible], format)?;
        let (hb, vb) = (file.vector(&hb, hidden, format)?, file.vector(&vb, visible, format)?);
        layers.push(Layer::from_tensors(w, w_gen, hb, vb)?);
    }
    let mut top = file.rbm(&Names { format, w: (TOP, Rows::Visible), hb: "top.hb", vb: "top.vb" })?;
    if file.has(LABELS) {
        let w = file.matrix(LABELS, format)?;
        let b = file.vector("top.label_b", w.dims()[0], format)?;
        top = top.with_labels(LabelGroup { w, b })?;
    }
    Ok(Dbn::new(layers, top)?)
}

/// The arrays that [`write_npz`] writes of a net, by their names.
///
/// # Errors
/// [`Error::Option`] for other than Bernoulli units, which the arrays have no place for.
pub fn npz_arrays(dbn: &Dbn) -> Result<Vec<(String, Tensor)>> {
    let top = dbn.top();
    let (visible, hidden) = (dbn.visible_units(), &top.layers().hidden);
    if !visible.is_bernoulli() || !hidden.is_bernoulli() {
        return Err(Error::Option(format!(
            "the model has {visible} below {hidden} units, and an npz of weights and biases is for Bernoulli units \
             alone: it has no place for other kinds and their precisions"
        )));
    }
    if dbn.depth() == 1 && top.labels().is_none() {
        let arrays = [(WEIGHTS, top.w_gen()), (HIDDEN, top.hb()), (VISIBLE, top.vb())];
        return Ok(arrays.map(|(name, tensor)| (name.to_string(), tensor.clone())).into());
    }
    Ok(dbn.named_tensors(""))
}

/// Writes a net as an archive; whole or not at all. The bytes are a function of the net.
///
/// # Errors
/// As for [`npz_arrays`]; if candle refuses an operation; [`deepbelief_rbm::Error::Io`] if the file
/// cannot be written.
pub fn write_npz(path: &Path, dbn: &Dbn) -> Result<()> {
    let cannot = |source| deepbelief_rbm::Error::Io { action: "write", path: path.into(), source };
    let mut arrays = Vec::new();
    for (path, tensor) in npz_arrays(dbn)? {
        let values = Values::F32(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?);
        arrays.push(Dataset { path, shape: tensor.dims().to_vec(), values });
    }
    let bytes = npz::archive(&arrays).map_err(cannot)?;
    Ok(write_atomic(path, &bytes).map_err(cannot)?)
}
