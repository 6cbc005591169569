//! Contrastive divergence on candle tensors: the rule as it stands in the papers, on any device
//! and in F32 or F64. [`crate::Trainer`] takes the same steps in packed form, many times faster
//! on a CPU; tests hold it against this form in F64, which is made of candle's own operations
//! alone.

use crate::config::{Rule, VisibleStates};
use crate::error::{Error, Result};
use crate::rbm::Rbm;
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
}

impl Velocity {
    /// At rest.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn zeros(rbm: &Rbm) -> Result<Self> {
        Ok(Self { w: rbm.w_rec.zeros_like()?, hb: rbm.hb.zeros_like()?, vb: rbm.vb.zeros_like()? })
    }
}

impl Rbm {
    /// One update by contrastive divergence, CD-k (Hinton 2002), from visible values [B, V]:
    /// `W += rate (v0ᵀ p(h|v0) - vkᵀ p(h|vk)) / B` after k Gibbs steps from the data, with
    /// momentum, weight costs and sparsity as [`Rule`] says.
    ///
    /// # Errors
    /// [`Error::Shape`] if the batch does not fit the visible units.
    pub fn cd_update(&mut self, v0: &Tensor, rule: &Rule, velocity: &mut Velocity, draws: Draws) -> Result<()> {
        let (samples, units) = v0.dims2()?;
        if units != self.visible() {
            return Err(Error::Shape {
                what: "batch".into(),
                got: vec![samples, units],
                expected: vec![samples, self.visible()],
            });
        }
        let h0 = self.sample_h(v0, draws.hidden(0))?;
        let (mut h, mut v) = (h0.states, v0.clone());
        let mut p = h0.probabilities.clone();
        for k in 0..rule.cd_steps {
            v = match rule.visible_states {
                VisibleStates::Sampled => self.sample_v(&h, draws.visible(k))?.states,
                VisibleStates::Probabilities => self.reverse(&h)?,
            };
            let hidden = self.sample_h(&v, draws.hidden(k + 1))?;
            (h, p) = (hidden.states, hidden.probabilities);
        }
        let excess = (h0.probabilities.mean(0)? - rule.sparsity_target)?;
        let p0 = h0.probabilities.broadcast_sub(&(excess * rule.sparsity_cost)?)?;
        let w = (ops::outer(v0, &p0)? - ops::outer(&v, &p)?)?;
        self.follow(rule, velocity, [w, (p0 - p)?.sum(0)?, (v0 - v)?.sum(0)?], samples)
    }

    /// `velocity = momentum * velocity + rate * (gradient / samples - costs)`, then
    /// `parameter += velocity`; weight costs spare the biases.
    fn follow(&mut self, rule: &Rule, velocity: &mut Velocity, [w, hb, vb]: [Tensor; 3], samples: usize) -> Result<()> {
        let scale = rule.learning_rate / samples.max(1) as f64;
        let moved = |last: &Tensor, gradient: Tensor| (last * rule.momentum)? + (gradient * scale)?;
        let cost = ((&self.w_rec * rule.weight_cost)? + (self.w_rec.sign()? * rule.l1_cost)?)?;
        velocity.w = (moved(&velocity.w, w)? - (cost * rule.learning_rate)?)?;
        velocity.hb = moved(&velocity.hb, hb)?;
        velocity.vb = moved(&velocity.vb, vb)?;
        *self =
            Self::from_tensors((&self.w_rec + &velocity.w)?, (&self.hb + &velocity.hb)?, (&self.vb + &velocity.vb)?)?;
        Ok(())
    }
}
