//! Options of `dbn finetune`.

use super::training::{BatchArgs, LabelledArgs, RunArgs, Sizes, precedence};
use super::{DataArgs, words};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Text that is part of two constants.
macro_rules! finetune_help {
    () => {
        concat!(
            precedence!(),
            "
Examples:
  dbn finetune models/mnist-dbn.safetensors
  dbn finetune runs/deep --dropout 0.5 --input-dropout 0.2 --epochs 60 --out runs/dropout
  dbn finetune runs/deep --labelled 600
  dbn finetune runs/deep --as autoencoder
  dbn finetune --from-scratch --layers 500,500,2000
  dbn finetune --resume runs/dropout"
        )
    };
}

pub(super) const FINETUNE_HELP: &str = finetune_help!();

pub(super) const FINETUNE_LONG_HELP: &str = concat!(
    finetune_help!(),
    "\n\nBuilt-in recipe:\n",
    include_str!("../../../../models/mnist-finetune.toml"),
    "\nThe same with --as autoencoder:\n",
    include_str!("../../../../models/mnist-autoencoder-finetune.toml")
);

/// `dbn finetune`.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(crate) struct FinetuneArgs {
    /// Checkpoint to start from, or run folder that holds one: a stack, a tuned one or an RBM
    #[arg(value_name = "CKPT", required_unless_present_any = ["resume", "from_scratch"], conflicts_with = "resume")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// What the net becomes: recognition weights under a layer of labels, or recognition weights
    /// and then generative ones
    #[arg(long = "as", env = "DBN_AS", hide_env = true, value_parser = words(&["classifier", "autoencoder"]), help_heading = "Model")]
    #[serde(rename = "as")]
    pub(crate) objective: Option<String>,
    /// Start from random weights instead, for comparison; needs --layers
    #[arg(long, conflicts_with_all = ["checkpoint", "resume"], requires = "layers", help_heading = "Model")]
    #[serde(skip)]
    pub(crate) from_scratch: bool,
    /// Hidden units of every layer of a network from scratch, from the bottom to the labels or the
    /// code
    #[arg(long, value_name = "N,N,...", help_heading = "Model")]
    pub(crate) layers: Option<Sizes>,
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
    /// Measure the trained network on the test samples, where there are any
    #[arg(long, env = "DBN_TEST", hide_env = true, value_name = "BOOL", help_heading = "Data")]
    pub(crate) test: Option<bool>,
    /// Passes over the data
    #[arg(long, env = "DBN_EPOCHS", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) epochs: Option<u32>,
    /// Adam with weight decay, or gradient descent with momentum
    #[arg(long, env = "DBN_OPTIMIZER", hide_env = true, value_parser = words(&["adam", "sgd"]), help_heading = "Learning")]
    pub(crate) optimizer: Option<String>,
    /// Step size
    #[arg(long, env = "DBN_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) learning_rate: Option<f64>,
    /// How the step size moves over the epochs
    #[arg(long, env = "DBN_SCHEDULE", hide_env = true, value_parser = words(&["constant", "linear", "exponential"]), help_heading = "Learning")]
    pub(crate) schedule: Option<String>,
    /// Step size of the last epoch, unless the schedule is constant
    #[arg(long, env = "DBN_FINAL_LEARNING_RATE", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) final_learning_rate: Option<f64>,
    /// Share of the last step kept in the next; of Adam, of the mean gradient
    #[arg(long, env = "DBN_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) momentum: Option<f64>,
    /// Momentum that looks ahead; of gradient descent
    #[arg(long, env = "DBN_NESTEROV", hide_env = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Learning")]
    pub(crate) nesterov: Option<bool>,
    /// Share of the mean squared gradient that Adam keeps
    #[arg(long, env = "DBN_SQUARE_MOMENTUM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) square_momentum: Option<f64>,
    /// L2 cost of the weights; of Adam, the share times the step size that they shrink by
    #[arg(long, env = "DBN_WEIGHT_COST", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) weight_cost: Option<f64>,
    /// Share of the hidden units left out, anew for every sample
    #[arg(long, env = "DBN_DROPOUT", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) dropout: Option<f64>,
    /// Share of the inputs left out, likewise
    #[arg(long, env = "DBN_INPUT_DROPOUT", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) input_dropout: Option<f64>,
    /// Largest norm of the weights into a unit; 0 sets none
    #[arg(long, env = "DBN_MAX_NORM", hide_env = true, value_name = "X", help_heading = "Learning")]
    pub(crate) max_norm: Option<f64>,
    /// Stop after this many epochs in a row without a better network on the validation samples; 0
    /// turns it off
    #[arg(long, env = "DBN_PATIENCE", hide_env = true, value_name = "N", help_heading = "Learning")]
    pub(crate) patience: Option<u32>,
    /// What to do when the cost explodes: stop, or begin the epoch anew at half the learning rate,
    /// ten times a run at most
    #[arg(long, env = "DBN_ON_DIVERGENCE", hide_env = true, value_name = "stop|halve-lr", hide_possible_values = true, value_parser = words(&["stop", "halve-lr"]), help_heading = "Learning")]
    pub(crate) on_divergence: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: RunArgs,
}
