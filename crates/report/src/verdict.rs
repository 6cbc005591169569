//! Did it work? A training is judged by the figure that says most about it, from its first value to its last.

use crate::figures::{Better, called, figure_of, shown};
use crate::on_sites::{Fault, OnSites, Wrong};
use crate::traces::Traces;
use serde::Serialize;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// How good news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// It works.
    Good,
    /// Look at it.
    Watch,
    /// It does not work.
    Bad,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How good it is.
    pub tone: Tone,
    /// What is found, with its cure where something is wrong.
    pub text: String,
}

/// A figure that a training is judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// Its name in `metrics.jsonl`.
    pub figure: String,
    /// Epoch and value at the start.
    pub first: (f64, f64),
    /// At the end.
    pub last: (f64, f64),
    /// Where it was best.
    pub best: (f64, f64),
}

/// Whether a training worked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// In a few words.
    pub text: String,
    /// How good it is.
    pub tone: Tone,
    /// The figure that says so.
    pub headline: Option<Headline>,
    /// What else there is to say.
    pub findings: Vec<Finding>,
}

/// Figures that a training may be judged by, those that say most first.
const JUDGED: [&str; 12] = [
    "label_error_valid",
    "log_likelihood_valid",
    "squared_error_valid",
    "cost_valid",
    "variational_cost_valid",
    "reconstruction_cost_valid",
    "label_error_train",
    "log_likelihood_train",
    "squared_error_train",
    "cost",
    "variational_cost",
    "reconstruction_cost",
];

/// Share of all that was gained which, gained in the last fifth of the epochs, says that there is more to gain.
const STILL: f64 = 0.03;

/// Share of all that was gained which may be lost again after the best epoch.
const LOST: f64 = 0.1;

/// Nats a sample that are no loss in a figure whose first value is not of the first epoch, such as a log-likelihood every 20
/// epochs, of which two estimates in one training differ by hundredths.
const NEGLIGIBLE: f64 = 0.1;

/// Epochs below which a training that got no better may only have begun.
const FEW: usize = 5;

/// How many times the cost of the training samples that of others may be.
const UNEQUAL: f64 = 1.25;

/// Nats that a standardised number costs a model that knows its mean and its deviation alone: `ln(2 pi e) / 2`.
const COST_OF_NUMBER: f64 = 1.42;

/// What either kind of overfitting says.
const OVERFITS: &str = "the model fits the training samples better than others.";

/// Its cure, where the units are no sites.
const CURE: &str = "A larger cost of the weights (see --weight-cost, --l1-cost, --l1b-cost), fewer hidden units or more data \
                    help.";

/// Training samples below which nothing can be learned. The share of a value that half of all samples have is known from
/// nine of them with a standard error of 0.17, and couplings need more than shares.
pub const FEW_SAMPLES: usize = 10;

/// What the costs of training samples are called, the one of a training first.
const COSTS: [&str; 3] = ["cost", "variational_cost", "reconstruction_cost"];

/// Share of the hidden units that may carry nothing without a word in the verdict.
const IDLE: f64 = 0.5;

/// Standard errors of a difference within which it is chance.
const CHANCE: f64 = 2.0;

/// What figures are of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Basis {
    /// Classes of the labels; 0 without.
    pub classes: usize,
    /// Visible units of the layer that are numbers; 0 where it is not known.
    pub numbers: usize,
    /// Hidden units of the layer; 0 where it is not known.
    pub hidden: usize,
    /// Validation samples; 0 where it is not known.
    pub valid: usize,
    /// Number of the layer, from 1, where the net has several; 0 of one.
    pub layer: usize,
    /// Training samples; 0 where it is not known.
    pub samples: usize,
    /// Of an RBM on sites: categories or spins.
    pub sites: Option<OnSites>,
}

impl Basis {
    /// Whether two values of a figure differ by no more than chance makes of so few validation samples. It can be said of
    /// shares alone.
    fn is_chance(self, name: &str, a: f64, b: f64) -> bool {
        if name != "label_error_valid" || self.valid == 0 {
            return false;
        }
        let variance = (a * (1.0 - a) + b * (1.0 - b)) / self.valid as f64;
        (a - b).abs() <= CHANCE * variance.sqrt()
    }

    /// The cure for overfitting.
    fn cure(self) -> String {
        self.sites.map_or_else(|| CURE.to_string(), |sites| sites.cure())
    }
}

/// How a figure went from its first value to its last.
struct Course {
    headline: Headline,
    /// What it gained up to its best value.
    all: f64,
    /// 1 of a figure that should rise, -1 of others.
    sign: f64,
    /// Whether too much of that was lost again.
    lost: bool,
}

/// Judges a training by its figures.
#[must_use]
pub fn judge(traces: &Traces, basis: Basis) -> Verdict {
    let figures = || JUDGED.iter().filter_map(|name| headline(traces, name));
    // A figure that is measured now and then may have one value where others show how the training went.
    let headline = figures().find(|found| found.first.0 != found.last.0).or_else(|| figures().next());
    let Some(headline) = headline else {
        return Verdict {
            text: "Nothing has been measured yet.".into(),
            tone: Tone::Watch,
            headline: None,
            findings: Vec::new(),
        };
    };
    let name = headline.figure.as_str();
    let value = |(_, value): (f64, f64)| shown(name, value);
    let sign = if figure_of(name).is_some_and(|figure| figure.better == Better::Higher) { 1.0 } else { -1.0 };
    let gain = |from: (f64, f64), to: (f64, f64)| sign * (to.1 - from.1);
    let (first, last, best) = (headline.first, headline.last, headline.best);
    let all = gain(first, best);
    let moved = |from: String, to: String| match last.1.total_cmp(&first.1) {
        _ if from == to => format!("is {to} in epoch {} as in epoch {}", last.0, first.0),
        Ordering::Less => format!("fell from {from} in epoch {} to {to} in epoch {}", first.0, last.0),
        _ => format!("rose from {from} in epoch {} to {to} in epoch {}", first.0, last.0),
    };
    let mut findings = Vec::new();
    let what = called(name);
    // What was gained before the first measurement is not known, so that a share of the rest says little.
    let least = if is_measured_late(traces, &headline) { NEGLIGIBLE } else { 0.0 };
    let lost = all > 0.0 && gain(last, best) > least.max(LOST * all) && !basis.is_chance(name, last.1, best.1);
    let fault = basis.sites.and_then(|sites| sites.fault(traces));
    let has_another_cure = fault.as_ref().is_some_and(|fault| fault.wrong != Wrong::Overfits);
    let course = Course { headline: headline.clone(), all, sign, lost };
    let (text, tone) = summary(traces, basis, &course, fault.as_ref());
    let (text, tone) = match idle(traces, basis.hidden) {
        Some(idle) if tone == Tone::Good => {
            (format!("{text} But {idle} of {} hidden units carry nothing.", basis.hidden), Tone::Watch)
        }
        _ => (text, tone),
    };
    if first.0 != last.0 {
        let mut text = format!("{what} {}", moved(value(first), value(last)));
        if basis.valid > 0 && name.ends_with("_valid") {
            let samples = if basis.valid == 1 { "sample" } else { "samples" };
            let _ = write!(text, ", on {} validation {samples}", basis.valid);
        }
        if best.0 != last.0 && gain(last, best) > 0.0 {
            let _ = write!(text, "; it was best in epoch {}, at {}", best.0, value(best));
        }
        findings.push(Finding { tone, text: text + "." });
    }
    if lost && fault.is_none() {
        let text = match basis.sites {
            Some(sites) if has_fallen(traces) => {
                format!("What comes after the best epoch is overfitting. {}", sites.cure())
            }
            _ => "What comes after the best epoch is overfitting, or a learning rate that is too large: try fewer epochs, or \
                  a smaller rate."
                .into(),
        };
        findings.push(Finding { tone: Tone::Watch, text });
    } else if tone == Tone::Good && text.contains("still") {
        findings.push(Finding { tone: Tone::Good, text: "More epochs are likely to help.".into() });
    }
    // What has no couplings, or learned too little, does not need more of a cost.
    if !has_another_cure {
        findings.extend(gap(traces, basis).or_else(|| costs(traces, basis)));
    }
    findings.extend(units(traces, basis.layer));
    Verdict { text, tone, headline: Some(headline), findings }
}

/// In a few words whether it worked; `fault` is what independent sites say against it.
fn summary(traces: &Traces, basis: Basis, course: &Course, fault: Option<&Fault>) -> (String, Tone) {
    let (name, classes) = (course.headline.figure.as_str(), basis.classes);
    let (first, last, best) = (course.headline.first, course.headline.last, course.headline.best);
    let bad = if traces.points(name).len() < FEW { Tone::Watch } else { Tone::Bad };
    let (text, tone) = if !last.1.is_finite() {
        ("It diverged: its figures are no numbers any more. Try a smaller learning rate.".into(), Tone::Bad)
    } else if (1..FEW_SAMPLES).contains(&basis.samples) {
        let samples = if basis.samples == 1 { "sample is" } else { "samples are" };
        (format!("It cannot be said whether it learned: {} training {samples} too few.", basis.samples), Tone::Watch)
    } else if name.starts_with("label_error") && classes > 1 && last.1 > 0.9 * (1.0 - 1.0 / classes as f64) {
        (format!("It does not predict the {classes} labels: guessing does as well."), bad)
    } else if let Some(fault) = fault.filter(|fault| fault.wrong != Wrong::Early) {
        (fault.text.clone(), Tone::Watch)
    } else if first.0 == last.0 {
        ("One epoch is done, too few to say more.".into(), Tone::Watch)
    } else if let Some(said) = without_errors(basis, &course.headline) {
        said
    } else if course.all <= 0.0 && is_measured_late(traces, &course.headline) && has_fallen(traces) {
        (
            format!("It overfits: of the epochs that were measured, epoch {} was best. {}", best.0, basis.cure()),
            Tone::Watch,
        )
    } else if course.all <= 0.0 && last.1 == first.1 {
        // Steps that are too few or too small change nothing: smaller ones are no cure.
        let cure = "Try a smaller --batch-size, more epochs or a larger learning rate.";
        (format!("It did not learn: the last epoch is as good as the first, and none is better. {cure}"), bad)
    } else if course.all <= 0.0 {
        ("It did not learn: no epoch is better than the first. Try a smaller learning rate.".into(), bad)
    } else if basis.is_chance(name, first.1, best.1) {
        (
            "It cannot be said whether it learned: so few validation samples differ as much by chance.".into(),
            Tone::Watch,
        )
    } else if course.lost {
        ("It learned, then got worse.".into(), Tone::Watch)
    } else if is_improving(traces, name, course.sign, course.all) {
        ("It learned, and is still getting better.".into(), Tone::Good)
    } else {
        ("It learned.".into(), Tone::Good)
    };
    match fault.filter(|fault| fault.wrong == Wrong::Early && tone == Tone::Good) {
        Some(fault) => (format!("{text} {}", fault.text), tone),
        None => (text, tone),
    }
}

/// In a few words what became of a model without errors in its first epoch, of which no epoch can be better.
fn without_errors(basis: Basis, headline: &Headline) -> Option<(String, Tone)> {
    let (name, first, last) = (headline.figure.as_str(), headline.first, headline.last);
    if !name.contains("_error") || first.1 != 0.0 {
        return None;
    }
    Some(if last.1 == 0.0 {
        (format!("It makes no errors, in epoch {} as in epoch {}.", last.0, first.0), Tone::Good)
    } else if basis.is_chance(name, first.1, last.1) {
        (format!("It makes hardly more errors than in epoch {}, when there were none.", first.0), Tone::Good)
    } else {
        (format!("It made no errors in epoch {}, then got worse. Try a smaller learning rate.", first.0), Tone::Watch)
    })
}

/// Whether a figure of validation samples was measured for the first time when the training had done more than an epoch: its
/// first value is none of an untrained model.
fn is_measured_late(traces: &Traces, headline: &Headline) -> bool {
    let begun = COSTS.iter().find_map(|name| traces.points(name).first().copied());
    headline.figure.ends_with("_valid") && begun.is_some_and(|(epoch, _)| headline.first.0 > epoch)
}

/// Whether the cost of the training samples fell.
fn has_fallen(traces: &Traces) -> bool {
    let points = COSTS.iter().map(|name| traces.points(name)).find(|points| !points.is_empty()).unwrap_or_default();
    points.first().zip(points.last()).is_some_and(|(first, last)| last.1 < first.1)
}

fn headline(traces: &Traces, name: &str) -> Option<Headline> {
    let points = traces.points(name);
    let finite: Vec<(f64, f64)> = points.iter().copied().filter(|point| point.1.is_finite()).collect();
    let higher = figure_of(name).is_some_and(|figure| figure.better == Better::Higher);
    let order = |a: &&(f64, f64), b: &&(f64, f64)| if higher { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) };
    let first_best = *finite.iter().min_by(order)?;
    // Of equals the one that the training took.
    let taken = traces.points("best_epoch").last().map(|point| point.1);
    let is_taken = |point: &&(f64, f64)| Some(point.0) == taken && point.1 == first_best.1;
    let best = finite.iter().find(is_taken).copied().unwrap_or(first_best);
    Some(Headline { figure: name.to_string(), first: *finite.first()?, last: *points.last()?, best })
}

/// Whether the last fifth of the epochs gained a share of all.
fn is_improving(traces: &Traces, name: &str, sign: f64, all: f64) -> bool {
    let points = traces.points(name);
    let Some(&(last, value)) = points.last() else { return false };
    let Some(&(first, _)) = points.first() else { return false };
    let since = last - 0.2 * (last - first);
    let before = points.iter().rev().find(|point| point.0 <= since);
    points.len() >= FEW && before.is_some_and(|before| sign * (value - before.1) > STILL * all)
}

/// What the gap in free energy says.
fn gap(traces: &Traces, basis: Basis) -> Option<Finding> {
    let points = traces.points("free_energy_gap");
    let &(_, last) = points.last()?;
    let mut sizes: Vec<f64> = points.iter().map(|point| point.1.abs()).filter(|x| x.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    let median = sizes.get(sizes.len() / 2)?;
    (points.len() >= FEW && last > 2.0 && last > 2.0 * median && Some(&last) == sizes.last()).then(|| Finding {
        tone: Tone::Watch,
        text: format!(
            "The free-energy gap keeps growing, to {}: {OVERFITS} {}",
            shown("free_energy_gap", last),
            basis.cure()
        ),
    })
}

/// What the costs of training samples and of others say.
fn costs(traces: &Traces, basis: Basis) -> Option<Finding> {
    let last = |name| traces.last(name).map(|(_, value)| value).filter(|value| value.is_finite());
    let (train, valid) = (last("reconstruction_cost")?, last("reconstruction_cost_valid")?);
    // The costs of numbers are of densities, which have no zero: near it, or below, a ratio says nothing. What the numbers
    // would cost without hidden units is a measure of the difference.
    let most = (UNEQUAL - 1.0) * (train.max(0.0) + COST_OF_NUMBER * basis.numbers as f64);
    (most > 0.0 && valid - train > most).then(|| Finding {
        tone: Tone::Watch,
        text: format!(
            "The reconstruction cost is {} for the training samples and {} for others: {OVERFITS} {}",
            shown("reconstruction_cost", train),
            shown("reconstruction_cost_valid", valid),
            basis.cure()
        ),
    })
}

/// How many of the hidden units carry nothing, where these are most.
fn idle(traces: &Traces, hidden: usize) -> Option<usize> {
    let last = |name| traces.last(name).map_or(0.0, |(_, value)| value);
    let idle = last("dead_units") + last("saturated_units");
    (hidden > 0 && idle > IDLE * hidden as f64).then_some(idle as usize)
}

/// Units that carry nothing.
fn units(traces: &Traces, layer: usize) -> Option<Finding> {
    let last = |name| traces.last(name).map(|(_, value)| value).filter(|value| *value > 0.0);
    let (dead, saturated) = (last("dead_units"), last("saturated_units"));
    let of = if layer > 0 { format!(" of layer {layer}") } else { String::new() };
    let found = match (dead, saturated) {
        (None, None) => return None,
        (Some(1.0), None) => format!("1 hidden unit{of} is always off"),
        (None, Some(1.0)) => format!("1 hidden unit{of} is always on"),
        (Some(dead), None) => format!("{dead} hidden units{of} are always off"),
        (None, Some(saturated)) => format!("{saturated} hidden units{of} are always on"),
        (Some(dead), Some(saturated)) => format!("{dead} hidden units{of} are always off, {saturated} always on"),
    };
    let text = format!(
        "{found}: such a unit says nothing of a sample. A few do no harm; --sparsity-cost or a smaller rate avoids many."
    );
    Some(Finding { tone: Tone::Watch, text })
}

#[cfg(test)]
mod tests;
