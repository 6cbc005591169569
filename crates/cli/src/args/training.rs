//! Arguments of the verbs that train. Their options come from the table in [`crate::options`].

use crate::machine::ranks;
use crate::options::{self, Verb};
use crate::settings::{Asked, NamedRecipe, Settings, default_text};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::marker::PhantomData;
use std::path::PathBuf;
use toml::Table;

/// Text that is part of several constants.
macro_rules! help {
    ($text:literal) => {
        concat!(
            "\
Any option can also come from the environment (DBN_EPOCHS for --epochs) or from a recipe
(epochs = 30 in the file given by --config). A flag overrides the environment, the environment
the recipe, and the recipe the default.
",
            $text
        )
    };
}

pub(super) const PRETRAIN_HELP: &str = help!(
    "`dbn recipe pretrain` prints the defaults as a recipe. They are for the digits of MNIST.
Of other data, options that are not set take what `dbn check` recommends, but for --scale, and the
run says which.

Examples:
  dbn pretrain
  dbn pretrain --hidden 100 --epochs 10 --out runs/small
  dbn pretrain --data csv:table.csv --label-column class
  dbn pretrain --resume runs/small"
);

pub(super) const STACK_HELP: &str = help!(
    "`dbn recipe stack` prints the defaults as a recipe. They are for the digits of MNIST. Of
other data, options that are not set take what `dbn check --for stack` recommends, but for
--scale, and the run says which.

A recipe may set a value for all layers (epochs = 30), one a layer (epochs = [30, 30, 50]), some
for the top alone (under [top]), or a table a layer, from the bottom (under [[layer]]). A later
one of these places overrides an earlier one.

Examples:
  dbn stack
  dbn stack --layers 500,500,2000 --epochs 30,30,50 --out runs/deep
  dbn stack --layers 200,200 --labels none --data csv:table.csv
  dbn stack --resume runs/deep"
);

pub(super) const TUNE_HELP: &str = help!(
    "`dbn recipe tune` prints the defaults as a recipe.
The data, how they are read (`as trained`) and the seed default to those that the checkpoint was
trained with. With --from-scratch they are those of the recipe.

Examples:
  dbn tune models/mnist-dbn.safetensors
  dbn tune runs/deep --top-steps 3x30,6x30 --out runs/tuned
  dbn tune runs/deep --freeze recognition
  dbn tune --from-scratch --layers 200,200 --top factorial --data csv:table.csv
  dbn tune --resume runs/tuned"
);

pub(super) const FINETUNE_HELP: &str = help!(
    "`dbn recipe finetune` prints the defaults as a recipe.
The data, how they are read (`as trained`) and the seed default to those that the checkpoint was
trained with. With --from-scratch they are those of the recipe. An autoencoder trains for 100 epochs
by default: `dbn recipe finetune --as autoencoder`.

Examples:
  dbn finetune models/mnist-dbn.safetensors
  dbn finetune runs/deep --dropout 0.5 --input-dropout 0.2 --epochs 60 --out runs/dropout
  dbn finetune runs/deep --labelled 600
  dbn finetune runs/deep --as autoencoder
  dbn finetune --from-scratch --layers 500,500,2000
  dbn finetune --resume runs/dropout"
);

pub(super) const RECIPE_HELP: &str = "\
Names are those of a verb that trains, for all its defaults, or of what a recipe was found for:
  protein            an alignment of a protein family (pretrain)
  ising              spins of -1 and 1, such as configurations of an Ising model (pretrain)
  table-real         a table of numbers (pretrain)
  table-categorical  a table of categories (pretrain)
  mnist-rbm-density  MNIST, for the best likelihood of one RBM (pretrain)
  mnist-dbn-density  MNIST, for the likelihood of a deep belief net (stack)

Examples:
  dbn recipe pretrain > mine.toml
  dbn pretrain --config mine.toml
  dbn recipe finetune --as autoencoder
  dbn recipe protein > protein.toml";

/// A training.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrainArgs<S: Settings> {
    #[command(flatten)]
    options: Given<S>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl<S: Settings> TrainArgs<S> {
    /// What settings are made of.
    pub(crate) fn asked(&self) -> Asked {
        let mut asked = Asked { config: self.run.config.clone(), ..self.options.asked.clone() };
        // Sums of floats would depend on the number of ranks.
        if ranks::are_several() && S::VERB.option("sums").is_some() {
            asked.flags.entry("sums").or_insert_with(|| "exact".into());
        }
        asked
    }
}

/// The options of a verb, as far as they were given.
#[derive(Debug, Clone)]
struct Given<S> {
    asked: Asked,
    of: PhantomData<S>,
}

const FROM_SCRATCH: &str = "from_scratch";

/// What an option is worth that a checkpoint settles where nobody gives it.
const AS_TRAINED: &str = "as trained";

/// Whether a verb starts from a model.
fn has_checkpoint(verb: Verb) -> bool {
    verb.option("checkpoint").is_some()
}

impl<S: Settings> Args for Given<S> {
    fn augment_args(mut command: Command) -> Command {
        if has_checkpoint(S::VERB) {
            let flag = Arg::new(FROM_SCRATCH)
                .long("from-scratch")
                .action(ArgAction::SetTrue)
                .conflicts_with("resume")
                .requires("layers")
                .help("Start from random weights instead of a checkpoint; needs --layers")
                .help_heading("Model");
            command = command.arg(flag);
        }
        let defaults = S::built_in(&Table::new()).flat().unwrap_or_default();
        options::add(command, S::VERB, |key| {
            let opt = S::VERB.option(key)?;
            if has_checkpoint(S::VERB) && opt.inherited {
                return Some(AS_TRAINED.to_string());
            }
            defaults.get(key).map(default_text).or(opt.shown.map(str::to_string))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> FromArgMatches for Given<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (flags, notes) = options::given(matches, S::VERB);
        let from_scratch = has_checkpoint(S::VERB) && matches.get_flag(FROM_SCRATCH);
        Ok(Self { asked: Asked { flags, notes, config: None, from_scratch }, of: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What a training leaves behind.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Run folder [default: a new one under runs/]
    #[arg(long, env = "DBN_OUT", hide_env = true, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Resume the run in this folder [default: a new run]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "force"])]
    pub(crate) resume: Option<PathBuf>,
    /// Recipe (TOML) [default: the built-in one]
    #[arg(long, alias = "recipe", env = "DBN_CONFIG", hide_env = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Replace a run that is already in the folder
    #[arg(long)]
    pub(crate) force: bool,
}

/// A recipe to print.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecipeArgs {
    /// Verb whose defaults to print: pretrain, stack, tune or finetune; or the name of a recipe
    #[arg(value_name = "NAME", value_parser = named)]
    pub(crate) name: RecipeName,
    /// Task of the network of `dbn finetune`: classifier or autoencoder [default: classifier]
    #[arg(long = "as", value_name = "TASK", hide_possible_values = true, value_parser = ["classifier", "autoencoder"])]
    pub(crate) task: Option<String>,
}

/// Which recipe is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecipeName {
    /// The defaults of a verb that trains.
    Defaults(Verb),
    /// One that was found for some kind of data.
    Named(NamedRecipe),
}

fn named(name: &str) -> Result<RecipeName, String> {
    let verb = Verb::TRAINING.into_iter().find(|verb| verb.name() == name).map(RecipeName::Defaults);
    verb.or_else(|| NamedRecipe::of(name).map(RecipeName::Named)).ok_or_else(|| {
        let known = Verb::TRAINING.into_iter().map(Verb::name).chain(NamedRecipe::ALL.map(|recipe| recipe.name));
        format!("expected one of {}", known.collect::<Vec<_>>().join(", "))
    })
}

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::CommandFactory;

    /// Flags that write a file which is not written without them.
    const WITHOUT: [(&str, &str); 14] = [
        ("show", "filters"),
        ("show", "units"),
        ("score", "picture"),
        ("contacts", "picture"),
        ("contacts", "triples"),
        ("quality", "out"),
        ("quality", "picture"),
        ("thermodynamics", "picture"),
        ("classify", "errors"),
        ("classify", "out"),
        ("eval", "out"),
        ("check", "recipe"),
        ("check", "schema-out"),
        ("check", "weights-out"),
    ];

    /// `[default: ...]` stands beside every flag with a value, of every verb, in short and long help.
    #[test]
    fn every_flag_shows_its_default() {
        let mut program = Cli::command();
        program.build();
        let mut checked = 0;
        for command in program.get_subcommands() {
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values() && !arg.is_hide_set()) {
                let Some(flag) = arg.get_long() else { continue };
                let shows = |help: Option<&clap::builder::StyledStr>| {
                    help.is_none_or(|help| help.to_string().contains("[default: "))
                };
                let shown = shows(arg.get_help()) && shows(arg.get_long_help()) || !arg.get_default_values().is_empty();
                let excused = WITHOUT.contains(&(command.get_name(), flag)) || arg.is_required_set();
                assert!(shown || excused, "dbn {} --{flag}", command.get_name());
                checked += 1;
            }
        }
        assert!(checked > 200, "{checked}");
    }
}
