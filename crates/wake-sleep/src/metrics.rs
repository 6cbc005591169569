//! What an epoch of a tuning is measured by.

use deepbelief_training::{Metrics, Score};
use serde::Serialize;

/// What a directed layer looked like after an epoch, in nats per sample: means over fixed samples,
/// sums over the units that are predicted.
///
/// With q the recognition and p the generative probabilities, x units below and h units above:
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LayerMetrics {
    /// Layer of the model, from 0.
    pub layer: u32,
    /// Cross-entropy of the lower units under the generative weights, `- log p(x|h)` with x and h
    /// from a sampled up-pass of training data: what the wake phase lowers.
    pub generative_cost: f64,
    /// The same on validation data.
    pub generative_cost_valid: Option<f64>,
    /// Cross-entropy of the upper units under the recognition weights, `- log q(h|x)` with h and x
    /// from fantasies, made as in the sleep phase: what the sleep phase lowers.
    pub recognition_cost: f64,
    /// Entropy of the upper units under the recognition weights, `- log q(h|x)` on a sampled up-pass
    /// of training data.
    pub recognition_entropy: f64,
    /// How far the two sets of weights have drifted apart: `KL(q(h|x) || t(h|x))` on a sampled
    /// up-pass of training data, where `t(h = 1 | x) = sigmoid(hb + x w_genᵀ)` are the posteriors
    /// that the generative weights would give if they were still tied. Exactly 0 for a tied model.
    ///
    /// Both have the recognition bias, since the generative direction has none for h given x; so
    /// nothing but the weights makes them differ. And it is measured on data and not on fantasies
    /// because those change with the model, and because data is what recognition is used on.
    pub divergence: f64,
    /// Norm of the epoch's last update of the generative weights over their norm.
    pub generative_update_ratio: f64,
    /// The same of the recognition weights.
    pub recognition_update_ratio: f64,
}

/// What an epoch looked like. Costs and energies are means in nats per sample, measured after the
/// epoch on fixed samples with fixed random numbers. Epoch 0 is the model before tuning.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TuneMetrics {
    /// Epoch, from 1; 0 before the first.
    pub epoch: u32,
    /// Gibbs steps of the top in the epoch.
    pub top_steps: u32,
    /// Step size of the generative weights in the epoch, where a layer has none of its own.
    pub wake_rate: f64,
    /// Step size of the recognition weights.
    pub sleep_rate: f64,
    /// Step size of the top.
    pub top_rate: f64,
    /// What it takes to tell training data through the layers: the sum of their generative costs,
    /// less the entropies with which recognition chose among their states, and of the top's
    /// reconstruction cost. Under a factorial top it is minus the variational bound on log p(v). An
    /// RBM's log Z is not known here; its reconstruction cost stands in for it.
    pub variational_cost: f64,
    /// The same on validation data: the criterion for models without labels.
    pub variational_cost_valid: Option<f64>,
    /// The directed layers, from the bottom.
    pub layers: Vec<LayerMetrics>,
    /// Cross-entropy between the penultimate probabilities of training data and their one-step
    /// reconstructions by the top; under a factorial top, of penultimate states under the prior.
    pub reconstruction_cost: f64,
    /// The same on validation data.
    pub reconstruction_cost_valid: Option<f64>,
    /// Free energy of the top over training data, passed up as probabilities.
    pub free_energy_train: f64,
    /// The same over validation data.
    pub free_energy_valid: Option<f64>,
    /// Validation minus training free energy: grows as the top overfits (Hinton 2010, section 6).
    pub free_energy_gap: Option<f64>,
    /// Mean probability of the top hidden units on training data.
    pub hidden_activity: f64,
    /// Share of training samples whose label has not the lowest free energy; absent without a label
    /// group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_train: Option<f64>,
    /// The same on validation samples: the criterion for models with labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_error_valid: Option<f64>,
    /// Norm of the epoch's last update of the top's weights over their norm.
    pub top_update_ratio: f64,
    /// Epoch of the best model so far; absent without validation data.
    pub best_epoch: Option<u32>,
    /// Tuning speed, measurements included.
    pub samples_per_second: f64,
    /// Wall time of the epoch.
    pub seconds: f64,
}

impl Metrics for TuneMetrics {
    fn score(&self) -> Option<Score> {
        self.variational_cost_valid.map(|cost| Score { error: self.label_error_valid, cost })
    }

    fn complete(&mut self, seconds: f64, samples_per_second: f64, best_epoch: Option<u32>) {
        (self.seconds, self.samples_per_second, self.best_epoch) = (seconds, samples_per_second, best_epoch);
    }
}
