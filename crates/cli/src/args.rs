//! The command line, as clap sees it. What an option is worth when it is not given is decided
//! in [`crate::settings`], not here.

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use deepbelief_data::{Binarize, Header, ImageShape, Scale, Source};
use serde::Serialize;
use std::path::PathBuf;

/// Text that is part of two constants.
macro_rules! pretrain_help {
    () => {
        "\
Every option may also come from the environment (DBN_HIDDEN for --hidden) or from a recipe
(hidden = 500 in the file given by --config); a flag beats the environment, the environment the
recipe, and the recipe the built-in one, whose values are the defaults.

Examples:
  dbn pretrain
  dbn pretrain --hidden 100 --epochs 10 --out runs/small
  dbn pretrain --data csv:table.csv --label-column class --scale minmax
  dbn pretrain --resume runs/small --epochs 20"
    };
}

/// `dbn`: restricted Boltzmann machines from the command line.
#[derive(Debug, Parser)]
#[command(
    name = "dbn",
    version,
    about = "Train restricted Boltzmann machines and look into them",
    max_term_width = 100,
    args_override_self = true,
    after_help = "Example: dbn pretrain --hidden 500 --epochs 30\n\n\
        Exit codes: 0 done, 1 a check failed, 2 error, 130 interrupted after saving."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said, and how.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct LogArgs {
    /// Only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// How messages are written to stderr: for people, or one JSON object a line
    #[arg(long, global = true, env = "DBN_LOG_FORMAT", hide_env = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// Shape of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train one restricted Boltzmann machine by contrastive divergence
    ///
    /// Without options this follows the recipe for MNIST: 500 hidden units on all 60,000 digits.
    /// The run folder receives the checkpoint, the metrics and the pictures.
    #[command(after_help = pretrain_help!(), after_long_help = PRETRAIN_LONG_HELP, allow_negative_numbers = true)]
    Pretrain(Box<PretrainArgs>),
    /// Show what is in a checkpoint: header, shapes, statistics, filters
    #[command(after_help = "Example: dbn show runs/mnist-500 --filters filters.png")]
    Show(ShowArgs),
    /// Draw samples over their one-step reconstructions
    #[command(after_help = "Example: dbn reconstruct runs/mnist-500 --out reconstructions.png")]
    Reconstruct(ReconstructArgs),
    /// Write hidden probabilities of a data set: features for other programs
    #[command(after_help = ENCODE_HELP)]
    Encode(EncodeArgs),
}

/// What long help adds to short: every default, as the recipe that it is.
const PRETRAIN_LONG_HELP: &str =
    concat!(pretrain_help!(), "\n\nBuilt-in recipe:\n", include_str!("../../../models/mnist-rbm.toml"));

const ENCODE_HELP: &str = "\
What is written, for N samples and H hidden units:
  .safetensors  features [N, H] F32; labels [N] I64; free_energy [N] F32
  .npy          features [N, H]; labels and free energies in files of their own beside it
                (features.labels.npy, features.free_energy.npy)
  .csv          columns h0 .. h(H-1), then free_energy, then label
Labels are written where the data have them, free energies (nats) with --free-energy.

Example: dbn encode runs/mnist-500 --data mnist --split test --out features.safetensors";

/// How data are read.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// Data set: mnist, idx:DIR, csv:FILE, npy:FILE, npz:FILE, safetensors:FILE or images:DIR
    #[arg(long, env = "DBN_DATA", hide_env = true, value_name = "SOURCE")]
    pub(crate) data: Option<Source>,
    /// How values come to lie between 0 and 1
    #[arg(long, env = "DBN_SCALE", hide_env = true, value_name = "auto|none|255|minmax")]
    pub(crate) scale: Option<Scale>,
    /// CSV column that holds the labels: a name, an index from 0, `first` or `last`
    #[arg(long, env = "DBN_LABEL_COLUMN", hide_env = true, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    /// Whether a CSV file's first line names the columns
    #[arg(long, env = "DBN_HEADER", hide_env = true, value_name = "auto|yes|no")]
    pub(crate) header: Option<Header>,
    /// Shape of a sample as a picture; pictures of images:DIR are resized to it
    #[arg(long, env = "DBN_IMAGE_SIZE", hide_env = true, value_name = "WxH")]
    pub(crate) image_size: Option<ImageShape>,
}

/// `dbn pretrain`. The names of the fields are the keys of a recipe.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct PretrainArgs {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) data: DataArgs,
    /// Training samples held out to see overfitting, as many of each class as it has a share of
    #[arg(long, env = "DBN_VALID", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) valid: Option<u32>,
    /// How grey values become binary: none, threshold=T, fixed (one draw) or fresh (a draw at
    /// every presentation)
    #[arg(long, env = "DBN_BINARIZE", hide_env = true, value_name = "HOW", help_heading = "Data")]
    pub(crate) binarize: Option<Binarize>,
    /// Samples in a minibatch
    #[arg(long, env = "DBN_BATCH_SIZE", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) batch_size: Option<u32>,
    /// Equal numbers of each class in every minibatch
    #[arg(long, env = "DBN_BALANCED", hide_env = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Data")]
    pub(crate) balanced: Option<bool>,

    /// Hidden units
    #[arg(long, env = "DBN_HIDDEN", hide_env = true, value_name = "N", help_heading = "Model")]
    pub(crate) hidden: Option<u32>,
    /// Standard deviation of the initial weights
    #[arg(long, env = "DBN_WEIGHT_STD", hide_env = true, value_name = "X", help_heading = "Model")]
    pub(crate) weight_std: Option<f64>,
    /// Where visible biases start: at the log-odds of the data's means, or at zero
    #[arg(long, env = "DBN_VISIBLE_BIAS", hide_env = true, value_parser = words(&["log-odds", "zero"]), help_heading = "Model")]
    pub(crate) visible_bias: Option<String>,

    /// Passes over the data
    #[arg(long, env = "DBN_EPOCHS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) epochs: Option<u32>,
    /// Step size
    #[arg(long, env = "DBN_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) learning_rate: Option<f64>,
    /// How the step size moves to the final one over the epochs
    #[arg(long, env = "DBN_SCHEDULE", hide_env = true, value_parser = words(&["constant", "linear", "exponential"]), help_heading = "Learning")]
    pub(crate) schedule: Option<String>,
    /// Step size of the last epoch, unless the schedule is constant
    #[arg(long, env = "DBN_FINAL_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_learning_rate: Option<f64>,
    /// Gibbs steps of the negative phase: the k of CD-k
    #[arg(long, env = "DBN_CD_STEPS", hide_env = true, value_name = "K", help_heading = "Learning")]
    pub(crate) cd_steps: Option<u32>,
    /// Persistent chains; 0 starts every chain from the data
    #[arg(long, env = "DBN_PERSISTENT_CHAINS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) persistent_chains: Option<u32>,
    /// Whether reconstructed visible units are drawn, or kept as probabilities
    #[arg(long, env = "DBN_VISIBLE_STATES", hide_env = true, value_parser = words(&["sampled", "probabilities"]), help_heading = "Learning")]
    pub(crate) visible_states: Option<String>,
    /// Share of the last step kept in the next, in the first epochs
    #[arg(long, env = "DBN_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) momentum: Option<f64>,
    /// The same in the later epochs
    #[arg(long, env = "DBN_FINAL_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_momentum: Option<f64>,
    /// Epochs trained with the first momentum
    #[arg(long, env = "DBN_MOMENTUM_SWITCH", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) momentum_switch: Option<u32>,
    /// L2 cost of the weights
    #[arg(long, env = "DBN_WEIGHT_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) weight_cost: Option<f64>,
    /// L1 cost of the weights
    #[arg(long, env = "DBN_L1_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) l1_cost: Option<f64>,
    /// Mean hidden probability that the sparsity cost pulls towards
    #[arg(long, env = "DBN_SPARSITY_TARGET", hide_env = true, value_name = "P", help_heading = "Learning")]
    pub(crate) sparsity_target: Option<f64>,
    /// Strength of that pull; 0 turns it off
    #[arg(long, env = "DBN_SPARSITY_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) sparsity_cost: Option<f64>,
    /// Stop when the reconstruction cost changes by at most this many nats from one epoch to the
    /// next; 0 turns it off
    #[arg(long, env = "DBN_TOLERANCE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) tolerance: Option<f64>,
    /// Stop after this many epochs of overfitting in a row; 0 turns it off
    #[arg(long, env = "DBN_PATIENCE", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) patience: Option<u32>,
    /// Seed of everything that is drawn; the same seed gives the same file
    #[arg(long, env = "DBN_SEED", hide_env = true, value_name = "N", value_parser = seed, help_heading = "Learning")]
    pub(crate) seed: Option<u64>,

    /// Threads; 0 takes one a core. The result does not depend on it
    #[arg(long, env = "DBN_THREADS", hide_env = true, value_name = "N", help_heading = "Run")]
    pub(crate) threads: Option<u32>,
    /// Where to compute
    #[arg(long, env = "DBN_DEVICE", hide_env = true, value_parser = words(&["auto", "cpu"]), help_heading = "Run")]
    pub(crate) device: Option<String>,
    /// Save every N epochs as well as at the end; 0 only at the end
    #[arg(long, env = "DBN_SAVE_EVERY", hide_env = true, value_name = "N", help_heading = "Run")]
    pub(crate) save_every: Option<u32>,
    /// Draw pictures every N epochs as well as at the end; 0 only at the end
    #[arg(long, env = "DBN_PICTURE_EVERY", hide_env = true, value_name = "N", help_heading = "Run")]
    pub(crate) picture_every: Option<u32>,
    /// Run folder; by default a new one under runs/
    #[arg(long, env = "DBN_OUT", hide_env = true, value_name = "DIR", help_heading = "Run")]
    #[serde(skip)]
    pub(crate) out: Option<PathBuf>,
    /// Continue the run in this folder as if it had never stopped
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "force"], help_heading = "Run")]
    #[serde(skip)]
    pub(crate) resume: Option<PathBuf>,
    /// Recipe (TOML)
    #[arg(long, env = "DBN_CONFIG", hide_env = true, value_name = "FILE", help_heading = "Run")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// Replace a run that is already in the folder
    #[arg(long, help_heading = "Run")]
    #[serde(skip)]
    pub(crate) force: bool,
}

/// A checkpoint to look at.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// Draw the hidden units' weights into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) filters: Option<PathBuf>,
    /// Shape of the visible units as a picture, where the checkpoint does not say
    #[arg(long, value_name = "WxH")]
    pub(crate) image_size: Option<ImageShape>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Samples to reconstruct.
#[derive(Debug, Args)]
pub(crate) struct ReconstructArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which samples; without a test set the training samples are used
    #[arg(long, default_value = "test")]
    pub(crate) split: SplitName,
    /// Number of samples
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) count: u32,
    /// How grey values become binary; by default as in training
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// PNG file to write
    #[arg(long, value_name = "PNG")]
    pub(crate) out: PathBuf,
}

/// Features to write.
#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Which samples
    #[arg(long, default_value = "train")]
    pub(crate) split: SplitName,
    /// How grey values become binary; by default as in training
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// Write binary states drawn from the probabilities instead of the probabilities
    #[arg(long)]
    pub(crate) states: bool,
    /// Write each sample's free energy too, in nats
    #[arg(long)]
    pub(crate) free_energy: bool,
    /// File to write: .safetensors, .npy or .csv
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitName {
    /// Training samples, validation samples included.
    Train,
    /// Test samples.
    Test,
}

fn words(words: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

/// Recipes keep integers of 63 bits.
fn seed(text: &str) -> Result<u64, String> {
    let range = "a seed is a whole number from 0 to 9223372036854775807";
    text.parse().ok().filter(|&seed| i64::try_from(seed).is_ok()).ok_or_else(|| range.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
