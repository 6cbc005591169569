//! What brings values into [0, 1], by its name.

use std::fmt;
use std::str::FromStr;

use super::scaling::Scaling;
use crate::error::Error;
use crate::number::{of_few_digits, shown};
use crate::text::serde_as_text;

/// How values are brought into [0, 1]. As text: `auto`, `none`, `255`, `minmax`,
/// `minmax-columns`, `standard`, `MIN..MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// Training values within [0, 1] stay; whole numbers from 0 to 255 are divided by 255, or by the largest where
    /// none is above 127; the columns of a table are scaled each by its own range where they are neither;
    /// anything else is refused: fractions among values above 1 are no bytes, and their range
    /// is not known. The choice is made on the training data, holds for the test data too, and
    /// is reported in [`Dataset::scaling`](crate::Dataset::scaling).
    #[default]
    Auto,
    /// Values must lie in [0, 1].
    None,
    /// Values must lie in 0 to 255 and are divided by 255.
    By255,
    /// (value - min) / (max - min), with the smallest and largest value of the whole data set,
    /// training and test together, so that no value falls outside. Constant data is refused.
    MinMax,
    /// The same of each column by itself: of tables of text.
    MinMaxColumns,
    /// Each column of a table by its mean and standard deviation: the mean less two deviations becomes 0, the mean
    /// and two deviations 1, and values beyond are taken for these. Columns of two values stay binary.
    Standard,
    /// Values must lie in this range and are mapped from it: what [`Scale::MinMax`] found in one
    /// data set, for another that is to be read alike; the other way round where `min` is the larger, which turns dark on
    /// light into light on dark ([`LoadOptions::clamp`](crate::LoadOptions::clamp) takes values
    /// beyond for its ends).
    Range {
        /// The value that becomes 0.
        min: f64,
        /// The value that becomes 1.
        max: f64,
    },
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::None => f.write_str("none"),
            Self::By255 => f.write_str("255"),
            Self::MinMax => f.write_str("minmax"),
            Self::MinMaxColumns => f.write_str("minmax-columns"),
            Self::Standard => f.write_str("standard"),
            Self::Range { min, max } => write!(f, "{}..{}", shown(*min), shown(*max)),
        }
    }
}

impl FromStr for Scale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            "255" => Ok(Self::By255),
            "minmax" => Ok(Self::MinMax),
            "minmax-columns" => Ok(Self::MinMaxColumns),
            "standard" => Ok(Self::Standard),
            _ => match range_of(text) {
                Some((min, max)) => Ok(Self::Range { min, max }),
                None => Err(Error::Setting {
                    name: "scale",
                    got: format!("{text:?}"),
                    expected: "auto, none, 255, minmax, minmax-columns, standard or MIN..MAX, such as -1..3 or 255..0"
                        .into(),
                }),
            },
        }
    }
}

/// The bounds of `MIN..MAX`, of which the first may be the larger.
fn range_of(text: &str) -> Option<(f64, f64)> {
    let (min, max) = text.split_once("..")?;
    let (min, max) = (of_few_digits(min.parse().ok()?), of_few_digits(max.parse().ok()?));
    let is_finite = |x: f64| x.abs() <= f64::from(f32::MAX);
    (is_finite(min) && is_finite(max) && min != max).then_some((min, max))
}

serde_as_text!(Scale);

/// What scales other data as these were scaled. Its text is what to record.
impl From<Scaling> for Scale {
    fn from(scaling: Scaling) -> Self {
        match scaling {
            Scaling::None => Self::None,
            Scaling::By255 => Self::By255,
            Scaling::MinMax { min, max } => Self::Range { min: min.into(), max: max.into() },
        }
    }
}
