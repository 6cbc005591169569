//! Health: weights and units of each layer.

use super::data::line;
use crate::content::Content;
use crate::figures::number;
use crate::observed::Units;
use crate::weights::LayerView;
use maud::{Markup, html};

/// Mean probabilities below and above which a unit is called dead and saturated.
const DEAD: f32 = 0.001;
const SATURATED: f32 = 0.999;

/// Bars of the histogram of activities.
const BARS: usize = 40;

/// What is known of every layer.
pub(super) fn section(content: &Content) -> Markup {
    html! {
        @if content.layers.is_empty() { p.none { "The checkpoint could not be read." } }
        div.layers {
            @for (place, layer) in content.layers.iter().enumerate() {
                (of_layer(layer, content.observed.units.get(place).filter(|units| !units.activity.is_empty())))
            }
        }
    }
}

fn of_layer(layer: &LayerView, units: Option<&Units>) -> Markup {
    let count = |is: fn(f32) -> bool| {
        units.filter(|_| layer.probabilities).map(|units| units.activity.iter().filter(|&&a| is(a)).count())
    };
    let activity_of = if layer.probabilities { "mean activity of units" } else { "mean state of units" };
    let activity = units.map(|units| activities(&units.activity));
    html! {
        div.layer {
            h3 { (line(&layer.name)) }
            dl.facts {
                div { dt { "weights, root mean square" } dd { (number(layer.rms)) } }
                div { dt { "largest weight" } dd { (number(layer.largest)) } }
                @if layer.not_finite > 0 { div.bad { dt { "weights that are no numbers" } dd { (layer.not_finite) } } }
                div { dt title="Units whose weights are below a tenth of the median unit's: they never left the noise they started from." { "filters next to nothing" } dd { (layer.dead_filters) " of " (layer.units) } }
                @if let Some(dead) = count(|a| a < DEAD) { div { dt { "always off" } dd { (dead) " of " (layer.units) } } }
                @if let Some(saturated) = count(|a| a > SATURATED) { div { dt { "always on" } dd { (saturated) " of " (layer.units) } } }
                @if let Some(units) = units { div { dt { "samples looked at" } dd { (units.samples) } } }
            }
            (histogram("weights", &layer.histogram, (-layer.histogram_limit, layer.histogram_limit)))
            @if let Some((counts, ends)) = activity { (histogram(activity_of, &counts, ends)) }
        }
    }
}

/// How many units have which activity, and where the histogram begins and ends.
fn activities(activity: &[f32]) -> (Vec<usize>, (f64, f64)) {
    let finite = || activity.iter().filter(|a| a.is_finite()).map(|&a| f64::from(a));
    let (low, high) = finite().fold((0.0_f64, 1.0_f64), |(low, high), a| (low.min(a), high.max(a)));
    let mut counts = vec![0; BARS];
    for a in finite() {
        let bar = ((a - low) / (high - low) * BARS as f64) as usize;
        counts[bar.min(BARS - 1)] += 1;
    }
    (counts, (low, high))
}

fn histogram(name: &str, counts: &[usize], (low, high): (f64, f64)) -> Markup {
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let wide = 300.0 / counts.len().max(1) as f64;
    html! {
        figure.histogram {
            svg viewBox="0 0 300 96" role="img" aria-label={ "Histogram of the " (name) } {
                @for (bar, &count) in counts.iter().enumerate() {
                    @let tall = 72.0 * count as f64 / most;
                    @let start = low + (high - low) * bar as f64 / counts.len() as f64;
                    rect.f0 x=(format!("{:.1}", wide * bar as f64 + 0.3)) y=(format!("{:.1}", 76.0 - tall))
                        width=(format!("{:.1}", wide - 0.6)) height=(format!("{tall:.1}")) {
                        title { (count) " from " (number(start)) }
                    }
                }
                path.pa d="M0 76H300" fill="none" {}
                text.fs x="2" y="91" font-size="12" { (number(low)) }
                text.fs x="150" y="91" font-size="12" text-anchor="middle" { (name) }
                text.fs x="298" y="91" font-size="12" text-anchor="end" { (number(high)) }
            }
        }
    }
}
