//! Options of `dbn eval`.

use super::machine::MachineArgs;
use super::on::{ModelOnData, PartName};
use crate::machine::device::DeviceName;
use clap::{Args, ValueEnum};
use deepbelief_data::Binarize;
use serde::Serialize;
use std::path::PathBuf;

pub(super) const EVAL_HELP: &str = "\
A model of binary units is measured on binary samples: grey pixels are drawn from their values
(--binarize), once or --draws times. `dbn classify` takes them as they are.

Where ln Z cannot be summed, chains anneal up from independent units (AIS) and down from training
samples (reverse AIS). The first figure combines both. Intervals are three standard errors of ln Z.
AIS tends to overestimate the likelihood. Reverse AIS tends to underestimate it where the training
samples are like the model's own.

There is no interval, and a warning says why, where the two directions sit in different phases,
differ by more than chance, or rest on few chains. Both start from the activities of the training
samples, and may miss modes that these do not show. A third run, from units without biases, looks
for such modes. It finds most of them; if it finds none, there may still be some.

The free-energy gap is the mean free energy of these samples less that of training samples.

`--split train` measures all samples of the training data, those that the training held out for
validation among them; `--split valid` measures these alone.

Examples:
  dbn eval models/mnist-rbm.safetensors
  dbn eval runs/deep --samples 1000 --temperatures 2000
  dbn eval runs/small --data csv:table.csv --json";

/// What is to be measured, and how well.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) on: ModelOnData<PartName>,
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
    /// Biases of the units along the annealing path
    #[arg(long, value_enum, default_value_t, help_heading = "Estimates")]
    pub(crate) path: PathName,
    /// Spacing of the inverse temperatures
    #[arg(long, value_enum, default_value_t, help_heading = "Estimates")]
    pub(crate) spacing: SpacingName,
    /// The former name of `--spacing adaptive`
    #[arg(long, hide = true, conflicts_with = "spacing")]
    pub(crate) adaptive: bool,
    /// Gibbs steps that reverse chains take from training samples before they anneal
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(..=1_000_000), help_heading = "Estimates")]
    pub(crate) burn_in: u32,
    /// Draws of the pixels from grey values; the mean over them is reported with its standard error
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Estimates")]
    pub(crate) draws: u16,
    /// Draws of the hidden layers under the top for every sample
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000), help_heading = "Estimates")]
    pub(crate) layer_draws: u16,
    /// Estimate the partition function even where it can be summed exactly
    #[arg(long, help_heading = "Estimates")]
    pub(crate) estimate: bool,
    /// Measure the pseudo-likelihood of an RBM too: exact or stochastic [default: none]
    ///
    /// `exact` sums over all visible units, each given the others: a bit or a spin among two values, a categorical unit
    /// among its levels, a number by its density. `stochastic` takes one unit of each sample, as scikit-learn does.
    #[arg(long, value_name = "HOW", value_enum, help_heading = "Estimates")]
    pub(crate) pseudo_likelihood: Option<PseudoName>,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Estimates")]
    pub(crate) seed: u64,
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
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// The biases along an annealing path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathName {
    /// From independent units, visible and hidden, with the means of the data.
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
