//! How a training went, as an SVG picture: cost, log-likelihood, free-energy gap, hidden activity or
//! spread and label error by epoch.

use crate::failure::{Failure, Result};
use crate::history::{Epoch, FinetuneEpoch, TuneEpoch};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 800;
const PANEL: u32 = 300;
const TITLE: u32 = 44;
const INK: RGBColor = RGBColor(40, 40, 40);
const TRAIN: RGBColor = RGBColor(31, 119, 180);
const VALID: RGBColor = RGBColor(214, 96, 20);
/// Of layer after layer.
const DRIFT: [RGBColor; 4] = [TRAIN, VALID, RGBColor(44, 130, 60), RGBColor(130, 70, 160)];

/// Points of a line at most: about as many as a panel has columns of pixels.
const MOST_POINTS: usize = 700;

/// Points that have a dot each, at most: more would hide the line.
const MOST_DOTS: usize = 100;

/// Share of a panel's height that a line of its legend takes.
const LEGEND: f64 = 0.1;

/// One line of a panel: its name, colour and points.
struct Line {
    name: String,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

impl Line {
    /// From the epochs that have a value.
    fn new(name: &str, colour: RGBColor, epochs: impl Iterator<Item = (u32, Option<f64>)>) -> Self {
        let points: Vec<_> = epochs.filter_map(|(epoch, value)| Some((f64::from(epoch), value?))).collect();
        Self { name: name.to_string(), colour, points: thinned(points) }
    }
}

/// The lowest and the highest of neighbouring points where there are more than can be seen, so that no leap
/// gets lost, and in any case the last.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let mut kept = Vec::with_capacity(MOST_POINTS + 1);
    for part in points.chunks(points.len().div_ceil(MOST_POINTS / 2)) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = part.iter().min_by(by_value).zip(part.iter().max_by(by_value));
        if let Some((low, high)) = ends {
            kept.extend([if low.0 <= high.0 { low } else { high }, if low.0 <= high.0 { high } else { low }]);
        }
    }
    kept.extend(points.last());
    kept.dedup();
    kept
}

/// One chart.
pub(crate) struct Panel {
    y_title: &'static str,
    lines: Vec<Line>,
}

/// How an RBM learned.
pub(crate) fn learning(epochs: &[Epoch]) -> Vec<Panel> {
    let line = |name: &str, colour, value: &dyn Fn(&Epoch) -> Option<f64>| {
        Line::new(name, colour, epochs.iter().map(|epoch| (epoch.number, value(epoch))))
    };
    vec![
        Panel {
            y_title: "Reconstruction cost (nats per sample)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(epoch.reconstruction_cost)),
                line("validation", VALID, &|epoch| epoch.reconstruction_cost_valid),
            ],
        },
        Panel {
            y_title: "Log-likelihood (nats per sample)",
            lines: vec![
                line("training", TRAIN, &|epoch| epoch.log_likelihood_train),
                line("validation", VALID, &|epoch| epoch.log_likelihood_valid),
            ],
        },
        Panel {
            y_title: "Free-energy gap (nats per sample)",
            lines: vec![line("validation - training", VALID, &|epoch| epoch.free_energy_gap)],
        },
        Panel {
            y_title: "Hidden activity (mean probability)",
            lines: vec![line("training", TRAIN, &|epoch| epoch.hidden_activity)],
        },
        Panel {
            y_title: "Hidden spread (standard deviation)",
            lines: vec![line("training", TRAIN, &|epoch| epoch.hidden_spread)],
        },
        Panel {
            y_title: "Label error (%)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(100.0 * epoch.label_error_train?)),
                line("validation", VALID, &|epoch| Some(100.0 * epoch.label_error_valid?)),
            ],
        },
    ]
}

/// How a deep belief net was tuned.
pub(crate) fn tuning(epochs: &[TuneEpoch]) -> Vec<Panel> {
    let line = |name: &str, colour, value: &dyn Fn(&TuneEpoch) -> Option<f64>| {
        Line::new(name, colour, epochs.iter().map(|epoch| (epoch.number, value(epoch))))
    };
    let layers = epochs.first().map_or(0, |epoch| epoch.layers.len());
    let drift = |layer: usize| {
        let colour = DRIFT[layer % DRIFT.len()];
        line(&format!("layer {layer}"), colour, &|epoch| epoch.layers.get(layer).map(|drift| drift.divergence))
    };
    vec![
        Panel {
            y_title: "Label error (%)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(100.0 * epoch.label_error_train?)),
                line("validation", VALID, &|epoch| Some(100.0 * epoch.label_error_valid?)),
            ],
        },
        Panel {
            y_title: "Variational cost (nats per sample)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(epoch.variational_cost)),
                line("validation", VALID, &|epoch| epoch.variational_cost_valid),
            ],
        },
        Panel { y_title: "Recognition and generative weights apart (nats)", lines: (0..layers).map(drift).collect() },
        Panel {
            y_title: "Free-energy gap of the top (nats per sample)",
            lines: vec![line("validation - training", VALID, &|epoch| epoch.free_energy_gap)],
        },
    ]
}

/// How a network learned by backpropagation.
pub(crate) fn finetuning(epochs: &[FinetuneEpoch]) -> Vec<Panel> {
    let line = |name: &str, colour, value: &dyn Fn(&FinetuneEpoch) -> Option<f64>| {
        Line::new(name, colour, epochs.iter().map(|epoch| (epoch.number, value(epoch))))
    };
    vec![
        Panel {
            y_title: "Label error (%)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(100.0 * epoch.label_error_train?)),
                line("validation", VALID, &|epoch| Some(100.0 * epoch.label_error_valid?)),
            ],
        },
        Panel {
            y_title: "Squared error per sample",
            lines: vec![
                line("training", TRAIN, &|epoch| epoch.squared_error_train),
                line("validation", VALID, &|epoch| epoch.squared_error_valid),
            ],
        },
        Panel {
            y_title: "Cross-entropy (nats per sample)",
            lines: vec![
                line("training", TRAIN, &|epoch| Some(epoch.cost)),
                line("validation", VALID, &|epoch| epoch.cost_valid),
                line("as learned from", DRIFT[2], &|epoch| epoch.training_cost),
            ],
        },
    ]
}

/// Draws the panels that have anything to show; `None` if none has.
pub(crate) fn curves(title: &str, panels: Vec<Panel>) -> Result<Option<Vec<u8>>> {
    let panels: Vec<Panel> =
        panels.into_iter().filter(|panel| panel.lines.iter().any(|line| !line.points.is_empty())).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let mut svg = String::new();
    draw(&mut svg, title, &panels).map_err(|reason| Failure::new(reason).while_doing("cannot draw the curves"))?;
    Ok(Some(svg.into_bytes()))
}

fn draw(svg: &mut String, title: &str, panels: &[Panel]) -> std::result::Result<(), String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let root = SVGBackend::with_string(svg, (WIDTH, TITLE + PANEL * panels.len() as u32)).into_drawing_area();
    root.fill(&WHITE).map_err(|e| text(&e))?;
    let (head, body) = root.split_vertically(TITLE);
    let style = ("sans-serif", 20).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Center));
    head.draw_text(title, &style, ((WIDTH / 2) as i32, (TITLE / 2) as i32)).map_err(|e| text(&e))?;
    for (panel, area) in panels.iter().zip(body.split_evenly((panels.len(), 1))) {
        let points = || panel.lines.iter().flat_map(|line| &line.points);
        let (x, mut y) = (range(points().map(|p| p.0)), range(points().map(|p| p.1)));
        // Room for the legend above all points.
        y.1 += LEGEND * panel.lines.len() as f64 * (y.1 - y.0);
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(x.0..x.1, y.0..y.1)
            .map_err(|e| text(&e))?;
        let digits = digits(y);
        chart
            .configure_mesh()
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .axis_style(INK.mix(0.6))
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .axis_desc_style(("sans-serif", 14).into_font().color(&INK))
            .x_desc("Epoch")
            .y_desc(panel.y_title)
            .x_labels(12)
            .y_labels(6)
            // Epochs are whole: a mark between two of them stays bare.
            .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x}") } else { String::new() })
            // Adding zero turns -0 into 0.
            .y_label_formatter(&|y| format!("{:.digits$}", (y * 1e6).round() / 1e6 + 0.0))
            .draw()
            .map_err(|e| text(&e))?;
        for line in panel.lines.iter().filter(|line| !line.points.is_empty()) {
            let colour = line.colour;
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))
                .map_err(|e| text(&e))?
                .label(line.name.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
            // Dots show where the epochs are, and a single one at all.
            let dotted = if line.points.len() <= MOST_DOTS { &line.points[..] } else { &[] };
            let dots = dotted.iter().map(|&point| Circle::new(point, 2, colour.filled()));
            chart.draw_series(dots).map_err(|e| text(&e))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(INK.mix(0.3))
            .label_font(("sans-serif", 13).into_font().color(&INK))
            .draw()
            .map_err(|e| text(&e))?;
    }
    root.present().map_err(|e| text(&e))
}

/// From the least to the greatest value, with a little room, and never empty.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.filter(|x| x.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = if high > low { 0.06 * (high - low) } else { 0.5 * low.abs().max(1.0) };
    (low - room, high + room)
}

/// Decimals that tell the marks of an axis apart.
fn digits((low, high): (f64, f64)) -> usize {
    (1.0 - (high - low).log10().floor()).clamp(0.0, 6.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u32, valid: bool) -> Epoch {
        let x = f64::from(number);
        Epoch {
            layer: 0,
            number,
            reconstruction_cost: 60.0 + 100.0 / x,
            reconstruction_cost_valid: valid.then_some(62.0 + 100.0 / x),
            free_energy_train: -100.0,
            free_energy_valid: valid.then_some(-99.0),
            free_energy_gap: valid.then_some(x.sqrt()),
            hidden_activity: Some(0.2 - 0.05 / x),
            hidden_spread: None,
            label_error_train: valid.then_some(0.1 / x),
            label_error_valid: valid.then_some(0.2 / x),
            log_likelihood_train: Some(-90.0 - 100.0 / x),
            log_likelihood_valid: valid.then_some(-91.0 - 100.0 / x),
        }
    }

    #[test]
    fn every_panel_has_its_titles_and_units() {
        let epochs: Vec<Epoch> = (1..=30).map(|n| epoch(n, true)).collect();
        let svg = String::from_utf8(curves("A title", learning(&epochs)).unwrap().unwrap()).unwrap();
        let expected = [
            "A title",
            "Log-likelihood (nats per sample)",
            "Epoch",
            "Reconstruction cost (nats per sample)",
            "Free-energy gap (nats per sample)",
            "Hidden activity (mean probability)",
            "validation - training",
            "Label error (%)",
        ];
        for text in expected {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn without_validation_there_is_no_gap_panel_and_one_epoch_is_enough() {
        let svg = String::from_utf8(curves("t", learning(&[epoch(1, false)])).unwrap().unwrap()).unwrap();
        assert!(
            !svg.contains("gap")
                && !svg.contains("Label error")
                && svg.contains("Hidden activity")
                && svg.contains("<circle")
        );
        assert!(curves("t", learning(&[])).unwrap().is_none());
    }

    /// A picture of many epochs is no larger than one of some, and shows every leap.
    #[test]
    fn many_epochs_are_thinned_and_leaps_stay() {
        let epochs = |n| (1..=n).map(|n| epoch(n, true)).collect::<Vec<_>>();
        let mut many = epochs(20_000);
        many[12_345].reconstruction_cost = 1e4;
        let panels = learning(&many);
        let line = &panels[0].lines[0].points;
        assert!(line.len() <= MOST_POINTS + 1 && line.is_sorted_by(|a, b| a.0 < b.0));
        assert!(line.contains(&(12_346.0, 1e4)) && line.contains(&(1.0, 160.0)));
        assert_eq!(line.last(), Some(&(20_000.0, 60.005)));
        let size = |epochs: &[Epoch]| curves("t", learning(epochs)).unwrap().unwrap().len();
        assert!(size(&many) < 2 * size(&epochs(700)), "{} and {}", size(&many), size(&epochs(700)));
    }

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(range([3.0, 3.0].into_iter()), (1.5, 4.5));
        assert_eq!(range(std::iter::empty()), (0.0, 1.0));
        let (low, high) = range([f64::NAN, 1.0, 2.0].into_iter());
        assert!(low < 1.0 && high > 2.0);
        assert_eq!([digits((0.0, 0.05)), digits((0.0, 5.0)), digits((0.0, 500.0))], [3, 1, 0]);
    }
}
