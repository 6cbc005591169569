//! The checkpoint format, version 1: one safetensors file an RBM.
//!
//! Tensors, all F32: `w_rec` [V, H], `w_gen` [H, V] (its transpose), `hb` [H], `vb` [V], and with
//! a label group of C classes `label_w` [C, H] and `label_b` [C]. The
//! metadata are the [`Header`] (see [`crate::tensors`]).

use crate::error::Result;
use crate::files::format::FORMAT_VERSION;
use crate::files::tensors::{self, Reader};
use crate::model::hidden_units::HiddenUnits;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Name of the data set.
    pub dataset: String,
    /// Hash of its training samples.
    pub dataset_sha256: String,
    /// Hash of its test samples, where it has some that are not part of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_sha256: Option<String>,
    /// Seed of the training.
    pub seed: u64,
    /// Epochs trained.
    pub epochs: u32,
    /// Whether a stopping rule ended the training before its last epoch.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
    /// Version of this crate that trained it; [`save`] puts its own where it is empty.
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
    /// Type of the hidden units: `bernoulli` or `gaussian`.
    pub hidden_units: String,
    /// Where the model comes from.
    #[serde(default)]
    pub provenance: Provenance,
}

/// Writes an RBM; whole or not at all.
///
/// # Errors
/// [`crate::Error::Io`] if the file cannot be written.
pub fn save(path: &Path, rbm: &Rbm, provenance: &Provenance) -> Result<()> {
    let mut provenance = provenance.clone();
    if provenance.crate_version.is_empty() {
        provenance.crate_version = env!("CARGO_PKG_VERSION").into();
    }
    let header = Header {
        format_version: FORMAT_VERSION,
        kind: "rbm".into(),
        visible: rbm.visible(),
        hidden: rbm.hidden(),
        classes: rbm.labels().map_or(0, LabelGroup::classes),
        visible_units: "bernoulli".into(),
        hidden_units: rbm.hidden_units().to_string(),
        provenance,
    };
    let mut tensors = vec![("w_rec", rbm.w_rec()), ("w_gen", rbm.w_gen()), ("hb", rbm.hb()), ("vb", rbm.vb())];
    if let Some(labels) = rbm.labels() {
        tensors.extend([("label_w", &labels.w), ("label_b", &labels.b)]);
    }
    let named: Vec<_> = tensors.into_iter().map(|(name, tensor)| (name.to_string(), tensor.clone())).collect();
    tensors::write(path, &header, &named)
}

/// Reads an RBM.
///
/// # Errors
/// [`crate::Error::Io`] if the file cannot be read; [`crate::Error::Checkpoint`] names what is wrong with it:
/// not safetensors, no or a newer header, another kind of model, a tensor that is missing, of
/// another type or shape, or not finite, weights that are not tied.
pub fn load(path: &Path, device: &Device) -> Result<(Rbm, Header)> {
    let bytes = tensors::read(path)?;
    let (header, file) = Reader::open::<Header>(path, &bytes, "rbm")?;
    if header.visible_units != "bernoulli" {
        let units = &header.visible_units;
        file.refuse(format!("has visible units of type '{units}', this version knows 'bernoulli'"))?;
    }
    let Some(hidden_units) = HiddenUnits::named(&header.hidden_units) else {
        let units = &header.hidden_units;
        return file
            .refuse(format!("has hidden units of type '{units}', this version knows 'bernoulli' and 'gaussian'"));
    };
    if header.classes > 0 && hidden_units == HiddenUnits::Gaussian {
        file.refuse("has a label group beside Gaussian hidden units, of which this version knows nothing".into())?;
    }
    let (v, h) = (header.visible, header.hidden);
    let get = |name: &str, shape: &[usize]| file.get(name, shape, device);
    let rbm = Rbm::from_tensors(get("w_rec", &[v, h])?, get("hb", &[h])?, get("vb", &[v])?)?;
    let rbm = rbm.with_hidden_units(hidden_units)?;
    let differ = get("w_gen", &[h, v])?.ne(rbm.w_gen())?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
    if differ > 0.0 {
        file.refuse("w_gen is not the transpose of w_rec, as it must be in an RBM".into())?;
    }
    let rbm = match header.classes {
        0 => rbm,
        classes => rbm.with_labels(LabelGroup { w: get("label_w", &[classes, h])?, b: get("label_b", &[classes])? })?,
    };
    Ok((rbm, header))
}
