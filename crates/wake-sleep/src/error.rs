//! What can go wrong, said with what, where, got, expected and a way out.

use deepbelief_rbm::Error as RbmError;
use deepbelief_stack::Error as StackError;

/// Errors of this crate. Layers are counted from 1, the bottom.
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
        expected: String,
    },
    /// Tuning left the range of sane numbers.
    #[error(
        "tuning diverged in epoch {epoch}, batch {batch}: the largest parameter of the {what} is {magnitude}; \
         try a {rate} below {value}, a smaller momentum or a weight cost near 0.001"
    )]
    Diverged {
        /// Which parameters.
        what: String,
        /// Epoch, from 1.
        epoch: u32,
        /// Batch in the epoch, from 1.
        batch: usize,
        /// Largest magnitude of a parameter; NaN if one is NaN.
        magnitude: f32,
        /// The setting of their rate.
        rate: &'static str,
        /// The rate it happened at.
        value: f32,
    },
    /// The training loop refused, or one of its observers failed.
    #[error(transparent)]
    Loop(#[from] deepbelief_training::Error),
    /// A deep belief net refused.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// An RBM or a file refused.
    #[error(transparent)]
    Rbm(#[from] RbmError),
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    #[expect(clippy::needless_pass_by_value, reason = "callers pass numbers and literals")]
    pub(crate) fn config(name: &'static str, got: impl ToString, expected: impl ToString) -> Self {
        Self::Config { name, got: got.to_string(), expected: expected.to_string() }
    }
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// `Ok` if `fits`, else an [`Error::Config`].
pub(crate) fn require(fits: bool, name: &'static str, got: impl ToString, expected: impl ToString) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::config(name, got, expected)) }
}
