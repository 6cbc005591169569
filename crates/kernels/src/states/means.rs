//! Sums and means over samples.

use crate::row::{BLOCK, Row, ZERO};

use crate::learning::update;
use crate::products::panels::unpack_rows;
use crate::states::batch::Batch;
use crate::states::bits::unpack_word;

impl Batch {
    /// The mean of every unit over the samples; zeros without samples.
    #[must_use]
    pub fn means(&self) -> Vec<f32> {
        let samples = self.rows().max(1) as f32;
        self.sums().into_iter().map(|sum| sum / samples).collect()
    }

    /// The sum of every unit over the samples.
    pub(crate) fn sums(&self) -> Vec<f32> {
        let sums: Vec<Row> = match self {
            Self::Binary(bits) => {
                let block = |at| bits.block(at).iter().map(|&word| unpack_word(word)).collect::<Vec<_>>();
                (0..bits.blocks()).map(|at| row_sums(&block(at))).collect()
            }
            Self::Real { units, values, .. } => {
                let mut sums = vec![ZERO; units.div_ceil(BLOCK)];
                update::add_columns(values, *units, 1.0, &mut sums);
                sums
            }
        };
        unpack_rows(&sums, self.units())
    }
}

/// The sum of rows.
pub(crate) fn row_sums(rows: &[Row]) -> Row {
    let mut sums = ZERO;
    for row in rows {
        sums.0.iter_mut().zip(&row.0).for_each(|(sum, x)| *sum += x);
    }
    sums
}
