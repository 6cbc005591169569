//! A model, and the samples that it is used on.

use super::data::DataArgs;
use clap::{Args, ValueEnum};
use deepbelief_data::Dataset;
use std::path::PathBuf;

/// What names a part of a data set.
pub(crate) trait Part: ValueEnum + Clone + Copy + Send + Sync + 'static {
    /// What the option says.
    const HELP: &'static str;

    /// One that verbs in general know.
    fn of(split: SplitName) -> Self;
}

impl Part for SplitName {
    const HELP: &'static str = "Samples to use: train or test [default: test, or train where there is no test set]";

    fn of(split: SplitName) -> Self {
        split
    }
}

/// A model, and the samples that it is used on.
#[derive(Debug, Args)]
pub(crate) struct ModelOnData<P: Part = SplitName> {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[arg(long, help = P::HELP)]
    pub(crate) split: Option<P>,
}

impl<P: Part> ModelOnData<P> {
    /// The part of `data` that is meant.
    pub(crate) fn part(&self, data: &Dataset) -> P {
        self.split.unwrap_or(P::of(if data.test.is_some() { SplitName::Test } else { SplitName::Train }))
    }
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitName {
    /// Training samples, validation samples included.
    Train,
    /// Test samples.
    Test,
}

/// Samples to measure, by what they are in the training of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PartName {
    /// Training samples, validation samples included.
    Train,
    /// Validation samples, which the training held out.
    Valid,
    /// Test samples.
    Test,
}

impl Part for PartName {
    const HELP: &'static str =
        "Samples to use: train, valid or test [default: test, or train where there is no test set]";

    fn of(split: SplitName) -> Self {
        match split {
            SplitName::Train => Self::Train,
            SplitName::Test => Self::Test,
        }
    }
}

impl PartName {
    /// The part of the data that they are among.
    pub(crate) fn split(self) -> SplitName {
        match self {
            Self::Train | Self::Valid => SplitName::Train,
            Self::Test => SplitName::Test,
        }
    }
}
