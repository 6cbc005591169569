//! How probable an RBM finds data: `ln p(v) = -F(v) - ln Z`.
//!
//! The free energy F is a formula ([`crate::Rbm::free_energy`]); the partition function Z is a sum over
//! all states. Where one side has at most [`MOST_ENUMERATED`] units it is summed
//! ([`exact_log_partition`]). Elsewhere it is estimated from both sides along a path of biases
//! ([`AnnealPath`]): annealed importance sampling ([`annealed_importance`]) tends to find too small a Z, and
//! so too high a likelihood; the same in reverse from states of the model ([`reverse_annealed_importance`])
//! tends to find too large a Z, as long as those states are samples of the model. [`BothWays`] makes one
//! estimate of them, and compares their states to see whether an interval holds. [`log_partition`] does all of
//! this in one call, and [`log_likelihood`] says how probable an RBM finds samples. Along a training ln Z can be
//! carried from checkpoint to checkpoint ([`LogZTracker`]). Without Z there is the
//! pseudo-likelihood ([`pseudo_log_likelihood`]), which is another figure.

mod annealing;
mod bennett;
mod biases;
mod both_ways;
mod estimate;
mod exact;
mod ladder;
mod log_z;
mod mixing;
mod normal;
mod path;
mod path_model;
mod phases;
mod pseudo;
mod runs;
mod states;

pub use annealing::{Annealed, PILOT, adaptive_ladder, annealed_importance, reverse_annealed_importance};
pub use bennett::{LogRatio, bennett};
pub use biases::{AnnealPath, Means, base_rates};
pub use both_ways::{BothWays, Verdict};
pub use estimate::{FEWEST_EFFECTIVE, Interval, LogPartition};
pub use exact::{MOST_ENUMERATED, exact_log_partition, is_summable};
pub use ladder::Ladder;
pub use log_z::{BothSides, LogZ, LogZConfig, PathKind, log_likelihood, log_partition};
pub use mixing::{Mixing, mixing};
pub use normal::require_normalizable;
pub(crate) use path::LogZState;
pub use path::LogZTracker;
pub use phases::{APART, Separation};
pub use pseudo::{flip_log_likelihood, pseudo_log_likelihood};
pub use runs::{AnnealConfig, Watch};
