//! `dbn sample`: what a model generates, as pictures or as a table.

mod given;
mod sequences;
mod start;

use crate::args::{Clamped, SampleArgs};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, MemoryOption, PROGRAM};
use crate::machine::ranks;
use crate::model::checkpoint::{Checkpoint, ROWS};
use crate::model::decoded::{decoded, in_their_words, picture_shape, say_of_bounds};
use crate::model::trained::Trained;
use crate::pictures::{Animation, Dream, Net, Watch};
use crate::report::Report;
use crate::results::FORMATS;
use crate::sequences::{FASTA, is_fasta};
use deepbelief_data::{BlockValues, sha256};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_stack::Dbn;
use serde_json::json;

/// Times the chains of an animation are shown, unless another number is asked for.
const FRAMES: u32 = 50;

/// Chains for a label in a picture, at most.
const MOST_DRAWN: u32 = 100;

/// Runs the chains, and draws them or writes them down.
pub(crate) fn sample(args: &SampleArgs, report: &Report) -> Result<()> {
    let pictures = ["png", "gif", "apng"];
    let format = extension(&args.out, &[&pictures[..], &FORMATS, &FASTA].concat())?;
    if args.data.is_some() && !is_fasta(format) {
        return Err(Failure::new("--data goes with sequences: a name that ends in .fasta"));
    }
    let is_picture = pictures.contains(&format);
    require_folder(&args.out)?;
    args.form.require(format)?;
    if is_picture && args.count > MOST_DRAWN {
        return Err(Failure::new(format!(
            "--count is {}, but a picture shows at most {MOST_DRAWN} chains",
            args.count
        ))
        .hint("a table may have more: a name that ends in .csv, .npy, .parquet or .safetensors"));
    }
    let (checkpoint, given) = opened(args)?;
    require_fit(args, &given, is_picture)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, None)?;
    let form = args.form.over(checkpoint.text_form());
    let dbn = &checkpoint.dbn.to_device(&args.device.open()?)?;
    let animation = match format {
        "gif" => Some(Animation::Gif),
        "apng" => Some(Animation::Apng),
        _ => None,
    };
    let mut dream = Dream {
        clamped: clamped(args.label.as_ref(), &checkpoint)?,
        count: args.count as usize,
        steps: args.steps,
        every: args.every,
        shown: args.shown.unwrap_or(if animation.is_some() { FRAMES } else { 1 }) as usize,
        seed: args.seed.unwrap_or(checkpoint.provenance().seed),
        class_names: checkpoint.class_names().unwrap_or_default(),
        ranks: ranks::shared(),
        start: Vec::new(),
    };
    let (sizes, chosen) = (dbn.sizes(), dream.clamped.len().max(1));
    let needed = |count: usize| {
        // Of a picture and a table all times are gathered, of an animation one is drawn after the other; a tile is
        // floats, twice, and grey pixels of a drawing, four for one, or some eleven characters of a table.
        let times = if animation.is_some() { 1 } else { dream.shown };
        let drawn = (if is_picture { 3 * 4 } else { 2 * 4 + 15 }) * (count * chosen * times * dbn.visible()) as u64;
        PROGRAM + footprint::model(&sizes) + footprint::pass(&sizes, count * chosen) + drawn
    };
    let options = [MemoryOption::new("--count", 1, dream.count, needed)];
    memory::require("sampling", needed(dream.count), args.machine.max_memory, &options)?;
    dream.start = start::states(args, &checkpoint, &dream, report)?;
    // Of a table with columns that are given, each batch of rows makes all steps.
    let batches = ranks::own_rows(dream.count.div_ceil(ROWS), 1) as u64;
    let steps = if given.is_empty() { dream.all_steps() } else { batches * u64::from(dream.steps.max(1)) };
    require_same(&sizes, &dream, args)?;
    let work = report.work("Gibbs steps", steps);
    let watch = |steps: u32| work.did(steps.into());
    if is_picture {
        let shape = picture_shape(&checkpoint, args.image_size.or_else(|| checkpoint.image_shape()))?;
        let net = Net { dbn, shape };
        if checkpoint.starts_from_data() && dream.start.is_empty() {
            tracing::info!(
                "this RBM learned from chains that start at samples, so that chains from noise may end in pictures that look \
                 alike: --start data --steps 10 makes a few steps from samples, `dbn reconstruct` shows what it learned, and \
                 `dbn pretrain --persistent-chains 100` learns to generate"
            );
        }
        let picture = match animation {
            Some(format) => dream.animation(net, format, &watch)?,
            None => dream.png(net, &watch)?,
        };
        if ranks::group().is_first() {
            write_file(&args.out, &picture)?;
        }
    } else {
        let (values, labels) = match given.as_slice() {
            [] => values(&checkpoint, dbn, &dream, &watch)?,
            given => (given::values(&checkpoint, given, &dream, &watch)?, None),
        };
        if !ranks::group().is_first() {
            return Ok(());
        }
        if is_fasta(format) {
            sequences::write(args, &checkpoint, &values)?;
        } else {
            say_of_bounds(&checkpoint);
            decoded(&checkpoint, &values, labels, form).write(&args.out, format)?;
        }
    }
    drop(work);
    if args.json {
        let labels: Vec<_> = dream.clamped.iter().map(|&label| told(&dream.called(label))).collect();
        let Dream { count, steps, every, shown, seed, .. } = dream;
        return report.json(&json!({
            "file": args.out, "labels": labels, "count": count, "steps": steps, "every": every, "shown": shown,
            "seed": seed, "given": args.given, "temperature": args.temperature.unwrap_or(1.0),
        }));
    }
    Ok(())
}

/// The model, its top at the temperature that is asked for and with the hidden units that are given; and the columns that
/// are given.
fn opened(args: &SampleArgs) -> Result<(Checkpoint, Vec<String>)> {
    let mut checkpoint = Checkpoint::open(&args.checkpoint)?;
    let given::Given { hidden, columns } = given::parted(&args.given, &checkpoint)?;
    if args.temperature.is_some() || !hidden.is_empty() {
        let mut top = checkpoint.dbn.top().at_beta(1.0 / args.temperature.unwrap_or(1.0))?;
        for (unit, value) in hidden {
            top = top.with_hidden_given(unit, value)?;
        }
        checkpoint.dbn = Dbn::new(checkpoint.dbn.layers().to_vec(), top)?;
    }
    Ok((checkpoint, columns))
}

/// Refuses values of columns that do not go with what else is asked for.
fn require_fit(args: &SampleArgs, given: &[String], is_picture: bool) -> Result<()> {
    if args.given.is_empty() {
        return Ok(());
    }
    if args.label.is_some() {
        return Err(Failure::new("--label and --given do not go together").hint(
            "to keep a class and values of columns, learn the class as a column: `dbn pretrain` without --label-column, \
             then --given CLASS=...,COLUMN=...; to keep the class alone, learn it as the label by `dbn stack`, then --label",
        ));
    }
    if is_picture && !given.is_empty() {
        return Err(Failure::new(
            "--given goes with a table: a name that ends in .csv, .npy, .parquet or .safetensors",
        ));
    }
    Ok(())
}

/// Refuses to go on where ranks have other models, or other words, or start their chains elsewhere.
fn require_same(sizes: &[usize], dream: &Dream, args: &SampleArgs) -> Result<()> {
    let Dream { clamped, count, steps, every, shown, seed, start, .. } = dream;
    let start: Vec<u8> = start.iter().flat_map(|state| state.to_le_bytes()).collect();
    let asked = (&args.given, args.temperature);
    ranks::require_same(&format!("{:?}", (sizes, clamped, count, steps, every, shown, seed, asked, sha256(&start))))
}

/// Visible values of each chain, each time it is shown, and the labels of these rows, where there are some.
fn values(
    checkpoint: &Checkpoint,
    dbn: &Dbn,
    dream: &Dream,
    watch: Watch<'_>,
) -> Result<(Vec<f32>, Option<BlockValues>)> {
    let columns = checkpoint.columns();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for frame in dream.frames(dbn, watch)? {
        let frame = frame?;
        let mut means = frame.tiles.concat();
        columns.draw(&mut means, Uniforms::new(dream.seed, Stream::User, frame.step));
        values.extend(means);
        labels.extend(frame.labels);
    }
    let labels = (!labels.is_empty()).then(|| in_their_words(&labels, checkpoint.class_names().as_deref()));
    Ok((values, labels))
}

/// A class by its name, or its number where that is its name.
fn told(name: &str) -> serde_json::Value {
    name.parse::<i64>().map_or_else(|_| name.into(), Into::into)
}

/// The labels that are asked for, all of which the model must know: as a name, where it knows
/// names, or as a number where no name is one.
fn clamped(asked: Option<&Clamped>, checkpoint: &Checkpoint) -> Result<Vec<u32>> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let classes = checkpoint.classes("--label")?;
    let names = checkpoint.class_names().filter(|names| names.len() == classes).unwrap_or_default();
    let numerals = names.iter().any(|name| name.parse::<f64>().is_ok());
    let label = |asked: &String| {
        let named = names.iter().position(|name| name == asked);
        let number = || asked.parse().ok().filter(|&label: &usize| label < classes && !numerals);
        named.or_else(number).ok_or_else(|| {
            if asked == "all" {
                return Failure::new("--label all stands alone: it means every label");
            }
            let numbers = if numerals { String::new() } else { format!(", 0 to {}", classes - 1) };
            let known = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            Failure::new(format!(
                "label {asked} is unknown: the checkpoint has {}{numbers}{known}",
                count(classes, "label")
            ))
        })
    };
    match asked {
        Clamped::All => Ok((0..classes as u32).collect()),
        Clamped::These(labels) => labels.iter().map(|asked| Ok(label(asked)? as u32)).collect(),
    }
}
