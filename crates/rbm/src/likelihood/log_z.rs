//! ln Z and likelihoods in one call, by the methods that `dbn eval` has.

use super::annealing::{PILOT, adaptive_ladder, annealed_importance, reverse_annealed_importance};
use super::biases::{AnnealPath, Means, base_rates};
use super::both_ways::{BothWays, Verdict};
use super::estimate::{Interval, LogPartition};
use super::exact::{exact_log_partition, is_summable};
use super::ladder::Ladder;
use super::mixing::{Mixing, mixing};
use super::normal::require_normalizable;
use super::runs::AnnealConfig;
use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use crate::model::states::states_of;
use candle_core::DType;
use deepbelief_kernels::Batch;
use deepbelief_training::Error as TrainingError;

/// The chains that know nothing of the data take a fifth of the temperatures, and not fewer than these.
const PROBE_SHARE: usize = 5;
const FEWEST_PROBED: usize = 500;

/// The biases along the path of [`log_partition`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathKind {
    /// [`AnnealPath::independent`].
    #[default]
    Independent,
    /// [`AnnealPath::matched`].
    Matched,
    /// [`AnnealPath::visible`], from the means of the data.
    Visible,
}

/// How [`log_partition`] finds ln Z; by default as `dbn eval` does.
#[derive(Clone, Debug, PartialEq)]
pub struct LogZConfig {
    /// Chains, burn-in, seed and threads. Its ladder plays no part.
    pub annealing: AnnealConfig,
    /// Inverse temperatures.
    pub temperatures: usize,
    /// Whether these lie where a pilot run finds that the distribution changes fast, or as [`Ladder::with_steps`] has them.
    pub adaptive: bool,
    /// The biases along the path.
    pub path: PathKind,
    /// Whether to estimate even what can be summed.
    pub estimate: bool,
}

impl Default for LogZConfig {
    fn default() -> Self {
        let (annealing, path) = Default::default();
        Self { annealing, temperatures: 14_500, adaptive: true, path, estimate: false }
    }
}

impl LogZConfig {
    fn probed(&self) -> usize {
        (self.temperatures / PROBE_SHARE).max(FEWEST_PROBED).min(self.temperatures)
    }

    /// How often an estimate calls [`AnnealConfig::watch`], but for what [`PathKind::Matched`] takes to fit its knots.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let pilots = if self.adaptive { 2 * PILOT } else { 0 };
        (pilots + 2 * self.temperatures + self.probed()) as u64 + 2 * u64::from(self.annealing.burn_in)
    }
}

/// ln Z of an RBM.
#[derive(Clone, Debug, PartialEq)]
pub enum LogZ {
    /// Summed over all states.
    Exact(f64),
    /// Estimated from both sides.
    Estimated(Box<BothSides>),
}

/// What chains from both sides say of ln Z.
#[derive(Clone, Debug, PartialEq)]
pub struct BothSides {
    /// The estimate of both together, and whether its interval holds.
    pub both: BothWays,
    /// From independent units; without a standard error where the verdict forbids one.
    pub forward: LogPartition,
    /// From samples; likewise.
    pub reverse: LogPartition,
    /// How chains forget the samples they start from; none without a burn-in.
    pub mixing: Option<Mixing>,
}

impl LogZ {
    /// Its value and interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        match self {
            Self::Exact(value) => Interval { value: *value, ends: Some((*value, *value)) },
            Self::Estimated(sides) => sides.both.log_z.interval(),
        }
    }
}

/// Mean of `ln p(v)` over `samples`, in nats: what `dbn eval` prints of an RBM. The interval is that of ln Z, and says
/// nothing of how other samples would differ. `training` holds samples that the RBM learned from, up to some 10,000.
///
/// # Errors
/// As [`log_partition`]; [`crate::Error::Config`] without samples.
pub fn log_likelihood(rbm: &Rbm, samples: &Batch, training: &Batch, config: &LogZConfig) -> Result<Interval> {
    require(samples.rows() > 0, "samples", samples.rows(), "at least 1")?;
    require_states(rbm, "samples", samples)?;
    let free_energies = rbm.free_energy(&states_of(&rbm.layers().visible, samples, rbm.vb().device())?)?;
    let free_energies = free_energies.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let mean = free_energies.iter().sum::<f64>() / free_energies.len() as f64;
    let Interval { value, ends } = log_partition(rbm, training, &[], config)?.interval();
    Ok(Interval { value: -mean - value, ends: ends.map(|(low, high)| (-mean - high, -mean - low)) })
}

/// Refuses a minibatch that is not one of the visible units.
fn require_states(rbm: &Rbm, what: &'static str, batch: &Batch) -> Result<()> {
    let visible = &rbm.layers().visible;
    if batch.rows() > 0 && batch.units() != rbm.visible() {
        let (got, expected) = (vec![batch.rows(), batch.units()], vec![batch.rows(), rbm.visible()]);
        return Err(crate::Error::Shape { what: what.into(), got, expected });
    }
    match visible.misfit(batch) {
        None => Ok(()),
        Some((row, column, value)) => {
            Err(TrainingError::Value { what, row, column, value, units: visible.kinds() }.into())
        }
    }
}

/// ln Z: summed where one side has few enough units ([`is_summable`]), else estimated by annealing from both sides, and
/// compared with chains that know nothing of the data. `training` are samples that the RBM learned from, of which means are taken
/// and from which chains start; `labels` theirs, where there is a label group: one that is missing or no class is unknown.
///
/// # Errors
/// [`crate::Error::Config`] for a setting out of range, [`crate::Error::Shape`] if the samples do not fit the RBM, and what
/// [`require_normalizable`] refuses.
pub fn log_partition(rbm: &Rbm, training: &Batch, labels: &[u32], config: &LogZConfig) -> Result<LogZ> {
    require_normalizable(rbm)?;
    require_states(rbm, "training samples", training)?;
    if !config.estimate && is_summable(rbm) {
        return Ok(LogZ::Exact(exact_log_partition(rbm)?));
    }
    require(training.rows() > 0, "training samples", training.rows(), "at least 1")?;
    let steps = config.temperatures;
    let mut annealing = AnnealConfig { ladder: Ladder::with_steps(steps)?, ..config.annealing.clone() };
    annealing.validate()?;
    let classes = rbm.classes();
    let means = Means::of(rbm, training, &labels_of(0..training.rows(), labels, classes), &annealing)?;
    let path = match config.path {
        PathKind::Visible => AnnealPath::visible(rbm, &base_rates(rbm, &means.visible)?)?,
        PathKind::Independent => AnnealPath::independent(rbm, &means)?,
        PathKind::Matched => AnnealPath::matched(rbm, &means, &annealing)?,
    };
    // Evenly spread over the samples, each as often as need be.
    let (there, chains) = (training.rows(), annealing.chains);
    let chosen: Vec<usize> = (0..chains).map(|chain| chain * there / chains % there).collect();
    let (states, labels) = (training.chosen(&chosen), labels_of(chosen.into_iter(), labels, classes));
    if config.adaptive {
        annealing.ladder = adaptive_ladder(rbm, &path, Some((&states, &labels)), &annealing, steps)?;
    }
    let forward = annealed_importance(rbm, &path, &annealing)?;
    let reverse = reverse_annealed_importance(rbm, &path, &states, &labels, &annealing)?;
    let ladder = Ladder::with_steps(config.probed())?;
    let probe = AnnealConfig { ladder, seed: !annealing.seed, ..annealing.clone() };
    let probe = annealed_importance(rbm, &AnnealPath::fair(rbm)?, &probe)?;
    let both = BothWays::of(rbm, &forward, &reverse)?.probed_by(&probe);
    let mixing = match annealing.burn_in {
        0 => None,
        _ => Some(mixing(rbm, &states, &labels, &annealing)?),
    };
    let (mut forward, mut reverse) = (forward.estimate, reverse.estimate);
    match both.verdict {
        Verdict::Phases(_) | Verdict::UnseenModes(_) | Verdict::Apart => {
            forward.standard_error = None;
            reverse.standard_error = None;
        }
        Verdict::MissedModes => reverse.standard_error = None,
        Verdict::Sound | Verdict::FewChains => {}
    }
    Ok(LogZ::Estimated(Box::new(BothSides { both, forward, reverse, mixing })))
}

/// Labels of the samples that chains start from, of `classes`. Where nothing is known of one, the burn-in finds it.
fn labels_of(chosen: impl Iterator<Item = usize>, labels: &[u32], classes: usize) -> Vec<u32> {
    let known = |k: usize| labels.get(k).copied().filter(|&label| (label as usize) < classes);
    chosen.enumerate().map(|(chain, k)| known(k).unwrap_or((chain % classes.max(1)) as u32)).collect()
}
