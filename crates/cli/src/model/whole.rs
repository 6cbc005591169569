//! Sequences of the data as a chain has them: without gaps, and with what the alignment leaves out.

use crate::model::sites::NamedSites;
use deepbelief_analysis::sites::{Level, Sequences};
use deepbelief_analysis::structure::{Laid, Profile};
use deepbelief_data::{Aligned, Inserted, Split};

/// A sequence without gaps.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Whole {
    /// Letters, in upper case.
    pub(crate) residues: String,
    /// The residue, from 0, of every site; none where the sequence has a gap.
    pub(crate) of_site: Vec<Option<usize>>,
}

impl Whole {
    /// Of the levels of a sequence, and of what was left out of it.
    pub(crate) fn of(levels: &[Level], inserts: &[Inserted], letters: &[char]) -> Self {
        let gaps = NamedSites::gaps();
        let mut residues: Vec<char> = Vec::new();
        let mut of_site = Vec::with_capacity(levels.len());
        for site in 0..=levels.len() {
            inserts.iter().filter(|i| i.after == site).for_each(|i| residues.extend(i.letters.chars()));
            let Some(&level) = levels.get(site) else { break };
            let letter = letters[usize::from(level)];
            let is_gap = gaps.contains(&letter);
            of_site.push((!is_gap).then_some(residues.len()));
            residues.extend((!is_gap).then_some(letter));
        }
        Self { residues: residues.iter().map(char::to_ascii_uppercase).collect(), of_site }
    }

    /// Sites that have a residue.
    pub(crate) fn sites(&self) -> usize {
        self.of_site.iter().flatten().count()
    }

    /// Where a chain that contains this sequence lies on the sites.
    fn within(&self, chain: &str) -> Option<Vec<Option<usize>>> {
        let start = chain.find(&self.residues)?;
        let start = chain[..start].chars().count();
        Some(self.of_site.iter().map(|residue| residue.map(|k| start + k)).collect())
    }
}

/// Sequences that a chain is looked for in.
pub(crate) struct Rows<'a> {
    pub(crate) samples: &'a Split,
    /// What was found in the alignment that they are of.
    pub(crate) aligned: Option<&'a Aligned>,
    /// The samples that `sequences` are.
    pub(crate) taken: &'a [usize],
    pub(crate) sequences: &'a Sequences,
    /// What the levels are called.
    pub(crate) letters: &'a [char],
}

impl Rows<'_> {
    /// Lays a chain on the sites: as the sequence of the data lies that it contains, or else by the letters of all. Whether
    /// it is the former.
    pub(crate) fn lay(&self, residues: &str, profile: &Profile) -> (Laid, bool) {
        let chain: Vec<char> = residues.chars().collect();
        let laid = profile.lay(&chain);
        // A fragment of few letters is part of any chain.
        let least = laid.sites().max(self.sequences.sites().div_ceil(2));
        let own = self.own(residues).filter(|(_, of_site)| of_site.iter().flatten().count() >= least);
        let Some((sample, of_site)) = own else { return (laid, false) };
        let name = self.samples.name(sample).map_or_else(|| self.samples.called(sample), str::to_string);
        tracing::info!("sequence {} of the data, {name}, is part of it, and says where it lies", sample + 1);
        (profile.lies(&chain, of_site), true)
    }

    /// The sample that a chain contains with the most sites, and the residue on each site.
    fn own(&self, chain: &str) -> Option<(usize, Vec<Option<usize>>)> {
        let chain = chain.to_ascii_uppercase();
        let mut best: Option<(usize, Whole)> = None;
        for (levels, &sample) in self.sequences.rows().zip(self.taken) {
            let whole = Whole::of(levels, inserts(self.samples, self.aligned, sample), self.letters);
            let most = best.as_ref().map_or(0, |(_, whole)| whole.sites());
            if whole.sites() > most && chain.contains(&whole.residues) {
                best = Some((sample, whole));
            }
        }
        let (sample, whole) = best?;
        Some((sample, whole.within(&chain)?))
    }
}

/// What was left out of a sample.
pub(crate) fn inserts<'a>(samples: &Split, aligned: Option<&'a Aligned>, sample: usize) -> &'a [Inserted] {
    match (aligned, samples.line(sample)) {
        (Some(aligned), Some(line)) => aligned.inserts_of(line),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: [char; 4] = ['A', 'C', 'D', '-'];

    fn inserted(after: usize, letters: &str) -> Inserted {
        Inserted { line: 1, after, letters: letters.into() }
    }

    #[test]
    fn what_is_left_out_is_counted_where_it_stood() {
        let inserts = [inserted(0, "w"), inserted(2, "dd"), inserted(4, "A")];
        let whole = Whole::of(&[0, 3, 1, 2], &inserts, &LETTERS);
        assert_eq!(whole.residues, "WADDCDA");
        assert_eq!((&whole.of_site[..], whole.sites()), (&[Some(1), None, Some(4), Some(5)][..], 3));
        assert_eq!(whole.within("CCWADDCDAC"), Some(vec![Some(3), None, Some(6), Some(7)]));
        assert_eq!(whole.within("CCWADCDAC"), None);
    }
}
