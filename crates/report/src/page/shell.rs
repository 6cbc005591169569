//! The file around a body, and what it allows itself.

use super::{data, filters};
use crate::chart::colours;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Seconds after which the page of a running training loads itself again.
const REFRESH: u32 = 10;

/// The last line.
pub(super) fn foot() -> Markup {
    html! { footer { "Written by deepbelief. The figures are those of metrics.jsonl in the same folder." } }
}

/// The file around a body; `data` are what the script draws under the pointer.
pub(super) fn whole(title: &str, body: &Markup, data: &serde_json::Value, running: bool) -> String {
    let (light, dark, shades) = (colours(false), colours(true), filters::shades());
    let style = format!("{light}@media(prefers-color-scheme:dark){{{dark}}}{shades}{STYLE}");
    let policy = format!(
        "default-src 'none'; img-src data:; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        data::hash(&style),
        data::hash(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (data::line(title)) }
                style { (PreEscaped(&style)) }
            }
            body data-refresh=[running.then_some(REFRESH)] {
                (body)
                script type="application/json" id="data" { (PreEscaped(data::script_safe(data))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}
