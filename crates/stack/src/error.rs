//! What can go wrong, said with what, where, got, expected and a way out.

use deepbelief_rbm::{Error as RbmError, Rbm};

/// Errors of this crate. Fields count layers from 0, the bottom; messages count them from 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting of the stack is out of its range.
    #[error("{name} is {got}; it must be {expected}")]
    Config {
        /// The setting.
        name: &'static str,
        /// Its value.
        got: String,
        /// The range it must lie in.
        expected: String,
    },
    /// A layer's own settings are out of their range.
    #[error("the settings of layer {} do not hold", .layer + 1)]
    LayerConfig {
        /// The layer.
        layer: usize,
        /// What is wrong with them.
        source: RbmError,
    },
    /// Training a layer failed.
    #[error("training layer {} failed", .layer + 1)]
    Training {
        /// The layer.
        layer: usize,
        /// Why.
        source: RbmError,
    },
    /// Two neighbouring layers do not fit.
    #[error("layer {} takes {visible} units from below, but the layer below it has {hidden}", .layer + 1)]
    Misfit {
        /// The upper of the two.
        layer: usize,
        /// Units it takes.
        visible: usize,
        /// Units there are.
        hidden: usize,
    },
    /// Only the top has labels.
    #[error("layer {} has a label group, but only the top layer of a stack of {depth} can have one", .layer + 1)]
    LabelsBelowTop {
        /// The layer with labels.
        layer: usize,
        /// Layers in all.
        depth: usize,
    },
    /// Only the top has other than Bernoulli hidden units.
    #[error(
        "layer {} has {units} hidden units, but only the top layer of a stack of {depth} can have such: the \
         layers above the lowest take Bernoulli units from below",
        .layer + 1
    )]
    OthersBelowTop {
        /// The layer.
        layer: usize,
        /// Layers in all.
        depth: usize,
        /// Kinds of its hidden units.
        units: String,
    },
    /// Only the lowest layer has other than Bernoulli visible units.
    #[error(
        "layer {} has {units} visible units, but only the lowest layer can have other than bernoulli ones",
        .layer + 1
    )]
    OthersAboveBottom {
        /// The layer.
        layer: usize,
        /// Kinds of its visible units.
        units: String,
    },
    /// Labels are asked of a model without any.
    #[error("the model has no label group: {what} needs one trained with labels")]
    NoLabelGroup {
        /// What needs it.
        what: &'static str,
    },
    /// Labels are to be trained on data without any.
    #[error("the training data have no labels, which {what} needs; train without it")]
    NoLabels {
        /// What needs them.
        what: String,
    },
    /// A label is not one of the classes.
    #[error("label {got} (entry {entry}, counted from 0) is not below the number of classes, {classes}")]
    Label {
        /// The label.
        got: u32,
        /// Where it stands among the labels given.
        entry: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Recognition and generative weights have parted.
    #[error("layer {} has generative weights of its own: the stack is no longer one of RBMs", .layer + 1)]
    Untied {
        /// The layer.
        layer: usize,
    },
    /// The training loop refused, or one of its observers failed.
    #[error(transparent)]
    Loop(#[from] deepbelief_training::Error),
    /// An RBM, a file or a training refused.
    #[error(transparent)]
    Rbm(#[from] RbmError),
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    /// That of the first of `rbms`, the lowest of `depth` layers, whose hidden units no layer can stand on.
    pub(crate) fn of_hidden_units(rbms: &[Rbm], depth: usize) -> Option<Self> {
        let mut hidden = rbms.iter().map(|rbm| &rbm.layers().hidden).enumerate();
        let (layer, units) = hidden.find(|(_, units)| !units.is_bernoulli())?;
        Some(Self::OthersBelowTop { layer, depth, units: units.kinds() })
    }
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
