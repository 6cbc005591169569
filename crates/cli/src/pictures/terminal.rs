//! Pictures in a terminal: pixels where it draws sixels, else text. Weights are then half blocks in colour, two pixels a
//! character, and a curve is made of bars.

use crate::machine::platform::answer_of_terminal;
use clap::ValueEnum;
use deepbelief_report::chart::{Panel, panel_pixels};
use deepbelief_report::{Canvas, Colour, diverging};
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

/// Pixels of a character's width, about: terminals do not say.
const CHARACTER: usize = 8;

/// Pixels of a filter's longer side among sixels, about, and between two filters.
const TILE: usize = 60;
const GAP: usize = 4;

/// Shades of a weight on each side of zero: with both, fewer than a terminal has colours.
const SHADES: f32 = 100.0;

/// The question which kind of terminal it is ("Primary Device Attributes"), and the last character of the answer.
const ATTRIBUTES: &[u8] = b"\x1b[c";
const ATTRIBUTES_END: u8 = b'c';

/// The attribute of terminals that draw sixels.
const SIXELS: &str = "4";

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Sixels where the terminal says that it draws them, blocks in others, signs where `NO_COLOR` is set or TERM=dumb
    #[default]
    Auto,
    /// Pixels
    Sixel,
    /// Block characters in 24-bit colours
    Blocks,
    /// Plain characters
    Plain,
}

/// Where the picture goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Characters in a line.
    pub(crate) columns: usize,
    /// Never [`Form::Auto`].
    pub(crate) form: Form,
}

impl Screen {
    /// The terminal that standard output is; 80 characters wide where it is none.
    pub(crate) fn here(form: Form) -> Self {
        let stdout = console::Term::stdout();
        let columns = stdout.size_checked().map_or(80, |(_, columns)| usize::from(columns));
        let form = if form == Form::Auto { best(stdout.is_term()) } else { form };
        Self { columns: columns.max(20), form }
    }

    fn rich(self) -> bool {
        self.form == Form::Blocks
    }

    /// A panel of curves: all of it as pixels, or these points of one line as text.
    pub(crate) fn panel(self, panel: &Panel, points: &[(f64, f64)]) -> String {
        if self.form == Form::Sixel {
            return panel_pixels(panel, (CHARACTER * self.columns).clamp(320, 960)).sixels() + "\n";
        }
        self.curve(points)
    }

    /// Weights of units, `filters` row by row with `width` and `height` each, as shares of the limit.
    pub(crate) fn filters(self, filters: &[f32], width: usize, height: usize) -> String {
        if self.form == Form::Sixel {
            return self.tiles(filters, width, height).sixels() + "\n";
        }
        self.blocks(filters, width, height)
    }

    /// Filters beside each other as pixels.
    fn tiles(self, filters: &[f32], width: usize, height: usize) -> Canvas {
        let scale = (TILE / width.max(height).max(1)).max(1);
        let (wide, high) = (width * scale + GAP, height * scale + GAP);
        let all: Vec<&[f32]> = filters.chunks_exact((width * height).max(1)).take(FILTERS).collect();
        let in_a_row = (CHARACTER * self.columns / wide).clamp(1, all.len().max(1));
        let mut canvas = Canvas::new(in_a_row * wide, all.len().div_ceil(in_a_row) * high);
        for (place, filter) in all.iter().enumerate() {
            let colours: Vec<Colour> =
                filter.iter().map(|share| diverging((share * SHADES).round() / SHADES)).collect();
            canvas.tile(place % in_a_row * wide, place / in_a_row * high, &colours, width, scale);
        }
        canvas
    }

    /// Filters as text.
    fn blocks(self, filters: &[f32], width: usize, height: usize) -> String {
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
                    if self.rich() {
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
        if self.rich() {
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
    fn curve(self, points: &[(f64, f64)]) -> String {
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
                    _ if !self.rich() => '*',
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

/// The best form that a terminal has, or a file where standard output is none.
fn best(is_terminal: bool) -> Form {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if std::env::var_os("TERM").is_some_and(|name| name == "dumb") || set("NO_COLOR") {
        return Form::Plain;
    }
    let answer = is_terminal.then(|| answer_of_terminal(ATTRIBUTES, ATTRIBUTES_END)).flatten();
    if answer.is_some_and(|answer| has_sixels(&answer)) { Form::Sixel } else { Form::Blocks }
}

/// Whether a terminal says in its attributes, `ESC [ ? 62 ; 4 ; 22 c`, that it draws sixels.
fn has_sixels(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let attributes = text.split_once("\x1b[?").and_then(|(_, rest)| rest.split_once('c'));
    // The first number is the level of the terminal.
    attributes.is_some_and(|(attributes, _)| attributes.split(';').skip(1).any(|attribute| attribute == SIXELS))
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

    const PLAIN: Screen = Screen { columns: 9, form: Form::Plain };

    /// Two pixels are one character, neighbours stand side by side as far as there is room, and signs are seen.
    #[test]
    fn filters_are_laid_out_in_the_width_of_the_screen() {
        let filters = [vec![1.0; 6], vec![-1.0; 6], vec![0.3; 6]].concat();
        assert_eq!(PLAIN.filters(&filters, 3, 2), "### ===\n\n+++\n\n");
        assert_eq!(PLAIN.filters(&[0.0, 0.2, 1.0], 1, 3), " \n#\n\n", "the last line has one pixel");
        let large: Vec<f32> = (0..24 * 2).map(|pixel| if pixel % 24 < 12 { -1.0 } else { 1.0 }).collect();
        assert_eq!(PLAIN.filters(&large, 24, 2), "======######\n\n");
        let rich = Screen { form: Form::Blocks, ..PLAIN }.filters(&[1.0, -1.0], 1, 2);
        assert_eq!(rich, "\x1b[38;2;103;0;31m\x1b[48;2;5;48;97m\u{2580}\x1b[0m\n\n");
    }

    #[test]
    fn a_terminal_is_known_by_its_answer() {
        // mlterm, foot, xterm -ti vt340; xterm, VTE, the Linux console, and what is no answer.
        for answer in ["\x1b[?63;1;2;3;4;7;29c", "\x1b[?62;4;22c", "\x1b[?63;1;2;4;6c"] {
            assert!(has_sixels(answer.as_bytes()), "{answer:?}");
        }
        for answer in ["\x1b[?64;1;2;6;22c", "\x1b[?65;1;9c", "\x1b[?6c", "\x1b[?4c", "q", ""] {
            assert!(!has_sixels(answer.as_bytes()), "{answer:?}");
        }
    }

    /// Filters stand beside each other as far as there is room, enlarged, white between them.
    #[test]
    fn sixels_show_filters_in_rows() {
        let screen = Screen { columns: 20, form: Form::Sixel };
        let filters = [[1.0; 6], [-1.0; 6], [0.0; 6]].concat();
        let canvas = screen.tiles(&filters, 3, 2);
        assert_eq!((canvas.width(), canvas.height()), (2 * 64, 2 * 44));
        let [red, white, blue, zero] = [(5, 5), (61, 5), (70, 39), (5, 50)].map(|(x, y)| canvas.pixel(x, y));
        assert_eq!([red, white, blue, zero], [diverging(1.0), [255; 3], diverging(-1.0), diverging(0.0)]);
        assert!(screen.filters(&filters, 3, 2).starts_with("\x1bP"));
    }

    #[test]
    fn a_curve_goes_from_its_highest_to_its_lowest() {
        let falling: Vec<(f64, f64)> = (0..10).map(|n| (f64::from(n + 1), 9.0 - f64::from(n))).collect();
        let text = Screen { columns: 20, form: Form::Plain }.curve(&falling);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[9]), ("9.0000 *", "0.0000 **********"));
        assert_eq!((lines.len(), lines[10]), (11, "       epochs 1 to 10"));
        assert!(PLAIN.curve(&[(1.0, f64::NAN)]).is_empty());
        let narrow = Screen { columns: 12, form: Form::Blocks }.curve(&falling);
        assert!(narrow.lines().all(|line| line.chars().count() <= 26), "{narrow}");
        assert!(Screen { columns: 1, form: Form::Plain }.curve(&[(1.0, 2.0)]).contains("2.0000 *"));
    }
}
