//! A look at data before anything is learned from them: what the values are, which columns tell
//! nothing, how often each class comes, what is missing, and which samples come twice.
//!
//! Values are looked at as the file has them, before scaling, and those that a training would refuse
//! are counted, not refused. Everything is found in two passes over the rows, the first for the range;
//! a column keeps six numbers and a sample one, so that data in a file may be larger than memory.
//! Samples and columns are the same where their 64-bit hashes are: among n of them the odds of a false
//! pair are n² / 2^65, 10^-10 for 60,000.

mod labels;
mod survey;

use crate::dataset::{Dataset, ImageShape};
use crate::error::{Error, Place};
use crate::load::{LoadOptions, check, renumber, tables_with_gaps};
use crate::scale::{Scale, Scaling};
use crate::source::Source;
use crate::split::Split;
use crate::table::{Table, Values};
use survey::{Extent, Survey};

/// Largest number of distinct values that are listed.
const LISTED: usize = 16;

/// Whole numbers up to here are rather counts or grades than grey levels.
const SMALL: f32 = 15.0;

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
    /// Values that are missing or no finite numbers.
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
    /// Values that are missing or no finite numbers.
    pub missing: u64,
    /// Where the first of these stands.
    pub first_missing: Option<Place>,
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
    /// The training samples.
    pub train: Part,
    /// The test samples.
    pub test: Option<Part>,
    /// Shape of a sample that is a picture.
    pub image: Option<ImageShape>,
    /// What the classes are called.
    pub class_names: Option<Vec<String>>,
    /// What the values are.
    pub kind: ValueKind,
    /// Smallest of all values.
    pub min: f32,
    /// Largest of all values.
    pub max: f32,
    /// The distinct values of the training samples in their order, where they are few.
    pub levels: Vec<f32>,
    /// What brings the values into [0, 1]: as asked, else what suits them, which is never
    /// [`Scale::Auto`].
    pub scale: Scale,
    /// The values that it makes 0 and 1.
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

    /// Columns that vary, but within less than a hundredth of the range that is scaled to [0, 1].
    pub fn narrow(&self) -> impl Iterator<Item = &Column> {
        let least = NARROW * (self.bounds.1 - self.bounds.0);
        self.train.columns.iter().filter(move |column| !column.is_constant() && column.max - column.min < least)
    }

    /// Whether all values together vary by less than a hundredth of the range that is scaled to [0, 1].
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.max > self.min && self.max - self.min < NARROW * (self.bounds.1 - self.bounds.0)
    }

    /// A value as it is once scaled.
    #[must_use]
    pub fn scaled(&self, value: f64) -> f64 {
        let (bottom, top) = (f64::from(self.bounds.0), f64::from(self.bounds.1));
        if top > bottom { ((value - bottom) / (top - bottom)).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Sum of the columns' scaled means: the units that are on in a sample, on average.
    #[must_use]
    pub fn active(&self) -> f64 {
        self.train.columns.iter().filter(|column| column.mean.is_finite()).map(|column| self.scaled(column.mean)).sum()
    }
}

/// Looks at a source; `test` names one with test samples, for a source that has none of its own.
///
/// # Errors
/// If it cannot be read or its rows are no samples: those of [`load`](crate::load) that are not
/// about values.
pub fn examine(source: &Source, options: &LoadOptions, test: Option<&Source>) -> Result<Examination, Error> {
    let mut tables = tables_with_gaps(source, options)?;
    if let Some(test) = test {
        let other = tables_with_gaps(test, options)?;
        let mut table = other.train;
        if let Some(names) = &tables.class_names {
            renumber(&mut table, other.class_names.as_deref().unwrap_or_default(), names)?;
        }
        tables.test = Some(table);
    }
    let classes = check(&mut tables, options)?;
    let (train, test) = (&tables.train, tables.test.as_ref());
    let mut extent = Extent::of_table(train)?;
    if let Some(test) = test {
        extent = extent.join(Extent::of_table(test)?);
    }
    let extent = extent.or_zero();
    let scale = if options.scale == Scale::Auto { extent.suiting() } else { options.scale };
    let bounds = match scale {
        Scale::MinMax | Scale::Auto => (extent.min, extent.max),
        Scale::None => (0.0, 1.0),
        Scale::By255 => (0.0, 255.0),
        Scale::Range { min, max } => (min, max),
    };
    let survey = |table: &Table| {
        let mut survey = Survey::new(table.units, bounds, true);
        each_row(table, |row| survey.add(row))?;
        Ok::<_, Error>(survey)
    };
    let (of_train, of_test) = (survey(train)?, test.map(survey).transpose()?);
    let kind = extent.kind(of_train.levels());
    let part = |survey: &Survey, table: &Table| {
        let number = |unit| table.place(unit).column;
        let first = survey.first_missing().map(|at| table.place(at));
        survey.part(table.samples(), number, first, classes, table.labels.as_deref())
    };
    Ok(Examination {
        train: part(&of_train, train),
        test: of_test.as_ref().zip(test).map(|(survey, table)| part(survey, table)),
        image: tables.image,
        class_names: tables.class_names,
        kind,
        min: extent.min,
        max: extent.max,
        levels: of_train.levels().to_vec(),
        scale,
        bounds,
        shared: of_test.as_ref().map(|test| test.shared_with(&of_train)),
    })
}

/// Hands over every row of a table.
fn each_row(table: &Table, mut visit: impl FnMut(&[f32])) -> Result<(), Error> {
    let mut row = vec![0.0; table.units];
    for part in table.values.parts() {
        match &*part?.1 {
            Values::Bytes(bytes) => {
                for bytes in bytes.chunks_exact(table.units) {
                    row.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = f32::from(byte));
                    visit(&row);
                }
            }
            Values::Floats(floats) => floats.chunks_exact(table.units).for_each(&mut visit),
        }
    }
    Ok(())
}

impl Dataset {
    /// Looks at data that are scaled already, but not for copies of columns, which are numbered as visible
    /// units. Of samples that are in a file only `most` are read, spread evenly over it.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn examine(&self, most: usize) -> Result<Examination, Error> {
        let survey = |split: &Split| {
            let there = split.samples();
            let chosen = if split.is_held() { there } else { there.min(most.max(1)) };
            let (mut survey, mut values) = (Survey::new(split.units(), (0.0, 1.0), false), vec![0.0; split.units()]);
            split.visit((0..chosen).map(|k| (k as u64 * there as u64 / chosen as u64) as usize), |_, _, row| {
                row.write(&mut values);
                survey.add(&values);
            })?;
            let labels = split.labels();
            let part = survey.part(there, |unit| unit, None, self.classes, labels.as_deref());
            Ok::<_, Error>((survey, part))
        };
        let ((of_train, train), test) = (survey(&self.train)?, self.test.as_ref().map(survey).transpose()?);
        let whole = train.examined == train.samples;
        let shared = test.as_ref().filter(|_| whole).map(|(test, _)| test.shared_with(&of_train));
        let extent = Extent::of_columns(&train.columns);
        let scaling = match self.scaling {
            Scaling::MinMax { min, max } => Scale::Range { min, max },
            scaling => scaling.into(),
        };
        Ok(Examination {
            kind: extent.kind(of_train.levels()),
            min: extent.min,
            max: extent.max,
            levels: of_train.levels().to_vec(),
            train,
            test: test.map(|(_, part)| part),
            image: self.image,
            class_names: self.class_names.clone(),
            scale: scaling,
            bounds: (0.0, 1.0),
            shared,
        })
    }
}

#[cfg(test)]
mod tests;
