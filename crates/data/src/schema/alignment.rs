//! How alignments are read.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::alphabet::Alphabet;
use super::columns::{ColumnSchema, Schema};
use super::kind::ColumnKind;
use super::visible::ColumnUnits;
use crate::error::Error;
use crate::text::serde_as_text;

/// What a letter is that the alphabet has not, such as `X`. As text: `missing`, `gap`, `error`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// A missing value.
    #[default]
    Missing,
    /// A gap.
    Gap,
    /// An error.
    Error,
}

/// What lower-case letters and `.` are. As text: `auto`, `drop`, `keep`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inserts {
    /// Insert columns, which are left out, where the file is one of A2M, A3M or Stockholm by its columns; else letters
    /// and gaps like the others.
    #[default]
    Auto,
    /// Insert columns, which are left out.
    Drop,
    /// Letters and gaps like the others.
    Keep,
}

/// One of some words.
macro_rules! words {
    ($type:ty, $name:literal, $($variant:ident = $word:literal),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => {
                        let (got, expected) = (format!("{text:?}"), [$($word),+].join(", "));
                        Err(Error::Setting { name: $name, got, expected })
                    }
                }
            }
        }

        serde_as_text!($type);
    };
}

words!(Unknown, "unknown", Missing = "missing", Gap = "gap", Error = "error");
words!(Inserts, "inserts", Auto = "auto", Drop = "drop", Keep = "keep");

/// How alignments are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlignmentOptions {
    /// The letters of the sites. Default: inferred from the file, without the gap where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<Alphabet>,
    /// What a letter is that the alphabet has not. Default: missing.
    pub unknown: Unknown,
    /// What lower-case letters and `.` are. Default: inferred from the columns of the file.
    pub inserts: Inserts,
    /// The largest share of gaps that a sequence may have; those with more are left out. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gaps: Option<f64>,
    /// Whether sequences that are the same as one before are left out; the first then has their weights.
    pub deduplicate: bool,
    /// The share of equal letters from which on two sequences are neighbours: a sequence weighs the inverse of the number
    /// of its neighbours, itself counted. Unknown letters are equal to none. Weights are divided by their mean. Default:
    /// all weigh the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reweight: Option<f64>,
    /// A file of the sequences' weights, a line each: the weight, in the order of the sequences, or name and weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// The share of equal letters with the first sequence of a cluster from which on another belongs to it: see
    /// [`Split::split_validation`](crate::Split::split_validation), which then holds whole clusters out. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<f64>,
}

/// What a share must be, with what it is if it was meant in per cent.
fn in_words(expected: &str, share: f64) -> String {
    if (2.0..=100.0).contains(&share) {
        format!("{expected}; {share} % is {}", share / 100.0)
    } else {
        expected.to_string()
    }
}

impl AlignmentOptions {
    /// Refuses numbers out of their ranges, and two sources of weights.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let refuse = |name, got: String, expected: &str| Err(Error::Setting { name, got, expected: expected.into() });
        let is_share = |share: f64| share > 0.0 && share <= 1.0;
        let of_letters = |share: f64| in_words("a share of the letters, above 0 and at most 1", share);
        if let Some(share) = self.clusters.filter(|&share| !is_share(share)) {
            return refuse("valid_clusters", share.to_string(), &of_letters(share));
        }
        match (self.max_gaps, self.reweight) {
            (Some(share), _) if !(0.0..=1.0).contains(&share) => {
                refuse("max_gaps", share.to_string(), &in_words("a share of the sites, 0 to 1", share))
            }
            (_, Some(share)) if !is_share(share) => refuse("reweight", share.to_string(), &of_letters(share)),
            (_, Some(share)) if self.weights.is_some() => {
                refuse("reweight", share.to_string(), "left out: the weights are in a file")
            }
            _ => Ok(()),
        }
    }

    /// Whether anything is asked for, which is for alignments alone.
    pub(crate) fn is_asked(&self) -> bool {
        *self != Self::default()
    }
}

impl Schema {
    /// Of an alignment: so many sites, each a category whose levels are the letters.
    #[must_use]
    pub fn of_alignment(alphabet: Alphabet, sites: usize) -> Self {
        let kind = ColumnKind::Categorical { levels: alphabet.levels() };
        let columns = vec![ColumnSchema { name: None, count: sites, kind }];
        Self { learned_by: ColumnUnits::ByKind, alphabet: Some(alphabet), columns, ..Self::default() }
    }

    /// The letters, where the data are an alignment.
    #[must_use]
    pub fn alphabet(&self) -> Option<&Alphabet> {
        self.alphabet.as_ref()
    }

    /// What the column at a place is called: its name, or the place, which of an alignment counts from 1, as sites do.
    #[must_use]
    pub fn called(&self, place: usize, name: Option<&str>) -> String {
        name.map_or_else(|| (place + usize::from(self.alphabet.is_some())).to_string(), str::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_and_write_as_text() {
        for unknown in [Unknown::Missing, Unknown::Gap, Unknown::Error] {
            assert_eq!(unknown.to_string().parse::<Unknown>().unwrap(), unknown);
        }
        for inserts in [Inserts::Auto, Inserts::Drop, Inserts::Keep] {
            assert_eq!(inserts.to_string().parse::<Inserts>().unwrap(), inserts);
        }
        let error = "x".parse::<Unknown>().unwrap_err().to_string();
        assert_eq!(error, "unknown is \"x\"; it must be missing, gap, error");
    }

    #[test]
    fn shares_are_shares() {
        let options = |max_gaps, reweight| AlignmentOptions { max_gaps, reweight, ..AlignmentOptions::default() };
        for bad in [options(Some(1.5), None), options(None, Some(0.0)), options(None, Some(f64::NAN))] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
        options(Some(0.0), Some(1.0)).validate().unwrap();
        for (share, fits) in [(0.4, true), (1.0, true), (0.0, false), (1.5, false)] {
            let clusters = AlignmentOptions { clusters: Some(share), ..AlignmentOptions::default() };
            assert_eq!(clusters.validate().is_ok(), fits, "{share}");
        }
        let per_cent = options(None, Some(80.0)).validate().unwrap_err().to_string();
        let said = "reweight is 80; it must be a share of the letters, above 0 and at most 1; 80 % is 0.8";
        assert_eq!(per_cent, said);
        let two = AlignmentOptions { weights: Some("w".into()), ..options(None, Some(0.8)) };
        assert!(two.validate().unwrap_err().to_string().ends_with("left out: the weights are in a file"));
    }
}
