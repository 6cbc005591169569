//! Pictures of samples, and the labels that they are taken for.

use super::data::line;
use crate::content::Content;
use crate::observed::{Sheet, tile_address};
use maud::{Markup, html};

/// Tiles of a page, at most.
const MOST_TILES: usize = 2000;

/// Classes of a confusion matrix, at most.
const MOST_CLASSES: usize = 40;

/// The sheet of a kind; none where there is none.
pub(super) fn section(content: &Content, kind: &str) -> Option<Markup> {
    let sheet = content.observed.sheets.iter().find(|sheet| sheet.kind == kind)?;
    let tiles: usize = sheet.rows.iter().map(Vec::len).sum();
    (tiles > 0 && tiles <= MOST_TILES).then(|| markup(content, sheet))
}

fn markup(content: &Content, sheet: &Sheet) -> Markup {
    let labelled = !sheet.row_labels.is_empty();
    html! {
        p.hint { (line(&sheet.title)) (as_of(content, sheet.epochs)) }
        div.wide tabindex="0" {
            table.sheet {
                @if !sheet.column_labels.is_empty() {
                    thead {
                        tr {
                            @if labelled { td {} }
                            @for label in &sheet.column_labels { th scope="col" { (line(label)) } }
                        }
                    }
                }
                tbody {
                    @for (place, row) in sheet.rows.iter().enumerate() {
                        tr {
                            @if labelled { th scope="row" { (sheet.row_labels.get(place).map_or_else(String::new, |label| line(&label.replace('\n', " ")))) } }
                            @for (column, tile) in row.iter().enumerate() { td { (picture(sheet, tile, place, column)) } }
                        }
                    }
                }
            }
        }
    }
}

fn picture(sheet: &Sheet, tile: &str, row: usize, column: usize) -> Markup {
    let label = |labels: &[String], place: usize| labels.get(place).map_or_else(String::new, |label| line(label));
    let alt = format!("{} {}", label(&sheet.row_labels, row), label(&sheet.column_labels, column));
    let caption = sheet.captions.get(row).and_then(|row| row.get(column));
    html! {
        @if let Some(address) = tile_address(tile, sheet.width, sheet.height) { img src=(address) alt=(alt.trim()); }
        @if let Some(caption) = caption { div.caption { (line(caption)) } }
    }
}

/// Says so where what is shown is of an earlier epoch.
pub(super) fn as_of(content: &Content, epochs: usize) -> String {
    if epochs == content.metrics.done() { String::new() } else { format!(" (after {epochs} epochs)") }
}

/// Labels against what they are taken for, as a heat map.
pub(super) fn confusion(content: &Content) -> Option<Markup> {
    let confusion = content.observed.confusion.as_ref()?;
    let counts = &confusion.counts;
    if counts.is_empty() || counts.len() > MOST_CLASSES || counts.iter().any(|row| row.len() != counts.len()) {
        return None;
    }
    let name =
        |class: usize| content.observed.class_names.get(class).map_or_else(|| class.to_string(), |name| line(name));
    let most = |row: &[usize]| row.iter().copied().max().unwrap_or(0).max(1);
    let wrong = counts
        .iter()
        .enumerate()
        .flat_map(|(label, row)| row.iter().enumerate().filter(move |(told, _)| *told != label));
    let worst = wrong.map(|(_, &count)| count).max().unwrap_or(0).max(1);
    let samples = counts.iter().flatten().fold(0, |sum: usize, &count| sum.saturating_add(count));
    let right = (0..counts.len()).fold(0, |sum: usize, class| sum.saturating_add(counts[class][class]));
    Some(html! {
        p.hint {
            "Of " (samples) " " (line(&confusion.of)) " samples " (samples.saturating_sub(right)) " get a wrong label. A row is a class, a "
            "column what it is taken for (class \u{2192} predicted). Errors are red by how often they happen."
            (as_of(content, content.observed.epochs))
        }
        div.wide tabindex="0" {
            table.confusion {
                thead { tr { th { "class \u{2192}" } @for class in 0..counts.len() { th scope="col" { (name(class)) } } } }
                tbody {
                    @for (label, row) in counts.iter().enumerate() {
                        tr {
                            th scope="row" { (name(label)) }
                            @for (told, &count) in row.iter().enumerate() {
                                @let share = if told == label { -(count as f64) / most(row) as f64 * 0.35 } else { count as f64 / worst as f64 * 0.6 };
                                td class=(super::filters::shade(if count == 0 { 0.0 } else { share }))
                                    title={ (name(label)) " \u{2192} " (name(told)) ": " (count) } { @if count > 0 { (count) } }
                            }
                        }
                    }
                }
            }
        }
    })
}
