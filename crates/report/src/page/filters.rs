//! Filters: all of them, blue below zero and red above, in the order that the reader chooses.

use super::data::line;
use crate::colours::diverging;
use crate::content::Content;
use crate::figures::number;
use crate::weights::LayerView;
use maud::{Markup, html};

/// Shades that cells of a table may have below white, and above it.
const SHADES: i32 = 10;

/// The filters of every layer; none where there is nothing to draw.
pub(super) fn section(content: &Content) -> Option<Markup> {
    let shown: Vec<(usize, &LayerView)> = content
        .layers
        .iter()
        .enumerate()
        .filter(|(_, layer)| layer.sprite.is_some() || layer.named.is_some())
        .collect();
    if shown.is_empty() {
        return None;
    }
    Some(html! {
        p.hint {
            // A network of backpropagation has weights up alone.
            @if content.verb == "finetune" { "What in the inputs moves each hidden unit: " span.negative { "blue" } " down, "
                span.positive { "red" } " up." }
            @else { "What each hidden unit adds to the visible ones: " span.negative { "blue" } " takes away, "
                span.positive { "red" } " adds." }
        }
        @for (place, layer) in shown {
            h3 { (line(&layer.name)) }
            (words(layer))
            @if let Some((names, weights)) = &layer.named { (named(layer, names, weights)) }
            @else if let Some((address, columns)) = &layer.sprite { (sprite(content, place, layer, address, *columns)) }
        }
    })
}

fn words(layer: &LayerView) -> Markup {
    let scale = if layer.projected {
        "Seen through the layers below: weights times the filters there, each scaled by itself.".to_string()
    } else {
        format!("The strongest colours stand for \u{b1}{}.", number(layer.limit))
    };
    let left = if layer.shown < layer.units {
        format!(" The first {} of {} are shown: all of them would make the page too large.", layer.shown, layer.units)
    } else {
        String::new()
    };
    html! { p.hint { (scale) (left) } }
}

fn sprite(content: &Content, place: usize, layer: &LayerView, address: &str, columns: usize) -> Markup {
    let units = content.observed.units.get(place).filter(|units| units.activity.len() == layer.units);
    let names = &content.observed.class_names;
    let class = |class: u32| names.get(class as usize).map_or_else(|| class.to_string(), |name| line(name));
    let orders = [("unit", "number", true), ("norm", "norm", true), ("activity", "activity", units.is_some())];
    let has_classes = units.is_some_and(|units| units.class.len() == layer.units);
    let info = serde_json::json!({
        "width": layer.tile.0, "height": layer.tile.1, "columns": columns, "shown": layer.shown,
        "norm": layer.norms.iter().take(layer.shown).map(|&norm| rounded(norm)).collect::<Vec<_>>(),
        "activity": units.map(|units| units.activity.iter().take(layer.shown).map(|&a| rounded(f64::from(a))).collect::<Vec<_>>()),
        "class": units.filter(|_| has_classes).map(|units| &units.class[..layer.shown.min(units.class.len())]),
        "names": units.filter(|_| has_classes).map(|units| {
            (0..=units.class.iter().copied().max().unwrap_or(0).min(10_000)).map(class).collect::<Vec<_>>()
        }),
    });
    html! {
        div.filters data-filters=(info) {
            div.orders role="group" aria-label="Order of the filters" {
                "Sort by "
                @for (key, name, there) in orders { @if there { button type="button" data-order=(key) { (name) } } }
                @if has_classes { button type="button" data-order="class" { "class" } }
                span.told aria-live="polite" {}
            }
            div.sprite { img src=(address) alt={ "Filters of " (line(&layer.name)) } class=[layer.is_picture.then_some("tiles")]; }
        }
    }
}

/// Enough digits to sort by.
fn rounded(value: f64) -> f64 {
    if value.is_finite() { (value * 1e4).round() / 1e4 } else { 0.0 }
}

/// Weights of what is no picture: a row a hidden unit, a column a visible one.
fn named(layer: &LayerView, names: &[String], weights: &[f32]) -> Markup {
    html! {
        div.wide tabindex="0" {
            table.weights {
                thead { tr { th { "unit" } @for name in names { th { span { (line(name)) } } } } }
                tbody {
                    @for (unit, row) in weights.chunks(names.len().max(1)).enumerate() {
                        tr {
                            th scope="row" { (unit) }
                            @for &weight in row {
                                td class=(shade(f64::from(weight) / layer.limit)) title=(number(f64::from(weight))) {}
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Class of a cell by a share of the limit.
pub(super) fn shade(share: f64) -> String {
    let step = if share.is_finite() { (share.clamp(-1.0, 1.0) * f64::from(SHADES)).round() as i32 } else { 0 };
    if step < 0 { format!("n{}", -step) } else { format!("q{step}") }
}

/// Style sheet of the shades.
pub(super) fn shades() -> String {
    let rule = |step: i32| {
        let [r, g, b] = diverging(step as f32 / SHADES as f32);
        let sign = if step < 0 { 'n' } else { 'q' };
        format!(".{sign}{}{{background:rgb({r},{g},{b})}}", step.abs())
    };
    (-SHADES..=SHADES).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_share_has_a_shade_of_the_style_sheet() {
        let css = shades();
        for share in [-2.0, -1.0, -0.26, 0.0, 0.04, 1.0, f64::NAN] {
            assert!(css.contains(&format!(".{}{{", shade(share))), "{share}");
        }
    }
}
