//! The checkpoint format: one safetensors file an RBM.
//!
//! Tensors, all F32: `w_rec` [V, H], `w_gen` [H, V] (its transpose), `hb` [H], `vb` [V], and with
//! a label of C classes `label_w` [C, H] and `label_b` [C]. Version 2 has what else units have:
//! `visible.log_precision`, `visible.bias_below`, `visible.log_precision_below` [V], each if some unit
//! of the layer has it, and the same of `hidden` [H]. The metadata are the [`Header`] (see
//! [`crate::tensors`]), in which `visible` and `hidden` are numbers of units and `visible_units` and
//! `hidden_units` their kinds in version 1, and lists of units in version 2.

use crate::error::Result;
use crate::files::format::FORMAT_VERSION;
use crate::files::tensors::{self, Reader};
use crate::files::written_units::{Side, fields, kind_of, version};
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use candle_core::{DType, Device};
use deepbelief_kernels::{Layers, UnitKind, Units};
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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "WrittenHeader")]
pub struct Header {
    /// Version of the format.
    pub format_version: u32,
    /// Kind of model: `rbm`.
    pub kind: String,
    /// The units.
    pub layers: Layers,
    /// Number of classes of the label group, 0 without one.
    pub classes: usize,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// The same as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenHeader {
    format_version: u32,
    kind: String,
    visible: Side,
    hidden: Side,
    #[serde(default)]
    classes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visible_units: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden_units: Option<String>,
    #[serde(default)]
    provenance: Provenance,
}

impl From<Header> for WrittenHeader {
    fn from(Header { format_version, kind, layers: Layers { visible, hidden }, classes, provenance }: Header) -> Self {
        let of_all = |units| (format_version == FORMAT_VERSION).then(|| kind_of(units).to_string());
        Self {
            format_version,
            kind,
            visible: Side::of(&visible, format_version),
            hidden: Side::of(&hidden, format_version),
            classes,
            visible_units: of_all(&visible),
            hidden_units: of_all(&hidden),
            provenance,
        }
    }
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
    let version = version(rbm.layers(), &rbm.to_parameters()?);
    let header = Header {
        format_version: version,
        kind: "rbm".into(),
        layers: rbm.layers().clone(),
        classes: rbm.classes(),
        provenance,
    };
    let mut tensors = vec![("w_rec", rbm.w_rec()), ("w_gen", rbm.w_gen()), ("hb", rbm.hb()), ("vb", rbm.vb())];
    if let Some(labels) = rbm.labels() {
        tensors.extend([("label_w", &labels.w), ("label_b", &labels.b)]);
    }
    let mut named: Vec<_> = tensors.into_iter().map(|(name, tensor)| (name.to_string(), tensor.clone())).collect();
    if version != FORMAT_VERSION {
        for (side, fields) in [("visible", rbm.visible_fields()), ("hidden", rbm.hidden_fields())] {
            let fields = fields.each().into_iter();
            named.extend(fields.filter_map(|(name, field)| Some((format!("{side}.{name}"), field?.clone()))));
        }
    }
    tensors::write(path, &header, &named)
}

/// Reads an RBM.
///
/// # Errors
/// [`crate::Error::Io`] if the file cannot be read; [`crate::Error::Checkpoint`] names what is wrong with it:
/// not safetensors, no or a newer header, another kind of model, a tensor that is missing, of
/// another type or shape, or not finite, weights that are not tied, units of a kind that is not known.
pub fn load(path: &Path, device: &Device) -> Result<(Rbm, Header)> {
    let bytes = tensors::read(path)?;
    let (written, file) = Reader::open::<WrittenHeader>(path, &bytes, "rbm")?;
    let WrittenHeader { format_version, kind, classes, provenance, .. } = written;
    let of_all = |units: &Option<String>| units.clone().unwrap_or_else(|| "(none)".into());
    let units = |side: &Side, name, all, known: &[UnitKind]| {
        side.units(name, &of_all(all), known).or_else(|reason| file.refuse(reason))
    };
    let known = [UnitKind::Bernoulli, UnitKind::Gaussian];
    let layers = Layers {
        visible: units(&written.visible, "visible", &written.visible_units, &known[..1])?,
        hidden: units(&written.hidden, "hidden", &written.hidden_units, &known)?,
    };
    let (v, h) = (layers.visible.columns(), layers.hidden.columns());
    let get = |name: &str, shape: &[usize]| file.get(name, shape, device);
    let rbm = Rbm::from_tensors(get("w_rec", &[v, h])?, get("hb", &[h])?, get("vb", &[v])?)?;
    let read = |side: &str, units: &Units| -> Result<FieldTensors> {
        if format_version == FORMAT_VERSION {
            return Ok(FieldTensors::default());
        }
        FieldTensors::from_fields(&fields(&file, &format!("{side}."), units)?, device)
    };
    let (below, above) = (read("visible", &layers.visible)?, read("hidden", &layers.hidden)?);
    let rbm = rbm.with_layers(layers.clone(), below, above)?;
    let differ = get("w_gen", &[h, v])?.ne(rbm.w_gen())?.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
    if differ > 0.0 {
        file.refuse("w_gen is not the transpose of w_rec, as it must be in an RBM".into())?;
    }
    let rbm = match classes {
        0 => rbm,
        classes => rbm.with_labels(LabelGroup { w: get("label_w", &[classes, h])?, b: get("label_b", &[classes])? })?,
    };
    Ok((rbm, Header { format_version, kind, layers, classes, provenance }))
}
