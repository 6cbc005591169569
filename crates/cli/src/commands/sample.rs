//! `dbn sample`: what a model believes in.

use super::{extension, require_folder, write_file};
use crate::args::{Clamped, SampleArgs};
use crate::checkpoint::{Checkpoint, Trained};
use crate::failure::{Failure, Result, count};
use crate::pictures::{Animation, Dream, Net, shape_of};

/// Times the chains of an animation are shown, unless told otherwise.
const FRAMES: u32 = 50;

/// Runs the chains and draws them.
pub(crate) fn sample(args: &SampleArgs) -> Result<()> {
    let format = extension(&args.out, &["png", "gif", "apng"])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let dbn = &checkpoint.dbn;
    let animation = match format {
        "gif" => Some(Animation::Gif),
        "apng" => Some(Animation::Apng),
        _ => None,
    };
    let dream = Dream {
        clamped: clamped(args.label.as_ref(), &checkpoint)?,
        count: args.count as usize,
        steps: args.steps,
        every: args.every,
        shown: args.shown.unwrap_or(if animation.is_some() { FRAMES } else { 1 }) as usize,
        seed: args.seed.unwrap_or(checkpoint.provenance().seed),
    };
    let shape = shape_of(dbn.visible(), args.image_size.or_else(|| checkpoint.image_shape()))?;
    let net = Net { dbn, shape };
    let picture = match animation {
        Some(format) => dream.animation(net, format)?,
        None => dream.png(net)?,
    };
    write_file(&args.out, &picture)
}

/// The labels that are asked for, all of which the model must know.
fn clamped(asked: Option<&Clamped>, checkpoint: &Checkpoint) -> Result<Vec<u32>> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let classes = checkpoint.classes("--label")? as u32;
    match asked {
        Clamped::All => Ok((0..classes).collect()),
        Clamped::These(labels) => match labels.iter().find(|&&label| label >= classes) {
            None => Ok(labels.clone()),
            Some(label) => Err(Failure::new(format!(
                "label {label} is unknown: the checkpoint has {}, 0 to {}",
                count(classes as usize, "label"),
                classes - 1
            ))),
        },
    }
}
