//! Letters of any width and height: as pixels, and as outlines for SVG, both of one bitmap.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Ink above which a point lies inside of a letter.
const INSIDE: f64 = 0.5;

/// Samples of a pixel along each side.
const FINE: usize = 3;

/// A letter without the space around it.
pub(super) struct Glyph {
    width: usize,
    height: usize,
    /// [height + 2, width + 2], from 0 to 1: with an empty row or column on each side.
    ink: Vec<f64>,
}

impl Glyph {
    /// The letter, `?` for one that the font has not.
    pub(super) fn of(letter: char) -> Self {
        let raster = |c| get_raster(c, FontWeight::Bold, RasterHeight::Size32);
        let Some(raster) = raster(letter).or_else(|| raster('?')) else {
            return Self { width: 0, height: 0, ink: vec![0.0; 4] };
        };
        let rows: Vec<Vec<u8>> = raster.rows().map(<[u8]>::to_vec).collect();
        let inked = |row: &Vec<u8>| row.iter().any(|&ink| ink > 63);
        let top = rows.iter().position(inked).unwrap_or(0);
        let bottom = rows.iter().rposition(inked).map_or(0, |row| row + 1);
        let columns: Vec<usize> =
            (0..rows.first().map_or(0, Vec::len)).filter(|&c| rows.iter().any(|row| row[c] > 63)).collect();
        let (left, right) = (columns.first().copied().unwrap_or(0), columns.last().map_or(0, |c| c + 1));
        let (width, height) = (right - left, bottom - top);
        let mut ink = vec![0.0; (width + 2) * (height + 2)];
        for y in 0..height {
            for x in 0..width {
                ink[(y + 1) * (width + 2) + x + 1] = f64::from(rows[top + y][left + x]) / 255.0;
            }
        }
        Self { width, height, ink }
    }

    fn at(&self, x: usize, y: usize) -> f64 {
        self.ink[y * (self.width + 2) + x]
    }

    /// The ink at a place from 0 to 1 across and down.
    fn between(&self, across: f64, down: f64) -> f64 {
        let place = |share: f64, size: usize| {
            let at = (share * size as f64 + 0.5).clamp(0.0, size as f64 + 0.999);
            (at as usize, at.fract())
        };
        let ((x, dx), (y, dy)) = (place(across, self.width), place(down, self.height));
        let row = |y| self.at(x, y) * (1.0 - dx) + self.at((x + 1).min(self.width + 1), y) * dx;
        row(y) * (1.0 - dy) + row((y + 1).min(self.height + 1)) * dy
    }

    /// How much of each pixel of a letter that is `width` wide and `height` high is inked: hands over how far right and
    /// down it is, and the share.
    pub(super) fn pixels(&self, width: usize, height: usize, mut visit: impl FnMut(usize, usize, f64)) {
        let share = |at: usize, k: usize, size: usize| (at as f64 + (k as f64 + 0.5) / FINE as f64) / size as f64;
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let fine = (0..FINE).flat_map(|j| (0..FINE).map(move |i| (i, j)));
            let inside = |&(i, j): &(usize, usize)| self.between(share(x, i, width), share(y, j, height)) > INSIDE;
            let inked = fine.filter(inside).count();
            if inked > 0 {
                visit(x, y, inked as f64 / (FINE * FINE) as f64);
            }
        }
    }

    /// The outline as an SVG path in a square from 0 to 1, to be filled by the even-odd rule (marching squares).
    pub(super) fn path(&self) -> String {
        let mut next = self.edges();
        let mut path = String::new();
        let mut starts: Vec<Edge> = next.keys().copied().collect();
        starts.sort_unstable();
        for start in starts {
            let (mut at, mut letter) = (start, 'M');
            while let Some(to) = next.remove(&at) {
                let (x, y) = self.crossing(at);
                // Writing to a string cannot fail.
                let _ = write!(path, "{letter}{x:.3} {y:.3}");
                (at, letter) = (to, 'L');
            }
            if letter == 'L' {
                path.push('Z');
            }
        }
        path
    }

    /// From which side of a cell to which an outline goes, with the inside to its right.
    fn edges(&self) -> HashMap<Edge, Edge> {
        let mut next = HashMap::new();
        for (y, x) in (0..=self.height).flat_map(|y| (0..=self.width).map(move |x| (y, x))) {
            let inside = |dx, dy| usize::from(self.at(x + dx, y + dy) > INSIDE);
            let case = inside(0, 0) << 3 | inside(1, 0) << 2 | inside(1, 1) << 1 | inside(0, 1);
            let (top, right, bottom, left) = ((x, y, false), (x + 1, y, true), (x, y + 1, false), (x, y, true));
            let segments: &[(Edge, Edge)] = match case {
                1 => &[(left, bottom)],
                2 => &[(bottom, right)],
                3 => &[(left, right)],
                4 => &[(right, top)],
                5 => &[(right, top), (left, bottom)],
                6 => &[(bottom, top)],
                7 => &[(left, top)],
                8 => &[(top, left)],
                9 => &[(top, bottom)],
                10 => &[(top, left), (bottom, right)],
                11 => &[(top, right)],
                12 => &[(right, left)],
                13 => &[(right, bottom)],
                14 => &[(bottom, left)],
                _ => &[],
            };
            next.extend(segments.iter().copied());
        }
        next
    }

    /// Where the ink crosses one half on a side of a cell, from 0 to 1.
    fn crossing(&self, (x, y, is_down): Edge) -> (f64, f64) {
        let (a, b) = (self.at(x, y), if is_down { self.at(x, y + 1) } else { self.at(x + 1, y) });
        let t = (INSIDE - a) / (b - a);
        let (x, y) = if is_down { (x as f64, y as f64 + t) } else { (x as f64 + t, y as f64) };
        ((x - 0.5) / self.width as f64, (y - 0.5) / self.height as f64)
    }
}

/// A side of a cell: its upper or left end, and whether it goes down.
type Edge = (usize, usize, bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_fill_their_box_and_nothing_else() {
        for letter in ['A', 'I', 'W', '-', 'é'] {
            let glyph = Glyph::of(letter);
            let mut seen = Vec::new();
            glyph.pixels(40, 20, |x, y, share| {
                assert!(x < 40 && y < 20 && share > 0.0 && share <= 1.0);
                seen.push((x, y));
            });
            let spans = |of: fn(&(usize, usize)) -> usize, size: usize| {
                let (low, high) = (seen.iter().map(of).min().unwrap(), seen.iter().map(of).max().unwrap());
                low <= 2 && high + 3 >= size
            };
            assert!(spans(|p| p.0, 40) && spans(|p| p.1, 20), "{letter}");
        }
    }

    /// The area within the outline, by the shoelace formula, is that of the inked pixels; the outline of an O has two rings.
    #[test]
    fn outlines_enclose_what_pixels_show() {
        for (letter, rings) in [('O', 2), ('L', 1), ('B', 3)] {
            let glyph = Glyph::of(letter);
            let path = glyph.path();
            let found: Vec<&str> = path.split('M').filter(|ring| !ring.is_empty()).collect();
            assert_eq!(found.len(), rings, "{letter}");
            let area: f64 = found
                .iter()
                .map(|ring| {
                    let points: Vec<(f64, f64)> = ring
                        .trim_end_matches('Z')
                        .split('L')
                        .map(|point| {
                            let (x, y) = point.split_once(' ').unwrap();
                            (x.parse().unwrap(), y.parse().unwrap())
                        })
                        .collect();
                    let next = points.iter().cycle().skip(1);
                    points.iter().zip(next).map(|(a, b)| 0.5 * (a.0 * b.1 - b.0 * a.1)).sum::<f64>()
                })
                .sum();
            let mut inked = 0.0;
            glyph.pixels(120, 120, |_, _, share| inked += share / (120.0 * 120.0));
            assert!((area.abs() - inked).abs() < 0.03, "{letter}: {area} and {inked}");
        }
    }
}
