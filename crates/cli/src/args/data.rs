//! Options of `dbn data`.

use clap::{Args, Subcommand};
use deepbelief_data::Synthetic;
use std::path::PathBuf;

pub(super) const MAKE_HELP: &str = "\
Kinds, each of equally probable samples, with their usual size:
  bars-and-stripes  4: pictures with whole rows on, or whole columns
  shifter           8: random units, and the same moved by one, or not
  labelled-shifter  8: with three more units that say which way
  parity            8: an even number of units is on

Examples:
  dbn data make bars-and-stripes --out bars.csv
  dbn pretrain --data csv:bars.csv --label-column label --valid 0 --binarize threshold=0.5 --hidden 16 \
      --batch-size 32 --persistent-chains 500 --learning-rate 0.1 --schedule linear --final-learning-rate 0.0005 \
      --epochs 20000 --momentum 0 --final-momentum 0 --weight-cost 0 --out runs/bars
  dbn eval runs/bars --split train       exactly: the entropy is the best there is";

/// What to do with data.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Make a small binary data set whose entropy is known
    #[command(after_help = MAKE_HELP)]
    Make(MakeArgs),
}

/// A data set to make.
#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    /// Kind of samples
    #[arg(value_name = "KIND")]
    pub(crate) kind: Synthetic,
    /// Pixels a side, or units; by default what is usual
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u32>,
    /// File to write (.csv)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
