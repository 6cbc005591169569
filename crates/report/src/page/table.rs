//! Models of tables: rows beside what the model makes of them, and how data and samples compare.

use super::data::line;
use crate::content::Content;
use crate::figures::number;
use crate::observed::{Correlations, Marginal, Table};
use maud::{Markup, html};

/// Columns whose marginals are shown, at most.
const MOST_COLUMNS: usize = 60;
/// Values of a marginal, at most.
const MOST_VALUES: usize = 24;
/// Dots of the picture of correlations, at most.
const MOST_DOTS: usize = 2000;

/// All of it; none where samples are pictures or nothing is known of them.
pub(super) fn section(content: &Content) -> Option<Markup> {
    let table = content.observed.table.as_ref()?;
    let as_of = super::samples::as_of(content, content.observed.epochs);
    Some(html! {
        @if !as_of.is_empty() { p.hint { "As it was" (as_of) "." } }
        @if !table.data.is_empty() {
            h3 { "Rows and their reconstructions" }
            p.hint { "Above each reconstruction stands the row of the data." }
            (rows(table, true))
        }
        @if !table.samples.is_empty() {
            h3 { "Samples of the model" }
            p.hint { "Rows that the model draws by itself." }
            (rows(table, false))
        }
        @if !table.marginals.is_empty() {
            h3 { "Marginals" }
            p.hint {
                "How often each value occurs: " b.f0.key { "data" } " (" (table.compared.0) " rows) and " b.f1.key { "samples" }
                " of the model (" (table.compared.1) "). Bars of one length are what a good model has."
            }
            div.marginals { @for marginal in table.marginals.iter().take(MOST_COLUMNS) { (bars(marginal)) } }
        }
        @if let Some(correlations) = &table.correlations { (scatter(correlations)) }
    })
}

fn rows(table: &Table, paired: bool) -> Markup {
    let of = |row: &[String], class: &str, name: &str| {
        html! {
            tr class=(class) { th scope="row" { (name) } @for cell in row { td { (line(cell)) } } }
        }
    };
    html! {
        div.wide tabindex="0" {
            table.rows {
                thead { tr { th {} @for name in &table.columns { th scope="col" { (line(name)) } } } }
                tbody {
                    @if paired {
                        @for (place, row) in table.data.iter().enumerate() {
                            (of(row, "data", &format!("row {}", place + 1)))
                            @if let Some(row) = table.reconstructions.get(place) { (of(row, "made", "reconstruction")) }
                        }
                    } @else {
                        @for (place, row) in table.samples.iter().enumerate() { (of(row, "made", &format!("sample {}", place + 1))) }
                    }
                }
            }
        }
    }
}

fn bars(marginal: &Marginal) -> Markup {
    let values = marginal.values.iter().zip(marginal.data.iter().zip(&marginal.samples)).take(MOST_VALUES);
    let most = marginal.data.iter().chain(&marginal.samples).copied().filter(|x| x.is_finite()).fold(0.01, f64::max);
    let apart = marginal.data.iter().zip(&marginal.samples).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
    // In the picture a bar is at most so long.
    let long = |share: f64| format!("{:.1}", 100.0 * (share / most).clamp(0.0, 1.0));
    html! {
        figure.marginal {
            figcaption { b { (line(&marginal.name)) } small { " " (percent(apart)) " apart" } }
            table {
                @for (value, (data, samples)) in values {
                    tr title={ (line(value)) ": " (percent(*data)) " of the data, " (percent(*samples)) " of the samples" } {
                        th scope="row" { (line(value)) }
                        td {
                            svg viewBox="0 0 100 13" preserveAspectRatio="none" aria-hidden="true" {
                                rect.f0 x="0" y="0.5" width=(long(*data)) height="5.5" {}
                                rect.f1 x="0" y="7" width=(long(*samples)) height="5.5" {}
                            }
                        }
                        td.share { (percent(*data)) } td.share { (percent(*samples)) }
                    }
                }
            }
            @if marginal.values.len() > MOST_VALUES { small { (marginal.values.len() - MOST_VALUES) " more values" } }
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Each pair of units a dot: what it is in the data, and in the samples. All lie on the line if the model has learned
/// what goes together.
fn scatter(correlations: &Correlations) -> Markup {
    let pairs: Vec<_> = correlations.pairs.iter().filter(|pair| pair.2.is_finite() && pair.3.is_finite()).collect();
    let squares: f64 = pairs.iter().map(|pair| (pair.2 - pair.3).powi(2)).sum();
    let apart = (squares / pairs.len().max(1) as f64).sqrt();
    let name = |unit: usize| correlations.names.get(unit).map_or_else(|| unit.to_string(), |name| line(name));
    // A pixel for a hundredth, and room for the words.
    let at = |x: f64| format!("{:.1}", 150.0 + 110.0 * x.clamp(-1.0, 1.0));
    let mut worst: Vec<_> = pairs.clone();
    worst.sort_by(|a, b| (b.2 - b.3).abs().total_cmp(&(a.2 - a.3).abs()));
    html! {
        h3 { "Correlations" }
        p.hint {
            "A dot is a pair of units. On the line the model has learned what goes together; root mean square distance "
            (number(apart)) " over " (pairs.len()) " pairs."
        }
        div.correlations {
            svg.scatter viewBox="0 0 300 300" role="img" aria-label={ "Correlations of data and samples, " (number(apart)) " apart" } {
                path.pg fill="none" d="M40 150H260M150 40V260" {}
                path.pa fill="none" stroke-dasharray="4 4" d="M40 260L260 40" {}
                @for pair in pairs.iter().take(MOST_DOTS) {
                    circle.f0 cx=(at(pair.2)) cy=(at(-pair.3)) r="3" opacity="0.6" {
                        title { (name(pair.0)) ", " (name(pair.1)) ": " (number(pair.2)) " in the data, " (number(pair.3)) " in samples" }
                    }
                }
                text.fs x="150" y="285" text-anchor="middle" font-size="13" { "in the data" }
                text.fs x="20" y="150" text-anchor="middle" font-size="13" transform="rotate(-90 20 150)" { "in samples" }
                text.fs x="40" y="272" text-anchor="middle" font-size="11" { "\u{2212}1" }
                text.fs x="260" y="272" text-anchor="middle" font-size="11" { "1" }
            }
            @if !worst.is_empty() {
                div {
                    p { b { "Farthest from the data" } }
                    table.plain {
                        thead { tr { th { "units" } th { "data" } th { "samples" } } }
                        tbody {
                            @for pair in worst.iter().take(8) {
                                tr { td { (name(pair.0)) " \u{2014} " (name(pair.1)) } td { (format!("{:.2}", pair.2)) } td { (format!("{:.2}", pair.3)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
