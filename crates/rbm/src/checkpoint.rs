//! The checkpoint format, version 1: one safetensors file an RBM.
//!
//! Tensors, all F32: `w_rec` [V, H], `w_gen` [H, V] (its transpose), `hb` [H], `vb` [V], and with
//! a label group of C classes `label_w` [C, H] and `label_b` [C]. The
//! metadata hold one entry, `deepbelief`: a JSON object with sorted keys, described by
//! [`Header`]. One entry and sorted keys make the file a function of its content alone.

use crate::error::{Error, Result};
use crate::file::write_atomic;
use crate::labels::LabelGroup;
use crate::rbm::Rbm;
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Version of the format that this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the only metadata entry.
const METADATA: &str = "deepbelief";

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name of the data set.
    pub dataset: String,
    /// Hash of its training samples.
    pub dataset_sha256: String,
    /// Seed of the training.
    pub seed: u64,
    /// Epochs trained.
    pub epochs: u32,
    /// Version of this crate that trained it.
    pub crate_version: String,
    /// The resolved settings.
    pub recipe: serde_json::Value,
    /// Measured figures by name, in nats per sample unless the name says otherwise.
    pub figures: BTreeMap<String, f64>,
}

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    pub format_version: u32,
    /// Kind of model: `rbm`.
    pub kind: String,
    /// Number of visible units.
    pub visible: usize,
    /// Number of hidden units.
    pub hidden: usize,
    /// Number of classes of the label group, 0 without one.
    #[serde(default)]
    pub classes: usize,
    /// Type of the visible units: `bernoulli`.
    pub visible_units: String,
    /// Type of the hidden units: `bernoulli`.
    pub hidden_units: String,
    /// Where the model comes from.
    #[serde(default)]
    pub provenance: Provenance,
}

/// Writes an RBM; whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn save(path: &Path, rbm: &Rbm, provenance: &Provenance) -> Result<()> {
    let header = Header {
        format_version: FORMAT_VERSION,
        kind: "rbm".into(),
        visible: rbm.visible(),
        hidden: rbm.hidden(),
        classes: rbm.labels().map_or(0, LabelGroup::classes),
        visible_units: "bernoulli".into(),
        hidden_units: "bernoulli".into(),
        provenance: provenance.clone(),
    };
    let mut tensors = vec![("w_rec", rbm.w_rec()), ("w_gen", rbm.w_gen()), ("hb", rbm.hb()), ("vb", rbm.vb())];
    if let Some(labels) = rbm.labels() {
        tensors.extend([("label_w", &labels.w), ("label_b", &labels.b)]);
    }
    let mut parts = Vec::new();
    for (name, tensor) in tensors {
        let values: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        parts.push((name.to_string(), tensor.dims().to_vec(), values));
    }
    write_tensors(path, &header, &parts)
}

/// Reads an RBM.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Checkpoint`] names what is wrong with it:
/// not safetensors, no or a newer header, another kind of model, a tensor that is missing, of
/// another type or shape, or not finite, weights that are not tied.
pub fn load(path: &Path, device: &Device) -> Result<(Rbm, Header)> {
    let refuse = |reason: String| Error::Checkpoint { path: path.into(), reason };
    let bytes = read(path)?;
    let (header, tensors) = open::<Header>(path, &bytes)?;
    if header.kind != "rbm" {
        return Err(refuse(format!("holds a model of kind '{}', expected 'rbm'", header.kind)));
    }
    for units in [&header.visible_units, &header.hidden_units] {
        if units != "bernoulli" {
            return Err(refuse(format!("has units of type '{units}', this version knows 'bernoulli'")));
        }
    }
    let (v, h) = (header.visible, header.hidden);
    let get = |name: &str, shape: &[usize]| floats(path, &tensors, name, shape);
    let (w_rec, w_gen) = (get("w_rec", &[v, h])?, get("w_gen", &[h, v])?);
    let (hb, vb) = (get("hb", &[h])?, get("vb", &[v])?);
    let tied = (0..v).all(|i| (0..h).all(|j| w_rec[i * h + j].to_bits() == w_gen[j * v + i].to_bits()));
    if !tied {
        return Err(refuse("w_gen is not the transpose of w_rec, as it must be in an RBM".into()));
    }
    let rbm = Rbm::from_tensors(
        Tensor::from_vec(w_rec, (v, h), device)?,
        Tensor::from_vec(hb, h, device)?,
        Tensor::from_vec(vb, v, device)?,
    )?;
    let rbm = match header.classes {
        0 => rbm,
        classes => rbm.with_labels(LabelGroup {
            w: Tensor::from_vec(get("label_w", &[classes, h])?, (classes, h), device)?,
            b: Tensor::from_vec(get("label_b", &[classes])?, classes, device)?,
        })?,
    };
    Ok((rbm, header))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })
}

/// Writes tensors (name, shape, values) and a header that becomes the only metadata entry.
pub(crate) fn write_tensors(
    path: &Path,
    header: &impl Serialize,
    tensors: &[(String, Vec<usize>, Vec<f32>)],
) -> Result<()> {
    let refuse = |reason: String| Error::Checkpoint { path: path.into(), reason };
    // A Value's object keeps its keys sorted; a struct would keep them as declared.
    let header = serde_json::to_value(header).map_err(|e| refuse(e.to_string()))?;
    let metadata = HashMap::from([(METADATA.to_string(), header.to_string())]);
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let mut views = Vec::new();
    for ((name, shape, _), bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|e| refuse(e.to_string()))?;
        views.push((name.as_str(), view));
    }
    let file = safetensors::serialize(views, Some(metadata)).map_err(|e| refuse(e.to_string()))?;
    write_atomic(path, &file).map_err(|source| Error::Io { action: "write", path: path.into(), source })
}

/// Opens a file of this project and reads its header, whose version is checked first.
pub(crate) fn open<'a, H: for<'de> Deserialize<'de>>(path: &Path, bytes: &'a [u8]) -> Result<(H, SafeTensors<'a>)> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let refuse = |reason: String| Error::Checkpoint { path: path.into(), reason };
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| refuse(format!("is not a whole safetensors file ({e})")))?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA)).ok_or_else(|| {
        refuse(format!("has no '{METADATA}' entry in its metadata: it was not written by deepbelief"))
    })?;
    let bad = |e: serde_json::Error| refuse(format!("has an unreadable header ({e})"));
    let version = serde_json::from_str::<Version>(header).map_err(bad)?.format_version;
    if version == 0 || version > FORMAT_VERSION {
        return Err(refuse(format!(
            "has format version {version}, this program reads versions up to {FORMAT_VERSION}: install a newer deepbelief"
        )));
    }
    let parsed = serde_json::from_str(header).map_err(bad)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| refuse(format!("is damaged ({e})")))?;
    Ok((parsed, tensors))
}

/// The values of an F32 tensor of a known shape, all of them finite.
pub(crate) fn floats(path: &Path, tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let refuse = |reason: String| Error::Checkpoint { path: path.into(), reason };
    let view = tensors.tensor(name).map_err(|_| refuse(format!("tensor '{name}' is missing")))?;
    if view.dtype() != Dtype::F32 {
        return Err(refuse(format!("tensor '{name}' has type {:?}, expected F32", view.dtype())));
    }
    if view.shape() != shape {
        return Err(refuse(format!("tensor '{name}' has shape {:?}, expected {shape:?}", view.shape())));
    }
    let (chunks, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    if let Some(at) = values.iter().position(|x| !x.is_finite()) {
        return Err(refuse(format!("tensor '{name}' holds {} at place {at}", values[at])));
    }
    Ok(values)
}
