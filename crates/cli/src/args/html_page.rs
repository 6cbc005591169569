//! Options of `dbn page`.

use super::data::DataArgs;
use super::machine::MachineArgs;
use super::on::SplitName;
use clap::Args;
use std::path::PathBuf;

pub(super) const PAGE_HELP: &str = "\
The page is one HTML file for any browser of today, on a phone too. It holds the model, in float16
numbers, and some samples to try; it needs no server and no network, and its own policy forbids
every request. Mail it, or open it with a double click.

Of a model of pictures one draws, dreams and completes; of a model of a table one chooses values of
some columns, and sees how the others are then distributed.

Examples:
  dbn page runs/deep --out deep.html
  dbn page runs/faces --image-size 32x24 --examples 0
  dbn page runs/people --out people.html";

/// Samples that a page has.
const EXAMPLES: u32 = 50;

/// The file of a page.
const OUT: &str = "page.html";

/// A page to make.
#[derive(Debug, Args)]
pub(crate) struct PageArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Samples to take examples from: train or test; without a test set, train
    #[arg(long, default_value = "test")]
    pub(crate) split: SplitName,
    /// Samples to put into the page, of each class as many; 0 reads no data
    #[arg(long, value_name = "N", default_value_t = EXAMPLES, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub(crate) examples: u32,
    /// Name of the model on the page [default: that of the file or folder]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// File to write (.html)
    #[arg(long, value_name = "FILE", default_value = OUT)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

impl PageArgs {
    /// The page that is made where nothing else is asked for.
    pub(crate) fn of(checkpoint: PathBuf) -> Self {
        Self {
            checkpoint,
            data: DataArgs::default(),
            split: SplitName::Test,
            examples: EXAMPLES,
            title: None,
            out: OUT.into(),
            machine: MachineArgs::default(),
            json: false,
        }
    }
}
