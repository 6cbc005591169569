//! `dbn reconstruct`: samples over their reconstructions.

use crate::args::{ReconstructArgs, SplitName};
use crate::commands::files::{extension, require_folder, write_file};
use crate::failure::{Failure, Result};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, Header, Model, NetworkCheckpoint, Trained};
use crate::pictures::{self, Net, Subject, showcase};
use crate::report::Report;
use candle_core::{Device, Tensor};
use deepbelief_finetune::Objective;
use serde_json::json;

/// Draws the picture and says how well the samples were reconstructed.
pub(crate) fn reconstruct(args: &ReconstructArgs, report: &Report) -> Result<()> {
    extension(&args.out, &["png"])?;
    require_folder(&args.out)?;
    let checkpoint = Model::open(&args.checkpoint)?;
    if let Model::Network(NetworkCheckpoint { network, header }) = &checkpoint
        && network.objective() == Objective::Classifier
    {
        return Err(Failure::new(format!("the checkpoint is of kind '{}', which reconstructs nothing", header.kind))
            .hint("`dbn finetune --as autoencoder` trains a network that does"));
    }
    let data = checkpoint.data(&args.checkpoint, &args.data, args.memory)?;
    let provenance = checkpoint.provenance();
    let shape = args.data.image_size.or(data.image).or_else(|| checkpoint.image_shape());
    let shape = pictures::shape_of(checkpoint.visible(), shape)?;
    let samples = match (args.split, &data.test) {
        (SplitName::Test, Some(test)) => test,
        (SplitName::Test, None) => {
            tracing::warn!("{} has no test samples: showing training samples", data.name);
            &data.train
        }
        (SplitName::Train, _) => &data.train,
    };
    let chosen = showcase(samples, args.count as usize);
    let needed = PROGRAM
        + footprint::held(&data)
        + 2 * footprint::pass(&[checkpoint.visible(), checkpoint.visible()], chosen.len());
    memory::require("reconstructing", needed, args.memory.max_memory, &[])?;
    let batch = samples.batch(chosen.iter().copied(), checkpoint.binarize(args.binarize), provenance.seed)?;
    let pixels = batch.to_values();
    let v = Tensor::from_slice(&pixels, (batch.rows(), batch.units()), &Device::Cpu)?;
    let (picture, cost, squared_error) = match &checkpoint {
        Model::Network(NetworkCheckpoint { network, .. }) => {
            let scores = network.score(&batch, &[])?;
            let error = scores.error;
            tracing::info!(error, "squared error of these samples: {error:.2} per sample");
            (pictures::autoencoded(network, shape, &pixels)?, scores.cost, Some(error))
        }
        Model::Belief(Checkpoint { dbn, header: Header::Rbm(_) }) => {
            let rbm = dbn.top();
            let subject = Subject { rbm, epochs: provenance.epochs, shape, seed: provenance.seed };
            (pictures::reconstructions(subject, &pixels)?, rbm.reconstruction_cost(&v)?, None)
        }
        Model::Belief(Checkpoint { dbn, header: Header::Dbn(_) }) => {
            (Net { dbn, shape }.reconstructions(&pixels)?, dbn.reconstruction_cost(&v)?, None)
        }
    };
    write_file(&args.out, &picture)?;
    tracing::info!(cost, "reconstruction cost of these samples: {cost:.2} nats per sample (mean-field)");
    if args.json {
        return report.json(&json!({
            "file": args.out, "data": data.name, "samples": chosen, "reconstruction_cost": cost,
            "squared_error": squared_error,
        }));
    }
    Ok(())
}
