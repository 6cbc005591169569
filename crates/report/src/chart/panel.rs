//! A panel: the lines of a figure.

use crate::figures::Figure;

/// Where a panel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// In front, and in `curves.svg`.
    First,
    /// Among those that are looked at when something is wrong.
    More,
}

/// One line of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What the legend calls it.
    pub name: String,
    /// Number of its colour: 0 is training, 1 validation.
    pub colour: usize,
    /// Whether it is broken.
    pub dashed: bool,
    /// Epoch and value, as the metrics have them.
    pub points: Vec<(f64, f64)>,
    /// Epoch, low and high end of the interval, where there is one.
    pub interval: Vec<(f64, f64, f64)>,
}

/// One chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What it is of.
    pub figure: &'static Figure,
    /// Whether it stands in front.
    pub tier: Tier,
    /// At least one has a point.
    pub lines: Vec<Line>,
}

impl Panel {
    /// Title with unit.
    #[must_use]
    pub fn title(&self) -> String {
        match self.figure.unit {
            "" => self.figure.title.to_string(),
            unit => format!("{} ({unit})", self.figure.title),
        }
    }

    /// A value as the axis has it: label errors are shown in per cent.
    #[must_use]
    pub fn drawn(&self, value: f64) -> f64 {
        if self.figure.unit == "%" { 100.0 * value } else { value }
    }
}
