//! The verbs of chains at inverse temperatures of their own.

use crate::learning::parameters::Parameters;
use crate::measures::path::{GibbsDraws, PathBiases};
use crate::states::batch::Batch;
use candle_core::Result;
use std::borrow::Cow;

/// Inverse temperatures of chains.
#[derive(Clone, Copy, Debug)]
pub enum Betas<'a> {
    /// One for all of them.
    All(f32),
    /// One a chain.
    Each(&'a [f32]),
}

impl<'a> Betas<'a> {
    /// One a chain.
    pub(crate) fn each(self, chains: usize) -> Cow<'a, [f32]> {
        match self {
            Betas::All(beta) => Cow::Owned(vec![beta; chains]),
            Betas::Each(betas) => Cow::Borrowed(betas),
        }
    }
}

/// Chains of an RBM on the path from a model without weights: see [`crate::Tempered`] for the formulas.
///
/// Every method fails if the device does or is out of memory; on the CPU none fails. A method panics if
/// numbers of units, labels or inverse temperatures do not fit.
pub trait Tempering: Send + Sync {
    /// The parameters at β = 1 of the path that the chains were made with.
    ///
    /// # Errors
    /// If the device failed.
    fn parameters(&self) -> Result<Parameters>;

    /// Changes the biases along the path; the chains stay where they are.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_biases(&mut self, biases: &PathBiases) -> Result<()>;

    /// Starts so many chains from the exact distribution at β = 0, their log weights at 0.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> Result<()>;

    /// Starts from visible states and, where there is a label group, labels, with log weights of 0.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn start_from(&mut self, v: &Batch, labels: &[u32]) -> Result<()>;

    /// Adds `ln p*(v, y; to) - ln p*(v, y; from)` of every chain to its log weight, then, with `draws`,
    /// makes a Gibbs step at `to`.
    ///
    /// # Errors
    /// If the device failed.
    fn anneal(&mut self, from: Betas<'_>, to: Betas<'_>, draws: Option<&GibbsDraws>) -> Result<()>;

    /// A Gibbs step of every chain at its inverse temperature.
    ///
    /// # Errors
    /// If the device failed.
    fn gibbs(&mut self, betas: Betas<'_>, draws: &GibbsDraws) -> Result<()>;

    /// The log weights collected since the start or the last call.
    ///
    /// # Errors
    /// If the device failed.
    fn take_log_weights(&mut self) -> Result<Vec<f64>>;

    /// The visible states.
    ///
    /// # Errors
    /// If the device failed.
    fn states(&self) -> Result<Batch>;

    /// The label of each chain; empty without a label group.
    ///
    /// # Errors
    /// If the device failed.
    fn labels(&self) -> Result<Vec<u32>>;

    /// The hidden states of the last Gibbs step.
    ///
    /// # Errors
    /// If the device failed.
    fn hidden_states(&self) -> Result<Batch>;
}
