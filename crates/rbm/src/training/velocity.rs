//! What momentum and Adam keep.

use crate::error::Result;
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Layers, Parameters};

/// The last step of each parameter, which momentum keeps a share of; by Adam the mean of its gradients.
#[derive(Clone, Debug)]
pub struct Velocity {
    pub(crate) w: Tensor,
    pub(crate) hb: Tensor,
    pub(crate) vb: Tensor,
    pub(crate) visible_fields: FieldTensors,
    pub(crate) hidden_fields: FieldTensors,
    pub(crate) labels: Option<LabelGroup>,
    /// Of Adam, whose means of gradients the others are: those of their squares, once there was a step.
    pub(crate) squares: Option<Box<Velocity>>,
    /// Steps of Adam.
    pub(crate) steps: u32,
}

impl Velocity {
    /// At rest.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn zeros(rbm: &Rbm) -> Result<Self> {
        let labels = rbm.labels.as_ref().map(|labels| LabelGroup::zeros(labels.classes(), rbm)).transpose()?;
        Ok(Self {
            w: rbm.w_rec.zeros_like()?,
            hb: rbm.hb.zeros_like()?,
            vb: rbm.vb.zeros_like()?,
            visible_fields: rbm.visible_fields.mapped(Tensor::zeros_like)?,
            hidden_fields: rbm.hidden_fields.mapped(Tensor::zeros_like)?,
            labels,
            squares: None,
            steps: 0,
        })
    }

    /// Brings what belongs to weights and hidden linear fields to another unit of measure.
    pub(crate) fn rescale(&mut self, by: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<()> {
        (self.w, self.hb) = (by(&self.w)?, by(&self.hb)?);
        let below = &mut self.hidden_fields.bias_below;
        *below = below.as_ref().map(by).transpose()?;
        Ok(())
    }

    /// From the packed form.
    pub(crate) fn from_parameters(layers: &Layers, velocities: Parameters, device: &Device) -> Result<Self> {
        let Rbm { w_rec: w, hb, vb, visible_fields, hidden_fields, labels, .. } =
            Rbm::from_parameters(layers, velocities, device)?;
        Ok(Self { w, hb, vb, visible_fields, hidden_fields, labels, squares: None, steps: 0 })
    }

    /// In the packed form.
    pub(crate) fn to_parameters(&self, layers: &Layers) -> Result<Parameters> {
        let rbm = Rbm::from_tensors(self.w.clone(), self.hb.clone(), self.vb.clone())?;
        let rbm = rbm.with_layers(layers.clone(), self.visible_fields.clone(), self.hidden_fields.clone())?;
        match &self.labels {
            None => rbm.to_parameters(),
            Some(labels) => rbm.with_labels(labels.clone())?.to_parameters(),
        }
    }
}
