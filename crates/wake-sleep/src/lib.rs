//! Wake-sleep: recognition and generative weights of a deep belief net learn apart
//! ([`Tuner`]), from a greedy start under an undirected top (the up-down algorithm of Hinton,
//! Osindero & Teh 2006), or from nothing as a sigmoid belief net ([`sigmoid_belief_net`]; Hinton,
//! Dayan, Frey & Neal 1995).

mod belief_net;
mod config;
mod draws;
mod error;
mod input;
mod measure;
mod net;
mod observer;
#[cfg_attr(not(feature = "cuda"), path = "no_device.rs")]
mod on_device;
mod position;
mod schedule;
mod state;
mod top;
mod tuner;
mod up_down;

pub use belief_net::sigmoid_belief_net;
pub use config::{LayerRates, Part, TopModel, TuneConfig, UnitChoices, Units};
pub use error::{Error, Result};
pub use net::peak_memory;
pub use observer::{LayerMetrics, TuneMetrics, TuneObserver};
pub use schedule::TopSteps;
pub use state::{Best, TuneState};
pub use tuner::{TuneSnapshot, Tuner};
