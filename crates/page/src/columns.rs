//! Columns of a table, as a page shows them.

use serde::Serialize;

/// How many standard deviations of a Gaussian number the page shows on each side.
const REACH: f64 = 3.5;

/// What a column's units stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One Bernoulli unit, off or on: what these are called.
    Binary([String; 2]),
    /// One spin, -1 or 1.
    Spin,
    /// A unit for each of these values, of which one is on: levels of a categorical unit, or Bernoulli units.
    Categorical(Vec<String>),
    /// A Gaussian unit; the cell is `offset + scale x`.
    Number {
        /// The cell of 0.
        offset: f64,
        /// How much a cell is larger for 1.
        scale: f64,
    },
    /// A Bernoulli unit whose probability stands for a number; the cell is `offset + scale p`.
    Probability {
        /// The cell of 0.
        offset: f64,
        /// How much a cell is larger for 1.
        scale: f64,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its units stand for.
    pub values: Values,
}

impl Column {
    /// Number of visible units.
    pub(crate) fn units(&self) -> usize {
        if let Values::Categorical(levels) = &self.values { levels.len() } else { 1 }
    }
}

/// A column as the scripts have it.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    name: &'a str,
    kind: &'static str,
    /// Its first unit, and how many it has.
    at: usize,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    levels: Option<Vec<&'a str>>,
    offset: f64,
    scale: f64,
    /// The values of the unit between which it is shown.
    low: f64,
    high: f64,
}

/// Columns with the places of their units.
pub(crate) fn shown(columns: &[Column]) -> Vec<Shown<'_>> {
    let mut at = 0;
    let mut shown = Vec::with_capacity(columns.len());
    for column in columns {
        let (kind, levels, [offset, scale], [low, high]) = match &column.values {
            Values::Binary([off, on]) => ("binary", Some(vec![off.as_str(), on.as_str()]), [0.0, 1.0], [0.0, 1.0]),
            Values::Spin => ("spin", Some(vec!["-1", "1"]), [0.0, 1.0], [-1.0, 1.0]),
            Values::Categorical(levels) => {
                ("categorical", Some(levels.iter().map(String::as_str).collect()), [0.0, 1.0], [0.0, 1.0])
            }
            Values::Number { offset, scale } => ("number", None, [*offset, *scale], [-REACH, REACH]),
            Values::Probability { offset, scale } => ("probability", None, [*offset, *scale], [0.0, 1.0]),
        };
        let size = column.units();
        shown.push(Shown { name: &column.name, kind, at, size, levels, offset, scale, low, high });
        at += size;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_their_units_do() {
        let levels = ["a", "b", "c"].map(String::from).to_vec();
        let columns = [
            Column { name: "x".into(), values: Values::Categorical(levels) },
            Column { name: "y".into(), values: Values::Spin },
            Column { name: "z".into(), values: Values::Number { offset: 2.0, scale: 0.5 } },
        ];
        let json = serde_json::to_value(shown(&columns)).unwrap();
        assert_eq!((&json[1]["at"], &json[2]["at"]), (&3.into(), &4.into()));
        assert_eq!((&json[0]["size"], &json[1]["levels"][0]), (&3.into(), &"-1".into()));
        assert_eq!((&json[2]["low"], &json[2]["levels"]), (&(-REACH).into(), &serde_json::Value::Null));
    }
}
