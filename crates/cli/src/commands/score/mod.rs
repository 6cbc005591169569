//! `dbn score`: how probable a model finds each sample, beside the samples it learned from.

mod mutations;
mod peers;

use crate::args::ScoreArgs;
use crate::commands::files::{extension, require_folder, require_spare};
use crate::data::chunks::CHUNK;
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::machine::ranks;
use crate::model::checkpoint::{Checkpoint, Trained, split};
use crate::model::log_z::log_z;
use crate::report::{Report, table, thousands};
use crate::results::{FORMATS, Results};
use deepbelief_data::{Binarize, Block, BlockValues, Split};
use deepbelief_stack::{Dbn, Scorer};
use peers::{Peers, lacking, minus_free_energies, training};
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;

/// Rows of the summary.
const SHOWN: usize = 5;

/// What the model says of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Score {
    row: usize,
    /// Nats; none where too much is missing to sum it out or estimate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_energy: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_likelihood: Option<f32>,
    /// Per cent of the training samples, with as much hidden of each, that are as probable or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentile: Option<f32>,
    /// Values beyond the ranges of their columns.
    beyond: u32,
    /// Whether free energy and log-likelihood are estimates.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
}

/// Scores one part of a data set.
pub(crate) fn score(args: &ScoreArgs, report: &Report) -> Result<()> {
    if let Some(mutations) = &args.mutations {
        return mutations::score_mutations(args, mutations, report);
    }
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    let checkpoint = Checkpoint::open(&args.on.checkpoint)?;
    require_spare(&args.out, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
    let binarize = checkpoint.binarize(args.binarize);
    if matches!(binarize, Binarize::Fixed | Binarize::Fresh) {
        return Err(Failure::new(format!("--binarize is {binarize}, but a score must not depend on draws"))
            .hint("take none, which scores the values as they are, or threshold=T"));
    }
    let data = checkpoint.incomplete_data(&args.on.checkpoint, &args.on.data, args.memory)?;
    let part = args.on.part(&data);
    let samples = split(&data, part)?;
    let log_z = log_z(&args.on.checkpoint, checkpoint.dbn.top(), args.log_z, "column log_likelihood")?;
    let sizes = checkpoint.dbn.sizes();
    let rows = CHUNK.max(args.layer_draws.into());
    let beside = PROGRAM + footprint::held(&data) + 2 * footprint::model(&sizes) + 2 * footprint::pass(&sizes, rows);
    memory::require_samples("scoring", samples.samples(), args.memory.max_memory, |n| {
        beside + footprint::features(n, 6, format) + (size_of::<Score>() * n) as u64
    })?;
    let scorer = Scorer::new(&checkpoint.dbn, &checkpoint.columns().choices(), args.layer_draws)?;
    let training = training(args, &checkpoint, &data)?;
    ranks::require_same(&format!("{} {}", samples.samples(), training.as_ref().map_or(0, Split::samples)))?;
    let mut peers = match training {
        Some(training) => Some(Peers::of(&scorer, training, binarize, passes(&checkpoint.dbn, args.layer_draws))?),
        None => None,
    };
    let log_scales = checkpoint.log_scales();
    let columns = checkpoint.columns();
    let mut scores = Vec::with_capacity(samples.samples());
    for (row, found) in minus_free_energies(&scorer, samples, binarize)?.into_iter().enumerate() {
        let (x, lacks) = (found.map(|found| found.value), lacking(samples, row));
        // A density is one of the numbers that are there.
        let log_scales =
            if lacks.is_empty() { log_scales } else { columns.log_scales(|unit| lacks.binary_search(&unit).is_err()) };
        scores.push(Score {
            row,
            free_energy: x.map(|x| -x),
            log_likelihood: x.zip(log_z).map(|(x, z)| (f64::from(x) - z - log_scales) as f32),
            percentile: match (x, &mut peers) {
                (Some(x), Some(peers)) => peers.percentile(&lacks, x)?,
                _ => None,
            },
            beyond: samples.beyond(row),
            estimated: found.is_some_and(|found| found.estimated),
        });
    }
    peers.iter().for_each(Peers::tell);
    if let Some((row, f)) = scores.iter().find_map(|s| Some((s.row, s.free_energy.filter(|f| !f.is_finite())?))) {
        return Err(Failure::new(format!(
            "the free energy of sample {row} comes out as {f}: parameters are too large to sum over"
        )));
    }
    if !ranks::group().is_first() {
        return Ok(());
    }
    let files = written(&scores).with_names(samples, format).write(&args.out, format)?;
    let found = Found::of(&data.name, &scores, samples);
    if found.unscored > 0 {
        tracing::warn!(
            "{} without a score: they lack so much that it cannot be summed out exactly",
            count(found.unscored, "sample")
        );
    }
    if found.estimated > 0 {
        tracing::info!(
            "{} by an estimate (column estimated): they lack more than can be summed out",
            count(found.estimated, "score")
        );
    }
    if args.json {
        return report.json(&json!({
            "files": files, "data": data.name, "samples": scores.len(), "log_z": log_z, "unscored": found.unscored,
            "estimated": found.estimated,
            "beyond": found.beyond, "least_probable": found.lowest,
        }));
    }
    report.data(&found.summary())
}

/// The scores as a table.
fn written(scores: &[Score]) -> Results {
    let rows = BlockValues::Whole(scores.iter().map(|score| score.row as i64).collect());
    let mut columns = vec![Block::column("row", rows)];
    let floats = |of: fn(&Score) -> Option<f32>| scores.iter().map(of).collect::<Vec<_>>();
    for (name, values) in [
        ("free_energy", floats(|score| score.free_energy)),
        ("log_likelihood", floats(|score| score.log_likelihood)),
        ("percentile", floats(|score| score.percentile)),
    ] {
        if name == "free_energy" || values.iter().any(Option::is_some) {
            let values = values.into_iter().map(|x| x.unwrap_or(f32::NAN)).collect();
            columns.push(Block::column(name, BlockValues::Floats(values)));
        }
    }
    let beyond = BlockValues::Whole(scores.iter().map(|score| score.beyond.into()).collect());
    columns.push(Block::column("beyond", beyond));
    if scores.iter().any(|score| score.estimated) {
        let estimated = BlockValues::Whole(scores.iter().map(|score| score.estimated.into()).collect());
        columns.push(Block::column("estimated", estimated));
    }
    Results { name: "scores", columns, beside: Vec::new() }
}

/// Passes through the net that a score takes.
fn passes(dbn: &Dbn, layer_draws: u16) -> usize {
    if dbn.depth() > 1 { layer_draws.into() } else { 1 }
}

/// What is unusual.
struct Found<'a> {
    data: &'a str,
    named: &'a Split,
    samples: usize,
    unscored: usize,
    estimated: usize,
    /// Rows with values beyond the ranges of their columns, those with most first.
    beyond: Vec<&'a Score>,
    /// The least probable rows.
    lowest: Vec<&'a Score>,
}

impl<'a> Found<'a> {
    fn of(data: &'a str, scores: &'a [Score], named: &'a Split) -> Self {
        let mut beyond: Vec<&Score> = scores.iter().filter(|score| score.beyond > 0).collect();
        beyond.sort_by_key(|score| std::cmp::Reverse(score.beyond));
        let free_energy = |score: &Score| score.free_energy.unwrap_or(f32::NEG_INFINITY);
        let mut lowest: Vec<&Score> = scores.iter().filter(|score| score.free_energy.is_some()).collect();
        let unscored = scores.len() - lowest.len();
        lowest.sort_by(|a, b| free_energy(b).total_cmp(&free_energy(a)));
        lowest.truncate(SHOWN);
        let estimated = scores.iter().filter(|score| score.estimated).count();
        Self { data, named, samples: scores.len(), unscored, estimated, beyond, lowest }
    }

    /// For people.
    fn summary(&self) -> String {
        let mut text = format!("{} samples of {}\n", thousands(self.samples), self.data);
        if !self.beyond.is_empty() {
            let row = |score: &&Score| format!("{} ({})", score.row, count(score.beyond as usize, "value"));
            let more = if self.beyond.len() > SHOWN { ", ..." } else { "" };
            let rows: Vec<String> = self.beyond.iter().take(SHOWN).map(row).collect();
            let (rows, beyond) = (rows.join(", "), count(self.beyond.len(), "row"));
            let _ = writeln!(text, "{beyond} with values beyond the ranges of their columns: {rows}{more}");
        }
        let Some(first) = self.lowest.first() else { return text };
        let row = |score: &&Score| {
            let numbers = [score.free_energy, score.log_likelihood, score.percentile];
            let numbers = numbers.into_iter().flatten().map(|x| format!("{x:.2}"));
            let name = self.named.name(score.row).map(str::to_string);
            std::iter::once(score.row.to_string()).chain(name).chain(numbers).collect()
        };
        let mut header = vec!["row"];
        header.extend(self.named.name(0).map(|_| "name"));
        header.push("free energy");
        header.extend(first.log_likelihood.map(|_| "log-likelihood"));
        header.extend(first.percentile.map(|_| "percentile"));
        let rows = std::iter::once(header.into_iter().map(String::from).collect()).chain(self.lowest.iter().map(row));
        let shown = count(self.lowest.len(), "row");
        text + &format!("the least probable {shown}, counted from 0:\n{}", table(rows))
    }
}
