//! The command line, as clap sees it. What an option is worth when it is not given is decided
//! in [`crate::settings`], not here.

mod check;
mod contacts;
mod data;
mod eval;
mod exchange;
mod html_page;
mod hub;
mod impute;
mod log_z;
mod machine;
mod on;
#[cfg(test)]
mod page;
mod quality;
mod runs;
mod score;
mod shell;
mod short_help;
mod text_form;
mod thermodynamics;
mod tips;
mod training;
mod using;

pub(crate) use check::CheckArgs;
pub(crate) use contacts::{ContactsArgs, GapsName, SEPARATION};
pub(crate) use data::{DataArgs, DataCommand, Made, MakeArgs};
pub(crate) use eval::{EvalArgs, PathName, PseudoName, SpacingName};
pub(crate) use exchange::{ExportArgs, ExportName, FormatName, ImportArgs};
pub(crate) use html_page::PageArgs;
pub(crate) use hub::{PullArgs, PushArgs};
pub(crate) use impute::ImputeArgs;
pub(crate) use log_z::{GivenLogZ, LogZ};
pub(crate) use machine::MachineArgs;
pub(crate) use on::{PartName, SplitName};
pub(crate) use quality::QualityArgs;
pub(crate) use runs::{CompareArgs, ReportArgs, RunsArgs};
pub(crate) use score::{Mutations, ScoreArgs};
pub(crate) use shell::{CompletionsArgs, ManArgs, SelftestArgs};
pub(crate) use thermodynamics::ThermodynamicsArgs;
pub(crate) use training::{RecipeArgs, RecipeName, TrainArgs};
pub(crate) use using::{Clamped, ClassifyArgs, EncodeArgs, Method, ReconstructArgs, SampleArgs, ShowArgs, StartName};

use crate::settings::{FinetuneSettings, PretrainSettings, StackSettings, TuneSettings};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;

/// What words say, the program's name first.
///
/// # Errors
/// Help that is asked for, and what cannot be understood.
pub(crate) fn parsed(words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = program().try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    matches.map_err(|error| tips::improved(error, words))
}

/// The command line.
fn program() -> clap::Command {
    short_help::fitted(Cli::command())
}

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
    /// Format of messages: text, or json, one object a line
    #[arg(
        long,
        global = true,
        hide_possible_values = true,
        env = "DBN_LOG_FORMAT",
        hide_env = true,
        value_name = "FORMAT",
        default_value = "text"
    )]
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
    /// Train one RBM by contrastive divergence
    ///
    /// Without options this follows the recipe for MNIST: 500 hidden units on all 60,000 digits.
    /// The run folder receives the checkpoint, the metrics and the pictures.
    #[command(after_help = training::PRETRAIN_HELP, allow_negative_numbers = true)]
    Pretrain(Box<TrainArgs<PretrainSettings>>),
    /// Train a deep belief net: a stack of RBMs, layer by layer
    ///
    /// Without options this follows the recipe for MNIST: 500-500-2000 hidden units with the
    /// digits' labels at the top. Options that a layer of its own may have take one value for
    /// all layers or one a layer, from the bottom, with commas: --epochs 30,30,50.
    #[command(after_help = training::STACK_HELP, allow_negative_numbers = true)]
    Stack(Box<TrainArgs<StackSettings>>),
    /// Tune a deep belief net by wake-sleep (recognition and generative weights apart)
    ///
    /// The up-down algorithm of Hinton, Osindero & Teh (2006): generative weights learn in the
    /// wake phase, recognition weights in the sleep phase, the top by contrastive divergence.
    /// The run folder receives the tuned model, and best.safetensors, the best one on the
    /// validation samples.
    #[command(after_help = training::TUNE_HELP, allow_negative_numbers = true)]
    Tune(Box<TrainArgs<TuneSettings>>),
    /// Fine-tune a net by backpropagation, as a classifier or autoencoder
    ///
    /// The discriminative route: the net becomes a feed-forward network, which then follows the
    /// gradient of its task (Hinton & Salakhutdinov 2006). The run folder receives the network,
    /// which candle's and torch's linear layers load by name, and best.safetensors, the best one
    /// on the validation samples.
    #[command(after_help = training::FINETUNE_HELP, allow_negative_numbers = true)]
    Finetune(Box<TrainArgs<FinetuneSettings>>),
    /// Print the defaults of a verb that trains, or a recipe of a name
    #[command(after_help = training::RECIPE_HELP)]
    Recipe(RecipeArgs),
    /// Show what is in a checkpoint: header, shapes, statistics, filters
    #[command(after_help = using::SHOW_HELP)]
    Show(ShowArgs),
    /// Reconstruct samples, as a picture or a table
    ///
    /// One step of an RBM; up and down all layers of a net.
    #[command(after_help = using::RECONSTRUCT_HELP)]
    Reconstruct(ReconstructArgs),
    /// Write hidden probabilities of a data set: features for other programs
    #[command(after_help = using::ENCODE_HELP)]
    Encode(EncodeArgs),
    /// Predict labels; if the data are labelled, report the error rate
    ///
    /// The model must have been trained with labels. A label is predicted by its exact free energy
    /// after a deterministic pass up (Hinton, Osindero & Teh 2006, section 6).
    #[command(after_help = using::CLASSIFY_HELP)]
    Classify(ClassifyArgs),
    /// Generate samples, optionally for a given label; as pictures or a table
    ///
    /// Chains of Gibbs steps run in the top RBM, from states drawn by its biases or from samples; a pass
    /// down to the visible units shows them. A picture shows probabilities of pixels.
    #[command(after_help = using::SAMPLE_HELP)]
    Sample(SampleArgs),
    /// Make an HTML page to try the model in: draw, recognise, dream
    #[command(after_help = html_page::PAGE_HELP)]
    Page(PageArgs),
    /// Measure the log-likelihood of data under a model, with an interval
    ///
    /// The log-likelihood needs the partition function: summed exactly where one side has at most 25
    /// units, else estimated by annealed importance sampling in both directions (Salakhutdinov &
    /// Murray 2008; Burda, Grosse & Salakhutdinov 2015), combined by Bennett's acceptance ratio. For
    /// a deep belief net it is that of the top, and the log-likelihood has a lower bound and an estimate.
    #[command(after_help = eval::EVAL_HELP)]
    Eval(EvalArgs),
    /// Score each sample: free energy, log-likelihood, percentile
    ///
    /// For finding samples that are unlike the training data; with --mutations, for the effects of mutations.
    #[command(after_help = score::SCORE_HELP)]
    Score(ScoreArgs),
    /// Rank pairs of sites by effective couplings, beside a structure
    ///
    /// For RBMs of sequences, categories or spins: which two sites depend on each other directly.
    #[command(after_help = contacts::CONTACTS_HELP)]
    Contacts(ContactsArgs),
    /// Compare samples of a model with data: frequencies, nearest neighbours, mixing
    #[command(after_help = quality::QUALITY_HELP)]
    Quality(QualityArgs),
    /// Measure energy, heat capacity and entropy of an RBM at other temperatures
    #[command(after_help = thermodynamics::THERMODYNAMICS_HELP)]
    Thermodynamics(ThermodynamicsArgs),
    /// Fill the missing values of a table, with their spread or as several draws
    #[command(after_help = impute::IMPUTE_HELP)]
    Impute(ImputeArgs),
    /// Write a model for other programs: candle's and torch's layers, NumPy arrays
    #[command(after_help = exchange::EXPORT_HELP)]
    Export(ExportArgs),
    /// Read a model of another program: scikit-learn, rbms, learnergy, MATLAB
    #[command(after_help = exchange::IMPORT_HELP)]
    Import(ImportArgs),
    /// Fetch a model from the Hugging Face Hub
    #[command(after_help = hub::PULL_HELP)]
    Pull(PullArgs),
    /// Push a run to the Hugging Face Hub, with a model card
    ///
    /// The repository receives the model, its settings, metrics, pictures and pages, and a README.md
    /// that says where the model comes from and how to use it. The state that a resume needs stays here.
    #[command(after_help = hub::PUSH_HELP)]
    Push(PushArgs),
    /// Look at data before training: kinds, faults and recommended settings
    #[command(after_help = check::CHECK_HELP)]
    Check(CheckArgs),
    /// Make small data sets to try things on
    #[command(subcommand)]
    Data(DataCommand),
    /// Draw the report of a run again, or compare several runs on one page
    ///
    /// Every training writes report.html into its run folder: one file to open in a browser, with
    /// curves, filters, samples, health, settings and a glossary. It needs no network.
    #[command(after_help = runs::REPORT_HELP)]
    Report(ReportArgs),
    /// List the runs in a folder: date, data, epochs, cost and state
    #[command(after_help = runs::RUNS_HELP)]
    Runs(RunsArgs),
    /// Compare two models: settings, figures and weights that differ
    #[command(after_help = runs::COMPARE_HELP)]
    Compare(CompareArgs),
    /// Check the program on this machine and device against known answers
    ///
    /// On the CPU it checks the random numbers against known ones, and the instruction sets against each other. On
    /// the device it checks products, a gradient and a partition function against exact ones, and a GPU's steps,
    /// states and measurements against the CPU's. The exit code is 1 if a check failed.
    #[command(after_help = shell::SELFTEST_HELP)]
    Selftest(SelftestArgs),
    /// Print a completion script for a shell
    #[command(after_help = shell::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each verb
    #[command(after_help = shell::MAN_HELP)]
    Man(ManArgs),
}

impl Command {
    /// Threads that it asks for, 0 for one a core; none of a training, which starts its own when its recipe is read.
    pub(crate) fn threads(&self) -> Option<u32> {
        let machine = match self {
            Self::Pretrain(_) | Self::Stack(_) | Self::Tune(_) | Self::Finetune(_) => return None,
            Self::Show(args) => args.machine,
            Self::Reconstruct(args) => args.machine,
            Self::Encode(args) => args.machine,
            Self::Classify(args) => args.machine,
            Self::Sample(args) => args.machine,
            Self::Page(args) => args.machine,
            Self::Eval(args) => args.machine,
            Self::Score(args) => args.machine,
            Self::Contacts(args) => args.machine,
            Self::Quality(args) => args.machine,
            Self::Thermodynamics(args) => args.machine,
            Self::Impute(args) => args.machine,
            Self::Check(args) => args.machine,
            _ => MachineArgs::default(),
        };
        Some(machine.threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    /// Help breaks lines at 100 characters, and tables and examples that it breaks are hard to read.
    #[test]
    fn no_line_under_the_options_is_broken() {
        fn lines(command: &clap::Command, long: &mut Vec<String>) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let wide = help.lines().filter(|line| line.chars().count() > 100);
            long.extend(wide.map(|line| format!("{}: {line}", command.get_name())));
            command.get_subcommands().for_each(|inner| lines(inner, long));
        }
        let mut long = Vec::new();
        lines(&Cli::command(), &mut long);
        assert!(long.is_empty(), "{long:#?}");
    }
}
