//! Options of the verbs that use a checkpoint.

use super::data::DataArgs;
use super::machine::MachineArgs;
use super::on::{ModelOnData, PartName, SplitName};
use super::text_form::TextFormArgs;
use crate::machine::device::DeviceName;
use crate::pictures::Form;
use clap::{Args, ValueEnum};
use deepbelief_data::{Binarize, ImageShape, Source};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) const ENCODE_HELP: &str = "\
What is written, for N samples and H hidden units:
  .safetensors  tensors features [N, H] F32; labels [N] I64; free_energy [N] F32
  .npy          features [N, H]; labels and free energies in files of their own beside it
                (features.labels.npy, features.free_energy.npy)
  .csv          columns h0 .. h(H-1), then free_energy, then label; before them what the samples are
                called and the columns that the model ignores, such as an identifier
  .parquet      the same columns
Rows stand in the order of the data. Labels are written where the data have them; in .npy and
.safetensors files words are numbers, from 0 in the order of the words. --free-energy writes free
energies (nats). For a stack it is that of the top RBM, with the units under it at their
probabilities after the pass up: the stack's own free energy is a sum too long to compute.

Examples:
  dbn encode runs/mnist-500 --data mnist --split test --out features.safetensors
  dbn encode runs/deep --depth 1 --out first-layer.npy";

pub(super) const SHOW_HELP: &str = "\
--units reads the training data and says of each hidden unit:
  importance  what the unit adds to their mean log-weight, in nats, beyond a unit whose input is
              constant
  acts on     (sum s)^2 / sum s^2 sites, with s the sum of the squares of its weights to a site, in
              the zero-sum gauge
A logo shows the letters of each site as high as their weights, positive ones above the axis, beside
a histogram of the unit's input. A table also has the sequences with the highest and the lowest
inputs, as numbers from 1 in the order of the training data.

Examples:
  dbn show runs/mnist-500 --filters filters.png
  dbn show runs/mnist-500 --terminal
  dbn show runs/kunitz --units units.svg --count 10
  dbn show runs/kunitz --units units.csv";

pub(super) const CLASSIFY_HELP: &str = "\
Columns of --out: the `line` of the file, from 1, or of data without lines the `row`, from 0; the
columns that the model ignores; the predicted label, its probability, and the label of the data.

Examples:
  dbn classify runs/deep
  dbn classify runs/deep --confusion --errors errors.png
  dbn classify runs/deep --split valid
  dbn classify runs/deep --data npy:new.npy --out labels.csv";

pub(super) const SAMPLE_HELP: &str = "\
A PNG has a row for each label and a column for each chain; with --shown above 1 it has a row
for each chain and a column for each time it is shown. A GIF or APNG shows one time after the
other.

A table has a row for each chain, each time it is shown. Its columns are those of the training
data, in their units, and then the label of the chain. Binary columns, categories and numbers of
Gaussian units are drawn given the layer above; a number of a Bernoulli unit is its probability,
scaled to the range of the column. For models of pictures and arrays the values are those of the
pixels or of the array. An .npy file has numbers alone: levels that are texts are numbered from 0,
and labels are in a file of their own (x.labels.npy). A .fasta file has the sequences of a model of
an alignment.

Examples:
  dbn sample runs/deep --label all --out digits.png
  dbn sample runs/deep --label 7 --count 5 --every 100 --shown 10 --out sevens.png
  dbn sample runs/deep --label all --steps 1 --every 1 --shown 200 --out dreaming.gif
  dbn sample runs/people --count 1000 --out people.csv
  dbn sample runs/kunitz --count 1000 --data fasta:PF00014.fasta.gz --out new.fasta";

pub(super) const RECONSTRUCT_HELP: &str = "\
A table has the reconstruction of every sample, in the columns and units of the training data: for
binary columns and categories the most probable value, for numbers the mean. The last column is the
label of the sample, the first are those that the model ignores. A .fasta file has the sequences of
an alignment.

Examples:
  dbn reconstruct runs/mnist-500 --out reconstructions.png
  dbn reconstruct runs/people --split train --out reconstructed.csv";

/// A checkpoint to look at.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Checkpoint, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    /// Draw the hidden units' weights into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) filters: Option<PathBuf>,
    /// Draw the curve of the run and some filters in the terminal, in the best form it has [default: auto]
    #[arg(
        long,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto",
        conflicts_with_all = ["filters", "units", "json"]
    )]
    pub(crate) terminal: Option<Form>,
    /// Layer to draw, 1 for the lowest [default: some filters of every layer]
    #[arg(long, value_name = "N", requires = "filters")]
    pub(crate) layer: Option<NonZeroUsize>,
    /// Size of a sample as an image [default: of the checkpoint]
    #[arg(long, value_name = "WxH")]
    pub(crate) image_size: Option<ImageShape>,
    /// Write what the hidden units of an RBM of sequences are for: logos into .svg or .png, or a table
    #[arg(long, value_name = "FILE")]
    pub(crate) units: Option<PathBuf>,
    /// Units to draw, the most important first
    #[arg(long, value_name = "N", requires = "units", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) count: u32,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
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
    /// Number of samples [default: 10 in a picture, all in a table]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: threshold as in training, else none]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// File to write: .png, a table: .csv, .npy, .parquet or .safetensors, or sequences: .fasta
    #[arg(long, value_name = "FILE", default_value = "reconstructions.png")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) form: TextFormArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
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
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: threshold as in training, else none]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// Layers to pass the samples up through; 0: none [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Write states drawn of the hidden units instead of their means, which are the probabilities
    /// of binary ones; in a stack every layer is drawn
    #[arg(long)]
    pub(crate) states: bool,
    /// Write each sample's free energy too, in nats
    #[arg(long)]
    pub(crate) free_energy: bool,
    /// File to write: .csv, .npy, .parquet or .safetensors
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

/// Samples to label.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    #[command(flatten)]
    pub(crate) on: ModelOnData<PartName>,
    /// Make pixels binary: none, threshold=T, fixed or fresh [default: threshold as in training, else none]
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
    pub(crate) form: TextFormArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a label is predicted.
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
    #[arg(long, value_name = "LABELS", allow_hyphen_values = true)]
    pub(crate) label: Option<Clamped>,
    /// What chains start at: noise, or data, which are training samples of their label [default: data for an RBM with
    /// labels that learned from chains which start there, if its data are the same; else noise]
    ///
    /// Chains of few steps stay near the samples they start at. A model of few samples often has no way from noise to all
    /// of its labels.
    #[arg(id = "start_at", long = "start", value_name = "FROM", conflicts_with = "given")]
    pub(crate) start: Option<StartName>,
    /// Values of columns that all chains keep, such as age=40,sex=m: the rest is drawn given these [default: none]
    ///
    /// For models of tables, and a table as the file to write. An alignment has its sites as columns, such as 50=C, or 50-52=CPG
    /// for a motif. Of one RBM hidden units may be given too, such as h3=1; they count from 0, as in `dbn encode`.
    #[arg(long, value_name = "COLUMN=VALUE,...", value_delimiter = ',', allow_hyphen_values = true, conflicts_with_all = ["shown", "every"])]
    pub(crate) given: Vec<String>,
    /// Chains for each label
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) count: u32,
    /// Gibbs steps before the first sample is shown
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) steps: u32,
    /// Gibbs steps between shown samples
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) every: u32,
    /// Temperature of the top RBM: above 1 samples vary more, below 1 less [default: 1]
    ///
    /// Its energies are divided by the temperature.
    #[arg(long, value_name = "T", value_parser = temperature)]
    pub(crate) temperature: Option<f64>,
    /// Alignment to find the nearest natural sequence of each sample in, fasta:FILE [default: none]
    ///
    /// Its name, the number of different letters and the share of equal ones stand behind the sample's name.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) data: Option<Source>,
    /// Times each chain is shown [default: 50 in a GIF or APNG, else 1]
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
    /// File to write: .png, .gif or .apng, a table: .csv, .npy, .parquet or .safetensors, or sequences: .fasta
    #[arg(long, value_name = "FILE", default_value = "samples.png")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) form: TextFormArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// A temperature, whose inverse is a number too.
fn temperature(text: &str) -> Result<f64, String> {
    let fits = |t: &f64| *t > 0.0 && (1.0 / t).is_finite() && t.is_finite();
    text.parse().ok().filter(fits).ok_or_else(|| "expected a number above 0, such as 0.5".to_string())
}

/// What chains start at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartName {
    /// States drawn by the biases of the units.
    Noise,
    /// Training samples of the label that is clamped, or any.
    Data,
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
        let words = ["dbn", "sample", "model", "--label", "-1,1"];
        assert!(<crate::args::Cli as clap::Parser>::try_parse_from(words).is_ok(), "a class may be negative");
    }
}
