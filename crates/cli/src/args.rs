//! The command line, as clap sees it. What an option is worth when it is not given is decided
//! in [`crate::settings`], not here.

mod learning;
mod training;

pub(crate) use learning::{LearningArgs, PerLayer, per_layer};
pub(crate) use training::{PretrainArgs, StackArgs, TuneArgs};
#[cfg(test)]
pub(crate) use training::{RunArgs, Sizes};

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use deepbelief_data::{Binarize, Header, ImageShape, Scale, Source};
use serde::Serialize;
use std::path::PathBuf;

/// `dbn`: restricted Boltzmann machines from the command line.
#[derive(Debug, Parser)]
#[command(
    name = "dbn",
    version,
    about = "Train restricted Boltzmann machines, stack them into deep belief nets, and use them",
    max_term_width = 100,
    args_override_self = true,
    after_help = "Examples:\n  dbn pretrain --hidden 500 --epochs 30\n  dbn stack --layers 500,500,2000\n\n\
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
    #[command(after_help = training::PRETRAIN_HELP, after_long_help = training::PRETRAIN_LONG_HELP, allow_negative_numbers = true)]
    Pretrain(Box<PretrainArgs>),
    /// Train a stack of restricted Boltzmann machines, layer by layer: a deep belief net
    ///
    /// Without options this follows the recipe for MNIST: 500-500-2000 hidden units with the
    /// digits' labels at the top. Options that a layer of its own may have take one value for
    /// all layers or one a layer, from the bottom, with commas: --epochs 30,30,50.
    #[command(after_help = training::STACK_HELP, after_long_help = training::STACK_LONG_HELP, allow_negative_numbers = true)]
    Stack(Box<StackArgs>),
    /// Tune a deep belief net by wake-sleep: recognition and generative weights learn apart
    ///
    /// The up-down algorithm of Hinton, Osindero & Teh (2006): generative weights learn in the
    /// wake phase, recognition weights in the sleep phase, the top by contrastive divergence.
    /// The run folder receives the tuned model, and best.safetensors, the best one on the
    /// validation samples.
    #[command(after_help = training::TUNE_HELP, after_long_help = training::TUNE_LONG_HELP, allow_negative_numbers = true)]
    Tune(Box<TuneArgs>),
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
