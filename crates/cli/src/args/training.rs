//! Options of the verbs that train.

use super::{DataArgs, LearningArgs, PerLayer, words};
use crate::device::DeviceName;
use crate::save_every::SaveEvery;
use clap::Args;
use deepbelief_data::Binarize;
use deepbelief_wake_sleep::TopSteps;
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;

/// Text that is part of two constants.
macro_rules! precedence {
    () => {
        "\
Every option may also come from the environment (DBN_EPOCHS for --epochs) or from a recipe
(epochs = 30 in the file given by --config); a flag beats the environment, the environment the
recipe, and the recipe the built-in one, whose values are the defaults.
"
    };
}

/// Text that is part of two constants.
macro_rules! pretrain_help {
    () => {
        concat!(
            precedence!(),
            "
Examples:
  dbn pretrain
  dbn pretrain --hidden 100 --epochs 10 --out runs/small
  dbn pretrain --data csv:table.csv --label-column class --scale minmax
  dbn pretrain --resume runs/small"
        )
    };
}

/// Text that is part of two constants.
macro_rules! stack_help {
    () => {
        concat!(
            precedence!(),
            "
A recipe may hold values for all layers (epochs = 30), for each layer (epochs = [30, 30, 50]),
for the top alone (under [top]), or a table a layer, from the bottom (under [[layer]]); what
stands in a later of these places beats what stands in an earlier one.

Examples:
  dbn stack
  dbn stack --layers 500,500,2000 --epochs 30,30,50 --out runs/deep
  dbn stack --layers 200,200 --labels none --data csv:table.csv
  dbn stack --resume runs/deep"
        )
    };
}

pub(super) use precedence;

pub(super) const PRETRAIN_HELP: &str = pretrain_help!();

/// What long help adds to short: every default, as the recipe that it is.
pub(super) const PRETRAIN_LONG_HELP: &str =
    concat!(pretrain_help!(), "\n\nBuilt-in recipe:\n", include_str!("../../../../models/mnist-rbm.toml"));

/// Text that is part of two constants.
macro_rules! tune_help {
    () => {
        concat!(
            precedence!(),
            "
Examples:
  dbn tune models/mnist-dbn.safetensors
  dbn tune runs/deep --top-steps 3x30,6x30 --out runs/tuned
  dbn tune runs/deep --freeze recognition
  dbn tune --from-scratch --layers 200,200 --top factorial --data csv:table.csv
  dbn tune --resume runs/tuned"
        )
    };
}

pub(super) const TUNE_HELP: &str = tune_help!();

pub(super) const TUNE_LONG_HELP: &str =
    concat!(tune_help!(), "\n\nBuilt-in recipe:\n", include_str!("../../../../models/mnist-dbn-tune.toml"));

pub(super) const STACK_HELP: &str = stack_help!();

pub(super) const STACK_LONG_HELP: &str =
    concat!(stack_help!(), "\n\nBuilt-in recipe:\n", include_str!("../../../../models/mnist-dbn.toml"));

/// What is held out, and how samples are dealt. The names of the fields are the keys of a
/// recipe, here and below.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct BatchArgs {
    /// Training samples held out to see overfitting, as many of each class as it has a share of
    ///
    /// Every epoch is measured on some of them and on as many training samples: at most 2,000 in
    /// `dbn pretrain`, 5,000 in `dbn stack`, 10,000 in `dbn tune` and `dbn finetune`, which choose their best so.
    #[arg(long, env = "DBN_VALID", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) valid: Option<u32>,
    /// How grey values become binary: none, threshold=T, fixed (one draw) or fresh (a draw at
    /// every presentation)
    #[arg(long, env = "DBN_BINARIZE", hide_env = true, value_name = "HOW", help_heading = "Data")]
    pub(crate) binarize: Option<Binarize>,
    /// Every class in each minibatch as often as in the data
    #[arg(long, env = "DBN_BALANCED", hide_env = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Data")]
    pub(crate) balanced: Option<bool>,
}

/// How many labels are known.
#[derive(Debug, Clone, Copy, Default, Args, Serialize)]
pub(crate) struct LabelledArgs {
    /// Learn from the labels of so many training samples, as many of each class as it has a share
    /// of; 0 takes all
    ///
    /// In `dbn stack` they train the top, and the layers under it learn from all samples, without
    /// labels; `dbn tune` and `dbn finetune` train on these samples alone.
    #[arg(long, env = "DBN_LABELLED", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) labelled: Option<u32>,
}

/// `dbn pretrain`.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct PretrainArgs {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) batches: BatchArgs,
    /// Hidden units
    #[arg(long, env = "DBN_HIDDEN", hide_env = true, value_name = "N", help_heading = "Model")]
    pub(crate) hidden: Option<u32>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) learning: LearningArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: RunArgs,
}

/// `dbn stack`.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct StackArgs {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) batches: BatchArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) labelled: LabelledArgs,
    /// Hidden units of every layer, from the bottom
    #[arg(long, env = "DBN_LAYERS", hide_env = true, value_name = "N,N,...", help_heading = "Model")]
    pub(crate) layers: Option<Sizes>,
    /// A label group beside the units under the top: where the data have labels (auto), without
    /// fail (yes) or never (none)
    #[arg(long, env = "DBN_LABELS", hide_env = true, value_parser = words(&["auto", "yes", "none"]), help_heading = "Model")]
    pub(crate) labels: Option<String>,
    /// Where a layer starts: from small random weights, or from the transposed weights of the
    /// layer below
    #[arg(long, env = "DBN_START", hide_env = true, value_name = "random|transposed", help_heading = "Model")]
    pub(crate) start: Option<String>,
    /// What a layer passes up to the next: its probabilities, or states drawn from them
    #[arg(long, env = "DBN_PROPAGATE", hide_env = true, value_parser = words(&["probabilities", "samples"]), help_heading = "Model")]
    pub(crate) propagate: Option<String>,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) learning: PerLayer,
    /// Memory for the input of a layer, in MiB: probabilities are kept as floats or bytes, states as
    /// bits; what does not fit is computed anew for every minibatch
    #[arg(long, env = "DBN_CACHE", hide_env = true, value_name = "MIB", help_heading = "Run")]
    pub(crate) cache: Option<u32>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: RunArgs,
}

/// `dbn tune`.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct TuneArgs {
    /// Checkpoint to start from, or run folder that holds one
    #[arg(value_name = "CKPT", required_unless_present_any = ["resume", "from_scratch"], conflicts_with = "resume")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Start from small random weights instead (Hinton, Dayan, Frey & Neal 1995); needs --layers
    #[arg(long, conflicts_with_all = ["checkpoint", "resume"], requires = "layers", help_heading = "Model")]
    #[serde(skip)]
    pub(crate) from_scratch: bool,
    /// Hidden units of every layer of a net from scratch, from the bottom
    #[arg(long, value_name = "N,N,...", help_heading = "Model")]
    pub(crate) layers: Option<Sizes>,
    /// Standard deviation of its initial weights
    #[arg(long, value_name = "X", help_heading = "Model")]
    pub(crate) weight_std: Option<f64>,
    /// What stands above the directed layers: an RBM, or independent units as in a sigmoid belief
    /// net
    #[arg(long, env = "DBN_TOP", hide_env = true, value_parser = words(&["undirected", "factorial"]), help_heading = "Model")]
    pub(crate) top: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) batches: BatchArgs,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) labelled: LabelledArgs,
    /// Samples in a minibatch
    #[arg(long, env = "DBN_BATCH_SIZE", hide_env = true, value_name = "N", help_heading = "Data")]
    pub(crate) batch_size: Option<u32>,
    /// Gibbs steps of the top in an update x epochs, phase after phase: 3x100,6x100,10x100
    #[arg(long, env = "DBN_TOP_STEPS", hide_env = true, value_name = "KxN,...", help_heading = "Learning")]
    pub(crate) top_steps: Option<TopSteps>,
    /// Step size of the generative weights, which learn in the wake phase: one for all directed
    /// layers, or one a layer, from the bottom
    #[arg(long, env = "DBN_WAKE_RATE", hide_env = true, value_name = "X[,X...]", help_heading = "Learning")]
    pub(crate) wake_rate: Option<String>,
    /// Step size of the recognition weights, which learn in the sleep phase: likewise
    #[arg(long, env = "DBN_SLEEP_RATE", hide_env = true, value_name = "X[,X...]", help_heading = "Learning")]
    pub(crate) sleep_rate: Option<String>,
    /// Step size of the top
    #[arg(long, env = "DBN_TOP_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) top_rate: Option<f64>,
    /// How all step sizes move over the epochs
    #[arg(long, env = "DBN_SCHEDULE", hide_env = true, value_parser = words(&["constant", "linear", "exponential"]), help_heading = "Learning")]
    pub(crate) schedule: Option<String>,
    /// Share of the step sizes that is left in the last epoch, unless the schedule is constant
    #[arg(long, env = "DBN_FINAL_SHARE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_share: Option<f64>,
    /// Share of the last step kept in the next
    #[arg(long, env = "DBN_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) momentum: Option<f64>,
    /// L2 cost of all weights
    #[arg(long, env = "DBN_WEIGHT_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) weight_cost: Option<f64>,
    /// Persistent chains at the top; 0 starts every chain from the data
    #[arg(long, env = "DBN_PERSISTENT_CHAINS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) persistent_chains: Option<u32>,
    /// What does not learn; several with commas
    #[arg(long, env = "DBN_FREEZE", hide_env = true, value_delimiter = ',', value_parser = words(&["recognition", "generative", "top"]), help_heading = "Learning")]
    pub(crate) freeze: Option<Vec<String>>,
    /// Stop after this many epochs in a row without a better model on the validation samples; 0
    /// turns it off
    #[arg(long, env = "DBN_PATIENCE", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) patience: Option<u32>,
    /// What to do when weights explode: stop, or begin the epoch anew at half of all rates,
    /// ten times a run at most
    #[arg(long, env = "DBN_ON_DIVERGENCE", hide_env = true, value_name = "stop|halve-lr", hide_possible_values = true, value_parser = words(&["stop", "halve-lr"]), help_heading = "Learning")]
    pub(crate) on_divergence: Option<String>,
    /// Hidden layers on the way up
    #[arg(long, env = "DBN_WAKE_UNITS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) wake_units: Option<String>,
    /// Units under the top in its Gibbs steps
    #[arg(long, env = "DBN_PENULTIMATE_UNITS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) penultimate_units: Option<String>,
    /// The label in those steps
    #[arg(long, env = "DBN_LABEL_UNITS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) label_units: Option<String>,
    /// Top units in what the top learns from
    #[arg(long, env = "DBN_TOP_STATISTICS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) top_statistics: Option<String>,
    /// Hidden layers on the way down
    #[arg(long, env = "DBN_SLEEP_UNITS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) sleep_units: Option<String>,
    /// Visible units at its end
    #[arg(long, env = "DBN_VISIBLE_UNITS", hide_env = true, value_parser = words(UNITS), help_heading = "Units")]
    pub(crate) visible_units: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: RunArgs,
}

/// Whether units are drawn or keep their probabilities.
const UNITS: &[&str] = &["sampled", "probabilities"];

/// Units of the layers, from the bottom, written with commas.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Sizes(pub(crate) Vec<u32>);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = |(place, word): (usize, &str)| {
            let wrong = format!("layer {place} (counted from 0) is '{word}', expected a whole number of units");
            word.trim().parse().map_err(|_| wrong)
        };
        text.split(',').enumerate().map(size).collect::<Result<_, _>>().map(Self)
    }
}

/// What a training leaves behind, and how it runs.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct RunArgs {
    /// Seed of everything that is drawn; the same seed gives the same file
    #[arg(long, env = "DBN_SEED", hide_env = true, value_name = "N", value_parser = seed, help_heading = "Learning")]
    pub(crate) seed: Option<u64>,
    /// Threads; 0 takes one a core. The result does not depend on it
    #[arg(long, env = "DBN_THREADS", hide_env = true, value_name = "N", help_heading = "Run")]
    pub(crate) threads: Option<u32>,
    /// Where to compute: auto, cpu, or cuda:N, the GPU of that number
    #[arg(long, env = "DBN_DEVICE", hide_env = true, value_name = "DEVICE", help_heading = "Run")]
    pub(crate) device: Option<DeviceName>,
    /// What products are computed in on a GPU: f32, tf32 or bf16
    #[arg(long, env = "DBN_PRECISION", hide_env = true, value_parser = words(&["f32", "tf32", "bf16"]), help_heading = "Run")]
    pub(crate) precision: Option<String>,
    /// Memory that the training may take, in MiB; 0 takes 80 % of what is free. Samples that do not
    /// fit are read a minibatch at a time from uncompressed IDX and npy files, with the same result
    #[arg(long, env = "DBN_MAX_MEMORY", hide_env = true, value_name = "MIB", help_heading = "Run")]
    pub(crate) max_memory: Option<u32>,
    /// Save every N epochs, or after some time (90s, 10m, 2h), as well as at the end; 0 only at the
    /// end
    #[arg(long, env = "DBN_SAVE_EVERY", hide_env = true, value_name = "N|TIME", help_heading = "Run")]
    pub(crate) save_every: Option<SaveEvery>,
    /// Draw pictures every N epochs as well as at the end; 0 only at the end
    #[arg(long, env = "DBN_PICTURE_EVERY", hide_env = true, value_name = "N", help_heading = "Run")]
    pub(crate) picture_every: Option<u32>,
    /// Run folder; by default a new one under runs/
    #[arg(long, env = "DBN_OUT", hide_env = true, value_name = "DIR", conflicts_with = "resume", help_heading = "Run")]
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

/// Recipes keep integers of 63 bits.
fn seed(text: &str) -> Result<u64, String> {
    let range = "a seed is a whole number from 0 to 9223372036854775807";
    text.parse().ok().filter(|&seed| i64::try_from(seed).is_ok()).ok_or_else(|| range.to_string())
}
