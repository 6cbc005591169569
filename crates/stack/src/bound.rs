//! How probable a deep belief net finds data: a lower bound and an estimate by importance sampling.
//!
//! With h = (h1, ..., hN-1) drawn from the recognition posterior,
//!
//! ```text
//! ln w = ln p(v | h1) + ... + ln p(hN-2 | hN-1) - F(hN-1) - ln q(h | v)
//! ln p(v) >= E[ln w] - ln Z            the variational bound (Salakhutdinov & Murray 2008, section 5)
//! ln p(v)  = ln E[w] - ln Z
//! ```
//!
//! where F and Z are the top RBM's free energy (over hidden units and labels) and partition
//! function. The mean of ln w over draws estimates the bound without bias; the logarithm of the
//! mean of w lies between it and ln p(v) in expectation, and reaches that with many draws (Burda,
//! Grosse & Salakhutdinov 2016). With one layer of weights both are exact, -F(v) - ln Z.

use crate::dbn::Dbn;
use crate::error::{Result, require};
use crate::layer::sampled;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{LogSum, Uniforms, ops};

/// `ln w` of the module's formula, before ln Z is taken off, for a batch of samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Unnormalised {
    /// Mean of ln w over the draws, one a sample, in nats: the variational bound plus ln Z.
    pub bound: Vec<f64>,
    /// Logarithm of the mean of w, one a sample: the estimate of ln p(v) plus ln Z.
    pub importance: Vec<f64>,
}

impl Dbn {
    /// The bound on ln p(v) + ln Z of visible states [B, V] and its estimate, from `draws` draws of
    /// the hidden layers a sample. Draw d of layer l comes from `draw.gibbs(d).layer(l)`, sample b
    /// from row b.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for no draws or too many; if the shapes do not fit.
    pub fn unnormalised_log_likelihood(&self, v: &Tensor, draws: u16, draw: Uniforms) -> Result<Unnormalised> {
        require(draws > 0, "draws", draws, "at least 1")?;
        // With nothing to draw, one draw is all of them.
        let draws = if self.layers().is_empty() { 1 } else { draws };
        let samples = v.dims2()?.0;
        let (mut sums, mut weights) = (vec![0.0; samples], vec![LogSum::default(); samples]);
        for number in 0..draws {
            for ((sum, weight), x) in sums.iter_mut().zip(&mut weights).zip(self.log_weights(v, draw.gibbs(number))?) {
                *sum += x;
                weight.add(x);
            }
        }
        let count = f64::from(draws);
        Ok(Unnormalised {
            bound: sums.iter().map(|sum| sum / count).collect(),
            importance: weights.iter().map(|weight| weight.value() - libm::log(count)).collect(),
        })
    }

    /// ln w of one draw for every sample.
    fn log_weights(&self, v: &Tensor, draw: Uniforms) -> Result<Vec<f64>> {
        let (mut below, mut terms) = (v.clone(), Tensor::zeros(v.dims2()?.0, DType::F64, v.device())?);
        for (index, layer) in self.layers().iter().enumerate() {
            let above = sampled(&below, layer.w_rec(), layer.hb(), draw.layer(index as u8))?.states;
            let recognised = log_probability(&above, &below, layer.w_rec(), layer.hb())?;
            let generated = if layer.visible_units().is_bernoulli() {
                log_probability(&below, &above, layer.w_gen(), layer.vb())?
            } else {
                layer.costs(&below, &above)?.neg()?
            };
            terms = ((terms + generated)? - recognised)?;
            below = above;
        }
        let free_energy = self.top().free_energy(&below)?.to_dtype(DType::F64)?;
        Ok((terms - free_energy)?.to_vec1()?)
    }
}

/// ln p(y | x) of states y under independent units with probabilities `sigmoid(x w + b)`: `[B]`.
fn log_probability(y: &Tensor, x: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    let logits = ops::product(x, w)?.broadcast_add(b)?;
    let terms = ((y * &logits)? - ops::softplus(&logits)?)?;
    Ok(terms.to_dtype(DType::F64)?.sum(1)?)
}
