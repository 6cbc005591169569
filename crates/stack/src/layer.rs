//! A layer of weights that are directed.

use crate::error::{Result, require};
use candle_core::{DType, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Uniforms, ops};
use deepbelief_rbm::{Error as RbmError, Sampled};

/// A directed layer between V units below and H units above.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) w_rec: Tensor,
    pub(crate) w_gen: Tensor,
    pub(crate) hb: Tensor,
    pub(crate) vb: Tensor,
}

impl Layer {
    /// From recognition weights [V, H], generative weights [H, V], recognition biases `[H]` and
    /// generative biases `[V]`, all F32 or all F64.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Shape`] names the tensor that does not fit;
    /// [`crate::Error::Config`] refuses other types.
    #[expect(clippy::needless_pass_by_value, reason = "a tensor is a handle, and the layer owns all four")]
    pub fn from_tensors(w_rec: Tensor, w_gen: Tensor, hb: Tensor, vb: Tensor) -> Result<Self> {
        let (visible, hidden) = w_rec.dims2()?;
        let shapes: [(&str, &Tensor, &[usize]); 3] =
            [("w_gen", &w_gen, &[hidden, visible]), ("hb", &hb, &[hidden]), ("vb", &vb, &[visible])];
        for (what, tensor, expected) in shapes {
            if tensor.dims() != expected {
                let (got, expected) = (tensor.dims().to_vec(), expected.to_vec());
                return Err(RbmError::Shape { what: what.into(), got, expected }.into());
            }
        }
        for tensor in [&w_rec, &w_gen, &hb, &vb] {
            let float = matches!(tensor.dtype(), DType::F32 | DType::F64) && tensor.dtype() == w_rec.dtype();
            require(float, "tensor type", format!("{:?}", tensor.dtype()), "F32 or F64, the same for all tensors")?;
        }
        Ok(Self { w_rec: w_rec.contiguous()?, w_gen: w_gen.contiguous()?, hb, vb })
    }

    /// Number of units below.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.vb.elem_count()
    }

    /// Number of units above.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hb.elem_count()
    }

    /// Recognition weights [V, H].
    #[must_use]
    pub fn w_rec(&self) -> &Tensor {
        &self.w_rec
    }

    /// Generative weights [H, V].
    #[must_use]
    pub fn w_gen(&self) -> &Tensor {
        &self.w_gen
    }

    /// Recognition biases `[H]`.
    #[must_use]
    pub fn hb(&self) -> &Tensor {
        &self.hb
    }

    /// Generative biases `[V]`.
    #[must_use]
    pub fn vb(&self) -> &Tensor {
        &self.vb
    }

    /// q(h = 1 | v), [B, V] -> [B, H].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn recognize(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        probabilities(v, &self.w_rec, &self.hb)
    }

    /// p(v = 1 | h), [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn generate(&self, h: &Tensor) -> candle_core::Result<Tensor> {
        probabilities(h, &self.w_gen, &self.vb)
    }

    /// Whether the generative weights are exactly the transpose of the recognition weights.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn is_tied(&self) -> Result<bool> {
        let differ = self.w_gen.ne(&self.w_rec.t()?.contiguous()?)?;
        Ok(differ.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()? == 0.0)
    }
}

/// `x w + b`.
pub(crate) fn inputs(x: &Tensor, w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
    ops::product(x, w)?.broadcast_add(b)
}

/// `sigmoid(x w + b)`.
pub(crate) fn probabilities(x: &Tensor, w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
    sigmoid(&inputs(x, w, b)?)
}

/// The same with states drawn from it.
pub(crate) fn sampled(x: &Tensor, w: &Tensor, b: &Tensor, draw: Uniforms) -> Result<Sampled> {
    let (probabilities, states) = ops::bernoulli(&ops::product(x, w)?, b, draw)?;
    Ok(Sampled { probabilities, states })
}
