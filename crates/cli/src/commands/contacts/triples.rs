//! `dbn contacts --triples`: what three sites have beyond their pairs.

use crate::args::ContactsArgs;
use crate::commands::files::extension;
use crate::failure::{Failure, Result};
use crate::model::sites::NamedSites;
use crate::report::thousands;
use crate::results::{FORMATS, Results};
use deepbelief_analysis::contacts::Pair;
use deepbelief_analysis::sites::Sequences;
use deepbelief_analysis::three_body::{Triple, joined_by, strongest};
use deepbelief_data::{Block, BlockValues};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Triples that are computed, at most: each takes some 20 ms.
const MOST: usize = 100_000;

/// Rows of the summary.
const SHOWN: usize = 5;

/// Triples, the strongest first, and the files that they are in.
pub(super) struct Triples {
    found: Vec<Triple>,
    pub(super) files: Vec<PathBuf>,
}

/// Computes and writes the triples that the first pairs make.
pub(super) fn written(
    args: &ContactsArgs,
    path: &Path,
    model: &NamedSites,
    sequences: &Sequences,
    pairs: &[Pair],
    counts: impl Fn(usize, usize) -> bool + Sync,
) -> Result<Triples> {
    let sites = model.sites.count();
    let first = args.triple_pairs.map_or(sites, |n| n as usize);
    let given: Vec<(usize, usize)> = pairs.iter().take(first).map(|pair| (pair.i, pair.j)).collect();
    let triples = joined_by(sites, &given);
    if !(1..=MOST).contains(&triples.len()) {
        let (n, most) = (thousands(triples.len()), thousands(MOST));
        let hint = if triples.is_empty() { "take a larger --triple-pairs" } else { "take a smaller --triple-pairs" };
        return Err(Failure::new(format!(
            "the first {} pairs make {n} triples; --triples is for 1 to {most}",
            thousands(given.len())
        ))
        .hint(hint));
    }
    let found = strongest(&model.sites, sequences, &triples, counts)?;
    let files = table(&found).write(path, extension(path, &FORMATS)?)?;
    Ok(Triples { found, files })
}

fn table(found: &[Triple]) -> Results {
    let site = |k: usize| BlockValues::Whole(found.iter().map(|triple| triple.sites[k] as i64 + 1).collect());
    let norms = BlockValues::Doubles(found.iter().map(|triple| triple.norm).collect());
    let mut columns: Vec<Block> =
        ["i", "j", "k"].into_iter().enumerate().map(|(k, name)| Block::column(name, site(k))).collect();
    columns.push(Block::column("norm", norms));
    let couplings: Option<Vec<f64>> = found.iter().map(|triple| triple.coupling).collect();
    if let Some(couplings) = couplings {
        columns.push(Block::column("coupling", BlockValues::Doubles(couplings)));
    }
    Results { name: "triples", columns, ..Results::default() }
}

impl Triples {
    /// For people.
    pub(super) fn summary(&self) -> String {
        let header = ["i", "j", "k", "norm"].map(String::from).to_vec();
        let row = |triple: &Triple| {
            let sites = triple.sites.iter().map(|site| (site + 1).to_string());
            sites.chain([format!("{:.4}", triple.norm)]).collect()
        };
        let rows = std::iter::once(header).chain(self.found.iter().take(SHOWN).map(row));
        format!("{} triples\n{}", thousands(self.found.len()), crate::report::table(rows))
    }

    /// As JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        let numbered = |triple: &Triple| {
            let [i, j, k] = triple.sites.map(|site| site + 1);
            json!({ "i": i, "j": j, "k": k, "norm": triple.norm, "coupling": triple.coupling })
        };
        json!({ "count": self.found.len(), "strongest": self.found.iter().take(SHOWN).map(numbered).collect::<Vec<_>>() })
    }
}
