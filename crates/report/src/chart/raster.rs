//! Shapes as pixels, for programs that show no SVG. Lines are smoothed by their distance from a pixel's middle.

use super::layout::{Anchor, Ink, Shape};
use super::svg::{AXIS, GRID, LINES, SOFT, TEXT};
use crate::canvas::{Canvas, Colour, Letters};

/// Pixels a unit of the picture has.
pub(crate) const SCALE: f64 = 2.0;

/// Length of a dash and of a gap.
const DASH: f64 = 6.0;
const SPACE: f64 = 4.0;

/// Shapes of a picture so wide and high on light paper.
pub(super) fn raster(shapes: &[Shape], width: f64, height: f64) -> Canvas {
    let mut canvas = Canvas::new((width * SCALE) as usize, (height * SCALE) as usize);
    for shape in shapes {
        draw(&mut canvas, shape);
    }
    canvas
}

fn colour(ink: Ink) -> Colour {
    let (r, g, b) = match ink {
        Ink::Text => TEXT,
        Ink::Soft => SOFT,
        Ink::Grid => GRID,
        Ink::Axis => AXIS,
        Ink::Line(number) => LINES[number % LINES.len()],
    }
    .0;
    [r, g, b]
}

fn draw(canvas: &mut Canvas, shape: &Shape) {
    match shape {
        Shape::Path { points, ink, width, dashed } => {
            let mut along = 0.0;
            for pair in points.windows(2) {
                segment(canvas, pair[0], pair[1], *width, colour(*ink), dashed.then_some(along));
                along += (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
            }
        }
        Shape::Dot { at, radius, ink } => segment(canvas, *at, *at, 2.0 * radius, colour(*ink), None),
        Shape::Band { x, upper, lower, ink } => {
            for place in 0..x.len().saturating_sub(1) {
                let (start, end) = (x[place] * SCALE, x[place + 1] * SCALE);
                for column in start as usize..=end as usize {
                    let share = ((column as f64 - start) / (end - start).max(1e-9)).clamp(0.0, 1.0);
                    let of = |ends: &[f64]| (ends[place] + share * (ends[place + 1] - ends[place])) * SCALE;
                    // The column where two pieces meet is drawn once.
                    if place > 0 && column == start as usize {
                        continue;
                    }
                    for row in of(upper) as usize..=of(lower) as usize {
                        canvas.mix(column, row, colour(*ink), 0.22);
                    }
                }
            }
        }
        Shape::Text { at: (x, y), anchor, text, size, ink, bold } => {
            let letters = Letters::of(size * SCALE, *bold);
            let wide = (text.chars().count() * letters.width()) as f64;
            let start = x * SCALE
                - match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => wide / 2.0,
                    Anchor::End => wide,
                };
            let top = y * SCALE - letters.ascent();
            canvas.lettered(start.max(0.0) as usize, top.max(0.0) as usize, text, letters, colour(*ink));
        }
    }
}

/// A straight line with round ends; `along` says how much of a broken line is past.
fn segment(canvas: &mut Canvas, a: (f64, f64), b: (f64, f64), width: f64, colour: Colour, along: Option<f64>) {
    let ((ax, ay), (bx, by)) = ((a.0 * SCALE, a.1 * SCALE), (b.0 * SCALE, b.1 * SCALE));
    let half = width * SCALE / 2.0;
    let (dx, dy) = (bx - ax, by - ay);
    let squared = dx * dx + dy * dy;
    let reach = half + 1.0;
    let rows = (ay.min(by) - reach).max(0.0) as usize..=(ay.max(by) + reach).max(0.0) as usize;
    for row in rows {
        for column in (ax.min(bx) - reach).max(0.0) as usize..=(ax.max(bx) + reach).max(0.0) as usize {
            let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
            let share = if squared > 0.0 { (((x - ax) * dx + (y - ay) * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
            if along.is_some_and(|along| (along + share * squared.sqrt() / SCALE) % (DASH + SPACE) > DASH) {
                continue;
            }
            let distance = (x - ax - share * dx).hypot(y - ay - share * dy);
            let cover = (half + 0.5 - distance).clamp(0.0, 1.0);
            if cover > 0.0 {
                canvas.mix(column, row, colour, cover);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slanted_line_has_soft_edges_and_ends_where_it_should() {
        let mut canvas = Canvas::new(40, 40);
        segment(&mut canvas, (2.0, 2.0), (18.0, 9.0), 2.0, [0, 0, 0], None);
        let grey = |x: usize, y: usize| canvas.pixel(x, y)[0];
        assert_eq!((grey(20, 11), grey(39, 39), grey(2, 30)), (0, 255, 255));
        let soft = (0..40 * 40).filter(|place| ![0, 255].contains(&grey(place % 40, place / 40))).count();
        assert!(soft > 30, "{soft} pixels are between black and white");
    }
}
