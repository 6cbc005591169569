//! The curves: a picture a figure, and the points behind it for the pointer.

use super::data::line;
use crate::chart::{Axis, Panel, Scale, Tier, compared, geometry, panel_shapes, panels, svg};
use crate::content::Content;
use crate::traces::Traces;
use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 236.0;
const FONT: f64 = 13.0;

/// Charts that go together, and their points.
pub(super) struct Charts {
    groups: Vec<Group>,
    /// What the script reads.
    pub(super) data: Value,
}

/// The charts of a layer.
struct Group {
    title: String,
    first: Vec<Chart>,
    more: Vec<Chart>,
}

struct Chart {
    number: usize,
    name: String,
    figure: &'static str,
    meaning: &'static str,
    svg: String,
}

impl Charts {
    /// The charts of every layer of a run.
    pub(super) fn of(content: &Content) -> Self {
        let layers = &content.metrics.layers;
        let title = |layer: u32| if layers.len() > 1 { format!("Layer {}", layer + 1) } else { String::new() };
        Self::drawn(layers.iter().map(|(&layer, of)| (title(layer), panels(&of.traces))))
    }

    /// The charts of runs that are compared.
    pub(super) fn compared(groups: &[(String, Vec<(&str, &Traces)>)]) -> Self {
        Self::drawn(groups.iter().map(|(title, runs)| (title.clone(), compared(runs))))
    }

    fn drawn(groups: impl Iterator<Item = (String, Vec<Panel>)>) -> Self {
        let (mut all, mut data) = (Vec::new(), Vec::new());
        for (title, panels) in groups {
            let points = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
            let x = Axis::of_epochs(points.map(|point| point.0));
            let mut group = Group { title, first: Vec::new(), more: Vec::new() };
            for panel in &panels {
                let (frame, shapes) = panel_shapes(panel, x, 0.0, geometry(WIDTH, HEIGHT, FONT), true);
                let chart = Chart {
                    number: data.len(),
                    name: panel.title(),
                    figure: panel.figure.name,
                    meaning: panel.figure.meaning,
                    svg: svg(&shapes),
                };
                let lines: Vec<Value> = panel.lines.iter().map(of_line).collect();
                let (left, top, right, bottom) = frame.edges;
                data.push(json!({
                    "frame": [left, top, right, bottom], "x": [frame.x.low, frame.x.high],
                    "y": [frame.y.low, frame.y.high], "scale": scale(frame.y.scale),
                    "times": if panel.figure.unit == "%" { 100 } else { 1 }, "unit": panel.figure.unit, "lines": lines,
                }));
                if panel.tier == Tier::First { group.first.push(chart) } else { group.more.push(chart) }
            }
            all.push(group);
        }
        Self { groups: all, data: json!({ "charts": data }) }
    }

    /// All of them.
    pub(super) fn section(&self, content: &Content) -> Markup {
        html! {
            @if self.data["charts"].as_array().is_none_or(Vec::is_empty) { p.none { "Nothing has been measured yet." } }
            @else { p.hint { "Move the pointer over a curve, or use the arrow keys, to read its values." } }
            (self.markup())
            @if !content.figures().is_empty() { (super::words::last_epoch(content)) }
        }
    }

    pub(super) fn markup(&self) -> Markup {
        html! {
            @for group in &self.groups {
                @if !group.title.is_empty() { h3 { (line(&group.title)) } }
                div.charts { @for chart in &group.first { (chart.markup()) } }
                @if !group.more.is_empty() {
                    details {
                        summary { "More curves: " (group.more.iter().map(|chart| chart.name.split(" (").next().unwrap_or_default()).collect::<Vec<_>>().join(", ")) }
                        div.charts { @for chart in &group.more { (chart.markup()) } }
                    }
                }
            }
        }
    }
}

impl Chart {
    fn markup(&self) -> Markup {
        html! {
            figure.chart data-chart=(self.number) data-figure=(self.figure) {
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (self.name) " by epoch" } {
                    title { (self.meaning) }
                    (PreEscaped(&self.svg))
                }
            }
        }
    }
}

/// The points as the metrics have them.
fn of_line(line: &crate::chart::Line) -> Value {
    let (x, y): (Vec<f64>, Vec<f64>) = line.points.iter().copied().unzip();
    let whole: Vec<u32> = x.iter().map(|&x| x as u32).collect();
    let interval: Vec<[f64; 2]> = line.interval.iter().map(|&(_, low, high)| [low, high]).collect();
    // Where only some epochs have one, the picture shows it.
    let interval = if interval.len() == y.len() { json!(interval) } else { Value::Null };
    json!({ "name": self::line(&line.name), "colour": line.colour % 6, "x": whole, "y": y, "interval": interval })
}

fn scale(scale: Scale) -> Value {
    match scale {
        Scale::Linear => json!("linear"),
        Scale::Log => json!("log"),
        Scale::Symmetric(distance) => json!(distance),
    }
}
