//! A picture in colours: rectangles and text.

use crate::failure::{Explain, Result};
use deepbelief_report::Canvas;

pub(crate) use deepbelief_report::Colour;

pub(crate) const WHITE: Colour = [255; 3];
pub(crate) const BLACK: Colour = [0; 3];

/// A sheet to paint on.
pub(crate) struct Paint(Canvas);

impl Paint {
    /// A white sheet.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self(Canvas::new(width, height))
    }

    /// Fills a rectangle with its upper left corner at (x, y). What runs over the edge is cut.
    pub(crate) fn rectangle(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: Colour) {
        for y in y.min(self.0.height())..(y + height).min(self.0.height()) {
            for x in x.min(self.0.width())..(x + width).min(self.0.width()) {
                self.0.mix(x, y, colour, 1.0);
            }
        }
    }

    /// Writes black text with its upper left corner at (x, y).
    pub(crate) fn text(&mut self, x: usize, y: usize, text: &str) {
        self.0.text(x, y, text);
    }

    /// Brings a pixel so far, from 0 to 1, to a colour.
    pub(crate) fn blend(&mut self, (x, y): (usize, usize), colour: Colour, share: f64) {
        self.0.mix(x, y, colour, share);
    }

    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        self.0.png().or_fail(|| "cannot write a picture as PNG".into())
    }
}

/// A colour so far, from 0 to 1, on the way from one to another.
pub(crate) fn mixed(from: Colour, to: Colour, share: f64) -> Colour {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    std::array::from_fn(|k| (f64::from(from[k]) + share * (f64::from(to[k]) - f64::from(from[k]))).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_land_where_they_are_put_and_a_png_holds_them() {
        let mut paint = Paint::new(5, 4);
        paint.rectangle((3, 2), (9, 9), [10, 20, 30]);
        let read = image::load_from_memory(&paint.png().unwrap()).unwrap().to_rgb8();
        assert_eq!([read.get_pixel(2, 2).0, read.get_pixel(3, 1).0], [WHITE, WHITE]);
        assert_eq!([read.get_pixel(3, 2).0, read.get_pixel(4, 3).0], [[10, 20, 30]; 2]);
        assert_eq!(
            [mixed(WHITE, BLACK, 0.0), mixed(WHITE, BLACK, 2.0), mixed(WHITE, BLACK, 0.5)],
            [WHITE, BLACK, [128; 3]]
        );
    }
}
