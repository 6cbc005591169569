//! One look at every column of a sheet: what an inference rests on.
//!
//! Numbers count as what 32 bits make of them, so that 0.1 + 0.2 and 0.3 are one level. Where that leaves too little of
//! them, because they lie close together and far from 0, they are looked at again as they are.
//!
//! Each part of the rows is looked at by itself, and what its columns hold is joined in the order of the rows.

use rayon::prelude::*;

use super::kind::is_wide;
use crate::tables::sheet::{Cell, Content, Sheet};

/// Different numbers of a column that are counted apart, at most.
pub(crate) const LEVELS: usize = 64;

/// Cells that a thread looks at together, column by column: so many stay close to it.
const TOGETHER: usize = 1 << 15;

/// Parts that each thread looks at before they are joined.
const GROUP: usize = 8;

/// The numbers at an end of a column's range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Rows with the last one.
    pub(crate) count: usize,
    /// The one before it.
    pub(crate) next: f64,
}

impl End {
    /// Takes a number, where `last` is the last so far and `beyond` says which of two lies farther out.
    fn add(&mut self, x: f64, last: f64, beyond: fn(f64, f64) -> bool) {
        if beyond(x, last) {
            *self = Self { count: 1, next: last };
        } else if x == last {
            self.count += 1;
        } else if beyond(x, self.next) {
            self.next = x;
        }
    }

    /// Of the rows of both, whose last numbers are these.
    fn join(self, other: Self, (last, others): (f64, f64), beyond: fn(f64, f64) -> bool) -> Self {
        let farther = |a: f64, b: f64| if beyond(b, a) { b } else { a };
        if last == others {
            Self { count: self.count + other.count, next: farther(self.next, other.next) }
        } else if beyond(others, last) {
            Self { count: other.count, next: farther(other.next, last) }
        } else {
            Self { count: self.count, next: farther(self.next, others) }
        }
    }
}

/// What a column holds.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) rows: usize,
    pub(crate) missing: usize,
    /// Cells with a number.
    pub(crate) numbers: usize,
    /// Cells with a text.
    pub(crate) texts: usize,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// What stands at `min` and at `max`.
    pub(crate) low: End,
    pub(crate) high: End,
    /// The first row with a number that is infinite, or too large for 32 bits.
    pub(crate) infinite: Option<usize>,
    /// The first finite number, and sums of the distances of all from it, and of their squares: of each as often as it
    /// weighs.
    from: Option<f64>,
    weight: f64,
    sum: f64,
    squares: f64,
    /// Whether all numbers are whole.
    pub(crate) whole: bool,
    /// The different numbers in their order; none where there are more than [`LEVELS`].
    pub(crate) levels: Option<Vec<f64>>,
    /// Whether the numbers count the rows, from 0 or 1.
    pub(crate) counts: bool,
    /// The number in the first row.
    first: f64,
    /// The row of the first text.
    pub(crate) first_text: Option<usize>,
}

impl Found {
    /// Of no rows.
    fn new() -> Self {
        Self {
            rows: 0,
            missing: 0,
            numbers: 0,
            texts: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            low: End { count: 0, next: f64::INFINITY },
            high: End { count: 0, next: f64::NEG_INFINITY },
            infinite: None,
            from: None,
            weight: 0.0,
            sum: 0.0,
            squares: 0.0,
            whole: true,
            levels: Some(Vec::new()),
            counts: true,
            first: 0.0,
            first_text: None,
        }
    }

    fn add(&mut self, content: Content, weight: f64) {
        match content {
            Content::Missing => (self.missing, self.counts) = (self.missing + 1, false),
            Content::Text(_) => {
                self.first_text.get_or_insert(self.rows);
                (self.texts, self.counts) = (self.texts + 1, false);
            }
            Content::Number(x) => {
                if self.rows == 0 {
                    self.first = x;
                }
                self.counts = self.counts && x == self.first + self.rows as f64;
                self.numbers += 1;
                if x.abs() > f64::from(f32::MAX) {
                    self.infinite.get_or_insert(self.rows);
                } else {
                    let distance = x - *self.from.get_or_insert(x);
                    self.weight += weight;
                    self.sum += weight * distance;
                    self.squares += weight * distance * distance;
                }
                self.low.add(x, self.min, |a, b| a < b);
                self.high.add(x, self.max, |a, b| a > b);
                (self.min, self.max) = (self.min.min(x), self.max.max(x));
                self.whole = self.whole && x.fract() == 0.0;
                if let Some(levels) = &mut self.levels
                    && let Err(place) = levels.binary_search_by(|level| level.total_cmp(&(x + 0.0)))
                {
                    if levels.len() == LEVELS {
                        self.levels = None;
                    } else {
                        levels.insert(place, x + 0.0);
                    }
                }
            }
        }
        self.rows += 1;
    }

    /// The same with the rows of another part behind its own.
    fn join(&mut self, other: Self) {
        let follows = other.counts && other.first == self.first + self.rows as f64;
        if self.rows == 0 {
            self.first = other.first;
        }
        self.counts = self.counts && other.counts && (self.rows == 0 || other.rows == 0 || follows);
        let behind = |row: usize| self.rows + row;
        self.infinite = self.infinite.or(other.infinite.map(behind));
        self.first_text = self.first_text.or(other.first_text.map(behind));
        self.low = self.low.join(other.low, (self.min, other.min), |a, b| a < b);
        self.high = self.high.join(other.high, (self.max, other.max), |a, b| a > b);
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        self.rows += other.rows;
        self.missing += other.missing;
        self.numbers += other.numbers;
        self.texts += other.texts;
        let apart = self.from.zip(other.from).map_or(0.0, |(from, others)| others - from);
        self.from = self.from.or(other.from);
        self.weight += other.weight;
        self.squares += other.squares + apart * (2.0 * other.sum + other.weight * apart);
        self.sum += other.sum + other.weight * apart;
        self.whole = self.whole && other.whole;
        self.levels = self.levels.take().zip(other.levels).and_then(|(mut levels, more)| {
            levels.extend(more);
            levels.sort_unstable_by(f64::total_cmp);
            levels.dedup();
            (levels.len() <= LEVELS).then_some(levels)
        });
    }

    /// Mean of the numbers.
    pub(crate) fn mean(&self) -> f64 {
        self.from.unwrap_or_default() + self.sum / if self.weight > 0.0 { self.weight } else { 1.0 }
    }

    /// Standard deviation of the numbers.
    pub(crate) fn deviation(&self) -> f64 {
        let weight = if self.weight > 0.0 { self.weight } else { 1.0 };
        (self.squares / weight - (self.sum / weight).powi(2)).max(0.0).sqrt()
    }

    /// Whether all that is there are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.numbers > 0 && self.texts == 0
    }

    /// Whether 32 bits leave little of how far the numbers lie apart.
    fn is_wide(&self) -> bool {
        self.numbers > 0 && self.infinite.is_none() && is_wide(self.min, self.max - self.min)
    }
}

/// Looks at all cells. Rows weigh what is said of them, else 1.
pub(crate) fn survey(sheet: &Sheet, weights: Option<&[f32]>) -> Vec<Found> {
    let all: Vec<usize> = (0..sheet.columns()).collect();
    let mut found = look(sheet, &all, weights, |x| f64::from(x as f32));
    let wide: Vec<usize> = all.into_iter().filter(|&column| found[column].is_wide()).collect();
    for (&column, exact) in wide.iter().zip(look(sheet, &wide, weights, |x| x)) {
        found[column] = exact;
    }
    found
}

/// Looks at some columns, whose numbers count as what is made `of` them.
fn look(sheet: &Sheet, columns: &[usize], weights: Option<&[f32]>, of: impl Fn(f64) -> f64 + Sync) -> Vec<Found> {
    let width = sheet.columns().max(1);
    let content = |cell: Cell| match cell.content() {
        Content::Number(x) => Content::Number(of(x)),
        content => content,
    };
    let look = |(first, slices): &(usize, Vec<&[Cell]>)| {
        let mut found = vec![Found::new(); columns.len()];
        let (mut first, rows) = (*first, (TOGETHER / width).max(1));
        for cells in slices.iter().flat_map(|slice| slice.chunks(rows * width)) {
            for (found, &column) in found.iter_mut().zip(columns) {
                for (row, cells) in cells.chunks_exact(width).enumerate() {
                    let weight = weights.map_or(1.0, |weights| f64::from(weights[first + row]));
                    found.add(content(cells[column]), weight);
                }
            }
            first += cells.len() / width;
        }
        found
    };
    let mut joined = vec![Found::new(); columns.len()];
    for parts in sheet.parts().chunks(GROUP * rayon::current_num_threads()) {
        for part in parts.par_iter().map(look).collect::<Vec<_>>() {
            joined.iter_mut().zip(part).for_each(|(joined, part)| joined.join(part));
        }
    }
    for found in &mut joined {
        found.counts = found.counts && (found.first == 0.0 || found.first == 1.0 || found.rows == 0);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of parts, joined in their order, is what is found of all at once.
    #[test]
    fn parts_joined_are_the_whole() {
        let content = |k: usize| match k % 11 {
            3 => Content::Missing,
            7 if k > 200 => Content::Text(0),
            _ => Content::Number(1e6 + [0.25, 7.0, -3.5, 1.25][k * k % 4] * (k % 5) as f64),
        };
        let find = |rows: std::ops::Range<usize>| {
            let mut found = Found::new();
            rows.for_each(|k| found.add(content(k), 1.0 + (k % 3) as f64));
            found
        };
        let whole = find(0..500);
        for ends in [vec![0, 500], vec![0, 0, 1, 499, 500], vec![0, 4, 120, 121, 300, 500]] {
            let mut joined = Found::new();
            ends.windows(2).for_each(|pair| joined.join(find(pair[0]..pair[1])));
            let facts = |f: &Found| (f.rows, f.missing, f.numbers, f.texts, f.min, f.max, f.whole, f.first_text);
            assert_eq!(facts(&joined), facts(&whole));
            let at_ends = |f: &Found| (f.low.count, f.low.next, f.high.count, f.high.next, f.levels.clone());
            assert_eq!(at_ends(&joined), at_ends(&whole));
            assert!((joined.mean() - whole.mean()).abs() < 1e-9 * whole.mean());
            assert!((joined.deviation() - whole.deviation()).abs() < 1e-9 * whole.deviation());
        }
        let count = |rows: std::ops::Range<usize>| {
            let mut found = Found::new();
            rows.for_each(|k| found.add(Content::Number(k as f64), 1.0));
            found
        };
        let mut counting = count(1..40);
        counting.join(count(40..90));
        assert!(counting.counts);
        counting.join(count(91..92));
        assert!(!counting.counts && counting.numbers == 90);
    }
}
