//! Options of how data are read, and of `dbn data`.

use crate::data::schema_file;
use crate::failure::Result;
use crate::options::{self, Verb};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use deepbelief_data::{Codes, ColumnKinds, Header, ImageShape, Scale, Schema, Source, Synthetic, VisibleUnits};
use serde::Deserialize;
use std::path::PathBuf;

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
            _ => false,
        })
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

Examples:
  dbn data make bars-and-stripes --out bars.csv
  dbn pretrain --data csv:bars.csv --label-column label --valid 0 --binarize threshold=0.5 --hidden 16 \
      --batch-size 32 --persistent-chains 500 --learning-rate 0.1 --schedule linear --final-learning-rate 0.0005 \
      --epochs 20000 --momentum 0 --final-momentum 0 --weight-cost 0 --out runs/bars
  dbn eval runs/bars --split train       exactly: the entropy is the best there is";

/// What to do with data.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Make a small binary data set whose entropy is known
    #[command(after_help = MAKE_HELP)]
    Make(MakeArgs),
}

/// A data set to make.
#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    /// Kind of samples
    #[arg(value_name = "KIND")]
    pub(crate) kind: Synthetic,
    /// Pixels a side, or units [default: the usual size]
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u32>,
    /// File to write (.csv)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
