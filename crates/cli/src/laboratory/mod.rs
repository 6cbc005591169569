//! What a model of sequences is looked at by: its hidden units and the couplings of its sites. The verbs `show --units`
//! and `contacts` and the report of a run draw the same pictures by the same functions.

mod couplings;
mod units;

pub(crate) use couplings::{MOST_SITES, Rule, coupled, map_title};
pub(crate) use units::{logos, most_important};

/// Sequences of the data that pictures are of, at most.
pub(crate) const MOST_SEQUENCES: usize = 10_000;
