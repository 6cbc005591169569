//! A grey picture that text and tiles are put on.

use crate::failure::{Explain, Result};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

const FONT: FontWeight = FontWeight::Regular;
const SIZE: RasterHeight = RasterHeight::Size16;
const PAPER: u8 = 255;

/// Height of a line of text in pixels.
pub(crate) const LINE: usize = SIZE.val() + 2;

/// Width of a character in pixels.
pub(crate) const CHARACTER: usize = get_raster_width(FONT, SIZE);

/// Grey pixels, 0 black, row by row.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// An empty sheet.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![PAPER; width * height] }
    }

    /// Writes black text with its upper left corner at (x, y). What runs over the edge is cut.
    pub(crate) fn text(&mut self, x: usize, y: usize, text: &str) {
        for_ink(text, |dx, dy, ink| self.set(x + dx, y + dy, PAPER - ink));
    }

    /// Puts values in [0, 1], row by row, as a tile of `width` pixels a row, each `scale` times
    /// enlarged, with its upper left corner at (x, y).
    pub(crate) fn tile(&mut self, x: usize, y: usize, values: &[f32], width: usize, scale: usize) {
        for (row, values) in values.chunks(width.max(1)).enumerate() {
            for (column, value) in values.iter().enumerate() {
                let grey = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
                for dy in 0..scale {
                    for dx in 0..scale {
                        self.set(x + column * scale + dx, y + row * scale + dy, grey);
                    }
                }
            }
        }
    }

    /// Pixels in a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The pixels, row by row.
    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let mut file = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        PngEncoder::new(&mut file)
            .write_image(&self.pixels, width, height, ExtendedColorType::L8)
            .or_fail(|| "cannot write a picture as PNG".into())?;
        Ok(file)
    }

    fn set(&mut self, x: usize, y: usize, grey: u8) {
        if x < self.width && y < self.height {
            self.pixels[y * self.width + x] = grey;
        }
    }
}

/// Hands over the pixels of a text from its upper left corner on: how far right, how far down, how black.
pub(super) fn for_ink(text: &str, mut visit: impl FnMut(usize, usize, u8)) {
    for (place, c) in text.chars().enumerate() {
        let Some(glyph) = get_raster(c, FONT, SIZE).or_else(|| get_raster('?', FONT, SIZE)) else { continue };
        for (dy, row) in glyph.rows().enumerate() {
            row.iter().enumerate().for_each(|(dx, &ink)| visit(place * CHARACTER + dx, dy, ink));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_lands_where_it_is_put_and_the_edge_cuts_it() {
        let mut canvas = Canvas::new(5, 4);
        canvas.tile(1, 1, &[0.0, 0.5, 2.0, 0.0, 0.25, 0.0], 3, 2);
        let row = |y: usize| &canvas.pixels[y * 5..(y + 1) * 5];
        assert_eq!(row(0), [255; 5]);
        assert_eq!(row(1), [255, 0, 0, 128, 128]);
        assert_eq!(row(2), row(1));
        assert_eq!(row(3), [255, 0, 0, 64, 64]);
    }

    #[test]
    fn text_is_ink_inside_its_box() {
        let mut canvas = Canvas::new(4 * CHARACTER, 3 * LINE);
        canvas.text(CHARACTER, LINE, "H");
        let inked = |x: usize, y: usize| canvas.pixels[y * canvas.width + x] < 128;
        let all = (0..3 * LINE).flat_map(|y| (0..4 * CHARACTER).map(move |x| (x, y)));
        let ink: Vec<_> = all.filter(|&(x, y)| inked(x, y)).collect();
        assert!(ink.len() > 10);
        assert!(ink.iter().all(|&(x, y)| x / CHARACTER == 1 && y / LINE == 1));
    }

    #[test]
    fn a_png_holds_the_pixels() {
        let mut canvas = Canvas::new(7, 3);
        canvas.tile(2, 1, &[0.2, 0.4], 2, 1);
        let read = image::load_from_memory(&canvas.png().unwrap()).unwrap().to_luma8();
        assert_eq!(read.dimensions(), (7, 3));
        assert_eq!(read.into_raw(), canvas.pixels);
    }
}
