//! Arrays by name: what the npz and safetensors readers have in common.

use std::borrow::Cow;
use std::path::Path;

use super::fortran::Fortran;
use crate::assemble::renumber;
use crate::error::Error;
use crate::memory::room::Room;
use crate::schema::labels::{self, Labels, Texts};
use crate::tables::element::Element;
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Table, Tables, check_units};

const TRAIN: [&str; 8] = ["x_train", "train_x", "train_images", "train_data", "x", "images", "data", "features"];
const TRAIN_LABELS: [&str; 8] = ["y_train", "train_y", "train_labels", "y", "labels", "label", "targets", "target"];
const TEST: [&str; 4] = ["x_test", "test_x", "test_images", "test_data"];
const TEST_LABELS: [&str; 3] = ["y_test", "test_y", "test_labels"];

/// An array as a file holds it.
pub(crate) struct Array<'a> {
    /// File and name, for messages.
    pub(crate) what: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
    /// Whether the first axis varies fastest, not the last.
    pub(crate) fortran: bool,
    /// The elements: the product of `shape` times the size of `element`.
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl Array<'_> {
    /// Number of samples and of the values of each, and their shape if they are pictures.
    pub(crate) fn layout(&self) -> Result<(usize, usize, Option<ImageShape>), Error> {
        self.require_numbers()?;
        let [samples, axes @ ..] = &self.shape[..] else { return Err(self.misshapen("[samples, values]")) };
        if axes.is_empty() {
            return Err(self.misshapen("[samples, values] or [samples, height, width]"));
        }
        let units = axes.iter().fold(1u128, |units, &axis| units.saturating_mul(axis as u128));
        check_units(units, &self.what)?;
        let image = match *axes {
            [height, width] | [height, width, 1] | [1, height, width] => Some(ImageShape { width, height }),
            _ => None,
        };
        Ok((*samples, units as usize, image))
    }

    /// Samples [samples, ...], flattened, and their shape if they are pictures.
    pub(crate) fn table(self, room: Room) -> Result<(Table, Option<ImageShape>), Error> {
        let (samples, units, image) = self.layout()?;
        let Self { what, shape, element, big_endian, fortran, bytes } = self;
        let read = if matches!(bytes, Cow::Owned(_)) { bytes.len() } else { 0 };
        let same = !fortran && element.held() == 1;
        let values = samples as u128 * units as u128 * element.held() as u128;
        room.require(&what, if same { values } else { read as u128 + values })?;
        let values = if fortran {
            let of = Fortran { samples, axes: &shape[1..], element, big_endian };
            let read = of.read(&bytes[..]);
            read.map_err(|error| Error::Broken { what: what.clone(), format: "npy", reason: error.to_string() })?
        } else {
            element.values(big_endian, bytes.into_owned())
        };
        Ok((Table::new(what, units, values), image))
    }

    /// Refuses texts.
    pub(crate) fn require_numbers(&self) -> Result<(), Error> {
        match self.element {
            element if element.is_text() => Err(Error::Dtype { what: self.what.clone(), got: "text".into() }),
            _ => Ok(()),
        }
    }

    /// Labels [samples] or [samples, 1], numbers or texts, or one column a class [samples, classes] of which one is
    /// 1; with `names`, all are names, whatever they look like.
    pub(crate) fn labels(&self, room: Room, names: bool) -> Result<Labels, Error> {
        // As 64 bits when they are read, 32 when they stay.
        let samples = self.bytes.len() / self.element.size();
        room.require(&self.what, self.bytes.len() as u128 + 12 * samples as u128)?;
        let expected = "[samples]: one number or name a sample, or [samples, classes] with a 1 for the class";
        match self.shape[..] {
            [_] | [_, 1] if self.element.is_text() => {
                self.of_texts(self.element.texts(self.big_endian, &self.bytes), names)
            }
            [_] | [_, 1] => {
                let numbers = self.element.decode(self.big_endian, &self.bytes, |x| x);
                // -1 and 1 are names of classes.
                if names || numbers.iter().any(|&x| x < 0.0 && x.fract() == 0.0) {
                    return self.of_texts(numbers.iter().map(ToString::to_string), names);
                }
                Ok((labels::from_numbers(&self.what, &numbers)?, None))
            }
            [_, classes] if !self.fortran && !self.element.is_text() => {
                let numbers = self.element.decode(self.big_endian, &self.bytes, |x| x);
                let class = |row: &[f64]| {
                    let rest = row.iter().filter(|&&x| x != 0.0).count() == 1;
                    row.iter().position(|&x| x == 1.0).filter(|_| rest).map(|class| class as u32)
                };
                let labels: Option<Vec<u32>> = numbers.chunks(classes.max(1)).map(class).collect();
                labels.map(|labels| (labels, None)).ok_or_else(|| self.misshapen(expected))
            }
            _ => Err(self.misshapen(expected)),
        }
    }

    fn of_texts(&self, texts: impl IntoIterator<Item = String>, names: bool) -> Result<Labels, Error> {
        let mut all = Texts::default();
        texts.into_iter().try_for_each(|text| all.push(Path::new(&self.what), &text))?;
        labels::from_text(&self.what, all, names)
    }

    fn misshapen(&self, expected: &'static str) -> Error {
        Error::Shape { what: self.what.clone(), got: self.shape.clone(), expected }
    }
}

/// Names of the arrays that hold each part of a data set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    train: String,
    train_labels: Option<String>,
    test: Option<String>,
    test_labels: Option<String>,
}

impl Roles {
    /// Tells the roles of a file's arrays by their names; see [`Source::Npz`](crate::Source).
    pub(crate) fn of(path: &Path, names: &[String]) -> Result<Self, Error> {
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
        let taken = [&train_labels, &test, &test_labels];
        let mut left = names.iter().filter(|name| taken.iter().all(|role| role.as_ref() != Some(*name)));
        let train = match (train, left.next(), left.next()) {
            (Some(train), ..) => train,
            (None, Some(only), None) => only.clone(),
            _ => return Err(which(path, "training samples", names, &TRAIN)),
        };
        Ok(Self { train, train_labels, test, test_labels })
    }

    /// Reads the arrays that have a role, each where those before it leave room. With `names`, labels are names of
    /// classes, whatever they look like.
    pub(crate) fn read<'a>(
        &self,
        room: Room,
        names: bool,
        mut array: impl FnMut(&str, Room) -> Result<Array<'a>, Error>,
    ) -> Result<Tables, Error> {
        let (mut train, image) = array(&self.train, room)?.table(room)?;
        let room = room.beside(train.held_bytes());
        let mut class_names = None;
        if let Some(name) = &self.train_labels {
            let (labels, found) = array(name, room)?.labels(room, names)?;
            (train.labels, class_names) = (Some(labels), found);
        }
        let mut test = self.test.as_ref().map(|name| Ok(array(name, room)?.table(room)?.0)).transpose()?;
        if let (Some(test), Some(name)) = (&mut test, &self.test_labels) {
            let room = room.beside(test.held_bytes());
            let (labels, found) = array(name, room)?.labels(room, names || class_names.is_some())?;
            test.labels = Some(labels);
            // The classes are those of the training labels, in their order.
            if let (Some(found), Some(names)) = (found, &class_names) {
                renumber(test, &found, names)?;
            }
        }
        Ok(Tables { train, test, image, class_names, reading: None })
    }
}

fn which(path: &Path, role: &'static str, names: &[String], known: &[&str]) -> Error {
    let found = if names.is_empty() { "no arrays".into() } else { names.join(", ") };
    Error::WhichArray { path: path.into(), role, found, expected: known.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table::Cells;
    use crate::tables::values::Values;

    fn roles(names: &[&str]) -> Result<Roles, String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Roles::of(Path::new("f"), &names).map_err(|error| error.to_string())
    }

    fn named(train: &str, train_labels: Option<&str>, test: Option<&str>, test_labels: Option<&str>) -> Roles {
        let [train_labels, test, test_labels] = [train_labels, test, test_labels].map(|name| name.map(String::from));
        Roles { train: train.into(), train_labels, test, test_labels }
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

    fn array(shape: &[usize], element: Element, bytes: &[u8]) -> Array<'static> {
        let (what, shape, bytes) = ("f".into(), shape.to_vec(), Cow::Owned(bytes.to_vec()));
        Array { what, shape, element, big_endian: false, fortran: false, bytes }
    }

    fn held(cells: Cells) -> Values {
        match cells {
            Cells::Held(values) => values,
            Cells::File(_) => panic!("arrays are in memory"),
        }
    }

    #[test]
    fn bytes_stay_bytes_and_pictures_keep_their_shape() {
        for (shape, width, height) in [(&[2, 2, 3][..], 3, 2), (&[2, 2, 3, 1], 3, 2), (&[2, 1, 2, 3], 3, 2)] {
            let (table, image) = array(shape, Element::U8, &[5; 12]).table(Room::ENDLESS).unwrap();
            assert_eq!(image, Some(ImageShape { width, height }));
            assert_eq!((table.units, held(table.values)), (6, Values::Bytes(vec![5; 12])));
        }
        assert_eq!(array(&[2, 6], Element::U8, &[5; 12]).table(Room::ENDLESS).unwrap().1, None);
        let table = array(&[1, 2], Element::Bool, &[0, 9]).table(Room::ENDLESS).unwrap().0;
        assert_eq!(held(table.values), Values::Bytes(vec![0, 1]));
    }

    /// The value at (i, j, k) is 100 i + 10 j + k; the file below lists them with i fastest.
    #[test]
    fn fortran_order_is_undone() {
        let (samples, height, width) = (3, 2, 4);
        let mut bytes = Vec::new();
        for k in 0..width {
            for j in 0..height {
                bytes.extend((0..samples).map(|i| (100 * i + 10 * j + k) as u8));
            }
        }
        let fortran = Array { fortran: true, ..array(&[samples, height, width], Element::U8, &bytes) };
        let (table, _) = fortran.table(Room::ENDLESS).unwrap();
        let at = |i, j, k| (100 * i + 10 * j + k) as u8;
        let want = (0..samples)
            .flat_map(|i| (0..height).flat_map(move |j| (0..width).map(move |k| at(i, j, k))))
            .collect::<Vec<u8>>();
        assert_eq!(held(table.values), Values::Bytes(want));
    }

    #[test]
    fn shapes_that_fit_nothing_are_refused() {
        let message =
            |shape: &[usize]| array(shape, Element::U8, &[]).table(Room::ENDLESS).map(|_| ()).unwrap_err().to_string();
        assert_eq!(message(&[]), "f: the shape is [], expected [samples, values]");
        assert_eq!(message(&[5]), "f: the shape is [5], expected [samples, values] or [samples, height, width]");
        assert_eq!(message(&[5, 0]), "f: the samples have no columns");
        assert!(message(&[0, 70_000]).starts_with("f: the samples have 70000 columns;"));
        assert!(message(&[0, usize::MAX, usize::MAX, usize::MAX]).contains("columns; a layer has at most"));
        let labels = array(&[2, 2], Element::U8, &[0; 4]).labels(Room::ENDLESS, false).unwrap_err().to_string();
        assert!(labels.starts_with("f: the shape is [2, 2], expected [samples]: one number or name a sample, or"));
        let half = array(&[1], Element::F32, &0.5f32.to_le_bytes()).labels(Room::ENDLESS, false).unwrap_err();
        assert!(half.to_string().starts_with("f: the label of row 0 (from 0) is 0.5, expected a whole number"));
        let text = array(&[1, 1], Element::Text(2), b"ab").table(Room::ENDLESS).map(|_| ()).unwrap_err().to_string();
        assert!(text.starts_with("f: the type is text, expected bool"), "{text}");
    }

    #[test]
    fn labels_are_numbers_names_or_columns() {
        let labels = |shape: &[usize], element, bytes: &[u8]| array(shape, element, bytes).labels(Room::ENDLESS, false);
        assert_eq!(labels(&[3], Element::U8, &[2, 0, 1]).unwrap(), (vec![2, 0, 1], None));
        let names = |names: [&str; 2]| Some(names.map(String::from).to_vec());
        assert_eq!(labels(&[3], Element::I8, &[255, 1, 255]).unwrap(), (vec![0, 1, 0], names(["-1", "1"])));
        assert_eq!(labels(&[2], Element::Text(3), b"dogcat").unwrap(), (vec![1, 0], names(["cat", "dog"])));
        assert_eq!(labels(&[2, 3], Element::U8, &[0, 0, 1, 1, 0, 0]).unwrap(), (vec![2, 0], None));
    }
}
