//! How probable an RBM finds data: `ln p(v) = -F(v) - ln Z`.
//!
//! The free energy F is a formula ([`crate::Rbm::free_energy`]); the partition function Z is a sum over
//! all states. Where one side has at most [`MOST_ENUMERATED`] units it is summed
//! ([`exact_log_partition`]). Elsewhere it is estimated, twice: annealed importance sampling
//! ([`annealed_importance`]) rather finds too small a Z, so that the likelihood it leads to is
//! rather too high; run in reverse from states of the model ([`reverse_annealed_importance`]) it
//! errs the other way. Where both agree they can be believed. Along a training it can be carried from
//! checkpoint to checkpoint ([`Path`]). Without Z there is the
//! pseudo-likelihood ([`pseudo_log_likelihood`]), which is another figure.

mod annealing;
mod bennett;
mod chains;
mod exact;
mod ladder;
mod mixing;
mod path;
mod pseudo;

pub use annealing::{
    AnnealConfig, FEWEST_EFFECTIVE, LogPartition, adaptive_ladder, annealed_importance, base_rates,
    reverse_annealed_importance,
};
pub use bennett::{LogRatio, bennett};
pub use exact::{MOST_ENUMERATED, exact_log_partition};
pub use ladder::Ladder;
pub use mixing::{Mixing, mixing};
pub use path::Path;
pub(crate) use path::PathState;
pub use pseudo::pseudo_log_likelihood;
