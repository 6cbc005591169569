//! The passes over the rows: the range of all values, then what every column and sample is.

use super::counts;
use super::findings::{Column, LISTED, Part, ValueKind};
use crate::error::Error;
use crate::memory::room::reserve;
use crate::place::Place;
use crate::schema::rescale::BYTE;
use crate::schema::scale::Scale;
use crate::schema::scaling::Scaling;
use crate::tables::table::{Range, Table};
use std::collections::HashMap;
use std::path::Path;

/// Range of the values that are finite, and whether all are whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) min: f32,
    pub(super) max: f32,
    whole: bool,
}

impl Extent {
    const NONE: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY, whole: true };

    pub(super) fn of_table(table: &Table) -> Result<Self, Error> {
        let Range { min, max, whole, .. } = table.finite_range()?;
        Ok(Self { min, max, whole })
    }

    /// Of the values of columns, which are all whole or not.
    pub(super) fn of_columns(columns: &[Column], whole: bool) -> Self {
        columns.iter().fold(Self { whole, ..Self::NONE }, |extent, column| Self {
            min: extent.min.min(column.min),
            max: extent.max.max(column.max),
            whole,
        })
    }

    /// The same before the values were scaled.
    pub(super) fn before(self, scaling: Scaling) -> Self {
        let (a, b) = (scaling.undone(self.min), scaling.undone(self.max));
        Self { min: a.min(b) as f32, max: a.max(b) as f32, ..self }
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max), whole: self.whole && other.whole }
    }

    /// The same where there are values, else 0 to 0.
    pub(super) fn or_zero(self) -> Self {
        if self.min > self.max { Self { min: 0.0, max: 0.0, ..self } } else { self }
    }

    /// What brings such values into [0, 1].
    pub(super) fn suiting(self) -> Scale {
        match self {
            Self { min, max, .. } if min >= 0.0 && max <= 1.0 => Scale::None,
            Self { min, max, whole: true } if min >= 0.0 && (BYTE..=255.0).contains(&max) => Scale::By255,
            Self { min, max, whole: true } if min >= 0.0 && max < BYTE => Scale::Range { min: 0.0, max: max.into() },
            _ => Scale::MinMax,
        }
    }

    /// What such values are, which in training samples are these few, or many.
    pub(super) fn kind(self, levels: &[f32]) -> ValueKind {
        match self {
            Self { min, max, .. } if min >= max => ValueKind::Constant,
            _ if levels.len() == 2 => ValueKind::Binary,
            Self { min, max, whole: true } if min >= 0.0 && (BYTE..=255.0).contains(&max) => ValueKind::Bytes,
            Self { whole: true, .. } => ValueKind::Whole,
            Self { min, max, .. } if min >= 0.0 && max <= 1.0 => ValueKind::Unit,
            _ => ValueKind::Real,
        }
    }
}

/// Multiplier of the hashes: the golden ratio's bits.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash that has taken in one more word: both halves of a product, folded.
fn mixed(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * u128::from(MIX);
    (product >> 64) as u64 ^ product as u64
}

/// Where hashes start.
const START: u64 = 0x243f_6a88_85a3_08d3;

/// What has been seen of a table's rows: of each column, apart so that a row is a few plain loops, and of
/// all.
pub(super) struct Survey {
    bounds: (f32, f32),
    /// The number of the first row.
    first: usize,
    min: Vec<f32>,
    max: Vec<f32>,
    sums: Vec<f64>,
    missing: Vec<u64>,
    /// Hashes of the columns, sums of those of their values and places; none where nobody asks for copies.
    column_hashes: Vec<u64>,
    hashes: Vec<u64>,
    zeros: u64,
    near_ends: u64,
    outside: u64,
    /// Sorted; one more than are listed where there are more.
    levels: Vec<f32>,
    first_missing: Option<usize>,
    infinite: u64,
    first_infinite: Option<usize>,
}

impl Survey {
    /// Of the rows of a table, whose values of these become 0 and 1.
    ///
    /// # Errors
    /// If they cannot be read, or there is no memory for what is kept of each.
    pub(super) fn of_table(table: &Table, bounds: (f32, f32)) -> Result<Self, Error> {
        let of = |first: usize, rows: usize| Self { first, ..Self::empty(rows, table.units, bounds, true) };
        let look = |first: usize, rows: &[f32]| {
            let mut survey = of(first, rows.len() / table.units.max(1));
            rows.chunks_exact(table.units).for_each(|row| survey.add(row));
            survey
        };
        let mut all = Self::new(table.samples(), table.units, bounds, true)?;
        table.each_part(look, |part| all.join(part))?;
        Ok(all)
    }

    /// Of so many rows with so many values, of which these become 0 and 1; with `copies` of columns or without.
    ///
    /// # Errors
    /// If there is no memory for what is kept of each row.
    pub(super) fn new(rows: usize, units: usize, bounds: (f32, f32), copies: bool) -> Result<Self, Error> {
        reserve(Path::new("the samples"), &mut Vec::<u64>::new(), rows)?;
        Ok(Self::empty(rows, units, bounds, copies))
    }

    fn empty(rows: usize, units: usize, bounds: (f32, f32), copies: bool) -> Self {
        Self {
            bounds,
            first: 0,
            min: vec![f32::INFINITY; units],
            max: vec![f32::NEG_INFINITY; units],
            sums: vec![0.0; units],
            missing: vec![0; units],
            column_hashes: vec![0; if copies { units } else { 0 }],
            hashes: Vec::with_capacity(rows),
            zeros: 0,
            near_ends: 0,
            outside: 0,
            levels: Vec::new(),
            first_missing: None,
            infinite: 0,
            first_infinite: None,
        }
    }

    /// Takes in the rows behind its own.
    fn join(&mut self, other: Self) {
        let lesser = |a: &mut f32, b: f32| *a = a.min(b);
        let greater = |a: &mut f32, b: f32| *a = a.max(b);
        self.min.iter_mut().zip(other.min).for_each(|(a, b)| lesser(a, b));
        self.max.iter_mut().zip(other.max).for_each(|(a, b)| greater(a, b));
        self.sums.iter_mut().zip(other.sums).for_each(|(a, b)| *a += b);
        self.missing.iter_mut().zip(other.missing).for_each(|(a, b)| *a += b);
        self.column_hashes.iter_mut().zip(other.column_hashes).for_each(|(a, b)| *a = a.wrapping_add(b));
        let before = self.hashes.len() * self.min.len();
        self.first_missing = self.first_missing.or(other.first_missing.map(|at| before + at));
        self.first_infinite = self.first_infinite.or(other.first_infinite.map(|at| before + at));
        self.hashes.extend(other.hashes);
        self.zeros += other.zeros;
        self.near_ends += other.near_ends;
        self.outside += other.outside;
        self.infinite += other.infinite;
        self.levels.extend(other.levels);
        self.levels.sort_unstable_by(f32::total_cmp);
        self.levels.dedup();
        self.levels.truncate(LISTED + 1);
    }

    pub(super) fn add(&mut self, row: &[f32]) {
        let mut hash = START;
        for pair in row.chunks(2) {
            let second = pair.get(1).map_or(0, |&x| word(x));
            hash = mixed(hash, word(pair[0]) << 32 | second);
        }
        let place = mixed(START, (self.first + self.hashes.len()) as u64);
        for (hash, &x) in self.column_hashes.iter_mut().zip(row) {
            *hash = hash.wrapping_add(mixed(place, word(x)));
        }
        for &x in row {
            if self.levels.len() > LISTED {
                break;
            }
            if let Err(place) = self.levels.binary_search_by(|level| level.total_cmp(&(x + 0.0)))
                && x.is_finite()
            {
                self.levels.insert(place, x + 0.0);
            }
        }
        if row.iter().fold(true, |finite, x| finite & x.is_finite()) {
            self.add_finite(row);
        } else {
            self.add_others(row);
        }
        self.hashes.push(hash);
    }

    fn add_finite(&mut self, row: &[f32]) {
        self.min.iter_mut().zip(row).for_each(|(min, &x)| *min = if x < *min { x } else { *min });
        self.max.iter_mut().zip(row).for_each(|(max, &x)| *max = if x > *max { x } else { *max });
        self.sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        let (bottom, top) = self.bounds;
        let (low, high) = self.near();
        // A row has less than 2^16 values: narrow counters let more of them go at once.
        let (mut zeros, mut near_ends, mut outside) = (0u32, 0u32, 0u32);
        for &x in row {
            zeros += u32::from(x == 0.0);
            near_ends += u32::from(x <= low) + u32::from(x >= high);
            outside += u32::from(x < bottom) + u32::from(x > top);
        }
        self.zeros += u64::from(zeros);
        self.near_ends += u64::from(near_ends);
        self.outside += u64::from(outside);
    }

    /// A row in which values are missing or infinite.
    fn add_others(&mut self, row: &[f32]) {
        let (bottom, top) = self.bounds;
        let (low, high) = self.near();
        for (unit, &x) in row.iter().enumerate() {
            if !x.is_finite() {
                self.missing[unit] += 1;
                self.infinite += u64::from(x.is_infinite());
                let first = if x.is_nan() { &mut self.first_missing } else { &mut self.first_infinite };
                first.get_or_insert(self.hashes.len() * row.len() + unit);
                continue;
            }
            self.min[unit] = self.min[unit].min(x);
            self.max[unit] = self.max[unit].max(x);
            self.sums[unit] += f64::from(x);
            self.zeros += u64::from(x == 0.0);
            self.near_ends += u64::from(x <= low) + u64::from(x >= high);
            self.outside += u64::from(x < bottom) + u64::from(x > top);
        }
    }

    /// Where values are near what becomes 0, and near what becomes 1.
    fn near(&self) -> (f32, f32) {
        let (bottom, top) = self.bounds;
        let tenth = (top - bottom) / 10.0;
        // Without a range all values are both, and count once.
        if tenth > 0.0 { (bottom + tenth, top - tenth) } else { (bottom, f32::INFINITY) }
    }

    /// The distinct values, where they are few; else none.
    pub(super) fn levels(&self) -> &[f32] {
        if self.levels.len() > LISTED { &[] } else { &self.levels }
    }

    /// Number of the first value that is missing, counted along the rows.
    pub(super) fn first_missing(&self) -> Option<usize> {
        self.first_missing
    }

    /// Number of the first value that is infinite.
    pub(super) fn first_infinite(&self) -> Option<usize> {
        self.first_infinite
    }

    /// How many of these samples are among others.
    pub(super) fn shared_with(&self, other: &Self) -> usize {
        let others: std::collections::HashSet<u64> = other.hashes.iter().copied().collect();
        self.hashes.iter().filter(|hash| others.contains(hash)).count()
    }

    /// The outcome, of `samples` in all; `number` says where in the file a column is.
    pub(super) fn part(
        &self,
        samples: usize,
        number: impl Fn(usize) -> usize,
        (first_missing, first_infinite): (Option<Place>, Option<Place>),
        classes: Option<usize>,
        labels: Option<&[u32]>,
    ) -> Result<Part, Error> {
        let rows = self.hashes.len() as u64;
        let mut seen = HashMap::new();
        let column = |unit: usize| {
            let (min, max, missing) = (self.min[unit], self.max[unit], self.missing[unit]);
            let hash = self.column_hashes.get(unit).filter(|_| min < max);
            let same_as = hash.map(|hash| *seen.entry(*hash).or_insert(unit)).filter(|&first| first != unit);
            let mean = self.sums[unit] / (rows - missing) as f64;
            Column { number: number(unit), min, max, mean, missing, same_as }
        };
        let columns: Vec<Column> = (0..self.min.len()).map(column).collect();
        let missing: u64 = columns.iter().map(|column| column.missing).sum();
        let values = (rows * columns.len() as u64 - missing).max(1) as f64;
        // Where not all samples were looked at, nothing is known of which label is whose.
        let of_these = labels.filter(|labels| labels.len() == self.hashes.len());
        let (repeated, contradictory) = counts::repetitions(&self.hashes, of_these)?;
        Ok(Part {
            samples,
            examined: self.hashes.len(),
            columns,
            zeros: self.zeros as f64 / values,
            near_ends: self.near_ends as f64 / values,
            outside: self.outside,
            missing: missing - self.infinite,
            first_missing,
            infinite: self.infinite,
            first_infinite,
            repeated,
            contradictory,
            classes: labels.zip(classes).map(|(labels, classes)| counts::classes(classes, labels)),
        })
    }
}

/// The bits of a value; those of 0 are those of -0, and all that is missing is the same.
fn word(x: f32) -> u64 {
    u64::from(if x.is_finite() { (x + 0.0).to_bits() } else { f32::NAN.to_bits() })
}
