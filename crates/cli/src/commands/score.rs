//! `dbn score`: how probable a model finds each sample, beside the samples it learned from.

use crate::args::{DataArgs, ScoreArgs, SplitName};
use crate::commands::files::{extension, require_folder};
use crate::data::chunks::{CHUNK, chunks};
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::model::checkpoint::{Checkpoint, Trained, split};
use crate::report::{Report, table, thousands};
use crate::results::{FORMATS, Results};
use candle_core::DType;
use deepbelief_data::{Binarize, Block, BlockValues, Split};
use deepbelief_kernels::{LogSum, Stream, Uniforms};
use deepbelief_rbm::likelihood::{MOST_ENUMERATED, exact_log_partition};
use deepbelief_stack::Dbn;
use serde::Serialize;
use serde_json::json;

/// Training samples that a sample is held against, at most.
const TRAINING: usize = 10_000;

/// Rows of the summary.
const SHOWN: usize = 5;

/// What the model says of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Score {
    row: usize,
    /// Nats.
    free_energy: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_likelihood: Option<f32>,
    /// Per cent of the training samples that are as probable or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentile: Option<f32>,
}

/// Scores one part of a data set.
pub(crate) fn score(args: &ScoreArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    let binarize = checkpoint.binarize(args.binarize);
    if matches!(binarize, Binarize::Fixed | Binarize::Fresh) {
        return Err(Failure::new(format!("--binarize is {binarize}, but a score must not depend on draws"))
            .hint("take none, which scores the values as they are, or threshold=T"));
    }
    let data = checkpoint.data(&args.checkpoint, &args.data, args.memory)?;
    let part = args.split.unwrap_or(if data.test.is_some() { SplitName::Test } else { SplitName::Train });
    let samples = split(&data, part)?;
    let dbn = &checkpoint.dbn;
    let log_z = log_z(dbn, args)?;
    // Double precision, so that a row does not depend on what is multiplied beside it; a deep net's batches are
    // always those of one sample.
    let deep = dbn.depth() > 1;
    let dbn = if deep { dbn.clone() } else { dbn.to_dtype(DType::F64)? };
    let sizes = dbn.sizes();
    let rows = CHUNK.max(args.layer_draws.into());
    let beside = PROGRAM + footprint::held(&data) + 2 * footprint::model(&sizes) + 2 * footprint::pass(&sizes, rows);
    memory::require_samples("scoring", samples.samples(), args.memory.max_memory, |n| {
        beside + footprint::features(n, 4, format) + (size_of::<Score>() * n) as u64
    })?;
    let training = training(args, &checkpoint, if args.data.data.is_none() { Some(&data.train) } else { None })?;
    let minus_free_energy = |samples: &Split| minus_free_energies(&dbn, samples, binarize, args.layer_draws);
    let training = training.map(|samples| minus_free_energy(&samples)).transpose()?.map(|mut found| {
        found.sort_unstable_by(f32::total_cmp);
        found
    });
    let percentile = |x: f32, training: &Vec<f32>| {
        100.0 * training.partition_point(|other| *other <= x) as f32 / training.len() as f32
    };
    let scores: Vec<Score> = minus_free_energy(samples)?
        .into_iter()
        .enumerate()
        .map(|(row, x)| Score {
            row,
            free_energy: -x,
            log_likelihood: log_z.map(|z| (f64::from(x) - z) as f32),
            percentile: training.as_ref().map(|training| percentile(x, training)),
        })
        .collect();
    if let Some(score) = scores.iter().find(|score| !score.free_energy.is_finite()) {
        return Err(Failure::new(format!(
            "the free energy of sample {} comes out as {}: parameters are too large to sum over",
            score.row, score.free_energy
        )));
    }
    let files = written(&scores).write(&args.out, format)?;
    let mut lowest: Vec<Score> = scores.clone();
    lowest.sort_by(|a, b| b.free_energy.total_cmp(&a.free_energy));
    lowest.truncate(SHOWN);
    if args.json {
        return report.json(&json!({
            "files": files, "data": data.name, "samples": scores.len(), "log_z": log_z, "least_probable": lowest,
        }));
    }
    report.data(&summary(&data.name, scores.len(), &lowest))
}

/// ln Z, as given or summed.
fn log_z(dbn: &Dbn, args: &ScoreArgs) -> Result<Option<f64>> {
    let top = dbn.top();
    if args.log_z.is_some_and(|z| !z.is_finite()) {
        return Err(Failure::new("--log-z must be a finite number"));
    }
    if args.log_z.is_some() {
        return Ok(args.log_z);
    }
    if top.hidden_units().is_bernoulli() && top.visible().min(top.hidden()) <= MOST_ENUMERATED {
        return Ok(Some(exact_log_partition(top)?));
    }
    tracing::info!(
        "no column log_likelihood: ln Z cannot be summed; `dbn eval --json` estimates it, and --log-z takes it"
    );
    Ok(None)
}

/// Samples that the model learned from: `own` where these are the data, else those that the checkpoint names, if
/// they can be opened.
fn training(args: &ScoreArgs, checkpoint: &Checkpoint, own: Option<&Split>) -> Result<Option<Split>> {
    let samples = match own {
        Some(own) => own.clone(),
        None => match checkpoint.data(&args.checkpoint, &DataArgs::default(), args.memory) {
            Ok(data) => data.train,
            Err(failure) => {
                tracing::warn!("no column percentile: the training data cannot be opened: {}", failure.what());
                return Ok(None);
            }
        },
    };
    // Spread over the order they come in, which may be by class.
    let (there, wanted) = (samples.samples(), samples.samples().min(TRAINING));
    Ok(Some(samples.select(&(0..wanted).map(|k| k * there / wanted).collect::<Vec<_>>())?))
}

/// Minus the free energy of every sample, in nats: what it has of ln p(v) beside -ln Z. Draws of the layers under the
/// top are the same for every sample.
fn minus_free_energies(dbn: &Dbn, samples: &Split, binarize: Binarize, draws: u16) -> Result<Vec<f32>> {
    let (dtype, draw) = (dbn.top().vb().dtype(), Uniforms::new(0, Stream::User, 0));
    let mut found = Vec::with_capacity(samples.samples());
    for v in chunks(samples, binarize, 0) {
        let v = v?.to_dtype(dtype)?;
        if dbn.depth() == 1 {
            found.extend(dbn.unnormalised_log_likelihood(&v, 1, draw)?.importance.iter().map(|&x| x as f32));
            continue;
        }
        for row in 0..v.dims2()?.0 {
            // A row a draw.
            let v = v.narrow(0, row, 1)?.repeat((draws as usize, 1))?;
            let mut weights = LogSum::default();
            dbn.unnormalised_log_likelihood(&v, 1, draw)?.importance.iter().for_each(|&x| weights.add(x));
            found.push((weights.value() - f64::from(draws).ln()) as f32);
        }
    }
    Ok(found)
}

/// The scores as a table.
fn written(scores: &[Score]) -> Results {
    let rows = BlockValues::Whole(scores.iter().map(|score| score.row as i64).collect());
    let mut columns = vec![Block::column("row", rows)];
    let floats = |of: fn(&Score) -> Option<f32>| scores.iter().map(of).collect::<Option<Vec<f32>>>();
    for (name, values) in [
        ("free_energy", floats(|score| Some(score.free_energy))),
        ("log_likelihood", floats(|score| score.log_likelihood)),
        ("percentile", floats(|score| score.percentile)),
    ] {
        columns.extend(values.map(|values| Block::column(name, BlockValues::Floats(values))));
    }
    Results { name: "scores", columns, beside: Vec::new() }
}

/// For people: the least probable samples.
fn summary(data: &str, samples: usize, lowest: &[Score]) -> String {
    let row = |score: &Score| {
        let mut row = vec![score.row.to_string(), format!("{:.2}", score.free_energy)];
        row.extend(score.log_likelihood.map(|x| format!("{x:.2}")));
        row.extend(score.percentile.map(|x| format!("{x:.2}")));
        row
    };
    let mut header = vec!["row", "free energy"];
    header.extend(lowest[0].log_likelihood.map(|_| "log-likelihood"));
    header.extend(lowest[0].percentile.map(|_| "percentile"));
    let rows = std::iter::once(header.into_iter().map(String::from).collect()).chain(lowest.iter().map(row));
    let shown = count(lowest.len(), "row");
    format!("{} samples of {data}; the least probable {shown}, counted from 0:\n{}", thousands(samples), table(rows))
}
