//! What a greedy training continues from: the finished layers and the state of the running one.
//!
//! In a folder these are two kinds of files, each written whole or not at all:
//!
//! - `layers.safetensors`: the finished layers, as the checkpoint of a deep belief net of that
//!   depth, which every program that reads one can use;
//! - `layer-{i}.state.safetensors`: the training of layer i.
//!
//! A layer that finishes is written to the first before the second is removed, and its number is
//! in the name: whatever moment a run dies at, what is left says where to go on.

use crate::config::LayerConfig;
use crate::dbn::Dbn;
use crate::error::{Error, Result};
use candle_core::Device;
use deepbelief_rbm::{Error as RbmError, Provenance, Rbm, TrainState, load_state, save_state};
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

impl GreedyState {
    /// Writes the finished layers to a folder, then removes the training state of the last of
    /// them.
    ///
    /// # Errors
    /// Those of [`Dbn::from_rbms`] and [`Dbn::save`]; [`deepbelief_rbm::Error::Io`] if the old
    /// state cannot be removed.
    pub fn save_finished(folder: &Path, finished: &[Rbm], provenance: &Provenance) -> Result<()> {
        let Some(last) = finished.len().checked_sub(1) else { return Ok(()) };
        Dbn::from_rbms(finished.to_vec())?.save(&finished_path(folder), provenance)?;
        let path = running_path(folder, last);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(RbmError::Io { action: "remove", path, source }.into())
            }
            _ => Ok(()),
        }
    }

    /// Writes the training of layer `layer` to a folder.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save_running(folder: &Path, layer: usize, state: &TrainState) -> Result<()> {
        Ok(save_state(&running_path(folder, layer), state)?)
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
        let finished = if path.exists() { Dbn::load(&path, &Device::Cpu)?.0.to_rbms()? } else { Vec::new() };
        let path = running_path(folder, finished.len());
        let running = if path.exists() { Some(load_state(&path)?) } else { None };
        Ok(Self { finished, running })
    }

    /// Refuses a state of other layers than these.
    pub(crate) fn check(&self, layers: &[LayerConfig]) -> Result<()> {
        let hidden: Vec<usize> = layers.iter().map(|layer| layer.hidden).collect();
        let done = self.finished.len();
        if done > hidden.len() {
            return Err(Error::Resume(format!("it has {done} finished layers, the settings have {}", hidden.len())));
        }
        for (layer, (rbm, &hidden)) in self.finished.iter().zip(&hidden).enumerate() {
            if rbm.hidden() != hidden {
                let got = rbm.hidden();
                return Err(Error::Resume(format!(
                    "its layer {layer} has {got} hidden units, the settings say {hidden}"
                )));
            }
        }
        let running = self.running.as_ref().map(TrainState::hidden_units);
        let units = self.finished.iter().map(Rbm::hidden_units).chain(running);
        for (layer, (units, config)) in units.zip(layers).enumerate() {
            if units != config.hidden_units {
                let expected = config.hidden_units;
                return Err(Error::Resume(format!(
                    "its layer {layer} has {units} hidden units, the settings say {expected}"
                )));
            }
        }
        let Some(state) = &self.running else { return Ok(()) };
        let Some(&expected) = hidden.get(done) else {
            return Err(Error::Resume(format!("it trains layer {done}, the settings have {done} layers")));
        };
        let (visible, got) = state.sizes();
        let below = self.finished.last().map_or(visible, Rbm::hidden);
        if (visible, got) != (below, expected) {
            return Err(Error::Resume(format!(
                "it trains layer {done} with {visible} x {got} units, the settings say {below} x {expected}"
            )));
        }
        Ok(())
    }
}
