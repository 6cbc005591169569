//! What a model keeps of how its data were read.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::ops::Range;

use deepbelief_kernels::{MAX_UNITS, Units};
use serde::{Deserialize, Serialize};

use super::alphabet::Alphabet;
use super::kind::{ColumnKind, KindName};
use super::scale::Scale;
use super::visible::{ColumnUnits, layer};
use crate::error::Error;

/// Columns that a schema may have, ignored ones among them.
const MOST_COLUMNS: u128 = 1 << 20;

/// What the columns of a table are. It is inferred from the training data, kept with the model, and the only thing
/// that makes visible units of cells: of those of other files by the names of their columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Texts that mean a missing value, beside those that always do: nothing, `NA`, `N/A`, `NaN`, `null`, `?`
    /// and Excel's error values, such as `#N/A`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Which units learn the columns.
    #[serde(rename = "units", default, skip_serializing_if = "ColumnUnits::is_bernoulli")]
    pub learned_by: ColumnUnits,
    /// The letters of an alignment, in the order of the levels of every column, which is a site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<Alphabet>,
    /// The columns, in the order of their units.
    #[serde(rename = "column")]
    pub columns: Vec<ColumnSchema>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// What it is called, where the file has names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// So many neighbouring columns are alike. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: usize,
    /// What its values are.
    #[serde(flatten)]
    pub kind: ColumnKind,
}

impl ColumnSchema {
    /// What cannot be where columns are learned by these units, if anything.
    fn fault(&self, learned_by: ColumnUnits) -> Option<&'static str> {
        let is_finite = |x: f64| x.abs() <= f64::from(f32::MAX);
        let is_positive = |x: f64| is_finite(x) && x > 0.0;
        match &self.kind {
            _ if self.count == 0 => Some("count is 0, expected at least 1"),
            _ if self.count > 1 && self.name.is_some() => Some("count is of columns without names"),
            ColumnKind::Binary { off, on } if off == on => Some("off and on are the same, expected two values"),
            ColumnKind::Unit { divisor } if !is_positive((*divisor).into()) => {
                Some("divisor must be a finite number above 0")
            }
            ColumnKind::Real { offset, .. } if !is_finite(*offset) => Some("offset must be a finite number"),
            ColumnKind::Real { scale, .. } if learned_by == ColumnUnits::ByKind && !is_positive(*scale) => {
                Some("scale must be a finite number above 0")
            }
            ColumnKind::Real { scale, .. } if !is_positive(scale.abs()) => {
                Some("scale must be a finite number other than 0")
            }
            ColumnKind::Categorical { levels } if levels.is_empty() => Some("there are no levels"),
            ColumnKind::Categorical { levels } if levels.iter().collect::<HashSet<_>>().len() < levels.len() => {
                Some("a level stands in levels twice")
            }
            _ => None,
        }
    }
}

const fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_one(count: &usize) -> bool {
    *count == 1
}

impl Schema {
    /// Of columns, each with a name or none; neighbours without names that are alike become one entry.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = (Option<String>, ColumnKind)>, missing: Vec<String>) -> Self {
        let mut all: Vec<ColumnSchema> = Vec::new();
        for (name, kind) in columns {
            match all.last_mut() {
                Some(last) if name.is_none() && last.name.is_none() && last.kind == kind => last.count += 1,
                _ => all.push(ColumnSchema { name, count: 1, kind }),
            }
        }
        Self { missing, columns: all, ..Self::default() }
    }

    /// The same columns, learned by these units. Where every column's own units are Bernoulli, both mean the same, and
    /// the schema is the same.
    #[must_use]
    pub fn with_units(self, units: ColumnUnits) -> Self {
        if self.alphabet.is_some() {
            return self;
        }
        let same = layer(units, self.columns.iter().map(|column| (&column.kind, column.count))).is_bernoulli();
        Self { learned_by: if same { ColumnUnits::Bernoulli } else { units }, ..self }
    }

    /// The visible units.
    #[must_use]
    pub fn layer(&self) -> Units {
        layer(self.learned_by, self.columns.iter().map(|column| (&column.kind, column.count)))
    }

    /// Of so many columns without names that were all scaled alike. What is not known to have been scaled counts as
    /// values in [0, 1].
    #[must_use]
    pub fn of_scale(units: usize, scale: Scale) -> Self {
        let kind = match scale {
            Scale::By255 => ColumnKind::Unit { divisor: 255.0 },
            Scale::Range { min, max } => ColumnKind::range(min, max),
            Scale::Auto | Scale::None | Scale::MinMax | Scale::MinMaxColumns | Scale::Standard => {
                ColumnKind::Unit { divisor: 1.0 }
            }
        };
        Self { columns: vec![ColumnSchema { name: None, count: units, kind }], ..Self::default() }
    }

    /// Checks what a hand may have written: that every kind has values that can be, that names are of one column each,
    /// and that there is something to learn from.
    ///
    /// # Errors
    /// [`Error::Schema`], which names the column.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |place: String, reason: &str| Err(Error::Schema { place, reason: reason.into() });
        let whole = || "schema".to_string();
        let (mut columns, mut units, mut names) = (0u128, 0u128, HashSet::new());
        let (mut labels, mut weights) = (0u128, 0u128);
        for column in &self.columns {
            let called = match &column.name {
                Some(name) => format!("column {name:?}"),
                None => format!("column {columns} (from 0)"),
            };
            if let Some(reason) = column.fault(self.learned_by) {
                return refuse(called, reason);
            }
            let is_used = column.kind != ColumnKind::Ignored;
            if column.name.as_ref().is_some_and(|name| is_used && !names.insert(name)) {
                return refuse(called, "two columns have this name");
            }
            let count = column.count as u128;
            columns += count;
            units += count * column.kind.units() as u128;
            match column.kind {
                ColumnKind::Label => labels += count,
                ColumnKind::Weight => weights += count,
                _ => {}
            }
        }
        if self.has_names() && self.columns.iter().any(|column| column.name.is_none()) {
            return refuse(whole(), "some columns have names and some have none, expected all or none");
        }
        if labels > 1 || weights > 1 {
            let what = if labels > 1 { "labels" } else { "weights" };
            return refuse(whole(), &format!("several columns are {what}, expected one at most"));
        }
        if let Some(alphabet) = &self.alphabet
            && (self.learned_by != ColumnUnits::ByKind
                || self
                    .columns
                    .iter()
                    .any(|column| column.kind != ColumnKind::Categorical { levels: alphabet.levels() }))
        {
            let reason =
                format!("the alphabet is {alphabet}, so every column is categorical with these levels, units by-kind");
            return refuse(whole(), &reason);
        }
        if units == 0 {
            return refuse(whole(), "no column is learned from");
        }
        if units > MAX_UNITS as u128 || columns > MOST_COLUMNS {
            return refuse(
                whole(),
                &format!("{columns} columns make {units} units, expected at most {MAX_UNITS} units"),
            );
        }
        Ok(())
    }

    /// Sum of the logarithms of the scales of the columns that Gaussian units learn and `meant`, by the number of its
    /// unit, has: what a log-density of values as units have them lacks to one in the columns' own units, which is smaller
    /// by so much.
    #[must_use]
    pub fn log_scales(&self, meant: impl Fn(usize) -> bool) -> f64 {
        let (mut sum, mut at) = (0.0, 0);
        for (_, kind) in self.each() {
            if let ColumnKind::Real { scale, .. } = kind
                && self.learned_by == ColumnUnits::ByKind
                && meant(at)
            {
                sum += libm::log(*scale);
            }
            at += kind.units();
        }
        sum
    }

    /// What scales an array as all these columns are scaled, where they have one scale.
    #[must_use]
    pub fn scale(&self) -> Option<Scale> {
        let mut kinds = self.columns.iter().map(|column| &column.kind).filter(|kind| kind.units() > 0);
        let ColumnKind::Unit { divisor } = *kinds.next()? else { return None };
        let alike = kinds.all(|kind| *kind == ColumnKind::Unit { divisor });
        alike.then_some(match divisor {
            1.0 => Scale::None,
            255.0 => Scale::By255,
            max => Scale::Range { min: 0.0, max: max.into() },
        })
    }

    /// Whether all units are of one kind and one scale, as those of a picture are. A schema without columns is of
    /// data of one kind.
    #[must_use]
    pub fn is_of_one_kind(&self) -> bool {
        let mut kinds = self.columns.iter().map(|column| &column.kind).filter(|kind| kind.units() > 0);
        let Some(first) = kinds.next() else { return true };
        matches!(first.name(), KindName::Binary | KindName::Unit | KindName::Spin) && kinds.all(|kind| kind == first)
    }

    /// Whether all columns that are learned are the same.
    #[cfg(feature = "formats")]
    pub(crate) fn has_one_kind(&self) -> bool {
        let mut kinds = self.columns.iter().map(|column| &column.kind).filter(|kind| kind.units() > 0);
        kinds.next().is_some_and(|first| kinds.all(|kind| kind == first))
    }

    /// How many columns there are of each kind: `8 real, 1 binary`.
    #[must_use]
    pub fn summary(&self) -> String {
        let of = |name: KindName| {
            let columns: usize = self.columns.iter().filter(|c| c.kind.name() == name).map(|c| c.count).sum();
            (columns > 0).then(|| format!("{columns} {name}"))
        };
        KindName::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
    }

    /// Number of visible columns: a category has one for each level.
    #[must_use]
    pub fn units(&self) -> usize {
        self.columns.iter().map(|column| column.count * column.kind.units()).sum()
    }

    /// Every column by itself.
    pub fn each(&self) -> impl Iterator<Item = (Option<&str>, &ColumnKind)> {
        self.columns.iter().flat_map(|column| std::iter::repeat_n((column.name.as_deref(), &column.kind), column.count))
    }

    /// The units of every column whose values are a choice: of a category one unit is on, of a binary column its unit is
    /// on or off.
    #[must_use]
    pub fn choices(&self) -> Vec<Range<usize>> {
        let (mut choices, mut at) = (Vec::new(), 0);
        for (_, kind) in self.each() {
            let units = at..at + kind.units();
            at = units.end;
            if matches!(kind, ColumnKind::Binary { .. } | ColumnKind::Spin | ColumnKind::Categorical { .. }) {
                choices.push(units);
            }
        }
        choices
    }

    /// Whether columns are known by name.
    #[must_use]
    pub fn has_names(&self) -> bool {
        self.columns.iter().any(|column| column.name.is_some())
    }

    /// The name of the label's column, or its place where it has none.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        let found = self.each().enumerate().find(|(_, (_, kind))| **kind == ColumnKind::Label);
        found.map(|(place, (name, _))| self.called(place, name))
    }

    /// What each visible unit is called: the column, and of one of several units its level.
    #[must_use]
    pub fn unit_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.units());
        for (place, (name, kind)) in self.each().enumerate() {
            let name = self.called(place, name);
            match kind {
                ColumnKind::Categorical { levels } => {
                    names.extend(levels.iter().map(|level| format!("{name}={level}")));
                }
                kind => names.extend((0..kind.units()).map(|_| name.clone())),
            }
        }
        names
    }
}

/// A line a column, those without names that are alike in one: `age    real: 21 to 81`.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = 0;
        let mut lines = Vec::new();
        for column in &self.columns {
            let mut called = self.called(place, column.name.as_deref());
            if column.count > 1 {
                let _ = write!(called, " to {}", self.called(place + column.count - 1, None));
            }
            place += column.count;
            lines.push((called, self.learned_by.described(&column.kind)));
        }
        let width = lines.iter().map(|(called, _)| called.chars().count()).max().unwrap_or(0);
        let lines: Vec<String> = lines.into_iter().map(|(called, kind)| format!("{called:<width$}  {kind}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let unit = ColumnKind::Unit { divisor: 16.0 };
        let levels = vec!["a".to_string(), "b".to_string(), "c".to_string()];
        Schema::new(
            [
                (Some("age".to_string()), ColumnKind::Real { offset: 21.0, scale: 60.0 }),
                (Some("kind".to_string()), ColumnKind::Label),
                (Some("blood".to_string()), ColumnKind::Categorical { levels }),
                (None, unit.clone()),
                (None, unit.clone()),
                (None, unit),
            ],
            vec!["-1".to_string()],
        )
    }

    #[test]
    fn it_counts_and_names_units() {
        let schema = schema();
        assert_eq!((schema.columns.len(), schema.units(), schema.each().count()), (4, 7, 6));
        assert_eq!(schema.unit_names(), ["age", "blood=a", "blood=b", "blood=c", "3", "4", "5"]);
        assert_eq!(schema.choices().first(), Some(&(1..4)));
        assert_eq!(schema.summary(), "3 unit, 1 real, 1 categorical, 1 label");
        assert_eq!((schema.label().as_deref(), schema.has_names()), (Some("kind"), true));
        let shown =
            "age     real: 21 to 81\nkind    label\nblood   categorical: 3 levels, a, b, c\n3 to 5  unit: 0 to 16";
        assert_eq!(schema.to_string(), shown);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_column() {
        let refused = |column: ColumnSchema| {
            let mut schema = schema();
            schema.columns.truncate(3);
            schema.columns[0] = column;
            schema.validate().unwrap_err().to_string()
        };
        let age = |kind| refused(ColumnSchema { name: Some("age".into()), count: 1, kind });
        assert_eq!(
            age(ColumnKind::Real { offset: 0.0, scale: 0.0 }),
            "column \"age\": scale must be a finite number other than 0"
        );
        let turned = (Some("age".to_string()), ColumnKind::Real { offset: 255.0, scale: -255.0 });
        assert!(Schema::new([turned.clone()], Vec::new()).validate().is_ok());
        let by_kind = Schema::new([turned], Vec::new()).with_units(ColumnUnits::ByKind);
        assert_eq!(
            by_kind.validate().unwrap_err().to_string(),
            "column \"age\": scale must be a finite number above 0"
        );
        assert_eq!(
            age(ColumnKind::Unit { divisor: f32::NAN }),
            "column \"age\": divisor must be a finite number above 0"
        );
        assert_eq!(age(ColumnKind::Label), "schema: several columns are labels, expected one at most");
        let kind = ColumnKind::Spin;
        assert_eq!(
            refused(ColumnSchema { name: Some("kind".into()), count: 1, kind: kind.clone() }),
            "column \"kind\": two columns have this name"
        );
        let many = Schema { columns: vec![ColumnSchema { name: None, count: usize::MAX, kind }], ..Schema::default() };
        assert!(many.validate().unwrap_err().to_string().ends_with("expected at most 65504 units"));
        assert!(schema().validate().unwrap_err().to_string().contains("expected all or none"));
    }

    #[test]
    fn densities_are_told_in_the_units_of_the_columns() {
        let schema = schema();
        assert_eq!(schema.log_scales(|_| true), 0.0, "probabilities have no density");
        let schema = schema.with_units(ColumnUnits::ByKind);
        assert!((schema.log_scales(|_| true) - libm::log(60.0)).abs() < 1e-12);
        assert_eq!(schema.log_scales(|unit| unit != 0), 0.0);
    }

    #[test]
    fn it_is_written_and_read() {
        let json = serde_json::to_string(&schema()).unwrap();
        assert!(json.contains(r#"{"name":"age","kind":"real","offset":21.0,"scale":60.0}"#), "{json}");
        assert!(json.contains(r#"{"count":3,"kind":"unit","divisor":16.0}"#), "{json}");
        assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema());
    }
}
