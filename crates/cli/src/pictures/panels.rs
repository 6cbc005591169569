//! One page of how samples compare with data: frequencies against each other, projections, free energies.

use super::paint::{Colour, Paint};
use super::panel::{GAP, MARGIN, Panel, SIDE, place, range};
use crate::failure::Result;
use deepbelief_analysis::quality::moments::{Agreement, Moments};
use deepbelief_analysis::quality::projections::Projection;
use deepbelief_report::LINE;

const BINS: usize = 60;
const DATA: Colour = [31, 119, 180];
const SAMPLES: Colour = [214, 96, 20];
const INK: Colour = [8, 48, 107];

/// What is drawn.
pub(crate) struct Panels<'a> {
    pub(crate) title: String,
    pub(crate) moments: &'a Moments,
    pub(crate) projections: &'a [Projection],
    /// Free energies of data and of samples, nats.
    pub(crate) energies: [Vec<f64>; 2],
}

impl Panels<'_> {
    /// As a PNG file.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let (width, height) = (2 * MARGIN + 3 * SIDE + 2 * GAP, 2 * MARGIN + LINE + 2 * (SIDE + GAP));
        let mut paint = Paint::new(width, height);
        paint.text(MARGIN, MARGIN, &self.title);
        let of = |name: &str, found: &Agreement| {
            (format!("{name}: r {:.3}, slope {:.2}", found.pearson, found.slope), found.points.clone())
        };
        let mut upper = vec![of("frequencies", &self.moments.one), of("pairs", &self.moments.two)];
        upper.extend(self.moments.three.as_ref().map(|three| of("triples", three)));
        for (column, (title, points)) in upper.into_iter().enumerate() {
            let range = range(points.iter().flat_map(|&(x, y)| [x, y]));
            let panel = Panel { place: place(column, 0), x: range, y: range };
            panel.scatter(&mut paint, &points, INK, true);
            panel.frame(&mut paint, &title, "data (across), samples (up)");
        }
        if let [first, second, ..] = self.projections {
            let x = range(first.data.iter().chain(&first.samples).copied());
            let y = range(second.data.iter().chain(&second.samples).copied());
            let data: Vec<(f64, f64)> = first.data.iter().copied().zip(second.data.iter().copied()).collect();
            let samples: Vec<(f64, f64)> = first.samples.iter().copied().zip(second.samples.iter().copied()).collect();
            for (column, (name, points, colour)) in
                [("data", &data, DATA), ("samples", &samples, SAMPLES)].into_iter().enumerate()
            {
                let panel = Panel { place: place(column, 1), x, y };
                panel.scatter(&mut paint, points, colour, false);
                panel.frame(&mut paint, &format!("{name} by principal components"), "first (across), second (up)");
            }
        }
        let x = range(self.energies.iter().flatten().copied());
        let bars = self.energies.each_ref().map(|energies| histogram(energies, x));
        let top = bars.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
        let panel = Panel { place: place(2, 1), x, y: (0.0, top) };
        for (bars, colour) in bars.iter().zip([DATA, SAMPLES]) {
            panel.steps(&mut paint, bars, colour);
        }
        panel.frame(&mut paint, "free energies, nats", "data blue, samples orange");
        paint.png()
    }
}

/// Shares of the values in each bin.
fn histogram(values: &[f64], (low, high): (f64, f64)) -> Vec<f64> {
    let mut bins = vec![0.0; BINS];
    for x in values.iter().filter(|x| x.is_finite()) {
        let bin = ((x - low) / (high - low) * BINS as f64) as usize;
        bins[bin.min(BINS - 1)] += 1.0 / values.len() as f64;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(points: Vec<(f64, f64)>) -> Agreement {
        Agreement { count: points.len(), pearson: 0.9, slope: 1.0, points }
    }

    #[test]
    fn whatever_there_is_makes_a_page() {
        let two = || agreement(vec![(0.0, 0.0), (1.0, 1.0)]);
        let projection =
            || Projection { explained: 0.5, distance: 0.1, data: vec![0.0, 1.0], samples: vec![0.5, f64::NAN] };
        let full = Panels {
            title: "t".into(),
            moments: &Moments { one: two(), two: two(), three: Some(two()) },
            projections: &[projection(), projection()],
            energies: [vec![-3.0, -2.0], vec![f64::INFINITY, -2.5]],
        };
        let picture = image::load_from_memory(&full.png().unwrap()).unwrap().to_rgb8();
        // The greatest point of the first panel is a dot in its upper right corner.
        let (left, top) = place(0, 0);
        assert_eq!(picture.get_pixel((left + SIDE - 8) as u32, (top + 7) as u32).0, INK);
        let bare = Panels {
            title: String::new(),
            moments: &Moments { one: agreement(Vec::new()), two: two(), three: None },
            projections: &[],
            energies: [Vec::new(), vec![1.0]],
        };
        assert!(image::load_from_memory(&bare.png().unwrap()).is_ok());
    }
}
