//! `metrics.jsonl`: one JSON object an epoch, appended as training goes. Memory holds of it what pictures and
//! models need, which does not grow with the epochs.

use crate::failure::{Explain, Result};
use crate::traces::{self, Traces};
use deepbelief_finetune::FinetuneMetrics;
use deepbelief_rbm::{EpochMetrics, write_atomic};
use deepbelief_wake_sleep::TuneMetrics;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

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
        }
    }
}

impl Measured for Epoch {
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
    /// The layer that trained, from 0, and its epoch.
    fn place(&self) -> (u32, u32);

    /// By name, as a checkpoint records them.
    fn figures(&self) -> BTreeMap<String, f64>;
}

/// The epochs of a run: all of them in its file, in memory the curves and the last.
pub(crate) struct History<E> {
    path: PathBuf,
    layers: BTreeMap<u32, Layer<E>>,
    /// What was read back from the file last.
    found: Option<E>,
}

/// What memory holds of the epochs of one layer.
#[derive(Debug, PartialEq)]
struct Layer<E> {
    last: E,
    traces: Traces,
}

impl<E: Measured + DeserializeOwned> History<E> {
    /// Of a new run.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, layers: BTreeMap::new(), found: None }
    }

    /// Of a run that continues after the layer and epoch `done`, or where nothing was measured yet. What the
    /// file says of later epochs, and a line cut short by a crash, are dropped: those epochs are trained again.
    /// What it does not say of earlier ones is lost, which is told, and no reason not to go on.
    pub(crate) fn resume(path: PathBuf, done: Option<(u32, u32)>) -> Result<Self> {
        let name = path.display().to_string();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes.or_fail(|| format!("cannot read {name}"))?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut history = Self::new(path);
        let mut kept = String::new();
        let (mut whole, mut before) = (true, None);
        for line in text.lines() {
            if let Ok(epoch) = serde_json::from_str::<E>(line)
                && Some(epoch.place()) <= done
            {
                let place = epoch.place();
                whole &= match before {
                    None => place <= (0, 1),
                    Some((layer, epoch)) => place == (layer, epoch + 1) || place == (layer + 1, 1),
                };
                before = Some(place);
                history.add(epoch);
                kept.push_str(line);
                kept.push('\n');
            }
        }
        if done.is_some_and(|(_, epoch)| epoch > 0) && !(whole && before == done) {
            tracing::warn!("{name} is damaged: what it said of some epochs is lost, and curves will lack them");
        }
        if kept.as_bytes() != bytes {
            write_atomic(&history.path, kept.as_bytes()).or_fail(|| format!("cannot write {name}"))?;
        }
        Ok(history)
    }

    /// Adds an epoch to the end of the file.
    pub(crate) fn push<'a, M: Serialize>(&mut self, metrics: &'a M) -> Result<()>
    where
        E: From<&'a M>,
    {
        let line = serde_json::to_string(metrics)? + "\n";
        append(&self.path, &line).or_fail(|| format!("cannot write {}", self.path.display()))?;
        self.add(metrics.into());
        Ok(())
    }

    fn add(&mut self, epoch: E) {
        let (layer, number) = epoch.place();
        let mut traces = self.layers.remove(&layer).map(|layer| layer.traces).unwrap_or_default();
        traces.add(number, epoch.figures());
        self.layers.insert(layer, Layer { last: epoch, traces });
    }

    /// Brings what was added to the disk, for a state that says so is about to be.
    pub(crate) fn sync(&self) -> Result<()> {
        match OpenOptions::new().append(true).open(&self.path).and_then(|file| file.sync_data()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).or_fail(|| format!("cannot write {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }

    /// The last epoch of a layer so far.
    pub(crate) fn last(&self, layer: u32) -> Option<&E> {
        self.layers.get(&layer).map(|layer| &layer.last)
    }

    /// How the figures of a layer went so far.
    pub(crate) fn traces(&self, layer: u32) -> &Traces {
        self.layers.get(&layer).map_or(&traces::NONE, |layer| &layer.traces)
    }

    /// The figures of an epoch of the bottom layer, from the file if it is not the last; none if they are lost.
    pub(crate) fn figures(&mut self, epoch: u32) -> Result<BTreeMap<String, f64>> {
        let is_it = |measured: &E| measured.place() == (0, epoch);
        if let Some(last) = self.last(0)
            && is_it(last)
        {
            return Ok(last.figures());
        }
        if !self.found.as_ref().is_some_and(is_it) {
            self.found = self.find((0, epoch))?;
        }
        Ok(self.found.as_ref().map(E::figures).unwrap_or_default())
    }

    fn find(&self, place: (u32, u32)) -> Result<Option<E>> {
        let name = || format!("cannot read {}", self.path.display());
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => BufReader::new(file.or_fail(name)?),
        };
        for line in file.split(b'\n') {
            if let Ok(epoch) = serde_json::from_slice::<E>(&line.or_fail(name)?)
                && epoch.place() == place
            {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_history_ends_where_the_state_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut history = History::<Epoch>::new(path.clone());
        for (layer, epoch) in [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)] {
            // A third has no short decimal form: what is read must be what was written.
            let metrics = EpochMetrics { layer, epoch, reconstruction_cost: 1.0 / 3.0, ..Default::default() };
            history.push(&metrics).unwrap();
        }
        append(&path, "{\"layer\": 1, \"epoch\": 4, \"reconstr").unwrap();
        let mut resumed = History::<Epoch>::resume(path.clone(), Some((1, 2))).unwrap();
        assert_eq!(resumed.layers[&0], history.layers[&0]);
        assert_eq!(resumed.last(1).unwrap().number, 2);
        assert_eq!(resumed.traces(1).points("reconstruction_cost"), [(1.0, 1.0 / 3.0), (2.0, 1.0 / 3.0)]);
        assert!(resumed.last(2).is_none() && resumed.traces(2).points("reconstruction_cost").is_empty());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 4);
        assert!(History::<Epoch>::resume(folder.path().join("none"), Some((0, 3))).unwrap().last(0).is_none());

        let figures = |history: &mut History<Epoch>, epoch| history.figures(epoch).unwrap();
        assert_eq!(figures(&mut resumed, 1)["reconstruction_cost"], 1.0 / 3.0);
        assert_eq!(figures(&mut resumed, 2), resumed.last(0).unwrap().figures());
        assert!(figures(&mut resumed, 3).is_empty());

        assert!(History::<Epoch>::resume(path.clone(), None).unwrap().last(0).is_none());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
