//! The label of a sample: a categorical unit of the visible layer, with a level a class.
//!
//! A [`LabelGroup`] has its parameters. The energy of (v, y, h) is that of (v, h) minus `b_y + w_y·h`, so that with the
//! inputs `x = v w_rec` of the hidden units
//!
//! ```text
//! E[h | v, y] = mean of the hidden units given x + w_y        of Bernoulli ones sigmoid(hb + x + w_y)
//! p(y | h)    = softmax(b + w h)_y
//! p(y | v)    = softmax_y(b_y + sum_j cgf_j(x_j + w_yj))      of Bernoulli ones softplus(hb_j + x_j + w_yj)
//! ```
//!
//! the last one exactly: it is how the top of a deep belief net classifies (Hinton, Osindero &
//! Teh 2006, section 6; Larochelle & Bengio 2008).
//!
//! [`Rbm::joined`] has the label among its visible units. What trains and anneals units of any kinds takes RBMs in that
//! form; the engine for Bernoulli units, and what it learned, keeps labels apart.

use crate::error::{Error, Result};
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use crate::model::sampled::Sampled;
use candle_core::Tensor;
use candle_nn::ops::softmax;
use deepbelief_kernels::{Uniforms, ops};
use std::borrow::Cow;

impl LabelGroup {
    /// A group that does not know anything yet: all zero.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn zeros(classes: usize, rbm: &Rbm) -> Result<Self> {
        let (dtype, device) = (rbm.hb().dtype(), rbm.hb().device());
        Ok(Self {
            w: Tensor::zeros((classes, rbm.hidden()), dtype, device)?,
            b: Tensor::zeros(classes, dtype, device)?,
        })
    }
}

impl Rbm {
    /// The same RBM with a label group.
    ///
    /// # Errors
    /// [`Error::Shape`] if the group does not fit the hidden units.
    #[expect(clippy::needless_pass_by_value, reason = "the RBM owns its label group from here on")]
    pub fn with_labels(mut self, labels: LabelGroup) -> Result<Self> {
        let (classes, hidden) = (labels.classes(), self.hidden());
        if labels.w.dims() != [classes, hidden] {
            return Err(Error::Shape {
                what: "label_w".into(),
                got: labels.w.dims().to_vec(),
                expected: vec![classes, hidden],
            });
        }
        self.labels = Some(LabelGroup { w: labels.w.contiguous()?, b: labels.b.contiguous()? });
        Ok(self)
    }

    /// The label group, if there is one.
    #[must_use]
    pub fn labels(&self) -> Option<&LabelGroup> {
        self.labels.as_ref()
    }

    /// Number of classes of the label, 0 without one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels.as_ref().map_or(0, LabelGroup::classes)
    }

    /// The RBM with its label as the last visible unit, instead of a label group: itself where there is none, and
    /// where all units are Bernoulli.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn joined(&self) -> Result<Cow<'_, Self>> {
        if self.labels.is_none() || self.layers.are_bernoulli() {
            return Ok(Cow::Borrowed(self));
        }
        Ok(Cow::Owned(self.with_label_as_unit()?))
    }

    /// The same whatever the units are.
    pub(crate) fn with_label_as_unit(&self) -> Result<Self> {
        let Some(labels) = &self.labels else { return Ok(self.clone()) };
        let joined = Self::from_tensors(
            Tensor::cat(&[&self.w_rec, &labels.w], 0)?,
            self.hb.clone(),
            Tensor::cat(&[&self.vb, &labels.b], 0)?,
        )?;
        let below = self.visible_fields.mapped(|field| Tensor::cat(&[field, &labels.b.zeros_like()?], 0))?;
        joined.with_layers(self.layers.with_label(labels.classes()), below, self.hidden_fields.clone())
    }

    /// The RBM of the other units given a label: its weights are a part of the hidden biases.
    pub(crate) fn given_label(&self, class: usize) -> Result<Self> {
        let w = self.need_labels()?.w.get(class)?;
        let given = Self::from_tensors(self.w_rec.clone(), (&self.hb + &w)?, self.vb.clone())?;
        let mut above = self.hidden_fields.clone();
        above.bias_below = above.bias_below.map(|below| below + &w).transpose()?;
        given.with_layers(self.layers.clone(), self.visible_fields.clone(), above)
    }

    /// The RBM whose label group is what its last visible unit was.
    pub(crate) fn with_label_apart(&self, classes: usize) -> Result<Self> {
        let visible = self.visible() - classes;
        let of_label = |tensor: &Tensor| tensor.narrow(0, visible, classes)?.contiguous();
        let of_others = |tensor: &Tensor| tensor.narrow(0, 0, visible)?.contiguous();
        let apart = Self::from_tensors(of_others(&self.w_rec)?, self.hb.clone(), of_others(&self.vb)?)?;
        let below = self.visible_fields.mapped(of_others)?;
        let apart = apart.with_layers(self.layers.without_label(classes), below, self.hidden_fields.clone())?;
        apart.with_labels(LabelGroup { w: of_label(&self.w_rec)?, b: of_label(&self.vb)? })
    }

    fn need_labels(&self) -> Result<&LabelGroup> {
        self.labels.as_ref().ok_or_else(|| Error::Config {
            name: "label group",
            got: "missing".into(),
            expected: "part of the RBM to tell labels",
        })
    }

    /// `U(v) - F(v, y)` of every label, [B, V] -> [B, C], in nats; its softmax is p(y|v).
    ///
    /// # Errors
    /// If there is no label group or the shapes do not fit.
    pub fn label_scores(&self, v: &Tensor) -> Result<Tensor> {
        let labels = self.need_labels()?;
        let x = ops::product(v, &self.w_rec)?;
        let scores = if self.layers.hidden.is_bernoulli() {
            ops::softplus_sums(&x, &self.hb, &labels.w)?
        } else {
            let cgf = |class| self.above().cgf(&x.broadcast_add(&labels.w.get(class)?)?);
            Tensor::stack(&(0..labels.classes()).map(cgf).collect::<candle_core::Result<Vec<_>>>()?, 1)?
        };
        Ok(scores.broadcast_add(&labels.b)?)
    }

    /// p(y|v) for every label, [B, V] -> [B, C].
    ///
    /// # Errors
    /// If there is no label group or the shapes do not fit.
    pub fn label_probabilities(&self, v: &Tensor) -> Result<Tensor> {
        Ok(softmax(&self.label_scores(v)?, 1)?)
    }

    /// Hidden units given visible ones [B, V] and labels [B, C], one-hot or probabilities.
    ///
    /// # Errors
    /// If there is no label group or the shapes do not fit.
    pub fn sample_h_with_labels(&self, v: &Tensor, y: &Tensor, draw: Uniforms) -> Result<Sampled> {
        let x = (ops::product(v, &self.w_rec)? + y.matmul(&self.need_labels()?.w)?)?;
        self.above().sample(&x, draw)
    }

    /// p(y|h) for every label, [B, H] -> [B, C].
    ///
    /// # Errors
    /// If there is no label group or the shapes do not fit.
    pub fn reverse_labels(&self, h: &Tensor) -> Result<Tensor> {
        let labels = self.need_labels()?;
        Ok(softmax(&h.matmul(&labels.w.t()?)?.broadcast_add(&labels.b)?, 1)?)
    }
}
