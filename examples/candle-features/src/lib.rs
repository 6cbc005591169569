//! Features of a trained RBM or deep belief net, with candle alone: no deepbelief crate is used.
//!
//! A checkpoint is a safetensors file with `w_rec` \[V, H\] and `hb` \[H\] among its tensors, and
//! `p(h = 1 | v) = sigmoid(v w_rec + hb)`. candle's `Linear` wants its weight as [out, in],
//! which is the checkpoint's `w_gen` \[H, V\]. Of a deep belief net `dbn export --as mlp` writes all
//! layers as [out, in], by the names that `Linear` layers are loaded by.
//!
//! Every layer is followed by a sigmoid, but for Gaussian hidden units, which are linear: their
//! files say `gaussian` in the header that `dbn show` prints.

use candle_core::{DType, Device, Module, Result, Tensor, Var};
use candle_nn::loss::cross_entropy;
use candle_nn::{AdamW, Linear, Optimizer, VarBuilder, linear, ops::sigmoid};
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

/// A linear classifier of ten classes, trained on features [B, H] and their labels `[B]` from
/// weights of zero.
pub fn classifier(features: &Tensor, labels: &Tensor) -> Result<Linear> {
    let (device, inputs) = (features.device(), features.dim(1)?);
    let (weight, bias) = (Var::zeros((10, inputs), DType::F32, device)?, Var::zeros(10, DType::F32, device)?);
    let classifier = Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone()));
    let mut adam = AdamW::new_lr(vec![weight, bias], 0.01)?;
    for _ in 0..100 {
        adam.backward_step(&cross_entropy(&classifier.forward(features)?, labels)?)?;
    }
    Ok(classifier)
}

/// How many of the labels `[B]` the classifier does not tell from the features [B, H].
pub fn errors(classifier: &Linear, features: &Tensor, labels: &Tensor) -> Result<u32> {
    let told = classifier.forward(features)?.argmax(1)?;
    told.ne(labels)?.to_dtype(DType::U32)?.sum_all()?.to_scalar()
}

/// The ten digits that come with this example, 0 to 9, [10, 784] in [0, 1].
pub fn digits(file: &Path) -> Result<Tensor> {
    let bytes = candle_core::safetensors::load(file, &Device::Cpu)?;
    let digits = bytes.get("images").ok_or_else(|| candle_core::Error::Msg("no tensor 'images'".into()))?;
    digits.to_dtype(DType::F32)? / 255.0
}

/// The digits moved by up to two pixels down and across, [N, 784], and their labels `[N]`: the 40 that
/// are moved by two both ways, or the 210 others.
pub fn moved(digits: &Tensor, to_corners: bool) -> Result<(Tensor, Tensor)> {
    let framed = digits.reshape(((), 28, 28))?.pad_with_zeros(1, 2, 2)?.pad_with_zeros(2, 2, 2)?;
    let is_corner = |&(down, across): &(usize, usize)| down % 4 == 0 && across % 4 == 0;
    let places = (0..25).map(|place| (place / 5, place % 5)).filter(|place| is_corner(place) == to_corners);
    let copy = |(down, across)| framed.narrow(1, down, 28)?.narrow(2, across, 28)?.contiguous()?.reshape(((), 784));
    let copies = places.map(copy).collect::<Result<Vec<_>>>()?;
    let labels: Vec<u32> = copies.iter().flat_map(|_| 0..10).collect();
    Ok((Tensor::cat(&copies, 0)?, Tensor::new(labels, digits.device())?))
}
