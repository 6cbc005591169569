//! Contrastive divergence on candle tensors: the rule as it stands in the papers, on any device
//! and in F32 or F64. [`crate::Trainer`] takes the same steps in packed form, many times faster
//! on a CPU; tests hold it against this form in F64, which is made of candle's own operations alone.
//! Gaussian hidden units over Bernoulli ones train in this form.

use crate::error::{Error, Result, require};
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::rbm::Rbm;
use crate::model::sampled::Sampled;
use crate::training::gauges::{learns_precision, marks, settle};
use crate::training::optimizer::adam_step;
use crate::training::rule::{Rule, VisibleStates};
use crate::training::velocity::Velocity;
use crate::units::layer::Statistics;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{Stream, Uniforms, UnitKind, ops};

/// The random numbers of one training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Seed of the training.
    pub seed: u64,
    /// Updates made before this one.
    pub step: u32,
    /// The row of the minibatch, and the chain, that is called 0 here: of a piece of more of them.
    pub first: u32,
}

impl Draws {
    /// For the hidden states after `gibbs_steps` Gibbs steps.
    #[must_use]
    pub fn hidden(self, gibbs_steps: u32) -> Uniforms {
        Uniforms::new(self.seed, Stream::Hidden, self.step).gibbs(gibbs_steps as u16).from_row(self.first)
    }

    /// For the visible states of Gibbs step `gibbs_step`, counted from 0.
    #[must_use]
    pub fn visible(self, gibbs_step: u32) -> Uniforms {
        Uniforms::new(self.seed, Stream::Visible, self.step).gibbs(gibbs_step as u16).from_row(self.first)
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
        self.learn((v0, y0, &h0.probabilities), &negative, rule, velocity)?;
        Ok(())
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
        let factors = self.learn((v0, y0, &h0.probabilities), &negative, rule, velocity)?;
        let states = negative.hidden.states;
        *chains = match factors {
            Some(factors) => states.broadcast_mul(&factors)?,
            None => states,
        };
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

    /// The step that the statistics of data and chains give, in the form that is chosen among RBMs of one distribution.
    /// Returns what hidden states are multiplied by to be in that form.
    fn learn(
        &mut self,
        (v0, y0, p0): (&Tensor, Option<&Tensor>, &Tensor),
        Negative { v, y, hidden }: &Negative,
        rule: &Rule,
        velocity: &mut Velocity,
    ) -> Result<Option<Tensor>> {
        let p = &hidden.probabilities;
        let samples = v0.dim(0)?;
        // Chains weigh together as much as samples do.
        let ratio = samples as f64 / v.dim(0)?.max(1) as f64;
        let contrast = |positive: Tensor, negative: Tensor| positive - (negative * ratio)?;
        let excess = (p0.mean(0)? - rule.sparsity_target)?;
        let p0 = p0.broadcast_sub(&(excess * rule.sparsity_cost)?)?;
        let mut gradient = Gradient {
            w: contrast(ops::outer(v0, &p0)?, ops::outer(v, p)?)?,
            hb: contrast(sums(&p0)?, sums(p)?)?,
            vb: contrast(sums(v0)?, sums(v)?)?,
            visible: FieldTensors::default(),
            hidden: FieldTensors::default(),
        };
        let difference = |data: Statistics, chains: Statistics, marks: &Tensor| -> Result<(Tensor, FieldTensors)> {
            let of = |data: &Option<Tensor>, chains: &Option<Tensor>, marks: Option<&Tensor>| match (data, chains) {
                (Some(data), Some(chains)) => {
                    let gradient = contrast(sums(data)?, sums(chains)?)?;
                    Ok(Some(match marks {
                        Some(marks) => (gradient * marks)?,
                        None => gradient,
                    }))
                }
                _ => candle_core::Result::Ok(None),
            };
            let (a, b) = (&data.fields, &chains.fields);
            let fields = FieldTensors {
                log_precision: of(&a.log_precision, &b.log_precision, Some(marks))?,
                bias_below: of(&a.bias_below, &b.bias_below, None)?,
                log_precision_below: of(&a.log_precision_below, &b.log_precision_below, None)?,
            };
            Ok((contrast(sums(&data.bias)?, sums(&chains.bias)?)?, fields))
        };
        if self.layers.hidden.any(learns_precision) {
            let expected = |v: &Tensor| self.above().expected(&ops::product(v, &self.w_rec)?);
            let marks = marks(&self.layers.hidden, &self.hb, learns_precision)?;
            (gradient.hb, gradient.hidden) = difference(expected(v0)?, expected(v)?, &marks)?;
        }
        let gaussian = |kind| kind == UnitKind::Gaussian;
        if self.layers.visible.any(gaussian) {
            let marks = marks(&self.layers.visible, &self.vb, gaussian)?;
            let (below, chains) = (self.below().observed(v0)?, self.below().observed(v)?);
            gradient.visible = difference(below, chains, &marks)?.1;
        }
        let shorter = if self.layers.visible.is_bernoulli() && self.layers.hidden.all(gaussian)
            || self.layers.visible.is_discrete() && self.layers.hidden.is_discrete()
        {
            1.0
        } else {
            gradient.shortened(samples)?
        };
        if let (Some(_), None) = (&rule.adam, &velocity.squares) {
            velocity.squares = Some(Box::new(Velocity::zeros(self)?));
        }
        velocity.steps = velocity.steps.saturating_add(1);
        let step = Step { rule, samples, shorter, t: velocity.steps };
        let Velocity { w, hb, vb, visible_fields, hidden_fields, labels: last, squares, .. } = velocity;
        let mut squares = squares.as_deref_mut();

        let of = squares.as_mut().map(|squares| &mut squares.w);
        let w = (&self.w_rec + step.of_weights(w, of, &self.w_rec, gradient.w)?)?;
        let of = squares.as_mut().map(|squares| &mut squares.hb);
        let hb = (&self.hb + step.of_biases(hb, of, gradient.hb)?)?;
        let of = squares.as_mut().map(|squares| &mut squares.vb);
        let vb = (&self.vb + step.of_biases(vb, of, gradient.vb)?)?;
        let of = squares.as_mut().map(|squares| &mut squares.visible_fields);
        let below = self.visible_fields.plus(&step.of_fields(visible_fields, of, gradient.visible)?)?;
        let of = squares.as_mut().map(|squares| &mut squares.hidden_fields);
        let above = self.hidden_fields.plus(&step.of_fields(hidden_fields, of, gradient.hidden)?)?;
        let mut next = Self::from_tensors(w, hb, vb)?.with_layers(self.layers.clone(), below, above)?;
        if let (Some(labels), Some(last), Some(y0), Some(y)) = (&self.labels, last, y0, y) {
            let mut squares = squares.and_then(|squares| squares.labels.as_mut());
            let gradient = contrast(y0.t()?.matmul(&p0)?, y.t()?.matmul(p)?)?;
            let of = squares.as_mut().map(|squares| &mut squares.w);
            let w = (&labels.w + step.of_weights(&mut last.w, of, &labels.w, gradient)?)?;
            let of = squares.as_mut().map(|squares| &mut squares.b);
            let b = (&labels.b + step.of_biases(&mut last.b, of, contrast(y0.sum(0)?, y.sum(0)?)?)?)?;
            next = next.with_labels(LabelGroup { w, b })?;
        }
        *self = next;
        settle(self, velocity)
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

/// What an update follows, summed over the samples.
struct Gradient {
    w: Tensor,
    hb: Tensor,
    vb: Tensor,
    visible: FieldTensors,
    hidden: FieldTensors,
}

impl Gradient {
    /// What it is multiplied by so that the root mean square of its mean over the samples is at most 1.
    fn shortened(&self, samples: usize) -> Result<f64> {
        let squares =
            |tensor: &Tensor| -> Result<f64> { Ok(tensor.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()?) };
        let mut sum = squares(&self.w)? + squares(&self.hb)? + squares(&self.vb)?;
        for field in self.visible.each().into_iter().chain(self.hidden.each()).filter_map(|(_, field)| field) {
            sum += squares(field)?;
        }
        let count = (self.w.elem_count() + self.hb.elem_count() + self.vb.elem_count()) as f64;
        let size = libm::sqrt(sum / count) / samples.max(1) as f64;
        Ok(if size > MOST_GRADIENT { MOST_GRADIENT / size } else { 1.0 })
    }
}

/// The root mean square of a mean gradient with real units beyond which it is scaled down.
const MOST_GRADIENT: f64 = 1.0;

/// How a summed gradient becomes a step.
struct Step<'a> {
    rule: &'a Rule,
    samples: usize,
    /// What the gradient is multiplied by.
    shorter: f64,
    /// Of Adam, counted from 1.
    t: u32,
}

impl Step<'_> {
    /// The step of biases, of which momentum or Adam remembers `last`, and Adam the squares `of`.
    fn of_biases(&self, last: &mut Tensor, of: Option<&mut Tensor>, gradient: Tensor) -> Result<Tensor> {
        self.less(last, of, gradient, None)
    }

    /// The same of fields; those without a gradient rest.
    fn of_fields(
        &self,
        last: &mut FieldTensors,
        of: Option<&mut FieldTensors>,
        gradient: FieldTensors,
    ) -> Result<FieldTensors> {
        let mut none = FieldTensors::default();
        let of = of.unwrap_or(&mut none);
        let each = |last: &mut Option<Tensor>, of: &mut Option<Tensor>, gradient| match (last.as_mut(), gradient) {
            (Some(last), Some(gradient)) => self.of_biases(last, of.as_mut(), gradient).map(Some),
            // No step; momentum has none to go on with either.
            (last, _) => Ok(last.map(|last| last.clone())),
        };
        Ok(FieldTensors {
            log_precision: each(&mut last.log_precision, &mut of.log_precision, gradient.log_precision)?,
            bias_below: each(&mut last.bias_below, &mut of.bias_below, gradient.bias_below)?,
            log_precision_below: each(
                &mut last.log_precision_below,
                &mut of.log_precision_below,
                gradient.log_precision_below,
            )?,
        })
    }

    /// The same of weights `w`, which bear costs.
    fn of_weights(&self, last: &mut Tensor, of: Option<&mut Tensor>, w: &Tensor, gradient: Tensor) -> Result<Tensor> {
        let mut cost = ((w * self.rule.weight_cost)? + (w.sign()? * self.rule.l1_cost)?)?;
        if self.rule.l1b_cost > 0.0 {
            let share = self.rule.l1b_cost / w.dim(0)?.max(1) as f64;
            cost = (cost + w.sign()?.broadcast_mul(&(w.abs()?.sum(0)? * share)?)?)?;
        }
        self.less(last, of, gradient, Some(cost))
    }

    /// The step along a summed gradient less what the parameters cost: by momentum `momentum * last + rate * (gradient /
    /// samples - cost)`.
    fn less(
        &self,
        last: &mut Tensor,
        of: Option<&mut Tensor>,
        gradient: Tensor,
        cost: Option<Tensor>,
    ) -> Result<Tensor> {
        let share = 1.0 / self.samples.max(1) as f64;
        if let (Some(decays), Some(squares)) = (&self.rule.adam, of) {
            let mean = (gradient * (self.shorter * share))?;
            let slope = match cost {
                Some(cost) => (mean - cost)?,
                None => mean,
            };
            return adam_step(decays, self.rule.learning_rate, self.t, &slope, last, squares);
        }
        let scale = self.shorter * self.rule.learning_rate / self.samples.max(1) as f64;
        let step = ((&*last * self.rule.momentum)? + (gradient * scale)?)?;
        *last = match cost {
            Some(cost) => (step - (cost * self.rule.learning_rate)?)?,
            None => step,
        };
        Ok(last.clone())
    }
}
