//! Arrays in Fortran order, whose first axis varies fastest: a file has the first value of every sample, then
//! the second of every sample. It is read in blocks, each of which goes to its place.

use std::io::{self, Read};

use crate::tables::element::Element;
use crate::tables::values::Values;

/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// An array of at least one axis beside that of the samples.
#[derive(Clone, Copy)]
pub(crate) struct Fortran<'a> {
    pub(crate) samples: usize,
    /// The sizes of the axes of a sample.
    pub(crate) axes: &'a [usize],
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
}

impl Fortran<'_> {
    /// The values sample by sample, the last axis fastest.
    pub(crate) fn read(&self, mut from: impl Read) -> io::Result<Values> {
        let units: usize = self.axes.iter().product();
        let values = self.samples * units;
        let mut all = match self.element {
            element if element.held() == 1 => Values::Bytes(zeros(values)?),
            element if element.is_wide() => Values::Doubles(zeros(values)?),
            _ => Values::Floats(zeros(values)?),
        };
        let at_once = BLOCK / self.element.size();
        for unit in order(self.axes) {
            for first in (0..self.samples).step_by(at_once) {
                let count = at_once.min(self.samples - first);
                let mut block = vec![0; count * self.element.size()];
                from.read_exact(&mut block)?;
                let place = |i: usize| (first + i) * units + unit;
                match (&mut all, self.element.values(self.big_endian, block)) {
                    (Values::Bytes(all), Values::Bytes(block)) => put(all, &block, place),
                    (Values::Floats(all), Values::Floats(block)) => put(all, &block, place),
                    (Values::Doubles(all), Values::Doubles(block)) => put(all, &block, place),
                    // One element has values of one kind.
                    _ => {}
                }
            }
        }
        Ok(all)
    }
}

fn zeros<T: Clone + Default>(count: usize) -> io::Result<Vec<T>> {
    let mut all = Vec::new();
    all.try_reserve_exact(count)?;
    all.resize(count, T::default());
    Ok(all)
}

fn put<T: Copy>(all: &mut [T], block: &[T], place: impl Fn(usize) -> usize) {
    block.iter().enumerate().for_each(|(i, &x)| all[place(i)] = x);
}

/// The place in a sample, the last axis fastest, of each value in the order of the file, the first axis fastest.
pub(crate) fn order(axes: &[usize]) -> impl Iterator<Item = usize> + use<'_> {
    let units = axes.iter().product();
    (0..units).map(move |place: usize| {
        let (mut rest, mut stride, mut unit) = (place, units, 0);
        for &axis in axes {
            stride /= axis;
            unit += rest % axis * stride;
            rest /= axis;
        }
        unit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value at (i, j, k) is 1000 i + 10 j + k, of more samples than are read at once.
    #[test]
    fn values_go_to_their_places_block_by_block() {
        let (samples, height, width) = (40_000, 2, 3);
        let mut file = Vec::new();
        for (k, j) in (0..width).flat_map(|k| (0..height).map(move |j| (k, j))) {
            file.extend((0..samples).flat_map(|i| ((1000 * i + 10 * j + k) as f32).to_be_bytes()));
        }
        let array = Fortran { samples, axes: &[height, width], element: Element::F32, big_endian: true };
        let Values::Floats(values) = array.read(&file[..]).unwrap() else { panic!("floats") };
        for (at, value) in values.iter().enumerate() {
            let (i, j, k) = (at / 6, at % 6 / 3, at % 3);
            assert_eq!(*value, (1000 * i + 10 * j + k) as f32);
        }
        assert!(array.read(&file[1..]).is_err());
    }
}
