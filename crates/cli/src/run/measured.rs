//! What an epoch of each training measured, as far as it follows from seed and data: as the metrics say it, and by
//! name, as a checkpoint records it.

use deepbelief_finetune::FinetuneMetrics;
use deepbelief_rbm::EpochMetrics;
use deepbelief_wake_sleep::TuneMetrics;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The part of an epoch's metrics that follows from seed and data alone, in nats per sample
/// but for activity, spread and label errors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Epoch {
    /// Layer of a stack, from 0.
    pub(crate) layer: u32,
    /// From 1.
    #[serde(rename = "epoch")]
    pub(crate) number: u32,
    pub(crate) reconstruction_cost: f64,
    pub(crate) reconstruction_cost_valid: Option<f64>,
    pub(crate) free_energy_train: f64,
    pub(crate) free_energy_valid: Option<f64>,
    pub(crate) free_energy_gap: Option<f64>,
    /// Mean hidden probability; absent where hidden units are Gaussian.
    pub(crate) hidden_activity: Option<f64>,
    /// Standard deviation of what Gaussian hidden units say; absent where they are Bernoulli.
    pub(crate) hidden_spread: Option<f64>,
    /// Share of training samples whose label is not found; absent without a label group.
    pub(crate) label_error_train: Option<f64>,
    /// The same of validation samples.
    pub(crate) label_error_valid: Option<f64>,
    /// Along the path of the training, in epochs that have an estimate of ln Z.
    pub(crate) log_likelihood_train: Option<f64>,
    pub(crate) log_likelihood_valid: Option<f64>,
    /// Where it is measured.
    pub(crate) pseudo_likelihood_train: Option<f64>,
    pub(crate) pseudo_likelihood_valid: Option<f64>,
}

impl From<&EpochMetrics> for Epoch {
    fn from(metrics: &EpochMetrics) -> Self {
        Self {
            layer: metrics.layer,
            number: metrics.epoch,
            reconstruction_cost: metrics.reconstruction_cost,
            reconstruction_cost_valid: metrics.reconstruction_cost_valid,
            free_energy_train: metrics.free_energy_train,
            free_energy_valid: metrics.free_energy_valid,
            free_energy_gap: metrics.free_energy_gap,
            hidden_activity: metrics.hidden_activity,
            hidden_spread: metrics.hidden_spread,
            label_error_train: metrics.label_error_train,
            label_error_valid: metrics.label_error_valid,
            log_likelihood_train: metrics.log_likelihood_train,
            log_likelihood_valid: metrics.log_likelihood_valid,
            pseudo_likelihood_train: metrics.pseudo_likelihood_train,
            pseudo_likelihood_valid: metrics.pseudo_likelihood_valid,
        }
    }
}

impl Measured for Epoch {
    const FIRST: u32 = 1;

    fn place(&self) -> (u32, u32) {
        (self.layer, self.number)
    }

    fn figures(&self) -> BTreeMap<String, f64> {
        let figures = [
            ("reconstruction_cost", Some(self.reconstruction_cost)),
            ("reconstruction_cost_valid", self.reconstruction_cost_valid),
            ("free_energy_train", Some(self.free_energy_train)),
            ("free_energy_valid", self.free_energy_valid),
            ("free_energy_gap", self.free_energy_gap),
            ("hidden_activity", self.hidden_activity),
            ("hidden_spread", self.hidden_spread),
            ("label_error_train", self.label_error_train),
            ("label_error_valid", self.label_error_valid),
            ("log_likelihood_train", self.log_likelihood_train),
            ("log_likelihood_valid", self.log_likelihood_valid),
            ("pseudo_likelihood_train", self.pseudo_likelihood_train),
            ("pseudo_likelihood_valid", self.pseudo_likelihood_valid),
        ];
        named(figures).collect()
    }
}

/// An epoch of a tuning, likewise.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TuneEpoch {
    /// From 1; 0 is the model before tuning.
    #[serde(rename = "epoch")]
    pub(crate) number: u32,
    pub(crate) variational_cost: f64,
    pub(crate) variational_cost_valid: Option<f64>,
    pub(crate) free_energy_gap: Option<f64>,
    pub(crate) label_error_train: Option<f64>,
    pub(crate) label_error_valid: Option<f64>,
    /// Of every directed layer, from the bottom.
    pub(crate) layers: Vec<Drift>,
}

/// How far the two sets of weights of a layer are apart, in nats per sample.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Drift {
    pub(crate) divergence: f64,
}

impl From<&TuneMetrics> for TuneEpoch {
    fn from(metrics: &TuneMetrics) -> Self {
        Self {
            number: metrics.epoch,
            variational_cost: metrics.variational_cost,
            variational_cost_valid: metrics.variational_cost_valid,
            free_energy_gap: metrics.free_energy_gap,
            label_error_train: metrics.label_error_train,
            label_error_valid: metrics.label_error_valid,
            layers: metrics.layers.iter().map(|layer| Drift { divergence: layer.divergence }).collect(),
        }
    }
}

impl Measured for TuneEpoch {
    const FIRST: u32 = 0;

    fn place(&self) -> (u32, u32) {
        (0, self.number)
    }

    fn figures(&self) -> BTreeMap<String, f64> {
        let figures = [
            ("variational_cost", Some(self.variational_cost)),
            ("variational_cost_valid", self.variational_cost_valid),
            ("free_energy_gap", self.free_energy_gap),
            ("label_error_train", self.label_error_train),
            ("label_error_valid", self.label_error_valid),
        ];
        let drifts = self.layers.iter().enumerate();
        named(figures).chain(drifts.map(|(layer, drift)| (divergence_of(layer), drift.divergence))).collect()
    }
}

/// An epoch of a training by backpropagation, likewise; a classifier has label errors, an
/// autoencoder squared ones.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct FinetuneEpoch {
    /// From 1; 0 is the network before training.
    #[serde(rename = "epoch")]
    pub(crate) number: u32,
    pub(crate) training_cost: Option<f64>,
    pub(crate) cost: f64,
    pub(crate) cost_valid: Option<f64>,
    pub(crate) label_error_train: Option<f64>,
    pub(crate) label_error_valid: Option<f64>,
    pub(crate) squared_error_train: Option<f64>,
    pub(crate) squared_error_valid: Option<f64>,
}

impl From<&FinetuneMetrics> for FinetuneEpoch {
    fn from(metrics: &FinetuneMetrics) -> Self {
        Self {
            number: metrics.epoch,
            training_cost: metrics.training_cost,
            cost: metrics.cost,
            cost_valid: metrics.cost_valid,
            label_error_train: metrics.label_error_train,
            label_error_valid: metrics.label_error_valid,
            squared_error_train: metrics.squared_error_train,
            squared_error_valid: metrics.squared_error_valid,
        }
    }
}

impl Measured for FinetuneEpoch {
    const FIRST: u32 = 0;

    fn place(&self) -> (u32, u32) {
        (0, self.number)
    }

    fn figures(&self) -> BTreeMap<String, f64> {
        let figures = [
            ("training_cost", self.training_cost),
            ("cost", Some(self.cost)),
            ("cost_valid", self.cost_valid),
            ("label_error_train", self.label_error_train),
            ("label_error_valid", self.label_error_valid),
            ("squared_error_train", self.squared_error_train),
            ("squared_error_valid", self.squared_error_valid),
        ];
        named(figures).collect()
    }
}

/// Name of the figure that says how far the two sets of weights of a layer are apart.
pub(crate) fn divergence_of(layer: usize) -> String {
    format!("layer_{layer}_divergence")
}

/// The figures that have a value.
fn named<const N: usize>(figures: [(&str, Option<f64>); N]) -> impl Iterator<Item = (String, f64)> {
    figures.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?)))
}

/// An epoch in a history.
pub(crate) trait Measured {
    /// The first epoch of a layer that is measured.
    const FIRST: u32;

    /// The layer that trained, from 0, and its epoch.
    fn place(&self) -> (u32, u32);

    /// By name, as a checkpoint records them.
    fn figures(&self) -> BTreeMap<String, f64>;
}
