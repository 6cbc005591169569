//! `metrics.jsonl`: one JSON object an epoch, appended as training goes. Memory holds of it what pictures and
//! models need, which does not grow with the epochs.

use crate::failure::{Explain, Result};
use crate::run::measured::Measured;
use deepbelief_rbm::{open_for_writing, open_regular, write_atomic_with};
use deepbelief_report::{NONE, Traces};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

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
    /// What it does not say of earlier ones is lost, which is reported, and no reason not to go on.
    pub(crate) fn resume(path: PathBuf, done: Option<(u32, u32)>) -> Result<Self> {
        let mut history = Self::new(path);
        // What cannot be added to is found out before an epoch is trained.
        history.sync()?;
        let (mut whole, mut before, mut kept) = (true, None::<(u32, u32)>, 0);
        for line in history.lines()? {
            let line = line.or_fail(|| history.cannot("read"))?;
            if let Some(epoch) = epoch_up_to(&line, done) {
                let place: (u32, u32) = E::place(&epoch);
                whole &= match before {
                    None => place == (0, E::FIRST),
                    Some((layer, epoch)) => {
                        place == (layer, epoch.saturating_add(1)) || place == (layer.saturating_add(1), E::FIRST)
                    }
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
            for line in BufReader::new(open_regular(&self.path)?).split(b'\n') {
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
        let file = match open_regular(&self.path) {
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
        match open_for_writing(&self.path, OpenOptions::new().append(true)).and_then(|file| file.sync_data()) {
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
        self.layers.get(&layer).map_or(&NONE, |layer| &layer.traces)
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
    let mut file = open_for_writing(path, OpenOptions::new().create(true).append(true))?;
    file.write_all(line.as_bytes())?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::measured::Epoch;
    use deepbelief_rbm::EpochMetrics;

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
