//! What the values of a column are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::number::{of_few_digits, shown};
use crate::text::serde_as_text;

/// What rounding may add to a unit value at an end of its range.
pub(super) const ROUNDING: f32 = 1e-6;

/// Times its scale, from which on an offset leaves fewer than fourteen of 32 bits' digits to what is scaled.
const WIDE: f64 = 1024.0;

/// Whether numbers lie so far from 0 beside how far they lie apart that 32 bits hold little of that.
pub(crate) fn is_wide(offset: f64, scale: f64) -> bool {
    offset.abs() > WIDE * scale.abs()
}

/// Numbers that 32 bits hold are written in as few digits as these need.
mod few_digits {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::number::of_few_digits;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub(super) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        let short = *x as f32;
        if f64::from(short) == *x { serializer.serialize_f32(short) } else { serializer.serialize_f64(*x) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        f64::deserialize(deserializer).map(of_few_digits)
    }
}

/// What the values of a column are, and what it takes to make visible units of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ColumnKind {
    /// One of two values: one unit.
    Binary {
        /// The value that is 0.
        off: String,
        /// The value that is 1.
        on: String,
    },
    /// A probability or grey level: one unit, the value divided.
    Unit {
        /// The value that is 1.
        divisor: f32,
    },
    /// A number of any range: one unit, `(value - offset) / scale`. For a Bernoulli unit offset and scale are the
    /// smallest training value and the range, and values beyond are taken for its ends, or the largest value and the
    /// range less than 0, which turns them round; for a Gaussian unit they are the mean and the standard deviation.
    Real {
        /// The value that is 0.
        #[serde(with = "few_digits")]
        offset: f64,
        /// What is divided by.
        #[serde(with = "few_digits")]
        scale: f64,
    },
    /// One of a few values without order: a unit each, of which one is on.
    Categorical {
        /// The values, in the order of their units.
        levels: Vec<String>,
    },
    /// -1 or 1: one unit, which is off or on.
    Spin,
    /// Not learned from: an index, an identifier, free text.
    Ignored,
    /// The class of a sample.
    Label,
    /// What a sample weighs in training: a number from 0 up.
    Weight,
}

impl ColumnKind {
    /// Number of visible units.
    #[must_use]
    pub fn units(&self) -> usize {
        match self {
            Self::Binary { .. } | Self::Unit { .. } | Self::Real { .. } | Self::Spin => 1,
            Self::Categorical { levels } => levels.len(),
            Self::Ignored | Self::Label | Self::Weight => 0,
        }
    }

    /// A number of any range, whose 0 and whose 1 lie so. What 32 bits hold well enough is rounded to them.
    pub(super) fn real(offset: f64, scale: f64) -> Self {
        let offset = if is_wide(offset, scale) { offset } else { f64::from(offset as f32) };
        Self::Real { offset: of_few_digits(offset), scale: of_few_digits(f64::from(scale as f32)) }
    }

    /// Numbers of this range, which becomes 0 to 1; where `min` is the larger, the scale is negative.
    pub(super) fn range(min: f64, max: f64) -> Self {
        let width = if is_wide(min, max - min) {
            max - min
        } else {
            (max as f32 - min as f32).clamp(f32::MIN, f32::MAX).into()
        };
        Self::real(min, width)
    }

    /// Whether its values lie so far from 0 beside how far they lie apart that 64 bits have to hold them.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Self::Real { offset, scale } if is_wide(*offset, *scale))
    }

    /// The unit value of a number, of a real or unit column. Offset and scale are taken in 64 bits, of the number itself
    /// where 32 bits would leave little of it.
    pub(super) fn scaled(&self, x: f64) -> Option<f32> {
        match self {
            Self::Unit { divisor } => Some(x as f32 / divisor),
            Self::Real { offset, scale } => {
                let x = if self.is_wide() { x } else { f64::from(x as f32) };
                Some(((x - offset) / scale) as f32)
            }
            _ => None,
        }
    }

    /// The largest number of the range of a real column.
    pub(super) fn top(offset: f64, scale: f64) -> String {
        if is_wide(offset, scale) { shown(offset + scale) } else { (offset as f32 + scale as f32).to_string() }
    }

    /// Its name alone.
    #[must_use]
    pub fn name(&self) -> KindName {
        match self {
            Self::Binary { .. } => KindName::Binary,
            Self::Unit { .. } => KindName::Unit,
            Self::Real { .. } => KindName::Real,
            Self::Categorical { .. } => KindName::Categorical,
            Self::Spin => KindName::Spin,
            Self::Ignored => KindName::Ignored,
            Self::Label => KindName::Label,
            Self::Weight => KindName::Weight,
        }
    }
}

/// In words, with what it takes: `real: 21 to 81`.
impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary { off, on } => write!(f, "binary: {off} is off, {on} is on"),
            Self::Unit { divisor } if *divisor == 1.0 => f.write_str("unit: 0 to 1"),
            Self::Unit { divisor } => write!(f, "unit: 0 to {divisor}"),
            Self::Real { offset, scale } => write!(f, "real: {} to {}", shown(*offset), Self::top(*offset, *scale)),
            Self::Categorical { levels } => {
                let shown: Vec<&str> = levels.iter().take(6).map(String::as_str).collect();
                let more = if levels.len() > shown.len() { ", ..." } else { "" };
                write!(f, "categorical: {} levels, {}{more}", levels.len(), shown.join(", "))
            }
            Self::Spin | Self::Ignored | Self::Label | Self::Weight => self.name().fmt(f),
        }
    }
}

/// A kind of columns by its name, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindName {
    /// [`ColumnKind::Binary`].
    Binary,
    /// [`ColumnKind::Unit`].
    Unit,
    /// [`ColumnKind::Real`].
    Real,
    /// [`ColumnKind::Categorical`].
    Categorical,
    /// [`ColumnKind::Spin`].
    Spin,
    /// [`ColumnKind::Ignored`].
    Ignored,
    /// [`ColumnKind::Label`].
    Label,
    /// [`ColumnKind::Weight`].
    Weight,
}

impl KindName {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Binary, Self::Unit, Self::Real, Self::Categorical, Self::Spin, Self::Ignored, Self::Label, Self::Weight];

    /// What a column of this kind needs beside its kind, by the names of a [`ColumnKind`]'s fields.
    #[must_use]
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Binary => &["off", "on"],
            Self::Unit => &["divisor"],
            Self::Real => &["offset", "scale"],
            Self::Categorical => &["levels"],
            Self::Spin | Self::Ignored | Self::Label | Self::Weight => &[],
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Unit => "unit",
            Self::Real => "real",
            Self::Categorical => "categorical",
            Self::Spin => "spin",
            Self::Ignored => "ignored",
            Self::Label => "label",
            Self::Weight => "weight",
        }
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for KindName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|kind| kind.text() == text).ok_or_else(|| Error::Setting {
            name: "kind of a column",
            got: format!("{text:?}"),
            expected: Self::ALL.map(Self::text).join(", "),
        })
    }
}

serde_as_text!(KindName);

/// Kinds of columns as they are asked for: `age=real,sex=categorical`, the last word on what a column is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnKinds(pub Vec<(String, KindName)>);

impl fmt::Display for ColumnKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.iter().map(|(column, kind)| format!("{column}={kind}")).collect();
        f.write_str(&each.join(","))
    }
}

impl FromStr for ColumnKinds {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let expected = || Error::Setting {
            name: "column types",
            got: format!("{text:?}"),
            expected: "COLUMN=KIND, several with commas, such as age=real,id=ignored".into(),
        };
        let parts = text.split(',').filter(|part| !part.is_empty());
        let pair = |part: &str| {
            let (column, kind) = part.rsplit_once('=').ok_or_else(expected)?;
            Ok((column.trim().to_string(), kind.trim().parse()?))
        };
        parts.map(pair).collect::<Result<_, _>>().map(Self)
    }
}

serde_as_text!(ColumnKinds);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_and_write_as_text() {
        for kind in KindName::ALL {
            assert_eq!(kind.to_string().parse::<KindName>().unwrap(), kind);
        }
        let kinds: ColumnKinds = "age=real, a=b=ignored".parse().unwrap();
        assert_eq!(kinds.0, [("age".to_string(), KindName::Real), ("a=b".to_string(), KindName::Ignored)]);
        assert_eq!(kinds.to_string().parse::<ColumnKinds>().unwrap(), kinds);
        let error = "age=large".parse::<ColumnKinds>().unwrap_err().to_string();
        assert_eq!(
            error,
            "kind of a column is \"large\"; it must be binary, unit, real, categorical, spin, ignored, label, weight"
        );
        assert!("age".parse::<ColumnKinds>().unwrap_err().to_string().contains("COLUMN=KIND"));
    }
}
