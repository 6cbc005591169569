//! Options of `dbn check`.

use clap::Args;
use deepbelief_data::{Header, ImageShape, Scale, Source};
use std::path::PathBuf;

pub(super) const CHECK_HELP: &str = "\
Looked at are all values as the file has them: their range and kind, constant columns and columns
that repeat another, missing values, how often each class comes, samples that come twice, and test
samples that are training samples too. What follows is a recommendation with its reasons, a place to
start from and no search: --recipe writes it as a recipe for `dbn pretrain --config`.

The exit code is 0 if the data are fit for training, 1 if they are not, 2 if they cannot be read.

Examples:
  dbn check mnist
  dbn check csv:train.csv --label-column class --test csv:test.csv
  dbn check npy:x.npy --recipe x.toml
  dbn pretrain --config x.toml";

/// Data to look at.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Data set: mnist, idx:DIR, csv:FILE, npy:FILE, npz:FILE, safetensors:FILE, images:DIR,
    /// parquet:FILE, hf:USER/REPO or hf:USER/REPO@REVISION:FILE
    #[arg(value_name = "DATA")]
    pub(crate) data: Source,
    /// Test samples, in the place of those that the data have themselves; read by the same options
    #[arg(long, value_name = "SOURCE")]
    pub(crate) test: Option<Source>,
    /// How values come to lie between 0 and 1; by default what suits them
    #[arg(long, env = "DBN_SCALE", hide_env = true, value_name = "auto|none|255|minmax|MIN..MAX")]
    pub(crate) scale: Option<Scale>,
    /// CSV or Parquet column that holds the labels: a name, an index from 0, `first` or `last`
    #[arg(long, env = "DBN_LABEL_COLUMN", hide_env = true, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    /// Parquet column that holds the samples; by default one called image or the like, or all numbers
    #[arg(long, env = "DBN_FEATURE_COLUMN", hide_env = true, value_name = "COLUMN")]
    pub(crate) feature_column: Option<String>,
    /// Whether a CSV file's first line names the columns
    #[arg(long, env = "DBN_HEADER", hide_env = true, value_name = "auto|yes|no")]
    pub(crate) header: Option<Header>,
    /// Shape of a sample as a picture; pictures are resized to it
    #[arg(long, env = "DBN_IMAGE_SIZE", hide_env = true, value_name = "WxH")]
    pub(crate) image_size: Option<ImageShape>,
    /// Write the recommendation as a recipe for `dbn pretrain --config`
    #[arg(long, value_name = "FILE")]
    pub(crate) recipe: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
