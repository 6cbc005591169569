//! Rectangles, stretched letters and lines of text, as SVG or PNG.

use super::glyph::Glyph;
use super::paint::{Colour, Paint};
use crate::failure::Result;
use deepbelief_report::chart::escaped;
use deepbelief_report::{CHARACTER, LINE};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What stands on a page.
enum Shape {
    Rectangle(Colour),
    Letter(char, Colour),
    Text(String),
}

/// A page of shapes, each with its upper left corner, width and height in pixels.
pub(super) struct Drawing {
    width: f64,
    height: f64,
    shapes: Vec<([f64; 4], Shape)>,
}

impl Drawing {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    pub(super) fn rectangle(&mut self, place: [f64; 4], colour: Colour) {
        self.shapes.push((place, Shape::Rectangle(colour)));
    }

    /// A letter that fills its rectangle.
    pub(super) fn letter(&mut self, place: [f64; 4], letter: char, colour: Colour) {
        self.shapes.push((place, Shape::Letter(letter, colour)));
    }

    pub(super) fn text(&mut self, x: f64, y: f64, text: impl Into<String>) {
        self.shapes.push(([x, y, 0.0, 0.0], Shape::Text(text.into())));
    }

    /// As a PNG file.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        let pixel = |x: f64| x.max(0.0).round() as usize;
        let mut paint = Paint::new(pixel(self.width), pixel(self.height));
        let mut glyphs = BTreeMap::new();
        for ([x, y, width, height], shape) in &self.shapes {
            let corner = (pixel(*x), pixel(*y));
            // Neighbours meet without a gap.
            let size = (pixel(x + width) - corner.0, pixel(y + height) - corner.1);
            match shape {
                Shape::Rectangle(colour) => paint.rectangle(corner, (size.0.max(1), size.1.max(1)), *colour),
                Shape::Text(text) => paint.text(corner.0, corner.1, text),
                Shape::Letter(letter, colour) => {
                    let glyph = glyphs.entry(*letter).or_insert_with(|| Glyph::of(*letter));
                    glyph.pixels(size.0, size.1, |dx, dy, share| {
                        paint.blend((corner.0 + dx, corner.1 + dy), *colour, share);
                    });
                }
            }
        }
        paint.png()
    }

    /// As an SVG file; letters are outlines, so that they look the same everywhere.
    pub(super) fn svg(&self) -> Vec<u8> {
        let mut names = BTreeMap::new();
        for (_, shape) in &self.shapes {
            if let Shape::Letter(letter, _) = shape {
                let next = names.len();
                names.entry(*letter).or_insert(next);
            }
        }
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} \
             {height:.0}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<defs>\n"
        );
        // Writing to a string cannot fail.
        for (letter, name) in &names {
            let _ = writeln!(svg, "<path id=\"g{name}\" fill-rule=\"evenodd\" d=\"{}\"/>", Glyph::of(*letter).path());
        }
        svg += "</defs>\n";
        for ([x, y, width, height], shape) in &self.shapes {
            let _ = match shape {
                Shape::Rectangle(colour) => writeln!(
                    svg,
                    "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{}\"/>",
                    hex(*colour)
                ),
                Shape::Letter(letter, colour) => writeln!(
                    svg,
                    "<use href=\"#g{}\" transform=\"translate({x:.2} {y:.2}) scale({width:.2} {height:.2})\" fill=\"{}\"/>",
                    names[letter],
                    hex(*colour)
                ),
                Shape::Text(text) => writeln!(
                    svg,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" font-family=\"monospace\" font-size=\"13\" textLength=\"{}\" \
                     xml:space=\"preserve\">{}</text>",
                    y + LINE as f64 - 5.0,
                    text.chars().count() * CHARACTER,
                    escaped(text)
                ),
            };
        }
        svg += "</svg>\n";
        svg.into_bytes()
    }
}

fn hex([r, g, b]: Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::paint::{BLACK, WHITE};

    #[test]
    fn both_forms_have_what_was_drawn() {
        let mut drawing = Drawing::new(60.0, 40.0);
        drawing.rectangle([10.0, 10.0, 5.0, 5.0], [1, 2, 3]);
        drawing.letter([20.0, 10.0, 20.0, 20.0], 'I', BLACK);
        drawing.letter([40.0, 10.0, 20.0, 20.0], 'I', [255, 0, 0]);
        drawing.text(0.0, 0.0, "a<b");
        let picture = image::load_from_memory(&drawing.png().unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (60, 40));
        assert_eq!(
            [picture.get_pixel(12, 12).0, picture.get_pixel(30, 20).0, picture.get_pixel(50, 20).0],
            [[1, 2, 3], BLACK, [255, 0, 0]]
        );
        assert_eq!(picture.get_pixel(15, 38).0, WHITE);
        let svg = String::from_utf8(drawing.svg()).unwrap();
        assert_eq!(
            (svg.matches("<path").count(), svg.matches("<use").count(), svg.matches("a&lt;b").count()),
            (1, 2, 1)
        );
        assert!(svg.contains("fill=\"#ff0000\"") && svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
