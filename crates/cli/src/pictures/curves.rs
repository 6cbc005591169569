//! How a training went, as an SVG picture: cost, log-likelihood, free-energy gap, hidden activity or
//! spread and label error by epoch.

use crate::failure::{Failure, Result};
use crate::report::{cell, escaped};
use crate::run::measured::divergence_of;
use crate::run::traces::Traces;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: u32 = 800;
const PANEL: u32 = 300;
const TITLE: u32 = 44;
/// What is greater is no figure of a training; the marks of an axis are not found without end.
const GREATEST: f64 = 1e30;
/// Of a title, at most.
const TITLE_CHARACTERS: usize = 100;
const INK: RGBColor = RGBColor(40, 40, 40);
const TRAIN: RGBColor = RGBColor(31, 119, 180);
const VALID: RGBColor = RGBColor(214, 96, 20);
/// Of layer after layer.
const DRIFT: [RGBColor; 4] = [TRAIN, VALID, RGBColor(44, 130, 60), RGBColor(130, 70, 160)];

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

/// One chart.
pub(crate) struct Panel {
    y_title: &'static str,
    lines: Vec<Line>,
}

impl Panel {
    /// `lines` are given by name, colour and figure.
    fn new(y_title: &'static str, traces: &Traces, lines: &[(&str, RGBColor, &str)]) -> Self {
        let line = |&(name, colour, figure): &(&str, RGBColor, &str)| Line {
            name: name.to_string(),
            colour,
            points: traces.points(figure),
        };
        Self { y_title, lines: lines.iter().map(line).collect() }
    }

    /// Label errors of training and validation samples.
    fn label_error(traces: &Traces) -> Self {
        let lines = [("training", TRAIN, "label_error_train"), ("validation", VALID, "label_error_valid")];
        let mut panel = Self::new("Label error (%)", traces, &lines);
        for line in &mut panel.lines {
            line.points.iter_mut().for_each(|point| point.1 *= 100.0);
        }
        panel
    }
}

/// How an RBM learned.
pub(crate) fn learning(traces: &Traces) -> Vec<Panel> {
    let panel = |y_title, lines: &[_]| Panel::new(y_title, traces, lines);
    vec![
        panel(
            "Reconstruction cost (nats per sample)",
            &[("training", TRAIN, "reconstruction_cost"), ("validation", VALID, "reconstruction_cost_valid")],
        ),
        panel(
            "Log-likelihood (nats per sample)",
            &[("training", TRAIN, "log_likelihood_train"), ("validation", VALID, "log_likelihood_valid")],
        ),
        panel(
            "Pseudo-likelihood (nats per sample)",
            &[("training", TRAIN, "pseudo_likelihood_train"), ("validation", VALID, "pseudo_likelihood_valid")],
        ),
        panel("Free-energy gap (nats per sample)", &[("validation - training", VALID, "free_energy_gap")]),
        panel("Hidden activity (mean probability)", &[("training", TRAIN, "hidden_activity")]),
        panel("Hidden spread (standard deviation)", &[("training", TRAIN, "hidden_spread")]),
        Panel::label_error(traces),
    ]
}

/// How a deep belief net was tuned.
pub(crate) fn tuning(traces: &Traces) -> Vec<Panel> {
    let panel = |y_title, lines: &[_]| Panel::new(y_title, traces, lines);
    let drift = |layer: usize| Line {
        name: format!("layer {layer}"),
        colour: DRIFT[layer % DRIFT.len()],
        points: traces.points(&divergence_of(layer)),
    };
    let drifts = (0..).map(drift).take_while(|line| !line.points.is_empty());
    vec![
        Panel::label_error(traces),
        panel(
            "Variational cost (nats per sample)",
            &[("training", TRAIN, "variational_cost"), ("validation", VALID, "variational_cost_valid")],
        ),
        Panel { y_title: "Recognition and generative weights apart (nats)", lines: drifts.collect() },
        panel("Free-energy gap of the top (nats per sample)", &[("validation - training", VALID, "free_energy_gap")]),
    ]
}

/// How a network learned by backpropagation.
pub(crate) fn finetuning(traces: &Traces) -> Vec<Panel> {
    let panel = |y_title, lines: &[_]| Panel::new(y_title, traces, lines);
    vec![
        Panel::label_error(traces),
        panel(
            "Squared error per sample",
            &[("training", TRAIN, "squared_error_train"), ("validation", VALID, "squared_error_valid")],
        ),
        panel(
            "Cross-entropy (nats per sample)",
            &[
                ("training", TRAIN, "cost"),
                ("validation", VALID, "cost_valid"),
                ("as learned from", DRIFT[2], "training_cost"),
            ],
        ),
    ]
}

/// Draws the panels that have anything to show; `None` if none has.
pub(crate) fn curves(title: &str, mut panels: Vec<Panel>) -> Result<Option<Vec<u8>>> {
    for line in panels.iter_mut().flat_map(|panel| &mut panel.lines) {
        line.points.retain(|(_, y)| y.abs() < GREATEST);
    }
    let panels: Vec<Panel> =
        panels.into_iter().filter(|panel| panel.lines.iter().any(|line| !line.points.is_empty())).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let mut svg = String::new();
    draw(&mut svg, &xml_text(title), &panels)
        .map_err(|reason| Failure::new(reason).while_doing("cannot draw the curves"))?;
    Ok(Some(svg.into_bytes()))
}

/// A name as a line of text that XML 1.0 allows; the drawing escapes its markup.
fn xml_text(name: &str) -> String {
    escaped(&cell(name, TITLE_CHARACTERS), |c| "\u{fffe}\u{ffff}".contains(c)).into_owned()
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
    // The marks of the axis must be apart in 64 bits.
    let room = room.max(1e-6 * low.abs().max(high.abs()).max(1e-6));
    (low - room, high + room)
}

/// Decimals that tell the marks of an axis apart.
fn digits((low, high): (f64, f64)) -> usize {
    (1.0 - (high - low).log10().floor()).clamp(0.0, 6.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::measured::{Drift, Epoch, FinetuneEpoch, Measured, TuneEpoch};

    fn traces(epochs: impl IntoIterator<Item = impl Measured>) -> Traces {
        let mut traces = Traces::default();
        for epoch in epochs {
            traces.add(epoch.place().1, epoch.figures());
        }
        traces
    }

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
            pseudo_likelihood_train: valid.then_some(-60.0 - 10.0 / x),
            pseudo_likelihood_valid: valid.then_some(-61.0 - 10.0 / x),
        }
    }

    /// Lines find their figures by name: each does, where there are all.
    #[test]
    fn every_line_has_its_figure() {
        let rbm = Epoch { hidden_spread: Some(0.3), ..epoch(1, true) };
        let layers = vec![Drift { divergence: 0.1 }, Drift { divergence: 0.2 }];
        let tuned = TuneEpoch {
            number: 0,
            variational_cost: 1.0,
            variational_cost_valid: Some(2.0),
            free_energy_gap: Some(3.0),
            label_error_train: Some(4.0),
            label_error_valid: Some(5.0),
            layers,
        };
        let network = FinetuneEpoch {
            number: 0,
            training_cost: Some(1.0),
            cost: 2.0,
            cost_valid: Some(3.0),
            label_error_train: Some(4.0),
            label_error_valid: Some(5.0),
            squared_error_train: Some(6.0),
            squared_error_valid: Some(7.0),
        };
        let of_all = [learning(&traces([rbm])), tuning(&traces([tuned])), finetuning(&traces([network]))];
        let lines = of_all.map(|panels| panels.into_iter().flat_map(|panel| panel.lines).collect::<Vec<_>>());
        for line in lines.iter().flatten() {
            assert_eq!(line.points.len(), 1, "{}", line.name);
        }
        assert_eq!(lines.map(|lines| lines.len()), [11, 7, 7]);
    }

    #[test]
    fn label_errors_are_in_percent() {
        let panels = learning(&traces((1..=3).map(|n| epoch(n, true))));
        let errors = panels.last().unwrap();
        assert_eq!(errors.lines[1].points, [(1.0, 20.0), (2.0, 10.0), (3.0, 100.0 * 0.2 / 3.0)]);
    }

    #[test]
    fn every_panel_has_its_titles_and_units() {
        let svg =
            String::from_utf8(curves("A title", learning(&traces((1..=30).map(|n| epoch(n, true))))).unwrap().unwrap())
                .unwrap();
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

    /// The characters of XML 1.0 are tab, line breaks and all from the space on, but for two (section 2.2).
    #[test]
    fn any_name_makes_an_svg_of_legal_characters() {
        let all: String = ('\0'..=char::MAX).collect();
        let legal = |c: char| "\t\n\r".contains(c) || c >= ' ' && !"\u{fffe}\u{ffff}".contains(c);
        for start in (0..0x300).chain(0xff80..0x10010) {
            let name: String = all.chars().skip(start).take(20).collect();
            assert!(xml_text(&name).chars().all(legal), "{start:x}");
        }
        let name = "<b>&\u{1b}[2J\u{ffff}\n".to_string() + &"x".repeat(70_000);
        let svg = String::from_utf8(curves(&name, learning(&traces([epoch(1, true)]))).unwrap().unwrap()).unwrap();
        assert!(svg.contains("&lt;b&gt;&amp;\\u001b[2J\\uffff\\u000axxx") && svg.chars().all(legal));
        assert!(svg.len() < 50_000);
    }

    /// Metrics that were damaged or edited, or that hardly change.
    #[test]
    fn all_figures_can_be_drawn() {
        let values = [
            0.0,
            5e-324,
            1e-310,
            1.0,
            1.0 + 4e-16,
            1e29,
            1e30,
            1e300,
            f64::MAX,
            f64::MIN,
            -1e-320,
            f64::INFINITY,
            f64::NAN,
        ];
        for a in values {
            for b in values {
                let number = |number: u32, x: f64| Epoch { reconstruction_cost: x, ..epoch(number, false) };
                let panels = learning(&traces([number(1, a), number(if a > b { 2 } else { u32::MAX }, b)]));
                assert!(curves("t", panels.into_iter().take(1).collect()).is_ok(), "{a} {b}");
            }
        }
    }

    #[test]
    fn without_validation_there_is_no_gap_panel_and_one_epoch_is_enough() {
        let svg = String::from_utf8(curves("t", learning(&traces([epoch(1, false)]))).unwrap().unwrap()).unwrap();
        assert!(
            !svg.contains("gap")
                && !svg.contains("Label error")
                && svg.contains("Hidden activity")
                && svg.contains("<circle")
        );
        assert!(curves("t", learning(&Traces::default())).unwrap().is_none());
    }

    /// Of 700 epochs every point is drawn, of more at most twice as many.
    #[test]
    fn a_picture_of_many_epochs_is_little_larger_than_one_of_some() {
        let size = |epochs| {
            let traces = traces((1..=epochs).map(|n| epoch(n, true)));
            curves("t", learning(&traces)).unwrap().unwrap().len()
        };
        let (many, some) = (size(20_000), size(700));
        assert!(many < 5 * some / 2, "{many} and {some}");
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
