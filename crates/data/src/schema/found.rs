//! What a column holds: ends, sums, levels, and whether its numbers are whole or count the rows.
//!
//! Rows come one by one or many at once, and what parts of them hold is joined in their order.

use super::kind::is_wide;
use crate::tables::sheet::Content;

/// Different numbers of a column that are counted apart, at most.
const LEVELS: usize = 64;

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

/// Sums of distances and squares, ends, and whether all numbers are whole.
struct Sums {
    weight: f64,
    sum: f64,
    squares: f64,
    min: f64,
    max: f64,
    whole: bool,
}

impl Sums {
    /// Of numbers behind those that these sums are of, each with what it weighs; ends of the numbers alone. One loop, for
    /// each sum waits for the one before it.
    fn of((weight, sum, squares): (f64, f64, f64), from: f64, numbers: impl Iterator<Item = (f64, f64)>) -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut sums = Self { weight, sum, squares, min, max, whole: true };
        for (x, weight) in numbers {
            let distance = x - from;
            sums.weight += weight;
            sums.sum += weight * distance;
            sums.squares += weight * distance * distance;
            sums.min = if x < sums.min { x } else { sums.min };
            sums.max = if x > sums.max { x } else { sums.max };
            sums.whole &= is_whole(x);
        }
        sums
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
    pub(super) first: f64,
    /// The row of the first text.
    pub(crate) first_text: Option<usize>,
}

impl Found {
    /// How many different whole numbers there are; 0 where they are many, or other values are among them.
    pub(crate) fn whole_levels(&self) -> usize {
        if self.is_numeric() && self.whole { self.levels.as_ref().map_or(0, Vec::len) } else { 0 }
    }

    /// Of no rows.
    pub(super) fn new() -> Self {
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

    pub(super) fn add(&mut self, content: Content, weight: f64) {
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
                self.whole = self.whole && is_whole(x);
                self.add_level(x);
            }
        }
        self.rows += 1;
    }

    /// The same of neighbouring rows that all have numbers, with what each weighs, else 1: what [`Found::add`] makes of
    /// them one by one.
    pub(super) fn add_numbers(&mut self, numbers: &[f64], weights: Option<&[f32]>) {
        let Some(&first) = numbers.first() else { return };
        let from = self.from.unwrap_or(first);
        let sums = (self.weight, self.sum, self.squares);
        let sums = match weights {
            None => Sums::of(sums, from, numbers.iter().map(|&x| (x, 1.0))),
            Some(weights) => Sums::of(sums, from, numbers.iter().zip(weights).map(|(&x, &weight)| (x, weight.into()))),
        };
        let Sums { weight, sum, squares, min, max, whole } = sums;
        if max.max(-min) > f64::from(f32::MAX) {
            for (row, &x) in numbers.iter().enumerate() {
                self.add(Content::Number(x), weights.map_or(1.0, |weights| weights[row].into()));
            }
            return;
        }
        self.from = Some(from);
        (self.weight, self.sum, self.squares) = (weight, sum, squares);
        self.whole = self.whole && whole;
        if self.rows == 0 {
            self.first = first;
        }
        let (start, rows) = (self.first, self.rows);
        self.counts = self.counts && (rows..).zip(numbers).all(|(row, &x)| x == start + row as f64);
        if min <= self.min || min < self.low.next {
            let next = numbers.iter().fold(f64::INFINITY, |next, &x| if x > min && x < next { x } else { next });
            let low = End { count: numbers.iter().filter(|&&x| x == min).count(), next };
            self.low = self.low.join(low, (self.min, min), |a, b| a < b);
        }
        if max >= self.max || max > self.high.next {
            let next = numbers.iter().fold(f64::NEG_INFINITY, |next, &x| if x < max && x > next { x } else { next });
            let high = End { count: numbers.iter().filter(|&&x| x == max).count(), next };
            self.high = self.high.join(high, (self.max, max), |a, b| a > b);
        }
        (self.min, self.max) = (self.min.min(min), self.max.max(max));
        for &x in numbers {
            if self.levels.is_none() {
                break;
            }
            self.add_level(x);
        }
        self.numbers += numbers.len();
        self.rows += numbers.len();
    }

    fn add_level(&mut self, x: f64) {
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

    /// The same with the rows of another part behind its own.
    pub(super) fn join(&mut self, other: Self) {
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
    pub(super) fn is_wide(&self) -> bool {
        self.numbers > 0 && self.infinite.is_none() && is_wide(self.min, self.max - self.min)
    }
}

/// Whether a number is whole. From 2^52 on all are, so that a fraction is rounded away where it is added to that.
#[inline]
fn is_whole(x: f64) -> bool {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let size = x.abs();
    (size + WHOLE - WHOLE == size || size >= WHOLE) && size.is_finite()
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
        let facts = |f: &Found| format!("{f:?}");
        for numbers in [
            (0..300).map(|k| f64::from(k * k % 97)).collect::<Vec<_>>(),
            (0..300).map(|k| 1e6 - f64::from(k) / 7.0).collect(),
            (1..300).map(f64::from).collect(),
            vec![3.0, 1.0, 1.0, 7.5, 7.5, -0.5],
            vec![1.0, 1e39, 2.0, f64::NEG_INFINITY],
            vec![9.1e15, 0.0],
        ] {
            let weights: Vec<f32> = (0..numbers.len()).map(|k| [1.0, 0.5, 2.0][k % 3]).collect();
            for weights in [None, Some(weights.as_slice())] {
                let (mut single, mut together) = (Found::new(), Found::new());
                for (row, &x) in numbers.iter().enumerate() {
                    single.add(Content::Number(x), weights.map_or(1.0, |weights| weights[row].into()));
                }
                let mut at = 0;
                for numbers in numbers.chunks(70) {
                    together.add_numbers(numbers, weights.map(|weights| &weights[at..at + numbers.len()]));
                    at += numbers.len();
                }
                assert_eq!(facts(&together), facts(&single));
            }
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
