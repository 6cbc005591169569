//! A picture as sixels, which terminals draw: six rows of pixels at a time, a colour after the other.
//!
//! A character from `?` to `~` holds six pixels of a column, the lowest bit on top; `!n` repeats the next one, `$` goes
//! back to the start of the row, `-` on to the next (DEC, *VT330/VT340 Programmer Reference Manual*, volume 2, chapter
//! 14).

use crate::canvas::{Canvas, Colour};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Colours that terminals have at least.
const COLOURS: usize = 256;

/// Rows of a band.
const BAND: usize = 6;

/// Repeats from which on a number is shorter than the characters.
const WORTH_A_NUMBER: usize = 4;

impl Canvas {
    /// The picture as a text that a terminal with sixels draws. Of more than 256 colours the rarest are taken for those
    /// nearest to them.
    #[must_use]
    pub fn sixels(&self) -> String {
        let (places, palette) = self.palette();
        let mut text = String::from("\x1bP0;1q");
        // Writing to a string cannot fail.
        let _ = write!(text, "\"1;1;{};{}", self.width(), self.height());
        for (number, colour) in palette.iter().enumerate() {
            let [r, g, b] = colour.map(|channel| (f64::from(channel) / 2.55).round() as u8);
            let _ = write!(text, "#{number};2;{r};{g};{b}");
        }
        for top in (0..self.height()).step_by(BAND) {
            let rows = top..self.height().min(top + BAND);
            let mut bands: Vec<Option<Vec<u8>>> = vec![None; palette.len()];
            for (bit, y) in rows.enumerate() {
                for x in 0..self.width() {
                    let band = bands[places[&self.pixel(x, y)]].get_or_insert_with(|| vec![0; self.width()]);
                    band[x] |= 1 << bit;
                }
            }
            for (number, band) in bands.iter().enumerate().filter_map(|(number, band)| Some((number, band.as_ref()?))) {
                let _ = write!(text, "#{number}");
                repeated(&mut text, band);
                text.push('$');
            }
            text.push('-');
        }
        text.push_str("\x1b\\");
        text
    }

    /// The place of each colour in the palette, and the palette.
    fn palette(&self) -> (HashMap<Colour, usize>, Vec<Colour>) {
        let mut counts: HashMap<Colour, usize> = HashMap::new();
        for y in 0..self.height() {
            for x in 0..self.width() {
                *counts.entry(self.pixel(x, y)).or_default() += 1;
            }
        }
        let mut colours: Vec<(Colour, usize)> = counts.into_iter().collect();
        colours.sort_by_key(|&(colour, count)| (std::cmp::Reverse(count), colour));
        let palette: Vec<Colour> = colours.iter().take(COLOURS).map(|&(colour, _)| colour).collect();
        let distance =
            |a: Colour, b: Colour| -> u32 { a.into_iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
        let nearest = |colour: Colour| (0..palette.len()).min_by_key(|&place| distance(palette[place], colour));
        let places = colours.iter().filter_map(|&(colour, _)| Some((colour, nearest(colour)?))).collect();
        (places, palette)
    }
}

/// Columns of a band as characters, equal neighbours as a number.
fn repeated(text: &mut String, columns: &[u8]) {
    for run in columns.chunk_by(|a, b| a == b) {
        let character = char::from(b'?' + run[0]);
        if run.len() < WORTH_A_NUMBER {
            text.extend(std::iter::repeat_n(character, run.len()));
        } else {
            let _ = write!(text, "!{}{character}", run.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal makes of a text: its pixels as positions of colours in percent.
    fn read(text: &str) -> Vec<Vec<Option<[u8; 3]>>> {
        let body = text.strip_prefix("\x1bP0;1q\"1;1;").unwrap().strip_suffix("\x1b\\").unwrap();
        let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (size, mut rest) = body.split_once('#').unwrap();
        let (width, height) = size.split_once(';').unwrap();
        let (width, height): (usize, usize) = (width.parse().unwrap(), height.parse().unwrap());
        let mut pixels = vec![vec![None; width]; height];
        let (mut palette, mut colour, mut x, mut top, mut times) = (HashMap::new(), 0, 0, 0, 1);
        let mut is_number = true;
        while !rest.is_empty() {
            if is_number {
                let digits = number(rest);
                colour = rest[..digits].parse::<usize>().unwrap();
                rest = &rest[digits..];
                if let Some(parts) = rest.strip_prefix(";2;") {
                    let mut channels = [0; 3];
                    rest = parts;
                    for (place, channel) in channels.iter_mut().enumerate() {
                        let digits = number(rest);
                        *channel = rest[..digits].parse().unwrap();
                        rest = rest[digits..].strip_prefix(';').filter(|_| place < 2).unwrap_or(&rest[digits..]);
                    }
                    palette.insert(colour, channels);
                }
                is_number = false;
                continue;
            }
            let first = rest.as_bytes()[0];
            rest = &rest[1..];
            match first {
                b'#' => is_number = true,
                b'$' => x = 0,
                b'-' => (x, top) = (0, top + BAND),
                b'!' => {
                    let digits = number(rest);
                    times = rest[..digits].parse().unwrap();
                    rest = &rest[digits..];
                }
                bits => {
                    for _ in 0..std::mem::replace(&mut times, 1) {
                        for bit in (0..BAND).filter(|bit| (bits - b'?') >> bit & 1 == 1) {
                            pixels[top + bit][x] = Some(palette[&colour]);
                        }
                        x += 1;
                    }
                }
            }
        }
        pixels
    }

    #[test]
    fn a_terminal_reads_the_pixels_again() {
        let mut canvas = Canvas::new(23, 14);
        canvas.tile(1, 2, &[[255, 0, 0], [0; 3], [0, 51, 0], [102; 3]], 2, 5);
        canvas.tile(15, 0, &[[0, 0, 255]; 9], 3, 2);
        let pixels = read(&canvas.sixels());
        assert_eq!((pixels.len(), pixels[0].len()), (14, 23));
        for (y, row) in pixels.iter().enumerate() {
            for (x, &pixel) in row.iter().enumerate() {
                assert_eq!(pixel, Some(canvas.pixel(x, y).map(|c| (f64::from(c) / 2.55).round() as u8)), "{x} {y}");
            }
        }
    }

    #[test]
    fn many_colours_become_256() {
        let mut canvas = Canvas::new(30, 30);
        let colours: Vec<Colour> = (0..900u16).map(|n| [(n % 30 * 8) as u8, (n / 30 * 8) as u8, 0]).collect();
        canvas.tile(0, 0, &colours, 30, 1);
        let text = canvas.sixels();
        assert_eq!(text.matches(";2;").count(), 256);
        assert!(read(&text).iter().flatten().all(Option::is_some));
    }
}
