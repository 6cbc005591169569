//! A picture that text, tiles and lines are put on.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

const FONT: FontWeight = FontWeight::Regular;
const SIZE: RasterHeight = RasterHeight::Size16;

/// Red, green and blue.
pub type Colour = [u8; 3];

const PAPER: Colour = [255; 3];
const INK: Colour = [0; 3];

/// Height of a line of text in pixels.
pub const LINE: usize = SIZE.val() + 2;

/// Width of a character of text in pixels.
pub const CHARACTER: usize = get_raster_width(FONT, SIZE);

/// Pixels, row by row.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    /// An empty sheet.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![PAPER; width * height] }
    }

    /// Pixels that a line of text is wide.
    #[must_use]
    pub fn text_width(text: &str) -> usize {
        text.chars().count() * CHARACTER
    }

    /// Writes black text with its upper left corner at (x, y). What runs over the edge is cut.
    pub fn text(&mut self, x: usize, y: usize, text: &str) {
        self.coloured_text(x, y, text, INK);
    }

    /// The same in another colour.
    pub fn coloured_text(&mut self, x: usize, y: usize, text: &str, colour: Colour) {
        for (place, c) in text.chars().enumerate() {
            let left = x + place * CHARACTER;
            match c {
                // The font has no arrows.
                '\u{2192}' => self.arrow(left, y, colour),
                _ => self.glyph(left, y, c, colour),
            }
        }
    }

    fn glyph(&mut self, x: usize, y: usize, c: char, colour: Colour) {
        // A minus is no hyphen, but is as wide.
        let c = if c == '\u{2212}' { '-' } else { c };
        let Some(glyph) = get_raster(c, FONT, SIZE).or_else(|| get_raster('?', FONT, SIZE)) else { return };
        for (dy, row) in glyph.rows().enumerate() {
            for (dx, &ink) in row.iter().enumerate() {
                self.mix(x + dx, y + dy, colour, f64::from(ink) / 255.0);
            }
        }
    }

    /// An arrow to the right, as wide as a character.
    fn arrow(&mut self, x: usize, y: usize, colour: Colour) {
        let (middle, tip) = (y + SIZE.val() / 2, CHARACTER - 1);
        for dx in 0..=tip {
            self.mix(x + dx, middle, colour, 1.0);
        }
        for back in 1..=2 {
            self.mix(x + tip - back, middle - back, colour, 1.0);
            self.mix(x + tip - back, middle + back, colour, 1.0);
        }
    }

    /// Puts colours, row by row, as a tile of `width` pixels a row, each `scale` times enlarged, with its upper left
    /// corner at (x, y).
    pub fn tile(&mut self, x: usize, y: usize, colours: &[Colour], width: usize, scale: usize) {
        for (row, colours) in colours.chunks(width.max(1)).enumerate() {
            for (column, &colour) in colours.iter().enumerate() {
                for dy in 0..scale {
                    for dx in 0..scale {
                        self.mix(x + column * scale + dx, y + row * scale + dy, colour, 1.0);
                    }
                }
            }
        }
    }

    /// Covers a share of a pixel. Beyond the edge there is none.
    pub fn mix(&mut self, x: usize, y: usize, colour: Colour, share: f64) {
        if x < self.width && y < self.height {
            let pixel = &mut self.pixels[y * self.width + x];
            for (old, new) in pixel.iter_mut().zip(colour) {
                *old = (f64::from(*old) * (1.0 - share) + f64::from(new) * share).round() as u8;
            }
        }
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The colour of a pixel; that of paper beyond the edge.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> Colour {
        if x < self.width && y < self.height { self.pixels[y * self.width + x] } else { PAPER }
    }

    /// The pixels of a grey picture, row by row: of a coloured one their red.
    #[must_use]
    pub fn greys(&self) -> Vec<u8> {
        self.pixels.iter().map(|pixel| pixel[0]).collect()
    }

    fn is_grey(&self) -> bool {
        self.pixels.iter().all(|[r, g, b]| r == g && g == b)
    }

    /// As a PNG file, grey where all pixels are.
    ///
    /// # Errors
    ///
    /// Those of the encoder.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_depth(png::BitDepth::Eight);
        let grey = self.is_grey();
        encoder.set_color(if grey { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        let mut writer = encoder.write_header()?;
        if grey {
            writer.write_image_data(&self.greys())?;
        } else {
            writer.write_image_data(self.pixels.as_flattened())?;
        }
        writer.finish()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_lands_where_it_is_put_and_the_edge_cuts_it() {
        let mut canvas = Canvas::new(5, 4);
        canvas.tile(1, 1, &[[0; 3], [128; 3], [255; 3], [0; 3], [64; 3], [0; 3]], 3, 2);
        let greys = canvas.greys();
        let row = |y: usize| &greys[y * 5..(y + 1) * 5];
        assert_eq!(row(0), [255; 5]);
        assert_eq!(row(1), [255, 0, 0, 128, 128]);
        assert_eq!(row(2), row(1));
        assert_eq!(row(3), [255, 0, 0, 64, 64]);
    }

    #[test]
    fn text_is_ink_inside_its_box() {
        for text in ["H", "\u{2192}", "\u{2212}"] {
            let mut canvas = Canvas::new(4 * CHARACTER, 3 * LINE);
            canvas.text(CHARACTER, LINE, text);
            let all = (0..3 * LINE).flat_map(|y| (0..4 * CHARACTER).map(move |x| (x, y)));
            let ink: Vec<_> = all.filter(|&(x, y)| canvas.pixel(x, y)[0] < 200).collect();
            assert!(ink.len() > 2, "{text}");
            assert!(ink.iter().all(|&(x, y)| x / CHARACTER == 1 && y / LINE == 1));
        }
    }

    #[test]
    fn a_png_holds_the_pixels() {
        for colour in [[10; 3], [10, 20, 30]] {
            let mut canvas = Canvas::new(7, 3);
            canvas.tile(2, 1, &[colour, [102; 3]], 2, 1);
            let file = canvas.png().unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let expected = if canvas.is_grey() { canvas.greys() } else { canvas.pixels.as_flattened().to_vec() };
            assert_eq!(pixels, expected);
        }
    }
}
