//! What a greedy training continues from: the finished layers and the state of the running one.
//!
//! In a folder these are two kinds of files, each written whole or not at all, with a checksum:
//!
//! - `layers.safetensors`: the finished layers, as the checkpoint of a deep belief net of that
//!   depth, which every program that reads one can use;
//! - `layer-{i}.state.safetensors`: the training of layer i.
//!
//! A layer that finishes is written to the first before the second becomes
//! `layer-{i}.state.previous.safetensors`, and its number is in the name: whatever moment a run
//! dies at, what is left says where to go on. Of either kind the version before the newest is kept
//! ([`GreedyState::recover`]); where `layers.safetensors` is damaged, that is
//! `layers.previous.safetensors` (no file for no layer) with the last state of the layer above it.

use crate::config::StackConfig;
use crate::dbn::Dbn;
use crate::error::{Error, Result};
use candle_core::Device;
use deepbelief_rbm::{
    Error as RbmError, Layers, Provenance, Rbm, Recovered, TrainState, UnitKind, Units, damaged_path, may_be_whole,
    previous_path, recover,
};
use deepbelief_training::Error as LoopError;
use std::path::{Path, PathBuf};

/// Where a greedy training is.
#[derive(Clone, Debug, Default)]
pub struct GreedyState {
    /// Trained layers, from the bottom.
    pub finished: Vec<Rbm>,
    /// The layer in training; none at the start of a layer.
    pub running: Option<TrainState>,
}

fn finished_path(folder: &Path) -> PathBuf {
    folder.join("layers.safetensors")
}

fn running_path(folder: &Path, layer: usize) -> PathBuf {
    folder.join(format!("layer-{layer}.state.safetensors"))
}

/// Does `change` to a file of a state, which may be absent.
fn at(action: &'static str, path: PathBuf, change: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    match change(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(RbmError::Io { action, path, source }.into())
        }
        _ => Ok(()),
    }
}

fn remove(path: PathBuf) -> Result<()> {
    at("remove", path, |path| std::fs::remove_file(path))
}

/// Whether neither the newest state in `path` nor the one before it is any good to anybody.
fn is_lost(path: &Path) -> bool {
    let previous = previous_path(path);
    !may_be_whole(path) && !may_be_whole(&previous) && TrainState::load(&previous).is_err()
}

fn remove_both(path: &Path) -> Result<()> {
    remove(previous_path(path))?;
    remove(path.to_path_buf())
}

impl GreedyState {
    /// Writes the finished layers to a folder, after which the training state of the last of them
    /// is a previous one, and that of the layer below is removed.
    ///
    /// # Errors
    /// Those of [`Dbn::from_rbms`] and [`Dbn::save`]; [`deepbelief_rbm::Error::Io`] if an old
    /// state cannot be moved or removed.
    pub fn save_finished(folder: &Path, finished: &[Rbm], provenance: &Provenance) -> Result<()> {
        let Some(last) = finished.len().checked_sub(1) else { return Ok(()) };
        Dbn::from_rbms(finished.to_vec())?.save_state(&finished_path(folder), provenance)?;
        let path = running_path(folder, last);
        at("move", path.clone(), |path| std::fs::rename(path, previous_path(path)))?;
        last.checked_sub(1).map_or(Ok(()), |below| remove_both(&running_path(folder, below)))
    }

    /// Writes the training of layer `layer` to a folder.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save_running(folder: &Path, layer: usize, state: &TrainState) -> Result<()> {
        Ok(state.save(&running_path(folder, layer))?)
    }

    /// Writes everything to a folder.
    ///
    /// # Errors
    /// Those of the two functions above.
    pub fn save(&self, folder: &Path, provenance: &Provenance) -> Result<()> {
        Self::save_finished(folder, &self.finished, provenance)?;
        self.running.as_ref().map_or(Ok(()), |state| Self::save_running(folder, self.finished.len(), state))
    }

    /// Reads what a folder holds; nothing yet is a training at its start.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] and [`deepbelief_rbm::Error::Checkpoint`] for files that
    /// cannot be read, [`Error::Untied`] for a model that greedy training did not write.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = finished_path(folder);
        let finished = if path.exists() { rbms(&path)? } else { Vec::new() };
        let path = running_path(folder, finished.len());
        let running = if path.exists() { Some(TrainState::load(&path)?) } else { None };
        Ok(Self { finished, running })
    }

    /// Reads what a folder holds; where its newest file is damaged, the one before, which then
    /// takes its place. Where no state of the running layer can be read, that layer starts again, unless it
    /// is the first.
    ///
    /// # Errors
    /// Those of [`GreedyState::load`], of the newest file, if there is none before it that can be
    /// read.
    pub fn recover(folder: &Path) -> Result<Recovered<Self, Error>> {
        let path = finished_path(folder);
        // A layer that just finished has left the state it came from as a previous one.
        let there = |path: &Path| path.exists() || previous_path(path).exists();
        match if there(&path) { recover(&path, rbms) } else { Ok(Recovered { value: Vec::new(), damage: None }) } {
            Ok(Recovered { value: finished, damage }) => {
                Self::forget_above(folder, finished.len())?;
                let path = running_path(folder, finished.len());
                let (running, of_running) = match there(&path).then(|| recover(&path, TrainState::load)).transpose() {
                    Ok(state) => state.map_or((None, None), |state| (Some(state.value), state.damage)),
                    // The layer is trained again from the finished ones, which are whole.
                    Err(lost) if !finished.is_empty() && is_lost(&path) => {
                        at("move", path.clone(), |path| std::fs::rename(path, damaged_path(path)))?;
                        remove(previous_path(&path))?;
                        (None, Some(lost))
                    }
                    Err(refused) => return Err(refused.into()),
                };
                let damage = damage.or(of_running.map(Error::from));
                Ok(Recovered { value: Self { finished, running }, damage })
            }
            Err(refused) if may_be_whole(&path) => Err(refused),
            // One layer was finished: before it was, there was its training alone.
            Err(damage) => {
                let Ok(Recovered { value, .. }) = recover(&running_path(folder, 0), TrainState::load) else {
                    return Err(damage);
                };
                Self::forget_above(folder, 0)?;
                remove(path)?;
                let state = Self { finished: Vec::new(), running: Some(value) };
                Ok(Recovered { value: state, damage: Some(damage) })
            }
        }
    }

    /// Removes the training of the layer above `layer`: there is one only if a file that said that
    /// `layer` is finished has been damaged, and it is trained again.
    fn forget_above(folder: &Path, layer: usize) -> Result<()> {
        remove_both(&running_path(folder, layer + 1))
    }

    /// Refuses the state of a layer of another run; finished layers are those of any run.
    ///
    /// # Errors
    /// [`deepbelief_training::Error::AnotherRun`].
    pub fn require_run(&self, run: &str) -> Result<()> {
        let run = run_of_layer(run, self.finished.len());
        Ok(self.running.as_ref().map_or(Ok(()), |running| running.require_run(&run))?)
    }

    /// Refuses a state of other layers than these.
    pub(crate) fn check(&self, config: &StackConfig) -> Result<()> {
        let layers = &config.layers;
        let refuse = |why: String| Err(LoopError::Resume(why).into());
        let hidden: Vec<usize> = layers.iter().map(|layer| layer.hidden).collect();
        let done = self.finished.len();
        if done > hidden.len() {
            return refuse(format!("it has {done} finished layers, the settings have {}", hidden.len()));
        }
        for (layer, (rbm, &hidden)) in self.finished.iter().zip(&hidden).enumerate() {
            if rbm.hidden() != hidden {
                let got = rbm.hidden();
                let layer = layer + 1;
                return refuse(format!("its layer {layer} has {got} hidden units, the settings say {hidden}"));
            }
        }
        if let Some(state) = &self.running {
            let Some(&expected) = hidden.get(done) else {
                return refuse(format!("it trains layer {}, the settings have {done} layers", done + 1));
            };
            let (visible, got) = state.learned.sizes();
            let below = self.finished.last().map_or(visible, Rbm::hidden);
            if (visible, got) != (below, expected) {
                return refuse(format!(
                    "it trains layer {} with {visible} x {got} units, the settings say {below} x {expected}",
                    done + 1
                ));
            }
        }
        let running = self.running.as_ref().map(|state| state.learned.layers());
        let units = self.finished.iter().map(|rbm| rbm.layers().clone()).chain(running);
        if let Some(Layers { visible, .. }) = units.clone().next() {
            let expected = config.visible_units.clone();
            let expected = expected.unwrap_or_else(|| Units::of(UnitKind::Bernoulli, visible.columns()));
            if visible != expected {
                return refuse(format!("it has {visible} visible units, the settings say {expected}"));
            }
        }
        for (layer, (units, config)) in units.map(|layers| layers.hidden).zip(layers).enumerate() {
            let expected = config.hidden_units.units(config.hidden);
            if units != expected {
                let layer = layer + 1;
                return refuse(format!("its layer {layer} has {units} hidden units, the settings say {expected}"));
            }
        }
        Ok(())
    }
}

/// What the training of a layer in a run is called.
pub(crate) fn run_of_layer(run: &str, layer: usize) -> String {
    format!("{run}, layer {layer}")
}

/// The layers of a net that greedy training wrote.
fn rbms(path: &Path) -> Result<Vec<Rbm>> {
    Dbn::load(path, &Device::Cpu)?.0.to_rbms()
}
