//! What else the units of a layer are given the other layer.

use crate::error::Result;
use crate::model::rbm::Rbm;
use candle_core::Tensor;
use deepbelief_kernels::ops;

impl Rbm {
    /// Var\[h | v\]: [B, V] -> [B, H].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn hidden_variance(&self, v: &Tensor) -> Result<Tensor> {
        Ok(self.above().variance(&ops::product(v, &self.w_rec)?)?)
    }

    /// Var\[v | h\]: [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn visible_variance(&self, h: &Tensor) -> Result<Tensor> {
        Ok(self.below().variance(&ops::product(h, &self.w_gen)?)?)
    }

    /// The most probable hidden states given visible ones: [B, V] -> [B, H].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn hidden_mode(&self, v: &Tensor) -> Result<Tensor> {
        Ok(self.above().mode(&ops::product(v, &self.w_rec)?)?)
    }

    /// The most probable visible states given hidden ones: [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn visible_mode(&self, h: &Tensor) -> Result<Tensor> {
        Ok(self.below().mode(&ops::product(h, &self.w_gen)?)?)
    }
}
