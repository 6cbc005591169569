//! What a trainer asks of an RBM in training, whatever form it has: packed for Bernoulli hidden
//! units ([`crate::packed`]), composed of tensors for Gaussian ones ([`crate::composed`]).

use crate::cd::Draws;
use crate::config::Rule;
use crate::error::Result;
use crate::rbm::Rbm;
use deepbelief_kernels::{Batch, Minibatches, Parameters, Uniforms};

/// A minibatch and, where the data have them, its labels.
#[derive(Default)]
pub(crate) struct Labelled {
    pub(crate) v: Batch,
    pub(crate) y: Vec<u32>,
}

impl Labelled {
    pub(crate) fn fetch(&mut self, data: &mut dyn Minibatches, index: usize) {
        data.fill(index, &mut self.v);
        self.y.clear();
        self.y.extend_from_slice(data.labels().unwrap_or_default());
    }
}

/// An RBM, its velocities and its persistent chains.
pub(crate) trait Learner: Send + Sync {
    /// One update by CD-k, or with `chains` of them by PCD-k; the largest |weight| or |bias|
    /// afterwards, NaN if one is NaN.
    fn learn(&mut self, data: &Labelled, rule: &Rule, draws: Draws, chains: usize) -> Result<f32>;

    /// Measures the RBM on samples and, where it has a label group, their labels. Draws hidden
    /// states from `draw`, and leaves everything that training continues with untouched.
    fn measure(&mut self, samples: &Batch, labels: &[u32], draw: Uniforms) -> Result<Measured>;

    /// The RBM as it is, on the CPU.
    fn rbm(&self) -> Result<Rbm>;

    fn parameters(&self) -> Parameters;

    fn velocities(&self) -> Parameters;

    /// Hidden states of the persistent chains, once there are any.
    fn chains(&self) -> Option<Batch>;
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

/// What hidden units do over samples.
#[derive(Clone, Debug, PartialEq)]
pub enum HiddenStatistics {
    /// Mean p(h = 1 | v) of each Bernoulli unit.
    Activity(Vec<f64>),
    /// Standard deviation of E\[h | v\] of each Gaussian unit.
    Spread(Vec<f64>),
}
