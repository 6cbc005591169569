//! What the hidden units of a new RBM are, as settings say it.

use crate::error::{Error, Result, require};
use deepbelief_kernels::{Segment, UnitKind, Units};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a [`UnitMix`] looks like.
const FORM: &str = "bernoulli, spin, gaussian, relu or drelu, or how many of each, such as gaussian=100,bernoulli=50";

/// Kinds of hidden units: one for all of them, or so many of each, from the first on.
///
/// ```
/// use deepbelief_rbm::{UnitKind, UnitMix};
/// let mix: UnitMix = "gaussian=100,bernoulli=50".parse()?;
/// assert_eq!(mix.units(150).to_string(), "100 gaussian, 50 bernoulli");
/// assert_eq!(UnitMix::from(UnitKind::Relu).units(7).to_string(), "7 relu");
/// # Ok::<(), deepbelief_rbm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UnitMix {
    /// All of one kind.
    All(UnitKind),
    /// So many of each.
    Each(Vec<(UnitKind, usize)>),
}

impl UnitMix {
    /// Whether all are Bernoulli.
    #[must_use]
    pub fn is_bernoulli(&self) -> bool {
        self.all(|kind| kind == UnitKind::Bernoulli)
    }

    /// Whether all are of kinds that `fits` says.
    pub fn all(&self, fits: impl Fn(UnitKind) -> bool) -> bool {
        match self {
            Self::All(kind) => fits(*kind),
            Self::Each(parts) => parts.iter().all(|&(kind, _)| fits(kind)),
        }
    }

    /// How many units there are in all, where the mixture says it.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::All(_) => None,
            Self::Each(parts) => Some(parts.iter().map(|&(_, units)| units).sum()),
        }
    }

    /// The units of a layer that has `hidden` of them, if the mixture is not of another number.
    #[must_use]
    pub fn units(&self, hidden: usize) -> Units {
        match self {
            Self::All(kind) => Units::of(*kind, hidden),
            Self::Each(parts) => parts.iter().map(|&(units, sites)| Segment { units, levels: 1, sites }).collect(),
        }
    }

    /// Checks that they are `hidden` units, none of them categorical.
    ///
    /// # Errors
    /// [`Error::Config`] says what does not fit.
    pub fn validate(&self, hidden: usize) -> Result<()> {
        require(self.all(|kind| kind != UnitKind::Categorical), "hidden_units", self, FORM)?;
        let fits = self.units(hidden).columns() == hidden;
        require(fits, "hidden_units", self, "as many units in all as `hidden` says")
    }
}

impl Default for UnitMix {
    fn default() -> Self {
        Self::All(UnitKind::default())
    }
}

impl From<UnitKind> for UnitMix {
    fn from(kind: UnitKind) -> Self {
        Self::All(kind)
    }
}

impl fmt::Display for UnitMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(kind) => kind.fmt(f),
            Self::Each(parts) => {
                for (at, (kind, units)) in parts.iter().enumerate() {
                    write!(f, "{}{kind}={units}", if at == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for UnitMix {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let kind = |name: &str| {
            let fits = |kind: &UnitKind| kind.name() == name.trim() && *kind != UnitKind::Categorical;
            UnitKind::ALL.into_iter().find(fits)
        };
        let part = |part: &str| {
            let (name, units) = part.split_once('=')?;
            Some((kind(name)?, units.trim().parse().ok().filter(|&units| units > 0)?))
        };
        let mix = match kind(text) {
            Some(kind) => Some(Self::All(kind)),
            None => text.split(',').map(part).collect::<Option<_>>().map(Self::Each),
        };
        mix.ok_or_else(|| Error::Config { name: "hidden_units", got: format!("'{text}'"), expected: FORM })
    }
}

impl TryFrom<String> for UnitMix {
    /// What it must be; where it stands, the reader of the file says.
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse().map_err(|_| format!("expected {FORM}"))
    }
}

impl From<UnitMix> for String {
    fn from(mix: UnitMix) -> Self {
        mix.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_are_read_written_and_held_against_the_number_of_units() -> Result<()> {
        for text in ["bernoulli", "spin", "drelu", "gaussian=100,bernoulli=50", "relu=1,gaussian=2,relu=3"] {
            assert_eq!(text.parse::<UnitMix>()?.to_string(), text);
        }
        let mix: UnitMix = " relu = 3, spin = 4".parse()?;
        assert!(mix.validate(7).is_ok() && !mix.is_bernoulli());
        assert_eq!(
            mix.validate(8).map_err(|e| e.to_string()),
            Err("hidden_units is relu=3,spin=4; it must be as many units in all as `hidden` says".into())
        );
        for text in ["", "softmax", "categorical", "categorical=3", "relu=0", "relu=3,", "relu=3,4", "relu:3"] {
            let refusal = text.parse::<UnitMix>().map_err(|e| e.to_string());
            assert_eq!(refusal, Err(format!("hidden_units is '{text}'; it must be {FORM}")));
        }
        Ok(())
    }
}
