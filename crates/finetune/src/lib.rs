//! Discriminative fine-tuning: a deep belief net unrolled into a [`Network`], a classifier or an
//! autoencoder, whose weights then follow the gradient of its task by backpropagation
//! ([`Finetuner`]; Hinton & Salakhutdinov, Science 313:504, 2006).

mod checkpoint;
mod config;
mod error;
mod measure;
mod network;
mod observer;
mod optimizer;
mod parameters;
mod pass;
mod state;
mod trainer;

pub use checkpoint::NetworkHeader;
pub use config::{FinetuneConfig, OptimizerKind};
pub use error::{Error, Result};
pub use measure::Scores;
pub use network::{Activation, Dense, Network, Objective};
pub use observer::{FinetuneMetrics, FinetuneObserver};
pub use optimizer::{Descent, DescentConfig};
pub use parameters::peak_memory;
pub use state::{Best, FinetuneState};
pub use trainer::{FinetuneSnapshot, Finetuner};
