//! The learning rule on a GPU, for Bernoulli hidden units: [`crate::packed`] there, on the same
//! uniforms.

use crate::cd::Draws;
use crate::config::{Rule, TrainConfig, VisibleStates};
use crate::error::Result;
use crate::learner::{Learner, Measured};
use crate::packed::{sparsity_of, step_of};
use crate::rbm::Rbm;
use candle_core::Device;
use deepbelief_kernels::cuda::{Gpu, GpuRbm};
use deepbelief_kernels::{Batch, Bits, Parameters, Precision, Stream, Uniforms};
use deepbelief_training::Labelled;

/// Updates after which the largest parameter is asked for: asking waits for all that is queued.
const PATIENCE: u32 = 100;

/// An RBM on a GPU.
pub(crate) struct OnDevice {
    machine: GpuRbm,
    /// Whether the machine's hidden states are those of persistent chains.
    persistent: bool,
}

impl OnDevice {
    pub(crate) fn new(
        device: &Device,
        precision: Precision,
        (visible, hidden): (usize, usize),
        parameters: &Parameters,
    ) -> Result<Self> {
        let machine = GpuRbm::new(&Gpu::new(device)?, precision, visible, hidden, parameters)?;
        Ok(Self { machine, persistent: false })
    }

    /// Goes on with the velocities and the chains of an earlier run.
    pub(crate) fn go_on(&mut self, velocities: &Parameters, chains: Option<Bits>) -> Result<()> {
        self.machine.set_velocities(velocities)?;
        if let Some(chains) = chains {
            self.machine.set_hidden_states(&chains)?;
            self.persistent = true;
        }
        Ok(())
    }
}

impl Learner for OnDevice {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>> {
        let chains = config.persistent_chains;
        let machine = &mut self.machine;
        if chains > 0 && !self.persistent {
            let coins = Uniforms::new(draws.seed, Stream::Chains, 0);
            machine.set_hidden_states(&Bits::coins(chains, machine.hidden(), coins))?;
            self.persistent = true;
        }
        machine.set_data(&data.v, &data.y)?;
        machine.infer_hidden((chains == 0).then(|| draws.hidden(0)))?;
        for k in 0..rule.cd_steps {
            if k > 0 {
                machine.sample_hidden(draws.hidden(k))?;
            }
            match rule.visible_states {
                VisibleStates::Sampled => machine.sample_visible(draws.visible(k))?,
                VisibleStates::Probabilities => machine.mean_visible()?,
            }
        }
        if chains > 0 {
            machine.sample_hidden(draws.hidden(rule.cd_steps))?;
        }
        machine.update(&step_of(rule), sparsity_of(rule))?;
        if draws.step % PATIENCE == PATIENCE - 1 { self.largest() } else { Ok(None) }
    }

    fn largest(&mut self) -> Result<Option<f32>> {
        Ok(Some(self.machine.largest()?))
    }

    fn measure(&mut self, samples: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measured> {
        Ok(self.machine.measure(samples, labels, draw)?.into())
    }

    fn rbm(&self) -> Result<Rbm> {
        let machine = &self.machine;
        Rbm::from_parameters(machine.visible(), machine.hidden(), machine.parameters()?, &Device::Cpu)
    }

    fn remember(&mut self) -> Result<Vec<f32>> {
        self.machine.remember()?;
        Ok(Vec::new())
    }

    fn norm_and_change(&self, _: &[f32]) -> Result<(f64, f64)> {
        Ok(self.machine.norm_and_change()?)
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(self.machine.parameters()?)
    }

    fn velocities(&self) -> Result<Parameters> {
        Ok(self.machine.velocities()?)
    }

    fn chains(&self) -> Result<Option<Batch>> {
        Ok(if self.persistent { Some(Batch::Binary(self.machine.hidden_states()?)) } else { None })
    }
}
