//! What a deep belief net believes digits look like, with candle alone.
//!
//! The RBM at the top has weights `top.w_rec` \[V, H\] to the units under it and `top.label_w`
//! \[classes, H\] to the label. With the label held, Gibbs steps draw the two sides in turn:
//!
//! ```text
//! p(h = 1 | v, y) = sigmoid(v w_rec + label_w[y] + hb)      p(v = 1 | h) = sigmoid(h w_recᵀ + vb)
//! ```
//!
//! and the generative weights `layers.{i}.w_gen` \[H, V\] and biases `layers.{i}.vb` take v down to
//! the pixels. (The net must have labels, and Bernoulli units.)

use candle_core::{Device, Error, Result, Tensor};
use candle_nn::ops::sigmoid;
use std::path::Path;

/// A picture of every label after so many Gibbs steps, [classes, pixels] in [0, 1].
pub fn dream(checkpoint: &Path, steps: usize, seed: u64) -> Result<Tensor> {
    let tensors = candle_core::safetensors::load(checkpoint, &Device::Cpu)?;
    let get = |name: &str| tensors.get(name).ok_or_else(|| Error::Msg(format!("no tensor '{name}'")));
    let (w_rec, hb, vb, label_w) = (get("top.w_rec")?, get("top.hb")?, get("top.vb")?, get("top.label_w")?);
    let (w_gen, labels) = (w_rec.t()?, label_w.broadcast_add(hb)?);

    let mut random = Random(seed);
    let mut p = sigmoid(&vb.unsqueeze(0)?.repeat((label_w.dim(0)?, 1))?)?;
    for _ in 0..steps {
        let v = random.states(&p)?;
        let h = random.states(&sigmoid(&(v.matmul(w_rec)? + &labels)?)?)?;
        p = sigmoid(&h.matmul(&w_gen)?.broadcast_add(vb)?)?;
    }

    let depth = (0..).take_while(|i| tensors.contains_key(&format!("layers.{i}.w_gen"))).count();
    for i in (0..depth).rev() {
        let (w_gen, vb) = (get(&format!("layers.{i}.w_gen"))?, get(&format!("layers.{i}.vb"))?);
        p = sigmoid(&p.matmul(w_gen)?.broadcast_add(vb)?)?;
    }
    Ok(p)
}

/// `SplitMix64`, since candle's own generator cannot be seeded on the CPU.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 40) as f32) / (1u32 << 24) as f32
    }

    /// 0/1 states, each on with its probability.
    fn states(&mut self, p: &Tensor) -> Result<Tensor> {
        let p_values = p.flatten_all()?.to_vec1::<f32>()?;
        let states = p_values.iter().map(|&p| f32::from(u8::from(self.uniform() < p)));
        Tensor::from_iter(states, p.device())?.reshape(p.shape())
    }
}
