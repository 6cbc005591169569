//! A picture in colours: rectangles and text.

use crate::failure::{Explain, Result};
use deepbelief_report::{CHARACTER, Canvas, LINE};

pub(crate) use deepbelief_report::Colour;
use deepbelief_report::figures::number;

pub(crate) const WHITE: Colour = [255; 3];
pub(crate) const BLACK: Colour = [0; 3];
pub(crate) const FRAME: Colour = [120; 3];

/// Height of a colour bar, without its numbers.
const BAR: usize = 12;

/// Height of a colour bar and of the numbers below it.
pub(crate) const COLOUR_BAR: usize = BAR + 2 + LINE;

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

    /// Draws what colours stand for, with its upper left corner at (x, y): values from `low` to `high`, with both ends
    /// and what lies halfway as numbers below.
    pub(crate) fn colour_bar(
        &mut self,
        (x, y): (usize, usize),
        width: usize,
        (low, high): (f64, f64),
        of: impl Fn(f64) -> Colour,
    ) {
        self.rectangle((x, y), (width, BAR), FRAME);
        for column in 1..width.saturating_sub(1) {
            let share = (column - 1) as f64 / (width - 3).max(1) as f64;
            self.rectangle((x + column, y + 1), (1, BAR - 2), of(low + share * (high - low)));
        }
        for (share, value) in [(0.0, low), (0.5, f64::midpoint(low, high)), (1.0, high)] {
            let text = if value == 0.0 { "0".into() } else { number(value) };
            let (middle, wide) = (share * width as f64, text.chars().count() * CHARACTER);
            let left = (middle - share * wide as f64) as usize;
            self.text(x + left, y + BAR + 2, &text);
        }
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

    /// Both ends of the bar have their colours, and it ends where it should.
    #[test]
    fn a_colour_bar_goes_from_one_end_to_the_other() {
        let mut paint = Paint::new(120, COLOUR_BAR + 10);
        paint.colour_bar((5, 5), 100, (-2.0, 2.0), |x| if x < 0.0 { [0, 0, 200] } else { [200, 0, 0] });
        let at = |x: usize, y: usize| paint.0.pixel(x, y);
        assert_eq!(
            [at(6, 10), at(50, 10), at(60, 10), at(103, 10)],
            [[0, 0, 200], [0, 0, 200], [200, 0, 0], [200, 0, 0]]
        );
        assert_eq!([at(5, 10), at(104, 10), at(4, 10), at(105, 10)], [FRAME, FRAME, WHITE, WHITE]);
        let ink =
            |x: std::ops::Range<usize>| x.into_iter().any(|x| (5 + BAR..5 + COLOUR_BAR).any(|y| at(x, y)[0] < 100));
        assert!(ink(5..30) && ink(45..65) && ink(80..105) && !ink(105..120));
    }

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
