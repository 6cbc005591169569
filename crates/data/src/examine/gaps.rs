//! What is missing: in which columns, and which columns lack a value together.

use std::collections::HashMap;

use crate::error::Error;
use crate::schema::columns::Schema;
use crate::tables::table::Table;

/// Patterns that are counted apart, at most.
const PATTERNS: usize = 10_000;

/// Patterns that are listed, at most.
const LISTED: usize = 5;

/// Missing values of some samples. Columns are numbered as the schema has them, or as the array where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps {
    /// Samples that lack a value.
    pub samples: usize,
    /// Columns that lack values, and in how many samples; those that lack most first.
    pub columns: Vec<(usize, usize)>,
    /// The most frequent sets of columns that are missing together, and in how many samples; the most frequent first.
    pub patterns: Vec<(Vec<usize>, usize)>,
}

impl Gaps {
    /// Of a table whose missing values are NaN.
    pub(super) fn of(table: &Table, schema: &Schema) -> Result<Self, Error> {
        let of_schema = schema.each().enumerate();
        let mut columns: Vec<usize> =
            of_schema.flat_map(|(place, (_, kind))| std::iter::repeat_n(place, kind.units())).collect();
        if columns.len() != table.units {
            columns = (0..table.units).collect();
        }
        let mut missing = vec![0usize; columns.last().map_or(0, |&last| last + 1)];
        let mut patterns: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut samples = 0;
        table.each_row(|row| {
            let mut pattern: Vec<usize> =
                row.iter().zip(&columns).filter(|(x, _)| x.is_nan()).map(|(_, &column)| column).collect();
            pattern.dedup();
            if pattern.is_empty() {
                return;
            }
            samples += 1;
            for &column in &pattern {
                missing[column] += 1;
            }
            if let Some(count) = patterns.get_mut(&pattern) {
                *count += 1;
            } else if patterns.len() < PATTERNS {
                patterns.insert(pattern, 1);
            }
        })?;
        let mut columns: Vec<(usize, usize)> =
            missing.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        columns.sort_by_key(|&(column, count)| (usize::MAX - count, column));
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
        patterns.truncate(LISTED);
        Ok(Self { samples, columns, patterns })
    }

    /// Values that are missing, one a sample and column.
    #[must_use]
    pub fn values(&self) -> usize {
        self.columns.iter().map(|(_, count)| count).sum()
    }
}
