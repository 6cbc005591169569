//! An RBM at another temperature.

use crate::error::{Result, require};
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use crate::training::gauges::marks;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{UnitKind, Units};

impl Rbm {
    /// The RBM whose energies are `beta` times those of this one, so that `p(v, h)` is proportional to
    /// `exp(-beta E(v, h))`: this one at the temperature `1 / beta`. Weights, biases and precisions are multiplied by `beta`.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if `beta` is no finite number above 0, or 0 where all units are discrete.
    pub fn at_beta(&self, beta: f64) -> Result<Self> {
        let discrete = self.layers.visible.is_discrete() && self.layers.hidden.is_discrete();
        let fits = beta.is_finite() && (beta > 0.0 || discrete && beta == 0.0);
        require(fits, "beta", beta, "a finite number above 0, or 0 where all units are discrete")?;
        let times = |tensor: &Tensor| times(tensor, beta);
        let rbm = Self::from_tensors(times(&self.w_rec)?, times(&self.hb)?, times(&self.vb)?)?;
        let rbm = match &self.labels {
            None => rbm,
            Some(labels) => rbm.with_labels(LabelGroup { w: times(&labels.w)?, b: times(&labels.b)? })?,
        };
        let visible = fields_at(&self.layers.visible, &self.visible_fields, beta)?;
        let hidden = fields_at(&self.layers.hidden, &self.hidden_fields, beta)?;
        rbm.with_layers(self.layers.clone(), visible, hidden)
    }
}

/// Rounded once.
fn times(tensor: &Tensor, beta: f64) -> candle_core::Result<Tensor> {
    (tensor.to_dtype(DType::F64)? * beta)?.to_dtype(tensor.dtype())
}

/// Fields that multiply the energies of units by `beta`.
fn fields_at(units: &Units, fields: &FieldTensors, beta: f64) -> Result<FieldTensors> {
    let raised = |log_g: &Tensor, has: fn(UnitKind) -> bool| -> candle_core::Result<Tensor> {
        // Columns of other units have 0 and keep it.
        log_g + (marks(units, log_g, has)? * libm::log(beta))?
    };
    let above = |kind: UnitKind| matches!(kind, UnitKind::Gaussian | UnitKind::Relu | UnitKind::Drelu);
    let below = |kind: UnitKind| kind == UnitKind::Drelu;
    Ok(FieldTensors {
        log_precision: fields.log_precision.as_ref().map(|log_g| raised(log_g, above)).transpose()?,
        bias_below: fields.bias_below.as_ref().map(|b| times(b, beta)).transpose()?,
        log_precision_below: fields.log_precision_below.as_ref().map(|log_g| raised(log_g, below)).transpose()?,
    })
}
