//! Which panels there are, and which figures are lines of them.

use super::axis::GREATEST;
use super::panel::{Line, Panel, Tier};
use crate::figures::{Figure, figure_of};
use crate::traces::Traces;

use Tier::{First, More};

/// A figure's panel: its name, its tier, and its lines by ending of the figure's name, name and colour.
type Spec = (&'static str, Tier, &'static [(&'static str, &'static str, usize)]);

const BOTH: &[(&str, &str, usize)] = &[("_train", "training", 0), ("_valid", "validation", 1)];
const BARE: &[(&str, &str, usize)] = &[("", "training", 0), ("_valid", "validation", 1)];
const TRAIN: &[(&str, &str, usize)] = &[("", "training", 0)];
const GAP: &[(&str, &str, usize)] = &[("", "validation \u{2212} training", 1)];
const ALONE: &[(&str, &str, usize)] = &[("", "", 0)];

/// In the order in which they are read.
const PANELS: &[Spec] = &[
    ("label_error", First, BOTH),
    ("log_likelihood", First, BOTH),
    ("pseudo_likelihood", First, BOTH),
    ("variational_cost", First, BARE),
    ("squared_error", First, BOTH),
    ("cost", First, BARE),
    ("training_cost", First, TRAIN),
    ("reconstruction_cost", First, BARE),
    ("free_energy_gap", First, GAP),
    ("divergence", First, &[]),
    ("hidden_activity", First, TRAIN),
    ("hidden_spread", First, TRAIN),
    ("dead_units", More, ALONE),
    ("saturated_units", More, ALONE),
    ("free_energy", More, BOTH),
    ("update_ratio", More, ALONE),
    ("top_update_ratio", More, ALONE),
    ("weight_norm", More, ALONE),
    ("log_z", More, ALONE),
    ("chains_moved", More, ALONE),
    ("swap_rate", More, ALONE),
    ("generative_cost", More, &[]),
    ("recognition_cost", More, &[]),
    ("learning_rate", More, ALONE),
    ("wake_rate", More, ALONE),
    ("sleep_rate", More, ALONE),
    ("top_rate", More, ALONE),
    ("momentum", More, ALONE),
    ("top_steps", More, ALONE),
    ("samples_per_second", More, ALONE),
];

/// Layers that have a line each, at most.
const LAYERS: usize = 64;

/// The panels of a training that have anything to show.
#[must_use]
pub fn panels(traces: &Traces) -> Vec<Panel> {
    let shown = PANELS.iter().filter_map(|spec| panel(spec, &[("", traces)]));
    shown.filter(|panel| panel.lines.iter().any(|line| !line.points.is_empty())).collect()
}

/// The panels of several trainings together: a colour each, validation samples broken.
pub(crate) fn compared(runs: &[(&str, &Traces)]) -> Vec<Panel> {
    let shown = PANELS.iter().filter_map(|spec| panel(spec, runs));
    shown.filter(|panel| panel.lines.iter().any(|line| !line.points.is_empty())).collect()
}

fn panel(&(name, tier, lines): &Spec, runs: &[(&str, &Traces)]) -> Option<Panel> {
    let figure = figure_of(name)?;
    let mut all = Vec::new();
    for (number, &(run, traces)) in runs.iter().enumerate() {
        let alone = runs.len() == 1;
        let found = if lines.is_empty() { of_layers(figure, traces) } else { of_endings(figure, lines, traces) };
        let of_run = |line: Line| Line {
            dashed: line.name == "validation",
            name: if line.name.is_empty() { run.to_string() } else { format!("{run}: {}", line.name) },
            colour: number,
            ..line
        };
        all.extend(found.into_iter().map(|line| if alone { line } else { of_run(line) }));
    }
    Some(Panel { figure, tier, lines: all })
}

fn of_endings(figure: &Figure, lines: &[(&'static str, &'static str, usize)], traces: &Traces) -> Vec<Line> {
    let line = |&(ending, name, colour): &(&'static str, &'static str, usize)| {
        let points = drawable(traces.points(&format!("{}{ending}", figure.name)));
        let interval = match figure.name {
            "log_likelihood" => interval(&points, traces),
            _ => Vec::new(),
        };
        Line { name: name.into(), colour, dashed: false, points, interval }
    };
    lines.iter().map(line).filter(|line| !line.points.is_empty()).collect()
}

fn of_layers(figure: &Figure, traces: &Traces) -> Vec<Line> {
    let line = |layer: usize| Line {
        name: format!("layer {}", layer + 1),
        colour: layer,
        dashed: false,
        points: drawable(traces.points(&format!("layer_{layer}_{}", figure.name))),
        interval: Vec::new(),
    };
    (0..LAYERS).map(line).take_while(|line| !line.points.is_empty()).collect()
}

/// What can be drawn of metrics that may be damaged.
fn drawable(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.retain(|(x, y)| x.abs() < GREATEST && y.abs() < GREATEST);
    points
}

/// ±3 standard errors of ln Z.
fn interval(points: &[(f64, f64)], traces: &Traces) -> Vec<(f64, f64, f64)> {
    let errors = traces.points("log_z_error");
    let error = |x: f64| errors.iter().find(|error| error.0 == x).map(|error| error.1).filter(|e| *e < GREATEST);
    points.iter().filter_map(|&(x, y)| error(x).map(|error| (x, y - 3.0 * error, y + 3.0 * error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_panel_has_a_figure() {
        for (name, ..) in PANELS {
            assert!(figure_of(name).is_some_and(|figure| figure.name == *name), "{name}");
        }
    }

    fn traces(figures: &[(&str, f64)]) -> Traces {
        let mut traces = Traces::default();
        traces.add(1, figures.iter().map(|&(name, value)| (name.to_string(), value)).collect::<BTreeMap<_, _>>());
        traces
    }

    #[test]
    fn lines_find_their_figures_and_intervals() {
        let figures = [
            ("label_error_train", 0.1),
            ("label_error_valid", 0.2),
            ("log_likelihood_train", -90.0),
            ("log_z_error", 0.5),
            ("layer_0_divergence", 1.0),
            ("layer_1_divergence", 2.0),
            ("update_ratio", f64::NAN),
        ];
        let panels = panels(&traces(&figures));
        let names: Vec<_> = panels.iter().map(|panel| (panel.figure.name, panel.lines.len())).collect();
        assert_eq!(names, [("label_error", 2), ("log_likelihood", 1), ("divergence", 2)]);
        assert_eq!(panels[0].drawn(panels[0].lines[1].points[0].1), 20.0);
        assert_eq!(panels[1].lines[0].interval, [(1.0, -91.5, -88.5)]);
    }

    #[test]
    fn runs_that_are_compared_have_a_colour_each() {
        let (a, b) = (traces(&[("label_error_train", 0.1)]), traces(&[("label_error_valid", 0.2)]));
        let panels = compared(&[("a", &a), ("b", &b)]);
        let lines: Vec<_> = panels[0].lines.iter().map(|line| (line.name.as_str(), line.colour, line.dashed)).collect();
        assert_eq!(lines, [("a: training", 0, false), ("b: validation", 1, true)]);
    }
}
