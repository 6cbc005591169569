//! Training samples that chains start at.

use crate::args::{SampleArgs, StartName};
use crate::data::chunks::tensor;
use crate::failure::Result;
use crate::model::checkpoint::{Checkpoint, starts_from_labelled_data};
use crate::model::trained::Trained;
use crate::pictures::Dream;
use crate::report::Report;
use deepbelief_data::Binarize;
use deepbelief_kernels::{Stream, Uniforms};

/// Penultimate states of a training sample for each chain, where chains start at such; none: noise.
pub(super) fn states(args: &SampleArgs, checkpoint: &Checkpoint, dream: &Dream, report: &Report) -> Result<Vec<f32>> {
    let by_itself = args.start.is_none();
    let from_data = match args.start {
        Some(start) => start == StartName::Data,
        None => {
            !dream.clamped.is_empty() && starts_from_labelled_data(&checkpoint.dbn, &checkpoint.provenance().recipe)
        }
    };
    if !from_data {
        return Ok(Vec::new());
    }
    let learned = checkpoint.training_data(&args.checkpoint, args.machine);
    let data = match learned.and_then(|data| checkpoint.filled(data, report)) {
        Ok(data) => data,
        Err(failure) if by_itself => {
            tracing::warn!(
                "chains start at noise, for they cannot start at training samples ({}): this model learned from chains that \
                 start at samples, so that pictures may show another label, or nothing",
                failure.what()
            );
            return Ok(Vec::new());
        }
        Err(failure) => return Err(failure),
    };
    if by_itself {
        tracing::info!(
            "chains start at training samples of their label, for this model learned from chains that start at samples; \
             --start noise has them start elsewhere"
        );
    }
    let train = &data.train;
    let chosen = dream.spread(train.samples(), |sample| train.label(sample));
    // Chains have states.
    let binarize = match checkpoint.binarize(None) {
        Binarize::Fresh | Binarize::None => Binarize::Fixed,
        how => how,
    };
    let v = tensor(&train.batch(chosen, binarize, dream.seed)?, train.layer())?;
    let draw = Uniforms::new(dream.seed, Stream::User, 0);
    let units = checkpoint.dbn.encode(&v, checkpoint.dbn.layers().len(), Some(draw))?;
    Ok(units.flatten_all()?.to_vec1()?)
}
