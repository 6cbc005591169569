//! What an epoch of an RBM's training is measured by.

use deepbelief_training::{Metrics, Score, Watched};
use serde::Serialize;

/// What an epoch looked like. Costs and energies are means in nats per sample, measured after
/// the epoch on the fixed samples of [`crate::Monitors`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpochMetrics {
    /// Layer of the stack, from 0.
    pub layer: u32,
    /// Epoch, from 1.
    pub epoch: u32,
    /// Step size in the epoch.
    pub learning_rate: f64,
    /// Momentum in the epoch.
    pub momentum: f64,
    /// Cross-entropy between training samples v and p(v|h) for one h drawn from p(h|v), as a
    /// Gibbs step of the training has it. [`crate::Rbm::reconstruction_cost`] is another
    /// quantity: it takes p(h|v) instead of the draw, which leaves the noise of the
    /// draw out and is usually lower.
    pub reconstruction_cost: f64,
    /// The same on validation samples.
    pub reconstruction_cost_valid: Option<f64>,
    /// Free energy of training samples. Gaussian hidden units of unit variance over Bernoulli ones that train without
    /// centring, averaging and samplers other than Gibbs are the one case in which it is not that of
    /// [`crate::Rbm::free_energy`] but the sum of `b²/2` over them larger.
    pub free_energy_train: f64,
    /// Free energy of validation samples.
    pub free_energy_valid: Option<f64>,
    /// Validation minus training free energy: grows as the model overfits (Hinton 2010,
    /// section 6).
    pub free_energy_gap: Option<f64>,
    /// Mean hidden probability on training samples; absent where hidden units are Gaussian, as are
    /// the two counts below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_activity: Option<f64>,
    /// Hidden units whose mean probability is below 0.001.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_units: Option<usize>,
    /// Hidden units whose mean probability is above 0.999.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saturated_units: Option<usize>,
    /// Standard deviation of E\[h | v\] over training samples, root mean square of the hidden
    /// units: what Gaussian units say, where their noise has 1. Absent where units are Bernoulli.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_spread: Option<f64>,
    /// Share of training samples whose label the label group does not find most probable;
    /// absent without a label group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_train: Option<f64>,
    /// The same on validation samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_valid: Option<f64>,
    /// ln Z by Bennett's acceptance ratio along the training ([`crate::likelihood::LogZTracker`]), in the epochs
    /// that [`crate::TrainConfig::log_z_every`] chooses, and its standard error. Where free energies are larger than
    /// those of [`crate::Rbm::free_energy`], it is as much smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_z: Option<f64>,
    /// Standard error of `log_z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_z_error: Option<f64>,
    /// ln p(v) of training samples, with their labels where there is a label group, nats per sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_likelihood_train: Option<f64>,
    /// The same of validation samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_likelihood_valid: Option<f64>,
    /// Pseudo-likelihood of training samples ([`crate::likelihood::pseudo_log_likelihood`]), one unit of each drawn, nats
    /// per sample, in the epochs that [`crate::TrainConfig::pseudo_every`] chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudo_likelihood_train: Option<f64>,
    /// The same of validation samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudo_likelihood_valid: Option<f64>,
    /// Share of the hidden units of persistent chains that the last update's Gibbs steps changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains_moved: Option<f64>,
    /// How often chains swap between the neighbouring temperatures, or models, where they do so least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_rate: Option<f64>,
    /// Norm of the epoch's last weight update over the norm of the weights; about 0.001 is
    /// healthy (Hinton 2010, section 7).
    pub update_ratio: f64,
    /// Euclidean norm of the weights.
    pub weight_norm: f64,
    /// Training speed, measurements and observers included.
    pub samples_per_second: f64,
    /// Wall time of the epoch.
    pub seconds: f64,
}

impl Metrics for EpochMetrics {
    fn score(&self) -> Option<Score> {
        self.log_likelihood_valid.map(|log_likelihood| Score::of_cost(-log_likelihood))
    }

    /// The reconstruction cost, and the gap in free energy (Hinton 2010, section 6).
    fn watched(&self) -> Option<Watched> {
        let (cost, gap) = self.reconstruction_cost_valid.zip(self.free_energy_gap)?;
        Some(Watched { score: Score::of_cost(cost), gap: Some(gap) })
    }

    fn settling_cost(&self) -> Option<f64> {
        Some(self.reconstruction_cost)
    }

    fn complete(&mut self, seconds: f64, samples_per_second: f64, _: Option<u32>) {
        (self.seconds, self.samples_per_second) = (seconds, samples_per_second);
    }
}
