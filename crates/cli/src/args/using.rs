//! Options of the verbs that use a checkpoint.

use super::data::DataArgs;
use super::memory::MemoryArgs;
use crate::machine::device::DeviceName;
use clap::{Args, ValueEnum};
use deepbelief_data::{Binarize, ImageShape};
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) const ENCODE_HELP: &str = "\
What is written, for N samples and H hidden units:
  .safetensors  features [N, H] F32; labels [N] I64; free_energy [N] F32
  .npy          features [N, H]; labels and free energies in files of their own beside it
                (features.labels.npy, features.free_energy.npy)
  .csv          columns h0 .. h(H-1), then free_energy, then label
Labels are written where the data have them, free energies (nats) with --free-energy. Of a stack
that is the top RBM's free energy of the units under it, held at their probabilities after the
pass up: a stack's own free energy of a sample is a sum too long to compute.

Examples:
  dbn encode runs/mnist-500 --data mnist --split test --out features.safetensors
  dbn encode runs/deep --depth 1 --out first-layer.npy";

pub(super) const CLASSIFY_HELP: &str = "\
Examples:
  dbn classify runs/deep
  dbn classify runs/deep --confusion --errors errors.png
  dbn classify runs/deep --data npy:new.npy --out labels.csv";

pub(super) const EVAL_HELP: &str = "\
Likelihoods are of binary samples. Grey pixels are drawn from their values (--binarize), once or
--draws times; `dbn classify` takes them as they are.

Where ln Z cannot be summed, chains anneal up from independent units (AIS) and down from training
samples (reverse AIS). The first figure combines both. Intervals are three standard errors of ln Z.
AIS tends to overestimate the likelihood. Reverse AIS tends to underestimate it where the training
samples are like the model's own.

There is no interval, and a warning says why, where the two directions sit in different phases,
differ by more than chance, or rest on few chains. Both start from the activities of the training
samples: of modes that these do not show they may know nothing. A third run from fair units looks
for such modes. It finds most, and proves nothing where it finds none.

The free-energy gap is to training samples of the same data.

Examples:
  dbn eval models/mnist-rbm.safetensors
  dbn eval runs/deep --samples 1000 --temperatures 2000
  dbn eval runs/small --data csv:table.csv --json";

pub(super) const SAMPLE_HELP: &str = "\
A PNG has a row for each label and a column for each chain; with --shown above 1 it has a row
for each chain and a column for each time it is shown. A GIF or APNG shows one time after the
other.

Examples:
  dbn sample runs/deep --label all --out digits.png
  dbn sample runs/deep --label 7 --count 5 --every 100 --shown 10 --out sevens.png
  dbn sample runs/deep --label all --steps 1 --every 1 --shown 200 --out dreaming.gif";

/// A checkpoint to look at.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// Draw the hidden units' weights into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) filters: Option<PathBuf>,
    /// Layer to draw, counted from 0 [default: some filters of every layer]
    #[arg(long, value_name = "N", requires = "filters")]
    pub(crate) layer: Option<usize>,
    /// Size of a sample as an image [default: of the checkpoint]
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
    /// Samples to use: train or test; without a test set, train
    #[arg(long, default_value = "test")]
    pub(crate) split: SplitName,
    /// Number of samples
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) count: u32,
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: as in training]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// PNG file to write
    #[arg(long, value_name = "PNG", default_value = "reconstructions.png")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Features to write.
#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Samples to use: train or test
    #[arg(long, default_value = "train")]
    pub(crate) split: SplitName,
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: as in training]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// Layers to pass the samples up through; 0: none [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Write binary states drawn from the probabilities instead of the probabilities; in a stack
    /// every layer is drawn
    #[arg(long)]
    pub(crate) states: bool,
    /// Write each sample's free energy too, in nats
    #[arg(long)]
    pub(crate) free_energy: bool,
    /// File to write: .safetensors, .npy or .csv
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Samples to label.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Samples to use: train or test [default: test, or train where there is no test set]
    #[arg(long)]
    pub(crate) split: Option<SplitName>,
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: as in training]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// How to predict labels: free-energy or gibbs
    #[arg(long, default_value = "free-energy")]
    pub(crate) method: Method,
    /// Gibbs steps of --method gibbs
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) steps: u32,
    /// Print the confusion matrix too
    #[arg(long)]
    pub(crate) confusion: bool,
    /// Draw the samples that got a wrong label into this PNG file, the surest first
    #[arg(long, value_name = "PNG")]
    pub(crate) errors: Option<PathBuf>,
    /// Write each sample's label and its probability into this CSV file
    #[arg(long, value_name = "CSV")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is to be measured, and how well.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Samples to use: train or test [default: test, or train where there is no test set]
    #[arg(long)]
    pub(crate) split: Option<SplitName>,
    /// Make pixels binary: threshold=T or fixed [default: threshold as in training, else fixed]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// Measure only the first N samples [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: Option<u32>,
    /// Chains of each estimate of the partition function
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000), help_heading = "Estimates")]
    pub(crate) chains: u32,
    /// Inverse temperatures that the chains pass
    #[arg(long, value_name = "N", default_value_t = 14_500, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Estimates")]
    pub(crate) temperatures: u32,
    /// Biases along the way
    #[arg(long, value_enum, default_value_t, help_heading = "Estimates")]
    pub(crate) path: PathName,
    /// Where the temperatures lie
    #[arg(long, value_enum, default_value_t, help_heading = "Estimates")]
    pub(crate) spacing: SpacingName,
    /// The former name of `--spacing adaptive`
    #[arg(long, hide = true, conflicts_with = "spacing")]
    pub(crate) adaptive: bool,
    /// Gibbs steps from training samples before the chains in reverse
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(..=1_000_000), help_heading = "Estimates")]
    pub(crate) burn_in: u32,
    /// Draws of the pixels from grey values; the mean over them is reported with its standard error
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Estimates")]
    pub(crate) draws: u16,
    /// Draws of the hidden layers under the top for every sample
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000), help_heading = "Estimates")]
    pub(crate) layer_draws: u16,
    /// Estimate even where the exact sum can be had
    #[arg(long, help_heading = "Estimates")]
    pub(crate) estimate: bool,
    /// Measure the pseudo-likelihood of an RBM too: exact or stochastic [default: none]
    ///
    /// `exact` sums over all visible units, each given the others. `stochastic` takes one unit of each sample,
    /// as scikit-learn does.
    #[arg(long, value_name = "HOW", value_enum, help_heading = "Estimates")]
    pub(crate) pseudo_likelihood: Option<PseudoName>,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Estimates")]
    pub(crate) seed: u64,
    /// Threads; 0: one a core
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Estimates")]
    pub(crate) threads: u32,
    /// Device to estimate the partition function on: auto, cpu or cuda:N
    #[arg(
        long,
        env = "DBN_DEVICE",
        hide_env = true,
        value_name = "DEVICE",
        default_value_t,
        help_heading = "Estimates"
    )]
    pub(crate) device: DeviceName,
    /// Write the JSON object into this file too; `dbn push` shows the evaluation.json of a run folder
    #[arg(long, value_name = "JSON")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// The biases along an annealing path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathName {
    /// From independent units with the means of the data on both sides.
    #[default]
    Independent,
    /// Fitted at some knots, so that every unit keeps its mean: slower, better across phases, worse elsewhere.
    Matched,
    /// From independent visible units; hidden units are on half of the time (published).
    Visible,
}

/// Where the inverse temperatures of a ladder lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SpacingName {
    /// Close where a pilot run finds that the distribution changes fast.
    #[default]
    Adaptive,
    /// Two thirds of them between 0.9 and 1 (published).
    Published,
}

/// How a pseudo-likelihood is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PseudoName {
    /// Over all visible units.
    Exact,
    /// By one unit a sample.
    Stochastic,
}

/// How a label is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// By the exact free energy of each label.
    FreeEnergy,
    /// By Gibbs sampling of the label: slower, noisier and worse, for comparison.
    Gibbs,
}

/// Chains to show.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// Labels to clamp, comma-separated, by name or number, or `all` [default: none, labels are free]
    #[arg(long, value_name = "LABELS")]
    pub(crate) label: Option<Clamped>,
    /// Chains for each label
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) count: u32,
    /// Gibbs steps before the first sample is shown
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) steps: u32,
    /// Gibbs steps between shown samples
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: u32,
    /// Times each chain is shown [default: 1 in a PNG, 50 in a GIF or APNG]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) shown: Option<u32>,
    /// Random seed [default: that of the training]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Size of a sample as an image [default: of the checkpoint]
    #[arg(long, value_name = "WxH")]
    pub(crate) image_size: Option<ImageShape>,
    /// Device to run the chains on: auto, cpu or cuda:N
    ///
    /// The samples depend on the device.
    #[arg(long, env = "DBN_DEVICE", hide_env = true, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: DeviceName,
    /// File to write: .png, .gif or .apng
    #[arg(long, value_name = "FILE", default_value = "samples.png")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Labels that are clamped: names or numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clamped {
    All,
    These(Vec<String>),
}

impl FromStr for Clamped {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let labels: Vec<String> = text.split(',').map(|label| label.trim().to_string()).collect();
        if labels.iter().any(String::is_empty) {
            return Err("a label is missing: write 7 or 0,1,2, the names of classes, or `all`".into());
        }
        Ok(Self::These(labels))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_one_by_one_or_all_at_once() {
        let these = |labels: &[&str]| Ok(Clamped::These(labels.iter().map(ToString::to_string).collect()));
        assert_eq!("7".parse(), these(&["7"]));
        assert_eq!("0, bee,2".parse(), these(&["0", "bee", "2"]));
        assert_eq!("all".parse(), Ok(Clamped::All));
        for bad in ["", "7,", ",7", "7,,8"] {
            assert!(bad.parse::<Clamped>().unwrap_err().contains("0,1,2"), "{bad}");
        }
    }
}
