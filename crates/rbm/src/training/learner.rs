//! What a trainer asks of an RBM in training, whatever form it has: on an engine for Bernoulli hidden units
//! (`engine_learner.rs`), of tensors for Gaussian ones (`tensor_learner.rs`).

use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use crate::sampling::state::SamplerState;
use crate::training::cd::Draws;
use crate::training::config::TrainConfig;
use crate::training::rule::Rule;
use deepbelief_kernels::{Batch, Measures, Parameters, Share, Uniforms, Units};
use deepbelief_ranks::Group;
use deepbelief_training::Labelled;
use std::sync::Arc;

/// An RBM, its velocities and its persistent chains.
pub(crate) trait Learner: Send + Sync {
    /// One update by CD-k, or with persistent chains by PCD-k. The largest |weight| or |bias|
    /// afterwards, NaN if one is NaN; a learner on another device says so only now and then, for
    /// all updates since it last did.
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, config: &TrainConfig) -> Result<Option<f32>>;

    /// Learns as one of several ranks from now on: what it has learned so far, each of them has.
    fn join(&mut self, group: &Arc<dyn Group>) -> Result<()> {
        require(group.size() == 1, "sums", "float", "exact on several ranks")
    }

    /// The samples of a minibatch that [`Self::learn`] reads.
    fn share(&self) -> Share {
        Share::WHOLE
    }

    /// Whether any rank wants to stop: all hear of it after the same update.
    fn agree(&mut self, stop: bool) -> bool {
        stop
    }

    /// Brings together what ranks hold apart, before any rank looks at the state.
    fn gather(&mut self) -> Result<()> {
        Ok(())
    }

    /// What [`Self::learn`] has not said yet.
    fn largest(&mut self) -> Result<Option<f32>> {
        Ok(None)
    }

    /// Measures the RBM on samples and, where it has a label group, their labels. Means weigh the samples by
    /// `weights`, alike where there are none. Draws hidden states from `draw`, and leaves everything that training continues with untouched.
    fn measure(&mut self, samples: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measured>;

    /// The RBM as it is, on the CPU.
    fn rbm(&self) -> Result<Rbm>;

    /// Remembers the weights, for [`Self::norm_and_change`].
    fn remember(&mut self) -> Result<()>;

    /// The Euclidean norms of the weights, and of their change since [`Self::remember`] was last called.
    fn norm_and_change(&self) -> Result<(f64, f64)>;

    fn parameters(&self) -> Result<Parameters>;

    fn velocities(&self) -> Result<Parameters>;

    /// Hidden states of the persistent chains, once there are any.
    fn chains(&self) -> Result<Option<Batch>>;

    /// What its methods remember beside these.
    fn memory(&self) -> Result<SamplerState> {
        Ok(SamplerState::default())
    }

    /// Share of the persistent chains' hidden units that the last update changed, where that is known.
    fn chains_moved(&self) -> Result<Option<f64>> {
        Ok(None)
    }

    /// How often the tempered chains that swap least do so; none without them.
    fn swap_rate(&self) -> Option<f64> {
        None
    }
}

/// Measurements of an RBM on samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Mean free energy, nats per sample.
    pub free_energy: f64,
    /// Mean cross-entropy between the samples v and p(v|h) for one h ~ p(h|v), nats per sample.
    pub reconstruction_cost: f64,
    /// What the hidden units do.
    pub hidden: HiddenStatistics,
    /// Share of samples whose most probable label is not theirs; `None` without a label group.
    pub label_error: Option<f64>,
}

impl Measured {
    /// What an engine says of an RBM with these hidden units.
    pub(crate) fn of(measures: Measures, hidden: &Units) -> Self {
        let Measures { free_energy, reconstruction_cost, activity, spread, label_error } = measures;
        let hidden =
            if hidden.is_bernoulli() { HiddenStatistics::Activity(activity) } else { HiddenStatistics::Spread(spread) };
        Self { free_energy, reconstruction_cost, hidden, label_error }
    }
}

/// What hidden units do over samples.
#[derive(Clone, Debug, PartialEq)]
pub enum HiddenStatistics {
    /// Mean p(h = 1 | v) of each Bernoulli unit.
    Activity(Vec<f64>),
    /// Standard deviation of E\[h | v\] of each unit, where some are of another kind.
    Spread(Vec<f64>),
}
