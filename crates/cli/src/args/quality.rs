//! Options of `dbn quality`.

use super::data::DataArgs;
use super::log_z::GivenLogZ;
use super::machine::MachineArgs;
use clap::Args;
use deepbelief_data::{Binarize, Source};
use std::path::PathBuf;

pub(super) const QUALITY_HELP: &str = "\
Samples are the last states of Gibbs chains that start from visible units drawn by their biases.
They are compared with the training samples and, where the data have some, with test samples. The
training samples are compared with the test samples too: a perfect model would reach that.

  one, two, three     frequencies of one site, and connected frequencies of two and three sites:
                      Pearson's correlation between samples and data, and the slope. Two: all
                      pairs of columns; three: all triples of the 60 columns that vary most. Of
                      numbers they are means, covariances and third moments
  projections         on the first two principal components of the data: the share of the variance
                      that lies along each, and how far apart the two distributions are
                      (Wasserstein's distance in standard deviations of the data)
  adversarial         the share of points whose nearest neighbour is of their own kind (Yale et al.
                      2020): of data, of samples, and the mean of both, the accuracy. At 0.5
                      samples are like new data; above, unlike the data; below, copies of them
  mixing              Gibbs steps after which chains from the data have lost half of their
                      correlation with the start, and the correlation that is left after --steps
  free_energy         mean free energies, in nats; if ln Z is known, log_likelihood too

The picture has a panel for each of one, two, three, the projections of data and of samples, and
the free energies.

Examples:
  dbn quality runs/kunitz --out quality.json --picture quality.png
  dbn quality runs/kunitz --test csv:held-out.csv --steps 5000 --out quality.json";

/// Samples to compare with data.
#[derive(Debug, Args)]
pub(crate) struct QualityArgs {
    /// Checkpoint of an RBM, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Data that were not trained on [default: the test samples of the data, where there are some]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) test: Option<Source>,
    /// Samples to draw, each by a chain of its own [default: as many as training samples, 10,000 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) count: Option<u32>,
    /// Gibbs steps of each chain
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: u32,
    /// Make pixels binary: none, threshold=T or fixed [default: as in training; where states were drawn there, fixed]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// ln Z: the file of `dbn eval --out`, or nats [default: the exact sum, where it can be computed]
    #[arg(long, value_name = "JSON|X", allow_hyphen_values = true)]
    pub(crate) log_z: Option<GivenLogZ>,
    /// Random seed [default: that of the training]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Write all figures into this JSON file
    #[arg(long, value_name = "JSON")]
    pub(crate) out: Option<PathBuf>,
    /// Draw the figures into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) picture: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
