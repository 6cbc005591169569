//! Contrastive divergence on candle tensors: the rule as it stands in the papers, on any device
//! and in F32 or F64. [`crate::Trainer`] takes the same steps in packed form, many times faster
//! on a CPU; tests hold it against this form in F64, which is made of candle's own operations
//! alone.

use crate::config::{Rule, VisibleStates};
use crate::error::{Error, Result, require};
use crate::labels::LabelGroup;
use crate::rbm::{Rbm, Sampled};
use candle_core::Tensor;
use deepbelief_kernels::{Stream, Uniforms, ops};

/// The random numbers of one training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Seed of the training.
    pub seed: u64,
    /// Updates made before this one.
    pub step: u32,
}

impl Draws {
    /// For the hidden states after `gibbs_steps` Gibbs steps.
    #[must_use]
    pub fn hidden(self, gibbs_steps: u32) -> Uniforms {
        Uniforms::new(self.seed, Stream::Hidden, self.step).gibbs(gibbs_steps as u16)
    }

    /// For the visible states of Gibbs step `gibbs_step`, counted from 0.
    #[must_use]
    pub fn visible(self, gibbs_step: u32) -> Uniforms {
        Uniforms::new(self.seed, Stream::Visible, self.step).gibbs(gibbs_step as u16)
    }
}

/// The last step of each parameter, which momentum keeps a share of.
#[derive(Clone, Debug)]
pub struct Velocity {
    w: Tensor,
    hb: Tensor,
    vb: Tensor,
    labels: Option<LabelGroup>,
}

impl Velocity {
    /// At rest.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn zeros(rbm: &Rbm) -> Result<Self> {
        let labels = rbm.labels.as_ref().map(|labels| LabelGroup::zeros(labels.classes(), rbm)).transpose()?;
        Ok(Self { w: rbm.w_rec.zeros_like()?, hb: rbm.hb.zeros_like()?, vb: rbm.vb.zeros_like()?, labels })
    }
}

impl Rbm {
    /// One update by contrastive divergence, CD-k (Hinton 2002), from visible values [B, V]:
    /// `W += rate (v0ᵀ p(h|v0) - vkᵀ p(h|vk)) / B` after k Gibbs steps from the data, with
    /// momentum, weight costs and sparsity as [`Rule`] says. An RBM with a label group learns
    /// the joint distribution with the labels `y0`, one-hot [B, C], which are reconstructed as
    /// probabilities.
    ///
    /// # Errors
    /// [`Error::Shape`] if the batch does not fit the visible units; [`Error::Config`] if labels
    /// are given without a group or missing with one.
    pub fn cd_update(
        &mut self,
        v0: &Tensor,
        y0: Option<&Tensor>,
        rule: &Rule,
        velocity: &mut Velocity,
        draws: Draws,
    ) -> Result<()> {
        let (samples, units) = v0.dims2()?;
        if units != self.visible() {
            let (got, expected) = (vec![samples, units], vec![samples, self.visible()]);
            return Err(Error::Shape { what: "batch".into(), got, expected });
        }
        let fits = y0.is_some() == self.labels.is_some();
        require(fits, "labels", y0.map_or("missing", |_| "given"), "given exactly if the RBM has a label group")?;

        let h0 = self.sample_given(v0, y0, draws.hidden(0))?;
        let (mut v, mut y) = (v0.clone(), y0.cloned());
        let (mut h, mut p) = (h0.states, h0.probabilities.clone());
        for k in 0..rule.cd_steps {
            v = match rule.visible_states {
                VisibleStates::Sampled => self.sample_v(&h, draws.visible(k))?.states,
                VisibleStates::Probabilities => self.reverse(&h)?,
            };
            y = y0.map(|_| self.reverse_labels(&h)).transpose()?;
            let hidden = self.sample_given(&v, y.as_ref(), draws.hidden(k + 1))?;
            (h, p) = (hidden.states, hidden.probabilities);
        }
        let excess = (h0.probabilities.mean(0)? - rule.sparsity_target)?;
        let p0 = h0.probabilities.broadcast_sub(&(excess * rule.sparsity_cost)?)?;
        let step = Step { rule, samples };

        velocity.w = step.of_weights(&velocity.w, &self.w_rec, (ops::outer(v0, &p0)? - ops::outer(&v, &p)?)?)?;
        velocity.hb = step.of_biases(&velocity.hb, (&p0 - &p)?.sum(0)?)?;
        velocity.vb = step.of_biases(&velocity.vb, (v0 - &v)?.sum(0)?)?;
        let mut next =
            Self::from_tensors((&self.w_rec + &velocity.w)?, (&self.hb + &velocity.hb)?, (&self.vb + &velocity.vb)?)?;
        if let (Some(labels), Some(last), Some(y0), Some(y)) = (&self.labels, &mut velocity.labels, y0, y) {
            last.w = step.of_weights(&last.w, &labels.w, (y0.t()?.matmul(&p0)? - y.t()?.matmul(&p)?)?)?;
            last.b = step.of_biases(&last.b, (y0 - y)?.sum(0)?)?;
            next = next.with_labels(LabelGroup { w: (&labels.w + &last.w)?, b: (&labels.b + &last.b)? })?;
        }
        *self = next;
        Ok(())
    }

    fn sample_given(&self, v: &Tensor, y: Option<&Tensor>, draw: Uniforms) -> Result<Sampled> {
        match y {
            Some(y) => self.sample_h_with_labels(v, y, draw),
            None => self.sample_h(v, draw),
        }
    }
}

/// How a summed gradient becomes a step.
struct Step<'a> {
    rule: &'a Rule,
    samples: usize,
}

impl Step<'_> {
    /// `momentum * last + rate * gradient / samples`.
    fn of_biases(&self, last: &Tensor, gradient: Tensor) -> Result<Tensor> {
        let scale = self.rule.learning_rate / self.samples.max(1) as f64;
        Ok(((last * self.rule.momentum)? + (gradient * scale)?)?)
    }

    /// The same, minus `rate *` the costs of the weights.
    fn of_weights(&self, last: &Tensor, w: &Tensor, gradient: Tensor) -> Result<Tensor> {
        let cost = ((w * self.rule.weight_cost)? + (w.sign()? * self.rule.l1_cost)?)?;
        Ok((self.of_biases(last, gradient)? - (cost * self.rule.learning_rate)?)?)
    }
}
