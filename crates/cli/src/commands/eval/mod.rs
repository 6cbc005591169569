//! `dbn eval`: how probable a model finds data.

mod report;

use super::{CHUNK, chunks, extension, require_folder, write_file};
use crate::args::{EvalArgs, PseudoName, SplitName};
use crate::checkpoint::{Checkpoint, Trained, split};
use crate::failure::{Failure, Result, count};
use crate::footprint;
use crate::memory::{self, Knob, PROGRAM};
use crate::report::{Report, bytes, thousands};
use crate::run_folder::checkpoint_path;
use candle_core::{DType, Device, Tensor};
use deepbelief_data::{Binarize, Dataset, Split, sha256};
use deepbelief_kernels::{Bits, Stream, Uniforms};
use deepbelief_rbm::likelihood::{
    AnnealConfig, FEWEST_EFFECTIVE, Ladder, MOST_ENUMERATED, adaptive_ladder, annealed_importance, base_rates,
    exact_log_partition, mixing, pseudo_log_likelihood, reverse_annealed_importance,
};
use deepbelief_rbm::tensors::{self, from_batch};
use deepbelief_stack::Dbn;
use report::{Estimate, Evaluation, LogLikelihood, LogZ, Memory};
use std::time::Instant;

/// Training samples that means are taken of and chains start from, at most.
const TRAINING: usize = 10_000;

/// Nats by which two estimates may differ before a warning.
const APART: f64 = 1.0;

/// Correlation with their start that chains may keep before a warning: a hundred chains leave some
/// hundredths by chance.
const REMEMBERED: f64 = 0.2;

/// Measures and prints.
pub(crate) fn eval(args: &EvalArgs, report: &Report) -> Result<()> {
    if let Some(path) = &args.out {
        extension(path, &["json"])?;
        require_folder(path)?;
    }
    let began = Instant::now();
    let device = args.device.open()?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let path = checkpoint_path(&args.checkpoint)?;
    let file = tensors::read(&path)?;
    let dbn = &checkpoint.dbn;
    let units = dbn.top().hidden_units();
    if !units.is_bernoulli() {
        return Err(Failure::new(format!("the hidden units are {units}: their likelihood is not implemented"))
            .hint("`dbn eval` measures models of Bernoulli units"));
    }
    if args.pseudo_likelihood.is_some() && dbn.depth() > 1 {
        return Err(Failure::new("--pseudo-likelihood is of an RBM, and this model has layers under its top"));
    }
    let data = checkpoint.data(&args.data, args.memory)?;
    let part = args.split.unwrap_or(if data.test.is_some() { SplitName::Test } else { SplitName::Train });
    let (samples, binarize) = (split(&data, part)?, binary(&checkpoint, args)?);
    let measured = samples.samples().min(args.samples.map_or(usize::MAX, |n| n as usize));
    tracing::info!("evaluating {} samples of {}; binarisation {binarize}", thousands(measured), data.name);
    require_memory(dbn, &data, measured, args)?;
    let training = Training::of(dbn, &data.train, binarize, args.seed)?;
    let (log_z, mixing) = log_z(dbn, &training, args, &device)?;
    let sums = measure(dbn, samples, measured, binarize, args)?;
    let n = measured as f64;
    let (bound, importance) = (sums.bound / n, sums.importance / n);
    let deep = dbn.depth() > 1;
    let exact = log_z.exact.map(Estimate::exact);
    let log_likelihood = LogLikelihood {
        exact: exact.filter(|_| !deep).map(|z| z.below(importance)),
        importance: exact.filter(|_| deep).map(|z| z.below(importance)),
        ais: log_z.ais.map(|z| z.below(importance)),
        reverse_ais: log_z.reverse_ais.map(|z| z.below(importance)),
        // As low as either estimate of ln Z makes it.
        bound: exact.or(log_z.ais).filter(|_| deep).map(|z| {
            let high = log_z.reverse_ais.map_or(z.high, |reverse| Some(z.high?.max(reverse.high?)));
            Estimate { high, ..z }.below(bound)
        }),
    };
    let LogLikelihood { exact, importance, ais, reverse_ais, bound } = &log_likelihood;
    let estimates = [exact, importance, ais, reverse_ais, bound].into_iter().flatten();
    if let Some(Estimate { value, .. }) = estimates.into_iter().find(|estimate| !estimate.value.is_finite()) {
        return Err(Failure::new(format!(
            "the log-likelihood comes out as {value}: parameters are too large to sum over"
        ))
        .hint("a training that diverged leaves such a model; see its weights with `dbn show`"));
    }
    let evaluation = Evaluation {
        data: data.name.clone(),
        split: if part == SplitName::Test { "test" } else { "train" },
        samples: measured,
        binarize: binarize.to_string(),
        checkpoint_sha256: sha256(&file),
        log_likelihood,
        standard_error_of_samples: sums.standard_error(n),
        pseudo_log_likelihood: sums.pseudo.map(|pseudo| pseudo / n),
        log_z,
        mixing,
        free_energy_gap: sums.free_energy / n - training.free_energy,
        reconstruction_cost: sums.reconstruction / n,
        label_error: sums.label_errors.map(|errors| errors / n),
        chains: args.chains,
        temperatures: args.temperatures,
        adaptive: args.adaptive,
        burn_in: args.burn_in,
        draws: args.draws,
        seed: args.seed,
        seconds: began.elapsed().as_secs_f64(),
    };
    if let Some(Memory { left, .. }) = mixing.filter(|memory| memory.left > REMEMBERED) {
        tracing::warn!(
            "after {} Gibbs steps the chains still resemble the samples they started from (correlation {left:.2}): the \
             model mixes slowly, and the reverse estimate rests on what few of its modes are near the data; try a \
             longer --burn-in",
            thousands(args.burn_in as usize)
        );
    }
    if let (Some(forward), Some(reverse)) = (log_likelihood.ais, log_likelihood.reverse_ais) {
        warn_of(&forward, &reverse);
    }
    let json = serde_json::to_string(&evaluation)? + "\n";
    if let Some(path) = &args.out {
        write_file(path, json.as_bytes())?;
    }
    if args.json {
        return report.data(&json);
    }
    report.data(&evaluation.describe())
}

/// Says what the evaluation takes of memory, and refuses it where that is too much.
fn require_memory(dbn: &Dbn, data: &Dataset, measured: usize, args: &EvalArgs) -> Result<()> {
    let (sizes, top) = (dbn.sizes(), dbn.top());
    let exact = !args.estimate && top.visible().min(top.hidden()) <= MOST_ENUMERATED;
    let states = 4 * (data.train.samples().min(TRAINING) * top.visible()) as u64;
    let beside = PROGRAM + footprint::held(data) + footprint::model(&sizes) + states;
    let needed = |chains| {
        // The samples are passed up when the chains are gone.
        let chains = if exact { 0 } else { footprint::chains(top.visible(), top.hidden(), chains) };
        beside + chains.max(footprint::pass(&sizes, CHUNK.min(measured)))
    };
    let chains = args.chains as usize;
    tracing::info!("memory:  about {}", bytes(needed(chains)));
    let knobs = [Knob::new("--chains", 2, chains, needed)];
    memory::require("the evaluation", needed(chains), args.memory.max_memory, &knobs)
}

/// Says where estimates are not to be trusted.
fn warn_of(forward: &Estimate, reverse: &Estimate) {
    let few = [forward, reverse].into_iter().any(|estimate| estimate.low.is_none());
    let apart = forward.value - reverse.value;
    if few {
        tracing::warn!(
            "fewer than {FEWEST_EFFECTIVE} chains carry an estimate, which then has no interval: take more \
             --temperatures or more --chains"
        );
    } else if apart > APART {
        tracing::warn!(
            "the two estimates are {apart:.1} nats apart: the chains mix badly, and the truth rather lies between; \
             more --temperatures, or a longer --burn-in, may bring them together"
        );
    } else if apart < -APART {
        tracing::warn!(
            "the reverse estimate is {:.1} nats above the other, where it should not be: noise, or a --burn-in that is \
             too short",
            -apart
        );
    }
}

/// How grey values become the binary ones that have a likelihood.
fn binary(checkpoint: &Checkpoint, args: &EvalArgs) -> Result<Binarize> {
    match args.binarize {
        Some(how @ (Binarize::Fresh | Binarize::None)) => Err(Failure::new(format!(
            "--binarize is {how}, but likelihoods are of binary samples that stay as they are"
        ))
        .hint("take fixed, which draws each once, or threshold=T")),
        Some(how) => Ok(how),
        None => Ok(match checkpoint.binarize(None) {
            Binarize::Fresh | Binarize::None => Binarize::Fixed,
            how => how,
        }),
    }
}

/// What estimates need of the training samples.
struct Training {
    /// Mean of each unit under the top.
    means: Vec<f32>,
    /// States of the units under the top, to start chains from.
    states: Vec<f32>,
    labels: Option<Vec<u32>>,
    /// Mean free energy of the top, nats.
    free_energy: f64,
}

impl Training {
    fn of(dbn: &Dbn, samples: &Split, binarize: Binarize, seed: u64) -> Result<Self> {
        // A share of all, spread over the order they come in, which may be by class.
        let (there, wanted) = (samples.samples(), samples.samples().min(TRAINING));
        let chosen: Vec<usize> = (0..wanted).map(|k| k * there / wanted.max(1)).collect();
        let below = dbn.layers().len();
        let (mut means, mut states, mut free_energy) = (vec![0.0; dbn.top().visible()], Vec::new(), 0.0);
        for (step, chosen) in chosen.chunks(CHUNK).enumerate() {
            let v = from_batch(&samples.batch(chosen.iter().copied(), binarize, seed)?, &Device::Cpu)?;
            let draw = Uniforms::new(seed, Stream::Monitor, step as u32);
            let units = dbn.encode(&v, below, Some(draw))?;
            free_energy += sum(&dbn.top().free_energy(&units)?)?;
            for (mean, sum) in means.iter_mut().zip(units.sum(0)?.to_vec1::<f32>()?) {
                *mean += sum / wanted as f32;
            }
            states.extend(units.flatten_all()?.to_vec1::<f32>()?);
        }
        for mean in &mut means {
            *mean = mean.clamp(0.0, 1.0);
        }
        let labels: Option<Vec<u32>> = chosen.iter().map(|&sample| samples.label(sample)).collect();
        Ok(Self { means, states, labels, free_energy: free_energy / wanted.max(1) as f64 })
    }

    /// States and labels for so many chains.
    fn starts(&self, chains: usize, classes: usize) -> (Bits, Vec<u32>) {
        let units = self.means.len();
        let there = self.states.len() / units.max(1);
        let chosen: Vec<usize> = (0..chains).map(|chain| chain * there / chains % there.max(1)).collect();
        let values: Vec<f32> = chosen.iter().flat_map(|&k| &self.states[k * units..(k + 1) * units]).copied().collect();
        // Where nothing is known of a label, the burn-in finds one.
        let label = |(chain, &k): (usize, &usize)| match &self.labels {
            Some(labels) if (labels[k] as usize) < classes => labels[k],
            _ => (chain % classes.max(1)) as u32,
        };
        (Bits::from_values(chains, units, &values), chosen.iter().enumerate().map(label).collect())
    }
}

/// ln Z of the top: exactly where that can be had, else from both sides.
fn log_z(dbn: &Dbn, training: &Training, args: &EvalArgs, device: &Device) -> Result<(LogZ, Option<Memory>)> {
    let top = dbn.top();
    let smaller = top.visible().min(top.hidden());
    if !args.estimate && smaller <= MOST_ENUMERATED {
        tracing::info!("summing over the states of {}, exactly", count(smaller, "unit"));
        return Ok((LogZ { exact: Some(exact_log_partition(top)?), ..LogZ::default() }, None));
    }
    let top = &top.to_device(device)?;
    let (base, steps) = (base_rates(&training.means), args.temperatures as usize);
    let mut config = AnnealConfig {
        chains: args.chains as usize,
        ladder: Ladder::with_steps(steps)?,
        burn_in: args.burn_in,
        seed: args.seed,
        threads: args.threads as usize,
    };
    let (chains, temperatures) = (count(config.chains, "chain"), thousands(steps));
    tracing::info!("annealing {chains} over {temperatures} temperatures, both ways");
    if args.adaptive {
        config.ladder = adaptive_ladder(top, &base, &config, steps)?;
    }
    let forward = annealed_importance(top, &base, &config)?;
    let (states, labels) = training.starts(config.chains, dbn.classes());
    let reverse = reverse_annealed_importance(top, &base, &states, &labels, &config)?;
    let memory = match config.burn_in {
        0 => None,
        _ => Some(mixing(top, &states, &labels, &config)?),
    };
    let memory = memory.map(|mixing| Memory { half_life: mixing.half_life(), left: mixing.left() });
    let log_z = LogZ { ais: Some(Estimate::of(&forward)), reverse_ais: Some(Estimate::of(&reverse)), exact: None };
    Ok((log_z, memory))
}

/// Sums over the samples.
#[derive(Default)]
struct Sums {
    bound: f64,
    importance: f64,
    importance_squares: f64,
    free_energy: f64,
    reconstruction: f64,
    label_errors: Option<f64>,
    pseudo: Option<f64>,
}

impl Sums {
    /// Of the mean of `importance` over `n` samples.
    fn standard_error(&self, n: f64) -> f64 {
        let mean = self.importance / n;
        ((self.importance_squares / n - mean * mean).max(0.0) / (n - 1.0).max(1.0)).sqrt()
    }
}

fn measure(dbn: &Dbn, samples: &Split, measured: usize, binarize: Binarize, args: &EvalArgs) -> Result<Sums> {
    let mut sums = Sums::default();
    let labels = samples.labels().filter(|_| dbn.classes() > 0);
    let mut at = 0;
    for (step, v) in chunks(samples, binarize, args.seed).enumerate() {
        let v = v?;
        let v = v.narrow(0, 0, v.dims2()?.0.min(measured - at))?;
        let rows = v.dims2()?.0;
        // The training samples draw from the monitor's stream.
        let draw = Uniforms::new(args.seed, Stream::User, step as u32);
        let weights = dbn.unnormalised_log_likelihood(&v, args.draws, draw)?;
        sums.bound += weights.bound.iter().sum::<f64>();
        sums.importance += weights.importance.iter().sum::<f64>();
        sums.importance_squares += weights.importance.iter().map(|x| x * x).sum::<f64>();
        let units = dbn.encode(&v, dbn.layers().len(), Some(draw))?;
        sums.free_energy += sum(&dbn.top().free_energy(&units)?)?;
        sums.reconstruction += dbn.reconstruction_cost(&v)? * rows as f64;
        if let Some(how) = args.pseudo_likelihood {
            let states = Bits::from_values(rows, dbn.visible(), &v.flatten_all()?.to_vec1::<f32>()?);
            let labels = labels.as_ref().map_or(&[][..], |labels| &labels[at..at + rows]);
            let one = (how == PseudoName::Stochastic).then_some(draw);
            *sums.pseudo.get_or_insert(0.0) +=
                pseudo_log_likelihood(dbn.top(), &states, labels, one)?.iter().sum::<f64>();
        }
        if let Some(labels) = &labels {
            let told = dbn.classify(&v)?;
            let wrong = told.iter().zip(&labels[at..]).filter(|(told, label)| told != label).count();
            *sums.label_errors.get_or_insert(0.0) += wrong as f64;
        }
        at += rows;
        if at >= measured {
            break;
        }
    }
    Ok(sums)
}

fn sum(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.sum_all()?.to_scalar()?)
}
