//! ln Z of an RBM for verbs that do not estimate it.

use crate::failure::{Failure, Result};
use crate::report::{shell_word, typed};
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::{exact_log_partition, is_summable};
use std::path::Path;

/// ln Z in nats of the model at `checkpoint`: as given, else summed where that takes seconds. Where there is none, it is
/// said that `what` is missing, and which command estimates it.
pub(crate) fn log_z(checkpoint: &Path, rbm: &Rbm, given: Option<f64>, what: &str) -> Result<Option<f64>> {
    match given {
        Some(z) if !z.is_finite() => Err(Failure::new("--log-z must be a finite number")),
        Some(z) => Ok(Some(z)),
        None if is_summable(rbm) => Ok(Some(exact_log_partition(rbm)?)),
        None => {
            tracing::info!(
                "no {what}: ln Z cannot be summed; `dbn eval {}` prints an estimate (line `ln Z`). Then type, with that \
                 number as X: {} --log-z X",
                shell_word(checkpoint),
                typed()
            );
            Ok(None)
        }
    }
}
