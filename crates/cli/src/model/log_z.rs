//! ln Z of an RBM for verbs that do not estimate it.

use crate::args::{GivenLogZ, LogZ};
use crate::failure::{Explain, Failure, Result};
use crate::report::{shell_word, typed};
use crate::run::folder::{EVALUATION, checkpoint_path};
use deepbelief_data::sha256;
use deepbelief_rbm::Rbm;
use deepbelief_rbm::likelihood::{exact_log_partition, is_summable};
use serde_json::Value;
use std::path::Path;

/// ln Z of the model at `checkpoint`: as given, else summed where that takes seconds. Where there is none, it is said that
/// `what` is missing, and which commands estimate it.
pub(crate) fn log_z(checkpoint: &Path, rbm: &Rbm, given: Option<&GivenLogZ>, what: &str) -> Result<Option<LogZ>> {
    match given {
        Some(GivenLogZ::Typed(log_z)) => Ok(Some(*log_z)),
        Some(GivenLogZ::Evaluation(path)) => evaluated(path, checkpoint).map(Some),
        None if is_summable(rbm) => Ok(Some(LogZ { value: exact_log_partition(rbm)?, interval: None })),
        None => {
            tracing::info!(
                "no {what}: ln Z cannot be summed. `dbn eval {} --out {EVALUATION}` estimates it; then type: {} --log-z \
                 {EVALUATION}",
                shell_word(checkpoint),
                typed()
            );
            Ok(None)
        }
    }
}

/// What `dbn eval` has found for this very checkpoint.
fn evaluated(path: &Path, checkpoint: &Path) -> Result<LogZ> {
    let again = || format!("`dbn eval {} --out {}` writes it", shell_word(checkpoint), shell_word(path));
    let text = std::fs::read(path).or_fail(|| format!("cannot read {}", path.display())).or_hint(again)?;
    let of = evaluation(&text)
        .ok_or_else(|| Failure::new(format!("{} is not what `dbn eval --out` wrote", path.display())).hint(again()))?;
    let model = checkpoint_path(checkpoint)?;
    let bytes = std::fs::read(&model).or_fail(|| format!("cannot read {}", model.display()))?;
    if of.checkpoint != sha256(&bytes) {
        return Err(
            Failure::new(format!("{} is of another model than {}", path.display(), model.display())).hint(again())
        );
    }
    Ok(of.log_z)
}

struct Evaluation {
    checkpoint: String,
    log_z: LogZ,
}

/// The estimate that an evaluation uses: the exact one, else that of both directions.
fn evaluation(text: &[u8]) -> Option<Evaluation> {
    let found: Value = serde_json::from_slice(text).ok()?;
    let (checkpoint, log_z) = (found["checkpoint_sha256"].as_str()?.to_string(), &found["log_z"]);
    if let Some(value) = log_z["exact"].as_f64() {
        return Some(Evaluation { checkpoint, log_z: LogZ { value, interval: None } });
    }
    let estimate = &log_z["both_ways"];
    let interval = estimate["low"].as_f64().zip(estimate["high"].as_f64());
    Some(Evaluation { checkpoint, log_z: LogZ { value: estimate["value"].as_f64()?, interval } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_of_an_evaluation_is_taken_as_it_is() {
        let of = |text: &str| evaluation(text.as_bytes()).map(|found| found.log_z);
        let exact = r#"{"checkpoint_sha256": "a", "log_z": {"exact": 3.5}}"#;
        assert_eq!(of(exact), Some(LogZ { value: 3.5, interval: None }));
        let both = r#"{"checkpoint_sha256": "a", "log_z": {"both_ways": {"value": 3.5, "low": 3.0, "high": 4.0}}}"#;
        assert_eq!(of(both), Some(LogZ { value: 3.5, interval: Some((3.0, 4.0)) }));
        let none = r#"{"checkpoint_sha256": "a", "log_z": {"both_ways": {"value": 3.5, "low": null, "high": null}}}"#;
        assert_eq!(of(none), Some(LogZ { value: 3.5, interval: None }));
        for bad in ["", "{}", r#"{"checkpoint_sha256": "a"}"#, r#"{"log_z": {"exact": 3.5}}"#] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
