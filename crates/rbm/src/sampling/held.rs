//! An RBM of which a hidden unit is held at a value.

use crate::error::{Result, require};
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use candle_core::Tensor;
use deepbelief_kernels::UnitKind;

impl Rbm {
    /// The RBM whose visible units have the distribution `p(v | h = value)` of this one, where h is the hidden unit `unit`,
    /// counted from 0. The unit stays in the model, without weights.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if there is no such unit, or it has no such value.
    pub fn with_hidden_given(&self, unit: usize, value: f64) -> Result<Self> {
        let mut units = self.layers.hidden.each();
        let kind = units.find(|(_, columns)| columns.contains(&unit)).map(|(segment, _)| segment.units);
        let (fits, expected) = match kind {
            None => (false, "one of those that are there, which count from 0"),
            Some(UnitKind::Bernoulli) => (value == 0.0 || value == 1.0, "0 or 1"),
            Some(UnitKind::Spin) => (value == -1.0 || value == 1.0, "-1 or 1"),
            Some(UnitKind::Relu) => (value.is_finite() && value >= 0.0, "a number from 0 up"),
            Some(UnitKind::Gaussian | UnitKind::Drelu) => (value.is_finite(), "a finite number"),
            Some(UnitKind::Categorical) => (false, "of another kind than categorical"),
        };
        let (name, got) = match kind {
            None => ("the hidden unit", unit as f64),
            Some(_) => ("the value of a hidden unit", value),
        };
        require(fits, name, got, expected)?;
        let (vb, w) = held(&self.vb, &self.w_rec, unit, value)?;
        let rbm = Self::from_tensors(w, self.hb.clone(), vb)?;
        let rbm = match &self.labels {
            None => rbm,
            Some(labels) => {
                let (b, w) = held(&labels.b, &labels.w, unit, value)?;
                rbm.with_labels(LabelGroup { w, b })?
            }
        };
        rbm.with_layers(self.layers.clone(), self.visible_fields.clone(), self.hidden_fields.clone())
    }
}

/// Biases with the input of a hidden unit of that value, and weights [V, H] without that unit's.
fn held(b: &Tensor, w: &Tensor, unit: usize, value: f64) -> candle_core::Result<(Tensor, Tensor)> {
    let input = (w.narrow(1, unit, 1)?.squeeze(1)? * value)?;
    let hidden = w.dim(1)?;
    let others: Vec<f32> = (0..hidden).map(|other| f32::from(u8::from(other != unit))).collect();
    let others = Tensor::from_vec(others, (1, hidden), w.device())?.to_dtype(w.dtype())?;
    Ok(((b + input)?, w.broadcast_mul(&others)?))
}
