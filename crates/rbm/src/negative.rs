//! The negative phase on the packed machine: where the chains of an update start, and what drives them.
//!
//! Each leaves its chains in the machine, which has been through the positive phase and takes their
//! statistics from there.

use crate::cd::Draws;
use crate::config::{Rule, Sampler, TrainConfig, VisibleStates};
use crate::tempering::TemperedChains;
use crate::trajectory::TrajectoryTempering;
use deepbelief_kernels::{Bits, PackedRbm, Statistics, Stream, Uniforms};

/// Share of the fast weights that an update leaves (Tieleman & Hinton 2009, section 4).
const FAST_DECAY: f32 = 19.0 / 20.0;

/// Hidden states of persistent chains.
pub(crate) struct Chains {
    pub(crate) h: Bits,
    /// Share of them that the last update changed.
    pub(crate) moved: Option<f64>,
}

impl Chains {
    pub(crate) fn of(h: Bits) -> Self {
        Self { h, moved: None }
    }

    /// Their next states under `machine`.
    fn go_on(&mut self, machine: &mut PackedRbm, rule: &Rule, draws: Draws) {
        machine.set_hidden_states(&self.h);
        gibbs(machine, rule, draws);
        machine.sample_hidden(draws.hidden(rule.cd_steps));
        let changed = machine.hidden_states().differing(&self.h);
        self.moved = Some(changed as f64 / (self.h.rows() * self.h.units()).max(1) as f64);
        self.h.clone_from(machine.hidden_states());
    }
}

/// What an update's chains go on from.
pub(crate) enum Negative {
    /// From the data (Hinton 2002).
    Data,
    /// From where the last update left them (Tieleman 2008).
    Persistent(Chains),
    /// The same, under weights that run ahead of the model's (Tieleman & Hinton 2009).
    Fast(Box<PackedRbm>, Chains),
    /// The same, at inverse temperatures that they swap (Desjardins et al. 2010).
    Tempered(Box<TemperedChains>),
    /// The same, between models of the training so far (Béreux et al. 2024).
    Trajectory(Box<TrajectoryTempering>),
}

impl Negative {
    /// Before the first update of `machine`.
    pub(crate) fn start(machine: &PackedRbm, config: &TrainConfig) -> Self {
        let chains = config.persistent_chains;
        if chains == 0 {
            return Self::Data;
        }
        let coins = || Bits::coins(chains, machine.hidden(), Uniforms::new(config.seed, Stream::Chains, 0));
        match config.sampler {
            Sampler::Gibbs => Self::Persistent(Chains::of(coins())),
            Sampler::Fast => Self::Fast(Box::new(at_rest(machine)), Chains::of(coins())),
            Sampler::Tempered => Self::Tempered(Box::new(TemperedChains::start(machine, config))),
            Sampler::Trajectory => Self::Trajectory(Box::new(TrajectoryTempering::start(machine, config))),
        }
    }

    /// The chains' next states, left in `machine`.
    pub(crate) fn advance(&mut self, machine: &mut PackedRbm, rule: &Rule, draws: Draws) {
        match self {
            Self::Data => gibbs(machine, rule, draws),
            Self::Persistent(chains) => chains.go_on(machine, rule, draws),
            Self::Fast(fast, chains) => {
                chains.go_on(fast, rule, draws);
                machine.take_chains(fast);
            }
            Self::Tempered(ladders) => ladders.advance(machine, rule.cd_steps, draws),
            Self::Trajectory(models) => models.advance(machine, rule.cd_steps, draws),
        }
    }

    /// After the step of `machine` along `gradient`.
    pub(crate) fn stepped(&mut self, machine: &PackedRbm, gradient: &Statistics, rule: &Rule) {
        if let Self::Fast(fast, _) = self {
            fast.run_ahead(machine, gradient, rule.fast_learning_rate as f32, FAST_DECAY);
        }
    }

    /// Whether the gradient must outlive the step.
    pub(crate) fn needs_gradient(&self) -> bool {
        matches!(self, Self::Fast(..))
    }
}

/// A machine with the same parameters, whose fast weights are zero.
fn at_rest(machine: &PackedRbm) -> PackedRbm {
    PackedRbm::new(machine.visible(), machine.hidden(), &machine.parameters())
}

/// k Gibbs steps from the hidden states to visible ones.
fn gibbs(machine: &mut PackedRbm, rule: &Rule, draws: Draws) {
    for k in 0..rule.cd_steps {
        if k > 0 {
            machine.sample_hidden(draws.hidden(k));
        }
        match rule.visible_states {
            VisibleStates::Sampled => machine.sample_visible(draws.visible(k)),
            VisibleStates::Probabilities => machine.mean_visible(),
        }
    }
}
