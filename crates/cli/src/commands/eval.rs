//! `dbn eval`: how probable a model finds data.

use super::{chunks, extension, require_folder, write_file};
use crate::args::{EvalArgs, SplitName};
use crate::checkpoint::{Checkpoint, Trained, split};
use crate::failure::{Failure, Result, count};
use crate::report::{Report, thousands};
use candle_core::{DType, Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Bits, Stream, Uniforms};
use deepbelief_rbm::likelihood::{
    AnnealConfig, LogPartition, MOST_ENUMERATED, annealed_importance, base_rates, exact_log_partition,
    reverse_annealed_importance,
};
use deepbelief_rbm::tensors::from_batch;
use deepbelief_stack::Dbn;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

/// Training samples that means are taken of and chains start from, at most.
const TRAINING: usize = 10_000;

/// Nats by which two estimates may differ before a warning.
const APART: f64 = 1.0;

/// A figure with its interval, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Estimate {
    value: f64,
    low: f64,
    high: f64,
    /// Of the chains that ln Z was estimated by; absent where it is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_sample_size: Option<f64>,
}

/// ln Z, exactly or from both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct LogZ {
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ais: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverse_ais: Option<Estimate>,
}

/// Mean log-likelihood of a sample, in nats: what applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct LogLikelihood {
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ais: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverse_ais: Option<Estimate>,
    /// The variational bound of a deep belief net.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Estimate>,
}

#[derive(Serialize)]
struct Evaluation {
    data: String,
    split: &'static str,
    samples: usize,
    binarize: String,
    /// Nats per sample.
    log_likelihood: LogLikelihood,
    /// Nats; of the top, where there are layers under it.
    log_z: LogZ,
    /// Mean free energy of these samples minus that of training samples, nats; of the top.
    free_energy_gap: f64,
    /// Nats per sample.
    reconstruction_cost: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_error: Option<f64>,
    chains: u32,
    temperatures: u32,
    adaptive: bool,
    burn_in: u32,
    draws: u16,
    seed: u64,
    seconds: f64,
}

/// Measures and prints.
pub(crate) fn eval(args: &EvalArgs, report: &Report) -> Result<()> {
    if let Some(path) = &args.out {
        extension(path, &["json"])?;
        require_folder(path)?;
    }
    let began = Instant::now();
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let dbn = &checkpoint.dbn;
    let units = dbn.top().hidden_units();
    if !units.is_bernoulli() {
        return Err(Failure::new(format!("the hidden units are {units}: their likelihood is not implemented"))
            .hint("`dbn eval` measures models of Bernoulli units"));
    }
    let data = checkpoint.data(&args.data)?;
    let part = args.split.unwrap_or(if data.test.is_some() { SplitName::Test } else { SplitName::Train });
    let (samples, binarize) = (split(&data, part)?, binary(&checkpoint, args));
    let measured = samples.samples().min(args.samples.map_or(usize::MAX, |n| n as usize));
    tracing::info!("evaluating {} of {}; binarisation {binarize}", count(measured, "sample"), data.name);
    let training = Training::of(dbn, &data.train, binarize, args.seed)?;
    let log_z = log_z(dbn, &training, args)?;
    let sums = measure(dbn, samples, measured, binarize, args)?;
    let n = measured as f64;
    let (bound, importance) = (sums.bound / n, sums.importance / n);
    let (deep, less) = (dbn.depth() > 1, |from: f64, z: Estimate| Estimate {
        value: from - z.value,
        low: from - z.high,
        high: from - z.low,
        effective_sample_size: z.effective_sample_size,
    });
    let sharp = |value| Estimate { value, low: value, high: value, effective_sample_size: None };
    let log_likelihood = LogLikelihood {
        exact: log_z.exact.filter(|_| !deep).map(|z| sharp(importance - z)),
        ais: log_z.ais.or(log_z.exact.filter(|_| deep).map(sharp)).map(|z| less(importance, z)),
        reverse_ais: log_z.reverse_ais.map(|z| less(importance, z)),
        bound: deep.then(|| match (log_z.exact, log_z.ais, log_z.reverse_ais) {
            (None, Some(forward), Some(reverse)) => {
                let high = forward.high.max(reverse.high);
                less(bound, Estimate { low: forward.low.min(reverse.low), high, ..forward })
            }
            (exact, ..) => sharp(bound - exact.unwrap_or(f64::NAN)),
        }),
    };
    let evaluation = Evaluation {
        data: data.name.clone(),
        split: if part == SplitName::Test { "test" } else { "train" },
        samples: measured,
        binarize: binarize.to_string(),
        log_likelihood,
        log_z,
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
    if let (Some(forward), Some(reverse)) = (log_likelihood.ais, log_likelihood.reverse_ais) {
        let apart = forward.value - reverse.value;
        if apart.abs() > APART {
            tracing::warn!(
                "the two estimates are {apart:.1} nats apart: the chains mix badly, and the truth lies somewhere between; \
                 more --temperatures, or a longer --burn-in, may bring them together"
            );
        }
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

/// How grey values become the binary ones that have a likelihood.
fn binary(checkpoint: &Checkpoint, args: &EvalArgs) -> Binarize {
    match checkpoint.binarize(args.binarize) {
        // A draw at every presentation and none at all: one draw of the samples that are measured,
        // which leaves binary ones as they are.
        Binarize::Fresh | Binarize::None => Binarize::Fixed,
        how => how,
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
        for (step, chosen) in chosen.chunks(super::CHUNK).enumerate() {
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
fn log_z(dbn: &Dbn, training: &Training, args: &EvalArgs) -> Result<LogZ> {
    let top = dbn.top();
    if !args.estimate && top.visible().min(top.hidden()) <= MOST_ENUMERATED {
        return Ok(LogZ { exact: Some(exact_log_partition(top)?), ..LogZ::default() });
    }
    let config = AnnealConfig {
        chains: args.chains as usize,
        temperatures: args.temperatures as usize,
        adaptive: args.adaptive,
        burn_in: args.burn_in,
        seed: args.seed,
        threads: args.threads as usize,
    };
    let base = base_rates(&training.means);
    tracing::info!("annealing {} over {} temperatures, both ways", count(config.chains, "chain"), config.temperatures);
    let forward = annealed_importance(top, &base, &config)?;
    let (states, labels) = training.starts(config.chains, dbn.classes());
    let reverse = reverse_annealed_importance(top, &base, &states, &labels, &config)?;
    let estimate = |z: LogPartition| Estimate {
        value: z.value,
        low: z.low,
        high: z.high,
        effective_sample_size: Some(z.effective_sample_size),
    };
    Ok(LogZ { ais: Some(estimate(forward)), reverse_ais: Some(estimate(reverse)), exact: None })
}

/// Sums over the samples.
#[derive(Default)]
struct Sums {
    bound: f64,
    importance: f64,
    free_energy: f64,
    reconstruction: f64,
    label_errors: Option<f64>,
}

fn measure(dbn: &Dbn, samples: &Split, measured: usize, binarize: Binarize, args: &EvalArgs) -> Result<Sums> {
    let mut sums = Sums::default();
    let labels = samples.labels().filter(|_| dbn.classes() > 0);
    let mut at = 0;
    for (step, v) in chunks(samples, binarize, args.seed).enumerate() {
        let v = v?;
        let v = v.narrow(0, 0, v.dims2()?.0.min(measured - at))?;
        let rows = v.dims2()?.0;
        // Draws of the monitor's stream that the training samples do not take.
        let draw = Uniforms::new(args.seed, Stream::Monitor, 1_000_000 + step as u32);
        let weights = dbn.unnormalised_log_likelihood(&v, args.draws, draw)?;
        sums.bound += weights.bound.iter().sum::<f64>();
        sums.importance += weights.importance.iter().sum::<f64>();
        let units = dbn.encode(&v, dbn.layers().len(), Some(draw))?;
        sums.free_energy += sum(&dbn.top().free_energy(&units)?)?;
        sums.reconstruction += dbn.reconstruction_cost(&v)? * rows as f64;
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

impl Evaluation {
    /// For people.
    fn describe(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<22}{value}");
        };
        line(
            "data",
            format!(
                "{}, {} {} samples, binarisation {}",
                self.data,
                thousands(self.samples),
                self.split,
                self.binarize
            ),
        );
        let interval = |e: &Estimate| {
            let chains = e
                .effective_sample_size
                .map_or(String::new(), |n| format!(", {n:.1} effective of {}", count(self.chains as usize, "chain")));
            format!("{:.2} nats per sample ({:.2} to {:.2}{chains})", e.value, e.low, e.high)
        };
        let LogLikelihood { exact, ais, reverse_ais, bound } = &self.log_likelihood;
        if let Some(exact) = exact {
            line("log-likelihood", format!("{:.2} nats per sample, exactly", exact.value));
        }
        for (name, estimate) in
            [("log-likelihood, AIS", ais), ("  reverse AIS", reverse_ais), ("  variational bound", bound)]
        {
            if let Some(estimate) = estimate {
                line(name, interval(estimate));
            }
        }
        line("free-energy gap", format!("{:.2} nats to training samples", self.free_energy_gap));
        line("reconstruction cost", format!("{:.2} nats per sample", self.reconstruction_cost));
        if let Some(error) = self.label_error {
            line("label error", format!("{:.2} %", 100.0 * error));
        }
        let spacing = if self.adaptive { ", adaptive" } else { "" };
        let estimated =
            format!("{} temperatures{spacing}, seed {}, ", thousands(self.temperatures as usize), self.seed);
        let how = if self.log_z.exact.is_some() { String::new() } else { estimated };
        line("how", format!("{how}{:.1} s", self.seconds));
        text
    }
}
