//! What can go wrong.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model has units that the page cannot sample.
    #[error("the page knows {known} units, and the {layer} units of the model are {units}")]
    Units {
        /// Units that it knows.
        known: &'static str,
        /// Which units.
        layer: &'static str,
        /// What they are.
        units: String,
    },
    /// The picture has another number of pixels than the model has visible units.
    #[error("pictures of {width}x{height} pixels do not fit {units} visible units")]
    Shape {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Visible units of the model.
        units: usize,
    },
    /// The columns of a table have another number of units than the model.
    #[error("the columns have {got} units, and the model {expected} visible ones")]
    Columns {
        /// Units of the columns.
        got: usize,
        /// Visible units of the model.
        expected: usize,
    },
    /// An example does not fit the model.
    #[error("example {index} has {got} pixels, expected {expected}")]
    Example {
        /// Number of the example, from 0.
        index: usize,
        /// Pixels it has.
        got: usize,
        /// Pixels it must have.
        expected: usize,
    },
    /// A weight is larger than float16 numbers are, or not a number.
    #[error("{tensor} holds {value}, which is no float16 number: the largest is 65504")]
    Range {
        /// Name of the tensor.
        tensor: String,
        /// The weight.
        value: f32,
    },
    /// Tensors that cannot be read.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// The model.
    #[error(transparent)]
    Stack(#[from] deepbelief_stack::Error),
    /// What the page says of the model could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The weights could not be deflated.
    #[error("cannot compress the weights")]
    Compress(#[source] std::io::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
