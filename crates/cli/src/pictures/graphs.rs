//! Curves over one axis, a panel each, two side by side.

use super::paint::{Colour, Paint};
use super::panel::{GAP, MARGIN, Panel, SIDE, place, range};
use crate::failure::Result;
use deepbelief_report::LINE;

const CURVE: Colour = [31, 119, 180];

/// A page of curves as a PNG file: each has a title and its points; `across` is what the axis is.
pub(crate) fn graphs(title: &str, across: &str, curves: &[(&str, Vec<(f64, f64)>)]) -> Result<Vec<u8>> {
    let rows = curves.len().div_ceil(2);
    let mut paint = Paint::new(2 * MARGIN + 2 * SIDE + GAP, 2 * MARGIN + LINE + rows * (SIDE + GAP));
    paint.text(MARGIN, MARGIN, title);
    for (at, (name, points)) in curves.iter().enumerate() {
        let (x, y) = (range(points.iter().map(|p| p.0)), range(points.iter().map(|p| p.1)));
        let panel = Panel { place: place(at % 2, at / 2), x, y };
        panel.line(&mut paint, points, CURVE);
        let ends = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.1), b.max(p.1)));
        panel.frame(&mut paint, &format!("{name}: {:.2} to {:.2}", ends.0, ends.1), across);
    }
    paint.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let picture = graphs("t", "x", &[("rising", vec![(0.0, 0.0), (1.0, 1.0)]), ("none", Vec::new())]).unwrap();
        let picture = image::load_from_memory(&picture).unwrap().to_rgb8();
        let (left, top) = place(0, 0);
        let at = |x: usize, y: usize| picture.get_pixel((left + x) as u32, (top + y) as u32).0;
        assert_eq!([at(149, 149), at(7, 291), at(291, 7)], [CURVE; 3]);
        assert_ne!(at(100, 100), CURVE);
    }
}
