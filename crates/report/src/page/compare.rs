//! Several runs on one page: curves over each other, figures side by side, settings that differ.

use super::curves::Charts;
use super::data::line;
use super::shell::{foot, whole};
use crate::content::{Content, DATA_HASH};
use crate::figures::{Better, called, figure_of, shown};
use crate::traces::Traces;
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeSet;

/// The page of several runs.
#[must_use]
pub fn compare(runs: &[Content]) -> String {
    let layers: BTreeSet<u32> = runs.iter().flat_map(|run| run.metrics.layers.keys().copied()).collect();
    let group = |layer: u32| {
        let of = runs
            .iter()
            .map(|run| (run.run.as_str(), run.metrics.layers.get(&layer).map_or(&crate::NONE, |layer| &layer.traces)));
        let title = if layers.len() > 1 { format!("Layer {}", layer + 1) } else { String::new() };
        (title, of.collect::<Vec<(&str, &Traces)>>())
    };
    let groups: Vec<(String, Vec<(&str, &Traces)>)> = layers.iter().map(|&layer| group(layer)).collect();
    let charts = Charts::compared(&groups);
    let title = format!("{} runs compared", runs.len());
    let body = html! {
        header {
            h1 { (title) }
            ul.runs {
                @for (number, run) in runs.iter().enumerate() {
                    li { b class={ "key f" (number % 6) } { (line(&run.run)) } " " (line(&run.title)) ": " (run.verdict().text) }
                }
            }
        }
        main {
            section id="figures" { h2 { "Figures" } (figures(runs)) }
            section id="curves" {
                h2 { "Curves" }
                p.hint { "A colour is a run; validation samples are dashed." }
                (charts.markup())
            }
            section id="settings" { h2 { "Settings that differ" } (settings(runs)) }
        }
        (foot())
    };
    whole(&title, &body, &charts.data, false)
}

/// What the training data are known by.
fn data(run: &Content) -> Option<&str> {
    run.facts.iter().find(|(name, _)| name == DATA_HASH).map(|(_, hash)| hash.as_str())
}

/// All figures of the last epochs; the best of each is bold, where the runs learned the same data.
fn figures(runs: &[Content]) -> Markup {
    let of: Vec<Vec<(String, Value)>> = runs.iter().map(Content::figures).collect();
    let names: BTreeSet<&str> = of.iter().flatten().map(|(name, _)| name.as_str()).collect();
    let hashes: BTreeSet<&str> = runs.iter().filter_map(data).collect();
    let differ = hashes.len() > 1;
    let value =
        |run: usize, name: &str| of[run].iter().find(|figure| figure.0 == name).and_then(|figure| figure.1.as_f64());
    let best = |name: &str| {
        if differ {
            return None;
        }
        let values = (0..runs.len()).filter_map(|run| value(run, name)).filter(|value| value.is_finite());
        match figure_of(name)?.better {
            Better::Lower => values.min_by(f64::total_cmp),
            Better::Higher => values.max_by(f64::total_cmp),
            Better::Neither => None,
        }
    };
    html! {
        @if differ { ul.findings { li.watch { "These runs learned different data: do not compare their costs and likelihoods." } } }
        div.wide tabindex="0" {
            table.plain {
                thead { tr { th { "figure" } @for run in runs { th.number { (line(&run.run)) } } } }
                tbody {
                    @for name in names {
                        tr {
                            th scope="row" { (line(&called(name))) }
                            @for run in 0..runs.len() {
                                @match value(run, name) {
                                    Some(x) if Some(x) == best(name) => td.number title=(x) { b { (shown(name, x)) } },
                                    Some(x) => td.number title=(x) { (shown(name, x)) },
                                    None => td.number { "\u{2013}" },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn settings(runs: &[Content]) -> Markup {
    let keys: BTreeSet<&str> =
        runs.iter().flat_map(|run| run.settings.iter().map(|setting| setting.key.as_str())).collect();
    let of = |run: &Content, key: &str| {
        let own = run.settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.clone());
        // Who has not changed it has the default, which any other run's entry names.
        own.or_else(|| {
            let alike = runs.iter().filter(|other| other.verb == run.verb);
            alike
                .flat_map(|other| &other.settings)
                .find(|setting| setting.key == key)
                .map(|setting| setting.default.clone())
        })
    };
    let differing: Vec<&str> =
        keys.into_iter().filter(|key| runs.iter().map(|run| of(run, key)).collect::<BTreeSet<_>>().len() > 1).collect();
    html! {
        @if differing.is_empty() { p.none { "None." } }
        @else {
            div.wide tabindex="0" {
                table.plain {
                    thead { tr { th { "setting" } @for run in runs { th { (line(&run.run)) } } } }
                    tbody {
                        @for key in differing {
                            tr { th scope="row" { code { (line(key)) } } @for run in runs { td { (of(run, key).map_or_else(|| "\u{2013}".into(), |value| line(&value))) } } }
                        }
                    }
                }
            }
        }
    }
}
