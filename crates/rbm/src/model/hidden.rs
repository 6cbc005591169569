//! The types of hidden units, each by the term that a unit adds to the energy. With
//! `x_j = (v w_rec)_j`:
//!
//! | type | term of the energy | given v | term of the free energy |
//! |---|---|---|---|
//! | Bernoulli, 0 or 1 | `- hb_j h_j` | `p(h_j = 1) = sigmoid(hb_j + x_j)` | `- softplus(hb_j + x_j)` |
//! | Gaussian, real | `(h_j - hb_j)² / 2` | `N(m_j, 1)`, `m_j = hb_j + x_j` | `- (m_j² - hb_j²) / 2 - ln(2 pi) / 2` |
//!
//! Gaussian units are linear with noise of unit variance; they make the code layer of a deep
//! autoencoder (Hinton & Salakhutdinov, Science 313:504, 2006). Their states know no bound, so
//! that they learn at rates some hundred times smaller than Bernoulli units do. The visible
//! units stay Bernoulli: `p(v_i = 1 | h) = sigmoid(vb_i + (h w_gen)_i)`.

use crate::error::Result;
use crate::model::hidden_units::HiddenUnits;
use crate::model::sampled::{Sampled, sample};
use candle_core::{Tensor, bail};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Uniforms, ops};

impl HiddenUnits {
    /// E\[h | v\] of the units' inputs `hb + v w_rec`, both [B, H].
    pub(crate) fn mean(self, input: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Bernoulli => sigmoid(input),
            Self::Gaussian => Ok(input.clone()),
        }
    }

    /// Units drawn given `x = v w_rec` [B, H] and their biases `[H]`, row b from row b of `draw`.
    pub(crate) fn sample(self, x: &Tensor, bias: &Tensor, draw: Uniforms) -> Result<Sampled> {
        match self {
            Self::Bernoulli => sample(x, bias, draw),
            Self::Gaussian => {
                let probabilities = x.broadcast_add(bias)?;
                let states = (&probabilities + normals(&probabilities, draw)?)?;
                Ok(Sampled { probabilities, states })
            }
        }
    }

    /// Minus the hidden units' share of the free energy, from their inputs [B, H] and biases
    /// `[H]`: `[B]`.
    pub(crate) fn log_partition(self, input: &Tensor, bias: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Bernoulli => ops::softplus(input)?.sum(1),
            Self::Gaussian => {
                let squares = input.sqr()?.broadcast_sub(&bias.sqr()?)?.sum(1)?;
                (squares * 0.5)? + normalizer(bias.elem_count())
            }
        }
    }
}

/// ln of the integral of `exp(-|h|² / 2)` over `units` real units.
pub(crate) fn normalizer(units: usize) -> f64 {
    0.5 * units as f64 * libm::log(std::f64::consts::TAU)
}

/// Independent N(0, 1) numbers in the shape, in the type and on the device of `like` [B, H].
pub(crate) fn normals(like: &Tensor, draw: Uniforms) -> candle_core::Result<Tensor> {
    let [rows, units] = *like.dims() else { bail!("expected [B, H], got {:?}", like.dims()) };
    let mut values = vec![0.0; rows * units];
    draw.normal(1.0, units, &mut values);
    Tensor::from_vec(values, (rows, units), like.device())?.to_dtype(like.dtype())
}
