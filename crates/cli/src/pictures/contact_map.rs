//! A map of couplings between sites, and of the contacts of a structure.

use super::paint::{COLOUR_BAR, Colour, FRAME, Paint, WHITE, mixed};
use crate::failure::Result;
use deepbelief_analysis::contacts::Pair;
use deepbelief_analysis::structure::Distances;
use deepbelief_report::{CHARACTER, LINE};

const STRONG: Colour = [8, 48, 107];
const CONTACT: Colour = [190, 190, 190];
const RIGHT: Colour = [0, 140, 60];
const WRONG: Colour = [210, 40, 40];
const UNKNOWN: Colour = [31, 119, 180];

const MARGIN: usize = 12;
/// Pixels that the sites of a side take, about.
const SIDE: usize = 600;
/// Lines of words above the map.
const WORDS: usize = 3;
/// Height of what stands above the map.
const TOP: usize = MARGIN + WORDS * LINE + 4 + COLOUR_BAR + 8;
/// Width of the colour bar, at most.
const BAR: usize = 300;

/// What is drawn: scores above the diagonal, contacts and the first pairs below.
pub(crate) struct ContactMap<'a> {
    pub(crate) title: String,
    pub(crate) sites: usize,
    /// Pairs by their score, the highest first.
    pub(crate) pairs: &'a [Pair],
    pub(crate) known: Option<&'a Distances>,
    /// Å below which a pair is a contact.
    pub(crate) limit: f64,
}

impl ContactMap<'_> {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let cell = (SIDE / self.sites.max(1)).clamp(1, 16);
        let side = cell * self.sites;
        let (left, top) = (MARGIN + 4 * CHARACTER, TOP);
        let widest = self.title.chars().count().max(68) * CHARACTER;
        let width = (left + side + MARGIN).max(2 * MARGIN + widest);
        let mut paint = Paint::new(width, top + side + LINE + MARGIN);
        paint.text(MARGIN, MARGIN, &self.title);
        let below = if self.known.is_some() {
            "contacts grey, the first L pairs green where right, red where wrong"
        } else {
            "the first L pairs"
        };
        paint.text(MARGIN, MARGIN + LINE, "above the diagonal: scores, by the bar; below it:");
        paint.text(MARGIN, MARGIN + 2 * LINE, below);
        let highest = self.pairs.first().map_or(1.0, |pair| pair.score).max(f64::MIN_POSITIVE);
        // The root shows weak couplings too.
        let shade = |score: f64| mixed(WHITE, STRONG, (score / highest).max(0.0).sqrt());
        paint.colour_bar((left, MARGIN + WORDS * LINE + 4), side.clamp(160, BAR), (0.0, highest), shade);
        paint.rectangle((left - 1, top - 1), (side + 2, side + 2), FRAME);
        paint.rectangle((left, top), (side, side), WHITE);
        let mut dot = |row: usize, column: usize, colour| {
            paint.rectangle((left + column * cell, top + row * cell), (cell, cell), colour);
        };
        for pair in self.pairs.iter().rev() {
            dot(pair.i, pair.j, shade(pair.score));
        }
        let contact = |i, j| self.known.and_then(|known| known.between(i, j)).map(|distance| distance < self.limit);
        for (i, j) in (0..self.sites).flat_map(|i| (i..self.sites).map(move |j| (i, j))) {
            if i == j {
                dot(i, i, FRAME);
            } else if contact(i, j) == Some(true) {
                dot(j, i, CONTACT);
            }
        }
        for pair in self.pairs.iter().take(self.sites) {
            let colour = match contact(pair.i, pair.j) {
                Some(true) => RIGHT,
                Some(false) => WRONG,
                None => UNKNOWN,
            };
            dot(pair.j, pair.i, colour);
        }
        let every = [10, 20, 50, 100, 200, 500].into_iter().find(|every| every * cell >= LINE * 2).unwrap_or(500);
        for site in (every..=self.sites).step_by(every) {
            let (text, middle) = (site.to_string(), (site - 1) * cell + cell / 2);
            let width = text.chars().count() * CHARACTER;
            paint.text((left - 4).saturating_sub(width), (top + middle).saturating_sub(LINE / 2), &text);
            paint.text((left + middle).saturating_sub(width / 2), top + side + 4, &text);
        }
        paint.png()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pairs_are_green_where_they_are_contacts_and_red_elsewhere() {
        let pair = |i, j, score| Pair { i, j, score, norm: score };
        let pairs = [pair(0, 3, 2.0), pair(1, 2, 1.0), pair(0, 2, 0.5)];
        let known = Distances::new(4, [(0, 3, 5.0), (1, 2, 9.0), (2, 3, 1.0)]).unwrap();
        let map = ContactMap { title: "t".into(), sites: 4, pairs: &pairs, known: Some(&known), limit: 8.0 };
        let picture = image::load_from_memory(&map.png().unwrap()).unwrap().to_rgb8();
        let at = |row: usize, column: usize| {
            let (x, y) = (MARGIN + 4 * CHARACTER + column * 16 + 8, TOP + row * 16 + 8);
            picture.get_pixel(x as u32, y as u32).0
        };
        assert_eq!([at(3, 0), at(2, 1), at(2, 0), at(3, 2)], [RIGHT, WRONG, UNKNOWN, CONTACT]);
        assert_eq!([at(0, 3), at(1, 1), at(3, 1)], [STRONG, FRAME, WHITE]);
    }
}
