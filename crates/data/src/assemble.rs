//! From the tables of a source to a data set: check, number the classes, scale.

#[cfg(feature = "formats")]
use std::path::PathBuf;

use deepbelief_kernels::{UnitKind, Units};

use crate::batches::split::Split;
use crate::classes;
use crate::dataset::Dataset;
use crate::error::Error;
#[cfg(feature = "formats")]
use crate::schema::columns::Schema;
#[cfg(feature = "formats")]
use crate::schema::encode::{Use, encode};
#[cfg(feature = "formats")]
use crate::schema::infer::understand;
#[cfg(feature = "formats")]
use crate::schema::kind::is_wide;
use crate::schema::options::{LabelUse, LoadOptions};
use crate::schema::rescale::{Scaled, have_one_scale, keep, scale};
use crate::schema::scale::Scale;
use crate::schema::scaling::Scaling;
use crate::tables::gaps::fill_gaps;
#[cfg(feature = "formats")]
use crate::tables::sheet::Sheet;
use crate::tables::table::{Reading, Table, Tables, check_units};

/// Checks and scales what a reader found.
pub(crate) fn assemble(name: String, mut tables: Tables, options: &LoadOptions) -> Result<Dataset, Error> {
    let classes = check(&mut tables, options)?;
    #[cfg(feature = "formats")]
    array_by_columns(&mut tables, options, Use::to_learn(options))?;
    let Tables { mut train, mut test, image, class_names, mut notes, reading } = tables;
    for table in [Some(&mut train), test.as_mut()].into_iter().flatten() {
        table.pictures = image.is_some() && table.values.are_bytes();
    }
    if let (Some(column), None) = (&options.weight_column, &train.weights) {
        return Err(Error::Setting {
            name: "column of weights",
            got: format!("{column:?}"),
            expected: "left out: only tables have columns, and these data are pictures or samples of one kind".into(),
        });
    }
    let units = match &reading {
        Some(reading) => reading.schema.layer(),
        None => Units::of(UnitKind::Bernoulli, train.units),
    };
    let ranges = fill_gaps(&mut train, test.as_mut(), &units)?;
    let Scaled { train: train_pixels, test: test_pixels, scaling, notes: beyond } = if units.is_bernoulli() {
        let how = reading.as_ref().and_then(|reading| reading.scaling).map_or(options.scale, Scale::from);
        scale(&mut train, test.as_mut(), ranges, how, options.clamp)?
    } else {
        let train = keep(&mut train, ranges.0, units.is_discrete());
        let test = test.as_mut().zip(ranges.1).map(|(test, range)| keep(test, range, units.is_discrete()));
        Scaled { train, test, scaling: Scaling::None, notes: Vec::new() }
    };
    let split = |table: Table, pixels| {
        let split = Split::of(units.clone(), pixels, table.labels)?;
        let split = split.with(table.missing, table.weights, table.beyond).named(table.ids).in_lines(table.lines);
        Ok::<_, Error>(split.in_clusters(table.clusters))
    };
    let train = split(train, train_pixels)?;
    let test = match (test, test_pixels) {
        (Some(test), Some(pixels)) => Some(split(test, pixels)?.numbered_from(train.samples())),
        _ => None,
    };
    let Reading { schema, notes: more, doubts, alignment, form, .. } = reading.unwrap_or_default();
    notes.extend(more);
    notes.extend(beyond);
    Ok(Dataset { name, train, test, image, classes, class_names, scaling, schema, alignment, form, notes, doubts })
}

/// Scales an array column by column where that is what a schema or its values say: its columns are those of a table.
#[cfg(feature = "formats")]
pub(crate) fn array_by_columns(tables: &mut Tables, options: &LoadOptions, how: Use) -> Result<(), Error> {
    require_columns(tables, options)?;
    let given = options.schema.as_ref().filter(|schema| schema.scale().is_none());
    let range = |table: &Table| if how == Use::Look { table.finite_range() } else { table.range() };
    let unlike = || Ok::<_, Error>(options.scale == Scale::Auto && !have_one_scale(range(&tables.train)?));
    let by_column = matches!(options.scale, Scale::MinMaxColumns | Scale::Standard);
    let units_asked = options.visible_units.is_for_all() || given.is_some_and(|schema| !schema.layer().is_bernoulli());
    let asked = by_column || units_asked || !options.column_types.0.is_empty() || options.weight_column.is_some();
    let of_all = if tables.reading.is_none() && given.is_none() { range_of_all(tables, options.scale)? } else { None };
    // Pictures have one scale, which a schema says by columns that are all alike.
    let one_kind = options.scale == Scale::Auto && given.is_some_and(Schema::has_one_kind);
    let is_picture = tables.image.is_some() && !units_asked && of_all.is_none() && !one_kind;
    if tables.reading.is_some() || is_picture || !(given.is_some() || asked || of_all.is_some() || unlike()?) {
        return Ok(());
    }
    let scale = of_all.unwrap_or(options.scale);
    // Infinite values, which no schema has a place for, are for whoever looks to count.
    for table in [Some(&tables.train), tables.test.as_ref()].into_iter().flatten() {
        if how == Use::Look && table.values.find(f32::is_infinite)?.is_some() {
            return Ok(());
        }
    }
    range(&tables.train)?;
    let sheet = Sheet::of_table(&tables.train)?;
    // The labels of an array are an array of their own.
    let inferred = understand(&sheet, &LoadOptions { label_column: None, scale, ..options.clone() })?;
    let mut notes = inferred.notes;
    let mut encoded = |table: &mut Table, sheet: &Sheet, how| {
        let encoded = encode(&inferred.schema, sheet, how, false, options.labels)?;
        let (labels, weights) = (table.labels.take(), table.weights.take().or(encoded.table.weights));
        *table = Table { labels, weights, ..encoded.table };
        notes.extend(encoded.notes);
        Ok::<_, Error>(encoded.scaling)
    };
    let scaling = encoded(&mut tables.train, &sheet, how)?;
    if let Some(test) = &mut tables.test {
        range(test)?;
        let sheet = Sheet::of_table(test)?;
        encoded(test, &sheet, if how == Use::Look { how } else { Use::Apply })?;
    }
    let (schema, doubts) = (inferred.schema, inferred.doubts);
    tables.reading = Some(Reading { schema, scaling: Some(scaling), notes, doubts, ..Reading::default() });
    Ok(())
}

/// The one range of all values that was asked for, where they lie so far from 0 beside it that 32 bits would leave little
/// of them.
#[cfg(feature = "formats")]
fn range_of_all(tables: &Tables, scale: Scale) -> Result<Option<Scale>, Error> {
    let (mut min, mut max) = match scale {
        Scale::Range { min, max } => (min, max),
        Scale::MinMax => (f64::INFINITY, f64::NEG_INFINITY),
        _ => return Ok(None),
    };
    for table in [Some(&tables.train), tables.test.as_ref()].into_iter().flatten().filter(|_| scale == Scale::MinMax) {
        let (least, most) = table.values.ends_of_doubles()?;
        (min, max) = (min.min(least), max.max(most));
    }
    let is_finite = min.is_finite() && max.is_finite();
    Ok((is_finite && min != max && is_wide(min, max - min)).then_some(Scale::Range { min, max }))
}

/// Refuses an array or pictures that a schema is not of: one scale for all is for any of its units, scales of columns
/// are for columns.
#[cfg(feature = "formats")]
fn require_columns(tables: &Tables, options: &LoadOptions) -> Result<(), Error> {
    let Some(schema) = options.schema.as_ref().filter(|_| tables.reading.is_none()) else { return Ok(()) };
    schema.validate()?;
    let (path, got, expected) = (PathBuf::from(&tables.train.what), tables.train.units, schema.units());
    let is_by_place = schema.scale().is_some() || tables.image.is_some();
    match schema.scale() {
        _ if is_by_place && got != expected => Err(Error::Columns { path, got, expected, named: false }),
        None if tables.image.is_some()
            && options.scale == Scale::Auto
            && schema.layer().is_bernoulli()
            && !schema.has_one_kind() =>
        {
            let reason = "the columns have scales of their own, and the data are pictures".into();
            Err(Error::Schema { place: "schema".into(), reason })
        }
        _ => Ok(()),
    }
}

/// Checks all but the values; numbers the classes, and returns how many there are.
pub(crate) fn check(tables: &mut Tables, options: &LoadOptions) -> Result<Option<usize>, Error> {
    if options.labels == LabelUse::Unused {
        tables.train.labels = None;
        if let Some(test) = &mut tables.test {
            test.labels = None;
        }
    }
    classes::number(tables, options)?;
    let Tables { train, test, class_names, .. } = tables;
    for table in [Some(&*train), test.as_ref()].into_iter().flatten() {
        check_shape(table)?;
    }
    if let Some(test) = test
        && test.units != train.units
    {
        return Err(Error::SplitsDiffer { what: test.what.clone(), test: test.units, train: train.units });
    }
    classes::count(train, test.as_ref(), class_names.as_ref().map(Vec::len), options.classes)
}

/// Refuses tables that make no split, in words that name the file.
fn check_shape(table: &Table) -> Result<(), Error> {
    check_units(table.units as u128, &table.what)?;
    let samples = table.samples();
    if samples == 0 {
        return Err(Error::Empty { what: table.what.clone() });
    }
    match &table.labels {
        Some(labels) if labels.len() != samples => {
            Err(Error::Counts { what: table.what.clone(), samples, labels: labels.len() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::values::Values;

    fn tables(units: usize, train: &[u32], test: &[u32]) -> Tables {
        let table = |what: &str, labels: &[u32]| {
            let mut table = Table::new(what, units, Values::Bytes(vec![9; units * labels.len()]));
            table.labels = Some(labels.to_vec());
            table
        };
        Tables { test: Some(table("test", test)), ..Tables::of(table("train", train)) }
    }

    fn refused(tables: Tables, options: &LoadOptions) -> String {
        assemble("t".into(), tables, options).unwrap_err().to_string()
    }

    #[test]
    fn shapes_that_make_no_data_set_are_named() {
        let options = LoadOptions::default();
        assert_eq!(refused(tables(2, &[], &[0]), &options), "train: there are no samples");
        assert_eq!(refused(tables(0, &[1], &[0]), &options), "train: the samples have no columns");
        assert!(refused(tables(65_505, &[1], &[0]), &options).starts_with("train: the samples have 65505 columns"));
        let mut differ = tables(2, &[0], &[0]);
        differ.test = tables(3, &[0], &[0]).test;
        assert_eq!(refused(differ, &options), "test: the test samples have 3 columns, the training samples 2");
        let mut short = tables(2, &[0, 0], &[0]);
        short.train.labels = Some(vec![0]);
        assert_eq!(refused(short, &options), "train: 2 samples but 1 labels");
    }
}
