//! Restricted Boltzmann machines: the model as a candle layer ([`Rbm`]), its training by
//! contrastive divergence ([`Trainer`]), its files ([`save`], [`load`]).

mod error;
mod files;
pub mod likelihood;
mod model;
mod sampling;
mod training;
mod units;

pub use deepbelief_kernels::{Layers, Segment, UnitKind, Units};
pub use deepbelief_training::{Control, Monitors, Observer, ObserverResult, OnDivergence, Outcome, Progress, Score};
pub use error::{Error, Result};
pub use files::atomic::{discard_unfinished, is_temporary, write_atomic, write_atomic_with};
pub use files::checkpoint::{Header, Provenance, load, save};
pub use files::format::{FORMAT_VERSION, NEWEST_VERSION};
pub use files::last_good::{Recovered, damaged_path, may_be_whole, previous_path, recover, write_keeping};
#[cfg(feature = "hub")]
pub use files::pretrained::pretrained;
pub use files::regular_file::{open_for_writing, open_regular, read_regular};
pub use files::tensors;
pub use files::written_units::{Side as WrittenUnits, fields as written_fields};
pub use model::config::{RbmConfig, VisibleBias};
pub use model::fields::FieldTensors;
pub use model::labels::LabelGroup;
pub use model::ranges::{is_not_negative, is_positive};
pub use model::rbm::{GibbsStep, Rbm};
pub use model::sampled::Sampled;
pub use model::spins::{to_batch, to_tensor};
pub use model::states::{batch_of, states_of};
pub use model::unit_mix::UnitMix;
pub use sampling::shared::Shared;
pub use training::cd::Draws;
pub use training::cd_steps::CdSteps;
pub use training::config::{MissingAs, Sampler, TrainConfig};
pub use training::contrastive::{Best, Contrastive, Snapshot, TrainState, Trainer};
pub use training::health::TrainingWarning;
pub use training::learned::Learned;
pub use training::learner::{HiddenStatistics, Measured};
pub use training::memory_needs::peak_memory;
pub use training::metrics::EpochMetrics;
pub use training::optimizer::Optimizer;
pub use training::rule::{Rule, VisibleStates};
pub use training::schedule::Schedule;
pub use training::sums::Sums;
pub use training::velocity::Velocity;
pub use units::layer::LayerUnits;
