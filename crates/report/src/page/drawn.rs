//! Pictures that other commands drew into the run folder.

use super::data::line;
use crate::content::Content;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use std::path::Path;

/// The pictures; none where there are none.
pub(super) fn section(content: &Content) -> Option<Markup> {
    (!content.drawn.is_empty()).then(|| {
        html! {
            @for drawn in &content.drawn {
                figure.drawn {
                    figcaption.hint { (line(&drawn.caption)) }
                    div.wide tabindex="0" { img src=(address(&drawn.name, &drawn.bytes)) alt=(line(&drawn.caption)); }
                }
            }
        }
    })
}

/// The file itself as an address. A picture that is shown by one runs no script of its own.
fn address(name: &str, bytes: &[u8]) -> String {
    let is_svg = Path::new(name).extension().is_some_and(|ending| ending == "svg");
    let kind = if is_svg { "svg+xml" } else { "png" };
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}
