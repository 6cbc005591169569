//! The learning rule on the packed machine, for Bernoulli hidden units.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig};
use crate::error::Result;
use crate::learned::Learned;
use crate::learner::{Learner, Measured, binary};
use crate::memory::SamplerState;
use crate::negative::{Chains, Negative};
use crate::rbm::Rbm;
use crate::tempering::TemperedChains;
use crate::trajectory::TrajectoryTempering;
use candle_core::Device;
use deepbelief_kernels::{Batch, Offsets, PackedRbm, Parameters, Sparsity, Statistics, Uniforms};
use deepbelief_training::Labelled;

/// Share of a minibatch in the offsets of the centred gradient (Melchior et al. 2016, section 5), once
/// there have been as many minibatches as that is worth.
const OFFSET_SHARE: f32 = 0.01;

/// An RBM in the layout that trains fastest.
pub(crate) struct Packed {
    machine: PackedRbm,
    negative: Option<Negative>,
    offsets: Offsets,
    /// The mean of the models of late, if it is wanted.
    average: Option<PackedRbm>,
    gradient: Statistics,
}

impl Packed {
    pub(crate) fn start(machine: PackedRbm) -> Self {
        Self { machine, negative: None, offsets: Offsets::default(), average: None, gradient: Statistics::default() }
    }

    /// Goes on from a state.
    pub(crate) fn resume(state: Learned, config: &TrainConfig) -> Self {
        let Learned { visible, hidden, parameters, velocities, chains, memory, .. } = state;
        let SamplerState { offsets, fast, average, ladders, trajectory } = memory;
        let mut machine = PackedRbm::new(visible, hidden, &parameters);
        machine.set_velocities(&velocities);
        let along = trajectory.map(|models| TrajectoryTempering::resume(&machine, models, config));
        let along = along.map(|models| Negative::Trajectory(Box::new(models)));
        let negative = along.or_else(|| match (ladders, chains.map(binary), fast) {
            (Some(ladders), ..) => Some(Negative::Tempered(Box::new(TemperedChains::resume(&machine, ladders)))),
            (None, Some(chains), Some(fast)) => {
                let mut ahead = PackedRbm::new(visible, hidden, &sum(&parameters, &fast));
                ahead.set_velocities(&fast);
                Some(Negative::Fast(Box::new(ahead), Chains::of(chains)))
            }
            (None, Some(chains), None) => Some(Negative::Persistent(Chains::of(chains))),
            // Of chains that start from the data, nothing is to be gone on with.
            (None, None, _) => None,
        });
        let average = average.map(|average| PackedRbm::new(visible, hidden, &average));
        Self { machine, negative, offsets: offsets.unwrap_or_default(), average, gradient: Statistics::default() }
    }

    /// The model that training makes: the mean of those of late, where there is one.
    fn model(&self) -> &PackedRbm {
        self.average.as_ref().unwrap_or(&self.machine)
    }
}

impl Learner for Packed {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        let machine = &mut self.machine;
        let negative = self.negative.get_or_insert_with(|| Negative::start(machine, config));
        let from_data = matches!(negative, Negative::Data);
        machine.infer_hidden(&data.v, &data.y, from_data.then(|| draws.hidden(0)));
        negative.advance(machine, rule, draws);
        let (step, sparsity) = (step_of(rule), sparsity_of(rule));
        let largest = if config.centred || negative.needs_gradient() {
            machine.statistics(&data.v, sparsity, &mut self.gradient);
            if config.centred {
                machine.follow_means(&data.v, share(OFFSET_SHARE, draws.step), &mut self.offsets);
            }
            let largest = machine.step(&self.gradient, &step, config.centred.then_some(&self.offsets));
            negative.stepped(machine, &self.gradient, rule);
            largest
        } else {
            machine.update(&data.v, &step, sparsity)
        };
        if config.averaging > 0.0 {
            let average = self.average.get_or_insert_with(|| machine.clone());
            average.approach(machine, share((1.0 - config.averaging) as f32, draws.step));
        }
        Ok(Some(largest))
    }

    fn measure(&mut self, samples: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measured> {
        let model = self.average.as_mut().unwrap_or(&mut self.machine);
        Ok(model.measure(samples, labels, draw).into())
    }

    fn rbm(&self) -> Result<Rbm> {
        let machine = self.model();
        Rbm::from_parameters(machine.visible(), machine.hidden(), machine.parameters(), &Device::Cpu)
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(self.machine.parameters())
    }

    fn velocities(&self) -> Result<Parameters> {
        Ok(self.machine.velocities())
    }

    fn chains(&self) -> Result<Option<Batch>> {
        Ok(match &self.negative {
            Some(Negative::Persistent(chains) | Negative::Fast(_, chains)) => Some(Batch::Binary(chains.h.clone())),
            Some(Negative::Data | Negative::Tempered(_) | Negative::Trajectory(_)) | None => None,
        })
    }

    fn memory(&self) -> SamplerState {
        let offsets = (!self.offsets.visible.is_empty()).then(|| self.offsets.clone());
        let memory = SamplerState {
            offsets,
            average: self.average.as_ref().map(PackedRbm::parameters),
            ..SamplerState::default()
        };
        match &self.negative {
            Some(Negative::Fast(fast, _)) => SamplerState { fast: Some(fast.velocities()), ..memory },
            Some(Negative::Tempered(ladders)) => SamplerState { ladders: Some(ladders.state()), ..memory },
            Some(Negative::Trajectory(models)) => SamplerState { trajectory: Some(models.state()), ..memory },
            Some(Negative::Data | Negative::Persistent(_)) | None => memory,
        }
    }

    fn chains_moved(&self) -> Option<f64> {
        match &self.negative {
            Some(Negative::Persistent(chains) | Negative::Fast(_, chains)) => chains.moved,
            _ => None,
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

/// The share of the newest in a running mean: equal shares at first, `least` once there are more.
fn share(least: f32, step: u32) -> f32 {
    least.max(1.0 / (step as f32 + 1.0))
}

/// What fast weights and those they run ahead of make together.
fn sum(parameters: &Parameters, fast: &Parameters) -> Parameters {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect();
    Parameters {
        w_rec: sum(&parameters.w_rec, &fast.w_rec),
        hb: sum(&parameters.hb, &fast.hb),
        vb: sum(&parameters.vb, &fast.vb),
        label_w: sum(&parameters.label_w, &fast.label_w),
        label_b: sum(&parameters.label_b, &fast.label_b),
    }
}

pub(crate) fn step_of(rule: &Rule) -> deepbelief_kernels::StepRule {
    deepbelief_kernels::StepRule {
        learning_rate: rule.learning_rate as f32,
        momentum: rule.momentum as f32,
        l2: rule.weight_cost as f32,
        l1: rule.l1_cost as f32,
    }
}

pub(crate) fn sparsity_of(rule: &Rule) -> Sparsity {
    Sparsity { target: rule.sparsity_target as f32, cost: rule.sparsity_cost as f32 }
}
