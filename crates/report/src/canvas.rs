//! A picture that text, tiles and lines are put on.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// The letters of pictures whose pixels count, such as filters.
const SMALL: Letters = Letters { size: RasterHeight::Size16, weight: FontWeight::Regular };

/// Red, green and blue.
pub type Colour = [u8; 3];

const PAPER: Colour = [255; 3];
const INK: Colour = [0; 3];

/// Height of a line of text in pixels.
pub const LINE: usize = SMALL.size.val() + 2;

/// Width of a character of text in pixels.
pub const CHARACTER: usize = SMALL.width();

/// Size and weight of letters.
#[derive(Clone, Copy)]
pub(crate) struct Letters {
    size: RasterHeight,
    weight: FontWeight,
}

impl Letters {
    /// The letters whose height is nearest to so many pixels.
    pub(crate) fn of(height: f64, bold: bool) -> Self {
        let size = match height {
            ..20.0 => RasterHeight::Size16,
            20.0..28.0 => RasterHeight::Size24,
            _ => RasterHeight::Size32,
        };
        Self { size, weight: if bold { FontWeight::Bold } else { FontWeight::Regular } }
    }

    /// Width of a character in pixels.
    pub(crate) const fn width(self) -> usize {
        get_raster_width(self.weight, self.size)
    }

    /// Pixels from the top of a line to where its letters stand.
    pub(crate) fn ascent(self) -> f64 {
        ASCENT * self.size.val() as f64
    }
}

/// Where letters stand, as a share of the height of a line from its top.
const ASCENT: f64 = 0.8;

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
        self.lettered(x, y, text, SMALL, colour);
    }

    /// The same in these letters.
    pub(crate) fn lettered(&mut self, x: usize, y: usize, text: &str, letters: Letters, colour: Colour) {
        for (place, c) in text.chars().enumerate() {
            let left = x + place * letters.width();
            match c {
                // The font has no arrows.
                '\u{2192}' => self.arrow(left, y, letters, colour),
                _ => self.glyph(left, y, c, letters, colour),
            }
        }
    }

    fn glyph(&mut self, x: usize, y: usize, c: char, letters: Letters, colour: Colour) {
        // A minus is no hyphen, but is as wide.
        let c = if c == '\u{2212}' { '-' } else { c };
        let raster = |c| get_raster(c, letters.weight, letters.size);
        let Some(glyph) = raster(c).or_else(|| raster('?')) else { return };
        for (dy, row) in glyph.rows().enumerate() {
            for (dx, &ink) in row.iter().enumerate() {
                self.mix(x + dx, y + dy, colour, f64::from(ink) / 255.0);
            }
        }
    }

    /// An arrow to the right, as wide as a character.
    fn arrow(&mut self, x: usize, y: usize, letters: Letters, colour: Colour) {
        let (middle, tip) = (y + letters.size.val() / 2, letters.width() - 1);
        for dx in 0..=tip {
            self.mix(x + dx, middle, colour, 1.0);
        }
        for back in 1..=letters.size.val() / 8 {
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

    /// The same at half its size: a pixel is the mean of four.
    #[must_use]
    pub fn halved(&self) -> Self {
        let mut half = Self::new(self.width / 2, self.height / 2);
        for (place, pixel) in half.pixels.iter_mut().enumerate() {
            let (x, y) = (2 * (place % half.width), 2 * (place / half.width));
            let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)].map(|(x, y)| self.pixel(x, y));
            *pixel = std::array::from_fn(|k| ((four.iter().map(|c| u16::from(c[k])).sum::<u16>() + 2) / 4) as u8);
        }
        half
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
    fn half_a_picture_has_the_means() {
        let mut canvas = Canvas::new(5, 2);
        canvas.tile(0, 0, &[[0; 3], [100; 3], [50; 3], [10; 3], [0; 3], [102; 3], [50; 3], [10; 3]], 4, 1);
        let half = canvas.halved();
        assert_eq!((half.width, half.height, half.pixels), (2, 1, vec![[51; 3], [30; 3]]));
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

    /// Letters of every size are drawn, and stand on their line.
    #[test]
    fn letters_are_as_large_as_asked() {
        for (height, expected) in [(9.0, 16), (26.0, 24), (34.0, 32)] {
            for bold in [false, true] {
                let letters = Letters::of(height, bold);
                assert_eq!(letters.size.val(), expected);
                let mut canvas = Canvas::new(letters.width(), expected);
                canvas.lettered(0, 0, "H", letters, INK);
                let rows: Vec<usize> =
                    (0..expected).filter(|&y| (0..letters.width()).any(|x| canvas.pixel(x, y)[0] < 128)).collect();
                let (first, last) = (rows[0] as f64, (rows[rows.len() - 1] + 1) as f64);
                assert!((last - letters.ascent()).abs() <= 1.0, "{expected}: {first} to {last}");
                assert!(last - first > 0.5 * expected as f64, "{expected}: {first} to {last}");
            }
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
