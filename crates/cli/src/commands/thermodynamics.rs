//! `dbn thermodynamics`: energy, heat capacity and entropy of a model along a ladder of temperatures.

use crate::args::ThermodynamicsArgs;
use crate::commands::files::{extension, require_folder, require_spare, write_file};
use crate::failure::{Failure, Result};
use crate::machine::footprint;
use crate::machine::memory::{self, MemoryOption, PROGRAM};
use crate::model::checkpoint::Checkpoint;
use crate::model::trained::Trained;
use crate::pictures::graphs;
use crate::report::{Report, table};
use crate::results::{FORMATS, Results};
use deepbelief_analysis::thermodynamics::{Run, Rung, thermodynamics as measure};
use deepbelief_data::{Block, BlockValues};
use serde_json::json;

/// Rate of swaps below which neighbours do not exchange states to speak of.
const RARE: f64 = 0.05;

/// Rows of the summary.
const SHOWN: usize = 11;

/// Measures a model at other temperatures.
pub(crate) fn thermodynamics(args: &ThermodynamicsArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    if let Some(picture) = &args.picture {
        extension(picture, &["png"])?;
        require_folder(picture)?;
    }
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    for out in [Some(&args.out), args.picture.as_ref()].into_iter().flatten() {
        require_spare(out, &args.checkpoint, &checkpoint, None)?;
    }
    if checkpoint.dbn.depth() > 1 {
        return Err(Failure::new("thermodynamics is of one RBM, and the checkpoint is a deep belief net")
            .hint("`dbn pretrain` trains an RBM"));
    }
    require_memory(args, &checkpoint)?;
    let run = Run {
        chains: args.chains as usize,
        steps: args.steps,
        seed: args.seed.unwrap_or(checkpoint.provenance().seed),
    };
    let rungs = measure(checkpoint.dbn.top(), &args.betas.ladder(), &run)?;
    let rarest = rungs.iter().filter_map(|rung| rung.swap_rate.map(|rate| (rate, rung.beta)));
    if let Some((rate, beta)) = rarest.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|&(rate, _)| rate < RARE) {
        tracing::warn!(
            "chains swap at a rate of {rate:.3} behind beta {beta:.3}: cold chains are on their own there; take more \
             temperatures with --betas"
        );
    }
    let mut files = columns(&rungs).write(&args.out, format)?;
    if let Some(path) = &args.picture {
        write_file(path, &picture(&checkpoint.provenance().dataset, &rungs)?)?;
        files.push(path.clone());
    }
    if args.json {
        return report.json(&json!({
            "files": files, "chains": args.chains, "steps": args.steps, "seed": run.seed, "ladder": rungs,
        }));
    }
    report.data(&summary(&rungs))
}

/// Refuses a ladder that does not fit the memory.
fn require_memory(args: &ThermodynamicsArgs, checkpoint: &Checkpoint) -> Result<()> {
    let sizes = checkpoint.dbn.sizes();
    let (betas, chains, steps) = (args.betas.ladder().len(), args.chains as usize, args.steps as usize);
    // Chains begin at beta 0, be it asked for or not.
    let needed = |betas: usize, chains: usize, steps: usize| {
        PROGRAM + footprint::model(&sizes) + footprint::ladder(&sizes, betas + 1, chains, steps)
    };
    let options = [
        MemoryOption::new("--betas", 2, betas, |betas| needed(betas, chains, steps))
            .in_words(|count| format!("--betas {}", args.betas.written(count))),
        MemoryOption::new("--chains", 2, chains, |chains| needed(betas, chains, steps)),
        MemoryOption::new("--steps", 1, steps, |steps| needed(betas, chains, steps)),
    ];
    memory::require("the ladder", needed(betas, chains, steps), args.machine.max_memory, &options)
}

fn temperature(rung: &Rung) -> f64 {
    1.0 / rung.beta
}

/// A figure of a temperature.
type Figure = fn(&Rung) -> f64;

fn columns(rungs: &[Rung]) -> Results {
    let columns: [(&str, Figure); 10] = [
        ("beta", |rung| rung.beta),
        ("temperature", temperature),
        ("energy", |rung| rung.energy),
        ("energy_error", |rung| rung.energy_error),
        ("heat_capacity", |rung| rung.heat_capacity),
        ("log_z", |rung| rung.log_z),
        ("entropy", |rung| rung.entropy),
        ("swap_rate", |rung| rung.swap_rate.unwrap_or(f64::NAN)),
        ("overlap", |rung| rung.overlap),
        ("overlap_std", |rung| rung.overlap_std),
    ];
    let column = |(name, of): (&str, Figure)| Block::column(name, BlockValues::Doubles(rungs.iter().map(of).collect()));
    Results { name: "ladder", columns: columns.into_iter().map(column).collect(), ..Results::default() }
}

fn picture(data: &str, rungs: &[Rung]) -> Result<Vec<u8>> {
    let line = |of: Figure| rungs.iter().map(|rung| (rung.beta, of(rung))).collect::<Vec<_>>();
    graphs(
        &format!("{data}: the model at other temperatures"),
        "inverse temperature",
        &[
            ("Energy (nats)", line(|rung| rung.energy)),
            ("Heat capacity", line(|rung| rung.heat_capacity)),
            ("Entropy (nats)", line(|rung| rung.entropy)),
            ("Mean overlap of two chains", line(|rung| rung.overlap)),
        ],
    )
}

/// For people: some temperatures, evenly spread.
fn summary(rungs: &[Rung]) -> String {
    let header = ["beta", "energy", "heat capacity", "entropy", "ln Z", "swaps", "overlap"].map(String::from).to_vec();
    let shown = rungs.len().min(SHOWN);
    let at = |k: usize| if shown > 1 { k * (rungs.len() - 1) / (shown - 1) } else { 0 };
    let row = |rung: &Rung| {
        vec![
            format!("{:.3}", rung.beta),
            format!("{:.3} +- {:.3}", rung.energy, rung.energy_error),
            format!("{:.3}", rung.heat_capacity),
            format!("{:.3}", rung.entropy),
            format!("{:.3}", rung.log_z),
            rung.swap_rate.map_or(String::new(), |rate| format!("{rate:.2}")),
            format!("{:.3} +- {:.3}", rung.overlap, rung.overlap_std),
        ]
    };
    table(std::iter::once(header).chain((0..shown).map(|k| row(&rungs[at(k)]))))
}
