//! A square with two axes, in which points, bars and lines are drawn.

use super::paint::{Colour, FRAME, Paint, WHITE, mixed};
use deepbelief_report::{CHARACTER, LINE};

pub(super) const SIDE: usize = 300;
pub(super) const GAP: usize = 64;
pub(super) const MARGIN: usize = 16;
/// Pixels of a dot.
const DOT: usize = 3;
const LINE_OF_EQUALS: Colour = [190, 190, 190];

/// The upper left corner of a panel.
pub(super) fn place(column: usize, row: usize) -> (usize, usize) {
    (MARGIN + column * (SIDE + GAP), MARGIN + 2 * LINE + LINE / 2 + row * (SIDE + GAP))
}

/// The least and the greatest of some numbers, a little apart.
pub(super) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.filter(|x| x.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = 0.02 * (high - low) + 1e-12 * (1.0 + high.abs());
    (low - room, high + room)
}

/// A square with two axes.
pub(super) struct Panel {
    /// Its upper left corner.
    pub(super) place: (usize, usize),
    /// The ends of the axes.
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
}

impl Panel {
    /// The pixel of a point, from the panel's upper left corner.
    fn pixel(&self, x: f64, y: f64) -> (usize, usize) {
        let share = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(0.0, 1.0);
        let at = |share: f64| (share * (SIDE - DOT) as f64).round() as usize;
        (at(share(x, self.x)), at(1.0 - share(y, self.y)))
    }

    /// Dots that are darker where there are more of them.
    pub(super) fn scatter(&self, paint: &mut Paint, points: &[(f64, f64)], colour: Colour, equals: bool) {
        if equals {
            for k in 0..SIDE - DOT {
                paint.rectangle((self.place.0 + k + 1, self.place.1 + SIDE - DOT - k), (1, 1), LINE_OF_EQUALS);
            }
        }
        let cells = SIDE / DOT + 1;
        let mut counts = vec![0u32; cells * cells];
        for &(x, y) in points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()) {
            let (x, y) = self.pixel(x, y);
            counts[y / DOT * cells + x / DOT] += 1;
        }
        let most = f64::from(counts.iter().copied().max().unwrap_or(1)).ln_1p();
        for (at, &found) in counts.iter().enumerate().filter(|&(_, &found)| found > 0) {
            let shade = 0.3 + 0.7 * f64::from(found).ln_1p() / most;
            let corner = (self.place.0 + at % cells * DOT, self.place.1 + at / cells * DOT);
            paint.rectangle(corner, (DOT, DOT), mixed(WHITE, colour, shade));
        }
    }

    /// The outline of bars side by side.
    pub(super) fn steps(&self, paint: &mut Paint, bars: &[f64], colour: Colour) {
        let (left, top) = self.place;
        let mut before = SIDE - DOT;
        for (bin, &bar) in bars.iter().enumerate() {
            let height = self.pixel(self.x.0, bar).1;
            let x = left + bin * SIDE / bars.len();
            paint.rectangle((x, top + before.min(height)), (2, before.abs_diff(height) + 2), colour);
            paint.rectangle((x, top + height), (SIDE / bars.len(), 2), colour);
            before = height;
        }
    }

    /// Points joined by straight lines.
    pub(super) fn line(&self, paint: &mut Paint, points: &[(f64, f64)], colour: Colour) {
        for pair in points.windows(2) {
            let (from, to) = (self.pixel(pair[0].0, pair[0].1), self.pixel(pair[1].0, pair[1].1));
            let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
            for step in 0..=steps {
                let between = |a: usize, b: usize| (a * (steps - step) + b * step) / steps;
                let corner = (self.place.0 + between(from.0, to.0), self.place.1 + between(from.1, to.1));
                paint.rectangle(corner, (2, 2), colour);
            }
        }
    }

    /// The frame, a title above, the ends of the axes and a note below.
    pub(super) fn frame(&self, paint: &mut Paint, title: &str, note: &str) {
        let (left, top) = self.place;
        for (corner, size) in [
            ((left, top), (SIDE, 1)),
            ((left, top + SIDE), (SIDE + 1, 1)),
            ((left, top), (1, SIDE)),
            ((left + SIDE, top), (1, SIDE)),
        ] {
            paint.rectangle(corner, size, FRAME);
        }
        paint.text(left, top - LINE, title);
        let high = number(self.x.1);
        paint.text(left, top + SIDE + 2, &number(self.x.0));
        paint.text((left + SIDE).saturating_sub(high.len() * CHARACTER), top + SIDE + 2, &high);
        paint.text(left + SIDE.saturating_sub(note.len() * CHARACTER) / 2, top + SIDE + 2 + LINE, note);
    }
}

/// A number of an axis.
fn number(x: f64) -> String {
    if x.abs() >= 10.0 { format!("{x:.0}") } else { format!("{x:.2}") }
}
