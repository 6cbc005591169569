//! The checkpoint of a deep belief net, format version 1: one safetensors file.
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
//! All are F32; [`DbnHeader`] is the metadata.

use crate::dbn::{Dbn, MAX_DEPTH};
use crate::error::Result;
use crate::layer::Layer;
use candle_core::{Device, Tensor};
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_rbm::{FORMAT_VERSION, LabelGroup, Provenance, Rbm, UnitKind};
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
    /// Type of all units but the labels: `bernoulli`, or `gaussian-top` where the hidden units of
    /// the top are Gaussian and all others Bernoulli.
    pub units: String,
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

impl Dbn {
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
        Ok(DbnHeader {
            format_version: FORMAT_VERSION,
            kind: "dbn".into(),
            sizes: self.sizes(),
            classes: self.classes(),
            units: units(self.top().layers().hidden.is_bernoulli()).into(),
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
        if header.classes > 0 && of_top == UnitKind::Gaussian {
            file.refuse("has a label group beside Gaussian hidden units, of which this version knows nothing".into())?;
        }
        let dbn = Self::from_reader(&file, "", &header.sizes, header.classes, device)?;
        let dbn = Self::new(dbn.layers().to_vec(), dbn.top().clone().with_hidden_units(of_top)?)?;
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

    /// Reads a model of these sizes and classes, all units Bernoulli, from the tensors that
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
        device: &Device,
    ) -> Result<Self> {
        let pairs: Vec<(usize, usize)> = sizes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let Some((&(v, h), directed)) = pairs.split_last().filter(|_| pairs.len() <= MAX_DEPTH) else {
            return Ok(file.refuse(format!("lists the sizes {sizes:?}; a model has 2 to {} of them", MAX_DEPTH + 1))?);
        };
        let mut layers = Vec::with_capacity(directed.len());
        for (index, &(v, h)) in directed.iter().enumerate() {
            let get = |name: &str, shape: &[usize]| file.get(&format!("{prefix}layers.{index}.{name}"), shape, device);
            layers.push(Layer::from_tensors(
                get("w_rec", &[v, h])?,
                get("w_gen", &[h, v])?,
                get("hb", &[h])?,
                get("vb", &[v])?,
            )?);
        }
        let get = |name: &str, shape: &[usize]| file.get(&format!("{prefix}top.{name}"), shape, device);
        let mut top = Rbm::from_tensors(get("w_rec", &[v, h])?, get("hb", &[h])?, get("vb", &[v])?)?;
        if classes > 0 {
            let labels = LabelGroup { w: get("label_w", &[classes, h])?, b: get("label_b", &[classes])? };
            top = top.with_labels(labels)?;
        }
        Self::new(layers, top)
    }
}
