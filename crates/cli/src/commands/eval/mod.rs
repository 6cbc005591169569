//! `dbn eval`: how probable a model finds data.

mod measure;
mod partition;
mod report;
mod sum;
mod training;

use crate::args::EvalArgs;
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::commands::part::{self, Measured, part_of};
use crate::data::chunks::{CHUNK, binarisation};
use crate::failure::{Failure, Result};
use crate::machine::footprint;
use crate::machine::memory::{self, MemoryOption, PROGRAM};
use crate::machine::ranks;
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::is_on_sites;
use crate::model::trained::{Trained, say_filled};
use crate::report::{Report, bytes, thousands};
use crate::run::folder::checkpoint_path;
use deepbelief_data::{Binarize, Dataset, Split, sha256};
use deepbelief_rbm::likelihood::require_normalizable;
use deepbelief_rbm::tensors;
use deepbelief_stack::Dbn;
use measure::{Samples, Sums, measure};
use report::{Evaluation, LogLikelihood};
use std::time::Instant;
use training::{Own, TRAINING, Training};

/// How new samples differ from those that a model learned from.
const USUALLY: &str = "new ones usually have a lower likelihood";

/// Measures and prints.
pub(crate) fn eval(args: &EvalArgs, report: &Report) -> Result<()> {
    if let Some(path) = &args.out {
        extension(path, &["json"])?;
        require_folder(path)?;
    }
    if args.adaptive {
        tracing::warn!("--adaptive is now called --spacing adaptive, and is the default");
    }
    let began = Instant::now();
    let device = args.device.open()?;
    let checkpoint = Checkpoint::open(&args.on.checkpoint)?;
    if let Some(path) = &args.out {
        require_spare(path, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
    }
    let path = checkpoint_path(&args.on.checkpoint)?;
    let file = tensors::read(&path)?;
    let (dbn, sites) = (&checkpoint.dbn, checkpoint.dbn.top().layers().visible.sites());
    require_normalizable(dbn.top())?;
    if args.pseudo_likelihood.is_some() && dbn.depth() > 1 {
        return Err(Failure::new("--pseudo-likelihood is of an RBM, and this model has layers under its top"));
    }
    let binarize = binary(&checkpoint, args)?;
    let own = training::own(&checkpoint, args, binarize, report);
    let data = checkpoint.incomplete_data(&args.on.checkpoint, &args.on.data, args.machine)?;
    let part = args.on.part(&data);
    let is_own = part::is_own(&checkpoint, &data, part)?;
    let Measured { samples, name, words, note } = part_of(&checkpoint, &data, (part, is_own), USUALLY)?;
    let measured = samples.samples().min(args.samples.map_or(usize::MAX, |n| n as usize));
    let filled = filled(&samples, measured)?;
    let data = checkpoint.filled(data, report)?;
    let samples = &part_of(&checkpoint, &data, (part, is_own), USUALLY)?.samples;
    let how = binarisation(samples.layer(), binarize);
    tracing::info!("evaluating {} {words} of {}{how}", thousands(measured), data.name);
    let weighed = samples.weight(0).map(|_| "means are weighted: each sample counts by its weight".to_string());
    note.into_iter().chain(weighed).for_each(|note| tracing::info!("{note}"));
    let log_scales = checkpoint.log_scales();
    require_memory(dbn, &data, measured, args)?;
    ranks::require_same(&format!("{} {} {measured}", sha256(&file), data.train.samples()))?;
    let training = Training::of(dbn, &data.train, binarize, args.seed)?;
    let own = own.map_or_else(|| Own::of(&checkpoint, &data.train, training.free_energy).map(Ok), Ok)?;
    let independent = own.as_ref().map_or(Ok(None), |own| own.independent(&checkpoint, samples, measured))?;
    let (alone, independent) = independent.unzip();
    let (log_z, mixing) = partition::log_z(dbn, &training, args, &device, report)?;
    let work = report.work("samples measured", u64::from(args.draws) * ranks::own_rows(measured, CHUNK) as u64);
    let of_samples = Samples { split: samples, measured, independent: alone.as_deref() };
    let draws = (0..u64::from(args.draws))
        .map(|k| measure(dbn, of_samples, binarize, args, args.seed.wrapping_add(k), &work))
        .collect::<Result<Vec<Sums>>>()?;
    drop(work);
    let weight = draws[0].weight;
    if weight == 0.0 {
        return Err(Failure::new("these samples weigh nothing, so that they have no mean"));
    }
    let mean = |of: &dyn Fn(&Sums) -> f64| draws.iter().map(of).sum::<f64>() / (weight * draws.len() as f64);
    let mean_of = |of: &dyn Fn(&Sums) -> Option<f64>| of(&draws[0]).map(|_| mean(&|sums| of(sums).unwrap_or_default()));
    let of = |sums: &dyn Fn(&Sums) -> f64| mean(sums) - log_scales;
    let pseudo = mean_of(&|sums| sums.pseudo).map(|pseudo| pseudo - log_scales);
    let log_likelihood =
        LogLikelihood::of(&log_z, of(&|sums| sums.importance), of(&|sums| sums.bound), (dbn.depth() > 1, filled > 0));
    if let Some(value) = log_likelihood.values().find(|value| !value.is_finite()) {
        return Err(Failure::new(format!(
            "the log-likelihood comes out as {value}: parameters are too large to sum over"
        ))
        .hint("a training that diverged leaves such a model; see its weights with `dbn show`"));
    }
    let difference = log_likelihood.ahead_of(independent, draws[0].ahead());
    let evaluation = Evaluation {
        data: data.name.clone(),
        split: name,
        words,
        samples: measured,
        filled,
        binarize: binarize.to_string(),
        is_binarized: samples.layer().is_bernoulli(),
        checkpoint_sha256: sha256(&file),
        log_likelihood,
        log_likelihood_per_site: log_likelihood.best().filter(|_| is_on_sites(dbn)).map(|best| best.over(sites)),
        independent,
        difference,
        standard_error_of_samples: draws[0].standard_error(),
        standard_error_of_draws: error_of_mean(draws.iter().map(|sums| sums.importance / weight)),
        pseudo_log_likelihood: pseudo,
        pseudo_log_likelihood_per_unit: pseudo.map(|pseudo| pseudo / sites as f64),
        log_z,
        mixing,
        free_energy_gap: own.map(|own| mean(&|sums| sums.free_energy) - own.free_energy),
        reconstruction_cost: mean(&|sums| sums.reconstruction),
        label_error: mean_of(&|sums| sums.label_errors),
        chains: args.chains,
        temperatures: args.temperatures,
        path: args.path,
        spacing: args.spacing,
        burn_in: args.burn_in,
        draws: args.draws,
        layer_draws: args.layer_draws,
        seed: args.seed,
        seconds: began.elapsed().as_secs_f64(),
    };
    tell(&evaluation, args, report)
}

/// So many of the first `measured` samples lack values, which are said to be filled.
fn filled(samples: &Split, measured: usize) -> Result<usize> {
    if !samples.has_missing() {
        return Ok(0);
    }
    let lacks = |&sample: &usize| samples.missing(&[sample]).is_some_and(|missing| missing.units(0).next().is_some());
    let filled = (0..measured).filter(lacks).count();
    if filled > 0 {
        say_filled(samples.select(&(0..measured).collect::<Vec<_>>())?.missing_values());
    }
    Ok(filled)
}

/// Prints and writes, as the first of the ranks.
fn tell(evaluation: &Evaluation, args: &EvalArgs, report: &Report) -> Result<()> {
    if !ranks::group().is_first() {
        return Ok(());
    }
    let json = serde_json::to_string(evaluation)? + "\n";
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
    let exact = partition::is_exact(dbn, args);
    let training = data.train.samples().min(TRAINING);
    let states = 4 * (training * top.visible()) as u64;
    let beside = PROGRAM + footprint::held(data) + footprint::model(&sizes) + states;
    let needed = |chains: usize| {
        // One chain for each training sample finds the means of the hidden units. The samples are passed up when
        // the chains are gone.
        let chains = if exact { 0 } else { footprint::chains(top.visible(), top.hidden(), chains.max(training)) };
        beside + chains.max(footprint::pass(&sizes, CHUNK.min(measured)))
    };
    let chains = args.chains as usize;
    tracing::info!("memory:  about {}", bytes(needed(chains)));
    let options = [MemoryOption::new("--chains", 2, chains, needed)];
    memory::require("the evaluation", needed(chains), args.machine.max_memory, &options)
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

/// Standard error of the mean of independent values; none of a single one.
fn error_of_mean(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
    (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt())
}
