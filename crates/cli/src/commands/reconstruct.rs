//! `dbn reconstruct`: samples over their one-step reconstructions.

use super::{extension, require_folder, write_file};
use crate::args::ReconstructArgs;
use crate::checkpoint::{Checkpoint, split};
use crate::failure::Result;
use crate::pictures::{self, Subject, showcase};
use candle_core::{Device, Tensor};

/// Draws the picture and says how well the samples were reconstructed.
pub(crate) fn reconstruct(args: &ReconstructArgs) -> Result<()> {
    extension(&args.out, &["png"])?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let data = checkpoint.data(&args.data)?;
    let shape = args.data.image_size.or(data.image).or_else(|| checkpoint.image_shape());
    let shape = pictures::shape_of(checkpoint.rbm.visible(), shape)?;
    let samples = split(&data, args.split).unwrap_or_else(|| {
        tracing::warn!("{} has no test samples: showing training samples", data.name);
        &data.train
    });
    let (rbm, provenance) = (&checkpoint.rbm, &checkpoint.header.provenance);
    let chosen = showcase(samples, args.count as usize);
    let batch = samples.batch(chosen.iter().copied(), checkpoint.binarize(args.binarize), provenance.seed);
    let pixels = batch.to_values();
    let subject = Subject { rbm, epochs: provenance.epochs, shape, seed: provenance.seed };
    write_file(&args.out, &pictures::reconstructions(subject, &pixels)?)?;
    let v = Tensor::from_vec(pixels, (batch.rows(), batch.units()), &Device::Cpu)?;
    let cost = rbm.reconstruction_cost(&v)?;
    tracing::info!(cost, "reconstruction cost of these samples: {cost:.2} nats per sample (mean-field)");
    Ok(())
}
