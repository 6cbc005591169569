//! `dbn page`: a model as an HTML file in which it draws, recognises, dreams and completes, or, of a table, shows what goes
//! with what.

use crate::args::{PageArgs, SplitName};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Explain, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, run_name, starts_from_labelled_data};
use crate::model::decoded::{picture_shape, require_pixels};
use crate::model::paged::{columns, table};
use crate::model::trained::Trained;
use crate::pictures::showcase;
use crate::report::{Report, bytes, shell_word};
use deepbelief_data::{Dataset, ImageShape, Source, Split};
use deepbelief_page::{About, Example, page as write_page};
use deepbelief_rbm::VisibleStates;
use serde_json::json;
use std::path::Path;

/// The figure of a checkpoint that a page names.
const TEST_ERROR: &str = "label_error_test";

/// Writes the page.
pub(crate) fn page(args: &PageArgs, report: &Report) -> Result<()> {
    extension(&args.out, &["html"])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, args.data.data.as_ref())?;
    let (file, about) = made(args, &checkpoint, report)?;
    write_file(&args.out, file.as_bytes())?;
    let with = if about.columns.is_empty() {
        count(about.examples.len(), "example")
    } else {
        count(about.columns.len(), "column")
    };
    tracing::info!("{} with {with}; open it in a browser", bytes(file.len() as u64));
    if args.json {
        let (examples, columns) = (about.examples.len(), about.columns.len());
        return report
            .json(&json!({ "file": args.out, "bytes": file.len(), "examples": examples, "columns": columns }));
    }
    Ok(())
}

/// The page as a file has it, and what it says of its model.
pub(crate) fn made(args: &PageArgs, checkpoint: &Checkpoint, report: &Report) -> Result<(String, About)> {
    let about = match table(checkpoint, args.data.image_size) {
        Some(schema) => About {
            columns: columns(&schema),
            label_name: schema.label().unwrap_or_else(|| "label".into()),
            ..about(args, checkpoint)
        },
        None => pictures(args, checkpoint, report)?,
    };
    let file = write_page(&checkpoint.dbn, &about).or_fail(|| "cannot make the page".into())?;
    Ok((file, about))
}

/// Of a model of pictures, with examples.
fn pictures(args: &PageArgs, checkpoint: &Checkpoint, report: &Report) -> Result<About> {
    require_pixels(checkpoint, |_| "leave --image-size out: the page then has the columns, to choose values of")?;
    let data = data(args, checkpoint, report)?;
    let known = args.data.image_size.or_else(|| data.as_ref().and_then(|data| data.image));
    let ImageShape { width, height } = picture_shape(checkpoint, known.or_else(|| checkpoint.image_shape()))?;
    // The weights as F32 numbers, halves, bytes, deflated and as a text, of which some lie side by side.
    let held = data.as_ref().map_or(0, footprint::held);
    memory::require(
        "the page",
        PROGRAM + held + footprint::model(&checkpoint.dbn.sizes()),
        args.machine.max_memory,
        &[],
    )?;
    let examples = data.as_ref().map(|data| examples(args, checkpoint, data)).transpose()?.unwrap_or_default();
    Ok(About { width, height, examples, ..about(args, checkpoint) })
}

/// The data to take examples from. Data that nobody asked for and that cannot be read are done without.
fn data(args: &PageArgs, checkpoint: &Checkpoint, report: &Report) -> Result<Option<Dataset>> {
    if args.examples == 0 {
        return Ok(None);
    }
    match checkpoint.data(&args.checkpoint, &args.data, args.machine, report) {
        Ok(data) => Ok(Some(data)),
        Err(failure) if args.data.data.is_none() => {
            tracing::warn!("the page has no examples: {}", failure.what());
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Samples as the model takes them, of each class as many.
fn examples(args: &PageArgs, checkpoint: &Checkpoint, data: &Dataset) -> Result<Vec<Example>> {
    let samples: &Split = match args.split {
        SplitName::Test => data.test.as_ref().unwrap_or(&data.train),
        SplitName::Train => &data.train,
    };
    let chosen = showcase(samples, args.examples as usize);
    let batch = samples.batch(chosen.iter().copied(), checkpoint.binarize(None), checkpoint.provenance().seed)?;
    let grey = |value: &f32| (255.0 * value.clamp(0.0, 1.0)).round() as u8;
    let pixels = batch.to_values();
    let rows = pixels.chunks_exact(batch.units().max(1)).zip(&chosen);
    Ok(rows
        .map(|(row, &sample)| Example { pixels: row.iter().map(grey).collect(), label: samples.label(sample) })
        .collect())
}

/// What holds of a model of either.
fn about(args: &PageArgs, checkpoint: &Checkpoint) -> About {
    let provenance = checkpoint.provenance();
    let source = checkpoint.recorded::<Source>("data");
    let mut facts = vec![("epochs".to_string(), provenance.epochs.to_string())];
    if let Some(error) = provenance.figures.get(TEST_ERROR) {
        facts.push(("test error".into(), format!("{:.2} %", 100.0 * error)));
    }
    About {
        name: args.title.clone().unwrap_or_else(|| run_name(&args.checkpoint)),
        // A path from the root says where things lie on this machine, which is nobody's business.
        checkpoint: shell_word(match args.checkpoint.file_name() {
            Some(name) if args.checkpoint.is_absolute() => Path::new(name),
            _ => args.checkpoint.as_path(),
        }),
        data: provenance.dataset.clone(),
        facts,
        class_names: checkpoint.class_names().unwrap_or_default(),
        seed: provenance.seed,
        completes_with_probabilities: checkpoint.completing().visible_states == VisibleStates::Probabilities,
        // Other drawings are taken as they are: nothing is known of how their pictures were cut.
        centred: source == Some(Source::Mnist),
        starts_at_examples: starts_from_labelled_data(&checkpoint.dbn, &provenance.recipe),
        ..About::default()
    }
}
