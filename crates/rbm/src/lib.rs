//! Restricted Boltzmann machines: the model as a candle layer ([`Rbm`]), its training by
//! contrastive divergence ([`Trainer`]), its files ([`save`], [`load`]).

mod cd;
mod checkpoint;
mod composed;
mod config;
mod contrastive;
mod engine_learner;
mod error;
mod file;
mod health;
mod hidden;
mod labels;
mod last_good;
mod learned;
mod learner;
pub mod likelihood;
mod measuring;
mod memory;
mod metrics;
mod negative;
#[cfg(feature = "hub")]
mod pretrained;
mod rbm;
mod regular_file;
mod schedule;
mod state;
mod steps;
mod tempering;
pub mod tensors;
mod trajectory;

pub use cd::{Draws, Velocity};
pub use checkpoint::{Header, Provenance, load, save};
pub use config::{
    RbmConfig, Rule, Sampler, TrainConfig, VisibleBias, VisibleStates, is_default, is_default_fast_rate,
    is_default_temperatures, is_not_negative, is_positive,
};
pub use contrastive::{Best, Contrastive, Snapshot, TrainState, Trainer};
pub use deepbelief_training::{Control, Monitors, Observer, ObserverResult, OnDivergence, Outcome, Progress, Score};
pub use error::{Error, Result};
pub use file::{discard_unfinished, is_temporary, write_atomic, write_atomic_with};
pub use health::TrainingWarning;
pub use hidden::HiddenUnits;
pub use labels::LabelGroup;
pub use last_good::{Recovered, damaged_path, may_be_whole, previous_path, recover, write_keeping};
pub use learned::Learned;
pub use learner::{HiddenStatistics, Measured, peak_memory};
pub use metrics::EpochMetrics;
#[cfg(feature = "hub")]
pub use pretrained::pretrained;
pub use rbm::{GibbsStep, Rbm, Sampled};
pub use regular_file::{open_for_writing, open_regular, read_regular};
pub use schedule::Schedule;
pub use steps::CdSteps;
pub use tensors::FORMAT_VERSION;
