//! One look at every column of a sheet: what an inference rests on.

use rayon::prelude::*;

use crate::tables::sheet::{Content, Sheet};

/// Different numbers of a column that are told apart, at most.
pub(crate) const LEVELS: usize = 64;

/// The numbers at an end of a column's range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Rows with the last one.
    pub(crate) count: usize,
    /// The one before it.
    pub(crate) next: f32,
}

impl End {
    /// Takes a number, where `last` is the last so far and `beyond` says which of two lies farther out.
    fn add(&mut self, x: f32, last: f32, beyond: fn(f32, f32) -> bool) {
        if beyond(x, last) {
            *self = Self { count: 1, next: last };
        } else if x == last {
            self.count += 1;
        } else if beyond(x, self.next) {
            self.next = x;
        }
    }
}

/// Columns that a thread looks at together: of a row, a cache line.
const TOGETHER: usize = 16;

/// What a column holds.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) rows: usize,
    pub(crate) missing: usize,
    /// Cells with a number.
    pub(crate) numbers: usize,
    /// Cells with a text.
    pub(crate) texts: usize,
    pub(crate) min: f32,
    pub(crate) max: f32,
    /// What stands at `min` and at `max`.
    pub(crate) low: End,
    pub(crate) high: End,
    /// The first row with a number that is infinite, or too large for 32 bits.
    pub(crate) infinite: Option<usize>,
    /// Mean of the numbers.
    pub(crate) mean: f64,
    /// Sum of the squares of their distances from it.
    squares: f64,
    /// Whether all numbers are whole.
    pub(crate) whole: bool,
    /// The different numbers in their order; none where there are more than [`LEVELS`].
    pub(crate) levels: Option<Vec<f32>>,
    /// Whether the numbers count the rows, from 0 or 1.
    pub(crate) counts: bool,
    /// The number in the first row.
    first: f32,
    /// The row of the first text.
    pub(crate) first_text: Option<usize>,
}

impl Found {
    fn new() -> Self {
        Self {
            rows: 0,
            missing: 0,
            numbers: 0,
            texts: 0,
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            low: End { count: 0, next: f32::INFINITY },
            high: End { count: 0, next: f32::NEG_INFINITY },
            infinite: None,
            mean: 0.0,
            squares: 0.0,
            whole: true,
            levels: Some(Vec::new()),
            counts: true,
            first: 0.0,
            first_text: None,
        }
    }

    fn add(&mut self, content: Content) {
        match content {
            Content::Missing => (self.missing, self.counts) = (self.missing + 1, false),
            Content::Text(_) => {
                self.first_text.get_or_insert(self.rows);
                (self.texts, self.counts) = (self.texts + 1, false);
            }
            Content::Number(x) => {
                if self.rows == 0 {
                    (self.first, self.counts) = (x, x == 0.0 || x == 1.0);
                }
                self.counts = self.counts && x == self.first + self.rows as f32;
                self.numbers += 1;
                if x.is_infinite() {
                    self.infinite.get_or_insert(self.rows);
                }
                self.low.add(x, self.min, |a, b| a < b);
                self.high.add(x, self.max, |a, b| a > b);
                (self.min, self.max) = (self.min.min(x), self.max.max(x));
                // Welford (1962).
                let (before, x64) = (self.mean, f64::from(x));
                self.mean += (x64 - before) / self.numbers as f64;
                self.squares += (x64 - before) * (x64 - self.mean);
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

    /// Standard deviation of the numbers.
    pub(crate) fn deviation(&self) -> f64 {
        (self.squares / self.numbers.max(1) as f64).sqrt()
    }

    /// Whether all that is there are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.numbers > 0 && self.texts == 0
    }
}

/// Looks at all cells.
pub(crate) fn survey(sheet: &Sheet) -> Vec<Found> {
    let mut columns = vec![Found::new(); sheet.columns()];
    columns.par_chunks_mut(TOGETHER).enumerate().for_each(|(chunk, columns)| {
        for row in sheet.rows() {
            let cells = &row[chunk * TOGETHER..];
            columns.iter_mut().zip(cells).for_each(|(column, cell)| column.add(cell.content()));
        }
    });
    columns
}
