//! Visible units without a value, which give no input.

use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::units::layers::{UnitKind, Units};

impl Units {
    /// Turns the units of `cells` off: none of them gives an input to the other layer. A spin, which is -1 or 1, is
    /// then 0, between its two states: a batch with such a one is real-valued, and has one half there.
    ///
    /// # Panics
    /// If the cells are not those of a batch of this shape.
    pub fn turn_off(&self, cells: &Bits, batch: &mut Batch) {
        batch.turn_off(cells);
        let spins = self.each().filter(|(segment, _)| segment.units == UnitKind::Spin);
        for unit in spins.flat_map(|(_, columns)| columns) {
            for row in (0..cells.rows()).filter(|&row| cells.get(row, unit)) {
                if let Batch::Binary(bits) = batch {
                    *batch = Batch::Real { rows: bits.rows(), units: bits.units(), values: bits.to_values() };
                }
                batch.put(row, std::iter::once((unit, 0.5)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spins_that_are_left_out_lie_between_their_states() {
        let units: Units = [Units::of(UnitKind::Bernoulli, 2), Units::of(UnitKind::Spin, 2)]
            .iter()
            .flat_map(|units| units.segments().to_vec())
            .collect();
        let cells = |values: &[f32]| Bits::from_values(2, 4, values);
        let ones = Batch::Binary(cells(&[1.0; 8]));
        let mut batch = ones.clone();
        units.turn_off(&cells(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), &mut batch);
        assert_eq!(batch, Batch::Binary(cells(&[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])));
        units.turn_off(&cells(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]), &mut batch);
        assert_eq!(batch.to_values(), [1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.5, 1.0]);
    }
}
