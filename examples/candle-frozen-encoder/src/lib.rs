//! A deep belief net as a frozen encoder under a trained head, with candle alone.
//!
//! Its checkpoint names recognition weights `layers.{i}.w_rec` \[V, H\] and biases `layers.{i}.hb`
//! \[H\] from the bottom, and `top.w_rec`, `top.hb` for the RBM at the top. The pass up is
//! `sigmoid(v w_rec + hb)`, layer by layer. (Where the header that `dbn show` prints says
//! `gaussian-top`, the last layer has no sigmoid.)

use candle_core::{DType, Device, Error, Module, Result, Tensor};
use candle_nn::{Activation, AdamW, Linear, Optimizer, Sequential, VarBuilder, VarMap, init, loss, seq};
use std::path::Path;

/// The pass up of a checkpoint, [B, V] -> [B, H]. Its tensors are no variables: nothing that learns
/// above it changes it.
pub fn encoder(checkpoint: &Path) -> Result<Sequential> {
    let tensors = candle_core::safetensors::load(checkpoint, &Device::Cpu)?;
    let get = |name: String| tensors.get(&name).ok_or_else(|| Error::Msg(format!("no tensor '{name}'")));
    let directed = (0..).map(|i| format!("layers.{i}")).take_while(|name| tensors.contains_key(&format!("{name}.hb")));
    let mut encoder = seq();
    for name in directed.chain(["top".to_string()]) {
        let (w_rec, hb) = (get(format!("{name}.w_rec"))?, get(format!("{name}.hb"))?);
        let layer = Linear::new(w_rec.t()?.contiguous()?, Some(hb.clone()));
        encoder = encoder.add(layer).add(Activation::Sigmoid);
    }
    Ok(encoder)
}

/// The encoder under a head of so many classes, trained on pictures [B, V] and their labels `[B]`.
/// The map holds what was trained: the head alone.
pub fn train_head(encoder: Sequential, v: &Tensor, labels: &Tensor, classes: usize) -> Result<(Sequential, VarMap)> {
    let inputs = encoder.forward(v)?.dim(1)?;
    let head = VarMap::new();
    let vb = VarBuilder::from_varmap(&head, DType::F32, v.device()).pp("head");
    let weight = vb.get_with_hints((classes, inputs), "weight", init::ZERO)?;
    let bias = vb.get_with_hints(classes, "bias", init::ZERO)?;
    let net = encoder.add(Linear::new(weight, Some(bias)));
    let mut adam = AdamW::new_lr(head.all_vars(), 0.003)?;
    for _ in 0..60 {
        adam.backward_step(&loss::cross_entropy(&net.forward(v)?, labels)?)?;
    }
    Ok((net, head))
}

/// Digits [10, 784] with a patch blotted out, in half of 16 places, [80, 784].
pub fn blotted(digits: &Tensor, odd: bool) -> Result<Tensor> {
    let places = (0..16).map(|place| (place / 4, place % 4)).filter(|(row, column)| ((row + column) % 2 == 1) == odd);
    let copies = places.map(|(row, column)| {
        let kept = (0..784).map(|pixel| f32::from(u8::from((pixel / 28 / 7, pixel % 28 / 7) != (row, column))));
        digits.broadcast_mul(&Tensor::from_iter(kept, digits.device())?)
    });
    Tensor::cat(&copies.collect::<Result<Vec<_>>>()?, 0)
}
