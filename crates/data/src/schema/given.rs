//! One cell of a table, named and written by hand.

use std::ops::Range;

use super::columns::Schema;
use super::kind::{ColumnKind, ROUNDING};
use crate::error::Error;
use crate::number::{are_same, shown};

/// Names or levels that a message lists, at most.
const LISTED: usize = 12;

/// Standard deviations from the mean beyond which no number is taken: n rows have none beyond the square root of n.
const FARTHEST: f32 = 1000.0;

impl Schema {
    /// The units of the column that is called `name`, or has this number (see [`Schema::called`]), and the values that they have where
    /// its cell holds `text`.
    ///
    /// # Errors
    /// [`Error::Setting`] if no unit learns such a column, or it has no such value.
    pub fn given(&self, name: &str, text: &str) -> Result<(Range<usize>, Vec<f32>), Error> {
        let mut at = 0;
        for (place, (known, kind)) in self.each().enumerate() {
            let units = at..at + kind.units();
            at = units.end;
            let is_meant = name == self.called(place, known);
            if is_meant && !units.is_empty() {
                let values = self.values(kind, text).map_err(|expected| Error::Setting {
                    name: "given value",
                    got: format!("{name}={text}"),
                    expected,
                })?;
                return Ok((units, values));
            }
        }
        if self.alphabet().is_some() {
            let expected = format!("one of 1 to {}", self.each().count());
            return Err(Error::Setting { name: "given site", got: format!("{name:?}"), expected });
        }
        let learned = self.each().enumerate().filter(|(_, (_, kind))| kind.units() > 0);
        let names: Vec<String> = learned.map(|(place, (name, _))| self.called(place, name)).collect();
        Err(Error::Setting {
            name: "given column",
            got: format!("{name:?}"),
            expected: format!("one that the model learned: {}", listed(&names)),
        })
    }

    /// The values of a column's units, or what would be a value of it.
    fn values(&self, kind: &ColumnKind, text: &str) -> Result<Vec<f32>, String> {
        let number = text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        let is = |level: &String| {
            level == text || number.is_some_and(|x| level.parse().is_ok_and(|level| are_same(level, x)))
        };
        let one_of = |levels: &[&String]| levels.iter().position(|level| is(level));
        match kind {
            ColumnKind::Binary { off, on } => {
                one_of(&[off, on]).map(|place| vec![place as f32]).ok_or_else(|| format!("{off} or {on}"))
            }
            ColumnKind::Spin => match number {
                Some(x) if x == 1.0 || x == -1.0 => Ok(vec![f32::midpoint(x as f32, 1.0)]),
                _ => Err("-1 or 1".into()),
            },
            ColumnKind::Categorical { levels } => {
                let place =
                    one_of(&levels.iter().collect::<Vec<_>>()).ok_or_else(|| format!("one of {}", listed(levels)))?;
                Ok((0..levels.len()).map(|level| if level == place { 1.0 } else { 0.0 }).collect())
            }
            _ if self.learned_by.are_gaussian(kind) => {
                let value = number.and_then(|x| kind.scaled(x)).ok_or_else(|| "a number".to_string())?;
                if value.abs() <= FARTHEST {
                    return Ok(vec![value]);
                }
                let ColumnKind::Real { offset, scale } = kind else { return Err("a number that data may have".into()) };
                let at = |deviations: f64| shown(offset + deviations * scale);
                Err(format!(
                    "a number from {} to {}, {FARTHEST} standard deviations of the training data on each side of their \
                     mean: no fewer than a million rows can have one beyond",
                    at(-f64::from(FARTHEST)),
                    at(FARTHEST.into())
                ))
            }
            kind => {
                let value = number.and_then(|x| kind.scaled(x)).filter(|x| (-ROUNDING..=1.0 + ROUNDING).contains(x));
                value.map(|x| vec![x.clamp(0.0, 1.0)]).ok_or_else(|| match kind {
                    ColumnKind::Real { offset, scale } => {
                        format!("a number from {} to {}", shown(*offset), ColumnKind::top(*offset, *scale))
                    }
                    ColumnKind::Unit { divisor } => format!("a number from 0 to {divisor}"),
                    _ => "a value of the column".into(),
                })
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    let more = if names.len() > LISTED { ", ..." } else { "" };
    names[..names.len().min(LISTED)].join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnUnits;

    #[test]
    fn cells_are_found_by_name_and_refused_with_what_there_is() {
        let named = |name: &str, kind| (Some(name.to_string()), kind);
        let levels = ["0", "A", "2"].map(String::from).to_vec();
        let schema = Schema::new(
            [
                named("id", ColumnKind::Ignored),
                named("age", ColumnKind::Real { offset: 20.0, scale: 40.0 }),
                named("blood", ColumnKind::Categorical { levels }),
                named("sex", ColumnKind::Binary { off: "f".into(), on: "m".into() }),
                named("spin", ColumnKind::Spin),
            ],
            Vec::new(),
        );
        let given = |name, text| schema.given(name, text).map_err(|error| error.to_string());
        assert_eq!(given("age", "30"), Ok((0..1, vec![0.25])));
        assert_eq!(given("blood", "2.0"), Ok((1..4, vec![0.0, 0.0, 1.0])));
        assert_eq!(given("sex", "m"), Ok((4..5, vec![1.0])));
        assert_eq!(given("spin", "-1"), Ok((5..6, vec![0.0])));
        for (name, text, said) in [
            ("agee", "1", "given column is \"agee\"; it must be one that the model learned: age, blood, sex, spin"),
            ("id", "7", "given column is \"id\"; it must be one that the model learned: age, blood, sex, spin"),
            ("age", "61", "given value is age=61; it must be a number from 20 to 60"),
            ("blood", "B", "given value is blood=B; it must be one of 0, A, 2"),
            ("sex", "x", "given value is sex=x; it must be f or m"),
            ("spin", "0", "given value is spin=0; it must be -1 or 1"),
        ] {
            assert_eq!(given(name, text), Err(said.to_string()));
        }
        let gaussian = schema.with_units(ColumnUnits::ByKind);
        assert_eq!(gaussian.given("age", "-20").unwrap(), (0..1, vec![-1.0]));
        let error = gaussian.given("age", "1e30").unwrap_err().to_string();
        assert!(
            error.contains("age=1e30; it must be a number from -39980 to 40020, 1000 standard deviations"),
            "{error}"
        );
        let sites = Schema::of_alignment("dna".parse().unwrap(), 42);
        let error = sites.given("50", "C").unwrap_err().to_string();
        assert_eq!(error, "given site is \"50\"; it must be one of 1 to 42");
        let unnamed = Schema::new(vec![(None, ColumnKind::Spin); 3], Vec::new());
        assert_eq!(unnamed.given("2", "1").unwrap(), (2..3, vec![1.0]));
    }
}
