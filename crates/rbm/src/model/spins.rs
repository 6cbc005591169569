//! Spins: 0 and 1 in batches and files of samples, -1 and 1 in tensors.

use deepbelief_kernels::{UnitKind, Units};
use std::ops::Range;

/// The columns of spins.
fn columns(units: &Units) -> impl Iterator<Item = Range<usize>> {
    units.each().filter(|(segment, _)| segment.units == UnitKind::Spin).map(|(_, columns)| columns)
}

fn change(units: &Units, values: &mut [f32], to: impl Fn(f32) -> f32) {
    for columns in columns(units) {
        for row in values.chunks_exact_mut(units.columns()) {
            row[columns.clone()].iter_mut().for_each(|x| *x = to(*x));
        }
    }
}

/// Values `[rows, columns]` of a batch as tensors hold them: means and states of spins in -1 to 1.
pub fn to_tensor(units: &Units, values: &mut [f32]) {
    change(units, values, |x| 2.0 * x - 1.0);
}

/// Values `[rows, columns]` of a tensor as batches hold them: means and states of spins in 0 to 1.
pub fn to_batch(units: &Units, values: &mut [f32]) {
    change(units, values, |x| f32::midpoint(x, 1.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::Segment;

    #[test]
    fn spins_alone_change_there_and_back() {
        let segment = |units, sites| Segment { units, levels: 1, sites };
        let units: Units = [segment(UnitKind::Gaussian, 1), segment(UnitKind::Spin, 2)].into_iter().collect();
        let batch = [0.5, 0.0, 1.0, -2.0, 1.0, 0.25];
        let mut values = batch;
        to_tensor(&units, &mut values);
        assert_eq!(values, [0.5, -1.0, 1.0, -2.0, 1.0, -0.5]);
        to_batch(&units, &mut values);
        assert_eq!(values, batch);
    }
}
