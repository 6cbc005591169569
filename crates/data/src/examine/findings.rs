//! What an examination finds.

use deepbelief_kernels::Units;

use super::gaps::Gaps;
use crate::place::Place;
use crate::schema::columns::Schema;
use crate::schema::scale::Scale;
use crate::tables::aligned::Aligned;
use crate::tables::image_shape::ImageShape;

/// Largest number of distinct values that are listed.
pub(super) const LISTED: usize = 16;

/// Share of the whole range below which a column hardly varies once all are scaled alike.
const NARROW: f32 = 0.01;

/// What the values of a data set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// All the same.
    Constant,
    /// Two values.
    Binary,
    /// Whole numbers from 0 to 255, some above 15: grey levels.
    Bytes,
    /// Other whole numbers.
    Whole,
    /// Fractions from 0 to 1.
    Unit,
    /// Other numbers.
    Real,
}

/// A column of the training samples; numbers as the file has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Its place in the file, from 0, the label's column counted where there is one; its visible unit where data
    /// are looked at that are in no file any more.
    pub number: usize,
    /// Smallest value; infinity where all are missing.
    pub min: f32,
    /// Largest value; minus infinity where all are missing.
    pub max: f32,
    /// Mean of the values that are there.
    pub mean: f64,
    /// Values that are missing or infinite.
    pub missing: u64,
    /// Place in [`Part::columns`] of the first column that holds the same values, if one comes before.
    pub same_as: Option<usize>,
}

impl Column {
    /// Whether it has no two values.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.min >= self.max
    }
}

/// What training or test samples are found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Samples there are.
    pub samples: usize,
    /// Samples that were looked at.
    pub examined: usize,
    /// Its columns, without that of the labels.
    pub columns: Vec<Column>,
    /// Share of the values that are 0.
    pub zeros: f64,
    /// Share of the values that lie, once scaled, within a tenth of 0 or of 1.
    pub near_ends: f64,
    /// Values that the scaling does not bring into [0, 1].
    pub outside: u64,
    /// Values that are missing.
    pub missing: u64,
    /// Where the first of these stands.
    pub first_missing: Option<Place>,
    /// Values that are infinite, which nothing can be learned from.
    pub infinite: u64,
    /// Where the first of these stands.
    pub first_infinite: Option<Place>,
    /// Samples that are the same as one before.
    pub repeated: usize,
    /// Samples of which there are copies with another label.
    pub contradictory: usize,
    /// Samples of each class, where there are labels.
    pub classes: Option<Vec<usize>>,
}

/// What a data set is found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// The visible units that the columns become.
    pub units: Units,
    /// What the columns of a table of text are; without columns for other sources.
    pub schema: Schema,
    /// What was found in an alignment.
    pub alignment: Option<Box<Aligned>>,
    /// How the source was understood, where another way is possible.
    pub notes: Vec<String>,
    /// What in it is unlikely to be meant.
    pub doubts: Vec<String>,
    /// One line on columns of few whole numbers, which may be grades or codes.
    pub hint: Option<String>,
    /// How many different whole numbers each column of the schema has; 0 where they are many, or other values are among
    /// them. Nothing of data that are scaled already.
    pub whole_levels: Vec<usize>,
    /// The training samples.
    pub train: Part,
    /// The test samples.
    pub test: Option<Part>,
    /// What the training samples lack. Nothing of data that are scaled already.
    pub gaps: Gaps,
    /// Shape of a sample that is a picture.
    pub image: Option<ImageShape>,
    /// What the classes are called.
    pub class_names: Option<Vec<String>>,
    /// What the values are.
    pub kind: ValueKind,
    /// Smallest of all values; of a table of text of those of its units, which for Gaussian ones count standard
    /// deviations from the mean.
    pub min: f32,
    /// Largest of all values.
    pub max: f32,
    /// The distinct values of the training samples in their order, where they are few.
    pub levels: Vec<f32>,
    /// What brings the values into [0, 1]: as asked, else what suits them; of a table of text, whose columns have
    /// scales of their own, as asked.
    pub scale: Scale,
    /// The values that it makes 0 and 1, of which the first may be the larger; Gaussian units have no ends.
    pub bounds: (f32, f32),
    /// Test samples that are training samples too, where all training samples were looked at.
    pub shared: Option<usize>,
}

impl Examination {
    /// Columns of the training samples that are all one value.
    pub fn constant(&self) -> impl Iterator<Item = &Column> {
        self.train.columns.iter().filter(|column| column.is_constant())
    }

    /// Columns that repeat one before.
    pub fn copies(&self) -> impl Iterator<Item = &Column> {
        self.train.columns.iter().filter(|column| column.same_as.is_some())
    }

    /// Columns that vary, but within less than a hundredth of the range that is scaled to [0, 1]. Of Gaussian units none
    /// is, whose columns have each its own scale.
    pub fn narrow(&self) -> impl Iterator<Item = &Column> {
        let least = if self.units.is_discrete() { self.narrow_width() } else { 0.0 };
        self.train.columns.iter().filter(move |column| !column.is_constant() && column.max - column.min < least)
    }

    /// Whether all values together vary by less than a hundredth of the range that is scaled to [0, 1].
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.max > self.min && self.max - self.min < self.narrow_width()
    }

    /// A hundredth of the range that is scaled to [0, 1].
    fn narrow_width(&self) -> f32 {
        NARROW * (self.bounds.1 - self.bounds.0).abs()
    }

    /// What a column of [`Gaps`] is called: its name in quotes, or its number.
    #[must_use]
    pub fn called(&self, column: usize) -> String {
        let name = self.schema.each().nth(column).and_then(|(name, _)| name);
        let name = name.filter(|name| !name.is_empty()).map(|name| format!("{name:?}"));
        self.schema.called(column, name.as_deref())
    }

    /// A value as it is once scaled.
    #[must_use]
    pub fn scaled(&self, value: f64) -> f64 {
        let (bottom, top) = (f64::from(self.bounds.0), f64::from(self.bounds.1));
        if top == bottom { 0.0 } else { ((value - bottom) / (top - bottom)).clamp(0.0, 1.0) }
    }

    /// Sum of the columns' scaled means: the units that are on in a sample, on average; Gaussian ones are left out.
    #[must_use]
    pub fn active(&self) -> f64 {
        let states = self.units.each().filter(|(segment, _)| segment.units.is_discrete());
        let columns = states.flat_map(|(_, columns)| &self.train.columns[columns]);
        columns.filter(|column| column.mean.is_finite()).map(|column| self.scaled(column.mean)).sum()
    }
}
