//! Settings, the glossary, the figures of the last epoch, and what to type next.

use super::data::line;
use crate::content::Content;
use crate::figures::{Better, ENDINGS, called, figure_of, number};
use maud::{Markup, html};

/// What differs from the defaults.
pub(super) fn settings(content: &Content) -> Markup {
    html! {
        p.hint { "Settings that differ from the defaults. config.toml has all of them." }
        @if content.settings.is_empty() { p.none { "None: this is the built-in recipe." } }
        @else {
            div.wide tabindex="0" {
                table.plain.meanings {
                    thead { tr { th { "setting" } th { "value" } th { "default" } th { "meaning" } } }
                    tbody {
                        @for setting in &content.settings {
                            tr {
                                th scope="row" { code { (line(&setting.key)) } }
                                td { (line(&setting.value)) } td { (line(&setting.default)) } td { (line(&setting.meaning)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What every figure on the page means.
pub(super) fn glossary(content: &Content) -> Markup {
    html! {
        dl.glossary {
            @for figure in content.glossary() {
                div id={ "g-" (figure.name) } {
                    dt { (figure.title) " " code { (figure.name) } }
                    dd {
                        (figure.meaning)
                        @match figure.better { Better::Lower => " Lower is better.", Better::Higher => " Higher is better.", Better::Neither => "" }
                    }
                }
            }
            div {
                dt { "Endings of names" }
                dd { @for (ending, meaning) in ENDINGS { code { (ending) } " " (meaning) ". " } }
            }
            @if names_layers(content) {
                div {
                    dt { "Layers" }
                    dd { "Counted from 1, the lowest. Names in metrics.jsonl count from 0: " code { "layer_0_\u{2026}" } " is of layer 1." }
                }
            }
            div { dt { "nats" } dd { "Units of information by the natural logarithm: one nat is 1.44 bits." } }
        }
    }
}

/// Whether the page speaks of layers by number.
fn names_layers(content: &Content) -> bool {
    content.metrics.layers.len() > 1 || content.figures().iter().any(|(name, _)| name.starts_with("layer_"))
}

/// All figures of the last epoch, as the metrics have them.
pub(super) fn last_epoch(content: &Content) -> Markup {
    html! {
        details {
            summary { "All figures of the last epoch" }
            div.wide tabindex="0" {
                table.plain.figures {
                    thead { tr { th { "figure" } th { "name in metrics.jsonl" } th.number { "value" } } }
                    tbody {
                        @for (name, value) in content.figures() {
                            tr data-figure=(line(&name)) {
                                th scope="row" {
                                    @if let Some(figure) = figure_of(&name) { a href={ "#g-" (figure.name) } { (called(&name)) } }
                                    @else { (line(&called(&name))) }
                                }
                                td { code { (line(&name)) } }
                                td.number title=(value) { (value.as_f64().map_or_else(|| value.to_string(), number)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What to type next.
pub(super) fn next(content: &Content) -> Markup {
    html! {
        @if content.next.is_empty() { p.none { "There is no checkpoint to go on with yet." } }
        @for next in &content.next {
            div.command {
                p { (line(&next.what)) }
                pre { code { (line(&next.command)) } button type="button" data-copy=(line(&next.command)) { "copy" } }
            }
        }
    }
}
