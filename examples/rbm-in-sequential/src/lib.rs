//! A trained RBM as a layer of a candle network: [`Rbm`] is a `Module`, read through a
//! `VarBuilder` like any other layer, so it stands in a `Sequential` beside candle's own.

use candle_core::{DType, Device, Result, Tensor};
use candle_features::classifier;
use candle_nn::{Sequential, VarBuilder, seq};
use deepbelief_rbm::Rbm;
use std::path::Path;

/// Reads an RBM with so many units from its checkpoint. The layers of a deep belief net are read by
/// `vb.pp("layers.0")` and so on, the RBM at its top by `vb.pp("top")`.
pub fn load(checkpoint: &Path, visible: usize, hidden: usize) -> std::result::Result<Rbm, Box<dyn std::error::Error>> {
    let tensors = candle_core::safetensors::load(checkpoint, &Device::Cpu)?;
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Ok(Rbm::from_var_builder(visible, hidden, &vb)?)
}

/// The RBM under a linear layer that was trained to tell the labels `[B]` of pictures [B, V].
pub fn under_a_classifier(rbm: &Rbm, v: &Tensor, labels: &Tensor) -> Result<Sequential> {
    let head = classifier(&rbm.forward(v)?, labels)?;
    Ok(seq().add(rbm.clone()).add(head))
}
