//! `metrics.jsonl`: one JSON object an epoch, appended as training goes. Memory holds of it what pictures and
//! models need, which does not grow with the epochs.

use crate::failure::{Explain, Result};
use crate::traces::{self, Traces};
use deepbelief_finetune::FinetuneMetrics;
use deepbelief_rbm::{EpochMetrics, write_atomic_with};
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
        let mut history = Self::new(path);
        let (mut whole, mut before, mut kept) = (true, None, 0);
        for line in history.lines()? {
            let line = line.or_fail(|| history.cannot("read"))?;
            if let Some(epoch) = epoch_up_to(&line, done) {
                let place: (u32, u32) = E::place(&epoch);
                whole &= match before {
                    None => place == (0, E::FIRST),
                    Some((layer, epoch)) => place == (layer, epoch + 1) || place == (layer + 1, E::FIRST),
                };
                before = Some(place);
                kept += line.len() as u64 + 1;
                history.add(epoch);
            }
        }
        if done.is_some_and(|(_, epoch)| epoch >= E::FIRST) && !(whole && before == done) {
            let name = history.path.display();
            tracing::warn!("{name} is damaged: what it said of some epochs is lost, and curves will lack them");
        }
        if std::fs::metadata(&history.path).is_ok_and(|file| file.len() != kept) {
            history.rewrite(done).or_fail(|| history.cannot("write"))?;
        }
        Ok(history)
    }

    /// Leaves out of the file all but the epochs up to `done`.
    fn rewrite(&self, done: Option<(u32, u32)>) -> std::io::Result<()> {
        write_atomic_with(&self.path, |file| {
            for line in BufReader::new(File::open(&self.path)?).split(b'\n') {
                let line = line?;
                if epoch_up_to::<E>(&line, done).is_some() {
                    file.write_all(&[&line, &b"\n"[..]].concat())?;
                }
            }
            Ok(())
        })
    }

    /// The lines of the file, if there is one.
    fn lines(&self) -> Result<impl Iterator<Item = std::io::Result<Vec<u8>>> + use<E>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            file => Some(file.or_fail(|| self.cannot("read"))?),
        };
        Ok(file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n')))
    }

    fn cannot(&self, what: &str) -> String {
        format!("cannot {what} {}", self.path.display())
    }

    /// Adds an epoch to the end of the file.
    pub(crate) fn push<'a, M: Serialize>(&mut self, metrics: &'a M) -> Result<()>
    where
        E: From<&'a M>,
    {
        let line = serde_json::to_string(metrics)? + "\n";
        append(&self.path, &line).or_fail(|| self.cannot("write"))?;
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
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).or_fail(|| self.cannot("write")),
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
        for line in self.lines()? {
            let line = line.or_fail(|| self.cannot("read"))?;
            if let Some(epoch) = epoch_up_to::<E>(&line, Some(place)).filter(|epoch| epoch.place() == place) {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }
}

/// The epoch that a line tells of, if it does and the epoch is none after `done`.
fn epoch_up_to<E: Measured + DeserializeOwned>(line: &[u8], done: Option<(u32, u32)>) -> Option<E> {
    serde_json::from_slice::<E>(line).ok().filter(|epoch| Some(epoch.place()) <= done)
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
        // Thirds have no short decimal form: what is read must be what was written.
        let cost = |layer: u32, epoch: u32| f64::from(10 * layer + epoch) / 3.0;
        let mut history = History::<Epoch>::new(path.clone());
        for (layer, epoch) in [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)] {
            let metrics = EpochMetrics { layer, epoch, reconstruction_cost: cost(layer, epoch), ..Default::default() };
            history.push(&metrics).unwrap();
        }
        append(&path, "{\"layer\": 1, \"epoch\": 4, \"reconstr").unwrap();
        let mut resumed = History::<Epoch>::resume(path.clone(), Some((1, 2))).unwrap();
        assert_eq!(resumed.layers[&0], history.layers[&0]);
        let points = [(1.0, cost(1, 1)), (2.0, cost(1, 2))];
        assert_eq!(resumed.traces(1).points("reconstruction_cost"), points);
        assert_eq!(resumed.last(1).unwrap().reconstruction_cost, cost(1, 2));
        assert!(resumed.last(2).is_none() && resumed.traces(2).points("reconstruction_cost").is_empty());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 4);
        assert!(History::<Epoch>::resume(folder.path().join("none"), Some((0, 3))).unwrap().last(0).is_none());

        for epoch in [1, 2, 1, 1] {
            assert_eq!(resumed.figures(epoch).unwrap()["reconstruction_cost"], cost(0, epoch));
        }
        assert!(resumed.figures(3).unwrap().is_empty());

        assert!(History::<Epoch>::resume(path.clone(), None).unwrap().last(0).is_none());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
