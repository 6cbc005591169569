//! The file of a network: one safetensors file that candle's `Linear` and torch's
//! `nn.Linear` load by name, with the tensors of [`Network::named_tensors`].

use crate::error::Result;
use crate::layers::{Activation, Dense, Objective};
use crate::network::{Network, check_sizes, names};
use candle_core::{Device, Tensor};
use deepbelief_rbm::tensors::{self, Reader};
use deepbelief_rbm::{FORMAT_VERSION, NEWEST_VERSION, Provenance, WrittenUnits};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What the file of a network says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkHeader {
    /// Version of the format.
    pub format_version: u32,
    /// Kind of network: `mlp` is a classifier, or `autoencoder`.
    pub kind: String,
    /// Units of every layer, from the inputs to the outputs.
    pub sizes: Vec<usize>,
    /// What follows each layer of weights; if none are named, as in the networks that
    /// [`deepbelief_stack::export`] writes, sigmoids.
    #[serde(default)]
    pub activations: Vec<Activation>,
    /// Names of layers that in such a network no sigmoid follows.
    #[serde(default, skip_serializing)]
    pub linear: Vec<String>,
    /// In version 2, what an autoencoder gives back the means of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<WrittenUnits>,
    /// Where the network comes from.
    #[serde(default)]
    pub provenance: Provenance,
}

impl Objective {
    /// The kind of file its networks lie in.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Classifier => "mlp",
            Self::Autoencoder => "autoencoder",
        }
    }
}

impl Network {
    /// Writes the network; whole or not at all. The bytes are a function of network and provenance.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path, provenance: &Provenance) -> Result<()> {
        let header = NetworkHeader {
            format_version: self.version(),
            kind: self.objective().kind().into(),
            sizes: self.sizes(),
            activations: self.activations(),
            linear: Vec::new(),
            visible: self.written_units(),
            provenance: provenance.clone(),
        };
        Ok(tensors::write(path, &header, &self.named_tensors("")?)?)
    }

    /// Reads a network.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be read;
    /// [`deepbelief_rbm::Error::Checkpoint`] names what is wrong with it: not safetensors, no or a
    /// newer header, another kind, sizes or activations of no network, a tensor that is missing, of
    /// another type or shape, or not finite.
    pub fn load(path: &Path, objective: Objective) -> Result<(Self, NetworkHeader)> {
        let bytes = tensors::read(path)?;
        let (header, file) = Reader::open::<NetworkHeader>(path, &bytes, objective.kind())?;
        let (sizes, mut activations) = (&header.sizes, header.activations.clone());
        if activations.is_empty() {
            let names = names(objective, sizes.len().max(1) - 1);
            let exported = |name| if header.linear.contains(name) { Activation::Linear } else { Activation::Sigmoid };
            activations = names.iter().map(exported).collect();
        }
        Ok((Self::from_reader(&file, "", objective, sizes, &activations, header.visible.as_ref())?, header))
    }

    /// The version of files that can say what it is.
    pub(crate) fn version(&self) -> u32 {
        if self.visible_units().is_some() { NEWEST_VERSION } else { FORMAT_VERSION }
    }

    /// Its visible units as headers of version 2 have them.
    pub(crate) fn written_units(&self) -> Option<WrittenUnits> {
        self.visible_units().map(|units| WrittenUnits::of(units, NEWEST_VERSION))
    }

    /// What follows each layer of weights.
    pub(crate) fn activations(&self) -> Vec<Activation> {
        self.layers().iter().map(|layer| layer.activation).collect()
    }

    /// Reads a network from the tensors that [`Network::named_tensors`] names.
    pub(crate) fn from_reader(
        file: &Reader<'_>,
        prefix: &str,
        objective: Objective,
        sizes: &[usize],
        activations: &[Activation],
        visible: Option<&WrittenUnits>,
    ) -> Result<Self> {
        if let Err(wrong) = check_sizes(objective, sizes) {
            return Ok(file.refuse(wrong.to_string())?);
        }
        let depth = sizes.len() - 1;
        if activations.len() != depth {
            return Ok(file.refuse(format!("names {} activations for {depth} layers", activations.len()))?);
        }
        let output = match (objective, visible) {
            (Objective::Classifier, _) => Activation::Softmax,
            (Objective::Autoencoder, None) => Activation::Sigmoid,
            (Objective::Autoencoder, Some(_)) => Activation::Means,
        };
        let visible = visible.map(|units| units.units("visible", "(none)", &[]).or_else(|reason| file.refuse(reason)));
        let visible = visible.transpose()?;
        if let Some(units) = visible.as_ref().filter(|units| Some(&units.columns()) != sizes.first()) {
            return Ok(file.refuse(format!("lists {units} as visible units, but the sizes are {sizes:?}"))?);
        }
        let (hidden, last) = (&activations[..depth - 1], activations[depth - 1]);
        if last != output {
            let kind = objective.kind();
            return Ok(file.refuse(format!(
                "ends in {last:?} units; of kind '{kind}' only networks that `dbn finetune` wrote are read, which end in \
                 {output:?} units: what `dbn export` writes is for other programs"
            ))?);
        }
        if let Some(last) = hidden.iter().find(|hidden| matches!(hidden, Activation::Softmax | Activation::Means)) {
            return Ok(file.refuse(format!("has {last:?} units below its last layer"))?);
        }
        let mut layers = Vec::with_capacity(depth);
        for ((name, pair), &activation) in names(objective, depth).iter().zip(sizes.windows(2)).zip(activations) {
            let get = |part: &str, shape: &[usize]| -> Result<Tensor> {
                Ok(file.get(&format!("{prefix}{name}.{part}"), shape, &Device::Cpu)?)
            };
            let w = get("weight", &[pair[1], pair[0]])?.t()?.contiguous()?;
            layers.push(Dense { w, b: get("bias", &[pair[1]])?, activation });
        }
        Ok(Self::from_layers(objective, layers, visible))
    }
}
