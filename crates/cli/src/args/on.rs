//! A model, and the samples that it is used on.

use super::data::DataArgs;
use clap::{Args, ValueEnum};
use deepbelief_data::Dataset;
use std::path::PathBuf;

/// A model, and the samples that it is used on.
#[derive(Debug, Args)]
pub(crate) struct ModelOnData {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Samples to use: train or test [default: test, or train where there is no test set]
    #[arg(long)]
    pub(crate) split: Option<SplitName>,
}

impl ModelOnData {
    /// The part of `data` that is meant.
    pub(crate) fn part(&self, data: &Dataset) -> SplitName {
        self.split.unwrap_or(if data.test.is_some() { SplitName::Test } else { SplitName::Train })
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
