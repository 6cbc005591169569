//! A softmax group of label units beside the visible ones.
//!
//! Exactly one of its C units is on. The energy of (v, y, h) is that of (v, h) minus
//! `b_y + w_y·h`, so that
//!
//! ```text
//! p(h_j = 1 | v, y) = sigmoid(hb_j + (v w_rec)_j + w_yj)
//! p(y | h)          = softmax(b + w h)_y
//! p(y | v)          = softmax_y(b_y + sum_j softplus(hb_j + (v w_rec)_j + w_yj))
//! ```
//!
//! the last one exactly: it is how the top of a deep belief net classifies (Hinton, Osindero &
//! Teh 2006, section 6; Larochelle & Bengio 2008).

use crate::error::{BESIDE_LABELS, Error, Result, require_bernoulli};
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use crate::model::sampled::{Sampled, sample};
use candle_core::Tensor;
use candle_nn::ops::softmax;
use deepbelief_kernels::{Uniforms, ops};

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
    /// [`Error::Shape`] if the group does not fit the hidden units, [`Error::Config`] if some units are not
    /// Bernoulli.
    #[expect(clippy::needless_pass_by_value, reason = "the RBM owns its label group from here on")]
    pub fn with_labels(mut self, labels: LabelGroup) -> Result<Self> {
        require_bernoulli(&self.layers, BESIDE_LABELS)?;
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

    fn need_labels(&self) -> Result<&LabelGroup> {
        self.labels.as_ref().ok_or_else(|| Error::Config {
            name: "label group",
            got: "missing".into(),
            expected: "part of the RBM to tell labels",
        })
    }

    /// `-F(v, y) - vb·v` of every label, [B, V] -> [B, C], in nats; its softmax is p(y|v).
    ///
    /// # Errors
    /// If there is no label group or the shapes do not fit.
    pub fn label_scores(&self, v: &Tensor) -> Result<Tensor> {
        let labels = self.need_labels()?;
        let x = ops::product(v, &self.w_rec)?;
        Ok(ops::softplus_sums(&x, &self.hb, &labels.w)?.broadcast_add(&labels.b)?)
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
        sample(&x, &self.hb, draw)
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
