//! Pairs of sites by how strongly a model couples them.

use crate::failure::{Failure, Result, count};
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::NamedSites;
use crate::model::trained::Trained;
use crate::report::Report;
use deepbelief_analysis::contacts::{Pair, Predictive, ranked};
use deepbelief_analysis::couplings::Couplings;
use deepbelief_analysis::sites::Sequences;

/// Sites beyond which the pairs would take hours.
pub(crate) const MOST_SITES: usize = 2000;

/// Which pairs are ranked, and by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Sites that the two of a pair are apart, at least.
    pub(crate) separation: u32,
    /// Whether gaps count in the norms.
    pub(crate) gaps: bool,
}

impl Rule {
    /// Whether a level of a site counts.
    pub(crate) fn counts(self, model: &NamedSites, site: usize, level: usize) -> bool {
        self.gaps || !model.is_gap(site, level)
    }
}

/// The couplings averaged over sequences, and the pairs of sites by them, the strongest first.
pub(crate) fn coupled(
    model: &NamedSites,
    sequences: &Sequences,
    rule: Rule,
    report: &Report,
) -> Result<(Couplings, Vec<Pair>)> {
    let sites = model.sites.count();
    let work = report.work("pairs of sites", (sites * (sites - 1) / 2) as u64);
    let couplings = Couplings::effective_watched(&model.sites, sequences, &|| work.did(1))?;
    drop(work);
    let pairs = ranked(&couplings, rule.separation as usize, |site, level| rule.counts(model, site, level));
    if pairs.is_empty() {
        return Err(Failure::new(format!("no two of {sites} sites are {} apart", rule.separation))
            .hint("take a smaller --separation"));
    }
    Ok((couplings, pairs))
}

/// What stands above the map of `sites` that is averaged over so many sequences of the data.
pub(crate) fn map_title(
    checkpoint: &Checkpoint,
    data: &str,
    (sites, averaged): (usize, usize),
    known: Option<&Predictive>,
) -> String {
    let right =
        known.map_or_else(String::new, |at| format!("; {} of the first {} pairs are contacts", at.contacts, at.first));
    format!(
        "{data}: couplings of {sites} sites after {}, averaged over {}{right}",
        count(checkpoint.provenance().epochs as usize, "epoch"),
        count(averaged, "sequence")
    )
}
