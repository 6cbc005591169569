//! What an epoch of a training is measured by.

use crate::error::Result;
use crate::likelihood::{LogZTracker, Means, pseudo_log_likelihood};
use crate::model::rbm::Rbm;
use crate::model::spins::to_batch;
use crate::model::states::states_of;
use crate::training::config::TrainConfig;
use crate::training::contrastive::Contrastive;
use crate::training::forms::on_tensors;
use crate::training::learner::{HiddenStatistics, Measured};
use crate::training::metrics::EpochMetrics;
use crate::training::unit_gaussians;
use candle_core::Device;
use deepbelief_kernels::{Batch, Stream, TypedRbm, Uniforms};
use deepbelief_training::{Monitors, Training, check};

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
        let (v, y) = self.as_learned(samples, labels);
        let mut measured = self.learner.measure(&v, y, weights, draw)?;
        if self.label_is_a_unit {
            let told = told(&self.learner.rbm()?, &v, self.classes)?;
            measured.label_error = Some(share_of_wrong(&told, labels, weights));
        }
        Ok(measured)
    }

    /// ln Z of the model and its standard error, in epochs that have an estimate. `activity` has the means of its
    /// hidden units over the training samples, where they are Bernoulli.
    fn log_z(&mut self, monitors: &Monitors, activity: Option<&Vec<f64>>, epoch: u32) -> Result<Option<(f64, f64)>> {
        let TrainConfig { log_z_every: every, seed, .. } = self.config;
        if every == 0 || !epoch.is_multiple_of(every) {
            return Ok(None);
        }
        let rbm = self.learner.rbm()?;
        let train = self.as_learned(&monitors.train, &monitors.train_labels).0;
        let path = match &mut self.path {
            Some(path) => path,
            none => {
                let hidden = match activity {
                    Some(activity) if rbm.layers().are_bernoulli() => {
                        activity.iter().map(|&mean| mean as f32).collect()
                    }
                    _ => hidden_means(&rbm, &train)?,
                };
                let means = Means { visible: train.means(), hidden };
                none.insert(LogZTracker::start(&rbm, &means, PATH_CHAINS, seed)?)
            }
        };
        path.extend(&rbm)?;
        // In the terms of the free energies that are recorded.
        let tensors = !self.device.is_cpu() || on_tensors(&self.layers, &self.config);
        let less = if tensors && unit_gaussians::has_them(&rbm)? { unit_gaussians::excess(&rbm)? } else { 0.0 };
        Ok(Some((path.log_z() - less, path.standard_error())))
    }

    /// The pseudo-likelihood of training and validation samples, in epochs that have one.
    fn pseudo_likelihoods(&self, monitors: &Monitors, epoch: u32) -> Result<[Option<f64>; 2]> {
        let TrainConfig { pseudo_every: every, seed, .. } = self.config;
        if every == 0 || !epoch.is_multiple_of(every) {
            return Ok([None; 2]);
        }
        let rbm = self.model()?;
        // The same units of the same samples after every epoch.
        let draw = Uniforms::new(seed, Stream::Monitor, 1);
        let mean = |samples: &Batch, labels: &[u32], weights: &[f32]| -> Result<Option<f64>> {
            let values = pseudo_log_likelihood(&rbm, samples, labels, Some(draw))?;
            let weight = |sample: usize| weights.get(sample).map_or(1.0, |&weight| f64::from(weight));
            let total: f64 = (0..values.len()).map(weight).sum();
            let sum: f64 = values.iter().enumerate().map(|(sample, value)| weight(sample) * value).sum();
            Ok((total > 0.0).then(|| sum / total))
        };
        let valid = monitors.valid.as_ref();
        let valid = valid.map(|valid| mean(valid, &monitors.valid_labels, &monitors.valid_weights)).transpose()?;
        Ok([mean(&monitors.train, &monitors.train_labels, &monitors.train_weights)?, valid.flatten()])
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
        let log_z = self.log_z(monitors, activity, epoch)?;
        let [pseudo_likelihood_train, pseudo_likelihood_valid] = self.pseudo_likelihoods(monitors, epoch)?;
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
            pseudo_likelihood_train,
            pseudo_likelihood_valid,
            chains_moved: self.learner.chains_moved()?,
            swap_rate: self.learner.swap_rate(),
            update_ratio: if self.remembered && weight_norm > 0.0 { change / weight_norm } else { 0.0 },
            weight_norm,
            samples_per_second: 0.0,
            seconds: 0.0,
        })
    }
}

/// The most probable label of samples whose last unit it is, the lower one of two that tie; their own label plays no part.
fn told(rbm: &Rbm, v: &Batch, classes: usize) -> Result<Vec<u32>> {
    let machine = TypedRbm::new(rbm.layers(), &rbm.to_parameters()?);
    let scores = machine.scores_of_levels(v, rbm.visible() - classes, classes);
    let most = |scores: &[f64]| {
        let more = |best: usize, level: usize| if scores[level] > scores[best] { level } else { best };
        (0..classes).fold(0, more) as u32
    };
    Ok(scores.chunks_exact(classes).map(most).collect())
}

/// The share of samples that get another label than theirs, by their weights where there are some.
fn share_of_wrong(told: &[u32], labels: &[u32], weights: &[f32]) -> f64 {
    let weight = |sample: usize| weights.get(sample).map_or(1.0, |&weight| f64::from(weight));
    // The sum of nothing would be -0, which shows.
    let wrong =
        (0..told.len()).filter(|&sample| told[sample] != labels[sample]).map(weight).fold(0.0, |sum, x| sum + x);
    wrong / (0..told.len()).map(weight).sum::<f64>().max(f64::MIN_POSITIVE)
}

/// The means of hidden units over samples, of spins how often they are 1.
fn hidden_means(rbm: &Rbm, samples: &Batch) -> Result<Vec<f32>> {
    let means = rbm.forward(&states_of(&rbm.layers().visible, samples, &Device::Cpu)?)?.mean_keepdim(0)?;
    let mut means: Vec<f32> = means.flatten_all()?.to_vec1()?;
    to_batch(&rbm.layers().hidden, &mut means);
    Ok(means)
}
