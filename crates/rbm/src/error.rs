//! What can go wrong, said with what, where, got, expected and a way out.

use deepbelief_kernels::{Layers, UnitKind};
use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("{name} is {got}; it must be {expected}")]
    Config {
        /// The setting.
        name: &'static str,
        /// Its value.
        got: String,
        /// The range it must lie in.
        expected: &'static str,
    },
    /// A method of learning is not there for a type of units or a device.
    #[error("{name} is not available {place}")]
    Method {
        /// The setting that asks for it.
        name: &'static str,
        /// Where it is missing.
        place: &'static str,
    },
    /// A tensor or a batch does not fit the model.
    #[error("{what}: the shape is {got:?}, expected {expected:?}")]
    Shape {
        /// Which tensor.
        what: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shape that fits.
        expected: Vec<usize>,
    },
    /// Training left the range of sane numbers.
    #[error(
        "training diverged in epoch {epoch}, batch {batch}: the largest weight or bias is {magnitude}; \
         {}", cure(*unbounded, *learning_rate)
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: u32,
        /// Batch in the epoch, from 1.
        batch: usize,
        /// Largest magnitude of a parameter; NaN if one is NaN.
        magnitude: f32,
        /// The rate it happened at.
        learning_rate: f64,
        /// Kind of the first units that know no bound, if there are such.
        unbounded: Option<UnitKind>,
    },
    /// No hidden unit tells samples apart any more.
    #[error(
        "training collapsed in epoch {epoch}: all {} hidden units are constant on the training data ({dead} always \
         off, {saturated} always on); {}{}",
        dead + saturated,
        match unbounded {
            Some(_) => cure(*unbounded, *learning_rate),
            None => format!("try a learning rate below {}", two_digits(*learning_rate)),
        },
        if *epoch == 1 && unbounded.is_none() {
            ", or another start: visible_bias `zero`, a smaller weight_std"
        } else {
            ""
        }
    )]
    Collapsed {
        /// Epoch, from 1.
        epoch: u32,
        /// Hidden units whose mean probability is below 0.001.
        dead: usize,
        /// Hidden units whose mean probability is above 0.999.
        saturated: usize,
        /// The rate it happened at.
        learning_rate: f64,
        /// Kind of the first units that know no bound, if there are such.
        unbounded: Option<UnitKind>,
    },
    /// A file is not a checkpoint this version reads.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why it is refused.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The training loop refused, or one of its observers failed.
    #[error(transparent)]
    Loop(#[from] deepbelief_training::Error),
    /// The Hub refused, or could not be reached.
    #[cfg(feature = "hub")]
    #[error("cannot get the model from the Hub")]
    Hub(#[from] deepbelief_hub::Error),
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What to do about divergence.
fn cure(unbounded: Option<UnitKind>, learning_rate: f64) -> String {
    let most = 0.001;
    if let Some(kind) = unbounded.filter(|_| learning_rate > most) {
        return format!(
            "the states of {kind} units know no bound: try a learning rate of {most} instead of {}",
            two_digits(learning_rate)
        );
    }
    format!("try a learning rate below {}, a smaller momentum or a weight cost near 0.001", two_digits(learning_rate))
}

/// A rate of a schedule as one would type it.
fn two_digits(rate: f64) -> String {
    format!("{rate:.1e}").parse::<f64>().unwrap_or(rate).to_string()
}

/// `Ok` if `fits`, else a [`Error::Config`].
#[expect(clippy::needless_pass_by_value, reason = "callers pass numbers")]
pub(crate) fn require(fits: bool, name: &'static str, got: impl ToString, expected: &'static str) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(Error::Config { name, got: got.to_string(), expected })
}

/// `Ok` if all units are Bernoulli, else an [`Error::Config`] that names the layer and its kinds.
pub(crate) fn require_bernoulli(layers: &Layers, expected: &'static str) -> Result<()> {
    for (name, units) in [("hidden_units", &layers.hidden), ("visible_units", &layers.visible)] {
        require(units.is_bernoulli(), name, units.kinds(), expected)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_schedules_are_said_with_two_digits() {
        assert_eq!([0.073_428_499_238_4, 0.1, 2.345e-5, 3.0].map(two_digits), ["0.073", "0.1", "0.000023", "3"]);
        let collapsed = Error::Collapsed { epoch: 2, dead: 3, saturated: 0, learning_rate: 0.073_428, unbounded: None };
        assert!(collapsed.to_string().ends_with("try a learning rate below 0.073"), "{collapsed}");
    }
}
