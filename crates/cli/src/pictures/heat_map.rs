//! Numbers of rows and columns as colours: blue below 0, white at 0, red above.

use super::paint::{BLACK, COLOUR_BAR, Colour, FRAME, Paint, WHITE, mixed};
use crate::failure::Result;
use deepbelief_report::{CHARACTER, LINE};

const BELOW: Colour = [33, 102, 172];
const ABOVE: Colour = [178, 24, 43];
const NONE: Colour = [230, 230, 230];

const MARGIN: usize = 12;
const CELL: usize = 12;
/// Height of what stands above the first row.
const TOP: usize = MARGIN + 2 * LINE + 4 + COLOUR_BAR + 8;
/// Width of the colour bar.
const BAR: usize = 240;
/// Columns side by side; more go on below.
const SIDE_BY_SIDE: usize = 100;
/// The columns of every so many are numbered.
const NUMBERED: i64 = 10;

/// A picture of a table of numbers.
pub(crate) struct HeatMap {
    pub(crate) title: String,
    /// What the rows are called, a letter each.
    pub(crate) rows: Vec<String>,
    /// Numbers of the columns.
    pub(crate) columns: Vec<i64>,
    /// The row that is marked in each column, if any.
    pub(crate) marked: Vec<Option<usize>>,
    /// [rows][columns], NaN where there is none.
    pub(crate) values: Vec<f64>,
}

impl HeatMap {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let (left, top) = (MARGIN + 2 * CHARACTER, TOP);
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let band = rows * CELL + 3 * LINE;
        let bands = columns.div_ceil(SIDE_BY_SIDE).max(1);
        let limit = self.limit();
        let marked = "dots and the letters below are the wild type's; the ends of the bar stand for all beyond";
        let shade = |value: f64| mixed(WHITE, if value < 0.0 { BELOW } else { ABOVE }, value.abs() / limit);
        let widest = self.title.chars().count().max(marked.chars().count()) * CHARACTER;
        let width = (left + columns.min(SIDE_BY_SIDE) * CELL + MARGIN).max(widest + 2 * MARGIN);
        let mut paint = Paint::new(width, top + bands * band + MARGIN);
        paint.text(MARGIN, MARGIN, &self.title);
        paint.text(MARGIN, MARGIN + LINE, marked);
        paint.colour_bar((left, MARGIN + 2 * LINE + 4), BAR, (-limit, limit), shade);
        for column in 0..columns {
            let (x, y) = (left + column % SIDE_BY_SIDE * CELL, top + column / SIDE_BY_SIDE * band);
            if column % SIDE_BY_SIDE == 0 {
                let wide = (columns - column).min(SIDE_BY_SIDE) * CELL;
                paint.rectangle((x - 1, y - 1), (wide + 2, rows * CELL + 2), FRAME);
                for (row, name) in self.rows.iter().enumerate() {
                    paint.text(MARGIN, (y + row * CELL + CELL / 2).saturating_sub(LINE / 2), name);
                }
            }
            for row in 0..rows {
                let value = self.values[row * columns + column];
                let colour = if value.is_nan() { NONE } else { shade(value) };
                paint.rectangle((x, y + row * CELL), (CELL, CELL), colour);
                if self.marked[column] == Some(row) {
                    paint.rectangle((x + CELL / 2 - 2, y + row * CELL + CELL / 2 - 2), (4, 4), BLACK);
                }
            }
            let mut below = |line: usize, text: &str| {
                let wide = text.chars().count() * CHARACTER;
                paint.text((x + CELL / 2).saturating_sub(wide / 2), y + rows * CELL + 4 + line * LINE, text);
            };
            if let Some(row) = self.marked[column] {
                below(0, &self.rows[row]);
            }
            let number = self.columns[column];
            if number % NUMBERED == 0 {
                below(1, &number.to_string());
            }
        }
        paint.png()
    }

    /// The magnitude that 98 in 100 of the numbers stay below, so that a few large ones do not pale all others.
    fn limit(&self) -> f64 {
        let mut magnitudes: Vec<f64> = self.values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).collect();
        magnitudes.sort_by(f64::total_cmp);
        magnitudes.get(magnitudes.len() * 98 / 100).copied().unwrap_or(1.0).max(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_0_is_blue_and_what_is_above_red() {
        let map = HeatMap {
            title: "t".into(),
            rows: vec!["A".into(), "C".into()],
            columns: (1..=101).collect(),
            marked: vec![Some(1); 101],
            values: (0..202)
                .map(|at| {
                    if at == 201 {
                        f64::NAN
                    } else if at < 101 {
                        -2.0
                    } else {
                        2.0
                    }
                })
                .collect(),
        };
        let picture = image::load_from_memory(&map.png().unwrap()).unwrap().to_rgb8();
        let at = |x: usize, y: usize| picture.get_pixel((MARGIN + 2 * CHARACTER + x) as u32, (TOP + y) as u32).0;
        assert_eq!([at(1, 1), at(1, CELL + 1), at(CELL / 2, CELL + CELL / 2)], [BELOW, ABOVE, BLACK]);
        let second = 2 * CELL + 3 * LINE;
        assert_eq!([at(1, second + 1), at(1, second + CELL + 1)], [BELOW, NONE], "the 101st goes on below");
        let ink = |column: usize| {
            let mut pixels =
                (0..CELL).flat_map(|x| (2 * CELL + 4..2 * CELL + 4 + LINE).map(move |y| (column * CELL + x, y)));
            pixels.any(|(x, y)| at(x, y)[0] < 128)
        };
        assert!(ink(0) && ink(99), "a column without a number has its letter below");
    }
}
