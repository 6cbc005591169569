//! What can go wrong, said with what, where, got, expected and a way out.

use deepbelief_rbm::Error as RbmError;

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
    /// Training left the range of sane numbers: the cost of a minibatch, or of the training samples after an
    /// epoch, is beyond a hundred times that of a blind guess, or is none.
    #[error(
        "training diverged in epoch {epoch}, batch {batch}: the cost is {cost:.1} nats a sample; \
         try a learning rate below {learning_rate} or a smaller momentum"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: u32,
        /// Batch in the epoch, from 1.
        batch: usize,
        /// The cost of the batch, or after the epoch that it ends.
        cost: f64,
        /// The rate it happened at.
        learning_rate: f64,
    },
    /// The training loop refused, or one of its observers failed.
    #[error(transparent)]
    Loop(#[from] deepbelief_training::Error),
    /// An RBM or a file refused.
    #[error(transparent)]
    Rbm(#[from] RbmError),
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// `Ok` if `fits`, else an [`Error::Config`].
#[expect(clippy::needless_pass_by_value, reason = "callers pass numbers and literals")]
pub(crate) fn require(fits: bool, name: &'static str, got: impl ToString, expected: impl ToString) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(Error::Config { name, got: got.to_string(), expected: expected.to_string() })
}
