//! Contrastive divergence on candle tensors: the rule as it stands in the papers, on any device
//! and in F32 or F64. [`crate::Trainer`] takes the same steps in packed form, many times faster
//! on a CPU, where hidden units are Bernoulli; tests hold it against this form in F64, which is
//! made of candle's own operations alone. Gaussian hidden units train in this form.

use crate::error::{Error, Result, require};
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use crate::model::sampled::Sampled;
use crate::training::rule::{Rule, VisibleStates};
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Layers, Parameters, Stream, Uniforms, ops};

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
    visible_fields: FieldTensors,
    hidden_fields: FieldTensors,
    labels: Option<LabelGroup>,
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
        })
    }

    /// From the packed form.
    pub(crate) fn from_parameters(layers: &Layers, velocities: Parameters, device: &Device) -> Result<Self> {
        let Rbm { w_rec: w, hb, vb, visible_fields, hidden_fields, labels, .. } =
            Rbm::from_parameters(layers, velocities, device)?;
        Ok(Self { w, hb, vb, visible_fields, hidden_fields, labels })
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

/// The end of a chain: visible units, labels where there are any, and hidden units given both.
struct Negative {
    v: Tensor,
    y: Option<Tensor>,
    hidden: Sampled,
}

impl Rbm {
    /// One update by contrastive divergence, CD-k (Hinton 2002), from visible values [B, V]:
    /// `W += rate (v0ᵀ p(h|v0) - vkᵀ p(h|vk)) / B` after k Gibbs steps from the data, with
    /// momentum, weight costs and sparsity as [`Rule`] says. An RBM with a label group learns
    /// the joint distribution with the labels `y0`, one-hot [B, C], which are reconstructed as
    /// probabilities. The statistics of Gaussian hidden units are their means.
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
        let h0 = self.positive(v0, y0, draws)?;
        let negative = self.negative(&h0.states, y0.is_some(), rule, draws)?;
        self.learn((v0, y0, &h0.probabilities), &negative, rule, velocity)
    }

    /// One update by persistent contrastive divergence, PCD-k (Tieleman 2008): the same, but for
    /// the Gibbs steps, which go on from the hidden states `chains` [N, H] of the last update and
    /// leave theirs there.
    ///
    /// # Errors
    /// As for [`Rbm::cd_update`]; if the chains do not fit the hidden units.
    pub fn pcd_update(
        &mut self,
        v0: &Tensor,
        y0: Option<&Tensor>,
        rule: &Rule,
        velocity: &mut Velocity,
        chains: &mut Tensor,
        draws: Draws,
    ) -> Result<()> {
        let h0 = self.positive(v0, y0, draws)?;
        let negative = self.negative(chains, y0.is_some(), rule, draws)?;
        self.learn((v0, y0, &h0.probabilities), &negative, rule, velocity)?;
        *chains = negative.hidden.states;
        Ok(())
    }

    /// Hidden units over the data, which must fit.
    fn positive(&self, v0: &Tensor, y0: Option<&Tensor>, draws: Draws) -> Result<Sampled> {
        let (samples, units) = v0.dims2()?;
        if units != self.visible() {
            let (got, expected) = (vec![samples, units], vec![samples, self.visible()]);
            return Err(Error::Shape { what: "batch".into(), got, expected });
        }
        let fits = y0.is_some() == self.labels.is_some();
        require(fits, "labels", y0.map_or("missing", |_| "given"), "given exactly if the RBM has a label group")?;
        self.sample_given(v0, y0, draws.hidden(0))
    }

    /// k Gibbs steps from hidden states.
    fn negative(&self, h: &Tensor, labelled: bool, rule: &Rule, draws: Draws) -> Result<Negative> {
        let step = |h: &Tensor, k: u32| -> Result<Negative> {
            let visible = self.sample_v(h, draws.visible(k))?;
            let v = match rule.visible_states {
                VisibleStates::Sampled => visible.states,
                VisibleStates::Probabilities => visible.probabilities,
            };
            let y = labelled.then(|| self.reverse_labels(h)).transpose()?;
            let hidden = self.sample_given(&v, y.as_ref(), draws.hidden(k + 1))?;
            Ok(Negative { v, y, hidden })
        };
        (1..rule.cd_steps).try_fold(step(h, 0)?, |negative, k| step(&negative.hidden.states, k))
    }

    /// The step that the statistics of data and chains give.
    fn learn(
        &mut self,
        (v0, y0, p0): (&Tensor, Option<&Tensor>, &Tensor),
        Negative { v, y, hidden }: &Negative,
        rule: &Rule,
        velocity: &mut Velocity,
    ) -> Result<()> {
        let p = &hidden.probabilities;
        let samples = v0.dim(0)?;
        // Chains weigh together as much as samples do.
        let ratio = samples as f64 / v.dim(0)?.max(1) as f64;
        let contrast = |positive: Tensor, negative: Tensor| positive - (negative * ratio)?;
        let excess = (p0.mean(0)? - rule.sparsity_target)?;
        let p0 = p0.broadcast_sub(&(excess * rule.sparsity_cost)?)?;
        let step = Step { rule, samples };

        let gradient = contrast(ops::outer(v0, &p0)?, ops::outer(v, p)?)?;
        velocity.w = step.of_weights(&velocity.w, &self.w_rec, gradient)?;
        velocity.hb = step.of_biases(&velocity.hb, contrast(sums(&p0)?, sums(p)?)?)?;
        velocity.vb = step.of_biases(&velocity.vb, contrast(sums(v0)?, sums(v)?)?)?;
        let mut next =
            Self::from_tensors((&self.w_rec + &velocity.w)?, (&self.hb + &velocity.hb)?, (&self.vb + &velocity.vb)?)?
                .with_layers(self.layers.clone(), self.visible_fields.clone(), self.hidden_fields.clone())?;
        if let (Some(labels), Some(last), Some(y0), Some(y)) = (&self.labels, &mut velocity.labels, y0, y) {
            let gradient = contrast(y0.t()?.matmul(&p0)?, y.t()?.matmul(p)?)?;
            last.w = step.of_weights(&last.w, &labels.w, gradient)?;
            last.b = step.of_biases(&last.b, contrast(y0.sum(0)?, y.sum(0)?)?)?;
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

/// Sums over the samples [B, N]: `[N]`.
fn sums(units: &Tensor) -> candle_core::Result<Tensor> {
    let ones = Tensor::ones((units.dim(0)?, 1), units.dtype(), units.device())?;
    ops::outer(&ones, units)?.squeeze(0)
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
