//! Arrays as files hold them: samples, or labels.

use std::borrow::Cow;
use std::path::Path;

use super::fortran::{Fortran, order};
use crate::error::{ArrayError, Error};
use crate::memory::room::Room;
use crate::schema::labels::{self, Labels, Texts};
use crate::tables::element::Element;
use crate::tables::image_shape::ImageShape;
use crate::tables::table::{Table, check_units};

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

    /// A matrix whose rows and columns have changed places.
    pub(crate) fn transposed(mut self) -> Self {
        self.shape.reverse();
        Self { fortran: !self.fortran, ..self }
    }

    /// All numbers, the last axis fastest.
    pub(crate) fn numbers(&self) -> Result<Vec<f64>, Error> {
        self.require_numbers()?;
        let mut numbers = self.element.decode(self.big_endian, &self.bytes, |x| x);
        if let [rows, axes @ ..] = &self.shape[..]
            && self.fortran
            && *rows > 0
        {
            let (columns, found) = (axes.iter().product::<usize>(), numbers.clone());
            for (column, unit) in found.chunks(*rows).zip(order(axes)) {
                column.iter().enumerate().for_each(|(row, &x)| numbers[row * columns + unit] = x);
            }
        }
        Ok(numbers)
    }

    /// Refuses texts.
    pub(crate) fn require_numbers(&self) -> Result<(), Error> {
        match self.element {
            element if element.is_text() => {
                Err(ArrayError::Dtype { what: self.what.clone(), got: "text".into() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Labels [samples], [samples, 1] or [1, samples], numbers or texts, or one column a class [samples, classes] of
    /// which one is 1; with `names`, all are names, whatever they look like.
    pub(crate) fn labels(&self, room: Room, names: bool, samples: usize) -> Result<Labels, Error> {
        // As 64 bits when they are read, 32 when they stay.
        let count = self.bytes.len() / self.element.size();
        room.require(&self.what, self.bytes.len() as u128 + 12 * count as u128)?;
        let row = |count: usize| count > 1 && count == samples;
        let expected = "[samples]: one number or name a sample, or [samples, classes] with a 1 for the class";
        match self.shape[..] {
            [_] | [_, 1] => self.vector(names),
            [1, count] if row(count) => self.vector(names),
            [_, classes] if !self.element.is_text() => {
                let numbers = self.numbers()?;
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

    /// Labels along one axis.
    fn vector(&self, names: bool) -> Result<Labels, Error> {
        if self.element.is_text() {
            return self.of_texts(self.element.texts(self.big_endian, &self.bytes), names);
        }
        let numbers = self.element.decode(self.big_endian, &self.bytes, |x| x);
        // -1 and 1 are names of classes.
        if names || numbers.iter().any(|&x| x < 0.0 && x.fract() == 0.0) {
            return self.of_texts(numbers.iter().map(ToString::to_string), names);
        }
        Ok((labels::from_numbers(&self.what, &numbers)?, None))
    }

    fn of_texts(&self, texts: impl IntoIterator<Item = String>, names: bool) -> Result<Labels, Error> {
        let mut all = Texts::default();
        texts.into_iter().try_for_each(|text| all.push(Path::new(&self.what), &text))?;
        labels::from_text(&self.what, all, names)
    }

    fn misshapen(&self, expected: &'static str) -> Error {
        ArrayError::Shape { what: self.what.clone(), got: self.shape.clone(), expected }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::table::Cells;
    use crate::tables::values::Values;

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
        let labels = array(&[2, 2], Element::U8, &[0; 4]).labels(Room::ENDLESS, false, 3).unwrap_err().to_string();
        assert!(labels.starts_with("f: the shape is [2, 2], expected [samples]: one number or name a sample, or"));
        let half = array(&[1], Element::F32, &0.5f32.to_le_bytes()).labels(Room::ENDLESS, false, 3).unwrap_err();
        assert!(half.to_string().starts_with("f: the label of row 0 (from 0) is 0.5, expected a whole number"));
        let text = array(&[1, 1], Element::Text(2), b"ab").table(Room::ENDLESS).map(|_| ()).unwrap_err().to_string();
        assert!(text.starts_with("f: the type is text, expected bool"), "{text}");
    }

    #[test]
    fn labels_are_numbers_names_or_columns() {
        let labels =
            |shape: &[usize], element, bytes: &[u8]| array(shape, element, bytes).labels(Room::ENDLESS, false, 3);
        assert_eq!(labels(&[3], Element::U8, &[2, 0, 1]).unwrap(), (vec![2, 0, 1], None));
        let whole = [1.0f32, 0.0].map(f32::to_le_bytes).concat();
        assert_eq!(labels(&[2], Element::F32, &whole).unwrap(), (vec![1, 0], None));
        let names = |names: [&str; 2]| Some(names.map(String::from).to_vec());
        assert_eq!(labels(&[3], Element::I8, &[255, 1, 255]).unwrap(), (vec![0, 1, 0], names(["-1", "1"])));
        assert_eq!(labels(&[2], Element::Text(3), b"dogcat").unwrap(), (vec![1, 0], names(["cat", "dog"])));
        assert_eq!(labels(&[2, 3], Element::U8, &[0, 0, 1, 1, 0, 0]).unwrap(), (vec![2, 0], None));
        assert_eq!(labels(&[1, 3], Element::U8, &[2, 0, 1]).unwrap(), (vec![2, 0, 1], None), "of three samples");
        assert_eq!(labels(&[1, 2], Element::U8, &[0, 1]).unwrap(), (vec![1], None), "of one sample and two classes");
    }
}
