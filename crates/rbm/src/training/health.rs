//! What looks wrong in an epoch without being an error, and what to do about it (Hinton 2010, sections 6,
//! 7 and 11).

use crate::training::metrics::EpochMetrics;
use std::fmt;

/// Share of the hidden units that may be constant.
const CONSTANT: f64 = 0.25;

/// Spread of hidden units that are not Bernoulli below which they say nothing.
const SPREAD: f64 = 1e-3;

/// Ratios of update to weights that are a thousandth and fifty times of a healthy 0.001.
const SLOW: f64 = 1e-6;
const FAST: f64 = 0.05;

/// Updates in which weights may grow by leaps.
const GROWING: u32 = 1000;

/// Share of the chains' hidden units that an update should change.
const STUCK: f64 = 1e-3;

/// Rate of swaps below which tempered chains do not exchange states to speak of.
const RARE: f64 = 0.05;

/// Something to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrainingWarning {
    /// So many hidden units are always off.
    Dead(usize),
    /// So many hidden units are always on.
    Saturated(usize),
    /// No hidden unit says anything of the data: their spread over samples.
    Silent(f64),
    /// The last update's norm over that of the weights is too small to learn by.
    Slow(f64),
    /// It is too large to settle.
    Fast(f64),
    /// Persistent chains hardly move: the share of their hidden units that the last update changed.
    Stuck(f64),
    /// Tempered chains hardly swap: the rate of the neighbours that do so least.
    Rare(f64),
}

impl fmt::Display for TrainingWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead(units) => write!(
                f,
                "{units} hidden units are off for all training samples; try a smaller learning rate or sparsity cost, \
                 or fewer units"
            ),
            Self::Saturated(units) => write!(
                f,
                "{units} hidden units are on for all training samples; try a smaller learning rate, a smaller \
                 weight_std or centred learning"
            ),
            Self::Silent(spread) => write!(
                f,
                "the hidden units say nothing of the data (a spread of {spread:.1e}); try a smaller learning rate, or another \
                 start: weight_std"
            ),
            Self::Slow(ratio) => {
                write!(f, "the last batch changed the weights by {ratio:.1e} of their norm; try a larger learning rate")
            }
            Self::Fast(ratio) => write!(
                f,
                "the last batch changed the weights by {ratio:.2} of their norm, where 0.001 is healthy; try a smaller \
                 learning rate"
            ),
            Self::Stuck(share) => write!(
                f,
                "the last batch changed {:.2} % of the persistent chains' hidden units: the chains are stuck; try more \
                 Gibbs steps, a smaller learning rate or the sampler tempered",
                share * 100.0
            ),
            Self::Rare(rate) => write!(
                f,
                "chains swap at a rate of {rate:.3} between some neighbours of their ladder; take more temperatures, or \
                 where they are models of the training a smaller learning rate"
            ),
        }
    }
}

/// What is wrong in an epoch of an RBM with so many hidden units, after so many updates in all.
pub(crate) fn warnings(metrics: &EpochMetrics, hidden: usize, updates: u32) -> Vec<TrainingWarning> {
    let many = |units: Option<usize>| units.filter(|&units| units as f64 > CONSTANT * hidden as f64);
    let ratio = metrics.update_ratio;
    [
        metrics.hidden_spread.filter(|&spread| spread < SPREAD && updates > GROWING).map(TrainingWarning::Silent),
        many(metrics.dead_units).map(TrainingWarning::Dead),
        many(metrics.saturated_units).map(TrainingWarning::Saturated),
        // Without an update, as on empty data, there is none to judge.
        (ratio > 0.0 && ratio < SLOW).then_some(TrainingWarning::Slow(ratio)),
        // Weights that start near zero have to grow first.
        (ratio > FAST && updates > GROWING).then_some(TrainingWarning::Fast(ratio)),
        metrics.chains_moved.filter(|&share| share < STUCK).map(TrainingWarning::Stuck),
        // Rates start at one half, and fall as temperatures are tried.
        metrics.swap_rate.filter(|&rate| rate < RARE).map(TrainingWarning::Rare),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_concern_is_seen_and_says_what_to_do() {
        let healthy = EpochMetrics {
            epoch: 6,
            dead_units: Some(25),
            saturated_units: Some(0),
            update_ratio: 1e-3,
            chains_moved: Some(0.1),
            swap_rate: Some(0.5),
            ..Default::default()
        };
        assert_eq!(warnings(&healthy, 100, 1001), []);
        let of = |metrics: EpochMetrics| warnings(&metrics, 100, 1001);
        for (metrics, warning) in [
            (EpochMetrics { dead_units: Some(26), ..healthy.clone() }, TrainingWarning::Dead(26)),
            (EpochMetrics { hidden_spread: Some(1e-5), ..healthy.clone() }, TrainingWarning::Silent(1e-5)),
            (EpochMetrics { saturated_units: Some(90), ..healthy.clone() }, TrainingWarning::Saturated(90)),
            (EpochMetrics { update_ratio: 1e-7, ..healthy.clone() }, TrainingWarning::Slow(1e-7)),
            (EpochMetrics { update_ratio: 0.2, ..healthy.clone() }, TrainingWarning::Fast(0.2)),
            (EpochMetrics { chains_moved: Some(0.0), ..healthy.clone() }, TrainingWarning::Stuck(0.0)),
            (EpochMetrics { swap_rate: Some(0.01), ..healthy.clone() }, TrainingWarning::Rare(0.01)),
        ] {
            assert_eq!(of(metrics), [warning]);
            let text = warning.to_string();
            assert!(text.contains("try ") || text.contains("take more"), "{text}");
        }
    }
}
