//! Neighbouring columns of numbers without ends, whose units are filled many at once.

use std::ops::Range;

use super::column::Column;
use crate::schema::visible::ColumnUnits;
use crate::tables::sheet::Cell;

/// Columns that stand side by side in the sheet as their units do.
pub(super) struct Run {
    /// The columns.
    pub(super) columns: Range<usize>,
    /// Their cells and their values in a row.
    cells: Range<usize>,
    values: Range<usize>,
    /// What is subtracted from each, and what the rest is divided by; none where they are no such numbers.
    numbers: Option<(Vec<f64>, Vec<f64>)>,
}

impl Run {
    /// The columns as few runs.
    pub(super) fn all(columns: &[Column]) -> Vec<Self> {
        let mut runs: Vec<Self> = Vec::new();
        let mut unit = 0;
        for (place, column) in columns.iter().enumerate() {
            let plain = column.plain.filter(|_| column.gaussian);
            match (runs.last_mut(), plain) {
                (Some(Self { columns, cells, values, numbers: Some((offsets, scales)) }), Some((offset, scale)))
                    if cells.end == column.from =>
                {
                    (columns.end, cells.end, values.end) = (place + 1, column.from + 1, unit + 1);
                    offsets.push(offset);
                    scales.push(scale);
                }
                _ => runs.push(Self {
                    columns: place..place + 1,
                    cells: column.from..column.from + 1,
                    values: unit..unit + column.units,
                    numbers: plain.map(|(offset, scale)| (vec![offset], vec![scale])),
                }),
            }
            unit += column.units;
        }
        runs
    }

    /// Makes values of a row's cells as their columns would; whether that is all that is to be done: no cell is without a
    /// number, and none has one that is far out.
    pub(super) fn fill(&self, cells: &[Cell], values: &mut [f32]) -> bool {
        let Some((offsets, scales)) = &self.numbers else { return false };
        let (cells, values) = (&cells[self.cells.clone()], &mut values[self.values.clone()]);
        let mut near = true;
        for ((cell, value), (offset, scale)) in cells.iter().zip(values).zip(offsets.iter().zip(scales)) {
            // What `Column::fill` makes of it.
            *value = ((f64::from(cell.or_nan() as f32) - offset) / scale) as f32;
            near &= value.abs() <= ColumnUnits::FAR_OUT;
        }
        near
    }

    /// The values of its columns in a row.
    pub(super) fn values<'a>(&self, row: &'a mut [f32]) -> &'a mut [f32] {
        &mut row[self.values.clone()]
    }
}
