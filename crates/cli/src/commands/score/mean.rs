//! The mean log-likelihood of samples, with the interval that ln Z gives it.

use crate::args::LogZ;
use crate::model::sites::are_sites;
use deepbelief_data::Split;
use serde::Serialize;

/// A mean over samples, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Mean {
    value: f64,
    /// The lower end of the interval, if one of ln Z is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    /// The value over the number of sites, of letters, categories or spins.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_site: Option<f64>,
}

impl Mean {
    /// Of the samples that have a log-likelihood, by number and value, each by its weight; none where no sample has one.
    pub(super) fn of(
        scores: impl IntoIterator<Item = (usize, f32)>,
        samples: &Split,
        log_z: Option<LogZ>,
    ) -> Option<Self> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, x) in scores {
            let weight = samples.weight(row).map_or(1.0, f64::from);
            sum += weight * f64::from(x);
            total += weight;
        }
        if total <= 0.0 {
            return None;
        }
        let (value, units) = (sum / total, samples.layer());
        let ends = log_z.and_then(|z| z.interval.map(|(low, high)| (value + z.value - high, value + z.value - low)));
        let (low, high) = ends.unzip();
        let per_site = are_sites(units).then(|| value / units.sites() as f64);
        Some(Self { value, low, high, per_site })
    }

    /// A line for people.
    pub(super) fn in_words(&self) -> String {
        let ends = self.low.zip(self.high);
        let ends = ends.map_or_else(String::new, |(low, high)| format!(" ({low:.2} to {high:.2})"));
        let each = self.per_site.map_or_else(String::new, |each| format!(", {each:.4} per site"));
        format!("mean log-likelihood {:.2} nats per sample{ends}{each}\n", self.value)
    }
}
