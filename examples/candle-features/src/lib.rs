//! Features of a trained RBM or deep belief net, with candle alone: no deepbelief crate is used.
//!
//! A checkpoint is a safetensors file with `w_rec` \[V, H\] and `hb` \[H\] among its tensors, and
//! `p(h = 1 | v) = sigmoid(v w_rec + hb)`. candle's `Linear` wants its weight as [out, in],
//! which is the checkpoint's `w_gen` \[H, V\]. Of a deep belief net `dbn export --as mlp` writes all
//! layers as [out, in], by the names that `Linear` layers are loaded by.

use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::{Linear, VarBuilder, linear, ops::sigmoid};
use std::path::Path;

/// Reads a checkpoint's recognition layer; its sizes are those of the stored tensors.
pub fn recognition_layer(checkpoint: &Path) -> Result<Linear> {
    // SAFETY: the file is mapped into memory and must not be changed while this runs.
    let tensors = unsafe { candle_core::safetensors::MmapedSafetensors::new(checkpoint)? };
    let (hidden, visible) = tensors.load("w_gen", &Device::Cpu)?.dims2()?;
    // SAFETY: as above.
    let vb = unsafe { VarBuilder::from_mmaped_safetensors(&[checkpoint], DType::F32, &Device::Cpu)? };
    Ok(Linear::new(vb.get((hidden, visible), "w_gen")?, Some(vb.get(hidden, "hb")?)))
}

/// Reads the layers of an exported network, from the bottom: `layers.{i}.weight` and `.bias`.
/// There are none in a file of another kind.
pub fn mlp(file: &Path) -> Result<Vec<Linear>> {
    let tensors = candle_core::safetensors::load(file, &Device::Cpu)?;
    let weights = (0..).map_while(|i| tensors.get(&format!("layers.{i}.weight")));
    let shapes: Vec<(usize, usize)> = weights.map(Tensor::dims2).collect::<Result<_>>()?;
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu).pp("layers");
    shapes.iter().enumerate().map(|(i, &(outputs, inputs))| linear(inputs, outputs, vb.pp(i))).collect()
}

/// Features of the top layer: every layer is followed by a sigmoid, [B, V] -> [B, H].
pub fn features(layers: &[Linear], v: &Tensor) -> Result<Tensor> {
    layers.iter().try_fold(v.clone(), |below, layer| hidden_probabilities(layer, &below))
}

/// p(h = 1 | v) for visible values [B, V] in [0, 1]: [B, H].
pub fn hidden_probabilities(layer: &Linear, v: &Tensor) -> Result<Tensor> {
    sigmoid(&layer.forward(v)?)
}

/// The ten digits that come with this example, [10, 784] in [0, 1].
pub fn digits(file: &Path) -> Result<Tensor> {
    let bytes = candle_core::safetensors::load(file, &Device::Cpu)?;
    let digits = bytes.get("images").ok_or_else(|| candle_core::Error::Msg("no tensor 'images'".into()))?;
    digits.to_dtype(DType::F32)? / 255.0
}
