//! The negative phase: where the chains of an update start, and what drives them.
//!
//! Each sampler leaves its chains in the RBM, which has been through the positive phase and takes their
//! statistics from there.

use crate::error::Result;
use crate::sampling::tempering::TemperedChains;
use crate::sampling::trajectory::TrajectoryTempering;
use crate::training::cd::Draws;
use crate::training::config::{Sampler, TrainConfig};
use crate::training::rule::{Rule, VisibleStates};
use deepbelief_kernels::{Batch, Bits, Engine, Stream, Uniforms};
use std::mem::swap;

/// Share of the fast weights that an update leaves (Tieleman & Hinton 2009, section 4).
const FAST_DECAY: f32 = 19.0 / 20.0;

/// Hidden states of persistent chains.
pub(crate) struct Chains<E: Engine> {
    pub(crate) h: E::States,
    /// Those before the last update, once there was one.
    before: E::States,
    went_on: bool,
}

impl<E: Engine> Chains<E> {
    pub(crate) fn of(rbm: &mut E, h: &Batch) -> Result<Self> {
        Ok(Self { h: rbm.unpack_hidden(h)?, before: rbm.hidden_room()?, went_on: false })
    }

    /// Chains that know nothing yet.
    fn fresh(rbm: &mut E, config: &TrainConfig) -> Result<Self> {
        let draw = Uniforms::new(config.seed, Stream::Chains, 0);
        let h = rbm.fresh_hidden(config.persistent_chains, draw)?;
        Ok(Self { h, before: rbm.hidden_room()?, went_on: false })
    }

    /// Their next states under `rbm`.
    pub(crate) fn go_on(&mut self, rbm: &mut E, rule: &Rule, draws: Draws) -> Result<()> {
        rbm.set_hidden(&self.h)?;
        gibbs(rbm, rule, draws, None)?;
        rbm.sample_hidden(draws.hidden(rule.cd_steps))?;
        swap(&mut self.h, &mut self.before);
        self.went_on = true;
        Ok(rbm.keep_hidden(&mut self.h)?)
    }

    pub(crate) fn states(&self, rbm: &E) -> Result<Batch> {
        Ok(rbm.pack_hidden(&self.h)?)
    }

    /// Share of the states that the last update changed, once there was one.
    pub(crate) fn moved(&self, rbm: &E) -> Result<Option<f64>> {
        Ok(self.moves(rbm)?.map(|(moved, states)| moved as f64 / states.max(1) as f64))
    }

    /// States that the last update changed, once there was one, and states in all.
    pub(crate) fn moves(&self, rbm: &E) -> Result<Option<(usize, usize)>> {
        if !self.went_on {
            return Ok(None);
        }
        match (rbm.pack_hidden(&self.h)?, rbm.pack_hidden(&self.before)?) {
            (Batch::Binary(h), Batch::Binary(before)) => Ok(Some((h.differing(&before), h.rows() * h.units()))),
            // Real states always change.
            _ => Ok(None),
        }
    }
}

/// What an update's chains go on from.
pub(crate) enum Negative<E: Engine> {
    /// From the data (Hinton 2002).
    Data,
    /// From where the last update left them (Tieleman 2008).
    Persistent(Chains<E>),
    /// The same, under weights that run ahead of the model's (Tieleman & Hinton 2009).
    Fast(Box<E>, Chains<E>),
    /// The same, at inverse temperatures that they swap (Desjardins et al. 2010).
    Tempered(Box<TemperedChains<E>>),
    /// The same, between models of the training so far (Béreux et al. 2024).
    Trajectory(Box<TrajectoryTempering<E>>),
}

impl<E: Engine> Negative<E> {
    /// Before the first update of `rbm`.
    pub(crate) fn start(rbm: &mut E, config: &TrainConfig) -> Result<Self> {
        if config.persistent_chains == 0 {
            return Ok(Self::Data);
        }
        Ok(match config.sampler {
            Sampler::Gibbs => Self::Persistent(Chains::fresh(rbm, config)?),
            Sampler::Fast => Self::Fast(Box::new(rbm.beside(&rbm.parameters()?)?), Chains::fresh(rbm, config)?),
            Sampler::Tempered => Self::Tempered(Box::new(TemperedChains::start(rbm, config)?)),
            Sampler::Trajectory => Self::Trajectory(Box::new(TrajectoryTempering::start(rbm, config)?)),
        })
    }

    /// The chains' next states, left in `rbm`.
    /// Chains of the data have no units of theirs that are `left_out`.
    pub(crate) fn advance(&mut self, rbm: &mut E, rule: &Rule, draws: Draws, left_out: Option<&Bits>) -> Result<()> {
        match self {
            Self::Data => gibbs(rbm, rule, draws, left_out),
            Self::Persistent(chains) => chains.go_on(rbm, rule, draws),
            Self::Fast(fast, chains) => {
                chains.go_on(fast, rule, draws)?;
                Ok(rbm.take_chains(fast)?)
            }
            Self::Tempered(ladders) => ladders.advance(rbm, rule.cd_steps, draws),
            Self::Trajectory(models) => models.advance(rbm, rule.cd_steps, draws),
        }
    }

    /// After the step of `rbm` along `statistics`.
    pub(crate) fn stepped(&mut self, rbm: &E, statistics: &E::Statistics, rule: &Rule) -> Result<()> {
        if let Self::Fast(fast, _) = self {
            fast.run_ahead(rbm, statistics, rule.fast_learning_rate as f32, FAST_DECAY)?;
        }
        Ok(())
    }

    /// After a step of `rbm`: kept hidden states follow the unit of measure that it chose for their units.
    pub(crate) fn rescale(&mut self, rbm: &E) -> Result<()> {
        match self {
            Self::Persistent(chains) => Ok(rbm.rescale_hidden(&mut chains.h)?),
            Self::Fast(fast, chains) => Ok(fast.rescale_hidden(&mut chains.h)?),
            Self::Data | Self::Tempered(_) | Self::Trajectory(_) => Ok(()),
        }
    }

    /// Whether the statistics must outlive the step.
    pub(crate) fn needs_statistics(&self) -> bool {
        matches!(self, Self::Fast(..))
    }
}

/// k Gibbs steps from the hidden states to visible ones.
pub(crate) fn gibbs<E: Engine>(rbm: &mut E, rule: &Rule, draws: Draws, left_out: Option<&Bits>) -> Result<()> {
    for k in 0..rule.cd_steps {
        if k > 0 {
            rbm.sample_hidden(draws.hidden(k))?;
        }
        match rule.visible_states {
            VisibleStates::Sampled => rbm.sample_visible(draws.visible(k))?,
            VisibleStates::Probabilities => rbm.mean_visible()?,
        }
        if let Some(left_out) = left_out {
            rbm.turn_off(left_out)?;
        }
    }
    Ok(())
}
