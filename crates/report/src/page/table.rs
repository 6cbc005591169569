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
/// Bars that are shown at once, at most.
const MOST_BARS: usize = 150;
/// Dots of a picture, at most: those farthest from the line.
const MOST_DOTS: usize = 2000;

/// All of it; none where samples are pictures or nothing is known of them.
pub(super) fn section(content: &Content) -> Option<Markup> {
    let table = content.observed.table.as_ref()?;
    let as_of = super::samples::as_of(content, content.observed.epochs);
    Some(html! {
        @if !as_of.is_empty() { p.hint { "As it was" (as_of) "." } }
        @if !table.data.is_empty() {
            h3 { "Rows and their reconstructions" }
            p.hint { "Above each reconstruction stands the row of the data" (whole(content)) "." }
            (rows(table, true))
        }
        @if !table.samples.is_empty() {
            h3 { "Samples of the model" }
            p.hint { "Rows that the model draws by itself." }
            (rows(table, false))
        }
        @if is_long(&table.marginals) {
            (frequencies(&table.marginals))
            details { summary { "Marginals of " (table.marginals.len().min(MOST_COLUMNS)) " columns" } (marginals(table, whole(content))) }
        } @else if !table.marginals.is_empty() {
            h3 { "Marginals" }
            (marginals(table, whole(content)))
        }
        @if let Some(found) = &table.correlations { (correlations(found)) }
    })
}

/// Which rows of the data are shown, where some are left out.
fn whole(content: &Content) -> &'static str {
    if content.observed.gaps { ", of the rows that lack nothing" } else { "" }
}

/// Whether there are too many bars to look at each, as of an alignment.
fn is_long(marginals: &[Marginal]) -> bool {
    marginals.iter().map(|marginal| marginal.values.len()).sum::<usize>() > MOST_BARS
}

fn marginals(table: &Table, whole: &str) -> Markup {
    html! {
        p.hint {
            "How often each value occurs: " b.f0.key { "data" } " (" (table.compared.0) " " (line(&table.of)) " rows" (whole) ") and " b.f1.key { "samples" }
            " of the model (" (table.compared.1) "). Bars of one length are what a good model has."
        }
        div.marginals { @for marginal in table.marginals.iter().take(MOST_COLUMNS) { (bars(marginal)) } }
    }
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

/// What is compared: a name, what it is in the data, and in the samples.
type Pair = (String, f64, f64);

/// How often every value of every column occurs, as dots.
fn frequencies(marginals: &[Marginal]) -> Markup {
    let of = |marginal: &Marginal| -> Vec<Pair> {
        let shares = marginal.data.iter().zip(&marginal.samples);
        let named = marginal.values.iter().zip(shares);
        named.map(|(value, (&a, &b))| (format!("{} {}", line(&marginal.name), line(value)), a, b)).collect()
    };
    let pairs: Vec<Pair> = marginals.iter().flat_map(of).collect();
    let apart = apart(&pairs);
    html! {
        h3 { "Frequencies" }
        p.hint {
            "A dot is a value of a column. On the line it occurs as often in the samples as in the data; root mean square "
            "distance " (number(apart)) " over " (pairs.len()) " values."
        }
        (compared("Frequencies", "value", pairs, 0.0))
    }
}

/// Each pair of units a dot: all lie on the line if the model has learned what goes together.
fn correlations(correlations: &Correlations) -> Markup {
    let name = |unit: usize| correlations.names.get(unit).map_or_else(|| unit.to_string(), |name| line(name));
    let of = |&(a, b, data, samples): &(usize, usize, f64, f64)| {
        (format!("{} \u{2014} {}", name(a), name(b)), data, samples)
    };
    let pairs: Vec<Pair> =
        correlations.pairs.iter().map(of).filter(|pair| pair.1.is_finite() && pair.2.is_finite()).collect();
    let apart = apart(&pairs);
    html! {
        h3 { "Correlations" }
        p.hint {
            "A dot is a pair of units. On the line the model has learned what goes together; root mean square distance "
            (number(apart)) " over " (pairs.len()) " pairs."
        }
        (compared("Correlations", "units", pairs, -1.0))
    }
}

/// The root mean square distance of data and samples.
fn apart(pairs: &[Pair]) -> f64 {
    let squares: f64 = pairs.iter().map(|pair| (pair.1 - pair.2).powi(2)).sum();
    (squares / pairs.len().max(1) as f64).sqrt()
}

/// A dot for each pair between `low` and 1, and those farthest from the line as a table.
fn compared(what: &str, of: &str, mut pairs: Vec<Pair>, low: f64) -> Markup {
    pairs.sort_by(|a, b| (b.1 - b.2).abs().total_cmp(&(a.1 - a.2).abs()));
    let share = |x: f64| (x.clamp(low, 1.0) - low) / (1.0 - low);
    let (across, up) =
        (|x: f64| format!("{:.1}", 40.0 + 220.0 * share(x)), |y: f64| format!("{:.1}", 260.0 - 220.0 * share(y)));
    let zero = format!("M40 {}H260M{} 40V260", up(0.0), across(0.0));
    html! {
        div.correlations {
            svg.scatter viewBox="0 0 300 300" role="img" aria-label={ (what) " of data and samples, " (number(apart(&pairs))) " apart" } {
                path.pg fill="none" d=(zero) {}
                path.pa fill="none" stroke-dasharray="4 4" d="M40 260L260 40" {}
                @for (name, data, samples) in pairs.iter().take(MOST_DOTS) {
                    circle.f0 cx=(across(*data)) cy=(up(*samples)) r="3" opacity="0.6" {
                        title { (name) ": " (number(*data)) " in the data, " (number(*samples)) " in samples" }
                    }
                }
                text.fs x="150" y="290" text-anchor="middle" font-size="13" { "in the data" }
                text.fs x="14" y="150" text-anchor="middle" font-size="13" transform="rotate(-90 14 150)" { "in samples" }
                @for value in [low, 1.0] {
                    text.fs x=(across(value)) y="274" text-anchor="middle" font-size="11" { (number(value)) }
                    text.fs x="34" y={ (up(value)) } dy="4" text-anchor="end" font-size="11" { (number(value)) }
                }
            }
            @if !pairs.is_empty() {
                div {
                    p { b { "Farthest from the data" } }
                    table.plain {
                        thead { tr { th { (of) } th.number { "data" } th.number { "samples" } } }
                        tbody {
                            @for (name, data, samples) in pairs.iter().take(8) {
                                tr { td { (name) } td.number { (two_digits(*data)) } td.number { (two_digits(*samples)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn two_digits(x: f64) -> String {
    format!("{x:.2}").replace('-', "\u{2212}")
}
