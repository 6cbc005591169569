//! The top of a page: what was trained, and whether it worked.

use super::data::line;
use crate::content::{Content, State};
use crate::figures::{called, figure_of, number, shown};
use crate::verdict::{Finding, Tone};
use maud::{Markup, html};

/// Title, state and facts.
pub(super) fn header(content: &Content) -> Markup {
    let done = content.metrics.done();
    let epochs =
        content.planned.map_or_else(|| format!("{done} epochs"), |planned| format!("epoch {done} of {planned}"));
    html! {
        header {
            h1 { (line(&content.title)) }
            p.sub {
                span class={ "state " (class(content.state)) } { (content.state.words()) }
                span { (epochs) }
                span { (duration(content.metrics.seconds())) }
                span.path { (line(&content.run)) }
                @if content.state == State::Running { span.live data-written=(content.written) { "this page loads itself again" } }
            }
            dl.facts {
                @for (name, value) in &content.facts {
                    div { dt { (line(name)) } dd { (fact(value)) } }
                }
            }
        }
    }
}

/// A fact; of a command no word is broken where there is room for it.
fn fact(value: &str) -> Markup {
    let value = line(value);
    html! {
        @if value.starts_with("dbn ") {
            @for word in value.split(' ') { span.word { (word) } " " }
        } @else { (value) }
    }
}

fn class(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Finished | State::StoppedEarly => "done",
        State::Unfinished | State::Diverged | State::Failed => "open",
    }
}

/// A time for people.
pub(super) fn duration(seconds: f64) -> String {
    // Beyond that, the metrics are damaged.
    let whole = seconds.clamp(0.0, 1e12) as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{} s of training", (10.0 * seconds.clamp(0.0, 60.0)).round() / 10.0),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s of training"),
        (hours, minutes, _) => format!("{hours} h {minutes} min of training"),
    }
}

/// Whether it worked, the figures that say so, and what to look at.
pub(super) fn verdict(content: &Content) -> Markup {
    let verdict = content.verdict();
    let warned = content.observed.warnings.iter().map(|warning| {
        let layer =
            if content.metrics.layers.len() > 1 { format!("layer {}, ", warning.layer + 1) } else { String::new() };
        Finding { tone: Tone::Watch, text: format!("{layer}epoch {}: {}.", warning.epoch, line(&warning.text)) }
    });
    let damaged = (content.metrics.unreadable > 0).then(|| Finding {
        tone: Tone::Watch,
        text: format!(
            "metrics.jsonl is damaged: {} of its lines cannot be read, and are not shown.",
            content.metrics.unreadable
        ),
    });
    let notes = content.notes.iter().map(|note| Finding { tone: Tone::Watch, text: line(note) });
    let findings: Vec<Finding> = verdict.findings.iter().cloned().chain(warned).chain(damaged).chain(notes).collect();
    html! {
        section #verdict class=(tone(verdict.tone)) {
            h2 { (verdict.text) }
            (tiles(content))
            ul.findings { @for finding in findings { li class=(tone(finding.tone)) { (finding.text) } } }
        }
    }
}

pub(super) fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Watch => "watch",
        Tone::Bad => "bad",
    }
}

/// Figures that are shown large, where there are such.
const LARGE: [&str; 14] = [
    "label_error_test",
    "label_error_valid",
    "label_error_train",
    "log_likelihood_valid",
    "log_likelihood_train",
    "squared_error_test",
    "squared_error_valid",
    "cost_valid",
    "variational_cost_valid",
    "reconstruction_cost_test",
    "reconstruction_cost_valid",
    "reconstruction_cost",
    "free_energy_gap",
    "hidden_activity",
];

/// Figures beside each other, at most.
const MOST: usize = 6;

fn tiles(content: &Content) -> Markup {
    let figures = content.figures();
    let of = |name: &str| figures.iter().find(|figure| figure.0 == name).map(|figure| figure.1.clone());
    let tiles: Vec<(&str, serde_json::Value)> =
        LARGE.iter().filter_map(|&name| Some((name, of(name)?))).take(MOST).collect();
    html! {
        div.tiles {
            @for (name, value) in tiles {
                div.tile title={ (name) " = " (value) } data-figure=(name) {
                    b { (value.as_f64().map_or_else(String::new, |value| shown(name, value))) }
                    span { (called(name)) }
                    @if let Some(interval) = interval(name, &of) { small { (interval) } }
                    small { (figure_of(name).map_or("", |figure| figure.unit).trim_start_matches('%')) }
                }
            }
        }
    }
}

/// The interval of a likelihood: three standard errors of ln Z.
fn interval(name: &str, of: &impl Fn(&str) -> Option<serde_json::Value>) -> Option<String> {
    let error = of("log_z_error").filter(|_| name.starts_with("log_likelihood"))?.as_f64()?;
    Some(format!("\u{b1}{}", number(3.0 * error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        let times = [0.25, 75.0, 3700.0, -1.0].map(duration);
        assert_eq!(times, ["0.3 s of training", "1 min 15 s of training", "1 h 1 min of training", "0 s of training"]);
        assert!(duration(f64::INFINITY).contains(" h "));
    }
}
