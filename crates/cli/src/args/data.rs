//! Options of how data are read, and of `dbn data`.

use crate::data::schema_file;
use crate::failure::Result;
use crate::options::{self, Verb};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use deepbelief_data::{
    AlignmentOptions, Alphabet, Codes, ColumnKinds, Header, ImageShape, Inserts, Scale, Schema, Source, Synthetic,
    Unknown, VisibleUnits,
};
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// How data are read, as far as it was asked for: by a verb that uses a model, or by `dbn check`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct DataArgs<const CHECK: bool = false> {
    pub(crate) data: Option<Source>,
    pub(crate) scale: Option<Scale>,
    pub(crate) label_column: Option<String>,
    pub(crate) feature_column: Option<String>,
    pub(crate) header: Option<Header>,
    pub(crate) column_types: Option<ColumnKinds>,
    pub(crate) missing: Option<Codes>,
    pub(crate) weight_column: Option<String>,
    pub(crate) visible_units: Option<VisibleUnits>,
    pub(crate) image_size: Option<ImageShape>,
    pub(crate) schema: Option<Schema>,
    pub(crate) alphabet: Option<Alphabet>,
    pub(crate) unknown: Option<Unknown>,
    pub(crate) inserts: Option<Inserts>,
    pub(crate) max_gaps: Option<f64>,
    pub(crate) deduplicate: Option<bool>,
    pub(crate) reweight: Option<f64>,
    pub(crate) weights: Option<PathBuf>,
}

impl<const CHECK: bool> DataArgs<CHECK> {
    const VERB: Verb = if CHECK { Verb::Check } else { Verb::Use };

    /// Refuses a schema beside what it stands for.
    pub(crate) fn require_schema_alone(&self) -> Result<()> {
        schema_file::require_alone(|key| match key {
            "schema" => self.schema.is_some(),
            "scale" => self.scale.is_some(),
            "label_column" => self.label_column.is_some(),
            "weight_column" => self.weight_column.is_some(),
            "column_types" => self.column_types.is_some(),
            "missing" => self.missing.is_some(),
            "visible_units" => self.visible_units.is_some(),
            "alphabet" => self.alphabet.is_some(),
            _ => false,
        })
    }

    /// How an alignment is read, as far as it was asked for.
    pub(crate) fn alignment(&self) -> AlignmentOptions {
        AlignmentOptions {
            alphabet: self.alphabet.clone(),
            unknown: self.unknown.unwrap_or_default(),
            inserts: self.inserts.unwrap_or_default(),
            max_gaps: self.max_gaps,
            deduplicate: self.deduplicate.unwrap_or_default(),
            reweight: self.reweight.filter(|&share| share != 0.0),
            weights: self.weights.clone(),
            // Which samples a training held out is its own.
            clusters: None,
        }
    }

    /// What an option is worth that is not given.
    fn default(key: &str) -> Option<String> {
        let default = match key {
            _ if !CHECK => "as in training",
            "scale" => "what suits the values",
            "header" => "auto",
            _ => return None,
        };
        Some(default.to_string())
    }
}

impl<const CHECK: bool> Args for DataArgs<CHECK> {
    fn augment_args(command: Command) -> Command {
        options::add(command, Self::VERB, Self::default)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const CHECK: bool> FromArgMatches for DataArgs<CHECK> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let (table, _) = options::given(matches, Self::VERB);
        table.try_into().map_err(|error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, error))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) const MAKE_HELP: &str = "\
Kinds, each of equally probable samples, with their usual size:
  bars-and-stripes  4: pictures with whole rows on, or whole columns
  shifter           8: random units, and the same moved by one, or not
  labelled-shifter  8: with three more units that say which way
  parity            8: an even number of units is on

  ising draws samples of a square lattice of --size spins a side (usually 8), -1 or 1, periodic, at
  the inverse temperature --beta: p(s) = exp(beta sum over neighbours s s') / Z. It prints the mean
  energy and the heat capacity beside the exact ones (Kaufman 1949).

Examples:
  dbn data make bars-and-stripes --out bars.csv
  dbn data make ising --size 32 --beta 0.44 --out ising.csv
  dbn pretrain --data csv:bars.csv --label-column label --valid 0 --binarize threshold=0.5 \\
      --hidden 16 --batch-size 32 --persistent-chains 500 --learning-rate 0.1 \\
      --schedule linear --final-learning-rate 0.0005 --epochs 20000 --momentum 0 \\
      --final-momentum 0 --weight-cost 0 --out runs/bars
  dbn eval runs/bars --split train     # exact: no model does better than the entropy";

/// What to do with data.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Make a small binary data set whose entropy is known
    #[command(after_help = MAKE_HELP)]
    Make(MakeArgs),
}

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// All patterns of a kind.
    Patterns(Synthetic),
    /// Samples of the Ising model.
    Ising,
}

impl FromStr for Made {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "ising" {
            return Ok(Self::Ising);
        }
        text.parse().map(Self::Patterns).map_err(|error: deepbelief_data::Error| format!("{error}, or ising"))
    }
}

/// A data set to make.
#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    /// Kind of samples
    #[arg(value_name = "KIND")]
    pub(crate) kind: Made,
    /// Pixels or spins a side, or units [default: the usual size]
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u32>,
    /// Inverse temperature of ising [default: 0.44, where it orders]
    #[arg(long, value_name = "B")]
    pub(crate) beta: Option<f64>,
    /// Samples of ising [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) samples: Option<u32>,
    /// Random seed of ising [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// File to write (.csv)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
