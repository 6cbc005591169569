//! The curves of a training as one picture: panels below each other over one axis of epochs.

use super::axis::Axis;
use super::layout::{Anchor, Ink, Shape, geometry, panel_shapes};
use super::panel::Panel;
use super::raster::raster;
use super::svg::{colours, svg};
use crate::canvas::Canvas;
use std::fmt::Write as _;

const WIDTH: f64 = 800.0;
const PANEL: f64 = 190.0;
const TITLE: f64 = 40.0;
const FONT: f64 = 13.0;
/// Room for the marks of epochs.
const FOOT: f64 = 22.0;
/// Letters of a title, at most.
const TITLE_CHARACTERS: usize = 100;

/// A picture in both forms.
pub struct Curves {
    /// As SVG, dark where the reader's programs are.
    pub svg: Vec<u8>,
    /// On light paper.
    pub pixels: Canvas,
}

/// Draws the panels that have anything to show; none if no panel has.
#[must_use]
pub fn curves(title: &str, panels: &[Panel]) -> Option<Curves> {
    let last = panels.len().checked_sub(1)?;
    let points = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
    let x = Axis::of_epochs(points.map(|point| point.0));
    let height = TITLE + PANEL * panels.len() as f64 + FOOT;
    let mut shapes = vec![Shape::Text {
        at: (WIDTH / 2.0, 26.0),
        anchor: Anchor::Middle,
        text: super::svg::plain(title, TITLE_CHARACTERS),
        size: 17.0,
        bold: true,
        ink: Ink::Text,
    }];
    for (place, panel) in panels.iter().enumerate() {
        let high = if place == last { PANEL + FOOT } else { PANEL };
        let top = TITLE + PANEL * place as f64;
        shapes.extend(panel_shapes(panel, x, top, geometry(WIDTH, high, FONT), place == last).1);
    }
    let mut text = String::new();
    let _ = write!(
        text,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif"><style>{}@media (prefers-color-scheme: dark){{{}}}</style><rect class="fw" width="{WIDTH}" height="{height}"/>{}</svg>"#,
        colours(false),
        colours(true),
        svg(&shapes)
    );
    Some(Curves { svg: text.into_bytes(), pixels: raster(&shapes, WIDTH, height) })
}

/// Draws one panel so wide, for a terminal.
#[must_use]
pub fn panel_pixels(panel: &Panel, width: usize) -> Canvas {
    let (width, height) = (width as f64, PANEL + FOOT);
    let x = Axis::of_epochs(panel.lines.iter().flat_map(|line| &line.points).map(|point| point.0));
    let (_, shapes) = panel_shapes(panel, x, 0.0, geometry(width, height, FONT), true);
    raster(&shapes, width, height).halved()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::panels;
    use crate::traces::Traces;
    use std::collections::BTreeMap;

    fn traces(epochs: u32, value: impl Fn(u32) -> f64) -> Traces {
        let mut traces = Traces::default();
        for epoch in 1..=epochs {
            let y = value(epoch);
            let figures = [("reconstruction_cost", y), ("free_energy_gap", 1.0 / y), ("hidden_activity", 0.2)];
            let figures: BTreeMap<String, f64> = figures.map(|(name, y)| (name.to_string(), y)).into();
            traces.add(epoch, figures);
        }
        traces
    }

    fn drawn(traces: &Traces, title: &str) -> String {
        String::from_utf8(curves(title, &panels(traces)).unwrap().svg).unwrap()
    }

    #[test]
    fn every_panel_has_its_title_and_all_share_the_epochs() {
        let svg = drawn(&traces(30, |n| 60.0 + 100.0 / f64::from(n)), "A <title> & more");
        let titles = ["Reconstruction cost (nats per sample)", "Free-energy gap", "Hidden activity (mean probability)"];
        for text in titles.into_iter().chain(["A &lt;title&gt; &amp; more", "validation \u{2212} training"]) {
            assert!(svg.contains(text), "{text}");
        }
        assert_eq!(svg.matches(">epoch<").count(), 1);
        assert!(svg.contains("prefers-color-scheme: dark"));
        assert!(curves("t", &[]).is_none());
    }

    /// Of 700 epochs every point is drawn, of more at most twice as many.
    #[test]
    fn a_picture_of_many_epochs_is_little_larger_than_one_of_some() {
        let size = |epochs| drawn(&traces(epochs, |n| 60.0 + 100.0 / f64::from(n)), "t").len();
        let (many, some) = (size(20_000), size(700));
        assert!(many < 5 * some / 2, "{many} and {some}");
    }

    #[test]
    fn a_panel_is_as_wide_as_asked() {
        let panel = &panels(&traces(30, |n| 60.0 + 100.0 / f64::from(n)))[0];
        let pixels = panel_pixels(panel, 500);
        assert_eq!((pixels.width(), pixels.height()), (500, 212));
        assert!((0..500).any(|x| (40..180).any(|y| pixels.pixel(x, y)[0] < 100)));
    }

    #[test]
    fn the_pixels_show_the_lines() {
        let pixels = curves("t", &panels(&traces(30, |n| 60.0 + 100.0 / f64::from(n)))).unwrap().pixels;
        let all = (0..pixels.height()).flat_map(|y| (0..pixels.width()).map(move |x| (x, y)));
        let blue = all.filter(|&(x, y)| pixels.pixel(x, y) == [31, 111, 180]).count();
        assert!(blue > 1000, "{blue} pixels of the line's colour");
    }
}
