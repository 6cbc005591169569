//! Findings and recommendation, for people and as JSON.

use super::{alignment, class_column};
use crate::args::CheckArgs;
use crate::data::advice::Advice;
use crate::data::setting::Setting;
use crate::data::warnings::{NAMED, named};
use crate::failure::count;
use crate::report::{table, thousands};
use deepbelief_data::{Column, Examination, Part, ValueKind, shell_quoted};
use deepbelief_kernels::UnitKind;
use deepbelief_report::FEW_SAMPLES;
use serde_json::json;
use std::fmt::Write as _;

/// Columns of a table that are shown, at most.
const SHOWN: usize = 40;

/// For people.
pub(super) fn describe(
    args: &CheckArgs,
    found: &Examination,
    advice: &Advice,
    unfit: &[String],
    warnings: &[String],
) -> String {
    let row = |name: &str, text: String| vec![name.to_string(), text];
    let mut rows = vec![row("data", data(args, found))];
    let recommended = args.read.weights.is_none() && args.read.reweight.is_none_or(|share| share > 0.0);
    match &found.alignment {
        Some(aligned) => {
            rows.extend(alignment::lines(aligned, recommended).into_iter().map(|(name, text)| row(name, text)));
        }
        None => rows.extend([row("values", values(found)), row("columns", columns(found))]),
    }
    if !found.units.is_bernoulli() {
        rows.push(row("units", found.units.to_string()));
    }
    if let Some(classes) = &found.train.classes {
        rows.push(row("classes", of_classes(classes, found.class_names.as_deref())));
    }
    rows.push(row("copies", copies(found)));
    rows.extend(missing(found).into_iter().enumerate().map(|(k, line)| row(if k == 0 { "missing" } else { "" }, line)));
    let schema = found.schema.to_string();
    rows.extend(
        schema.lines().take(SHOWN).enumerate().map(|(k, line)| row(if k == 0 { "schema" } else { "" }, line.into())),
    );
    if schema.lines().count() > SHOWN {
        rows.push(row("", format!("and {} more columns", schema.lines().count() - SHOWN)));
    }
    let class = class_column::found(found).map(|class| class_column::suggestion(args, &class));
    rows.extend(class.into_iter().chain(found.hint.clone()).map(|text| row("hint", text)));
    for (name, texts) in [("note", &found.notes[..]), ("warning", warnings), ("unfit", unfit)] {
        rows.extend(texts.iter().map(|text| row(name, text.clone())));
    }
    let mut text = table(rows);
    if !unfit.is_empty() {
        return text;
    }
    let fit = if found.train.samples < FEW_SAMPLES { "too few samples to learn from" } else { "fit for training" };
    let _ = writeln!(text, "\n{fit}; to start `dbn {}` from:", args.verb);
    let settings = advice.settings.iter().map(|Setting { key, value, reason }| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        vec![format!("  {key}"), value, reason.clone()]
    });
    text += &table(settings);
    if found.train.classes.is_some() && args.verb == "pretrain" {
        text += "\n`dbn pretrain` does not learn the labels; `dbn check --for stack` recommends for a net that does.\n";
    }
    if args.verb == "pretrain" {
        text += &named_recipe(args, found).unwrap_or_default();
    }
    text
}

/// The commands of a recipe that was found for such data, which is the better start.
fn named_recipe(args: &CheckArgs, found: &Examination) -> Option<String> {
    let of_alignment = found.schema.alphabet().is_some();
    let of_spins = found.units.segments().iter().all(|segment| segment.units == UnitKind::Spin);
    let (name, why) = match (of_alignment, of_spins) {
        (true, _) => (
            "protein",
            "these are of the recipe for alignments, chosen on proteins, which weighs sequences by their neighbours too",
        ),
        (_, true) => (
            "ising",
            "these are for all data of such units; for spins there is a recipe that was tried, and is the better start",
        ),
        _ => return None,
    };
    let data = shell_quoted(&args.data.to_string());
    Some(format!("\n{why}:\n  dbn recipe {name} > {name}.toml\n  dbn pretrain --config {name}.toml --data {data}\n"))
}

fn data(args: &CheckArgs, found: &Examination) -> String {
    let test = found.test.as_ref().map_or(String::new(), |test| format!(" and {} test", thousands(test.samples)));
    let shape = found.image.map_or(String::new(), |shape| format!(", pictures of {shape}"));
    let columns = match &found.alignment {
        Some(aligned) => count(aligned.sites, "site"),
        None if found.train.columns.len() > found.schema.columns.len() && found.schema.has_names() => {
            count(found.train.columns.len(), "unit")
        }
        None => count(found.train.columns.len(), "column"),
    };
    format!("{}: {} training{test} samples of {columns}{shape}", args.data, thousands(found.train.samples))
}

fn values(found: &Examination) -> String {
    let levels: Vec<String> = found.levels.iter().map(ToString::to_string).collect();
    let few = if levels.is_empty() { String::new() } else { format!(" ({})", levels.join(", ")) };
    let kind = match found.kind {
        ValueKind::Constant => "all the same".to_string(),
        ValueKind::Binary => format!("two values{few}"),
        ValueKind::Bytes => "grey levels".to_string(),
        ValueKind::Whole => format!("whole numbers{few}"),
        ValueKind::Unit => format!("fractions{few}"),
        ValueKind::Real => format!("real numbers{few}"),
    };
    let (min, max) = (found.min, found.max);
    if !found.units.is_discrete() {
        return format!("{min:.3} to {max:.3}, once each column of numbers has mean 0 and standard deviation 1");
    }
    let zeros = percent(found.train.zeros);
    // Inside a spin is a bit.
    let spins = found.units.each().filter(|(segment, _)| segment.units == UnitKind::Spin).count();
    match spins {
        0 => format!("{min} to {max}, {kind}; {zeros} are 0"),
        spins if spins == found.units.each().count() => format!("-1 and 1, spins; {zeros} are -1"),
        _ => format!("{min} to {max}, {kind}; {zeros} are 0, as which spins of -1 count"),
    }
}

fn columns(found: &Examination) -> String {
    let of = |columns: Vec<&Column>, one: &str, more: &str| match columns.len() {
        0 => format!("none {one}"),
        n => format!("{} {} ({})", thousands(n), if n == 1 { one } else { more }, named(&columns)),
    };
    format!(
        "{}, {}",
        of(found.constant().collect(), "constant", "constant"),
        of(found.copies().collect(), "the same as one before", "the same as one before")
    )
}

fn of_classes(classes: &[usize], names: Option<&[String]>) -> String {
    let name = |class: usize| names.and_then(|names| names.get(class)).cloned().unwrap_or(class.to_string());
    let samples = |class: Option<usize>| {
        class.map_or(String::new(), |class| format!("{} (class {})", thousands(classes[class]), name(class)))
    };
    let least = (0..classes.len()).min_by_key(|&class| classes[class]);
    let most = (0..classes.len()).rev().max_by_key(|&class| classes[class]);
    if let (Some(least), true) = (least, classes.iter().all(|&samples| Some(&samples) == classes.first())) {
        return format!("{}: {} samples each", classes.len(), thousands(classes[least]));
    }
    let ratio = imbalance(classes).map_or(String::new(), |ratio| format!(", {ratio:.1} times as many"));
    format!("{}: {} to {} samples{ratio}", classes.len(), samples(least), samples(most))
}

/// Samples of the largest class for one of the smallest, which must have some.
fn imbalance(classes: &[usize]) -> Option<f64> {
    let (least, most) = (classes.iter().min()?, classes.iter().max()?);
    (*least > 0).then(|| *most as f64 / *least as f64)
}

fn copies(found: &Examination) -> String {
    let Part { repeated, contradictory, .. } = found.train;
    let mut text = match repeated {
        0 => "no training sample comes twice".to_string(),
        1 => "1 training sample repeats another".to_string(),
        n => format!("{} training samples repeat another", thousands(n)),
    };
    if contradictory > 0 {
        let _ = write!(text, "; {} have copies with another label", thousands(contradictory));
    }
    let shared = match found.shared {
        None => String::new(),
        Some(0) => "; no test sample is a training sample".into(),
        Some(1) => "; 1 test sample is a training sample".into(),
        Some(n) => format!("; {} test samples are training samples", thousands(n)),
    };
    text + &shared
}

/// What is missing: how much, in which columns, and which of these together.
fn missing(found: &Examination) -> Vec<String> {
    let of_test = found.test.as_ref().map_or(0, |test| test.missing);
    let test = (of_test > 0).then(|| format!("{} of the test samples", of_values(of_test)));
    let gaps = &found.gaps;
    if gaps.samples == 0 {
        return vec![test.unwrap_or_else(|| "nothing".into())];
    }
    let samples = |n: usize| format!("{} sample{}", thousands(n), if n == 1 { "" } else { "s" });
    let listed = |texts: Vec<String>, all: usize| {
        let more =
            if all > texts.len() { format!(" and {} more", thousands(all - texts.len())) } else { String::new() };
        texts.join(", ") + &more
    };
    // Sites have numbers alone, which need a word beside others.
    let kind = if found.alignment.is_some() { "site" } else { "column" };
    let called = |column: usize| match &found.alignment {
        Some(_) => format!("site {} in", found.called(column)),
        None => found.called(column),
    };
    let columns = gaps.columns.iter().take(NAMED).map(|&(column, n)| format!("{} {}", called(column), thousands(n)));
    let mut lines = vec![
        format!(
            "{} in {} of {}",
            of_values(gaps.values() as u64),
            thousands(gaps.samples),
            samples(found.train.samples)
        ),
        format!("by {kind}: {}", listed(columns.collect(), gaps.columns.len())),
    ];
    lines.extend(gaps.patterns.iter().map(|(columns, n)| {
        let names = columns.iter().take(NAMED).map(|&column| found.called(column)).collect();
        let what = if columns.len() == 1 { "missing alone" } else { "missing together" };
        let sites = match (kind, columns.len()) {
            ("site", 1) => "site ",
            ("site", _) => "sites ",
            _ => "",
        };
        format!("{what}: {sites}{}, in {}", listed(names, columns.len()), samples(*n))
    }));
    lines.extend(test);
    lines
}

/// `1,234 values`.
pub(super) fn of_values(n: u64) -> String {
    format!("{} value{}", thousands(n as usize), if n == 1 { "" } else { "s" })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// As one object.
pub(super) fn json(
    args: &CheckArgs,
    found: &Examination,
    advice: &Advice,
    unfit: &[String],
    warnings: &[String],
) -> serde_json::Value {
    let numbers = |columns: Vec<&Column>| columns.iter().map(|column| column.number).collect::<Vec<usize>>();
    let part = |part: &Part| {
        json!({
            "samples": part.samples,
            "zeros": part.zeros,
            "near_ends": part.near_ends,
            "outside": part.outside,
            "missing": part.missing,
            "first_missing": part.first_missing.as_ref().map(ToString::to_string),
            "infinite": part.infinite,
            "first_infinite": part.first_infinite.as_ref().map(ToString::to_string),
            "repeated": part.repeated,
            "contradictory": part.contradictory,
            "classes": part.classes,
            "imbalance": part.classes.as_deref().and_then(imbalance),
        })
    };
    let kind = match found.kind {
        ValueKind::Constant => "constant",
        ValueKind::Binary => "binary",
        ValueKind::Bytes => "bytes",
        ValueKind::Whole => "whole",
        ValueKind::Unit => "unit",
        ValueKind::Real => "real",
    };
    let settings: serde_json::Map<_, _> =
        advice.settings.iter().map(|setting| (setting.key.to_string(), json!(setting.value))).collect();
    json!({
        "data": args.data.to_string(),
        "fit": unfit.is_empty(),
        "unfit": unfit,
        "warnings": warnings,
        "columns": found.train.columns.len(),
        "image_size": found.image.map(|shape| shape.to_string()),
        "class_names": found.class_names,
        "units": found.units,
        "kind": kind,
        "min": found.min,
        "max": found.max,
        "levels": found.levels,
        "constant": numbers(found.constant().collect()),
        "same_as_another": numbers(found.copies().collect()),
        "narrow": numbers(found.narrow().collect()),
        "train": part(&found.train),
        "test": found.test.as_ref().map(part),
        "alignment": found.alignment.as_deref().map(alignment::json),
        "gaps": {
            "samples": found.gaps.samples,
            "columns": found.gaps.columns.iter().map(|&(column, n)| json!({"column": column, "samples": n})).collect::<Vec<_>>(),
            "patterns": found.gaps.patterns.iter().map(|(columns, n)| json!({"columns": columns, "samples": n})).collect::<Vec<_>>(),
        },
        "test_in_train": found.shared,
        "schema": (!found.schema.columns.is_empty()).then_some(&found.schema),
        "notes": found.notes,
        "class_column": class_column::found(found).map(|class| class.column),
        "recipe": settings,
    })
}
