//! The learning rule on whatever engine the RBM is: one update by contrastive
//! divergence, with centring, fast weights, tempering and averaging.

use crate::error::Result;
use crate::model::rbm::Rbm;
use crate::sampling::negative::{Chains, Negative};
use crate::sampling::state::SamplerState;
use crate::sampling::tempering::TemperedChains;
use crate::sampling::trajectory::TrajectoryTempering;
use crate::training::cd::Draws;
use crate::training::config::{MissingAs, TrainConfig};
use crate::training::imputed::{ImputeDraws, Imputed};
use crate::training::learned::Learned;
use crate::training::learner::{Learner, Measured};
use crate::training::rule::{Rule, VisibleStates};
use candle_core::Device;
use deepbelief_kernels::{Batch, Engine, Fields, Parameters, Shown, Sparsity, StepRule, Uniforms};
use deepbelief_training::Labelled;

/// Share of a minibatch in the offsets of the centred gradient (Melchior et al. 2016, section 5), once
/// there have been as many minibatches as that is worth.
pub(crate) const OFFSET_SHARE: f32 = 0.01;

/// An RBM on an engine, and what its methods keep from one update to the next.
pub(crate) struct EngineLearner<E: Engine> {
    pub(crate) rbm: E,
    pub(crate) negative: Option<Negative<E>>,
    /// The running mean of the models, if it is wanted.
    average: Option<E>,
    pub(crate) statistics: E::Statistics,
    pub(crate) imputed: Imputed,
}

impl<E: Engine> EngineLearner<E> {
    /// At rest.
    pub(crate) fn start(rbm: E) -> Self {
        let (statistics, imputed) = Default::default();
        Self { rbm, negative: None, average: None, statistics, imputed }
    }

    /// Goes on from a state.
    pub(crate) fn resume(place: &E::Place, state: Learned, config: &TrainConfig) -> Result<Self> {
        let Learned { layers, parameters, velocities, chains, memory, .. } = state;
        let SamplerState { offsets, fast, average, ladders, trajectory, imputed, adam } = memory;
        let mut rbm = E::at(place, &layers, &parameters)?;
        rbm.set_velocities(&velocities)?;
        rbm.set_descent(&config.descent())?;
        if let Some(adam) = &adam {
            rbm.set_adam_memory(adam)?;
        }
        if let Some(offsets) = &offsets {
            rbm.set_offsets(offsets)?;
        }
        let chains = chains.map(|chains| Chains::of(&mut rbm, &chains)).transpose()?;
        let negative = match (trajectory, ladders, chains, fast) {
            (Some(models), ..) => {
                Some(Negative::Trajectory(Box::new(TrajectoryTempering::resume(&rbm, &models, config)?)))
            }
            (None, Some(ladders), ..) => Some(Negative::Tempered(Box::new(TemperedChains::resume(&rbm, ladders)?))),
            (None, None, Some(chains), Some(fast)) => {
                let mut ahead = rbm.beside(&sum(&parameters, &fast))?;
                ahead.set_velocities(&fast)?;
                Some(Negative::Fast(Box::new(ahead), chains))
            }
            (None, None, Some(chains), None) => Some(Negative::Persistent(chains)),
            // Chains that start from the data leave nothing to resume.
            (None, None, None, _) => None,
        };
        let average = average.map(|average| rbm.beside(&average)).transpose()?;
        Ok(Self { rbm, negative, average, statistics: E::Statistics::default(), imputed })
    }
}

impl<E: Engine> Learner for EngineLearner<E> {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        let Self { rbm, negative, average, statistics, imputed } = self;
        let negative = match negative {
            Some(negative) => negative,
            none => none.insert(Negative::start(rbm, config)?),
        };
        let (completed, excluded);
        let v0 = match config.missing_as {
            _ if data.missing.is_empty() => (&data.v, None),
            MissingAs::Sampled => {
                let step = |v: &Batch, draws| impute(rbm, v, &data.y, rule, draws);
                completed = imputed.draw(&data.v, &data.missing, draws, step)?;
                (&completed, None)
            }
            MissingAs::Excluded => {
                let mut v = data.v.clone();
                rbm.layers().visible.turn_off(&data.missing.cells, &mut v);
                excluded = v;
                (&excluded, Some(&data.missing.cells))
            }
        };
        let (v0, left_out) = (Shown::Batch(v0.0), v0.1);
        let from_data = matches!(negative, Negative::Data);
        rbm.infer_hidden(v0, &data.y, from_data.then(|| draws.hidden(0)))?;
        if !data.weights.is_empty() {
            rbm.weigh(&data.weights, from_data)?;
        }
        negative.advance(rbm, rule, draws, left_out)?;
        let (step, sparsity) = (step_of(rule), sparsity_of(rule));
        if config.centred || negative.needs_statistics() {
            if config.centred {
                rbm.follow_means(v0, share(OFFSET_SHARE, draws.step))?;
            }
            rbm.statistics(v0, sparsity, statistics)?;
            rbm.step(statistics, &step)?;
            negative.stepped(rbm, statistics, rule)?;
        } else {
            rbm.update(v0, &step, sparsity)?;
        }
        negative.rescale(rbm)?;
        average_into(average, rbm, config, draws)?;
        if draws.step.wrapping_add(1).is_multiple_of(E::PATIENCE) { self.largest() } else { Ok(None) }
    }

    fn largest(&mut self) -> Result<Option<f32>> {
        Ok(Some(self.rbm.largest()?))
    }

    fn measure(&mut self, samples: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measured> {
        let measures = self.measured().measure(samples, labels, weights, draw)?;
        Ok(Measured::of(measures, &self.rbm.layers().hidden))
    }

    fn rbm(&self) -> Result<Rbm> {
        // The model that training makes: their running mean, where there is one.
        let model = self.average.as_ref().unwrap_or(&self.rbm);
        Rbm::from_parameters(&model.layers(), model.parameters()?, &Device::Cpu)
    }

    fn remember(&mut self) -> Result<()> {
        Ok(self.rbm.remember()?)
    }

    fn norm_and_change(&self) -> Result<(f64, f64)> {
        Ok(self.rbm.norm_and_change()?)
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(self.rbm.parameters()?)
    }

    fn velocities(&self) -> Result<Parameters> {
        Ok(self.rbm.velocities()?)
    }

    fn chains(&self) -> Result<Option<Batch>> {
        Ok(match &self.negative {
            Some(Negative::Persistent(chains) | Negative::Fast(_, chains)) => Some(chains.states(&self.rbm)?),
            Some(Negative::Data | Negative::Tempered(_) | Negative::Trajectory(_)) | None => None,
        })
    }

    fn memory(&self) -> Result<SamplerState> {
        let average = self.average.as_ref().map(E::parameters).transpose()?;
        let (offsets, adam, imputed) = (self.rbm.offsets()?, self.rbm.adam_memory()?, self.imputed.clone());
        let memory = SamplerState { offsets, average, imputed, adam, ..SamplerState::default() };
        Ok(match &self.negative {
            Some(Negative::Fast(fast, _)) => SamplerState { fast: Some(fast.velocities()?), ..memory },
            Some(Negative::Tempered(ladders)) => SamplerState { ladders: Some(ladders.state()?), ..memory },
            Some(Negative::Trajectory(models)) => SamplerState { trajectory: Some(models.state()?), ..memory },
            Some(Negative::Data | Negative::Persistent(_)) | None => memory,
        })
    }

    fn chains_moved(&self) -> Result<Option<f64>> {
        match &self.negative {
            Some(Negative::Persistent(chains) | Negative::Fast(_, chains)) => chains.moved(&self.rbm),
            _ => Ok(None),
        }
    }

    fn swap_rate(&self) -> Option<f64> {
        match &self.negative {
            Some(Negative::Tempered(ladders)) => Some(ladders.slowest()),
            Some(Negative::Trajectory(models)) => Some(models.slowest()),
            _ => None,
        }
    }
}

impl<E: Engine> EngineLearner<E> {
    /// The model that is measured: the running mean, where there is one.
    pub(crate) fn measured(&mut self) -> &mut E {
        self.average.as_mut().unwrap_or(&mut self.rbm)
    }

    /// Moves the running mean of the models, after a step.
    pub(crate) fn follow(&mut self, config: &TrainConfig, draws: Draws) -> Result<()> {
        average_into(&mut self.average, &self.rbm, config, draws)
    }
}

/// Visible units that a step of missing values leads `v` to.
pub(crate) fn impute<E: Engine>(rbm: &mut E, v: &Batch, y: &[u32], rule: &Rule, draws: ImputeDraws) -> Result<Batch> {
    rbm.infer_hidden(Shown::Batch(v), y, Some(draws.hidden))?;
    match (v, rule.visible_states) {
        (Batch::Real { .. }, VisibleStates::Probabilities) => rbm.mean_visible()?,
        _ => rbm.sample_visible(draws.visible)?,
    }
    Ok(rbm.visible_states()?)
}

/// Moves the running mean of the models towards `rbm`, if there is to be one.
fn average_into<E: Engine>(average: &mut Option<E>, rbm: &E, config: &TrainConfig, draws: Draws) -> Result<()> {
    if config.averaging > 0.0 {
        let average = match average {
            Some(average) => average,
            none => none.insert(rbm.beside(&rbm.parameters()?)?),
        };
        average.approach(rbm, share((1.0 - config.averaging) as f32, draws.step))?;
    }
    Ok(())
}

/// The share of the newest in a running mean: equal shares at first, `least` once there are more.
pub(crate) fn share(least: f32, step: u32) -> f32 {
    least.max(1.0 / (step as f32 + 1.0))
}

/// What fast weights and those they run ahead of make together.
fn sum(parameters: &Parameters, fast: &Parameters) -> Parameters {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect();
    let of_fields = |a: &Fields, b: &Fields| {
        let mut fields = a.clone();
        for ((_, field), (_, other)) in fields.each_mut().into_iter().zip(b.each()) {
            *field = sum(field, other);
        }
        fields
    };
    Parameters {
        w_rec: sum(&parameters.w_rec, &fast.w_rec),
        hb: sum(&parameters.hb, &fast.hb),
        vb: sum(&parameters.vb, &fast.vb),
        label_w: sum(&parameters.label_w, &fast.label_w),
        visible_fields: of_fields(&parameters.visible_fields, &fast.visible_fields),
        hidden_fields: of_fields(&parameters.hidden_fields, &fast.hidden_fields),
        label_b: sum(&parameters.label_b, &fast.label_b),
    }
}

pub(crate) fn step_of(rule: &Rule) -> StepRule {
    StepRule {
        learning_rate: rule.learning_rate as f32,
        momentum: rule.momentum as f32,
        l2: rule.weight_cost as f32,
        l1: rule.l1_cost as f32,
    }
}

pub(crate) fn sparsity_of(rule: &Rule) -> Sparsity {
    Sparsity { target: rule.sparsity_target as f32, cost: rule.sparsity_cost as f32 }
}
