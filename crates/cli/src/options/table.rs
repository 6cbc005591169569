//! The table of options. To add one, add a line here and a field to the library's settings.

use super::opt::Kind::{Checkpoint, Count, Number, Parsed, Rates, Sizes, Switch, Text, Whole, Word, Words};
use super::opt::Verb::{self, Check, Finetune, Pretrain, Stack, Tune, Use};
use super::opt::{Opt, opt};
use crate::data::schema_file;
use crate::machine::device::DeviceName;
use crate::options::save_every::SaveEvery;
use deepbelief_data::{Alphabet, Binarize, Codes, ColumnKinds, Header, ImageShape, Scale, Source, VisibleUnits};
use deepbelief_rbm::{CdSteps, UnitMix};
use deepbelief_wake_sleep::TopSteps;
use serde::Serialize;
use std::fmt::Display;
use std::str::FromStr;
use toml::Value;

const ALL: &[Verb] = &Verb::TRAINING;
const RBMS: &[Verb] = &[Pretrain, Stack];
const NETS: &[Verb] = &[Tune, Finetune];
const DATA: &[Verb] = &[Pretrain, Stack, Tune, Finetune, Use];
/// Verbs that find out what columns are.
const LOOK: &[Verb] = &[Pretrain, Stack, Check];
const TABLES: &[Verb] = &[Pretrain, Stack, Tune, Finetune, Check];
const READ: &[Verb] = &[Pretrain, Stack, Tune, Finetune, Use, Check];

/// Forms of a data source.
pub(crate) const SOURCES: &str = "Sources: mnist, idx:DIR, csv:FILE, svm:FILE, arff:FILE, fasta:FILE (FASTA, A2M, A3M or \
                                  Stockholm), npy:FILE, npz:FILE, safetensors:FILE, mat:FILE, h5:FILE, images:DIR, \
                                  parquet:FILE, hf:USER/REPO or hf:USER/REPO@REVISION:FILE";

const SCHEDULES: &[&str] = &["constant", "linear", "exponential"];
const STATES: &[&str] = &["sampled", "probabilities"];

/// Options under their headings in help.
pub(super) const GROUPS: &[(&str, &[Opt])] =
    &[("Model", MODEL), ("Data", OF_DATA), ("Learning", LEARNING), ("Wake-sleep units", UNITS), ("Run", RUN)];

const MODEL: &[Opt] = &[
    opt("checkpoint", Checkpoint, "CKPT", NETS, "Checkpoint to start from, or the run folder that holds one")
        .unrecorded(),
    opt("as", Word(&["classifier", "autoencoder"]), "TASK", &[Finetune], "Task of the network"),
    opt("hidden", Count, "N", &[Pretrain], "Hidden units"),
    opt("layers", Sizes, "N,N,...", &[Stack], "Hidden units of each layer, from the bottom"),
    opt("layers", Sizes, "N,N,...", NETS, "Hidden units of a net from scratch, from the bottom")
        .shown("none")
        .without_env(),
    opt("labels", Word(&["auto", "yes", "none"]), "WHEN", &[Stack], "Whether the top learns labels")
        .more("With `auto` it does if the data have labels.")
        .of_program(),
    opt("start", Word(&["random", "transposed"]), "HOW", &[Stack], "Initial weights of a layer")
        .more("`transposed` takes the weights of the layer below, upside down; further hidden units start from random ones.")
        .per_layer(),
    opt("propagate", Word(STATES_UP), "WHAT", &[Stack], "What a layer passes to the next one"),
    opt(
        "hidden_units",
        Parsed(parse::<UnitMix>),
        "TYPE",
        &[Pretrain],
        "Hidden units: bernoulli, spin, gaussian, relu or drelu",
    )
    .more(
        "Or how many of each, such as gaussian=20,bernoulli=80, which sets --hidden. Gaussian, \
         ReLU and dReLU units are real numbers. Over Bernoulli units Gaussian ones need a learning rate near 0.001; \
         docs/src/units.md says which units are for what, and how they start.",
    )
    .per_layer()
    .later(),
    opt("hidden_units", Word(&["bernoulli", "spin", "gaussian", "relu", "drelu"]), "TYPE", &[Stack], "Type of the hidden units")
        .more(
            "Only the top layer may have other units than Bernoulli units. Gaussian ones are real numbers with noise, as in \
             the code layer of an autoencoder, and need a learning rate near 0.001.",
        )
        .per_layer()
        .later(),
    opt("weight_std", Number, "X", RBMS, "Standard deviation of the initial weights").per_layer(),
    opt("weight_std", Number, "X", &[Tune], "Standard deviation of initial weights (--from-scratch)")
        .without_env(),
    opt("visible_bias", Word(&["log-odds", "zero"]), "START", RBMS, "Initial visible biases")
        .more("`log-odds` are those of the mean of each unit in the data.")
        .per_layer(),
    opt("top", Word(&["undirected", "factorial"]), "MODEL", &[Tune], "Top")
        .more("What stands above the directed layers: an RBM (`undirected`), or independent units as in a sigmoid belief net (`factorial`)."),
];

const STATES_UP: &[&str] = &["probabilities", "samples"];

const OF_DATA: &[Opt] = &[
    opt("data", Parsed(parse::<Source>), "SOURCE", DATA, "Data set, such as mnist, csv:FILE or images:DIR")
        .more(SOURCES)
        .inherited()
        .changeable(ALL),
    opt("scale", Parsed(parse::<Scale>), "HOW", READ, "Scale values: auto, none, 255, minmax, standard, MIN..MAX")
        .more(
            "`minmax-columns` scales each column of a table by its own range. `standard` maps the mean of each column minus 2 standard \
             deviations to 0, the mean plus 2 to 1, and clips values beyond. `255..0` turns dark on light into light on dark.",
        )
        .hyphened()
        .inherited(),
    opt("label_column", Text, "COLUMN", READ, "Column of labels: name, index, first or last")
        .shown("none")
        .inherited(),
    opt("feature_column", Text, "COLUMN", READ, "Column of the samples (Parquet)")
        .more("The default is one with a name such as `image`, or all columns of a table.")
        .shown("by name")
        .inherited(),
    opt("header", Parsed(parse::<Header>), "WHETHER", READ, "First line of a CSV file has names: auto, yes or no")
        .inherited(),
    opt("column_types", Parsed(parse::<ColumnKinds>), "KINDS", TABLES, "Kinds of columns, such as age=real,id=ignored")
        .more("For tables of text. Kinds: binary, unit, real, categorical, spin, ignored, label, weight. `dbn check` shows what is inferred.")
        .shown("inferred")
        .inherited()
        .later(),
    opt("missing", Parsed(parse::<Codes>), "CODES", TABLES, "Texts that mean a missing value, such as -9,none")
        .more("For tables of text. An empty field, NA, N/A, NaN, null, ? and errors such as #N/A always do.")
        .hyphened()
        .shown("none")
        .inherited()
        .later(),
    opt("weight_column", Text, "COLUMN", TABLES, "Column of the samples' weights: name or index")
        .more("For tables of text. A sample of weight 2 counts as if it stood there twice.")
        .shown("none")
        .inherited()
        .later(),
    opt("visible_units", Parsed(parse::<VisibleUnits>), "TYPE", LOOK, "Visible units: auto, bernoulli, gaussian, spin or categorical")
        .more(
            "`auto` takes those of each column of a table: Gaussian units for real numbers, categorical and spin units for columns of \
             these kinds, Bernoulli units for the rest, pictures and arrays among them. `bernoulli` brings all numbers into 0 to 1. \
             `gaussian` brings each column of numbers to mean 0 and standard deviation 1. `spin` is for values of -1 and 1, `categorical` \
             for few different values without an order. --scale, --binarize and --missing-as excluded are for Bernoulli units: \
             to set one of them chooses Bernoulli units.",
        )
        .shown("auto")
        .later(),
    opt("schema", Parsed(schema_file::of_flag), "FILE", READ, "What the columns are, as `dbn check --schema-out` writes it")
        .more("A TOML file. Nothing is then inferred. It replaces --label-column, --weight-column, --column-types, --missing, --scale and --visible-units.")
        .shown("inferred")
        .inherited()
        .later(),
    opt("alphabet", Parsed(parse::<Alphabet>), "LETTERS", LOOK, "Letters of an alignment: protein, dna, rna or the letters")
        .more("Such as ACGT-, in the order of their units; - is the gap. A model keeps its alphabet.")
        .hyphened()
        .shown("inferred")
        .later(),
    opt("unknown", Word(&["missing", "gap", "error"]), "AS", READ, "Letters of an alignment that are not in the alphabet")
        .shown("missing")
        .inherited()
        .later(),
    opt("inserts", Word(&["auto", "drop", "keep"]), "HOW", READ, "Lower case and dots of an alignment")
        .more("A2M, A3M and Stockholm write insert columns so. `drop` leaves them out; `auto` does so where the columns are those of such a file; `keep` reads them as letters and gaps.")
        .shown("auto")
        .inherited()
        .later(),
    opt("max_gaps", Number, "SHARE", TABLES, "Leave out sequences with a larger share of gaps")
        .shown("1")
        .inherited()
        .later(),
    opt("deduplicate", Switch, "BOOL", TABLES, "Leave out sequences that repeat an earlier one")
        .shown("false")
        .inherited()
        .later(),
    opt("reweight", Number, "SHARE", READ, "Weigh sequences by their neighbours; least share of equal letters, 0: off")
        .more("At 0.8 the neighbours of a sequence have at least 80 % of its letters. A sequence weighs one over the number of its neighbours, itself counted; weights are divided by their mean.")
        .shown("0")
        .inherited()
        .later(),
    opt("weights", Text, "FILE", READ, "File of the sequences' weights, a line each")
        .more("The weight alone, in the order of the sequences, or the name of the sequence and its weight.")
        .shown("none")
        .inherited()
        .later(),
    opt(
        "image_size",
        Parsed(parse::<ImageShape>),
        "WxH",
        READ,
        "Size of a sample as an image",
    )
    .shown("of the data")
    .inherited(),
    opt("valid", Count, "N", ALL, "Samples to hold out for validation")
        .more(
            "They are training samples, stratified by class. Where you set no number, they are at most a sixth of all samples. Each epoch is measured on at most this many \
             of them, and on as many training samples: 2,000 in `dbn pretrain`, 5,000 in `dbn stack`, 10,000 in \
             `dbn tune` and `dbn finetune`, which keep the best model by them.",
        )
        .inherited(),
    opt("valid_clusters", Number, "SHARE", ALL, "Hold out whole clusters of sequences; share of equal letters, 0: off")
        .more(
            "A sequence joins the cluster whose first sequence it has the most letters in common with, at least this share. Whole \
             clusters are held out, of --valid sequences at most: validation then uses branches of the family that training did not see.",
        )
        .shown("0")
        .inherited()
        .later()
        .of_program(),
    opt("binarize", Parsed(parse::<Binarize>), "HOW", ALL, "Binary pixels: none, threshold=T, fixed, fresh")
        .more("`fixed` draws each pixel once from its grey value, `fresh` each time the sample is presented.")
        .inherited(),
    opt("balanced", Switch, "BOOL", ALL, "Balance the classes in every minibatch").inherited(),
    opt("labelled", Count, "N", &[Stack], "Learn from the labels of this many samples; 0: all")
        .more("The top trains on these alone, the layers below on all samples without labels.")
        .shown("0")
        .inherited(),
    opt("labelled", Count, "N", &[Tune], "Train on this many labelled samples alone; 0: all").shown("0").inherited(),
    opt("labelled", Count, "N", &[Finetune], "Train on this many labelled samples alone; 0: all").inherited(),
    opt("batch_size", Count, "N", &[Pretrain, Stack], "Samples in a minibatch").per_layer(),
    opt("batch_size", Count, "N", &[Tune, Finetune], "Samples in a minibatch")
        .more("A net that learned from smaller minibatches goes on with those of its size."),
    opt("test", Switch, "BOOL", &[Finetune], "Measure the trained network on the test samples")
        .unrecorded()
        .changeable(&[Finetune]),
];

const LEARNING: &[Opt] = &[
    opt("epochs", Count, "N", &[Pretrain, Stack, Finetune], "Passes over the data")
        .per_layer()
        .changeable(&[Pretrain, Finetune]),
    opt("top_steps", Parsed(parse::<TopSteps>), "KxN,...", &[Tune], "Gibbs steps of the top x epochs"),
    opt("wake_rate", Rates, "X[,X...]", &[Tune], "Learning rate of the generative weights (wake)")
        .more("One for all directed layers, or one a layer, from the bottom."),
    opt("sleep_rate", Rates, "X[,X...]", &[Tune], "Learning rate of the recognition weights (sleep)")
        .more("One for all directed layers, or one a layer, from the bottom."),
    opt("top_rate", Number, "X", &[Tune], "Learning rate of the top"),
    opt("optimizer", Word(&["adam", "sgd"]), "NAME", &[Finetune], "Optimizer")
        .more("Adam with weight decay (AdamW), or gradient descent with momentum."),
    opt("optimizer", Word(&["sgd", "adam"]), "NAME", RBMS, "Optimizer")
        .more("Gradient descent with momentum, or Adam, with the weight costs in the gradient. Adam takes rates near 0.001.")
        .per_layer()
        .later(),
    opt("beta1", Number, "X", RBMS, "Decay of the mean gradient (--optimizer adam)").per_layer().later(),
    opt("beta2", Number, "X", RBMS, "Decay of the squared gradient (--optimizer adam)").per_layer().later(),
    opt("epsilon", Number, "X", RBMS, "Least size of a gradient (--optimizer adam)")
        .more("It is added to the root of the mean squared gradient.")
        .per_layer()
        .later(),
    opt("learning_rate", Number, "X", &[Pretrain, Stack, Finetune], "Learning rate").per_layer(),
    opt("schedule", Word(SCHEDULES), "NAME", &[Pretrain, Stack, Finetune], "Schedule").per_layer(),
    opt("schedule", Word(SCHEDULES), "NAME", &[Tune], "Schedule"),
    opt("final_learning_rate", Number, "X", &[Pretrain, Stack, Finetune], "Learning rate of the last epoch")
        .more("A constant schedule ignores it.")
        .per_layer(),
    opt("final_share", Number, "X", &[Tune], "Share of the learning rates left in the last epoch")
        .more("A constant schedule ignores it."),
    opt(
        "cd_steps",
        Parsed(parse::<CdSteps>),
        "K",
        RBMS,
        "Gibbs steps of an update (the k of CD-k)",
    )
    .more("`1x20+10x10+25` takes 1 step in the first 20 epochs, 10 in the next 10, then 25.")
    .per_layer(),
    opt("persistent_chains", Count, "N", RBMS, "Persistent chains; 0: start from the data").per_layer(),
    opt("persistent_chains", Count, "N", &[Tune], "Persistent chains of the top; 0: start from the data"),
    opt("sampler", Word(&["gibbs", "fast", "tempered", "trajectory"]), "NAME", RBMS, "Sampler")
        .more(
            "What moves persistent chains: Gibbs steps of the model; of fast weights that run ahead of it; or with swaps of states between several \
             temperatures (parallel tempering), or between earlier models of the training.",
        )
        .per_layer()
        .later(),
    opt("fast_learning_rate", Number, "X", RBMS, "Learning rate of fast weights (--sampler fast)")
        .per_layer()
        .later(),
    opt("temperatures", Count, "N", RBMS, "Replicas of each persistent chain")
        .more("Temperatures of --sampler tempered; models of --sampler trajectory, at most.")
        .per_layer()
        .later(),
    opt("centred", Switch, "BOOL", RBMS, "Centre the units; helps where most pixels are on")
        .more("Melchior, Fischer & Wiskott 2016.")
        .per_layer()
        .later(),
    opt("averaging", Number, "X", RBMS, "Decay of a running mean of the models; 0: off")
        .more("Such as 0.999. The mean is the model that is measured and saved.")
        .per_layer()
        .later(),
    opt("log_z_every", Count, "N", RBMS, "Estimate the likelihood every N epochs; 0: never")
        .more("`dbn pretrain` then keeps the best model on the validation samples too.")
        .per_layer()
        .later(),
    opt("pseudo_every", Count, "N", RBMS, "Measure the pseudo-likelihood every N epochs; 0: never")
        .more("Of one visible unit of each sample, given the others; the same units after every epoch.")
        .shown("0")
        .per_layer()
        .later(),
    opt("visible_states", Word(STATES), "HOW", RBMS, "Reconstructions").per_layer(),
    opt("missing_as", Word(&["sampled", "excluded"]), "HOW", RBMS, "Missing values")
        .more(
            "`sampled` draws them given the rest of their sample, which maximises the likelihood of what was observed. `excluded` leaves their units out, as for ratings.",
        )
        .shown("sampled")
        .per_layer()
        .later(),
    opt("sums", Word(&["float", "exact"]), "HOW", RBMS, "Sums over a minibatch")
        .more(
            "`exact` adds integers up: the same model for any number of MPI ranks, which take it by themselves, and for one process \
             with this option. It costs some time; docs/src/many-machines.md says how much.",
        )
        .shown("float")
        .per_layer()
        .later(),
    opt("momentum", Number, "X", RBMS, "Momentum of the first epochs").per_layer(),
    opt("momentum", Number, "X", &[Tune], "Momentum"),
    opt("momentum", Number, "X", &[Finetune], "Momentum; of Adam, the decay of the mean gradient"),
    opt("final_momentum", Number, "X", RBMS, "Momentum of the later epochs").per_layer(),
    opt("momentum_switch", Count, "N", RBMS, "Epochs before the momentum changes").per_layer(),
    opt("nesterov", Switch, "BOOL", &[Finetune], "Use Nesterov momentum (--optimizer sgd)"),
    opt("square_momentum", Number, "X", &[Finetune], "Decay of the squared gradient (--optimizer adam)"),
    opt("weight_cost", Number, "X", RBMS, "L2 cost of the weights").per_layer(),
    opt("weight_cost", Number, "X", &[Tune], "L2 cost of all weights"),
    opt("weight_cost", Number, "X", &[Finetune], "L2 cost of the weights; of Adam, the weight decay"),
    opt("l1_cost", Number, "X", RBMS, "L1 cost of the weights").per_layer(),
    opt("l1b_cost", Number, "X", RBMS, "L1b cost: few weights for each hidden unit")
        .more("Half the mean over the visible columns of the squared sum of the weights' sizes, for each hidden unit (Tubiana, Cocco & Monasson 2019).")
        .per_layer()
        .later(),
    opt("sparsity_target", Number, "P", RBMS, "Mean hidden probability to aim at").per_layer(),
    opt("sparsity_cost", Number, "X", RBMS, "Sparsity cost; 0: off").per_layer(),
    opt("dropout", Number, "X", &[Finetune], "Share of the hidden units to drop from each sample"),
    opt("input_dropout", Number, "X", &[Finetune], "Share of the inputs to drop from each sample"),
    opt("max_norm", Number, "X", &[Finetune], "Largest norm of the weights into a unit; 0: no limit"),
    opt("freeze", Words(&["recognition", "generative", "top"]), "PARTS", &[Tune], "Parts to freeze"),
    opt("tolerance", Number, "X", RBMS, "Stop when the cost changes by X nats at most; 0: off")
        .more("The reconstruction cost of a sample, from one epoch to the next.")
        .per_layer(),
    opt("patience", Count, "N", RBMS, "Stop after N epochs of overfitting in a row; 0: off").per_layer(),
    opt("patience", Count, "N", NETS, "Stop after N epochs without a better model; 0: off")
        .more("Better on the validation samples."),
    opt("on_divergence", Word(&["stop", "halve-lr"]), "ACTION", ALL, "When training diverges")
        .more("`halve-lr` restarts the epoch at half the learning rates, at most ten times in a run.")
        .per_layer()
        .later(),
    opt("seed", Whole, "N", ALL, "Random seed; the same seed gives the same model").inherited(),
];

const UNITS: &[Opt] = &[
    opt("wake_units", Word(STATES), "HOW", &[Tune], "Hidden units going up"),
    opt("penultimate_units", Word(STATES), "HOW", &[Tune], "Penultimate units"),
    opt("label_units", Word(STATES), "HOW", &[Tune], "Label in Gibbs steps"),
    opt("top_statistics", Word(STATES), "HOW", &[Tune], "Top statistics"),
    opt("sleep_units", Word(STATES), "HOW", &[Tune], "Hidden units going down"),
    opt("sleep_visible", Word(STATES), "HOW", &[Tune], "Visible units").was("visible_units"),
];

const RUN: &[Opt] = &[
    opt("cache", Count, "MIB", &[Stack], "Memory for the cached input of a layer, in MiB")
        .more(
            "Probabilities are kept as floats or bytes, states as bits. What does not fit is computed again for every \
             minibatch.",
        )
        .of_program(),
    opt("threads", Count, "N", ALL, "Threads; 0: one a core")
        .more("They do not change the result. At most 4 for each processor.")
        .unlearned(),
    opt("device", Parsed(parse::<DeviceName>), "DEVICE", ALL, "Device to train on: auto, cpu or cuda:N").unlearned(),
    opt("precision", Word(&["f32", "tf32", "bf16"]), "TYPE", ALL, "Precision of products on a GPU")
        .shown("f32")
        .of_program(),
    opt("max_memory", Count, "MIB", ALL, "Memory limit in MiB; 0: 80 % of what is free")
        .more(
            "Samples that do not fit are read from uncompressed IDX and npy files one minibatch at a time, with the \
             same result.",
        )
        .unlearned(),
    opt("save_every", Parsed(parse::<SaveEvery>), "N|TIME", ALL, "Save after a time such as 10m, or every N epochs")
        .more("The end of a run is always saved; 0 saves nothing before it. Times: 90s, 10m, 2h.")
        .unlearned(),
    opt("picture_every", Count, "N", ALL, "Draw pictures every N epochs; 0: only at the end").unlearned(),
];

impl Opt {
    /// It does not change what is learned: a checkpoint leaves it out, and a run may resume with another value.
    const fn unlearned(self) -> Self {
        self.unrecorded().changeable(ALL)
    }
}

/// A value of a type's own form.
fn parse<T>(text: &str) -> Result<Value, String>
where
    T: FromStr<Err: Display> + Serialize,
{
    let value: T = text.parse().map_err(|error: T::Err| error.to_string())?;
    Value::try_from(value).map_err(|error| error.to_string())
}
