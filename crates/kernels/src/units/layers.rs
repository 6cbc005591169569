//! What the units of a layer are: runs of units of one kind, in the order of the columns.

use crate::states::batch::Batch;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Range, RangeInclusive};

/// What a probability may be, but for what rounding adds.
const PROBABILITIES: RangeInclusive<f32> = -1e-3..=1.001;

/// What a unit is, by the term U that it adds to the energy `sum U(x) - v W h` (fields b, g, b-, g-):
///
/// | kind | values | U(x) |
/// |---|---|---|
/// | Bernoulli | 0, 1 | `-b x` |
/// | spin | -1, 1 | `-b x` |
/// | categorical | one of q levels | `-b_a` at level a |
/// | Gaussian | real | `g x²/2 - b x` |
/// | ReLU | 0 and above | `g x²/2 - b x` |
/// | dReLU | real | `g x²/2 - b x` above 0, `g- x²/2 - b- x` below |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitKind {
    /// 0 or 1.
    #[default]
    Bernoulli,
    /// -1 or 1.
    Spin,
    /// One of several levels, a column each, of which one is on.
    Categorical,
    /// Real.
    Gaussian,
    /// Real, not below 0.
    Relu,
    /// Real, with fields of its own on either side of 0.
    Drelu,
}

impl UnitKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Bernoulli, Self::Spin, Self::Categorical, Self::Gaussian, Self::Relu, Self::Drelu];

    /// As recipes and files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bernoulli => "bernoulli",
            Self::Spin => "spin",
            Self::Categorical => "categorical",
            Self::Gaussian => "gaussian",
            Self::Relu => "relu",
            Self::Drelu => "drelu",
        }
    }

    /// Whether a unit has one of two values: a bit of a [`crate::Bits`].
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Bernoulli | Self::Spin)
    }

    /// Whether a unit has one of finitely many values.
    #[must_use]
    pub fn is_discrete(self) -> bool {
        self.is_binary() || self == Self::Categorical
    }

    /// Whether it has a precision g.
    #[must_use]
    pub fn has_precision(self) -> bool {
        matches!(self, Self::Gaussian | Self::Relu | Self::Drelu)
    }
}

impl fmt::Display for UnitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Neighbouring units of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// What they are.
    pub units: UnitKind,
    /// Columns of a unit: the levels of a categorical one, 1 of any other.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub levels: usize,
    /// How many units.
    pub sites: usize,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_one(levels: &usize) -> bool {
    *levels == 1
}

impl Segment {
    /// Columns that its units take.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.sites * self.levels
    }
}

/// The units of a layer: segments from the first column on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Units(Vec<Segment>);

impl Units {
    /// So many units of one kind, which is not categorical.
    #[must_use]
    pub fn of(kind: UnitKind, sites: usize) -> Self {
        let levels = 1;
        [Segment { units: kind, levels, sites }].into_iter().collect()
    }

    /// So many categorical units with `levels` each.
    #[must_use]
    pub fn categorical(sites: usize, levels: usize) -> Self {
        [Segment { units: UnitKind::Categorical, levels, sites }].into_iter().collect()
    }

    /// The segments; neighbours differ in kind or levels, and none is empty.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Each segment and its columns.
    pub fn each(&self) -> impl Iterator<Item = (Segment, Range<usize>)> + Clone + '_ {
        self.0.iter().scan(0, |from, segment| {
            let columns = *from..*from + segment.columns();
            *from = columns.end;
            Some((*segment, columns))
        })
    }

    /// Number of columns: what a sample has, a weight matrix and its biases.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.iter().map(Segment::columns).sum()
    }

    /// Number of units: a categorical one counts once.
    #[must_use]
    pub fn sites(&self) -> usize {
        self.0.iter().map(|segment| segment.sites).sum()
    }

    /// Whether all are Bernoulli.
    #[must_use]
    pub fn is_bernoulli(&self) -> bool {
        self.all(|kind| kind == UnitKind::Bernoulli)
    }

    /// Whether all are of kinds that `fits` says.
    pub fn all(&self, fits: impl Fn(UnitKind) -> bool) -> bool {
        self.0.iter().all(|segment| fits(segment.units))
    }

    /// Whether some are of kinds that `fits` says.
    pub fn any(&self, fits: impl Fn(UnitKind) -> bool) -> bool {
        self.0.iter().any(|segment| fits(segment.units))
    }

    /// Their kinds, in words: `gaussian and categorical`.
    #[must_use]
    pub fn kinds(&self) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for segment in &self.0 {
            if !kinds.contains(&segment.units.name()) {
                kinds.push(segment.units.name());
            }
        }
        kinds.join(" and ")
    }

    /// Whether the states of a layer are bits: a column is on or off.
    #[must_use]
    pub fn is_discrete(&self) -> bool {
        self.all(UnitKind::is_discrete)
    }

    /// Row, column and number of the first value of a minibatch that these units cannot have: one that is not finite, or of
    /// units that are on or off one that is no probability. A minibatch of another width has no columns to look at.
    #[must_use]
    pub fn misfit(&self, batch: &Batch) -> Option<(usize, usize, f32)> {
        let Batch::Real { units, values, .. } = batch else { return None };
        let discrete: Vec<bool> =
            self.each().flat_map(|(segment, columns)| columns.map(move |_| segment.units.is_discrete())).collect();
        let fits = |column: usize, x: f32| if discrete[column] { PROBABILITIES.contains(&x) } else { x.is_finite() };
        if *units != discrete.len() || *units == 0 {
            return None;
        }
        let at = values.iter().enumerate().position(|(at, &x)| !fits(at % units, x))?;
        Some((at / units, at % units, values[at]))
    }
}

/// Empty segments are left out, and neighbours that are alike become one.
impl FromIterator<Segment> for Units {
    fn from_iter<T: IntoIterator<Item = Segment>>(segments: T) -> Self {
        let mut out: Vec<Segment> = Vec::new();
        for segment in segments.into_iter().filter(|segment| segment.columns() > 0) {
            match out.last_mut() {
                Some(last) if (last.units, last.levels) == (segment.units, segment.levels) => {
                    last.sites += segment.sites;
                }
                _ => out.push(segment),
            }
        }
        Self(out)
    }
}

/// In words: `13 gaussian, 3 categorical of 4`.
impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Segment { units, levels, sites }) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{sites} {units}")?;
            if *units == UnitKind::Categorical {
                write!(f, " of {levels}")?;
            }
        }
        Ok(())
    }
}

/// The units of both layers of an RBM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Those below.
    pub visible: Units,
    /// Those above.
    pub hidden: Units,
}

impl Layers {
    /// Bernoulli units on both sides.
    #[must_use]
    pub fn bernoulli(visible: usize, hidden: usize) -> Self {
        let units = |sites| Units::of(UnitKind::Bernoulli, sites);
        Self { visible: units(visible), hidden: units(hidden) }
    }

    /// Whether all units of both layers are Bernoulli.
    #[must_use]
    pub fn are_bernoulli(&self) -> bool {
        self.visible.is_bernoulli() && self.hidden.is_bernoulli()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_join_and_know_their_columns() {
        let part = |units, levels, sites| Segment { units, levels, sites };
        let units: Units = [
            part(UnitKind::Gaussian, 1, 2),
            part(UnitKind::Gaussian, 1, 3),
            part(UnitKind::Categorical, 4, 2),
            part(UnitKind::Categorical, 3, 1),
            part(UnitKind::Bernoulli, 1, 0),
            part(UnitKind::Categorical, 3, 1),
        ]
        .into_iter()
        .collect();
        assert_eq!(units.to_string(), "5 gaussian, 2 categorical of 4, 2 categorical of 3");
        assert_eq!(units.kinds(), "gaussian and categorical");
        assert_eq!((units.columns(), units.sites()), (19, 9));
        let columns: Vec<_> = units.each().map(|(_, columns)| columns).collect();
        assert_eq!(columns, [0..5, 5..13, 13..19]);
        assert!(!units.is_discrete() && Layers::bernoulli(3, 2).are_bernoulli());
    }
}
