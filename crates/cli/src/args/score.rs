//! Options of `dbn score`.

use super::log_z::GivenLogZ;
use super::machine::MachineArgs;
use super::on::ModelOnData;
use super::text_form::TextFormArgs;
use clap::Args;
use deepbelief_data::Binarize;
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) const SCORE_HELP: &str = "\
Columns of the table, a row a sample:
  line            number of the line in the file, from 1; of data without lines `row`, from 0
  free_energy     nats; the higher, the less probable
  log_likelihood  nats: minus the free energy, minus ln Z
  percentile      per cent of the training samples that are as probable or less; 0 to 1 is unusual
  beyond          number of values outside the ranges of their columns: each is scored as the
                  nearest end of its range. A number of a Gaussian unit has no range: it counts
                  if it is more than 10 standard deviations from the mean, and is scored as it is
  oddest          of a table the column whose value the other columns make least likely, compared
                  with what is usual: -ln p(value | others) less its mean under the model
  oddest_nats     that difference, in nats
  second          the next column after `oddest`, and in `second_nats` its difference
A .csv or .parquet file has the columns that the model ignores too, after the first column.

A sample is scored by what was observed of it. Missing values are summed out exactly where they
are at most 12 units (a category has a unit for each level) or the model is an RBM of at most 12
hidden units. One or two missing numbers of Gaussian units are integrated out, to 1e-6. Where more
is missing, the score is an estimate by chains that fill the gaps, and the column `estimated` has 1;
a deep net or one with labels then gives no score. A sample with gaps has a lower free energy than
if every value were there. Its percentile is among up to 1,000 training samples, each without the
same values; it is empty where that takes too long.

Odd values are exact for an RBM, and for the binary values and categories of a deep net as exact as
its free energy. The least probable rows are searched first; after some seconds the search ends, and
the other rows have none. A value that is no less likely than usual is not odd; the summary names
those of at least one nat.

The free energy of an RBM is exact. For a deep belief net it is -ln of the mean weight over draws of
its layers, as in `dbn eval`. A row has the same score wherever it stands in the file.

log_likelihood needs ln Z. It is summed where one side of the top has at most 25 units. Otherwise
`dbn eval CKPT --out evaluation.json` estimates it, and --log-z evaluation.json takes it from there;
--log-z X or X,LOW,HIGH takes numbers. With its interval the summary has the interval of the mean
log-likelihood. Of letters, categories and spins it has the
mean per site too. Values between 0 and 1 are taken as they are, and log_likelihood is then a lower
bound on the expected log-likelihood of their binary draws.

percentile needs the training data that the model names, unchanged. Up to 10,000 of them are scored.
If they have weights, each sample counts by its weight.

With --mutations, mutants of --wild-type are scored instead, by an RBM of sequences:
  mutant       such as H24A, or H24A:E26K
  score        ln p(mutant) - ln p(wild type), the difference of their free energies, nats
  independent  the same for independent sites, by the frequencies of the letters in the data
  fitness      what was measured, with --fitness-column
`all` means the single mutants of every site. A file is a CSV table with a column `mutant`.
Residues are numbered from --offset + 1 along the letters of the wild type; a mutant elsewhere has
no score. A wild type that is longer or shorter than the sites is aligned to them by the letters of
the data. Where fitness was measured, the summary has Spearman's correlation with it, and the
interval that holds 95 % of bootstrap samples.

Examples:
  dbn score runs/people --data csv:new.csv --out scores.csv
  dbn score runs/mnist-500 --log-z evaluation.json --out scores.parquet
  dbn score runs/kunitz --mutations all --wild-type SEQUENCE --out mutants.csv --picture map.png
  dbn score runs/kunitz --mutations scan.csv --fitness-column y --wild-type NAME --out mutants.csv";

/// Samples to score.
#[derive(Debug, Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub(crate) on: ModelOnData,
    /// Make pixels binary: none or threshold=T [default: threshold as in training, else none]
    #[arg(long, value_name = "HOW")]
    pub(crate) binarize: Option<Binarize>,
    /// ln Z of the top: the file of `dbn eval --out`, or nats, with or without its interval [default: the exact sum, where it can be computed]
    #[arg(long, value_name = "JSON|X[,LOW,HIGH]", allow_hyphen_values = true)]
    pub(crate) log_z: Option<GivenLogZ>,
    /// Draws of the hidden layers under the top for every sample
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) layer_draws: u16,
    /// Mutants to score: a CSV file, or `all` single ones [default: none, samples are scored]
    #[arg(long, value_name = "FILE|all", requires = "wild_type", conflicts_with_all = ["split", "binarize", "log_z", "layer_draws"])]
    pub(crate) mutations: Option<Mutations>,
    /// Sequence that mutates: its name in the data, or its letters [default: none]
    #[arg(long, value_name = "NAME|SEQ", requires = "mutations")]
    pub(crate) wild_type: Option<String>,
    /// Number of the residue before the first one of the wild type [default: by a name such as X/24-286, else 0]
    #[arg(long, value_name = "N", requires = "mutations", allow_negative_numbers = true)]
    pub(crate) offset: Option<i64>,
    /// Column of the file with the measured fitness, the higher the fitter [default: none]
    #[arg(long, value_name = "NAME", requires = "mutations")]
    pub(crate) fitness_column: Option<String>,
    /// Draw all single mutants into this PNG file
    #[arg(long, value_name = "PNG", requires = "mutations")]
    pub(crate) picture: Option<PathBuf>,
    /// Table to write: .csv, .npy, .parquet or .safetensors
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

/// Which mutants are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mutations {
    /// All single ones.
    All,
    /// Those of a file.
    File(PathBuf),
}

impl FromStr for Mutations {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "all" { Self::All } else { Self::File(text.into()) })
    }
}
