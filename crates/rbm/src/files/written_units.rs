//! How files say what the units of a layer are.
//!
//! | version | `visible`, `hidden` |
//! |---|---|
//! | 1 | numbers of units, beside one name for all of a layer: visible ones `bernoulli`, hidden ones also `gaussian`, with `g = 1` |
//! | 2 | lists such as `[{"units": "gaussian", "sites": 13}, {"units": "categorical", "levels": 4, "sites": 3}]` |
//!
//! Version 1 is written wherever it can say what there is, so that those files stay what they were.

use crate::files::format::{FORMAT_VERSION, NEWEST_VERSION};
use crate::files::tensors::Reader;
use deepbelief_kernels::{Fields, Layers, MAX_UNITS, Parameters, Segment, UnitKind, Units};
use serde::{Deserialize, Serialize};

/// The units of one layer as a header has them, or how many there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Side {
    /// All of one kind, which stands elsewhere.
    Columns(usize),
    /// Of any kinds.
    Segments(Vec<Entry>),
}

/// A segment. Its kind is text, for a newer program may know others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    units: String,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    levels: usize,
    sites: usize,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_one(levels: &usize) -> bool {
    *levels == 1
}

/// The version that can say what an RBM with these units and parameters is.
pub(crate) fn version(layers: &Layers, parameters: &Parameters) -> u32 {
    let Fields { log_precision, .. } = &parameters.hidden_fields;
    let [hidden] = layers.hidden.segments() else { return NEWEST_VERSION };
    let plain = match hidden.units {
        UnitKind::Bernoulli => true,
        UnitKind::Gaussian => log_precision.iter().all(|&log_g| log_g.to_bits() == 0),
        _ => false,
    };
    if layers.visible.is_bernoulli() && plain { FORMAT_VERSION } else { NEWEST_VERSION }
}

/// The fields of a layer's units in a file of version 2, by `{prefix}{name}`.
///
/// # Errors
/// [`crate::Error::Checkpoint`] names one that is missing or does not fit.
pub fn fields(file: &Reader<'_>, prefix: &str, units: &Units) -> crate::error::Result<Fields> {
    let mut fields = Fields::at_rest(units);
    for (name, values) in fields.each_mut() {
        if !values.is_empty() {
            *values = file.values(&format!("{prefix}{name}"), &[values.len()])?;
        }
    }
    Ok(fields)
}

/// What is the kind of a layer's units in version 1.
pub(crate) fn kind_of(units: &Units) -> &'static str {
    units.segments().first().map_or(UnitKind::Bernoulli, |segment| segment.units).name()
}

impl Side {
    /// As files of this version have them.
    #[must_use]
    pub fn of(units: &Units, version: u32) -> Self {
        if version == FORMAT_VERSION {
            return Self::Columns(units.columns());
        }
        let entry = |&Segment { units, levels, sites }: &Segment| Entry { units: units.name().into(), levels, sites };
        Self::Segments(units.segments().iter().map(entry).collect())
    }

    /// The units, on the side that a refusal calls `side`; where only their number is said, all of kind `all`, which
    /// must be one of `known`.
    ///
    /// # Errors
    /// Says what of them this version does not know.
    pub fn units(&self, side: &str, all: &str, known: &[UnitKind]) -> Result<Units, String> {
        let (entries, known) = match self {
            Self::Columns(sites) => (vec![Entry { units: all.into(), levels: 1, sites: *sites }], known),
            Self::Segments(entries) => (entries.clone(), &UnitKind::ALL[..]),
        };
        let (mut segments, mut columns) = (Vec::with_capacity(entries.len()), 0_usize);
        for Entry { units: name, levels, sites } in entries {
            let Some(&units) = known.iter().find(|kind| kind.name() == name) else {
                let known: Vec<_> = known.iter().map(|kind| format!("'{kind}'")).collect();
                let (last, others) = known.split_last().map_or(("", &[][..]), |(last, others)| (last, others));
                let and = if others.is_empty() { "" } else { " and " };
                return Err(format!(
                    "has {side} units of type '{name}', this version knows {}{and}{last}",
                    others.join(", ")
                ));
            };
            if levels == 0 || levels > 1 && units != UnitKind::Categorical {
                return Err(format!("has {side} units of type '{name}' with {levels} levels"));
            }
            columns = columns.saturating_add(levels.saturating_mul(sites));
            segments.push(Segment { units, levels, sites });
        }
        if columns > MAX_UNITS {
            return Err(format!("has {columns} {side} units, more than this program supports"));
        }
        Ok(segments.into_iter().collect())
    }
}
