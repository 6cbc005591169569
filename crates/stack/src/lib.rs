//! Deep belief nets: the model ([`Dbn`]), its greedy layer-wise training ([`Greedy`]), what it
//! says of data (features, labels, reconstructions) and of itself ([`Chains`]), its files, and
//! plain networks made of it ([`export`]).

mod bound;
mod cache;
mod checkpoint;
mod choices;
mod climb;
mod complete;
mod config;
mod dbn;
mod error;
mod estimate;
pub mod export;
mod generate;
mod greedy;
mod labels;
mod layer;
mod memory;
mod propagate;
mod scorer;
mod state;
mod survey;

pub use bound::Unnormalised;
pub use checkpoint::{DbnHeader, ListedUnits};
pub use complete::{Completed, Completing};
pub use config::{LayerConfig, Propagate, StackConfig, Start};
pub use dbn::{Dbn, MAX_DEPTH};
pub use error::{Error, Result};
pub use generate::{Chains, Fantasies, Generation};
pub use greedy::{Greedy, LayerStart, StackObserver};
pub use layer::Layer;
pub use memory::{Footprint, Mode, Plan, plan};
pub use propagate::{Dealing, Propagated, raise};
pub use scorer::Scorer;
pub use scorer::conditional::Conditional;
pub use state::GreedyState;
