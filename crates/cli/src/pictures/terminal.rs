//! Pictures of text, for a terminal: weights as half blocks in colour, two pixels a character, and a curve of bars.

use deepbelief_report::diverging;
use std::fmt::Write as _;

/// Filters that are drawn, at most.
pub(crate) const FILTERS: usize = 20;

/// Wider filters are drawn at half their size.
const WIDE: usize = 20;

/// Lines of a curve.
const LINES: usize = 10;

/// Bars from an eighth of a line to a whole one.
const BARS: [char; 8] =
    ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];

/// Where the picture goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Characters in a line.
    pub(crate) columns: usize,
    /// Whether colours and block characters can be shown. Else signs stand for weights, and stars for a curve.
    pub(crate) rich: bool,
}

impl Screen {
    /// The terminal that standard output is; 80 characters wide where it is none.
    pub(crate) fn here() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        let columns = console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns));
        Self { columns: columns.max(20), rich: !dumb && !set("NO_COLOR") }
    }

    /// Weights of units, `filters` row by row with `width` and `height` each, as shares of the limit.
    pub(crate) fn filters(self, filters: &[f32], width: usize, height: usize) -> String {
        let step = if width > WIDE { 2 } else { 1 };
        let (wide, high) = (width.div_ceil(step), height.div_ceil(step));
        let in_a_row = ((self.columns + 1) / (wide + 1)).max(1);
        let all: Vec<&[f32]> = filters.chunks_exact((width * height).max(1)).take(FILTERS).collect();
        let mut text = String::new();
        for row in all.chunks(in_a_row) {
            for line in 0..high.div_ceil(2) {
                for (place, filter) in row.iter().enumerate() {
                    if place > 0 {
                        text.push(' ');
                    }
                    let mean = |x: usize, y: usize| mean(filter, (width, height), (x * step, y * step), step);
                    for x in 0..wide {
                        self.cell(&mut text, mean(x, 2 * line), mean(x, 2 * line + 1));
                    }
                    if self.rich {
                        text.push_str("\x1b[0m");
                    }
                }
                text.push('\n');
            }
            text.push('\n');
        }
        text
    }

    /// One character: the weight above and the one below it, where there is one.
    fn cell(self, text: &mut String, above: Option<f32>, below: Option<f32>) {
        // Writing to a string cannot fail.
        if self.rich {
            let [r, g, b] = diverging(above.unwrap_or(0.0));
            let _ = write!(text, "\x1b[38;2;{r};{g};{b}m");
            let _ = match below.map(diverging) {
                Some([r, g, b]) => write!(text, "\x1b[48;2;{r};{g};{b}m\u{2580}"),
                None => write!(text, "\x1b[49m\u{2580}"),
            };
            return;
        }
        let share = f32::midpoint(above.unwrap_or(0.0), below.or(above).unwrap_or(0.0));
        text.push(match share {
            0.5.. => '#',
            0.15..0.5 => '+',
            -0.5..=-0.15 => '-',
            ..-0.5 => '=',
            _ => ' ',
        });
    }

    /// The values of a line by epoch, from its lowest to its highest.
    pub(crate) fn curve(self, points: &[(f64, f64)]) -> String {
        let finite = || points.iter().filter(|point| point.1.is_finite());
        let (low, high) =
            finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p.1), high.max(p.1)));
        let (Some(first), Some(last)) = (finite().next(), finite().next_back()) else { return String::new() };
        let labels = [format!("{high:.4}"), format!("{low:.4}")];
        let margin = labels.iter().map(String::len).max().unwrap_or(0) + 1;
        let columns = self.columns.saturating_sub(margin).clamp(1, finite().count());
        // A column has the mean of its points.
        let heights: Vec<f64> = (0..columns)
            .map(|column| {
                let of = |column: usize| column * finite().count() / columns;
                let values: Vec<f64> =
                    finite().skip(of(column)).take(of(column + 1) - of(column)).map(|p| p.1).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                if high > low { (mean - low) / (high - low) } else { 0.5 }
            })
            .collect();
        let mut text = String::new();
        for line in (0..LINES).rev() {
            let label = if line + 1 == LINES {
                &*labels[0]
            } else if line == 0 {
                &*labels[1]
            } else {
                ""
            };
            let _ = write!(text, "{label:>width$} ", width = margin - 1);
            for height in &heights {
                // The lowest value is a bar too.
                let eighths = 1.0 + height * (8.0 * LINES as f64 - 1.0) - 8.0 * line as f64;
                text.push(match eighths.round() as i64 {
                    ..=0 => ' ',
                    _ if !self.rich => '*',
                    eighths => BARS[(eighths.min(8) - 1) as usize],
                });
            }
            let kept = text.trim_end_matches(' ').len();
            text.truncate(kept);
            text.push('\n');
        }
        let _ = writeln!(text, "{:margin$}epochs {} to {}", "", first.0, last.0);
        text
    }
}

/// The mean of the weights of a square of `step` pixels at a place; none beyond the edge.
fn mean(filter: &[f32], (width, height): (usize, usize), (x, y): (usize, usize), step: usize) -> Option<f32> {
    let inside = (y..height.min(y + step)).flat_map(|y| (x..width.min(x + step)).map(move |x| filter[y * width + x]));
    let (sum, count) = inside.fold((0.0, 0), |(sum, count), w| (sum + w, count + 1));
    (count > 0).then(|| sum / count as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Screen = Screen { columns: 9, rich: false };

    /// Two pixels are one character, neighbours stand side by side as far as there is room, and signs are seen.
    #[test]
    fn filters_are_laid_out_in_the_width_of_the_screen() {
        let filters = [vec![1.0; 6], vec![-1.0; 6], vec![0.3; 6]].concat();
        assert_eq!(PLAIN.filters(&filters, 3, 2), "### ===\n\n+++\n\n");
        assert_eq!(PLAIN.filters(&[0.0, 0.2, 1.0], 1, 3), " \n#\n\n", "the last line has one pixel");
        let large: Vec<f32> = (0..24 * 2).map(|pixel| if pixel % 24 < 12 { -1.0 } else { 1.0 }).collect();
        assert_eq!(PLAIN.filters(&large, 24, 2), "======######\n\n");
        let rich = Screen { rich: true, ..PLAIN }.filters(&[1.0, -1.0], 1, 2);
        assert_eq!(rich, "\x1b[38;2;103;0;31m\x1b[48;2;5;48;97m\u{2580}\x1b[0m\n\n");
    }

    #[test]
    fn a_curve_goes_from_its_highest_to_its_lowest() {
        let falling: Vec<(f64, f64)> = (0..10).map(|n| (f64::from(n + 1), 9.0 - f64::from(n))).collect();
        let text = Screen { columns: 20, rich: false }.curve(&falling);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[9]), ("9.0000 *", "0.0000 **********"));
        assert_eq!((lines.len(), lines[10]), (11, "       epochs 1 to 10"));
        assert!(PLAIN.curve(&[(1.0, f64::NAN)]).is_empty());
        let narrow = Screen { columns: 12, rich: true }.curve(&falling);
        assert!(narrow.lines().all(|line| line.chars().count() <= 26), "{narrow}");
        assert!(Screen { columns: 1, rich: false }.curve(&[(1.0, 2.0)]).contains("2.0000 *"));
    }
}
