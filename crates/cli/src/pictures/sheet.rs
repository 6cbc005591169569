//! A sheet of tiles under a title, with words beside the rows and above the columns: the form
//! of all pictures but the curves.

use super::canvas::{CHARACTER, Canvas, LINE};
use crate::failure::Result;

const MARGIN: usize = 12;
const GAP: usize = 4;
/// Narrower sheets are widened, so that a title fits into a few lines.
const MIN_WIDTH: usize = 480;

/// Tiles in rows and columns.
pub(crate) struct Sheet {
    /// Above everything; broken into lines where it is too long.
    pub(crate) title: String,
    /// Above the columns; empty for none.
    pub(crate) column_labels: Vec<String>,
    /// To the left of the rows, one line a `\n`; empty for none.
    pub(crate) row_labels: Vec<String>,
    /// Values in [0, 1] of each tile of each row.
    pub(crate) rows: Vec<Vec<Vec<f32>>>,
    /// Width and height of a tile before enlargement.
    pub(crate) shape: (usize, usize),
}

impl Sheet {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        self.draw().png()
    }

    fn draw(&self) -> Canvas {
        let scale = enlargement(self.shape);
        let (tile_width, tile_height) = (self.shape.0 * scale + GAP, self.shape.1 * scale + GAP);
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let label_lines = self.row_labels.iter().flat_map(|label| label.lines());
        let label_width = label_lines.map(|line| line.chars().count() * CHARACTER + GAP * 2).max().unwrap_or(0);
        let width = (MARGIN * 2 + label_width + columns * tile_width).max(MIN_WIDTH);
        let title = wrap(&self.title, (width - 2 * MARGIN) / CHARACTER);
        let head = MARGIN + title.len() * LINE + GAP * 2;
        let top = head + if self.column_labels.is_empty() { 0 } else { LINE };
        let mut canvas = Canvas::new(width, top + self.rows.len() * tile_height + MARGIN);

        for (line, text) in title.iter().enumerate() {
            canvas.text(MARGIN, MARGIN + line * LINE, text);
        }
        let left = MARGIN + label_width;
        for (column, label) in self.column_labels.iter().enumerate() {
            let slack = (tile_width - GAP).saturating_sub(label.chars().count() * CHARACTER);
            canvas.text(left + column * tile_width + slack / 2, head, label);
        }
        for (row, tiles) in self.rows.iter().enumerate() {
            let y = top + row * tile_height;
            if let Some(label) = self.row_labels.get(row) {
                let slack = (tile_height - GAP).saturating_sub(label.lines().count() * LINE);
                for (line, text) in label.lines().enumerate() {
                    canvas.text(MARGIN, y + slack / 2 + line * LINE, text);
                }
            }
            for (column, values) in tiles.iter().enumerate() {
                canvas.tile(left + column * tile_width, y, values, self.shape.0, scale);
            }
        }
        canvas
    }
}

/// How many times a tile is enlarged: twice for 28 pixels, more where there are fewer.
fn enlargement(shape: (usize, usize)) -> usize {
    (56 / shape.0.max(shape.1).max(1)).clamp(1, 16)
}

/// Breaks a text into lines of at most `width` characters, between words where it can.
fn wrap(text: &str, width: usize) -> Vec<String> {
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
                shape,
            };
            assert!(image::load_from_memory(&sheet.png().unwrap()).is_ok(), "{shape:?}");
        }
    }
}
