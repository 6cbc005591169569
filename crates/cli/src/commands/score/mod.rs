//! `dbn score`: how probable a model finds each sample, beside the samples it learned from.

mod mean;
mod mutations;
mod odd;
mod peers;
mod wild_type;

use crate::args::ScoreArgs;
use crate::commands::files::{extension, require_folder, require_spare};
use crate::data::chunks::CHUNK;
use crate::data::identity::{columns_beside, numbered};
use crate::failure::{Failure, Result, count};
use crate::machine::footprint;
use crate::machine::memory::{self, PROGRAM};
use crate::machine::ranks;
use crate::model::checkpoint::{Checkpoint, split};
use crate::model::log_z::log_z;
use crate::model::trained::Trained;
use crate::report::{Report, table, thousands};
use crate::results::{FORMATS, Results, cell_text, is_named, spare_name};
use deepbelief_data::{Binarize, Block, BlockValues, ColumnUnits, Split};
use deepbelief_stack::Scorer;
use mean::Mean;
use odd::{Odd, Oddities};
use peers::{Measured, Peers, lacking, minus_free_energies, training};
use serde::Serialize;
use serde_json::json;
use std::fmt::Write as _;

/// Rows of the summary.
const SHOWN: usize = 5;

/// Nats from which on an odd value is in the summary.
const WORTH: f64 = 1.0;

/// What the model says of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Score {
    /// Number of the sample, from 0.
    row: usize,
    /// The line of the file that it is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// Nats; none where too much is missing to sum it out or estimate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_energy: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_likelihood: Option<f32>,
    /// Per cent of the training samples, with as much hidden of each, that are as probable or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    percentile: Option<f32>,
    /// Values beyond the ranges of their columns, or far out.
    beyond: u32,
    /// Whether free energy and log-likelihood are estimates.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
}

impl Score {
    /// Its line, or where the data have no lines its row from 0.
    fn number(&self) -> usize {
        self.line.map_or(self.row, |line| line as usize)
    }
}

/// Scores one part of a data set.
pub(crate) fn score(args: &ScoreArgs, report: &Report) -> Result<()> {
    if let Some(mutations) = &args.mutations {
        return mutations::score_mutations(args, mutations, report);
    }
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    args.form.require(format)?;
    let checkpoint = Checkpoint::open(&args.on.checkpoint)?;
    require_spare(&args.out, &args.on.checkpoint, &checkpoint, args.on.data.data.as_ref())?;
    let binarize = checkpoint.binarize(args.binarize);
    if matches!(binarize, Binarize::Fixed | Binarize::Fresh) {
        return Err(Failure::new(format!("--binarize is {binarize}, but a score must not depend on draws"))
            .hint("take none, which scores the values as they are, or threshold=T"));
    }
    let data = checkpoint.incomplete_data(&args.on.checkpoint, &args.on.data, args.machine)?;
    let part = args.on.part(&data);
    let samples = split(&data, part)?;
    let known = log_z(&args.on.checkpoint, checkpoint.dbn.top(), args.log_z.as_ref(), "column log_likelihood")?;
    let log_z = known.map(|known| known.value);
    let sizes = checkpoint.dbn.sizes();
    let rows = CHUNK.max(args.layer_draws.into());
    let beside = PROGRAM + footprint::held(&data) + 2 * footprint::model(&sizes) + 2 * footprint::pass(&sizes, rows);
    memory::require_samples("scoring", samples.samples(), args.machine.max_memory, |n| {
        beside + footprint::features(n, 6, format) + (size_of::<Score>() * n) as u64
    })?;
    let scorer = Scorer::new(&checkpoint.dbn, &checkpoint.columns().choices(), args.layer_draws)?;
    let training = training(args, &checkpoint, &data)?;
    ranks::require_same(&format!("{} {}", samples.samples(), training.as_ref().map_or(0, Split::samples)))?;
    let of = |samples: &Split| peers::passes(&scorer, samples);
    let work = report.work("rows scored", of(samples) + training.as_ref().map_or(0, of));
    let mut peers = match training {
        Some(training) => Some(Peers::of(&scorer, training, binarize, &work)?),
        None => None,
    };
    let measured = minus_free_energies(&scorer, samples, binarize, &work)?;
    drop(work);
    let scores = compared(&checkpoint, samples, &measured, peers.as_mut(), log_z, report)?;
    peers.iter().for_each(Peers::tell);
    require_finite(&scores, samples)?;
    if !ranks::group().is_first() {
        return Ok(());
    }
    let lowest = lowest(&scores);
    let odd = match Oddities::of(&checkpoint, &scorer, samples, binarize) {
        Some(oddities) => odd_values(&oddities, &lowest, format, report)?,
        None => Vec::new(),
    };
    let mut table = written(&scores);
    if is_named(format) && !odd.is_empty() {
        table.columns.extend(odd::columns(&odd, scores.len()));
    }
    table.form = args.form.over(data.form);
    let beside = columns_beside(&checkpoint, &args.on.checkpoint, &args.on.data, (samples, part), ("csv", table.form))?;
    let who = beside.first().cloned();
    let table = table.with_rows(beside, format);
    let files =
        Results { columns: with_numbers(numbered(samples), table.columns), ..table }.write(&args.out, format)?;
    let likelihoods = scores.iter().filter_map(|score| Some((score.row, score.log_likelihood?)));
    let mean = Mean::of(likelihoods, samples, known);
    let found = Found { who, mean, ..Found::of(&data.name, &scores, samples, &lowest, odd) };
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
            "files": files, "data": data.name, "samples": scores.len(), "log_z": log_z, "log_likelihood": mean,
            "unscored": found.unscored, "estimated": found.estimated, "beyond": found.beyond,
            "least_probable": found.least_probable(),
        }));
    }
    report.data(&found.summary())
}

/// What the model says of every sample, of which it was `measured`, beside the training samples.
fn compared(
    checkpoint: &Checkpoint,
    samples: &Split,
    measured: &[Option<Measured>],
    mut peers: Option<&mut Peers>,
    log_z: Option<f64>,
    report: &Report,
) -> Result<Vec<Score>> {
    let (whole, columns) = (checkpoint.log_scales(), checkpoint.columns());
    let with_score = (0..measured.len()).filter(|&row| measured[row].is_some()).map(|row| lacking(samples, row));
    let passes = peers.as_mut().map_or(0, |peers| peers.plan(with_score));
    // A row by itself counts as one pass.
    let work = report.work("rows compared with training samples", measured.len() as u64 + passes);
    let mut scores = Vec::with_capacity(measured.len());
    for (row, found) in measured.iter().enumerate() {
        let (x, lacks) = (found.map(|found| found.value), lacking(samples, row));
        // A density is one of the numbers that are there.
        let log_scales =
            if lacks.is_empty() { whole } else { columns.log_scales(|unit| lacks.binary_search(&unit).is_err()) };
        scores.push(Score {
            row,
            line: samples.line(row),
            free_energy: x.map(|x| -x),
            log_likelihood: x.zip(log_z).map(|(x, z)| (f64::from(x) - z - log_scales) as f32),
            percentile: match (x, &mut peers) {
                (Some(x), Some(peers)) => peers.percentile(&lacks, x, &work)?,
                _ => None,
            },
            beyond: samples.beyond(row),
            estimated: found.is_some_and(|found| found.estimated),
        });
        work.did(1);
    }
    Ok(scores)
}

/// Refuses what parameters that are too large make of a sample.
fn require_finite(scores: &[Score], samples: &Split) -> Result<()> {
    match scores.iter().find_map(|s| Some((s.row, s.free_energy.filter(|f| !f.is_finite())?))) {
        None => Ok(()),
        Some((row, f)) => Err(Failure::new(format!(
            "the free energy of {} comes out as {f}: parameters are too large to sum over",
            samples.called(row)
        ))),
    }
}

/// The scores as a table.
fn written(scores: &[Score]) -> Results {
    let mut columns = Vec::new();
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
    Results { name: "scores", columns, ..Results::default() }
}

/// Puts a column before others, with a name of its own.
fn with_numbers(mut numbers: Block, mut columns: Vec<Block>) -> Vec<Block> {
    numbers.names[0] = spare_name(&numbers.names[0], &columns.iter().collect::<Vec<_>>());
    columns.insert(0, numbers);
    columns
}

/// The rows that have a score, the least probable first.
fn lowest(scores: &[Score]) -> Vec<usize> {
    let free_energy = |row: usize| scores[row].free_energy.unwrap_or(f32::NEG_INFINITY);
    let mut rows: Vec<usize> = (0..scores.len()).filter(|&row| scores[row].free_energy.is_some()).collect();
    rows.sort_by(|&a, &b| free_energy(b).total_cmp(&free_energy(a)));
    rows
}

/// The odd values of rows, the least probable first: of all where there is time and a table that has a place for them.
fn odd_values(oddities: &Oddities, lowest: &[usize], format: &str, report: &Report) -> Result<Vec<(usize, Vec<Odd>)>> {
    let wanted = if is_named(format) { lowest.len() } else { SHOWN.min(lowest.len()) };
    let found = oddities.find(&lowest[..wanted], report)?;
    if found.len() < wanted {
        tracing::info!(
            "odd values are looked for in the least probable {}: all would take long",
            count(found.len(), "row")
        );
    }
    Ok(lowest.iter().copied().zip(found).collect())
}

/// What is unusual.
struct Found<'a> {
    data: &'a str,
    samples_of: &'a Split,
    /// What the samples are called, or the first column that the model ignores.
    who: Option<Block>,
    /// Of their log-likelihoods, where these are known.
    mean: Option<Mean>,
    samples: usize,
    unscored: usize,
    estimated: usize,
    /// Rows with values beyond the ranges of their columns, or far out, those with most first.
    beyond: Vec<&'a Score>,
    /// The least probable rows.
    lowest: Vec<&'a Score>,
    /// Odd values of rows.
    odd: Vec<(usize, Vec<Odd>)>,
}

impl<'a> Found<'a> {
    fn of(
        data: &'a str,
        scores: &'a [Score],
        samples_of: &'a Split,
        lowest: &[usize],
        odd: Vec<(usize, Vec<Odd>)>,
    ) -> Self {
        let mut beyond: Vec<&Score> = scores.iter().filter(|score| score.beyond > 0).collect();
        beyond.sort_by_key(|score| std::cmp::Reverse(score.beyond));
        let unscored = scores.len() - lowest.len();
        let estimated = scores.iter().filter(|score| score.estimated).count();
        let lowest = lowest.iter().take(SHOWN).map(|&row| &scores[row]).collect();
        let (who, mean, samples) = (None, None, scores.len());
        Self { data, samples_of, who, mean, samples, unscored, estimated, beyond, lowest, odd }
    }

    /// As JSON, with their odd values.
    fn least_probable(&self) -> serde_json::Value {
        let of_row = |score: &&Score| {
            let mut value = json!(score);
            if let Some((_, odd)) = self.odd.iter().find(|(row, _)| *row == score.row) {
                value["odd"] = odd.iter().map(|odd| json!({ "column": odd.name, "nats": odd.nats })).collect();
            }
            value
        };
        self.lowest.iter().map(of_row).collect()
    }

    /// What the rows are numbered by.
    fn numbered(&self) -> &'static str {
        if self.samples_of.line(0).is_some() { "line" } else { "row (from 0)" }
    }

    /// For people.
    fn summary(&self) -> String {
        let mut text = format!("{} samples of {}\n", thousands(self.samples), self.data);
        text.extend(self.mean.as_ref().map(Mean::in_words));
        if !self.beyond.is_empty() {
            let row = |score: &&Score| format!("{} ({})", score.number(), count(score.beyond as usize, "value"));
            let more = if self.beyond.len() > SHOWN { ", ..." } else { "" };
            let rows: Vec<String> = self.beyond.iter().take(SHOWN).map(row).collect();
            let (rows, beyond) = (rows.join(", "), count(self.beyond.len(), "row"));
            let far = if self.samples_of.layer().is_discrete() {
                String::new()
            } else {
                format!(", or more than {} standard deviations from their means", ColumnUnits::FAR_OUT)
            };
            let _ = writeln!(
                text,
                "{beyond} with values beyond the ranges of their columns{far}, by {}: {rows}{more}",
                self.numbered()
            );
        }
        let Some(first) = self.lowest.first() else { return text };
        let (likelihoods, percentiles) =
            (first.log_likelihood.is_some(), self.lowest.iter().any(|score| score.percentile.is_some()));
        let row = |score: &&Score| {
            let numbers =
                [(true, score.free_energy), (likelihoods, score.log_likelihood), (percentiles, score.percentile)];
            let numbers = numbers.into_iter().filter(|(is_shown, _)| *is_shown);
            let numbers = numbers.map(|(_, x)| x.map_or_else(|| "-".to_string(), |x| format!("{x:.2}")));
            let name = self.who.as_ref().map(|block| cell_text(block, score.row));
            let odd = self.odd.iter().find(|(row, _)| *row == score.row).map(|(_, odd)| odd);
            let odd = odd.map(|odd| {
                let worth = odd.iter().filter(|odd| odd.nats >= WORTH);
                worth.map(Odd::words).collect::<Vec<_>>().join("; ")
            });
            std::iter::once(score.number().to_string()).chain(name).chain(numbers).chain(odd).collect()
        };
        let mut header = vec![self.numbered()];
        header.extend(self.who.as_ref().map(|block| block.names[0].as_str()));
        header.push("free energy");
        header.extend(likelihoods.then_some("log-likelihood"));
        header.extend(percentiles.then_some("percentile"));
        header.extend((!self.odd.is_empty()).then_some("odd values"));
        let rows = std::iter::once(header.into_iter().map(String::from).collect()).chain(self.lowest.iter().map(row));
        let shown = count(self.lowest.len(), "row");
        text + &format!("the least probable {shown}:\n{}", table(rows))
    }
}
