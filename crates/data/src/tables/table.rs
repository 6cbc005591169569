//! What every reader hands over: samples as they stand in the file, before scaling.

use std::borrow::Cow;
use std::sync::Arc;

use deepbelief_kernels::MAX_UNITS;
use rayon::prelude::*;

use super::aligned::Aligned;
use super::element::Element;
use super::file_rows::FileRows;
use super::image_shape::ImageShape;
use super::text_form::TextForm;
use super::values::Values;
use crate::error::Error;
use crate::number::narrow;
use crate::place::Place;
use crate::schema::columns::Schema;
use crate::schema::scaling::Scaling;

/// Values that a thread looks at together, and rows.
const VALUES: usize = 1 << 19;
const LEAST: usize = 1 << 6;
const MOST: usize = 1 << 12;

/// Values whose range is looked for together, and at once.
const TOGETHER: usize = 1 << 10;
const LANES: usize = 8;

/// From here on floats of 32 bits have no fractions.
const WHOLE: f32 = 8_388_608.0;

/// Parts that each thread looks at before what is found is joined.
const GROUP: usize = 8;

/// Some neighbouring values, and the number of the first.
pub(crate) type Part<'a> = (usize, Cow<'a, Values>);

/// All values of a table.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    /// In memory.
    Held(Values),
    /// Still in the file.
    File(Arc<FileRows>),
}

impl From<Values> for Cells {
    fn from(values: Values) -> Self {
        Self::Held(values)
    }
}

impl Cells {
    /// Whether they are stored as bytes.
    pub(crate) fn are_bytes(&self) -> bool {
        match self {
            Self::Held(values) => matches!(values, Values::Bytes(_)),
            Self::File(rows) => rows.element == Element::U8,
        }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Held(values) => values.len(),
            Self::File(rows) => rows.samples * rows.units,
        }
    }

    /// All values in parts that fit in memory, each with the number of its first value: what is in
    /// memory is one part.
    pub(crate) fn parts(&self) -> Box<dyn Iterator<Item = Result<Part<'_>, Error>> + '_> {
        let rows = match self {
            Self::Held(values) => return Box::new(std::iter::once(Ok((0, Cow::Borrowed(values))))),
            Self::File(rows) => rows,
        };
        let part = |first: usize| {
            let values = rows.read(first, rows.at_once().min(rows.samples - first))?;
            rows.require_unchanged()?;
            Ok((first * rows.units, Cow::Owned(values)))
        };
        Box::new((0..rows.samples).step_by(rows.at_once()).map(part))
    }

    /// The ends of the range of numbers of 64 bits, NaN left out; of others, which need no more than 32, none, which are
    /// infinite.
    #[cfg(feature = "formats")]
    pub(crate) fn ends_of_doubles(&self) -> Result<(f64, f64), Error> {
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let are_doubles = match self {
            Self::Held(values) => matches!(values, Values::Doubles(_)),
            Self::File(rows) => rows.element.is_wide(),
        };
        for part in are_doubles.then(|| self.parts()).into_iter().flatten() {
            if let Values::Doubles(doubles) = &*part?.1 {
                (min, max) = doubles.iter().fold((min, max), |(min, max), &x| (min.min(x), max.max(x)));
            }
        }
        Ok((min, max))
    }

    /// The first value that is `unfit`, and its number.
    pub(crate) fn find(&self, unfit: impl Fn(f32) -> bool) -> Result<Option<(usize, f32)>, Error> {
        for part in self.parts() {
            let (first, values) = part?;
            let found = match &*values {
                Values::Bytes(bytes) => bytes.iter().map(|&x| f32::from(x)).enumerate().find(|&(_, x)| unfit(x)),
                Values::Floats(floats) => floats.iter().copied().enumerate().find(|&(_, x)| unfit(x)),
                Values::Doubles(doubles) => doubles.iter().map(|&x| narrow(x)).enumerate().find(|&(_, x)| unfit(x)),
            };
            if let Some((at, value)) = found {
                return Ok(Some((first + at, value)));
            }
        }
        Ok(None)
    }
}

/// Samples of one split.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The file, or the array in it, for messages.
    pub(crate) what: String,
    pub(crate) units: usize,
    pub(crate) values: Cells,
    pub(crate) labels: Option<Vec<u32>>,
    /// Line of each row, in files that have lines, as far as 32 bits count.
    pub(crate) lines: Option<Vec<u32>>,
    /// Whether the values are grey levels of a byte, however large the largest.
    pub(crate) pictures: bool,
    /// Column of the file that each value of a row is of, where that is not its own place.
    pub(crate) columns: Option<Vec<usize>>,
    /// What each sample weighs, where they do not all weigh the same.
    pub(crate) weights: Option<Vec<f32>>,
    /// What the columns of the file are called, where it says so.
    pub(crate) names: Option<Vec<String>>,
    /// What each sample is called, where the file says so.
    pub(crate) ids: Option<Vec<String>>,
    /// The cluster of each sample, where whole clusters are to be held out.
    pub(crate) clusters: Option<Vec<u32>>,
    /// How many values of each sample lie beyond the ranges of their columns, or far out, where some do.
    pub(crate) beyond: Option<Vec<u32>>,
    /// Which values are missing, once they hold something else: packed, each row from a word of its own on.
    pub(crate) missing: Option<Vec<u32>>,
}

impl Table {
    /// A table without labels or lines.
    pub(crate) fn new(what: impl Into<String>, units: usize, values: impl Into<Cells>) -> Self {
        Self {
            what: what.into(),
            units,
            values: values.into(),
            labels: None,
            lines: None,
            pictures: false,
            columns: None,
            names: None,
            weights: None,
            ids: None,
            clusters: None,
            beyond: None,
            missing: None,
        }
    }

    /// Number of whole samples.
    pub(crate) fn samples(&self) -> usize {
        self.values.len().checked_div(self.units).unwrap_or(0)
    }

    /// Bytes of memory that its values and labels take.
    pub(crate) fn held_bytes(&self) -> u64 {
        let values = match &self.values {
            Cells::Held(Values::Bytes(bytes)) => bytes.len(),
            Cells::Held(Values::Floats(floats)) => 4 * floats.len(),
            Cells::Held(Values::Doubles(doubles)) => 8 * doubles.len(),
            Cells::File(_) => 0,
        };
        (values + self.labels.as_ref().map_or(0, |labels| 4 * labels.len())) as u64
    }

    /// Smallest and largest value; infinities are refused, NaN is a missing value. A table without values has the
    /// range 0..0.
    pub(crate) fn range(&self) -> Result<Range, Error> {
        let (mut range, mut infinite) = (Range::NONE, None);
        let look = |first: usize, rows: &[f32]| {
            let at = rows.iter().position(|x| x.is_infinite());
            (Range::of(rows), at.map(|at| (first * self.units + at, rows[at])))
        };
        self.each_part(look, |(part, found)| {
            range = range.join(part);
            infinite = infinite.or(found);
        })?;
        match infinite {
            Some((at, value)) => Err(Error::NotFinite { place: self.place(at), value }),
            None if range.min > range.max => Ok(Range { min: 0.0, max: 0.0, ..range }),
            None => Ok(range),
        }
    }

    /// The range of the values that are finite numbers; where there are none, its ends are infinite.
    pub(crate) fn finite_range(&self) -> Result<Range, Error> {
        let mut range = Range::NONE;
        self.each_part(|_, rows| Range::of(rows), |part| range = range.join(part))?;
        Ok(range)
    }

    /// Hands over every row.
    pub(crate) fn each_row(&self, mut visit: impl FnMut(&[f32])) -> Result<(), Error> {
        for part in self.values.parts() {
            let (_, values) = part?;
            let size = LEAST * self.units.max(1);
            for at in (0..values.len()).step_by(size) {
                let rows = values.floats(at..values.len().min(at + size));
                rows.chunks_exact(self.units.max(1)).for_each(&mut visit);
            }
        }
        Ok(())
    }

    /// Looks at neighbouring rows on all threads, behind the number of the first, and joins what is found in the order
    /// of the rows, which part does not depend on the threads.
    pub(crate) fn each_part<T: Send>(
        &self,
        look: impl Fn(usize, &[f32]) -> T + Sync,
        mut join: impl FnMut(T),
    ) -> Result<(), Error> {
        let rows = (VALUES / self.units.max(1)).clamp(LEAST, MOST);
        let size = rows * self.units.max(1);
        for part in self.values.parts() {
            let (first, values) = part?;
            let first = first / self.units.max(1);
            let count = values.len().div_ceil(size);
            let look = |chunk: usize| {
                let at = chunk * size..values.len().min((chunk + 1) * size);
                look(first + chunk * rows, &values.floats(at))
            };
            let group = GROUP * rayon::current_num_threads();
            for start in (0..count).step_by(group) {
                let found: Vec<T> = (start..count.min(start + group)).into_par_iter().map(look).collect();
                found.into_iter().for_each(&mut join);
            }
        }
        Ok(())
    }

    /// Where value `at` stands in the file.
    pub(crate) fn place(&self, at: usize) -> Place {
        let (row, column) = (at / self.units, at % self.units);
        let column = self.columns.as_ref().map_or(column, |columns| columns[column]);
        let line = self.lines.as_ref().and_then(|lines| lines.get(row)).filter(|&&line| line < u32::MAX);
        let name = self.names.as_ref().and_then(|names| names.get(column)).cloned();
        Place { what: self.what.clone(), row, line: line.map(|&line| line.into()), column, name }
    }
}

/// What is known of the values of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) min: f32,
    pub(crate) max: f32,
    /// Whether all are whole numbers.
    pub(crate) whole: bool,
    /// Whether a value is missing.
    pub(crate) gaps: bool,
}

impl Range {
    /// Of no values.
    const NONE: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY, whole: true, gaps: false };

    /// Of the values that are finite.
    fn of(values: &[f32]) -> Self {
        values
            .chunks(TOGETHER)
            .map(|chunk| Self::of_finite(chunk).unwrap_or_else(|| Self::of_any(chunk)))
            .fold(Self::NONE, Self::join)
    }

    /// The same of values that are all finite; else none.
    fn of_finite(values: &[f32]) -> Option<Self> {
        // Several at once, which are independent of each other.
        let (mut least, mut most) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let (mut infinite, mut broken) = ([0u32; LANES], [0u32; LANES]);
        let mut look = |lane: usize, x: f32| {
            least[lane] = if x < least[lane] { x } else { least[lane] };
            most[lane] = if x > most[lane] { x } else { most[lane] };
            infinite[lane] |= u32::from(!x.is_finite());
            // A fraction is rounded away where it is added to this; numbers above have none.
            broken[lane] |= u32::from(x.abs() < WHOLE && x.abs() + WHOLE - WHOLE != x.abs());
        };
        let (chunks, rest) = values.as_chunks::<LANES>();
        for chunk in chunks {
            chunk.iter().enumerate().for_each(|(lane, &x)| look(lane, x));
        }
        for &x in rest {
            look(0, x);
        }
        let (min, max) =
            (least.into_iter().fold(f32::INFINITY, f32::min), most.into_iter().fold(f32::NEG_INFINITY, f32::max));
        (infinite == [0; LANES]).then(|| Self { min, max, whole: broken == [0; LANES], gaps: false })
    }

    fn of_any(values: &[f32]) -> Self {
        values.iter().fold(Self::NONE, |range, &x| {
            if x.is_finite() {
                let (min, max) = (range.min.min(x), range.max.max(x));
                Self { min, max, whole: range.whole && x.fract() == 0.0, ..range }
            } else {
                Self { gaps: range.gaps || x.is_nan(), ..range }
            }
        })
    }

    fn join(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            whole: self.whole && other.whole,
            gaps: self.gaps || other.gaps,
        }
    }
}

/// All a source holds.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) train: Table,
    pub(crate) test: Option<Table>,
    pub(crate) image: Option<ImageShape>,
    pub(crate) class_names: Option<Vec<String>>,
    /// What was chosen of the file where another choice is possible.
    pub(crate) notes: Vec<String>,
    /// What was inferred of a table of text, or given.
    pub(crate) reading: Option<Reading>,
}

impl Tables {
    /// Training samples alone.
    pub(crate) fn of(train: Table) -> Self {
        Self { train, test: None, image: None, class_names: None, notes: Vec::new(), reading: None }
    }
}

/// How a table of text was understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) schema: Schema,
    /// What is still to be done to the values.
    pub(crate) scaling: Option<Scaling>,
    /// What was chosen where another choice is possible.
    pub(crate) notes: Vec<String>,
    /// What is unlikely to be meant.
    pub(crate) doubts: Vec<String>,
    /// One line on columns that may be meant otherwise.
    pub(crate) hint: Option<String>,
    /// How many different whole numbers each column has; 0 where they are many, or other values are among them.
    pub(crate) whole_levels: Vec<usize>,
    /// What was found in an alignment.
    pub(crate) alignment: Option<Box<Aligned>>,
    /// How the file of text is written.
    pub(crate) form: TextForm,
}

/// Refuses numbers of columns that make no layer.
pub(crate) fn check_units(units: u128, what: &str) -> Result<(), Error> {
    match units {
        0 => Err(Error::NoColumns { what: what.into() }),
        units if units > MAX_UNITS as u128 => Err(Error::TooManyUnits { what: what.into(), units }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk of finite values, one with others among them, and both.
    #[test]
    fn ranges_are_those_of_all_finite_values() {
        let facts = |range: Range| (range.min, range.max, range.whole, range.gaps);
        let mut values: Vec<f32> = (0..3000).map(|k| (k * k % 1009) as f32 - 7.0).collect();
        assert_eq!(facts(Range::of(&values)), (-7.0, 1001.0, true, false));
        values[1500] = f32::NAN;
        values[2900] = f32::NEG_INFINITY;
        assert_eq!(facts(Range::of(&values)), (-7.0, 1001.0, true, true));
        values[2999] = 8_388_607.5;
        assert_eq!(facts(Range::of(&values)), (-7.0, 8_388_607.5, false, true));
        assert_eq!(facts(Range::of(&[1.5e9, -0.0])), (-0.0, 1.5e9, true, false));
        assert_eq!(facts(Range::of(&[f32::INFINITY])), (f32::INFINITY, f32::NEG_INFINITY, true, false));
        assert!(!Range::of(&[1e-40]).whole && !Range::of(&[-0.25; 9]).whole);
    }

    #[test]
    fn places_are_those_of_the_file_and_name_the_line() {
        let mut table = Table::new("t.csv", 2, Values::Bytes(vec![0; 4]));
        table.lines = Some(vec![2, 4]);
        table.columns = Some(vec![0, 2]);
        assert_eq!(table.place(2).to_string(), "t.csv: row 1, column 0 (counted from 0; line 4 of the file)");
        table.names = Some(vec!["age".into()]);
        assert_eq!(table.place(2).to_string(), "t.csv: row 1, column \"age\", 0 (counted from 0; line 4 of the file)");
        assert_eq!(table.place(3).column, 2);
    }
}
