//! A panel as shapes: where its title, legend, axes and lines stand. SVG and PNG draw the same shapes.

use super::axis::Axis;
use super::panel::{Line, Panel};

/// Points that have a dot each, at most: more would hide the line.
const MOST_DOTS: usize = 60;

/// Height of a line of the legend, in sizes of letters.
const LEGEND_LINE: f64 = 1.4;

/// Lines of the legend, at most.
const MOST_LEGEND_LINES: usize = 3;

/// Width of a character of text, as a share of its size; of a fixed-width font it is a little less.
const CHARACTER: f64 = 0.56;

/// Width of a digit in the widest of the usual fonts, likewise.
const DIGIT: f64 = 0.66;

/// What a shape is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words.
    Text,
    /// Marks of the axes.
    Soft,
    /// Lines of the grid.
    Grid,
    /// The axis.
    Axis,
    /// The line of this number.
    Line(usize),
}

/// Something to draw, in pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A line through points.
    Path { points: Vec<(f64, f64)>, ink: Ink, width: f64, dashed: bool },
    /// What lies between two lines over the same places.
    Band { x: Vec<f64>, upper: Vec<f64>, lower: Vec<f64>, ink: Ink },
    /// A dot.
    Dot { at: (f64, f64), radius: f64, ink: Ink },
    /// Words whose base line begins, has its middle, or ends there.
    Text { at: (f64, f64), anchor: Anchor, text: String, size: f64, bold: bool, ink: Ink },
}

/// Where words stand beside their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// Size of a panel and of what stands around its lines, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Geometry {
    /// Of all of it.
    pub(crate) width: f64,
    /// Of all of it.
    pub(crate) height: f64,
    /// Room for the marks of the values.
    pub(crate) left: f64,
    /// Room to the right.
    pub(crate) right: f64,
    /// Size of letters.
    pub(crate) font: f64,
}

/// The geometry of a panel so wide.
pub(crate) fn geometry(width: f64, height: f64, font: f64) -> Geometry {
    Geometry { width, height, left: 4.6 * font, right: 1.2 * font, font }
}

/// Where the lines of a panel are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    /// Left, top, right and bottom edge.
    pub(crate) edges: (f64, f64, f64, f64),
    /// The axis of epochs.
    pub(crate) x: Axis,
    /// The axis of values.
    pub(crate) y: Axis,
}

impl Frame {
    /// The place of a point.
    pub(crate) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (left, top, right, bottom) = self.edges;
        (left + self.x.place(x) * (right - left), bottom - self.y.place(y) * (bottom - top))
    }
}

/// Lays a panel out below `top`. The axis of epochs is `x`; its marks have words where `named`.
pub(crate) fn panel_shapes(panel: &Panel, x: Axis, top: f64, size: Geometry, named: bool) -> (Frame, Vec<Shape>) {
    let Geometry { width, height, left, right, font } = size;
    let mut shapes = vec![Shape::Text {
        at: (0.3 * font, top + 1.2 * font),
        anchor: Anchor::Start,
        text: panel.title(),
        size: 1.05 * font,
        bold: true,
        ink: Ink::Text,
    }];
    let legend = legend(panel, top, size);
    let head = (2.2 + LEGEND_LINE * legend.1 as f64) * font;
    shapes.extend(legend.0);
    let foot = if named { 2.9 * font } else { 1.2 * font };
    let edges = (left, top + head, width - right, top + height - foot);
    let of_line = |line: &Line| -> Vec<f64> {
        let ends = line.interval.iter().flat_map(|&(_, low, high)| [low, high]);
        line.points.iter().map(|point| point.1).chain(ends).map(|value| panel.drawn(value)).collect()
    };
    let y = Axis::of(panel.lines.iter().flat_map(of_line));
    let frame = Frame { edges, x, y };
    axes(&mut shapes, &frame, size, named);
    for line in &panel.lines {
        lines(&mut shapes, &frame, panel, line, font);
    }
    (frame, shapes)
}

/// The legend at the right of the title, or where there is no room for it, in lines below; how many these are. It never
/// stands where lines of the panel are.
fn legend(panel: &Panel, top: f64, size: Geometry) -> (Vec<Shape>, usize) {
    let font = size.font;
    let named: Vec<&Line> = panel.lines.iter().filter(|line| !line.name.is_empty()).collect();
    let width_of = |text: &str| text.chars().count() as f64 * CHARACTER * font;
    let swatch = 1.6 * font;
    let widths: Vec<f64> = named.iter().map(|line| swatch + 0.4 * font + width_of(&line.name) + font).collect();
    let all: f64 = widths.iter().sum();
    let title = 1.1 * width_of(&panel.title()) + 2.0 * font;
    let below = title + all > size.width;
    let start = if below { 0.3 * font } else { size.width - all };
    let (mut x, mut rows) = (start, usize::from(below));
    let mut shapes = Vec::new();
    for (line, width) in named.iter().zip(widths) {
        if below && x > start && x + width > size.width + font {
            (x, rows) = (start, rows + 1);
        }
        // What does not fit is left out: the values under the pointer have the colours too.
        if rows > MOST_LEGEND_LINES || x + width > size.width + font {
            rows = rows.min(MOST_LEGEND_LINES);
            break;
        }
        let y = top + if below { (1.1 + LEGEND_LINE * rows as f64) * font } else { 1.2 * font };
        let (ink, middle) = (Ink::Line(line.colour), y - 0.35 * font);
        let points = vec![(x, middle), (x + swatch, middle)];
        shapes.push(Shape::Path { points, ink, width: 2.5, dashed: line.dashed });
        shapes.push(Shape::Text {
            at: (x + swatch + 0.4 * font, y),
            anchor: Anchor::Start,
            text: line.name.clone(),
            size: font,
            bold: false,
            ink: Ink::Text,
        });
        x += width;
    }
    (shapes, rows)
}

fn axes(shapes: &mut Vec<Shape>, frame: &Frame, Geometry { width, font, .. }: Geometry, named: bool) {
    let (left, top, right, bottom) = frame.edges;
    let path = |points, ink| Shape::Path { points, ink, width: 1.0, dashed: false };
    let text = |at, anchor, text: String, ink| Shape::Text { at, anchor, text, size: 0.92 * font, bold: false, ink };
    for (value, label) in frame.y.marks(((bottom - top) / (2.6 * font)) as usize) {
        let (_, y) = frame.at((frame.x.low, value));
        shapes.push(path(vec![(left, y), (right, y)], Ink::Grid));
        let label = label.replace('-', "\u{2212}");
        shapes.push(text((left - 0.5 * font, y + 0.33 * font), Anchor::End, label, Ink::Soft));
    }
    for (value, label) in frame.x.whole_marks(((right - left) / (5.0 * font)) as usize) {
        let (x, _) = frame.at((value, frame.y.low));
        shapes.push(path(vec![(x, bottom), (x, bottom + 0.35 * font)], Ink::Axis));
        if named {
            // The last one may be wider than the room on its right.
            let half = label.chars().count() as f64 * DIGIT * 0.92 * font / 2.0;
            let x = x.min(width - half);
            shapes.push(text((x, bottom + 1.35 * font), Anchor::Middle, label, Ink::Soft));
        }
    }
    shapes.push(path(vec![(left, bottom), (right, bottom)], Ink::Axis));
    if named {
        let middle = f64::midpoint(left, right);
        shapes.push(text((middle, bottom + 2.5 * font), Anchor::Middle, "epoch".into(), Ink::Soft));
    }
}

fn lines(shapes: &mut Vec<Shape>, frame: &Frame, panel: &Panel, line: &Line, font: f64) {
    let ink = Ink::Line(line.colour);
    let at = |x: f64, y: f64| frame.at((x, panel.drawn(y)));
    if !line.interval.is_empty() {
        shapes.push(Shape::Band {
            x: line.interval.iter().map(|&(x, low, _)| at(x, low).0).collect(),
            upper: line.interval.iter().map(|&(x, _, high)| at(x, high).1).collect(),
            lower: line.interval.iter().map(|&(x, low, _)| at(x, low).1).collect(),
            ink,
        });
    }
    // A band needs two epochs.
    if let [(x, low, high)] = line.interval[..] {
        shapes.push(Shape::Path { points: vec![at(x, low), at(x, high)], ink, width: 1.2, dashed: false });
    }
    let points: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| at(x, y)).collect();
    // Dots show where the epochs are, and a single one at all.
    if points.len() <= MOST_DOTS {
        let radius = if points.len() == 1 { 0.3 * font } else { 0.17 * font };
        shapes.extend(points.iter().map(|&at| Shape::Dot { at, radius, ink }));
    }
    shapes.push(Shape::Path { points, ink, width: 1.8, dashed: line.dashed });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Tier, panels};
    use crate::traces::Traces;
    use std::collections::BTreeMap;

    fn shapes(width: f64, epochs: u32) -> (Frame, Vec<Shape>) {
        let mut traces = Traces::default();
        for epoch in (1..=30).map(|n| n * epochs / 30) {
            let cost = 60.0 + 100.0 / f64::from(epoch);
            let figures = [("reconstruction_cost", cost), ("reconstruction_cost_valid", cost + 2.0)];
            traces.add(
                epoch,
                figures.map(|(name, value)| (name.to_string(), value)).into_iter().collect::<BTreeMap<_, _>>(),
            );
        }
        let panel = &panels(&traces)[0];
        assert_eq!(panel.tier, Tier::First);
        let x = Axis::of_epochs(panel.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)));
        panel_shapes(panel, x, 0.0, geometry(width, 230.0, 13.0), true)
    }

    /// Legends and titles stand above the frame, and nothing runs over the edge.
    #[test]
    fn words_are_clear_of_lines_and_inside() {
        for (width, epochs) in [(300.0, 30), (460.0, 30), (800.0, 30), (300.0, 100_000), (460.0, 1_000_000)] {
            let (frame, shapes) = shapes(width, epochs);
            let (left, top, right, bottom) = frame.edges;
            for shape in shapes {
                match shape {
                    Shape::Text { at: (x, y), anchor, text, size, .. } => {
                        let wide = text.chars().count() as f64 * CHARACTER * size;
                        let start = match anchor {
                            Anchor::Start => x,
                            Anchor::Middle => x - wide / 2.0,
                            Anchor::End => x - wide,
                        };
                        assert!(start > -4.0 && start + wide < width + 1.0, "{text} at {x} of {width}");
                        assert!((0.0..230.0).contains(&y));
                        let beside = start + wide <= left || y <= top || y > bottom;
                        assert!(beside, "{text} stands among the lines");
                    }
                    Shape::Path { points, ink: Ink::Line(_), width: 1.8, .. } => {
                        let inside = |&(x, y): &(f64, f64)| (left..=right).contains(&x) && (top..=bottom).contains(&y);
                        assert!(points.iter().all(inside));
                    }
                    _ => (),
                }
            }
        }
    }
}
