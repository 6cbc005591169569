//! A look at data before anything is learned from them: what the values are, which columns tell
//! nothing, how often each class comes, what is missing, and which samples come twice.
//!
//! Values are looked at as the file has them, before scaling, and those that a training would refuse
//! are counted, not refused. Everything is found in two passes over the rows, the first for the range;
//! a column keeps six numbers and a sample one, so that data in a file may be larger than memory.
//! Samples and columns are the same where their 64-bit hashes are: among n of them the odds of a false
//! pair are n² / 2^65, 10^-10 for 60,000.

mod counts;
mod findings;
mod gaps;
mod survey;

use deepbelief_kernels::{UnitKind, Units};

use crate::assemble::check;
use crate::batches::split::Split;
use crate::classes::renumber;
use crate::dataset::Dataset;
use crate::error::Error;
use crate::load::tables_to_look_at;
use crate::schema::options::LoadOptions;
use crate::schema::pixels::Row;
use crate::schema::scale::Scale;
use crate::schema::source::Source;
use crate::tables::table::{Reading, Table};
pub use findings::{Column, Examination, Part, ValueKind};
pub use gaps::Gaps;
use survey::{Extent, Survey};

/// Looks at a source; `test` names one with test samples, for a source that has none of its own.
///
/// # Errors
/// If it cannot be read or its rows are no samples: those of [`load`](crate::load) that are not
/// about values.
pub fn examine(source: &Source, options: &LoadOptions, test: Option<&Source>) -> Result<Examination, Error> {
    let mut tables = tables_to_look_at(source, options)?;
    let reading = tables.reading.take();
    let mut notes = std::mem::take(&mut tables.notes);
    if let Some(test) = test {
        // The columns of the test data are those of the training data.
        let schema = reading.as_ref().map(|reading| reading.schema.clone());
        let other = tables_to_look_at(test, &LoadOptions { schema, ..options.clone() })?;
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
    let scaling = reading.as_ref().and_then(|reading| reading.scaling);
    let scale = match options.scale {
        Scale::Auto if scaling.is_none() => extent.suiting(),
        scale => scale,
    };
    let units = match &reading {
        Some(reading) => reading.schema.layer(),
        None => Units::of(UnitKind::Bernoulli, train.units),
    };
    let bounds = match scaling.map_or(scale, Scale::from) {
        Scale::MinMax | Scale::MinMaxColumns | Scale::Standard | Scale::Auto => (extent.min, extent.max),
        Scale::None => (0.0, 1.0),
        Scale::By255 => (0.0, 255.0),
        Scale::Range { min, max } => (min as f32, max as f32),
    };
    let survey = |table: &Table| Survey::of_table(table, ends(&units, bounds));
    let (of_train, of_test) = (survey(train)?, test.map(survey).transpose()?);
    let kind = extent.kind(of_train.levels());
    let part = |survey: &Survey, table: &Table| {
        let number = |unit| table.place(unit).column;
        let place = |at: Option<usize>| at.map(|at| table.place(at));
        let first = (place(survey.first_missing()), place(survey.first_infinite()));
        survey.part(table.samples(), number, first, classes, table.labels.as_deref())
    };
    let Reading { schema, notes: more, doubts, hint, whole_levels, alignment, .. } = reading.unwrap_or_default();
    notes.extend(more);
    let gaps = if of_train.first_missing().is_some() { Gaps::of(train, &schema)? } else { Gaps::default() };
    Ok(Examination {
        gaps,
        units,
        schema,
        alignment,
        notes,
        doubts,
        hint,
        whole_levels,
        train: part(&of_train, train)?,
        test: of_test.as_ref().zip(test).map(|(survey, table)| part(survey, table)).transpose()?,
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

/// The ends that values are looked at between, the smaller one first: numbers that Gaussian units learn have none.
fn ends(units: &Units, (zero, one): (f32, f32)) -> (f32, f32) {
    if units.is_discrete() { (zero.min(one), zero.max(one)) } else { (f32::MIN / 4.0, f32::MAX / 4.0) }
}

impl Dataset {
    /// Looks at data that are scaled already, but not for copies of columns, which are numbered as visible
    /// units. Of samples that are in a file only `most` are read, spread evenly over it.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn examine(&self, most: usize) -> Result<Examination, Error> {
        let units = self.train.layer().clone();
        let survey = |split: &Split| {
            let there = split.samples();
            let chosen = if split.is_held() { there } else { there.min(most.max(1)) };
            let mut survey = Survey::new(chosen, split.units(), ends(&units, (0.0, 1.0)), false)?;
            let mut values = vec![0.0; split.units()];
            let mut whole = true;
            split.visit((0..chosen).map(|k| (k as u64 * there as u64 / chosen as u64) as usize), |_, _, row| {
                row.write(&mut values);
                survey.add(&values);
                // Bytes are of whole numbers.
                whole = whole && (matches!(row, Row::Bytes(_)) || values.iter().all(|&x| self.scaling.was_whole(x)));
            })?;
            let labels = split.labels();
            let part = survey.part(there, |unit| unit, (None, None), self.classes, labels.as_deref())?;
            Ok::<_, Error>((survey, part, whole))
        };
        let ((of_train, train, is_whole), test) = (survey(&self.train)?, self.test.as_ref().map(survey).transpose()?);
        let whole = train.examined == train.samples;
        let shared = test.as_ref().filter(|_| whole).map(|(test, ..)| test.shared_with(&of_train));
        let extent = Extent::of_columns(&train.columns, is_whole);
        Ok(Examination {
            gaps: Gaps::default(),
            units,
            schema: self.schema.clone(),
            alignment: self.alignment.clone(),
            notes: self.notes.clone(),
            doubts: self.doubts.clone(),
            hint: None,
            whole_levels: Vec::new(),
            kind: extent.before(self.scaling).kind(of_train.levels()),
            min: extent.min,
            max: extent.max,
            levels: of_train.levels().to_vec(),
            train,
            test: test.map(|(_, part, _)| part),
            image: self.image,
            class_names: self.class_names.clone(),
            scale: self.scaling.into(),
            bounds: (0.0, 1.0),
            shared,
        })
    }
}

#[cfg(test)]
mod tests;
