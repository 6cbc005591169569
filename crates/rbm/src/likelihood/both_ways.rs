//! One estimate of ln Z from annealing both ways, and whether it can be believed.

use super::annealing::Annealed;
use super::bennett::bennett;
use super::estimate::{FEWEST_EFFECTIVE, INTERVAL, LogPartition};
use super::phases::{APART, Separation, separations};
use crate::error::Result;
use crate::model::rbm::Rbm;

/// Standard errors by which two estimates may differ.
const CHANCE: f64 = 4.0;

/// Standard errors by which two estimates differ seldom, 5 % of the time, if both hold. From here on the interval of
/// both reaches as far as that of the forward one. Chains that keep to the modes they started in let the reverse estimate
/// differ by less than [`CHANCE`], and Bennett's ratio has a standard error that is too small for that.
const SELDOM: f64 = 2.0;

/// Nats that are forgiven beside where an estimate is called incomplete, since standard errors are estimates too.
const NOISE: f64 = 0.5;

/// Nats by which an annealed estimate exceeds ln Z with a probability of exp(-7), 0.1 %, at most, whatever its chains
/// do: its mean is Z (Markov's inequality).
const MARKOV: f64 = 7.0;

/// What the comparison of both directions says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Both directions saw one model.
    Sound,
    /// At one end the chains of the two directions are in different phases: no interval holds.
    Phases(Separation),
    /// The reverse estimate is below the forward one, where chance does not explain it: chains from the data miss
    /// modes of the model. The forward estimate alone stands.
    MissedModes,
    /// Chains that know nothing of the data find an ln Z that is larger by so many nats: the model has modes that
    /// neither direction reached. Both estimates are too small.
    UnseenModes(f64),
    /// Too few chains of either direction know of the other, or carry the weight of their own.
    FewChains,
    /// The two directions differ by more than their standard errors allow: these are too small.
    Apart,
}

/// Both directions in one.
#[derive(Clone, Debug, PartialEq)]
pub struct BothWays {
    /// ln Z by Bennett's acceptance ratio over the weights of both directions; with a standard error where the
    /// verdict is [`Verdict::Sound`], of which ±3 hold the interval of the forward estimate too where
    /// the directions differ as they seldom do by chance. The forward estimate where the verdict is
    /// [`Verdict::MissedModes`].
    pub log_z: LogPartition,
    /// Whether the standard errors hold.
    pub verdict: Verdict,
    /// Where along the path the two directions are apart the most, if there were enough chains to compare.
    pub furthest: Option<Separation>,
}

impl BothWays {
    /// From [`super::annealed_importance`] and [`super::reverse_annealed_importance`] of the same path and ladder.
    ///
    /// The works of both directions are samples of one equation (Crooks 1999), which Bennett's ratio solves with
    /// the least variance (Shirts, Bair, Hooker & Pande 2003).
    ///
    /// # Errors
    /// If free energies cannot be computed.
    pub fn of(rbm: &Rbm, forward: &Annealed, reverse: &Annealed) -> Result<Self> {
        let ratio = bennett(&forward.log_weights, &reverse.log_weights);
        let separations = separations(rbm, &forward.marks, &reverse.marks)?;
        let by_size = |a: &&Separation, b: &&Separation| a.deviations.total_cmp(&b.deviations);
        let ends = separations.first().into_iter().chain(separations.last());
        let apart = ends.max_by(by_size).filter(|end| end.deviations > APART);
        let (up, down) = (&forward.estimate, &reverse.estimate);
        let chance = up.variance(forward.log_weights.len()) + down.variance(reverse.log_weights.len());
        let verdict = if up.value - down.value > CHANCE * chance.sqrt() + NOISE {
            Verdict::MissedModes
        } else if let Some(end) = apart {
            Verdict::Phases(*end)
        } else if ratio.effective.min(up.effective_sample_size).min(down.effective_sample_size) < FEWEST_EFFECTIVE {
            Verdict::FewChains
        } else if (up.value - down.value).abs() > CHANCE * chance.sqrt() {
            Verdict::Apart
        } else {
            Verdict::Sound
        };
        let value = forward.base + ratio.value;
        let mut error = ratio.variance.sqrt();
        if (up.value - down.value).abs() > SELDOM * chance.sqrt() {
            let of_forward = up.variance(forward.log_weights.len()).sqrt();
            error = error.max((up.value - value).abs() / INTERVAL + of_forward);
        }
        let log_z = match verdict {
            Verdict::MissedModes => up.clone(),
            _ => LogPartition {
                value,
                standard_error: (verdict == Verdict::Sound).then_some(error),
                effective_sample_size: ratio.effective,
            },
        };
        Ok(Self { log_z, verdict, furthest: separations.iter().max_by(by_size).copied() })
    }

    /// Holds the estimate against that of chains that started elsewhere, as those of
    /// [`AnnealPath::visible`](super::AnnealPath::visible) with biases of 0, which know nothing of the data: if theirs is larger
    /// beyond chance, the verdict is [`Verdict::UnseenModes`].
    #[must_use]
    pub fn probed_by(self, probe: &Annealed) -> Self {
        let excess = probe.estimate.value - self.log_z.value;
        let sure = match (probe.estimate.standard_error, self.log_z.standard_error) {
            (Some(theirs), Some(ours)) => (CHANCE * theirs.hypot(ours) + NOISE).min(MARKOV),
            _ => MARKOV,
        };
        if excess.is_nan() || excess <= sure {
            return self;
        }
        let log_z = LogPartition { standard_error: None, ..self.log_z };
        Self { log_z, verdict: Verdict::UnseenModes(excess), ..self }
    }
}
