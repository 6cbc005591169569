//! Matrices and activations in panels of 32 columns.
//!
//! A panel holds 32 neighbouring columns of a matrix with its rows one after another, 128
//! bytes each. A sum of selected rows then stays in four AVX2 (two AVX-512) registers, a block
//! of rows in the first-level cache, and 32 columns are one word of packed states and eight
//! Philox counters.

use crate::products::transpose::transpose;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use rayon::prelude::*;

/// A matrix [rows, columns] in panels; rows are padded to a multiple of 32 so that 32 x 32
/// tiles are whole, and by one row at least, which lists of rows are filled up with. Padding is
/// zero and stays zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Panels {
    rows: usize,
    columns: usize,
    height: usize,
    data: Vec<Row>,
}

impl Panels {
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        let height = (rows + 1).next_multiple_of(BLOCK);
        Self { rows, columns, height, data: vec![ZERO; height * columns.div_ceil(BLOCK)] }
    }

    /// From a row-major matrix.
    pub(crate) fn pack(rows: usize, columns: usize, values: &[f32]) -> Self {
        assert_eq!(values.len(), rows * columns, "values must be [rows, columns]");
        let mut panels = Self::zeros(rows, columns);
        let height = panels.height;
        for (r, row) in values.chunks_exact(columns.max(1)).enumerate() {
            for (p, chunk) in row.chunks(BLOCK).enumerate() {
                panels.data[p * height + r].0[..chunk.len()].copy_from_slice(chunk);
            }
        }
        panels
    }

    /// Back to row-major.
    pub(crate) fn unpack(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.rows * self.columns];
        for (r, row) in out.chunks_exact_mut(self.columns.max(1)).enumerate() {
            for (p, chunk) in row.chunks_mut(BLOCK).enumerate() {
                chunk.copy_from_slice(&self.data[p * self.height + r].0[..chunk.len()]);
            }
        }
        out
    }

    /// Rows of a panel, padding included.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn panel(&self, index: usize) -> &[Row] {
        &self.data[index * self.height..(index + 1) * self.height]
    }

    /// All rows, panel by panel.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.data
    }

    pub(crate) fn panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [Row]> {
        self.data.par_chunks_mut(self.height.max(1))
    }

    /// Panels one after the other.
    pub(crate) fn slices_mut(&mut self) -> impl Iterator<Item = &mut [Row]> {
        self.data.chunks_mut(self.height.max(1))
    }

    /// The same for writing.
    pub(crate) fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.data
    }

    /// Writes panel `index` of the transpose, tile by tile, and zeros below.
    pub(crate) fn transpose_into(&self, level: Level, index: usize, panel: &mut [Row]) {
        let mut tiles = panel.chunks_exact_mut(BLOCK);
        for (p, tile) in tiles.by_ref().take(self.columns.div_ceil(BLOCK)).enumerate() {
            transpose(level, &self.panel(p)[index * BLOCK..(index + 1) * BLOCK], tile);
        }
        tiles.flatten().for_each(|row| *row = ZERO);
    }
}

/// Values of a layer for a batch, [samples, units], panel by panel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activations {
    samples: usize,
    data: Vec<Row>,
}

impl Activations {
    /// Sets the shape; what the memory holds afterwards is left over from earlier batches.
    pub(crate) fn reshape(&mut self, samples: usize, units: usize) {
        self.samples = samples;
        self.data.resize(samples * units.div_ceil(BLOCK), ZERO);
    }

    pub(crate) fn panel(&self, index: usize) -> &[Row] {
        &self.data[index * self.samples..(index + 1) * self.samples]
    }

    pub(crate) fn panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [Row]> {
        self.data.par_chunks_mut(self.samples.max(1))
    }

    /// All rows, panel by panel.
    pub(crate) fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.data
    }

    /// Writes row-major [samples, units].
    pub(crate) fn unpack(&self, units: usize, out: &mut [f32]) {
        for (s, row) in out.chunks_exact_mut(units.max(1)).enumerate() {
            for (p, chunk) in row.chunks_mut(BLOCK).enumerate() {
                chunk.copy_from_slice(&self.data[p * self.samples + s].0[..chunk.len()]);
            }
        }
    }
}

/// A vector in blocks of 32, the last one filled up with `padding`.
pub(crate) fn pack_rows(values: &[f32], padding: f32) -> Vec<Row> {
    values
        .chunks(BLOCK)
        .map(|chunk| {
            let mut row = Row([padding; BLOCK]);
            row.0[..chunk.len()].copy_from_slice(chunk);
            row
        })
        .collect()
}

/// A bias vector in blocks of 32; padding units get minus infinity, so that they are never on.
pub(crate) fn pack_bias(bias: &[f32]) -> Vec<Row> {
    pack_rows(bias, f32::NEG_INFINITY)
}

/// The first `units` values of packed blocks.
pub(crate) fn unpack_rows(rows: &[Row], units: usize) -> Vec<f32> {
    rows.iter().flat_map(|row| row.0).take(units).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_unpacking_and_transposing_on_odd_shapes() {
        for (rows, columns) in [(1, 1), (3, 32), (33, 5), (64, 97), (7, 0)] {
            let values: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let packed = Panels::pack(rows, columns, &values);
            assert_eq!(packed.unpack(), values);
            let mut transposed = Panels::zeros(columns, rows);
            let height = transposed.height();
            for (index, panel) in transposed.data.chunks_mut(height.max(1)).enumerate() {
                packed.transpose_into(Level::detect(), index, panel);
            }
            let back = transposed.unpack();
            for r in 0..rows {
                for c in 0..columns {
                    assert_eq!(back[c * rows + r], values[r * columns + c]);
                }
            }
        }
    }
}
