//! `dbn data make`: small data sets with a known entropy.

use crate::args::{DataCommand, Made, MakeArgs};
use crate::commands::files::{extension, require_folder};
use crate::failure::{Failure, Result, count};
use crate::report::{Report, shell_word, thousands};
use crate::results::Results;
use deepbelief_analysis::ising::Ising;
use deepbelief_data::{Block, BlockValues, Patterns};
use serde_json::json;

/// What is to be done with data.
pub(crate) fn data(command: &DataCommand, report: &Report) -> Result<()> {
    match command {
        DataCommand::Make(args) => make(args, report),
    }
}

/// Writes a data set and says what no model can better.
fn make(args: &MakeArgs, report: &Report) -> Result<()> {
    extension(&args.out, &["csv"])?;
    require_folder(&args.out)?;
    let kind = match args.kind {
        Made::Patterns(kind) => kind,
        Made::Ising => return ising(args, report),
    };
    let of_ising =
        [("--beta", args.beta.is_some()), ("--samples", args.samples.is_some()), ("--seed", args.seed.is_some())];
    if let Some((name, _)) = of_ising.iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!("{name} is of ising, and {kind} has all its patterns")));
    }
    let size = args.size.map_or(kind.usual_size(), |size| size as usize);
    let patterns = kind.patterns(size)?;
    table(&patterns).write(&args.out, "csv")?;
    let (samples, units, entropy) = (patterns.rows.len(), patterns.units(), patterns.entropy());
    if args.json {
        return report.json(&json!({
            "file": args.out, "kind": kind, "size": size, "samples": samples, "units": units, "entropy": entropy,
        }));
    }
    let label = if patterns.labels.is_some() { " --label-column label" } else { "" };
    report.data(&format!(
        "{} of {}; entropy {entropy:.4} nats: no model gives them a mean log-likelihood above {:.4}\n\
         to train on them: dbn pretrain --data csv:{}{label}\n",
        count(samples, "sample"),
        count(units, "unit"),
        -entropy,
        shell_word(&args.out)
    ))
}

/// Spins a side and the inverse temperature, unless somebody says others.
const ISING: (usize, f64) = (8, 0.44);

/// Writes samples of the Ising model, and says how they compare with what is known exactly.
fn ising(args: &MakeArgs, report: &Report) -> Result<()> {
    let (size, beta) = (args.size.map_or(ISING.0, |size| size as usize), args.beta.unwrap_or(ISING.1));
    let model = Ising::new(size, beta)?;
    let (count, seed) = (args.samples.unwrap_or(10_000) as usize, args.seed.unwrap_or(1));
    let samples = model.samples(count, seed);
    let energies: Vec<f64> = samples.iter().map(|spins| model.energy(spins)).collect();
    let names = (0..model.spins()).map(|spin| format!("s{spin}")).collect();
    let values = samples.iter().flatten().map(|&up| if up { 1 } else { -1 }).collect();
    let columns = vec![Block { names, values: BlockValues::Whole(values) }];
    Results { name: "values", columns, ..Results::default() }.write(&args.out, "csv")?;
    let n = count as f64;
    let mean = energies.iter().sum::<f64>() / n;
    let heat_capacity = beta * beta * energies.iter().map(|energy| (energy - mean).powi(2)).sum::<f64>() / n;
    let exact = model.exact();
    if args.json {
        return report.json(&json!({
            "file": args.out, "kind": "ising", "size": size, "beta": beta, "samples": count, "units": model.spins(),
            "energy": mean, "heat_capacity": heat_capacity, "exact": exact,
        }));
    }
    report.data(&format!(
        "{} samples of {} spins at beta {beta}: mean energy {mean:.3} (exactly {:.3}), heat capacity {heat_capacity:.3} \
         ({:.3})\nentropy {:.4} nats: no model gives samples a mean log-likelihood above {:.4}\n\
         to train on them: dbn pretrain --data csv:{}\n",
        thousands(count),
        model.spins(),
        exact.energy,
        exact.heat_capacity,
        exact.entropy,
        -exact.entropy,
        shell_word(&args.out)
    ))
}

/// A row a pattern: its units and, last, its label.
fn table(patterns: &Patterns) -> Results {
    let names = (0..patterns.units()).map(|unit| format!("v{unit}")).collect();
    let values = patterns.rows.iter().flatten().map(|&x| i64::from(x)).collect();
    let label = patterns.labels.as_ref().map(|labels| labels.iter().map(|&label| i64::from(label)).collect());
    let label = label.map(|labels| Block::column("label", BlockValues::Whole(labels)));
    let columns = std::iter::once(Block { names, values: BlockValues::Whole(values) }).chain(label).collect();
    Results { name: "values", columns, ..Results::default() }
}
