//! What the estimates of ln Z need of the training samples.

use super::sum::{doubles, weighted};
use crate::args::EvalArgs;
use crate::commands::part::held;
use crate::data::chunks::{CHUNK, tensor};
use crate::failure::Result;
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::{COUNTED, independent as of_independent, is_on_sites, levels, mean, sequences, spread};
use crate::model::trained::Trained;
use crate::report::Report;
use deepbelief_analysis::mutations::log_frequencies;
use deepbelief_data::{Binarize, Source, Split};
use deepbelief_kernels::{Batch, Stream, Uniforms};
use deepbelief_rbm::to_batch;
use deepbelief_stack::Dbn;

/// What is known of the samples that the model was trained on.
pub(super) struct Own {
    /// Their mean free energy, nats.
    pub(super) free_energy: f64,
    /// Log frequencies of the levels of each site; none of pictures, numbers, deep nets, and beside labels.
    frequencies: Option<Vec<Vec<f64>>>,
}

impl Own {
    /// Of these, with what the training held out, which has no part in the frequencies.
    pub(super) fn of(checkpoint: &Checkpoint, train: &Split, free_energy: f64) -> Result<Self> {
        let (dbn, provenance) = (&checkpoint.dbn, checkpoint.provenance());
        if !is_on_sites(dbn) {
            return Ok(Self { free_energy, frequencies: None });
        }
        let held = held(checkpoint);
        let is_part = (1..train.samples()).contains(&held);
        let learned = if is_part { train.split_validation(held, provenance.seed)?.0 } else { train.clone() };
        let sequences = sequences(checkpoint, &learned, &spread(&learned, COUNTED))?;
        Ok(Self { free_energy, frequencies: Some(log_frequencies(&sequences, &levels(&dbn.top().layers().visible))) })
    }

    /// Log-likelihoods, in nats, of the first `measured` samples if their sites were independent, and their mean.
    pub(super) fn independent(
        &self,
        checkpoint: &Checkpoint,
        samples: &Split,
        measured: usize,
    ) -> Result<Option<(Vec<f64>, f64)>> {
        let Some(frequencies) = &self.frequencies else { return Ok(None) };
        let sequences = sequences(checkpoint, samples, &(0..measured).collect::<Vec<_>>())?;
        let each = of_independent(frequencies, &sequences);
        let mean = mean(&each, &sequences);
        Ok(Some((each, mean)))
    }
}

/// What is known of the samples that the model was trained on, where others are asked for, or why it is not.
pub(super) fn own(
    checkpoint: &Checkpoint,
    args: &EvalArgs,
    binarize: Binarize,
    report: &Report,
) -> Option<std::result::Result<Own, String>> {
    let asked = args.on.data.data.as_ref()?;
    if checkpoint.recorded::<Source>("data").is_some_and(|own| own.is_same_as(asked)) {
        return None;
    }
    let of_own = || -> Result<Own> {
        let own = checkpoint.training_data(&args.on.checkpoint, args.machine)?;
        let train = if own.train.has_missing() { checkpoint.complete(&own.train, report)? } else { own.train };
        Own::of(checkpoint, &train, Training::of(&checkpoint.dbn, &train, binarize, args.seed)?.free_energy)
    };
    Some(of_own().map_err(|failure| [&[failure.what().to_string()], failure.causes()].concat().join(": ")))
}

/// Training samples that means are taken of and chains start from, at most.
pub(super) const TRAINING: usize = 10_000;

/// States of the units under the top over training samples.
pub(super) struct Training {
    states: Batch,
    labels: Option<Vec<u32>>,
    /// Mean free energy of the top, nats.
    pub(super) free_energy: f64,
}

impl Training {
    pub(super) fn of(dbn: &Dbn, samples: &Split, binarize: Binarize, seed: u64) -> Result<Self> {
        // A share of all, spread over the order they come in, which may be by class.
        let (there, wanted) = (samples.samples(), samples.samples().min(TRAINING));
        let chosen: Vec<usize> = (0..wanted).map(|k| k * there / wanted.max(1)).collect();
        let below = dbn.layers().len();
        let (mut states, mut free_energy, mut weight) = (Vec::new(), 0.0, 0.0);
        for (step, chosen) in chosen.chunks(CHUNK).enumerate() {
            let v = tensor(&samples.batch(chosen.iter().copied(), binarize, seed)?, samples.layer())?;
            let draw = Uniforms::new(seed, Stream::Monitor, step as u32);
            let units = dbn.encode(&v, below, Some(draw))?;
            let weights: Vec<f64> = chosen.iter().map(|&sample| samples.weight(sample).unwrap_or(1.0).into()).collect();
            weight += weights.iter().sum::<f64>();
            free_energy += weighted(&weights, doubles(&dbn.top().free_energy(&units)?)?);
            states.extend(units.flatten_all()?.to_vec1::<f32>()?);
        }
        let labels: Option<Vec<u32>> = chosen.iter().map(|&sample| samples.label(sample)).collect();
        if below == 0 {
            to_batch(samples.layer(), &mut states);
        }
        let states = Batch::Real { rows: chosen.len(), units: dbn.top().visible(), values: states };
        Ok(Self { states, labels, free_energy: free_energy / weight })
    }

    /// Of all samples, states and labels: none where those of some are unknown.
    pub(super) fn all(&self) -> (&Batch, &[u32]) {
        (&self.states, self.labels.as_deref().unwrap_or_default())
    }
}
