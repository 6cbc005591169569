//! Which arrays of a file hold what, by their names, and the data set that they make.

use std::path::Path;

use super::arrays::Array;
use crate::classes::renumber;
use crate::error::{ArrayError, Error};
use crate::memory::room::Room;
use crate::tables::table::{Table, Tables};

const TRAIN: [&str; 9] =
    ["x_train", "train_x", "train_images", "train_data", "x", "images", "data", "features", "samples"];
const TRAIN_LABELS: [&str; 8] = ["y_train", "train_y", "train_labels", "y", "labels", "label", "targets", "target"];
/// Weights of the training samples; `weights` too where these are called `samples`, as `rbms` writes them.
const WEIGHTS: [&str; 2] = ["sample_weight", "sample_weights"];
const TEST: [&str; 4] = ["x_test", "test_x", "test_images", "test_data"];
const TEST_LABELS: [&str; 3] = ["y_test", "test_y", "test_labels"];

/// Arrays that a note lists, at most.
const LISTED: usize = 12;

/// Whether an array of this name has a role in a data set.
pub(crate) fn is_known(name: &str) -> bool {
    let roles = [&TRAIN[..], &TRAIN_LABELS, &WEIGHTS, &TEST, &TEST_LABELS];
    roles.iter().any(|names| names.contains(&name.to_ascii_lowercase().as_str()))
}

/// A file of arrays by name.
pub(crate) trait Arrays {
    /// What they are called.
    fn names(&self) -> Vec<String>;

    /// The shape of one, as far as it is known.
    fn shape(&mut self, name: &str) -> Option<Vec<usize>>;

    /// Reads one, where there is room for it.
    fn array(&mut self, name: &str, room: Room) -> Result<Array<'_>, Error>;
}

/// Reads the arrays of a file that have a role in a data set, each where those before it leave room. With `names`,
/// labels are names of classes, whatever they look like.
pub(crate) fn read(path: &Path, file: &mut dyn Arrays, room: Room, names: bool) -> Result<Tables, Error> {
    let all = file.names();
    let roles = Roles::of(path, &all)?;
    let mut notes = Vec::new();
    let labelled = roles.train_labels.as_ref().and_then(|name| samples_of(&file.shape(name)?));
    let mut array = file.array(&roles.train, room)?;
    let transposed = matches!(array.shape[..], [a, b] if labelled.is_some_and(|samples| samples != a && samples == b));
    if transposed {
        array = array.transposed();
        let samples = array.shape[0];
        notes.push(format!("{} has a column a sample, as there are {samples} labels: it is transposed", roles.train));
    }
    let (mut train, image) = array.table(room)?;
    let room = room.beside(train.held_bytes());
    let mut class_names = None;
    if let Some(name) = &roles.train_labels {
        let (labels, found) = file.array(name, room)?.labels(room, names, train.samples())?;
        (train.labels, class_names) = (Some(labels), found);
    }
    if let Some(name) = &roles.weights {
        let weights = file.array(name, room)?.numbers()?;
        let sound = |x: &f64| *x >= 0.0 && x.is_finite();
        if weights.len() != train.samples() || !weights.iter().all(sound) || weights.iter().all(|&x| x == 0.0) {
            let reason = format!("{name} is not what samples weigh: a number from 0 up for each, and not all 0");
            return Err(Error::Container { path: path.into(), reason });
        }
        train.weights = Some(weights.iter().map(|&x| x as f32).collect());
        notes.push(format!("samples weigh what {name} says"));
    }
    let mut test: Option<Table> = None;
    if let Some(name) = &roles.test {
        let array = file.array(name, room)?;
        let array = if transposed && array.shape.len() == 2 { array.transposed() } else { array };
        test = Some(array.table(room)?.0);
    }
    if let (Some(test), Some(name)) = (&mut test, &roles.test_labels) {
        let room = room.beside(test.held_bytes());
        let names = names || class_names.is_some();
        let (labels, found) = file.array(name, room)?.labels(room, names, test.samples())?;
        test.labels = Some(labels);
        // The classes are those of the training labels, in their order.
        if let (Some(found), Some(names)) = (found, &class_names) {
            renumber(test, &found, names)?;
        }
    }
    let unused = all.iter().filter(|name| !roles.has(name));
    let as_long = |name: &&String| file.shape(name).and_then(|shape| samples_of(&shape)) == Some(train.samples());
    let unused: Vec<&str> = unused.filter(as_long).map(String::as_str).take(LISTED).collect();
    if !unused.is_empty() && train.samples() > 1 {
        let known = TRAIN_LABELS.join(", ");
        let unused = unused.join(", ");
        notes.push(format!("not used, though as long as the samples: {unused} (labels are called {known})"));
    }
    Ok(Tables { test, image, class_names, notes, ..Tables::of(train) })
}

/// Samples that an array of this shape is of, if it has a label or a row for each.
fn samples_of(shape: &[usize]) -> Option<usize> {
    match *shape {
        [1, samples] | [samples, ..] => Some(samples),
        [] => None,
    }
}

/// Names of the arrays that hold each part of a data set.
#[derive(Debug, PartialEq, Eq)]
struct Roles {
    train: String,
    train_labels: Option<String>,
    weights: Option<String>,
    test: Option<String>,
    test_labels: Option<String>,
}

impl Roles {
    /// Whether an array has one.
    fn has(&self, name: &str) -> bool {
        let others = [&self.train_labels, &self.weights, &self.test, &self.test_labels];
        self.train == name || others.into_iter().flatten().any(|other| other == name)
    }

    /// Tells the roles of a file's arrays by their names; see [`Source::Npz`](crate::Source).
    fn of(path: &Path, names: &[String]) -> Result<Self, Error> {
        let pick = |role, known: &[&str]| {
            let mut found = names.iter().filter(|name| known.contains(&name.to_ascii_lowercase().as_str()));
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(which(path, role, names, known)),
                (first, None) => Ok(first.cloned()),
            }
        };
        let train = pick("training samples", &TRAIN)?;
        let train_labels = pick("training labels", &TRAIN_LABELS)?;
        let test = pick("test samples", &TEST)?;
        let test_labels = pick("test labels", &TEST_LABELS)?;
        if test.is_none() && test_labels.is_some() {
            return Err(which(path, "test samples", names, &TEST));
        }
        let of_samples = train.as_ref().is_some_and(|train| train.eq_ignore_ascii_case("samples"));
        let weights = pick("weights", &WEIGHTS)?;
        let weights = if weights.is_none() && of_samples { pick("weights", &["weights"])? } else { weights };
        let taken = [&train_labels, &weights, &test, &test_labels];
        let mut left = names.iter().filter(|name| taken.iter().all(|role| role.as_ref() != Some(*name)));
        let train = match (train, left.next(), left.next()) {
            (Some(train), ..) => train,
            (None, Some(only), None) => only.clone(),
            _ => return Err(which(path, "training samples", names, &TRAIN)),
        };
        Ok(Self { train, train_labels, weights, test, test_labels })
    }
}

fn which(path: &Path, role: &'static str, names: &[String], known: &[&str]) -> Error {
    let found = if names.is_empty() { "no arrays".into() } else { names.join(", ") };
    ArrayError::Which { path: path.into(), role, found, expected: known.join(", ") }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(names: &[&str]) -> Result<Roles, String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Roles::of(Path::new("f"), &names).map_err(|error| error.to_string())
    }

    fn named(train: &str, train_labels: Option<&str>, test: Option<&str>, test_labels: Option<&str>) -> Roles {
        let [train_labels, test, test_labels] = [train_labels, test, test_labels].map(|name| name.map(String::from));
        Roles { train: train.into(), train_labels, weights: None, test, test_labels }
    }

    #[test]
    fn roles_follow_the_names() {
        assert_eq!(
            roles(&["y_test", "X_train", "x_test", "Y_train", "val_images"]),
            Ok(named("X_train", Some("Y_train"), Some("x_test"), Some("y_test")))
        );
        assert_eq!(roles(&["arr_0"]), Ok(named("arr_0", None, None, None)));
        assert_eq!(roles(&["digits", "labels"]), Ok(named("digits", Some("labels"), None, None)));
        assert_eq!(roles(&["features", "free_energy"]), Ok(named("features", None, None, None)));
    }

    #[test]
    fn samples_and_labels_have_the_names_that_packages_give_them() {
        for (train, labels) in
            [("X", "y"), ("data", "target"), ("images", "labels"), ("x_train", "y_train"), ("samples", "targets")]
        {
            assert_eq!(roles(&[labels, train, "age"]), Ok(named(train, Some(labels), None, None)));
        }
    }

    #[test]
    fn weights_are_those_of_samples() {
        let weights = |names: &[&str]| roles(names).unwrap().weights;
        assert_eq!(weights(&["samples", "variable_type", "weights"]), Some("weights".into()));
        assert_eq!(weights(&["x", "weights"]), None, "of whatever it is");
        assert_eq!(weights(&["X", "y", "sample_weight"]), Some("sample_weight".into()));
    }

    #[test]
    fn unclear_names_list_what_there_is() {
        let names = TRAIN.join(", ");
        let unclear = |found: &str| {
            format!(
                "f: cannot tell which array holds the training samples: found {found}; expected exactly one named {names}"
            )
        };
        assert_eq!(roles(&["x", "data"]), Err(unclear("x, data")));
        assert_eq!(roles(&["a", "b"]), Err(unclear("a, b")));
        assert_eq!(roles(&[]), Err(unclear("no arrays")));
        assert!(roles(&["x", "y", "labels"]).unwrap_err().contains("holds the training labels: found x, y, labels;"));
        assert!(roles(&["x", "y_test"]).unwrap_err().contains("holds the test samples"));
    }
}
