//! Options of `dbn impute`.

use super::machine::MachineArgs;
use super::on::ModelOnData;
use super::text_form::TextFormArgs;
use clap::Args;
use std::path::PathBuf;

pub(super) const IMPUTE_HELP: &str = "\
Gibbs chains draw only the missing values. A missing number becomes the mean over the steps of the
chains, a missing binary value or category the most probable one.

Observed values are written as they stand in the file. A csv or parquet table has all columns of
the file, those that the model ignores too, and all its rows: a line of separators alone is a row
without any value. An .npy or .safetensors file has the columns that the model learned, as numbers.

--spread adds a column NAME.spread for each column that the model learned: for a number, its
standard deviation; for a binary value or category, the probability that another one is right.

--draws N writes N tables one after the other, with a first column `draw` from 1 to N: every missing
value is drawn. Numbers of Bernoulli units are means given the last states of a chain.

Examples:
  dbn impute runs/people --data csv:people.csv --out filled.csv --spread
  dbn impute runs/people --data csv:people.csv --draws 5 --out draws.csv";

/// Samples to fill.
#[derive(Debug, Args)]
pub(crate) struct ImputeArgs {
    #[command(flatten)]
    pub(crate) on: ModelOnData,
    /// Tables to draw [default: none, one table of means and most probable values]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) draws: Option<u32>,
    /// Gibbs steps of a chain, after 20 that do not count
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) sweeps: u32,
    /// Add columns that say how far a value may be off
    #[arg(long, conflicts_with = "draws")]
    pub(crate) spread: bool,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Table to write: .csv, .npy, .parquet or .safetensors, or sequences: .fasta
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) form: TextFormArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
