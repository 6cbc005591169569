//! Which visible units learn the columns of data.

use std::fmt;
use std::str::FromStr;

use deepbelief_kernels::{Segment, UnitKind, Units};
use serde::{Deserialize, Serialize};

use super::kind::ColumnKind;
use crate::error::Error;
use crate::number::shown;
use crate::text::serde_as_text;

/// Which units learn data. As text: `auto`, `bernoulli`, `gaussian`, `spin`, `categorical`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VisibleUnits {
    /// Of a table each column's own: [`ColumnUnits::ByKind`], unless a scale is asked for that brings values into [0, 1].
    /// Pictures and values that all have one scale are Bernoulli.
    Auto,
    /// Bernoulli units: [`ColumnUnits::Bernoulli`].
    #[default]
    Bernoulli,
    /// Gaussian units learn every column of numbers whose kind nobody asked for, each by its mean and standard
    /// deviation.
    Gaussian,
    /// Spins learn every column whose kind nobody asked for; all values are -1 or 1.
    Spin,
    /// A categorical unit learns each column whose kind nobody asked for. The levels of a table's column are the values
    /// that it has, those of an array are the values that the whole array has.
    Categorical,
}

impl VisibleUnits {
    const ALL: [Self; 5] = [Self::Auto, Self::Bernoulli, Self::Gaussian, Self::Spin, Self::Categorical];

    fn text(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bernoulli => "bernoulli",
            Self::Gaussian => "gaussian",
            Self::Spin => "spin",
            Self::Categorical => "categorical",
        }
    }

    /// Whether every column is to be of these units, whatever its values.
    pub(crate) fn is_for_all(self) -> bool {
        !matches!(self, Self::Auto | Self::Bernoulli)
    }
}

impl fmt::Display for VisibleUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for VisibleUnits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|units| units.text() == text).ok_or_else(|| Error::Setting {
            name: "visible units",
            got: format!("{text:?}"),
            expected: Self::ALL.map(Self::text).join(", "),
        })
    }
}

serde_as_text!(VisibleUnits);

/// Which units learn the columns of a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnUnits {
    /// Bernoulli units for all: real columns are probabilities by their range, a category is a unit for each level.
    /// Schemas that do not say which units they are for mean these.
    #[default]
    Bernoulli,
    /// Each column has its own: real columns are Gaussian units, categories categorical units, spins spins; the rest
    /// are Bernoulli units.
    ByKind,
}

impl ColumnUnits {
    /// Standard deviations from the mean of its column beyond which a number of a Gaussian unit, which has no range, is
    /// far out: fewer than one in a hundred of the training values are, whatever their distribution.
    pub const FAR_OUT: f32 = 10.0;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub(crate) fn is_bernoulli(&self) -> bool {
        *self == Self::Bernoulli
    }

    /// A kind in words, with what it takes: `real: 21 to 81`, of a Gaussian unit `real: mean 47, deviation 18`.
    pub(crate) fn described(self, kind: &ColumnKind) -> String {
        match (self, kind) {
            (Self::ByKind, ColumnKind::Real { offset, scale }) => {
                format!("real: mean {}, deviation {}", shown(*offset), shown(*scale))
            }
            _ => kind.to_string(),
        }
    }

    /// Whether the units of a kind are Gaussian.
    pub(crate) fn are_gaussian(self, kind: &ColumnKind) -> bool {
        self.segment(kind, 1).units == UnitKind::Gaussian
    }

    /// The units of so many neighbouring columns of a kind.
    pub(crate) fn segment(self, kind: &ColumnKind, count: usize) -> Segment {
        let of = |units| Segment { units, levels: 1, sites: count * kind.units() };
        match (self, kind) {
            (Self::ByKind, ColumnKind::Real { .. }) => of(UnitKind::Gaussian),
            (Self::ByKind, ColumnKind::Spin) => of(UnitKind::Spin),
            (Self::ByKind, ColumnKind::Categorical { levels }) => {
                Segment { units: UnitKind::Categorical, levels: levels.len(), sites: count }
            }
            _ => of(UnitKind::Bernoulli),
        }
    }
}

/// Neighbours that are alike.
pub(crate) fn layer<'a>(units: ColumnUnits, columns: impl Iterator<Item = (&'a ColumnKind, usize)>) -> Units {
    columns.map(|(kind, count)| units.segment(kind, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_read_and_write_as_text() {
        for units in VisibleUnits::ALL {
            assert_eq!(units.to_string().parse::<VisibleUnits>().unwrap(), units);
        }
        let error = "real".parse::<VisibleUnits>().unwrap_err().to_string();
        assert_eq!(error, "visible units is \"real\"; it must be auto, bernoulli, gaussian, spin, categorical");
    }
}
