//! A picture in colours: rectangles and text.

use super::canvas::for_ink;
use crate::failure::{Explain, Result};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// Red, green and blue.
pub(crate) type Colour = [u8; 3];

pub(crate) const WHITE: Colour = [255; 3];
pub(crate) const BLACK: Colour = [0; 3];

/// Pixels in colour, row by row.
pub(crate) struct Paint {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Paint {
    /// A white sheet.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![WHITE; width * height] }
    }

    /// Fills a rectangle with its upper left corner at (x, y). What runs over the edge is cut.
    pub(crate) fn rectangle(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: Colour) {
        for y in y.min(self.height)..(y + height).min(self.height) {
            let row = &mut self.pixels[y * self.width..(y + 1) * self.width];
            row[x.min(self.width)..(x + width).min(self.width)].fill(colour);
        }
    }

    /// Writes black text with its upper left corner at (x, y).
    pub(crate) fn text(&mut self, x: usize, y: usize, text: &str) {
        for_ink(text, |dx, dy, ink| {
            self.blend((x + dx, y + dy), BLACK, f64::from(ink) / 255.0);
        });
    }

    /// Brings a pixel so far, from 0 to 1, to a colour.
    pub(crate) fn blend(&mut self, (x, y): (usize, usize), colour: Colour, share: f64) {
        if x < self.width && y < self.height {
            let pixel = &mut self.pixels[y * self.width + x];
            *pixel = mixed(*pixel, colour, share);
        }
    }

    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(self.pixels.as_flattened(), self.width as u32, self.height as u32, ExtendedColorType::Rgb8)
            .or_fail(|| "cannot write a picture as PNG".into())?;
        Ok(file)
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
