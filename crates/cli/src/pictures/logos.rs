//! Hidden units of a model of sequences: the letters that each looks for, and its inputs over the data.

use super::drawing::Drawing;
use super::paint::Colour;
use crate::failure::Result;
use deepbelief_report::chart::round_marks;
use deepbelief_report::{CHARACTER, LINE};

const MARGIN: f64 = 12.0;
/// Height of the letters of a unit, both sides of the axis.
const LOGO: f64 = 140.0;
/// Width of the logo, about, and of a histogram.
const WIDTH: f64 = 900.0;
const HISTOGRAM: f64 = 160.0;
const BINS: usize = 30;
const GAP: f64 = 16.0;
const AXIS: Colour = [120, 120, 120];
const BARS: Colour = [31, 119, 180];

/// Width of the scale of weights at the left of a logo.
const SCALE: f64 = (7 * CHARACTER + TICK) as f64;
const TICK: usize = 6;
/// Marks of the scale, about.
const MARKS: usize = 6;
/// What the axes of every unit are.
const AXES: &str =
    "the height of a letter is its weight, by the scale at the left; at the right the numbers of sequences by input";

/// Letters below this share of the highest column are too small to be read, and left out.
const LEAST: f64 = 0.01;

/// A hidden unit as it is drawn.
pub(crate) struct UnitLogo {
    /// Lines above it.
    pub(crate) title: Vec<String>,
    /// Weights of the letters, `[sites][letters]`.
    pub(crate) weights: Vec<Vec<f64>>,
    /// Its input for each sequence.
    pub(crate) inputs: Vec<f64>,
}

/// Some of them, one below the other.
pub(crate) struct Logos {
    pub(crate) title: String,
    pub(crate) letters: Vec<char>,
    pub(crate) units: Vec<UnitLogo>,
}

impl Logos {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        self.draw().png()
    }

    /// As an SVG file.
    pub(crate) fn svg(&self) -> Vec<u8> {
        self.draw().svg()
    }

    fn draw(&self) -> Drawing {
        let sites = self.units.first().map_or(1, |unit| unit.weights.len().max(1)) as f64;
        let cell = (WIDTH / sites).clamp(6.0, 28.0);
        let side = sites * cell;
        let line = LINE as f64;
        let lines = self.units.iter().map(|unit| unit.title.len()).max().unwrap_or(0) as f64;
        let pitch = (lines + 0.5) * line + LOGO + 2.0 * line + GAP;
        let titles = self.units.iter().flat_map(|unit| &unit.title).chain([&self.title]).map(String::as_str);
        let text = titles.chain([AXES]).map(text_width).fold(0.0, f64::max);
        let left = MARGIN + SCALE;
        let width = (SCALE + side + GAP + HISTOGRAM).max(text) + 2.0 * MARGIN;
        let head = MARGIN + 2.0 * line + GAP;
        let mut drawing = Drawing::new(width, head + pitch * self.units.len() as f64 + MARGIN);
        drawing.text(MARGIN, MARGIN, self.title.as_str());
        drawing.text(MARGIN, MARGIN + line, AXES);
        let is_nucleic = self.letters.iter().all(|letter| "ACGTUN-.".contains(*letter));
        for (place, unit) in self.units.iter().enumerate() {
            let mut top = head + pitch * place as f64;
            for text in &unit.title {
                drawing.text(MARGIN, top, text.as_str());
                top += line;
            }
            // The uppermost number of the scale takes half a line more.
            top += 0.5 * line;
            self.logo(&mut drawing, unit, [left, top, cell, LOGO], is_nucleic);
            histogram(&mut drawing, &unit.inputs, [left + side + GAP, top, HISTOGRAM, LOGO]);
            site_numbers(&mut drawing, unit.weights.len(), [left, top + LOGO + 2.0, cell]);
        }
        drawing
    }

    /// Letters of positive weights stand on the axis, the largest at the top; those of negative ones hang below it.
    fn logo(&self, drawing: &mut Drawing, unit: &UnitLogo, [left, top, cell, height]: [f64; 4], is_nucleic: bool) {
        let side = |weights: &[f64], sign: f64| weights.iter().map(|w| (sign * w).max(0.0)).sum::<f64>();
        let most = |sign: f64| unit.weights.iter().map(|weights| side(weights, sign)).fold(0.0, f64::max);
        let (above, below) = (most(1.0), most(-1.0));
        let unit_height = height / (above + below).max(f64::MIN_POSITIVE);
        let axis = top + above * unit_height;
        for (site, weights) in unit.weights.iter().enumerate() {
            let x = left + site as f64 * cell;
            for sign in [1.0, -1.0] {
                let mut order: Vec<usize> =
                    (0..weights.len()).filter(|&a| sign * weights[a] > LEAST * above.max(below)).collect();
                order.sort_by(|&a, &b| weights[a].abs().total_cmp(&weights[b].abs()));
                let mut from = axis;
                for a in order {
                    let tall = weights[a].abs() * unit_height;
                    let y = if sign > 0.0 { from - tall } else { from };
                    drawing.letter(
                        [x + 0.5, y, cell - 1.0, tall],
                        self.letters[a],
                        colour(self.letters[a], is_nucleic),
                    );
                    from -= sign * tall;
                }
            }
        }
        drawing.rectangle([left, axis - 0.5, cell * unit.weights.len() as f64, 1.0], AXIS);
        drawing.rectangle([left - 1.0, top, 1.0, height], AXIS);
        for (weight, text) in round_marks(-below, above, MARKS) {
            let y = axis - weight * unit_height;
            drawing.rectangle([left - 4.0, y - 0.5, 4.0, 1.0], AXIS);
            drawing.text(left - TICK as f64 - text_width(&text), y - 0.5 * LINE as f64, text);
        }
    }
}

/// Pixels that a text is wide.
fn text_width(text: &str) -> f64 {
    (text.chars().count() * CHARACTER) as f64
}

/// Numbers of the sites, as many as fit side by side, and what they are.
fn site_numbers(drawing: &mut Drawing, sites: usize, [left, top, cell]: [f64; 3]) {
    let room = text_width(&sites.to_string()) + CHARACTER as f64;
    let every = [1, 2, 5, 10, 20, 50].into_iter().find(|&every| every as f64 * cell >= room).unwrap_or(100);
    for site in (every..=sites).step_by(every) {
        let text = site.to_string();
        drawing.text(left + (site as f64 - 0.5) * cell - text_width(&text) / 2.0, top, text);
    }
    drawing.text(left + (sites as f64 * cell - text_width("site")) / 2.0, top + LINE as f64, "site");
}

/// Bars of how often inputs are in each of equal bins, with the ends of the axis and the number of the highest bar below.
fn histogram(drawing: &mut Drawing, inputs: &[f64], [left, top, width, height]: [f64; 4]) {
    let finite = || inputs.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if low > high {
        return;
    }
    let mut bins = [0.0f64; BINS];
    for x in finite() {
        let bin = ((x - low) / (high - low).max(f64::MIN_POSITIVE) * BINS as f64) as usize;
        bins[bin.min(BINS - 1)] += 1.0;
    }
    let most = bins.iter().copied().fold(0.0, f64::max);
    let wide = width / BINS as f64;
    for (bin, found) in bins.iter().enumerate().filter(|(_, found)| **found > 0.0) {
        let tall = height * found / most;
        drawing.rectangle([left + bin as f64 * wide, top + height - tall, wide - 1.0, tall], BARS);
    }
    drawing.rectangle([left, top + height, width, 1.0], AXIS);
    let (first, last) = (format!("{low:.1}"), format!("{high:.1}"));
    let end = left + width - text_width(&last);
    drawing.text(left, top + height + 2.0, first);
    drawing.text(end, top + height + 2.0, last);
    drawing.text(left, top + height + 2.0 + LINE as f64, format!("highest bar: {most:.0}"));
}

/// The colours of `WebLogo` (Crooks et al. 2004): of nucleic acids by base, of amino acids by their chemistry.
fn colour(letter: char, is_nucleic: bool) -> Colour {
    const GREEN: Colour = [0, 140, 0];
    const BLUE: Colour = [0, 0, 204];
    const RED: Colour = [204, 0, 0];
    match letter.to_ascii_uppercase() {
        '-' | '.' => [150, 150, 150],
        'A' if is_nucleic => GREEN,
        'C' if is_nucleic => BLUE,
        'G' if is_nucleic => [255, 165, 0],
        'T' | 'U' if is_nucleic => RED,
        'G' | 'S' | 'T' | 'Y' | 'C' => GREEN,
        'Q' | 'N' => [128, 0, 128],
        'K' | 'R' | 'H' => BLUE,
        'D' | 'E' => RED,
        _ => [0, 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_letters_stand_above_the_axis_and_negative_ones_hang_below() {
        let unit = UnitLogo {
            title: vec!["unit 3".into()],
            weights: vec![vec![1.0, -1.0], vec![0.0, 0.0]],
            inputs: vec![0.0, 1.0, 1.0],
        };
        let logos = Logos { title: "t".into(), letters: vec!['D', 'K'], units: vec![unit] };
        let picture = image::load_from_memory(&logos.png().unwrap()).unwrap().to_rgb8();
        let (left, top) = (MARGIN + SCALE, MARGIN + 3.5 * LINE as f64 + GAP);
        let colours = |from: f64, to: f64| -> Vec<[u8; 3]> {
            let rows = (top + from) as u32..(top + to) as u32;
            rows.flat_map(|y| (left as u32..left as u32 + 28).map(move |x| (x, y)))
                .map(|(x, y)| picture.get_pixel(x, y).0)
                .collect()
        };
        assert!(colours(2.0, 68.0).contains(&[204, 0, 0]) && !colours(2.0, 68.0).contains(&[0, 0, 204]));
        assert!(colours(72.0, 138.0).contains(&[0, 0, 204]) && !colours(72.0, 138.0).contains(&[204, 0, 0]));
        let svg = String::from_utf8(logos.svg()).unwrap();
        for text in ["unit 3", "-1.0", "-0.5", "0", "0.5", "1.0", "1", "2", "site", "highest bar: 2"] {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}: {svg}");
        }
        assert_eq!([colour('T', true), colour('T', false)], [[204, 0, 0], [0, 140, 0]]);
    }
}
