//! `dbn contacts`: pairs of sites by how strongly a model couples them.

mod structure;
mod triples;

use crate::args::{ContactsArgs, GapsName, SplitName};
use crate::commands::files::{extension, require_folder, require_other, require_spare, write_file};
use crate::failure::{Failure, Result, count};
use crate::laboratory::{MOST_SITES, Rule, coupled, map_title};
use crate::model::checkpoint::{Checkpoint, split};
use crate::model::sites::{NamedSites, sequences, spread};
use crate::model::trained::Trained;
use crate::model::whole::Rows;
use crate::pictures::ContactMap;
use crate::report::{Report, table, thousands};
use crate::results::{FORMATS, Results};
use deepbelief_analysis::contacts::{Pair, Predictive, predictive};
use deepbelief_analysis::structure::Distances;
use deepbelief_data::{Block, BlockValues};
use serde_json::json;
use structure::Structure;

/// Rows of the summary.
const SHOWN: usize = 5;

/// Ranks the pairs of sites.
pub(crate) fn contacts(args: &ContactsArgs, report: &Report) -> Result<()> {
    let format = extension(&args.out, &FORMATS)?;
    require_folder(&args.out)?;
    if let Some(picture) = &args.picture {
        extension(picture, &["png"])?;
        require_folder(picture)?;
    }
    if let Some(triples) = &args.triples {
        extension(triples, &FORMATS)?;
        require_folder(triples)?;
        if triples == &args.out {
            return Err(Failure::new("--triples and --out name the same file"));
        }
    }
    if !(args.threshold > 0.0 && args.threshold.is_finite()) {
        return Err(Failure::new(format!("--threshold is {}; it must be above 0 Å", args.threshold)));
    }
    let checkpoint = Checkpoint::open(&args.checkpoint)?;
    for out in [Some(&args.out), args.picture.as_ref(), args.triples.as_ref()].into_iter().flatten() {
        require_spare(out, &args.checkpoint, &checkpoint, args.data.data.as_ref())?;
        if let Some(structure) = &args.structure {
            require_other(out, structure, "the structure")?;
        }
    }
    let model = NamedSites::of(&checkpoint, "contacts")?;
    let sites = model.sites.count();
    if !(2..=MOST_SITES).contains(&sites) {
        return Err(Failure::new(format!(
            "the model has {}; contacts are for 2 to {MOST_SITES}",
            count(sites, "site")
        )));
    }
    // A structure that is no good is refused before the data, which may take long, are read.
    let letters = model.letters();
    let structure = match &args.structure {
        Some(path) => Some((path, Structure::read(path, args.chain.as_deref(), sites, letters.as_deref())?)),
        None => None,
    };
    let data = checkpoint.incomplete_data(&args.checkpoint, &args.data, args.machine)?;
    let samples = split(&data, args.split)?;
    let taken = spread(samples, args.samples as usize);
    let sequences = sequences(&checkpoint, samples, &taken)?;
    let letters = letters.unwrap_or_default();
    // What is known of the alignment is of the training samples.
    let aligned = data.alignment.as_deref().filter(|_| args.split == SplitName::Train);
    let rows = Rows { samples, aligned, taken: &taken, sequences: &sequences, letters: &letters };
    let known = match structure {
        Some((path, structure)) => Some(structure.distances(path, &rows)?),
        None => None,
    };
    let rule = Rule { separation: args.separation, gaps: args.gaps == GapsName::In };
    let (couplings, pairs) = coupled(&model, &sequences, rule, report)?;
    let counts = |site, level| rule.counts(&model, site, level);
    let triples = match &args.triples {
        Some(path) => Some(triples::written(args, path, &model, &sequences, &pairs, counts)?),
        None => None,
    };
    let found = Found {
        data: &data.name,
        averaged: sequences.len(),
        sites,
        predicted: known.as_ref().map_or(Vec::new(), |known| predicted(args, sites, &pairs, known)),
        pairs: &pairs,
        known: known.as_ref(),
        of_spins: couplings.of_spins(),
        args,
        checkpoint: &checkpoint,
    };
    let mut files = found.table().write(&args.out, format)?;
    if let Some(path) = &args.picture {
        let map =
            ContactMap { title: found.title(), sites, pairs: &pairs, known: known.as_ref(), limit: args.threshold };
        write_file(path, &map.png()?)?;
        files.push(path.clone());
    }
    if let Some(triples) = &triples {
        files.extend(triples.files.iter().cloned());
    }
    if args.json {
        return report.json(&json!({
            "triples": triples.as_ref().map(triples::Triples::json),
            "files": files, "data": data.name, "sequences": sequences.len(), "sites": sites, "pairs": pairs.len(),
            "predictive": found.predicted, "strongest": pairs.iter().take(SHOWN).map(numbered).collect::<Vec<_>>(),
        }));
    }
    report.data(&(found.summary() + &triples.map_or_else(String::new, |triples| triples.summary())))
}

/// The shares of contacts among the first pairs, as many as asked for.
fn predicted(args: &ContactsArgs, sites: usize, pairs: &[Pair], known: &Distances) -> Vec<Predictive> {
    let usual = [sites / 2, sites, sites * 3 / 2, 2 * sites, 3 * sites];
    let first = if args.first.is_empty() { &usual[..] } else { &args.first };
    predictive(pairs, known, args.threshold, first)
}

/// A pair with its sites from 1.
fn numbered(pair: &Pair) -> serde_json::Value {
    json!({ "i": pair.i + 1, "j": pair.j + 1, "score": pair.score, "norm": pair.norm })
}

/// What came out.
struct Found<'a> {
    args: &'a ContactsArgs,
    checkpoint: &'a Checkpoint,
    data: &'a str,
    /// Sequences that couplings are averages over.
    averaged: usize,
    sites: usize,
    pairs: &'a [Pair],
    known: Option<&'a Distances>,
    predicted: Vec<Predictive>,
    /// Signed couplings of all pairs, where all sites have two levels.
    of_spins: Option<Vec<f64>>,
}

/// The place of a pair among all pairs i < j, by i.
fn pair_number(sites: usize, pair: &Pair) -> usize {
    pair.i * (2 * sites - pair.i - 1) / 2 + pair.j - pair.i - 1
}

impl Found<'_> {
    fn distance(&self, pair: &Pair) -> Option<f64> {
        self.known?.between(pair.i, pair.j)
    }

    fn table(&self) -> Results {
        let whole =
            |of: fn(&Pair) -> usize| BlockValues::Whole(self.pairs.iter().map(|pair| of(pair) as i64).collect());
        let doubles = |of: &dyn Fn(&Pair) -> f64| BlockValues::Doubles(self.pairs.iter().map(of).collect());
        let mut columns = vec![
            Block::column("i", whole(|pair| pair.i + 1)),
            Block::column("j", whole(|pair| pair.j + 1)),
            Block::column("score", doubles(&|pair| pair.score)),
            Block::column("norm", doubles(&|pair| pair.norm)),
        ];
        if self.known.is_some() {
            let contact = |distance: f64| if distance < self.args.threshold { 1.0 } else { 0.0 };
            columns.push(Block::column("distance", doubles(&|pair| self.distance(pair).unwrap_or(f64::NAN))));
            columns.push(Block::column("contact", doubles(&|pair| self.distance(pair).map_or(f64::NAN, contact))));
        }
        if let Some(of_spins) = &self.of_spins {
            let at = |pair: &Pair| of_spins[pair_number(self.sites, pair)];
            columns.push(Block::column("coupling", doubles(&at)));
        }
        Results { name: "pairs", columns, ..Results::default() }
    }

    /// Of the picture.
    fn title(&self) -> String {
        let of_sites = self.predicted.iter().find(|at| at.first == self.sites);
        map_title(self.checkpoint, self.data, (self.sites, self.averaged), of_sites)
    }

    /// For people.
    fn summary(&self) -> String {
        let apart = self.args.separation;
        let mut text = format!(
            "{} of {} sites at least {apart} apart; couplings averaged over {} of {}\n",
            count(self.pairs.len(), "pair"),
            self.sites,
            count(self.averaged, "sequence"),
            self.data
        );
        let header = ["i", "j", "score", "norm", "distance"];
        let columns = if self.known.is_some() { 5 } else { 4 };
        let row = |pair: &Pair| {
            let distance = self.distance(pair).map_or_else(String::new, |distance| format!("{distance:.1}"));
            let (i, j) = ((pair.i + 1).to_string(), (pair.j + 1).to_string());
            vec![i, j, format!("{:.4}", pair.score), format!("{:.4}", pair.norm), distance]
        };
        let rows = std::iter::once(header.map(String::from).to_vec()).chain(self.pairs.iter().take(SHOWN).map(row));
        text += &table(rows.map(|row| row.into_iter().take(columns).collect()));
        let Some(known) = self.known else { return text };
        let (pairs, all) = known.counts(apart as usize, self.args.threshold);
        let (contacts, pairs, limit) = (thousands(all), thousands(pairs), self.args.threshold);
        text = format!("{text}{contacts} of {pairs} pairs with a distance are contacts, below {limit} Å\n");
        let header = vec!["first pairs".to_string(), "contacts".into(), "predictive value".into()];
        let row = |at: &Predictive| {
            // More pairs than the structure has contacts cannot all be contacts.
            let most =
                if all < at.first { format!(" of at most {:.3}", all as f64 / at.first as f64) } else { String::new() };
            vec![at.first.to_string(), at.contacts.to_string(), format!("{:.3}{most}", at.value)]
        };
        text + &table(std::iter::once(header).chain(self.predicted.iter().map(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_analysis::couplings::pairs;

    #[test]
    fn pairs_are_counted_by_their_first_site() {
        for (number, (i, j)) in pairs(7).enumerate() {
            assert_eq!(pair_number(7, &Pair { i, j, score: 0.0, norm: 0.0 }), number);
        }
    }
}
