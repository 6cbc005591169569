//! A sheet of tiles under a title, with words beside the rows and above the columns: the form
//! of all pictures but the curves.

use crate::failure::{Explain, Result};
use deepbelief_report::{CHARACTER, Canvas, Colour, LINE, diverging};

const MARGIN: usize = 12;
const GAP: usize = 4;
/// Narrower sheets are widened, so that a title fits into a few lines.
const MIN_WIDTH: usize = 480;

/// What the values of tiles look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shades {
    /// From 0, black, to 1, white.
    #[default]
    Grey,
    /// From -1, blue, over 0, white, to 1, red.
    Diverging,
}

impl Shades {
    fn of(self, value: f32) -> Colour {
        match self {
            Self::Grey => [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3],
            Self::Diverging => diverging(value),
        }
    }
}

/// Tiles in rows and columns.
#[derive(Clone, Default)]
pub(crate) struct Sheet {
    /// Above everything; lines of it that are too long are broken.
    pub(crate) title: String,
    /// Above the columns; empty for none.
    pub(crate) column_labels: Vec<String>,
    /// To the left of the rows, one line a `\n`; empty for none.
    pub(crate) row_labels: Vec<String>,
    /// What values look like.
    pub(crate) shades: Shades,
    /// Values of each tile of each row.
    pub(crate) rows: Vec<Vec<Vec<f32>>>,
    /// Below the tiles, row by row; empty for none.
    pub(crate) captions: Vec<Vec<String>>,
    /// Width and height of a tile before enlargement.
    pub(crate) shape: (usize, usize),
}

impl Sheet {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        self.draw().png().or_fail(|| "cannot write a picture as PNG".into())
    }

    /// As a picture.
    pub(crate) fn draw(&self) -> Canvas {
        let scale = enlargement(self.shape);
        let (tile_width, tile_height) = (self.shape.0 * scale, self.shape.1 * scale);
        let caption = if self.captions.is_empty() { 0 } else { LINE };
        let widest = self.captions.iter().flatten().map(|text| text_width(text)).max().unwrap_or(0);
        let (pitch, height) = (tile_width.max(widest) + GAP, tile_height + caption + GAP);
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let label_lines = self.row_labels.iter().flat_map(|label| label.lines());
        let label_width = label_lines.map(|line| text_width(line) + GAP * 2).max().unwrap_or(0);
        let width = (MARGIN * 2 + label_width + columns * pitch).max(MIN_WIDTH);
        let title = wrap(&self.title, (width - 2 * MARGIN) / CHARACTER);
        let head = MARGIN + title.len() * LINE + GAP * 2;
        let top = head + if self.column_labels.is_empty() { 0 } else { LINE };
        let mut canvas = Canvas::new(width, top + self.rows.len() * height + MARGIN);

        for (line, text) in title.iter().enumerate() {
            canvas.text(MARGIN, MARGIN + line * LINE, text);
        }
        let left = MARGIN + label_width;
        // Where something so wide stands in the middle of a column.
        let centred = |column: usize, width: usize| left + column * pitch + (pitch - GAP).saturating_sub(width) / 2;
        for (column, label) in self.column_labels.iter().enumerate() {
            canvas.text(centred(column, text_width(label)), head, label);
        }
        for (row, tiles) in self.rows.iter().enumerate() {
            let y = top + row * height;
            if let Some(label) = self.row_labels.get(row) {
                let slack = tile_height.saturating_sub(label.lines().count() * LINE);
                for (line, text) in label.lines().enumerate() {
                    canvas.text(MARGIN, y + slack / 2 + line * LINE, text);
                }
            }
            for (column, values) in tiles.iter().enumerate() {
                let colours: Vec<Colour> = values.iter().map(|&value| self.shades.of(value)).collect();
                canvas.tile(centred(column, tile_width), y, &colours, self.shape.0, scale);
            }
            for (column, text) in self.captions.get(row).into_iter().flatten().enumerate() {
                canvas.text(centred(column, text_width(text)), y + tile_height + 2, text);
            }
        }
        canvas
    }
}

fn text_width(text: &str) -> usize {
    Canvas::text_width(text)
}

/// How many times a tile is enlarged: twice for 28 pixels, more where there are fewer.
fn enlargement(shape: (usize, usize)) -> usize {
    (56 / shape.0.max(shape.1).max(1)).clamp(1, 16)
}

/// Breaks the lines of a text into lines of at most `width` characters, between words where it
/// can.
fn wrap(text: &str, width: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(line, width)).collect()
}

fn wrap_line(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        if lines[line].is_empty() {
            lines[line].push_str(word);
        } else if lines[line].chars().count() + 1 + word.chars().count() <= width {
            lines[line].push(' ');
            lines[line].push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensibilities", 5), ["incomprehensibilities"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("one\ntwo three", 9), ["one", "two three"]);
    }

    #[test]
    fn any_shape_and_any_number_of_tiles_make_a_picture() {
        for (shape, rows) in [((28, 28), vec![3, 3]), ((1, 1), vec![1]), ((200, 3), vec![2, 5]), ((8, 8), vec![])] {
            let tiles = |n: usize| vec![vec![0.5; shape.0 * shape.1]; n];
            let sheet = Sheet {
                title: "a title".into(),
                column_labels: vec!["x".into(); 3],
                row_labels: vec!["two\nlines".into()],
                rows: rows.into_iter().map(tiles).collect(),
                captions: vec![vec!["a caption".into(); 2]],
                shades: Shades::Diverging,
                shape,
            };
            assert!(image::load_from_memory(&sheet.png().unwrap()).is_ok(), "{shape:?}");
        }
    }

    /// A caption wider than its tile moves the tiles apart, and stands below its own.
    #[test]
    fn captions_stand_below_their_tiles() {
        let black = |n: usize| vec![vec![0.0; 4]; n];
        let plain = Sheet { rows: vec![black(40)], shape: (2, 2), ..Sheet::default() };
        let captions = vec![vec!["WWWWWW".to_string(); 40]];
        let captioned = Sheet { rows: vec![black(40)], shape: (2, 2), captions, ..Sheet::default() };
        let (plain, captioned) = (plain.draw(), captioned.draw());
        assert_eq!(captioned.height() - plain.height(), LINE);
        assert_eq!(captioned.width() - plain.width(), 40 * (6 * CHARACTER - 32));
        let greys = captioned.greys();
        let ink_below = greys[(captioned.height() - MARGIN - LINE) * captioned.width()..].iter();
        assert!(ink_below.filter(|&&grey| grey < 128).count() > 1000);
    }
}
