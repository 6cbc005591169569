//! The learning rule on the packed machine, for Bernoulli hidden units.

use crate::cd::Draws;
use crate::config::{Rule, VisibleStates};
use crate::error::Result;
use crate::learner::{Labelled, Learner, Measured};
use crate::rbm::Rbm;
use candle_core::Device;
use deepbelief_kernels::{Batch, Bits, Machine, Parameters, Sparsity, Stream, Uniforms};

/// An RBM in the layout that trains fastest.
pub(crate) struct Packed {
    machine: Machine,
    chains: Option<Bits>,
}

impl Packed {
    pub(crate) fn new(machine: Machine, chains: Option<Bits>) -> Self {
        Self { machine, chains }
    }
}

impl Learner for Packed {
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, chains: usize) -> Result<Option<f32>> {
        if chains == 0 {
            return Ok(Some(contrastive_divergence(&mut self.machine, data, rule, draws)));
        }
        let hidden = self.machine.hidden();
        let start = || Bits::coins(chains, hidden, Uniforms::new(draws.seed, Stream::Chains, 0));
        let chains = self.chains.get_or_insert_with(start);
        Ok(Some(persistent_divergence(&mut self.machine, data, rule, draws, chains)))
    }

    fn measure(&mut self, samples: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measured> {
        let measures = self.machine.measure(samples, labels, draw);
        Ok(measures.into())
    }

    fn rbm(&self) -> Result<Rbm> {
        let machine = &self.machine;
        Rbm::from_parameters(machine.visible(), machine.hidden(), machine.parameters(), &Device::Cpu)
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(self.machine.parameters())
    }

    fn velocities(&self) -> Result<Parameters> {
        Ok(self.machine.velocities())
    }

    fn chains(&self) -> Result<Option<Batch>> {
        Ok(self.chains.clone().map(Batch::Binary))
    }
}

/// CD-k (Hinton 2002): the chains start at the data. Returns the largest parameter.
fn contrastive_divergence(machine: &mut Machine, data: &Labelled, rule: &Rule, draws: Draws) -> f32 {
    machine.positive(&data.v, &data.y, Some(draws.hidden(0)));
    gibbs(machine, rule, draws);
    machine.learn(&data.v, &step_of(rule), sparsity_of(rule))
}

/// PCD-k (Tieleman 2008): the chains go on from where the last update left them.
fn persistent_divergence(machine: &mut Machine, data: &Labelled, rule: &Rule, draws: Draws, chains: &mut Bits) -> f32 {
    machine.positive(&data.v, &data.y, None);
    machine.set_hidden_states(chains);
    gibbs(machine, rule, draws);
    machine.up(draws.hidden(rule.cd_steps));
    chains.clone_from(machine.hidden_states());
    machine.learn(&data.v, &step_of(rule), sparsity_of(rule))
}

/// k Gibbs steps from the hidden states to visible ones.
fn gibbs(machine: &mut Machine, rule: &Rule, draws: Draws) {
    for k in 0..rule.cd_steps {
        if k > 0 {
            machine.up(draws.hidden(k));
        }
        match rule.visible_states {
            VisibleStates::Sampled => machine.down(draws.visible(k)),
            VisibleStates::Probabilities => machine.down_mean(),
        }
    }
}

pub(crate) fn step_of(rule: &Rule) -> deepbelief_kernels::Rule {
    deepbelief_kernels::Rule {
        learning_rate: rule.learning_rate as f32,
        momentum: rule.momentum as f32,
        l2: rule.weight_cost as f32,
        l1: rule.l1_cost as f32,
    }
}

pub(crate) fn sparsity_of(rule: &Rule) -> Sparsity {
    Sparsity { target: rule.sparsity_target as f32, cost: rule.sparsity_cost as f32 }
}
