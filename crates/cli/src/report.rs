//! Everything the program prints goes through here: data to stdout, progress and messages to
//! stderr. Messages are `tracing` events, for people or as JSON; a progress bar, where there is
//! a terminal, steps aside for them.

mod work;

pub(crate) use work::Work;

use crate::args::{LogArgs, LogFormat};
use crate::failure::{Failure, Result};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use work::time_left;

/// Where output goes.
pub(crate) struct Report {
    /// Whether this is a rank that prints nothing but its errors.
    silent: bool,
    bars: MultiProgress,
    format: LogFormat,
    terminal: bool,
}

impl Report {
    /// Sets up messages for the whole program; `silent` where another rank prints them.
    pub(crate) fn start(options: LogArgs, silent: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !silent;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        // A terminal that cannot move its cursor gets lines alone.
        let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        let bar = terminal && !dumb && !options.quiet && options.log_format == LogFormat::Text;
        if bar {
            bars.set_draw_target(ProgressDrawTarget::stderr());
        }
        let level = match (options.quiet, options.verbose) {
            _ if silent => LevelFilter::ERROR,
            (true, _) => LevelFilter::WARN,
            (_, true) => LevelFilter::DEBUG,
            _ => LevelFilter::INFO,
        };
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        // Libraries have their own to tell, but not to the user of this program.
        let ours = Targets::new().with_targets(["dbn", "deepbelief"].map(|target| (target, level)));
        let messages = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(colour)
            .with_target(false)
            .with_writer(Messages { bars: bars.clone(), format: options.log_format });
        match options.log_format {
            LogFormat::Text => messages.event_format(Plain).finish().with(ours).init(),
            LogFormat::Json => messages.json().flatten_event(true).finish().with(ours).init(),
        }
        Self { silent, bars, format: options.log_format, terminal: bar }
    }

    /// Writes data to stdout. A reader that has gone away has all it wanted.
    pub(crate) fn data(&self, text: &str) -> Result<()> {
        self.picture(&plain(text))
    }

    /// The same of a text that the program made itself, with the colours that it has.
    pub(crate) fn picture(&self, text: &str) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        let written = self.bars.suspend(|| {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::from(error).while_doing("cannot write to stdout"))
            }
            _ => Ok(()),
        }
    }

    /// Writes one JSON object, on one line, to stdout.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        self.data(&(serde_json::to_string(value)? + "\n"))
    }

    /// Says why the program stops.
    pub(crate) fn failure(&self, failure: &Failure) {
        let (what, causes, hint) = (failure.what(), failure.causes(), failure.hint_text());
        if self.format == LogFormat::Json {
            tracing::error!(causes = causes.join("; "), hint, "{what}");
            return;
        }
        let mut text = what.to_string();
        for cause in causes {
            let _ = write!(text, "\n  cause: {cause}");
        }
        if let Some(hint) = hint {
            let _ = write!(text, "\n  hint: {hint}");
        }
        tracing::error!("{text}");
    }

    /// How far one long piece of work of so many steps is: a progress bar, where there is a terminal to draw it on, else a
    /// line now and then.
    pub(crate) fn work(&self, what: &'static str, steps: u64) -> Work {
        let bar = self.bar(steps, 0);
        if let Some(bar) = &bar {
            bar.set_message(what);
        }
        Work::new(what, steps, bar)
    }

    /// A progress bar over `batches`, `done` of which are past, where there is a terminal to
    /// draw it on: of a training, which says more than how far it is.
    pub(crate) fn bar(&self, batches: u64, done: u64) -> Option<ProgressBar> {
        if !self.terminal {
            return None;
        }
        let left = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let (seen, all) = (state.pos().saturating_sub(done), batches.saturating_sub(done));
            if let Some(left) = time_left(state.elapsed(), seen, all) {
                let _ = write!(out, ", {:#} left", HumanDuration(left));
            }
        };
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {msg}{left}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", left)
            .progress_chars("=> ");
        let bar = ProgressBar::new(batches).with_position(done).with_style(style).with_message("starting");
        Some(self.bars.add(bar))
    }
}

/// Writes whole messages to stderr, above the progress bar.
#[derive(Clone)]
struct Messages {
    bars: MultiProgress,
    format: LogFormat,
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Messages for people are plain already, but for the colours that are ours.
        let text = match self.format {
            LogFormat::Text => Cow::Borrowed(bytes),
            LogFormat::Json => plain(&String::from_utf8_lossy(bytes)).into_owned().into_bytes().into(),
        };
        // Nobody is left to tell if stderr is gone.
        let _ = self.bars.suspend(|| std::io::stderr().lock().write_all(&text));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Messages {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The bare message, its level in front where it is not simply news.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let (label, colour) = match *event.metadata().level() {
            Level::ERROR => ("error: ", "31;1"),
            Level::WARN => ("warning: ", "33;1"),
            _ => ("", ""),
        };
        if writer.has_ansi_escapes() && !label.is_empty() {
            write!(writer, "\x1b[{colour}m{label}\x1b[0m")?;
        } else {
            writer.write_str(label)?;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        writeln!(writer, "{}", shortened(&plain(&message.0)))
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Characters of a line of a message, at most.
pub(crate) const LONGEST: usize = 2000;

/// Characters of a column of a table, at most.
pub(crate) const WIDEST: usize = 100;

/// A text without what moves a terminal's cursor or changes its colours: names from files may hold anything.
/// Of JSON it makes the same JSON.
fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_control() && !"\n\t".contains(c))
}

/// A text with its number in place of every character that may not be there.
pub(crate) fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return text.into();
    }
    text.chars().map(|c| if bad(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

/// A message whose lines are short enough to be read.
fn shortened(text: &str) -> String {
    let short = |line: &str| match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({} more characters)", &line[..end], thousands(line[end..].chars().count())),
        None => line.to_string(),
    };
    text.split('\n').map(short).collect::<Vec<_>>().join("\n")
}

/// A number of bytes for people.
pub(crate) fn bytes(n: u64) -> String {
    match n as f64 / f64::from(1 << 20) {
        mib if mib < 10.0 => format!("{mib:.1} MiB"),
        mib if mib < 10_000.0 => format!("{mib:.0} MiB"),
        mib => format!("{} GiB", thousands((mib / 1024.0).round() as usize)),
    }
}

/// A whole number with its thousands apart: `60,000`.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text as a cell of a table: one line of at most `most` characters.
pub(crate) fn cell(text: &str, most: usize) -> String {
    // Characters only get more.
    let start: String = text.chars().take(most + 1).collect();
    let line = escaped(&start, char::is_control);
    if line.chars().count() <= most {
        return line.into_owned();
    }
    line.chars().take(most.saturating_sub(3)).chain("...".chars()).collect()
}

/// Rows of cells as lines, every column as wide as its widest cell. The last cell of a row may be as long as a
/// message.
pub(crate) fn table(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let cut = |row: Vec<String>| -> Vec<String> {
        let last = row.len().saturating_sub(1);
        let most = |column| if column == last { LONGEST } else { WIDEST };
        row.iter().enumerate().map(|(column, text)| cell(text, most(column))).collect()
    };
    let rows: Vec<Vec<String>> = rows.into_iter().map(cut).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| length(row, column)).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_string() + "\n"
    };
    rows.iter().map(line).collect()
}

/// A path as it can be typed into a shell.
pub(crate) fn shell_word(path: &Path) -> String {
    deepbelief_data::shell_quoted(&path.display().to_string())
}

/// The command as it was typed.
pub(crate) fn typed() -> String {
    let mut words = std::env::args_os().skip(1).map(|word| shell_word(Path::new(&word))).collect::<Vec<_>>();
    words.insert(0, "dbn".into());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0, 999, 1000, 60_000, 1_234_567].map(thousands), ["0", "999", "1,000", "60,000", "1,234,567"]);
        assert_eq!([20, 27, 35, 50].map(|n| bytes(1 << n)), ["1.0 MiB", "128 MiB", "32 GiB", "1,048,576 GiB"]);
    }

    /// A clear screen, a bell and a window's title, in both of the ways they can be begun.
    #[test]
    fn no_text_from_a_file_reaches_the_terminal_as_more_than_text() {
        assert_eq!(plain("a\u{1b}[2J\u{7}\u{9b}0;t\r\n\tb"), "a\\u001b[2J\\u0007\\u009b0;t\\u000d\n\tb");
        assert!(matches!(plain("ä\tb\n"), Cow::Borrowed("ä\tb\n")));
        let json = serde_json::to_string("\u{7f}\u{9b}").unwrap();
        assert_eq!(serde_json::from_str::<String>(&plain(&json)).unwrap(), "\u{7f}\u{9b}");
        let long = "ä".repeat(2000);
        assert_eq!(shortened(&format!("{long}\n{long}")), format!("{long}\n{long}"));
        assert_eq!(shortened(&format!("{long}1,234\nb")), format!("{long}... (5 more characters)\nb"));
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["run", "cost"], ["ä", ""], ["second", "1.5"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(table(rows), "run     cost\nä\nsecond  1.5\n");
        assert_eq!(table([]), "");
    }

    /// A width beyond 65,535 characters cannot be formatted.
    #[test]
    fn cells_are_lines_that_fit_a_table() {
        assert_eq!([cell("ä\tb", 8), cell("ä\tb", 7)], ["ä\\u0009b", "ä\\u0..."]);
        assert_eq!([cell("äbcdef", 6), cell("äbcdefg", 6)], ["äbcdef", "äbc..."]);
        let long = "ä".repeat(70_000);
        let lines = table([vec![long.clone(), long.clone()], vec!["a".into(), long]]);
        let widths: Vec<usize> = lines.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [WIDEST + 2 + LONGEST; 2]);
    }

    #[test]
    fn paths_in_commands_can_be_pasted() {
        assert_eq!(shell_word(Path::new("runs/mnist-500")), "runs/mnist-500");
        assert_eq!(shell_word(Path::new("my runs/it's")), r"'my runs/it'\''s'");
    }
}
