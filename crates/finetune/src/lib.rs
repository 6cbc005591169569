//! Discriminative fine-tuning: a deep belief net unrolled into a [`Network`], a classifier or an
//! autoencoder, whose weights then follow the gradient of its task by backpropagation
//! ([`Finetuner`]; Hinton & Salakhutdinov, Science 313:504, 2006).

mod backprop;
mod bottom;
mod checkpoint;
mod config;
mod error;
mod layers;
mod learned;
mod measure;
mod metrics;
mod network;
mod optimizer;
mod outputs;
mod parameters;
mod pass;
mod state;

pub use backprop::{Backprop, Best, FinetuneState, Finetuner, Snapshot};
pub use checkpoint::NetworkHeader;
pub use config::FinetuneConfig;
pub use error::{Error, Result};
pub use layers::{Activation, Dense, Objective};
pub use learned::Learned;
pub use measure::Scores;
pub use metrics::FinetuneMetrics;
pub use network::Network;
pub use optimizer::{Descent, DescentConfig, OptimizerKind};
pub use parameters::peak_memory;
