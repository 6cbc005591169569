//! How a source is read.

use std::fmt;
use std::str::FromStr;

use deepbelief_hub::{Address, Fetched};
use serde::{Deserialize, Serialize};

use super::alignment::AlignmentOptions;
use super::columns::Schema;
use super::kind::ColumnKinds;
use super::scale::Scale;
use super::visible::VisibleUnits;
use crate::error::Error;
use crate::tables::image_shape::ImageShape;
use crate::text::serde_as_text;

/// Whether a CSV file starts with a line of names. As text: `auto`, `yes`, `no`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// It does if the first line is words, and does not if it is numbers; a mixture is refused,
    /// unless it names the label column. The label's own field, where its place is known by
    /// number, does not count: names of classes are no header.
    #[default]
    Auto,
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Yes => "yes",
            Self::No => "no",
        })
    }
}

impl FromStr for Header {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            _ => Err(Error::Setting { name: "header", got: format!("{text:?}"), expected: "auto, yes or no".into() }),
        }
    }
}

serde_as_text!(Header);

/// How a source is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoadOptions {
    /// How values are brought into [0, 1]. Default: `auto`.
    pub scale: Scale,
    /// Whether values beyond a [`Scale::Range`] are taken for its ends, as those of other data than it was found in.
    /// Default: they are refused.
    #[serde(skip)]
    pub clamp: bool,
    /// CSV: whether the first line holds names. Default: `auto`.
    pub header: Header,
    /// Tables and arrays of columns: the column of the labels, by its name, as `first` or `last`, or by its number
    /// from 0. Default: none, but the labels of svmlight, the attribute `class` of ARFF, and of Parquet a column that
    /// is called `label` or the like. Sources whose labels stand elsewhere refuse it.
    pub label_column: Option<String>,
    /// What a label that is missing means. Default: an error.
    #[serde(skip)]
    pub labels: LabelUse,
    /// Parquet: the column of the samples, pictures or lists of numbers. Default: one that is
    /// called `image` or the like, or the only one that holds whole samples, or else every column
    /// of numbers or text.
    pub feature_column: Option<String>,
    /// Pictures: the size that they are brought to. Default: their own, which must be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<ImageShape>,
    /// Number of classes; labels are whole numbers below it. Default: as many as there are labels.
    pub classes: Option<usize>,
    /// What the classes are called, in the order of their numbers, where another data set has
    /// given the numbers out: a source that names its classes may name these and no others.
    /// Labels that are numbers are names too where all names are whole numbers, and else must lie
    /// below their count. Default: classes are numbered in the order of their names.
    pub class_names: Option<Vec<String>>,
    /// Which number a class has. Default: its place among the names, or the labels, that occur.
    #[serde(skip)]
    pub class_numbers: ClassNumbers,
    /// Tables of text: what columns are, where their values do not say it rightly.
    #[serde(skip_serializing_if = "is_default")]
    pub column_types: ColumnKinds,
    /// Tables of text: texts that mean a missing value, beside those that always do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Tables of text: the column of the samples' weights, by its name or its number from 0. Default: all weigh the
    /// same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_column: Option<String>,
    /// Which units learn the columns, where no schema says it. Default: `bernoulli`, which maps columns of real
    /// numbers to [0, 1]; `auto` gives them Gaussian units. A model of the data needs the units of
    /// [`Split::layer`](crate::Split::layer).
    #[serde(skip_serializing_if = "is_bernoulli")]
    pub visible_units: VisibleUnits,
    /// Tables of text: what the columns are, as it was inferred from other data. Default: it is inferred from these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Tables of text: whether lines of nothing but separators are samples without any value. Default: they are left
    /// out.
    #[serde(skip)]
    pub keep_empty: bool,
    /// How alignments are read.
    #[serde(skip_serializing_if = "is_plain")]
    pub alignment: AlignmentOptions,
    /// How data sets of the Hub are fetched.
    #[serde(skip)]
    pub fetch: Fetch,
    /// Bytes of memory that the data may take while they are read; what takes more is refused, as is what
    /// never ends. Default: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<u64>,
}

/// What labels are wanted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelUse {
    /// To learn them: every sample has one where the data have labels.
    #[default]
    Required,
    /// To compare with: tables of text in which a sample lacks its label count as data without labels.
    IfComplete,
    /// For nothing: data have none.
    Unused,
}

/// Which number a class has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassNumbers {
    /// Its place among the names that are given or found, and, of labels that are whole numbers from 0 of which some do
    /// not occur, among those that do.
    #[default]
    Places,
    /// That place too, but data may have classes beside those that are given by name: they come after them.
    More,
    /// Where labels are whole numbers from 0, the label itself; the numbers that do not occur are classes as well.
    Labels,
}

fn is_default(kinds: &ColumnKinds) -> bool {
    kinds.0.is_empty()
}

fn is_plain(options: &AlignmentOptions) -> bool {
    !options.is_asked()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_bernoulli(units: &VisibleUnits) -> bool {
    *units == VisibleUnits::Bernoulli
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            scale: Scale::Auto,
            clamp: false,
            header: Header::Auto,
            label_column: None,
            labels: LabelUse::Required,
            feature_column: None,
            image_size: None,
            classes: None,
            class_names: None,
            class_numbers: ClassNumbers::default(),
            column_types: ColumnKinds::default(),
            missing: Vec::new(),
            weight_column: None,
            visible_units: VisibleUnits::default(),
            schema: None,
            keep_empty: false,
            alignment: AlignmentOptions::default(),
            fetch: Fetch::default(),
            max_memory: None,
        }
    }
}

/// Why a data set could not be fetched.
pub type NotFetched = Box<dyn std::error::Error + Send + Sync>;

/// How the files of a data set come into the Hub's cache. By default this library fetches them, if its
/// feature `hub` is on. Any two are equal: they change nothing of what is read.
#[derive(Clone, Copy)]
pub struct Fetch(pub fn(&Address) -> Result<Fetched, NotFetched>);

impl Default for Fetch {
    fn default() -> Self {
        Self(by_this_library)
    }
}

#[cfg(feature = "hub")]
fn by_this_library(address: &Address) -> Result<Fetched, NotFetched> {
    let hub = deepbelief_hub::Hub::new(deepbelief_hub::Settings::from_env())?;
    Ok(hub.dataset(address)?)
}

#[cfg(not(feature = "hub"))]
fn by_this_library(address: &Address) -> Result<Fetched, NotFetched> {
    Err(Error::FeatureOff { what: format!("hf:{address}"), feature: "hub" }.into())
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetch")
    }
}

impl PartialEq for Fetch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_read_and_write_as_text() {
        let options = LoadOptions { label_column: Some("last".into()), header: Header::No, ..LoadOptions::default() };
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<LoadOptions>(&json).unwrap(), options);
        assert_eq!(serde_json::from_str::<LoadOptions>("{}").unwrap(), LoadOptions::default());
        assert!(serde_json::from_str::<LoadOptions>(r#"{"sclae":"none"}"#).is_err());
        assert_eq!(
            "maybe".parse::<Header>().unwrap_err().to_string(),
            "header is \"maybe\"; it must be auto, yes or no"
        );
    }
}
