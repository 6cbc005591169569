//! Which class is which number: classes are the labels that occur, numbered from 0.

use std::collections::BTreeSet;

use deepbelief_kernels::MAX_UNITS;

use crate::error::Error;
use crate::schema::options::{ClassNumbers, LoadOptions};
use crate::tables::table::{Table, Tables};

/// Numbers the labels of a source: by the names that another data set gave its classes, or else by their order, where
/// they are numbers with gaps.
pub(crate) fn number(tables: &mut Tables, options: &LoadOptions) -> Result<(), Error> {
    if let Some(names) = &options.class_names {
        if tables.class_names.is_none() && are_whole_numbers(names) {
            tables.class_names = named_by_number(tables);
        }
        let found = tables.class_names.take().unwrap_or_default();
        let mut names = names.clone();
        if options.class_numbers == ClassNumbers::More {
            let more: Vec<&String> = found.iter().filter(|name| !names.contains(name)).collect();
            names = names.iter().chain(more).cloned().collect();
        }
        for table in [Some(&mut tables.train), tables.test.as_mut()].into_iter().flatten() {
            renumber(table, &found, &names)?;
        }
        tables.class_names = Some(names);
    } else if tables.class_names.is_none() && options.classes.is_none() && options.class_numbers != ClassNumbers::Labels
    {
        tables.class_names = if has_gaps(&tables.train) { named_by_number(tables) } else { None };
    }
    Ok(())
}

/// Whether the labels are not 0 and all numbers up to the largest.
fn has_gaps(table: &Table) -> bool {
    let found: BTreeSet<u32> = table.labels.iter().flatten().copied().collect();
    found.last().is_some_and(|&largest| largest as usize + 1 != found.len())
}

/// Numbers the classes of training and test labels in the order of the labels, and returns what these were.
fn named_by_number(tables: &mut Tables) -> Option<Vec<String>> {
    let mut of_tables = [Some(&mut tables.train), tables.test.as_mut()];
    let labels = of_tables.iter().flatten().flat_map(|table| table.labels.iter().flatten());
    let found: Vec<u32> = labels.copied().collect::<BTreeSet<u32>>().into_iter().collect();
    for label in of_tables.iter_mut().flatten().flat_map(|table| table.labels.iter_mut().flatten()) {
        *label = found.partition_point(|other| other < label) as u32;
    }
    (!found.is_empty()).then(|| found.iter().map(ToString::to_string).collect())
}

/// Whether labels that are numbers can be looked up among the names.
fn are_whole_numbers(names: &[String]) -> bool {
    names.iter().all(|name| name.parse::<u32>().is_ok_and(|number| number.to_string() == *name))
}

/// Numbers labels by their place among `names`, where the source has numbered its own names
/// `found`; labels that are numbers in the source stay as they are.
pub(crate) fn renumber(table: &mut Table, found: &[String], names: &[String]) -> Result<(), Error> {
    let unknown = |name: &String| {
        let (what, name) = (table.what.clone(), name.clone());
        Error::UnknownClass { what, name, known: names.join(", ") }
    };
    let place = |name| names.iter().position(|known| known == name).map(|place| place as u32);
    let places: Vec<u32> =
        found.iter().map(|name| place(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    for label in table.labels.iter_mut().flatten() {
        *label = places.get(*label as usize).copied().unwrap_or(*label);
    }
    Ok(())
}

/// The number of classes, every label being below it; none where the training data have no labels.
pub(crate) fn count(
    train: &Table,
    test: Option<&Table>,
    named: Option<usize>,
    asked: Option<usize>,
) -> Result<Option<usize>, Error> {
    let Some(labels) = &train.labels else { return Ok(None) };
    let largest = labels.iter().max().map_or(0, |&label| label as usize);
    let (classes, why) = match (asked, named) {
        (Some(asked), _) => (asked, "as many classes were asked for"),
        (None, Some(named)) => (named, "as many classes are named"),
        (None, None) if largest < MAX_UNITS => (largest + 1, "the training data has no larger one"),
        (None, None) => (MAX_UNITS, "a layer of labels has at most as many units"),
    };
    if !(1..=MAX_UNITS).contains(&classes) {
        return Err(Error::Setting {
            name: "number of classes",
            got: classes.to_string(),
            expected: format!("1 to {MAX_UNITS}"),
        });
    }
    for table in [Some(train), test].into_iter().flatten() {
        let labels = table.labels.iter().flatten();
        if let Some((row, label)) = labels.enumerate().find(|&(_, &label)| label as usize >= classes) {
            let expected = format!("0 to {} ({why})", classes - 1);
            return Err(Error::Label { what: table.what.clone(), row, label: label.to_string(), expected });
        }
    }
    Ok(Some(classes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::assemble;
    use crate::dataset::Dataset;
    use crate::tables::values::Values;

    fn text(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn tables(train: &[u32], test: &[u32]) -> Tables {
        let table = |what: &str, labels: &[u32]| {
            let mut table = Table::new(what, 2, Values::Bytes(vec![9; 2 * labels.len()]));
            table.labels = Some(labels.to_vec());
            table
        };
        Tables { test: Some(table("test", test)), ..Tables::of(table("train", train)) }
    }

    fn read(tables: Tables, options: &LoadOptions) -> Result<Dataset, String> {
        assemble("t".into(), tables, options).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_must_lie_below_the_number_of_classes() {
        let plain = LoadOptions::default();
        let data = read(tables(&[0, 2, 1], &[1, 2]), &plain).unwrap();
        assert_eq!((data.classes, data.class_names), (Some(3), None));
        assert_eq!(data.test.as_ref().unwrap().id(0), 3, "test samples are numbered after the training samples");
        let error = "test: the label of row 1 (from 0) is 3, expected 0 to 2 (the training data has no larger one)";
        assert_eq!(read(tables(&[0, 2, 1], &[1, 3]), &plain).unwrap_err(), error);
        let three = LoadOptions { classes: Some(3), ..LoadOptions::default() };
        let error = "train: the label of row 1 (from 0) is 3, expected 0 to 2 (as many classes were asked for)";
        assert_eq!(read(tables(&[0, 3], &[1]), &three).unwrap_err(), error);
        let none = LoadOptions { classes: Some(0), ..LoadOptions::default() };
        assert_eq!(read(tables(&[0], &[0]), &none).unwrap_err(), "number of classes is 0; it must be 1 to 65504");
        let more = LoadOptions { classes: Some(12), ..LoadOptions::default() };
        assert_eq!(read(tables(&[0], &[11]), &more).unwrap().classes, Some(12));
        let as_they_are = LoadOptions { class_numbers: ClassNumbers::Labels, ..LoadOptions::default() };
        assert!(read(tables(&[70_000], &[0]), &as_they_are).unwrap_err().contains("is 70000, expected 0 to 65503"));
    }

    /// The second data set lacks one of the classes of the first.
    #[test]
    fn classes_keep_the_numbers_another_data_set_gave_them() {
        let options = LoadOptions { class_names: Some(text(&["ant", "bee", "cat"])), ..LoadOptions::default() };
        let named = |names: &[&str], train: &[u32]| {
            let mut tables = tables(train, &[1]);
            tables.class_names = Some(text(names));
            tables
        };
        let data = read(named(&["bee", "cat"], &[0, 1, 0]), &options).unwrap();
        assert_eq!(data.train.labels(), Some(vec![1, 2, 1]));
        assert_eq!(data.test.unwrap().labels(), Some(vec![2]));
        assert_eq!((data.classes, data.class_names), (Some(3), options.class_names.clone()));
        let error = "train: there is a class \"dog\"; the classes are ant, bee, cat";
        assert_eq!(read(named(&["bee", "dog"], &[0]), &options).unwrap_err(), error);
        let more = LoadOptions { class_numbers: ClassNumbers::More, ..options.clone() };
        let data = read(named(&["dog", "bee"], &[0]), &more).unwrap();
        assert_eq!((data.train.labels(), data.test.unwrap().labels()), (Some(vec![3]), Some(vec![1])));
        assert_eq!(data.class_names, Some(text(&["ant", "bee", "cat", "dog"])));
        let data = read(tables(&[2, 0], &[1]), &options).unwrap();
        assert_eq!(data.train.labels(), Some(vec![2, 0]), "numbers are numbers");
        let error = "test: the label of row 0 (from 0) is 3, expected 0 to 2 (as many classes are named)";
        assert_eq!(read(tables(&[2], &[3]), &options).unwrap_err(), error);
    }

    #[test]
    fn classes_are_the_numbers_that_occur() {
        let options = LoadOptions::default();
        for (train, test, names, numbers) in [
            (&[3, 1, 2, 1][..], &[2, 3][..], &["1", "2", "3"][..], [vec![2, 0, 1, 0], vec![1, 2]]),
            (&[10, 30], &[20], &["10", "20", "30"], [vec![0, 2], vec![1]]),
            (&[70_000, 0], &[0], &["0", "70000"], [vec![1, 0], vec![0]]),
        ] {
            let data = read(tables(train, test), &options).unwrap();
            assert_eq!((data.classes, data.class_names.clone()), (Some(names.len()), Some(text(names))));
            assert_eq!([data.train.labels().unwrap(), data.test.unwrap().labels().unwrap()], numbers);
            // Other data are read by their numbers as well, one class of them or all.
            let learned = LoadOptions { class_names: data.class_names, ..LoadOptions::default() };
            let piece = read(tables(&train[..1], test), &learned).unwrap();
            assert_eq!(piece.train.labels().unwrap(), numbers[0][..1]);
            assert_eq!(piece.classes, Some(names.len()));
            let error = format!("train: there is a class \"5\"; the classes are {}", names.join(", "));
            assert_eq!(read(tables(&[5], test), &learned).unwrap_err(), error);
        }
    }

    /// An earlier model has no names of its classes: its labels are the numbers themselves.
    #[test]
    fn numbers_stay_as_they_are_where_that_is_how_a_model_learned_them() {
        let options = LoadOptions { class_numbers: ClassNumbers::Labels, ..LoadOptions::default() };
        let data = read(tables(&[3, 1], &[2]), &options).unwrap();
        assert_eq!((data.classes, data.class_names), (Some(4), None));
        assert_eq!(data.train.labels(), Some(vec![3, 1]));
    }
}
