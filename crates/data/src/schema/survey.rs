//! One look at every column of a sheet: what an inference rests on.
//!
//! Numbers count as what 32 bits make of them, so that 0.1 + 0.2 and 0.3 are one level. Where that leaves too little of
//! them, because they lie close together and far from 0, they are looked at again as they are.
//!
//! Each part of the rows is looked at by itself, and what its columns hold is joined in the order of the rows.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::found::Found;
use crate::tables::sheet::{Cell, Content, Sheet};

/// Cells that a thread looks at together, column by column: so many stay close to it.
const TOGETHER: usize = 1 << 15;

/// Columns of parts that each thread looks at before they are joined: many, so that threads seldom wait for each other,
/// as far as memory bears them.
const GROUP: usize = 1 << 13;

/// Looks at all cells. Rows weigh what is said of them, else 1.
pub(crate) fn survey(sheet: &Sheet, weights: Option<&[f32]>) -> Vec<Found> {
    let all: Vec<usize> = (0..sheet.columns()).collect();
    let mut found = look(sheet, &all, weights, |x| f64::from(x as f32));
    let wide: Vec<usize> = all.into_iter().filter(|&column| found[column].is_wide()).collect();
    for (&column, exact) in wide.iter().zip(look(sheet, &wide, weights, |x| x)) {
        found[column] = exact;
    }
    found
}

/// Looks at some columns, whose numbers count as what is made `of` them.
fn look(sheet: &Sheet, columns: &[usize], weights: Option<&[f32]>, of: impl Fn(f64) -> f64 + Sync) -> Vec<Found> {
    let width = sheet.columns().max(1);
    let content = |cell: Cell| match cell.content() {
        Content::Number(x) => Content::Number(of(x)),
        content => content,
    };
    // What has too many levels in one part has too many in all.
    let many: Vec<AtomicBool> = columns.iter().map(|_| AtomicBool::new(false)).collect();
    let look = |(first, slices): &(usize, Vec<&[Cell]>)| {
        let mut found = vec![Found::new(); columns.len()];
        for (found, _) in found.iter_mut().zip(&many).filter(|(_, many)| many.load(Ordering::Relaxed)) {
            found.levels = None;
        }
        let (mut first, rows, mut numbers) = (*first, (TOGETHER / width).max(1), Vec::new());
        for cells in slices.iter().flat_map(|slice| slice.chunks(rows * width)) {
            let count = cells.len() / width;
            let weights = weights.map(|weights| &weights[first..first + count]);
            for (found, &column) in found.iter_mut().zip(columns) {
                numbers.clear();
                numbers.extend(cells.chunks_exact(width).map(|cells| of(cells[column].or_nan())));
                if numbers.iter().fold(true, |numbers, x| numbers & !x.is_nan()) {
                    found.add_numbers(&numbers, weights);
                    continue;
                }
                for (row, cells) in cells.chunks_exact(width).enumerate() {
                    found.add(content(cells[column]), weights.map_or(1.0, |weights| weights[row].into()));
                }
            }
            first += count;
        }
        for (_, many) in found.iter().zip(&many).filter(|(found, _)| found.levels.is_none()) {
            many.store(true, Ordering::Relaxed);
        }
        found
    };
    let mut joined = vec![Found::new(); columns.len()];
    let each = (GROUP / columns.len().max(1)).clamp(8, 64);
    for parts in sheet.parts().chunks(each * rayon::current_num_threads()) {
        for part in parts.par_iter().map(look).collect::<Vec<_>>() {
            joined.iter_mut().zip(part).for_each(|(joined, part)| joined.join(part));
        }
    }
    for found in &mut joined {
        found.counts = found.counts && (found.first == 0.0 || found.first == 1.0 || found.rows == 0);
    }
    joined
}
