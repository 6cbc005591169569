//! `dbn reconstruct`: samples over their reconstructions, or the reconstructions as a table.

use crate::args::{ReconstructArgs, SplitName};
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::data::chunks::CHUNK;
use crate::data::identity::columns_beside;
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, Header, Model, NetworkCheckpoint};
use crate::model::decoded::{decoded, in_their_words, picture_shape};
use crate::model::inputs::inputs;
use crate::model::trained::Trained;
use crate::pictures::{self, Net, Shown, Subject, showcase, values};
use crate::report::Report;
use crate::results::FORMATS;
use crate::sequences::{self, FASTA, is_fasta};
use candle_core::{Device, Tensor};
use deepbelief_data::{Dataset, Split};
use deepbelief_finetune::Objective;
use deepbelief_rbm::to_batch;
use serde_json::json;

/// Samples in a picture, unless another number is asked for, and at most.
const DRAWN: usize = 10;
const MOST_DRAWN: usize = 100;

/// Draws a picture or writes a table.
pub(crate) fn reconstruct(args: &ReconstructArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &[&["png"], &FORMATS[..], &FASTA].concat())?;
    require_folder(&args.out)?;
    args.form.require(format)?;
    let checkpoint = Model::open(&args.checkpoint)?;
    require_spare(&args.out, &args.checkpoint, &checkpoint, args.data.data.as_ref())?;
    if let Model::Network(NetworkCheckpoint { network, header }) = &checkpoint
        && network.objective() == Objective::Classifier
    {
        return Err(Failure::new(format!("the checkpoint is of kind '{}', which reconstructs nothing", header.kind))
            .hint("`dbn finetune --as autoencoder` trains a network that does"));
    }
    let data = checkpoint.data(&args.checkpoint, &args.data, args.machine, report)?;
    let samples = match (args.split, &data.test) {
        (SplitName::Test, Some(test)) => test,
        (SplitName::Test, None) => {
            tracing::warn!("{} has no test samples: showing training samples", data.name);
            &data.train
        }
        (SplitName::Train, _) => &data.train,
    };
    if format == "png" {
        draw(args, &checkpoint, &data, samples, report)
    } else {
        write(args, &checkpoint, &data, samples, format, report)
    }
}

/// Writes the reconstruction of every sample, in the units of the training data.
fn write(
    args: &ReconstructArgs,
    checkpoint: &Model,
    data: &Dataset,
    samples: &Split,
    format: &str,
    report: &Report,
) -> Result<()> {
    let n = samples.samples().min(args.count.map_or(usize::MAX, |count| count as usize));
    let samples = &samples.select(&(0..n).collect::<Vec<_>>())?;
    let sizes = match checkpoint {
        Model::Belief(checkpoint) => checkpoint.dbn.sizes(),
        Model::Network(checkpoint) => checkpoint.network.sizes(),
    };
    let beside = PROGRAM + footprint::held(data) + footprint::model(&sizes) + footprint::pass(&sizes, CHUNK.min(n));
    let needed = |n| beside + 2 * footprint::features(n, samples.units(), format);
    memory::require_samples("reconstructing", n, args.machine.max_memory, needed)?;
    let mut reconstructed = Vec::with_capacity(n * samples.units());
    let binarize = checkpoint.pixels(samples, args.binarize)?;
    for v in inputs(checkpoint, samples, binarize, checkpoint.provenance().seed) {
        reconstructed.extend(values(&match checkpoint {
            Model::Belief(checkpoint) => checkpoint.dbn.reconstruct(&v?)?,
            Model::Network(checkpoint) => checkpoint.network.forward(&v?)?,
        })?);
    }
    if let Model::Belief(_) = checkpoint {
        to_batch(samples.layer(), &mut reconstructed);
    }
    let files = if is_fasta(format) {
        sequences::write(&args.out, checkpoint, &reconstructed, samples)?;
        vec![args.out.clone()]
    } else {
        let labels = samples.labels().map(|labels| in_their_words(&labels, data.class_names.as_deref()));
        let form = args.form.over(data.form);
        let part = if data.test.is_some() { args.split } else { SplitName::Train };
        let rows = columns_beside(checkpoint, &args.checkpoint, &args.data, (samples, part), (format, form))?;
        decoded(checkpoint, &reconstructed, labels, form).with_rows(rows, format).write(&args.out, format)?
    };
    tracing::info!("reconstructed {} of {}", count(n, "sample"), data.name);
    if args.json {
        return report.json(&json!({ "files": files, "data": data.name, "samples": n }));
    }
    Ok(())
}

/// Draws samples over their reconstructions and says how well they were reconstructed.
fn draw(args: &ReconstructArgs, checkpoint: &Model, data: &Dataset, samples: &Split, report: &Report) -> Result<()> {
    let provenance = checkpoint.provenance();
    let wanted = args.count.map_or(DRAWN, |count| count as usize);
    if wanted > MOST_DRAWN {
        return Err(Failure::new(format!("--count is {wanted}, but a picture shows at most {MOST_DRAWN} samples"))
            .hint("a table may have more: a name that ends in .csv, .npy, .parquet or .safetensors"));
    }
    let shape = args.data.image_size.or(data.image).or_else(|| checkpoint.image_shape());
    let shape = picture_shape(checkpoint, shape)?;
    let chosen = showcase(samples, wanted);
    let needed = PROGRAM
        + footprint::held(data)
        + 2 * footprint::pass(&[checkpoint.visible(), checkpoint.visible()], chosen.len());
    memory::require("reconstructing", needed, args.machine.max_memory, &[])?;
    let binarize = checkpoint.pixels(samples, args.binarize)?;
    let batch = samples.batch(chosen.iter().copied(), binarize, provenance.seed)?;
    let pixels =
        Shown::of(samples, wanted, binarize, provenance.seed, data.class_names.as_deref().unwrap_or_default())?;
    let v = Tensor::from_slice(&pixels.values, (batch.rows(), batch.units()), &Device::Cpu)?;
    let (picture, cost, squared_error) = match checkpoint {
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
    write_file(&args.out, &picture.png()?)?;
    tracing::info!(cost, "reconstruction cost of these samples: {cost:.2} nats per sample (mean-field)");
    if args.json {
        return report.json(&json!({
            "file": args.out, "data": data.name, "samples": chosen, "reconstruction_cost": cost,
            "squared_error": squared_error,
        }));
    }
    Ok(())
}
