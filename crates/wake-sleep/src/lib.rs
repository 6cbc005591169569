//! Wake-sleep: recognition and generative weights of a deep belief net learn apart
//! ([`Tuner`]), from a greedy start under an undirected top (the up-down algorithm of Hinton,
//! Osindero & Teh 2006), or from nothing as a sigmoid belief net ([`sigmoid_belief_net`]; Hinton,
//! Dayan, Frey & Neal 1995).

mod belief_net;
mod config;
mod draws;
mod error;
mod learned;
mod measure;
mod metrics;
mod net;
mod phases;
mod schedule;
mod sets;
mod state;
mod top;
mod training;
mod up_down;

pub use belief_net::sigmoid_belief_net;
pub use config::{LayerRates, Part, TopModel, TuneConfig, UnitChoices, Units};
pub use error::{Error, Result};
pub use learned::Learned;
pub use metrics::{LayerMetrics, TuneMetrics};
pub use net::{peak_memory, require_tunable};
pub use schedule::TopSteps;
pub use up_down::{Best, Snapshot, TuneState, Tuner, UpDown};
