//! Options of `dbn check`.

use super::data::DataArgs;
use super::machine::MachineArgs;
use crate::options::SOURCES;
use clap::Args;
use deepbelief_data::Source;
use std::path::PathBuf;

pub(super) const CHECK_HELP: &str = "\
The columns of a table are understood one by one, and listed: what they are and their range. Then
all values are looked at: their range and kind, constant columns and columns that repeat another,
missing values, how often each class occurs, samples that occur twice, and test samples that are
training samples too. Then come recommended settings with their reasons: a place to start, not the
result of a search. --recipe writes them for `dbn pretrain --config`, or with --for stack for
`dbn stack --config`.

The exit code is 0 if the data are fit for training, 1 if they are not, 2 if they cannot be read.

Examples:
  dbn check mnist
  dbn check csv:train.csv --label-column class --test csv:test.csv
  dbn check npy:x.npy --recipe x.toml
  dbn pretrain --config x.toml
  dbn check csv:t.csv --schema-out t.toml        then change t.toml, and
  dbn check csv:t.csv --schema t.toml";

/// Data to look at.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Data set, such as mnist, csv:FILE or images:DIR
    #[arg(value_name = "DATA", long_help = SOURCES)]
    pub(crate) data: Source,
    /// Test samples, read by the same options [default: those of the data]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) test: Option<Source>,
    #[command(flatten)]
    pub(crate) read: DataArgs<true>,
    /// Training to recommend settings for: pretrain or stack
    #[arg(long = "for", value_name = "VERB", hide_possible_values = true, value_parser = ["pretrain", "stack"], default_value = "pretrain")]
    pub(crate) verb: String,
    /// Write the recommendation as a recipe for `--config` of that training
    #[arg(long, value_name = "FILE")]
    pub(crate) recipe: Option<PathBuf>,
    /// Write what the columns are as a schema for `--schema`
    #[arg(long, value_name = "FILE")]
    pub(crate) schema_out: Option<PathBuf>,
    /// Write the weights of the sequences, a line each, as `--weights` reads them
    #[arg(long, value_name = "FILE")]
    pub(crate) weights_out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
