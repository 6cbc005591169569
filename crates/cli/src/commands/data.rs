//! `dbn data make`: small data sets with a known entropy.

use crate::args::{DataCommand, MakeArgs};
use crate::commands::files::{extension, require_folder};
use crate::failure::{Result, count};
use crate::report::Report;
use crate::report::shell_word;
use crate::results::Results;
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
    let size = args.size.map_or(args.kind.usual_size(), |size| size as usize);
    let patterns = args.kind.patterns(size)?;
    table(&patterns).write(&args.out, "csv")?;
    let (samples, units, entropy) = (patterns.rows.len(), patterns.units(), patterns.entropy());
    if args.json {
        return report.json(&json!({
            "file": args.out, "kind": args.kind, "size": size, "samples": samples, "units": units, "entropy": entropy,
        }));
    }
    let label = if patterns.labels.is_some() { " --label-column label" } else { "" };
    report.data(&format!(
        "{} of {}; entropy {entropy:.4} nats: no model gives them a mean log-likelihood above {:.4}\n\
         to train on them: --data csv:{}{label}\n",
        count(samples, "sample"),
        count(units, "unit"),
        -entropy,
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
    Results { name: "values", columns, beside: Vec::new() }
}
