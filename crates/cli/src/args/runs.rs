//! Options of the verbs that look over runs.

use clap::Args;
use std::path::PathBuf;

pub(super) const RUNS_HELP: &str = "\
Columns:
  started      date and time (UTC); of a resumed run, that of the last resume
  data         what it learns from
  epochs       done, of how many
  cost         after the last epoch, in nats per sample, of validation samples where there are some:
               the reconstruction cost of an RBM or of a stack's last layer, the variational cost of
               a tuning, the cost of a training by backpropagation
  label error  likewise, in per cent
  time         of all epochs
  state        finished, stopped early (by --patience or --tolerance), diverged, failed (both say
               why in failure.txt), or unfinished: continue with --resume

Examples:
  dbn runs
  dbn runs /data/experiments --json";

pub(super) const REPORT_HELP: &str = "\
The page shows the figures of metrics.jsonl, the weights of the checkpoint, and what the training
saw its model do on data. While the run goes on, the open page loads itself again.

Examples:
  dbn report runs/mnist-500
  dbn report runs/mnist-500 runs/mnist-500-2 --out compare.html
  dbn report runs/mnist-500 --json
  dbn report --figures";

pub(super) const COMPARE_HELP: &str = "\
Weights are compared where both models have a tensor of the same name and shape, unit by unit:
trainings from different seeds put the same features into different units.

Examples:
  dbn compare runs/mnist-500 runs/mnist-500-2
  dbn compare models/mnist-dbn.safetensors models/mnist-dbn-tuned.safetensors --json";

/// Runs to list.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Folder that holds the runs, or one run
    #[arg(value_name = "DIR", default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs to draw.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run folders; several are compared
    #[arg(value_name = "RUN", required_unless_present = "figures")]
    pub(crate) runs: Vec<PathBuf>,
    /// File to write [default: report.html in the run folder, compare.html for several]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object for a run, or a list for several, and write nothing
    #[arg(long, conflicts_with = "out")]
    pub(crate) json: bool,
    /// Print what every figure means
    #[arg(long, conflicts_with_all = ["runs", "out", "json"])]
    pub(crate) figures: bool,
}

/// Two models.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// Another
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
