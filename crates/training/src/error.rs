//! What can go wrong in any training.

use deepbelief_kernels::Units;

/// Errors of the loop, which the errors of every training wrap.
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
    /// Data do not fit the model.
    #[error("{what}: the shape is {got:?}, expected {expected:?}")]
    Shape {
        /// Which data.
        what: String,
        /// Their shape.
        got: Vec<usize>,
        /// The shape that fits.
        expected: Vec<usize>,
    },
    /// The training data are of other units than the model's.
    #[error(
        "the training data have {got} units, but the model has {expected} visible units; they differ from column {column} \
         (counted from 0) on: make the model with the units of the data (`visible_units: Some(split.layer().clone())`), or \
         read the data as those of the model were (with its schema, or by `Split::of_units`)"
    )]
    Units {
        /// The units of the data.
        got: Units,
        /// Those of the model.
        expected: Units,
        /// The first column of which they differ.
        column: usize,
    },
    /// Data have a value that the model's units cannot have.
    #[error(
        "{what}: row {row}, column {column} (both counted from 0) is {value}, which {units} units cannot have: take data that \
         were read as those the model learns from"
    )]
    Value {
        /// Which data.
        what: &'static str,
        /// The sample.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: f32,
        /// What the units are.
        units: String,
    },
    /// There are no samples to measure.
    #[error("the {what} has no samples: take some of the training data, as `Monitors::from_training` does")]
    NoSamples {
        /// Which data.
        what: &'static str,
    },
    /// A model with labels learns from data without any.
    #[error("the {what} have no labels, which {need}")]
    NoLabels {
        /// Which data.
        what: &'static str,
        /// What needs them, and what to do without them.
        need: &'static str,
    },
    /// A label is not one of the classes.
    #[error("label {got} (entry {entry} of the {what}) is not below the number of classes, {classes}")]
    Label {
        /// The label.
        got: u32,
        /// Where it stands among the labels given, from 0.
        entry: usize,
        /// Which data.
        what: &'static str,
        /// Number of classes.
        classes: usize,
    },
    /// The thread pool could not be made.
    #[error("cannot start {threads} threads")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The system's reason.
        source: rayon::ThreadPoolBuildError,
    },
    /// There are no more random numbers for a training.
    #[error("the training has made {} updates, as many as its random numbers count; start a new one", u32::MAX)]
    Endless,
    /// A saved state belongs to other settings.
    #[error("the saved state does not fit the settings: {0}; resume with the settings it was started with")]
    Resume(String),
    /// A saved state belongs to another run.
    #[error("the saved state is that of another run: its settings, seed or data are others")]
    AnotherRun,
    /// The ranks cannot reach each other.
    #[error("the ranks of the training cannot go on together")]
    Group(#[from] deepbelief_ranks::Error),
    /// A rank has another model than the others.
    #[error(
        "rank {rank} has another model than rank 0 after epoch {epoch}: its machine computes otherwise, or its program is \
         another version"
    )]
    Ranks {
        /// Which.
        rank: usize,
        /// Epochs done.
        epoch: u32,
    },
    /// An observer of the training failed.
    #[error("an observer of the training failed")]
    Observer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// `Ok` if `fits`, else an [`Error::Config`].
#[expect(clippy::needless_pass_by_value, reason = "callers pass numbers")]
pub(crate) fn require(fits: bool, name: &'static str, got: impl ToString, expected: &'static str) -> Result<()> {
    if fits {
        return Ok(());
    }
    Err(Error::Config { name, got: got.to_string(), expected })
}
