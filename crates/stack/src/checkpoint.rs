//! The checkpoint of a deep belief net: one safetensors file.
//!
//! | tensor | shape | holds |
//! |---|---|---|
//! | `layers.{i}.w_rec` | [V, H] | recognition weights of directed layer i, from the bottom |
//! | `layers.{i}.w_gen` | [H, V] | generative weights |
//! | `layers.{i}.hb` | [H] | recognition biases |
//! | `layers.{i}.vb` | [V] | generative biases |
//! | `top.w_rec`, `top.hb`, `top.vb` | [V, H], [H], [V] | the top RBM; its `w_gen` is the transpose |
//! | `top.label_w`, `top.label_b` | [C, H], [C] | its label group, if it has one |
//!
//! | `layers.0.visible.{field}`, or `top.visible.{field}` of an RBM alone | [V] | version 2: what else visible units have |
//! | `top.hidden.{field}` | [H] | version 2: the same of the hidden units of the top |
//!
//! All are F32; [`DbnHeader`] is the metadata. Version 2 has nets whose visible units are not Bernoulli, or whose top has
//! hidden units that are neither Bernoulli nor Gaussian with `g = 1`; fields are those of the checkpoint of an RBM.

use crate::dbn::{Dbn, MAX_DEPTH};
use crate::error::Result;
use crate::layer::Layer;
use candle_core::{Device, Tensor};
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_rbm::{
    Error as RbmError, FORMAT_VERSION, FieldTensors, LabelGroup, Layers, NEWEST_VERSION, Provenance, Rbm, UnitKind,
    Units, WrittenUnits, written_fields,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DbnHeader {
    /// Version of the format.
    pub format_version: u32,
    /// Kind of model: `dbn`.
    pub kind: String,
    /// Units of every layer, from the visible ones to the top.
    pub sizes: Vec<usize>,
    /// Number of classes of the label group, 0 without one.
    #[serde(default)]
    pub classes: usize,
    /// Type of all units but the labels and those that are listed: `bernoulli`, or `gaussian-top` where the hidden
    /// units of the top are Gaussian and all others Bernoulli.
    pub units: String,
    /// In version 2, what the visible units are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<WrittenUnits>,
    /// In version 2, what the hidden units of the top are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<WrittenUnits>,
    /// Whether generative weights have been learned apart from the recognition weights.
    pub untied: bool,
    /// Where the model comes from.
    #[serde(default)]
    pub provenance: Provenance,
}

/// What a header calls the units of a model, by those of its top. That of a Gaussian top is a
/// name of its own, so that a reader who knows of none refuses the file.
fn units(bernoulli_top: bool) -> &'static str {
    if bernoulli_top { "bernoulli" } else { "gaussian-top" }
}

/// What the fields of the visible units stand behind, in a net of so many layers of weights.
fn visible_side(depth: usize) -> &'static str {
    if depth > 1 { "layers.0.visible" } else { "top.visible" }
}

/// The units of a net that files of version 1 have no words for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUnits {
    /// The visible ones.
    pub visible: Units,
    /// The hidden ones of the top.
    pub hidden: Units,
}

impl ListedUnits {
    /// As headers have them.
    #[must_use]
    pub fn written(&self) -> [WrittenUnits; 2] {
        [&self.visible, &self.hidden].map(|units| WrittenUnits::of(units, NEWEST_VERSION))
    }

    /// From a header, of a net of these sizes; none where nothing is listed.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Checkpoint`] names what does not fit.
    pub fn read(
        file: &Reader<'_>,
        visible: Option<&WrittenUnits>,
        hidden: Option<&WrittenUnits>,
        sizes: &[usize],
    ) -> Result<Option<Self>> {
        let (Some(visible), Some(hidden)) = (visible, hidden) else { return Ok(None) };
        let units = |side: &WrittenUnits, name: &str, columns: Option<&usize>| {
            let units = side.units(name, "(none)", &[]).or_else(|reason| file.refuse(reason))?;
            if Some(&units.columns()) != columns {
                file.refuse(format!("lists {units} as {name} units, but the sizes are {sizes:?}"))?;
            }
            Ok::<_, RbmError>(units)
        };
        Ok(Some(Self {
            visible: units(visible, "visible", sizes.first())?,
            hidden: units(hidden, "hidden", sizes.last())?,
        }))
    }
}

impl Dbn {
    /// The units that only version 2 of the format has words for; none where version 1 does.
    #[must_use]
    pub fn listed_units(&self) -> Option<ListedUnits> {
        let (visible, hidden) = (self.visible_units(), &self.top().layers().hidden);
        let known = [UnitKind::Bernoulli, UnitKind::Gaussian];
        let plain = known.iter().any(|&known| hidden.all(|kind| kind == known));
        let has_other_variances = || {
            let fields = self.top().hidden_fields().to_fields();
            fields.is_ok_and(|fields| fields.log_precision.iter().any(|log_g| log_g.to_bits() != 0))
        };
        let told = visible.is_bernoulli() && plain && !has_other_variances();
        (!told).then(|| ListedUnits { visible: visible.clone(), hidden: hidden.clone() })
    }

    /// Writes the model; whole or not at all. The bytes are a function of model and provenance.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        Ok(tensors::write(path, &self.header(provenance)?, &self.named_tensors(""))?)
    }

    /// Writes the model as a part of a training's state: with a checksum, and the one before is
    /// kept.
    pub(crate) fn save_state(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        Ok(tensors::write_state(path, &self.header(provenance)?, &self.named_tensors(""))?)
    }

    fn header(&self, provenance: &Provenance) -> Result<DbnHeader> {
        let listed = self.listed_units();
        let bernoulli = listed.is_some() || self.top().layers().hidden.is_bernoulli();
        let [visible, hidden] = listed.as_ref().map_or([None, None], |listed| listed.written().map(Some));
        Ok(DbnHeader {
            format_version: if listed.is_some() { NEWEST_VERSION } else { FORMAT_VERSION },
            kind: "dbn".into(),
            sizes: self.sizes(),
            classes: self.classes(),
            units: units(bernoulli).into(),
            visible,
            hidden,
            untied: !self.is_tied()?,
            provenance: provenance.clone(),
        })
    }

    /// The tensors of the format with their names, `prefix` before each: files that hold more than
    /// a model keep their models so.
    #[must_use]
    pub fn named_tensors(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers().iter().enumerate() {
            let parts = [("w_rec", layer.w_rec()), ("w_gen", layer.w_gen()), ("hb", layer.hb()), ("vb", layer.vb())];
            tensors.extend(parts.map(|(name, tensor)| (format!("{prefix}layers.{index}.{name}"), tensor.clone())));
        }
        let top = self.top();
        let parts = [("w_rec", top.w_rec()), ("hb", top.hb()), ("vb", top.vb())];
        tensors.extend(parts.map(|(name, tensor)| (format!("{prefix}top.{name}"), tensor.clone())));
        if let Some(labels) = top.labels() {
            let parts = [("label_w", &labels.w), ("label_b", &labels.b)];
            tensors.extend(parts.map(|(name, tensor)| (format!("{prefix}top.{name}"), tensor.clone())));
        }
        if self.listed_units().is_some() {
            let below = self.layers().first().map_or(top.visible_fields(), Layer::visible_fields);
            for (side, fields) in [(visible_side(self.depth()), below), ("top.hidden", top.hidden_fields())] {
                let each = fields.each().into_iter();
                tensors
                    .extend(each.filter_map(|(name, field)| Some((format!("{prefix}{side}.{name}"), field?.clone()))));
            }
        }
        tensors
    }

    /// Reads a model.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be read;
    /// [`deepbelief_rbm::Error::Checkpoint`] names what is wrong with it: not safetensors, no or
    /// a newer header, another kind of model, a tensor that is missing, of another type or
    /// shape, or not finite, weights that are not tied though the header says so.
    pub fn load(path: &Path, device: &Device) -> Result<(Self, DbnHeader)> {
        let bytes = tensors::read(path)?;
        let (header, file) = Reader::open::<DbnHeader>(path, &bytes, "dbn")?;
        let types = [UnitKind::Bernoulli, UnitKind::Gaussian];
        let Some(of_top) = types.into_iter().find(|&of_top| units(of_top == UnitKind::Bernoulli) == header.units)
        else {
            let known = "this version knows 'bernoulli' and 'gaussian-top'";
            return Ok(file.refuse(format!("has units of type '{}', {known}", header.units))?);
        };
        let listed = ListedUnits::read(&file, header.visible.as_ref(), header.hidden.as_ref(), &header.sizes)?;
        if header.format_version != FORMAT_VERSION && listed.is_none() {
            file.refuse(format!("has format version {} and lists no units, as such files do", header.format_version))?;
        }
        let mut dbn = Self::from_reader(&file, "", &header.sizes, header.classes, listed.as_ref(), device)?;
        if listed.is_none() {
            dbn = Self::new(dbn.layers().to_vec(), dbn.top().clone().with_hidden_units(of_top)?)?;
        }
        for (index, layer) in dbn.layers().iter().enumerate() {
            if !header.untied && !layer.is_tied()? {
                file.refuse(format!(
                    "tensor 'layers.{index}.w_gen' is not the transpose of 'layers.{index}.w_rec', \
                     as the header's 'untied: false' says"
                ))?;
            }
        }
        Ok((dbn, header))
    }

    /// A model of the Hugging Face Hub, by an address as [`deepbelief_rbm::pretrained`] takes it:
    /// `user/repo`.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Hub`] if it is not there or cannot be fetched, and those of
    /// [`Dbn::load`].
    #[cfg(feature = "hub")]
    pub fn from_pretrained(address: &str) -> Result<Self> {
        Ok(Self::load(&deepbelief_rbm::pretrained(address)?, &Device::Cpu)?.0)
    }

    /// Reads a model of these sizes and classes, all units Bernoulli but those that are listed, from the tensors that
    /// [`Dbn::named_tensors`] names.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Checkpoint`] for sizes of no model, and for a tensor that is
    /// missing, of another type or shape, or not finite.
    pub fn from_reader(
        file: &Reader<'_>,
        prefix: &str,
        sizes: &[usize],
        classes: usize,
        listed: Option<&ListedUnits>,
        device: &Device,
    ) -> Result<Self> {
        let pairs: Vec<(usize, usize)> = sizes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let Some((&(v, h), directed)) = pairs.split_last().filter(|_| pairs.len() <= MAX_DEPTH) else {
            return Ok(file.refuse(format!("lists the sizes {sizes:?}; a model has 2 to {} of them", MAX_DEPTH + 1))?);
        };
        let mut below = match listed {
            None => None,
            Some(ListedUnits { visible, .. }) => {
                let fields = written_fields(file, &format!("{prefix}{}.", visible_side(pairs.len())), visible)?;
                Some((visible.clone(), FieldTensors::from_fields(&fields, device)?))
            }
        };
        let mut layers = Vec::with_capacity(directed.len());
        for (index, &(v, h)) in directed.iter().enumerate() {
            let get = |name: &str, shape: &[usize]| file.get(&format!("{prefix}layers.{index}.{name}"), shape, device);
            let (w_rec, w_gen) = (get("w_rec", &[v, h])?, get("w_gen", &[h, v])?);
            let layer = Layer::from_tensors(w_rec, w_gen, get("hb", &[h])?, get("vb", &[v])?)?;
            layers.push(match below.take() {
                None => layer,
                Some((units, fields)) => layer.with_visible_units(units, fields)?,
            });
        }
        let get = |name: &str, shape: &[usize]| file.get(&format!("{prefix}top.{name}"), shape, device);
        let mut top = Rbm::from_tensors(get("w_rec", &[v, h])?, get("hb", &[h])?, get("vb", &[v])?)?;
        if let Some(ListedUnits { hidden, .. }) = listed {
            let above = written_fields(file, &format!("{prefix}top.hidden."), hidden)?;
            let above = FieldTensors::from_fields(&above, device)?;
            let (visible, below) =
                below.unwrap_or_else(|| (Units::of(UnitKind::Bernoulli, v), FieldTensors::default()));
            top = top.with_layers(Layers { visible, hidden: hidden.clone() }, below, above)?;
        }
        if classes > 0 {
            let labels = LabelGroup { w: get("label_w", &[classes, h])?, b: get("label_b", &[classes])? };
            top = top.with_labels(labels)?;
        }
        Self::new(layers, top)
    }
}
