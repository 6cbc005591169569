//! `dbn check`: what data are like before anything is learned from them, and what to learn them by.
//! Of the same findings, every training tells those that it should not start without.

mod alignment;
mod class_column;
mod recipe;
mod report;

use crate::args::CheckArgs;
use crate::commands::files::{extension, require_folder, require_other, write_file};
use crate::data::advice::Advice;
use crate::data::learners::Learners;
use crate::data::open::explain;
use crate::data::{ground, schema_file, warnings};
use crate::failure::{Explain, Failure, Result, count};
use crate::machine::memory;
use crate::options::Verb;
use crate::report::Report;
use crate::settings::units_of;
use deepbelief_data::{Examination, Fetch, LoadOptions, Scale, ValueKind, examine};
use deepbelief_report::FEW_SAMPLES;
use std::path::Path;

/// Looks, tells and recommends; returns the program's exit code.
pub(crate) fn check(args: &CheckArgs, report: &Report) -> Result<u8> {
    for path in args.recipe.iter().chain(&args.schema_out) {
        extension(path, &["toml"])?;
    }
    for path in args.recipe.iter().chain(&args.schema_out).chain(&args.weights_out) {
        require_folder(path)?;
        for (used, what) in [(args.data.path(), "the data"), (args.read.weights.as_deref(), "the file of --weights")] {
            used.map_or(Ok(()), |used| require_other(path, used, what))?;
        }
    }
    args.read.require_schema_alone()?;
    let defaults = LoadOptions::default();
    let verb = if args.verb == "stack" { Verb::Stack } else { Verb::Pretrain };
    let units = units_of(verb, args.read.visible_units, args.read.scale.unwrap_or_default());
    let options = LoadOptions {
        scale: args.read.scale.unwrap_or_default(),
        header: args.read.header.unwrap_or_default(),
        label_column: args.read.label_column.clone(),
        feature_column: args.read.feature_column.clone(),
        image_size: args.read.image_size,
        column_types: args.read.column_types.clone().unwrap_or_default(),
        missing: args.read.missing.clone().unwrap_or_default().0,
        weight_column: args.read.weight_column.clone(),
        visible_units: units,
        schema: args.read.schema.clone(),
        alignment: args.read.alignment(),
        fetch: Fetch(crate::hub::dataset),
        max_memory: memory::room_for_data(args.machine.max_memory),
        ..defaults
    };
    let look = |options: &LoadOptions| {
        let found = examine(&args.data, options, args.test.as_ref()).map_err(explain);
        found.or_fail(|| format!("cannot check {}", args.data))
    };
    let mut found = look(&options)?;
    found.image = args.read.image_size.or(found.image);
    let mut warnings = warnings::of(&found, "column", found.image.is_some(), None);
    warnings.extend(found.doubts.iter().cloned());
    if found.train.samples < FEW_SAMPLES {
        let samples = count(found.train.samples, "training sample");
        warnings.push(format!(
            "{samples}: nothing can be learned from fewer than {FEW_SAMPLES}, and most models need hundreds"
        ));
    }
    let unfit = unfit(&found);
    // What is recommended is of values that are scaled as they should be.
    if found.is_narrow() && args.read.scale.is_none() && found.units.is_bernoulli() {
        let scaled = look(&LoadOptions { scale: Scale::MinMax, ..options })?;
        found = Examination { image: found.image, ..scaled };
    } else if let Some(scale) = ground::turned(&found) {
        let (on, units) = (found.active(), found.train.columns.len());
        let note = format!(
            "dark on a light ground: about {on:.0} of {units} units are on; --scale {scale} turns it, so that what is drawn \
             is on"
        );
        if args.read.scale.is_none() {
            found = Examination { image: found.image, ..look(&LoadOptions { scale, ..options })? };
        }
        found.notes.push(note);
    }
    if let Some(path) = &args.schema_out {
        if found.schema.columns.is_empty() {
            return Err(Failure::new(format!("{} has no schema to write to {}", args.data, path.display()))
                .hint("its values have one scale for all: see --scale"));
        }
        write_file(path, schema_file::text(&found.schema, &args.data, path).as_bytes())?;
    }
    if let Some(path) = &args.weights_out {
        write_weights(path, args, &found)?;
    }
    let advice = Advice::of(&found, units, verb == Verb::Stack, &Learners::default());
    let identity = found.alignment.as_ref().and_then(|aligned| aligned.effective).map(|(identity, _)| identity);
    // Weights that somebody measured are not replaced.
    let identity = identity.filter(|_| args.read.weights.is_none());
    if let Some(path) = &args.recipe {
        if unfit.is_empty() {
            write_file(path, recipe::recipe(&advice, args, identity)?.as_bytes())?;
        } else {
            tracing::warn!("{} is not written: the data are not fit for training", path.display());
        }
    }
    if args.json {
        report.json(&report::json(args, &found, &advice, &unfit, &warnings))?;
    } else {
        report.data(&report::describe(args, &found, &advice, &unfit, &warnings))?;
    }
    Ok(u8::from(!unfit.is_empty()))
}

/// Writes the weights of the sequences, if these are weighed.
fn write_weights(path: &Path, args: &CheckArgs, found: &Examination) -> Result<()> {
    let weights = found.alignment.as_ref().map(|aligned| &aligned.weights);
    let Some(weights) = weights.filter(|weights| !weights.is_empty()) else {
        return Err(Failure::new(format!("{} has no weights to write to {}", args.data, path.display()))
            .hint("--reweight 0.8 weighs the sequences of an alignment by their neighbours"));
    };
    write_file(path, alignment::weights(weights).as_bytes())
}

/// Why nothing can be learned from the data as they are; nothing if something can.
fn unfit(found: &Examination) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(aligned) = &found.alignment
        && let Some(first) = &aligned.first_unequal
    {
        reasons.push(format!(
            "{} of {} sequences have another length than the {} sites of most, the first {first}: align them, or leave them \
             out",
            aligned.unequal, aligned.sequences, aligned.sites
        ));
    }
    let parts = [("training", Some(&found.train)), ("test", found.test.as_ref())];
    for (name, part) in parts.into_iter().filter_map(|(name, part)| Some((name, part?))) {
        if let Some(place) = &part.first_infinite {
            reasons.push(format!(
                "{} of the {name} samples {} infinite, the first at {place}: mend the value, or leave its sample out",
                report::of_values(part.infinite),
                if part.infinite == 1 { "is" } else { "are" }
            ));
        }
        // What lies beyond two standard deviations is taken for the ends.
        if part.outside > 0 && found.scale != Scale::Standard {
            let (bottom, top) = found.bounds;
            reasons.push(format!(
                "{} of the {name} samples {} outside {bottom} to {top}, which --scale says: leave --scale out, or name the \
                 range with --scale MIN..MAX",
                report::of_values(part.outside),
                if part.outside == 1 { "lies" } else { "lie" }
            ));
        }
    }
    if found.train.columns.iter().all(deepbelief_data::Column::is_constant) {
        let what =
            if found.kind == ValueKind::Constant { "every value is the same" } else { "every column is constant" };
        reasons.push(format!("{what}: all training samples are one, and there is nothing to learn"));
    }
    reasons
}
