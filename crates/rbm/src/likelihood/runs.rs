//! Runs of chains: how many, from what random numbers, on which device, in how many threads.

use super::ladder::Ladder;
use crate::error::{Error, Result, require};
use crate::model::rbm::Rbm;
use crate::sampling::shared::Shared;
use candle_core::Device;
use deepbelief_kernels::{
    Batch, Betas, GibbsDraws, Parameters, PathBiases, Stream, Tempered, Tempering, TypedTempered, Uniforms, UnitKind,
    Whole, spins_as_bits,
};
use deepbelief_training::{pool, validate_threads};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How ln Z is estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnealConfig {
    /// Chains.
    pub chains: usize,
    /// Inverse temperatures; [`super::adaptive_ladder`] finds some that suit a model.
    pub ladder: Ladder,
    /// Gibbs steps from the data before a reverse run.
    pub burn_in: u32,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Threads; 0 takes one a core. The result does not depend on it.
    pub threads: usize,
    /// Who is to know of every Gibbs step of the chains.
    pub watch: Watch,
    /// The ranks that run the chains, on CPUs where they are several; the result does not depend on them.
    pub ranks: Shared,
}

/// Is called after every Gibbs step of all chains, for a progress bar; by default nobody is.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<dyn Fn() + Send + Sync>>);

impl Watch {
    /// Calls `step`.
    #[must_use]
    pub fn new(step: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(step)))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(..)" } else { "Watch" })
    }
}

/// Watching changes nothing: all are equal.
impl PartialEq for Watch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The paper's: 100 chains and 14,500 temperatures.
impl Default for AnnealConfig {
    fn default() -> Self {
        let (ladder, watch, ranks) = Default::default();
        Self { chains: 100, ladder, burn_in: 1000, seed: 1, threads: 0, watch, ranks }
    }
}

impl AnnealConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field out of range.
    pub fn validate(&self) -> Result<()> {
        require((2..=100_000).contains(&self.chains), "chains", self.chains, "between 2 and 100000")?;
        Ok(validate_threads(self.threads)?)
    }
}

/// What chains start from, in errors.
const STARTS: (&str, &str) = ("samples to start from", "labels to start from");

/// Visible states and labels as chains of an RBM take them; refuses those that they cannot start from.
pub(super) fn starts<'a>(rbm: &Rbm, v: &'a Batch, labels: &'a [u32]) -> Result<(Cow<'a, Batch>, &'a [u32])> {
    check_samples(rbm, v, labels, STARTS)?;
    Ok(as_trained(rbm, v, labels))
}

/// Samples in the form that [`Rbm::joined`] has RBMs in.
pub(super) fn as_trained<'a>(rbm: &Rbm, v: &'a Batch, labels: &'a [u32]) -> (Cow<'a, Batch>, &'a [u32]) {
    if rbm.labels().is_none() || rbm.layers().are_bernoulli() {
        return (Cow::Borrowed(v), labels);
    }
    (Cow::Owned(v.with_labels(labels, rbm.classes())), &[])
}

/// Refuses visible states and labels that are not those of an RBM; errors call them by these names.
pub(super) fn check_samples(
    rbm: &Rbm,
    v: &Batch,
    labels: &[u32],
    (of_states, of_labels): (&str, &'static str),
) -> Result<()> {
    let wrong = |what: &str, got, expected| Err(Error::Shape { what: what.into(), got, expected });
    if v.units() != rbm.visible() {
        return wrong(of_states, vec![v.rows(), v.units()], vec![v.rows(), rbm.visible()]);
    }
    let classes = rbm.classes();
    if classes > 0 && labels.len() != v.rows() {
        return wrong(of_labels, vec![labels.len()], vec![v.rows()]);
    }
    let known = classes == 0 || labels.iter().all(|&label| (label as usize) < classes);
    require(known, of_labels, "not all of the label group", "below its number of classes")
}

/// An RBM whose spins are Bernoulli units and whose label is one of its units, of which all that is annealed is computed,
/// and what its ln Z lacks: the same distribution of bits.
pub(super) fn in_bits(rbm: &Rbm) -> Result<(Cow<'_, Rbm>, f64)> {
    let spin = |kind| kind == UnitKind::Spin;
    let rbm = rbm.joined()?;
    if !rbm.layers().visible.any(spin) && !rbm.layers().hidden.any(spin) {
        return Ok((rbm, 0.0));
    }
    let (layers, parameters, constant) = spins_as_bits(rbm.layers(), &rbm.to_parameters()?);
    let bits = Rbm::from_parameters(&layers, parameters, &Device::Cpu)?;
    Ok((Cow::Owned(bits.to_device(rbm.w_rec().device())?), constant))
}

/// Runs an RBM without spins in a pool of as many threads as are asked for.
pub(super) fn run<T: Send>(
    rbm: &Rbm,
    config: &AnnealConfig,
    with: impl FnOnce(&mut dyn Tempering) -> Result<T> + Send,
) -> Result<T> {
    config.validate()?;
    let ranks = config.ranks.clone();
    require(!ranks.is_split() || rbm.w_rec().device().is_cpu(), "device", "a GPU", "the CPU on several ranks")?;
    let pool = pool(config.threads)?;
    let chains = chains_of(rbm, &ranks.whole())?;
    let mut chains = Watched { chains, watch: config.watch.clone(), ranks, all: 0 };
    pool.install(|| with(&mut chains))
}

/// Chains whose Gibbs steps are watched, and of which each rank runs a share.
struct Watched {
    chains: Box<dyn Tempering>,
    watch: Watch,
    ranks: Shared,
    /// How many chains there are in all.
    all: usize,
}

impl Watched {
    fn stepped(&self) {
        if let Some(step) = &self.watch.0 {
            step();
        }
    }

    /// This rank's chains.
    fn own(&self) -> Range<usize> {
        self.ranks.own(self.all)
    }

    fn own_betas<'a>(&self, betas: Betas<'a>) -> Betas<'a> {
        match betas {
            Betas::All(beta) => Betas::All(beta),
            Betas::Each(betas) => Betas::Each(&betas[self.own()]),
        }
    }

    fn own_draws(&self, draws: &GibbsDraws) -> GibbsDraws {
        draws.from_row(self.own().start as u32)
    }
}

/// An error of ranks, for those who know of devices alone.
fn wrapped<T>(result: Result<T>) -> candle_core::Result<T> {
    result.map_err(candle_core::Error::wrap)
}

impl Tempering for Watched {
    fn parameters(&self) -> candle_core::Result<Parameters> {
        self.chains.parameters()
    }

    fn set_biases(&mut self, biases: &PathBiases) -> candle_core::Result<()> {
        self.chains.set_biases(biases)
    }

    fn start(&mut self, chains: usize, draws: &GibbsDraws) -> candle_core::Result<()> {
        self.all = chains;
        self.chains.start(self.own().len(), &self.own_draws(draws))
    }

    fn start_from(&mut self, v: &Batch, labels: &[u32]) -> candle_core::Result<()> {
        self.all = v.rows();
        let own = self.own();
        if own.len() == self.all {
            return self.chains.start_from(v, labels);
        }
        self.chains.start_from(&v.slice(own.clone()), if labels.is_empty() { labels } else { &labels[own] })
    }

    fn anneal(&mut self, from: Betas<'_>, to: Betas<'_>, draws: Option<&GibbsDraws>) -> candle_core::Result<()> {
        let draws = draws.map(|draws| self.own_draws(draws));
        let (from, to) = (self.own_betas(from), self.own_betas(to));
        self.chains.anneal(from, to, draws.as_ref())?;
        self.stepped();
        Ok(())
    }

    fn gibbs(&mut self, betas: Betas<'_>, draws: &GibbsDraws) -> candle_core::Result<()> {
        self.chains.gibbs(self.own_betas(betas), &self.own_draws(draws))?;
        self.stepped();
        Ok(())
    }

    fn take_log_weights(&mut self) -> candle_core::Result<Vec<f64>> {
        wrapped(self.ranks.numbers(&self.chains.take_log_weights()?))
    }

    fn states(&self) -> candle_core::Result<Batch> {
        wrapped(self.ranks.states(&self.chains.states()?, self.all))
    }

    fn labels(&self) -> candle_core::Result<Vec<u32>> {
        wrapped(self.ranks.labels(&self.chains.labels()?))
    }

    fn hidden_states(&self) -> candle_core::Result<Batch> {
        wrapped(self.ranks.states(&self.chains.hidden_states()?, self.all))
    }
}

/// Chains of an RBM on the device where it is; their biases grow from 0 until others are set.
fn chains_of(rbm: &Rbm, whole: &Whole) -> Result<Box<dyn Tempering>> {
    let (visible, hidden, parameters) = (rbm.visible(), rbm.hidden(), rbm.to_parameters()?);
    let base = &vec![0.0; visible];
    if !rbm.layers().are_bernoulli() {
        let mut chains = TypedTempered::new(rbm.layers(), &parameters, base);
        chains.set_whole(whole);
        return Ok(Box::new(chains));
    }
    #[cfg(feature = "cuda")]
    if rbm.w_rec().device().is_cuda() {
        use deepbelief_kernels::cuda::{Gpu, GpuTempered};
        let gpu = Gpu::new(rbm.w_rec().device())?;
        return Ok(Box::new(GpuTempered::new(&gpu, visible, hidden, &parameters, base)?));
    }
    let mut chains = Tempered::new(visible, hidden, &parameters, base);
    chains.set_whole(whole);
    Ok(Box::new(chains))
}

/// Runs that share no random numbers.
pub(super) const FORWARD: u8 = 0;
pub(super) const REVERSE: u8 = 1;
pub(super) const BURN_IN: u8 = 2;
pub(super) const PILOT_RUN: u8 = 3;
pub(super) const MIXING: u8 = 4;
pub(super) const PATH: u8 = 5;
pub(super) const FIT: u8 = 6;
pub(super) const REVERSE_PILOT: u8 = 7;

pub(super) fn draws(seed: u64, run: u8, step: u32) -> GibbsDraws {
    let draw = |stream| Uniforms::new(seed, stream, step).layer(run);
    GibbsDraws {
        hidden: draw(Stream::AnnealHidden),
        visible: draw(Stream::AnnealVisible),
        label: draw(Stream::AnnealLabel),
    }
}
