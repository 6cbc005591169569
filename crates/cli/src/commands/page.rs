//! `dbn page`: a model as an HTML file in which it draws, recognises, dreams and completes.

use crate::args::{PageArgs, SplitName};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Explain, Result};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, Trained, run_name};
use crate::model::decoded::picture_shape;
use crate::pictures::showcase;
use crate::report::{Report, bytes, shell_word};
use deepbelief_data::{Dataset, ImageShape, Source, Split};
use deepbelief_page::{About, Example, page as write_page};
use deepbelief_rbm::VisibleStates;
use serde_json::json;

/// The figure of a checkpoint that a page names.
const TEST_ERROR: &str = "label_error_test";

/// Writes the page.
pub(crate) fn page(args: &PageArgs, report: &Report) -> Result<()> {
    extension(&args.out, &["html"])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, args.data.data.as_ref())?;
    let data = data(args, &checkpoint)?;
    let known = args.data.image_size.or_else(|| data.as_ref().and_then(|data| data.image));
    let shape = picture_shape(&checkpoint, known.or_else(|| checkpoint.image_shape()))?;
    // The weights as F32 numbers, halves, bytes, deflated and as a text, of which some lie side by side.
    let held = data.as_ref().map_or(0, footprint::held);
    memory::require(
        "the page",
        PROGRAM + held + footprint::model(&checkpoint.dbn.sizes()),
        args.memory.max_memory,
        &[],
    )?;
    let examples = data.as_ref().map(|data| examples(args, &checkpoint, data)).transpose()?.unwrap_or_default();
    let about = about(args, &checkpoint, shape, examples);
    let file = write_page(&checkpoint.dbn, &about).or_fail(|| "cannot make the page".into())?;
    write_file(&args.out, file.as_bytes())?;
    tracing::info!("{} with {} examples; open it in a browser", bytes(file.len() as u64), about.examples.len());
    if args.json {
        return report.json(&json!({ "file": args.out, "bytes": file.len(), "examples": about.examples.len() }));
    }
    Ok(())
}

/// The data to take examples from. Data that nobody asked for and that cannot be read are done without.
fn data(args: &PageArgs, checkpoint: &Checkpoint) -> Result<Option<Dataset>> {
    if args.examples == 0 {
        return Ok(None);
    }
    match checkpoint.data(&args.checkpoint, &args.data, args.memory) {
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

fn about(args: &PageArgs, checkpoint: &Checkpoint, shape: ImageShape, examples: Vec<Example>) -> About {
    let provenance = checkpoint.provenance();
    let source = checkpoint.recorded::<Source>("data");
    let mut facts = vec![("epochs".to_string(), provenance.epochs.to_string())];
    if let Some(error) = provenance.figures.get(TEST_ERROR) {
        facts.push(("wrong of the test samples".into(), format!("{:.2} %", 100.0 * error)));
    }
    About {
        name: args.title.clone().unwrap_or_else(|| run_name(&args.checkpoint)),
        checkpoint: shell_word(&args.checkpoint),
        data: provenance.dataset.clone(),
        facts,
        class_names: checkpoint.class_names().unwrap_or_default(),
        width: shape.width,
        height: shape.height,
        seed: provenance.seed,
        completes_with_probabilities: checkpoint.completing().visible_states == VisibleStates::Probabilities,
        // Other drawings are taken as they are: nothing is known of how their pictures were cut.
        centred: source == Some(Source::Mnist),
        examples,
    }
}
