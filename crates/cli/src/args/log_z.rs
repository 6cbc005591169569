//! `--log-z`: ln Z as numbers or as the file of an evaluation.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where ln Z is taken from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GivenLogZ {
    /// As it is typed.
    Typed(LogZ),
    /// From what `dbn eval --out` wrote.
    Evaluation(PathBuf),
}

/// ln Z in nats, with the ends of its interval or alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogZ {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

impl FromStr for GivenLogZ {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            return Ok(Self::Evaluation(text.into()));
        }
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[value]) if value.is_finite() => Ok(Self::Typed(LogZ { value, interval: None })),
            Some(&[value, low, high]) if (low..=high).contains(&value) && low.is_finite() && high.is_finite() => {
                Ok(Self::Typed(LogZ { value, interval: Some((low, high)) }))
            }
            _ => Err("write the .json file of `dbn eval --out`, a number, or a number and the ends of its interval: \
                      883.66,883.48,883.83"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_z_is_numbers_or_a_file() {
        let alone = LogZ { value: -2.5, interval: None };
        assert_eq!("-2.5".parse(), Ok(GivenLogZ::Typed(alone)));
        assert_eq!("-2.5,-3,-2".parse(), Ok(GivenLogZ::Typed(LogZ { interval: Some((-3.0, -2.0)), ..alone })));
        assert_eq!("a/e.json".parse(), Ok(GivenLogZ::Evaluation("a/e.json".into())));
        for bad in ["", "x", "1,2", "1,2,3", "1,0,2,3", "NaN", "inf", "e.txt"] {
            assert!(bad.parse::<GivenLogZ>().is_err(), "{bad}");
        }
        let words = ["dbn", "score", "model", "--out", "s.csv", "--log-z", "-2.5,-3,-2"];
        assert!(<crate::args::Cli as clap::Parser>::try_parse_from(words).is_ok(), "numbers may be negative");
    }
}
