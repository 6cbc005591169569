//! What an epoch of a training is measured by.

use crate::error::Result;
use crate::likelihood::{LogZTracker, Means};
use crate::training::config::TrainConfig;
use crate::training::contrastive::Contrastive;
use crate::training::learner::{HiddenStatistics, Measured};
use crate::training::metrics::EpochMetrics;
use deepbelief_kernels::{Batch, Stream, Uniforms};
use deepbelief_training::{Monitors, check};

/// Chains that carry the estimate of ln Z along a training.
const PATH_CHAINS: usize = 200;

impl Contrastive {
    /// Measures the RBM as it is on samples and, where it has a label group, their labels, in the
    /// way that every epoch is measured: see [`deepbelief_training::Loop::with_training`].
    ///
    /// # Errors
    /// [`deepbelief_training::Error::Shape`] and its like if samples or labels do not fit the RBM.
    pub fn measure(&mut self, samples: &Batch, labels: &[u32]) -> Result<Measured> {
        self.measure_weighted(samples, labels, &[])
    }

    /// The same, with samples that weigh `weights`; alike where there are none.
    fn measure_weighted(&mut self, samples: &Batch, labels: &[u32], weights: &[f32]) -> Result<Measured> {
        check(self, "samples", samples, labels)?;
        // The same numbers after every epoch: a change of cost is a change of the model.
        let draw = Uniforms::new(self.config.seed, Stream::Monitor, 0);
        self.learner.measure(samples, labels, weights, draw)
    }

    /// ln Z of the model and its standard error, in epochs that have an estimate. `activity` has the means of its
    /// hidden units over the training samples.
    fn log_z(&mut self, monitors: &Monitors, activity: &[f64], epoch: u32) -> Result<Option<(f64, f64)>> {
        let TrainConfig { log_z_every: every, seed, .. } = self.config;
        if every == 0 || !epoch.is_multiple_of(every) {
            return Ok(None);
        }
        let rbm = self.learner.rbm()?;
        let path = match &mut self.path {
            Some(path) => path,
            none => {
                let hidden = activity.iter().map(|&mean| mean as f32).collect();
                let means = Means { visible: monitors.train.means(), hidden };
                none.insert(LogZTracker::start(&rbm, &means, PATH_CHAINS, seed)?)
            }
        };
        path.extend(&rbm)?;
        Ok(Some((path.log_z(), path.standard_error())))
    }

    pub(crate) fn measure_epoch(&mut self, monitors: &Monitors, epoch: u32) -> Result<EpochMetrics> {
        let train = self.measure_weighted(&monitors.train, &monitors.train_labels, &monitors.train_weights)?;
        let valid = monitors.valid.as_ref();
        let valid = valid.map(|valid| self.measure_weighted(valid, &monitors.valid_labels, &monitors.valid_weights));
        let valid = valid.transpose()?;
        let (activity, spread) = match &train.hidden {
            HiddenStatistics::Activity(activity) => (Some(activity), None),
            HiddenStatistics::Spread(spread) => (None, Some(spread)),
        };
        let log_z = self.log_z(monitors, activity.map(Vec::as_slice).unwrap_or_default(), epoch)?;
        let log_likelihood = |measured: &Measured| log_z.map(|(log_z, _)| -measured.free_energy - log_z);
        let (weight_norm, change) = self.learner.norm_and_change()?;
        let mean = |terms: f64, units: usize| terms / units.max(1) as f64;
        let count = |fits: fn(f64) -> bool| activity.map(|units| units.iter().filter(|&&p| fits(p)).count());
        let of_valid = |value: fn(&Measured) -> f64| valid.as_ref().map(value);
        Ok(EpochMetrics {
            layer: 0,
            epoch,
            learning_rate: self.rule.learning_rate,
            momentum: self.rule.momentum,
            reconstruction_cost: train.reconstruction_cost,
            reconstruction_cost_valid: of_valid(|valid| valid.reconstruction_cost),
            free_energy_train: train.free_energy,
            free_energy_valid: of_valid(|valid| valid.free_energy),
            free_energy_gap: of_valid(|valid| valid.free_energy).map(|valid| valid - train.free_energy),
            hidden_activity: activity.map(|units| mean(units.iter().sum(), units.len())),
            dead_units: count(|p| p < 0.001),
            saturated_units: count(|p| p > 0.999),
            hidden_spread: spread.map(|units| mean(units.iter().map(|s| s * s).sum(), units.len()).sqrt()),
            label_error_train: train.label_error,
            label_error_valid: valid.as_ref().and_then(|valid| valid.label_error),
            log_z: log_z.map(|(log_z, _)| log_z),
            log_z_error: log_z.map(|(_, error)| error),
            log_likelihood_train: log_likelihood(&train),
            log_likelihood_valid: valid.as_ref().and_then(log_likelihood),
            chains_moved: self.learner.chains_moved()?,
            swap_rate: self.learner.swap_rate(),
            update_ratio: if self.remembered && weight_norm > 0.0 { change / weight_norm } else { 0.0 },
            weight_norm,
            samples_per_second: 0.0,
            seconds: 0.0,
        })
    }
}
