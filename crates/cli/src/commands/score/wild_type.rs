//! The wild type of `dbn score --mutations`: what was asked for, and how it lies on the sites.

use crate::failure::{Failure, Result, closest};
use crate::model::checkpoint::Checkpoint;
use crate::model::sites::{NamedSites, sequences};
use crate::model::whole::{Rows, Whole, inserts};
use deepbelief_analysis::mutations::{Mutant, WildType};
use deepbelief_analysis::structure::Profile;
use deepbelief_data::{Dataset, Split};
use std::collections::BTreeSet;

/// Names that a hint lists, at most.
const MEANT: usize = 3;

/// What was asked for, before the letters of the data are known.
pub(super) enum Asked {
    /// A sequence of the data, or letters that are aligned.
    Sited(WildType),
    /// A protein without gaps.
    Whole {
        residues: String,
        offset: i64,
        /// It on no sites: its residues and their numbers.
        unlaid: WildType,
    },
}

impl Asked {
    /// A sequence by its name in the data, or the letters of one.
    pub(super) fn of(
        asked: &str,
        offset: Option<i64>,
        letters: &[char],
        sites: usize,
        data: &Dataset,
        checkpoint: &Checkpoint,
    ) -> Result<Self> {
        let gaps = NamedSites::gaps();
        if let Some(sample) = (0..data.train.samples()).find(|&sample| is_called(&data.train, sample, asked)) {
            let offset = offset.or_else(|| numbers(asked).map(|(first, _)| first - 1)).unwrap_or(0);
            let levels = sequences(checkpoint, &data.train, &[sample])?;
            let whole = Whole::of(levels.row(0), inserts(&data.train, data.alignment.as_deref(), sample), letters);
            tracing::info!(
                "the wild type is sequence {} of the data, whose first residue is number {}",
                sample + 1,
                offset + 1
            );
            let residues = whole.residues.chars().count();
            if let Some(doubt) = data.train.name(sample).and_then(|name| doubt(name, residues)) {
                tracing::warn!("{doubt}");
            }
            return Ok(Self::Sited(WildType::on_sites(&whole.residues, &whole.of_site, letters, &gaps, offset)?));
        }
        let fits = |c: char| letters.iter().any(|letter| letter.eq_ignore_ascii_case(&c)) || gaps.contains(&c);
        if asked.is_empty() || !asked.chars().all(fits) {
            return Err(Failure::new(format!(
                "the wild type '{asked}' is neither the name of a sequence nor letters of the sites"
            ))
            .hint(hint(asked, (0..data.train.samples()).filter_map(|sample| data.train.name(sample)))));
        }
        let offset = offset.unwrap_or(0);
        if asked.chars().count() == sites {
            return Ok(Self::Sited(WildType::aligned(asked, sites, letters, &gaps, offset)?));
        }
        let residues: String = asked.chars().filter(|c| !gaps.contains(c)).collect();
        let unlaid = WildType::on_sites(&residues, &[], letters, &gaps, offset)?;
        Ok(Self::Whole { residues, offset, unlaid })
    }

    /// Refuses mutants of other letters than the wild type has.
    pub(super) fn require(&self, mutants: &[Mutant]) -> Result<()> {
        let (Self::Sited(wild) | Self::Whole { unlaid: wild, .. }) = self;
        mutants.iter().try_for_each(|mutant| Ok(wild.places(mutant).map(drop)?))
    }

    /// It on the sites: where the sequence of the data lies that it contains, or else by the letters of all.
    pub(super) fn laid(self, rows: &Rows) -> Result<WildType> {
        let (residues, offset) = match self {
            Self::Sited(wild) => return Ok(wild),
            Self::Whole { residues, offset, .. } => (residues, offset),
        };
        let (gaps, sites) = (NamedSites::gaps(), rows.sequences.sites());
        let profile = Profile::new(rows.sequences, rows.letters, &gaps);
        let (laid, _) = rows.lay(&residues, &profile);
        let wild = WildType::on_sites(&residues, &laid.of_site, rows.letters, &gaps, offset)?;
        let (on, numbers) = (laid.sites(), wild.positions.iter().flatten());
        tracing::info!(
            "the wild type's residues {} to {} lie on {on} of {sites} sites, {} of them with the most frequent letter",
            numbers.clone().min().unwrap_or(&0),
            numbers.max().unwrap_or(&0),
            laid.identical
        );
        if on < residues.chars().count().min(sites) {
            tracing::info!("mutants of the other residues have no score");
        }
        if 2 * on < sites {
            return Err(Failure::new(format!("the wild type lies on {on} of {sites} sites only"))
                .hint("give a sequence of the family, or an aligned one with a letter or gap a site"));
        }
        Ok(wild)
    }
}

/// Whether a sample has this name, or has it up to the first blank.
fn is_called(data: &Split, sample: usize, asked: &str) -> bool {
    let name = data.name(sample);
    let Some(name) = name else { return false };
    let word = name.split_whitespace().next().unwrap_or_default();
    name == asked
        || word == asked
        || numbers(word).is_some() && word.rsplit_once('/').map(|(name, _)| name) == Some(asked)
}

/// What to do instead of `asked`, which is no name and no letters: the few names that begin with it, or else the nearest.
fn hint<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> String {
    let words: BTreeSet<&str> = names.filter_map(|name| name.split_whitespace().next()).collect();
    let begins = |word: &str| word.get(..asked.len()).is_some_and(|start| start.eq_ignore_ascii_case(asked));
    let mut meant: Vec<&str> = words.iter().copied().filter(|word| !asked.is_empty() && begins(word)).collect();
    if meant.is_empty() {
        let bare = |word: &'a str| word.rsplit_once('/').map_or(word, |(name, _)| name);
        let near = closest(asked, words.iter().copied().map(bare));
        meant.extend(words.iter().copied().filter(|word| Some(bare(word)) == near));
    }
    let letters = "its letters, with or without those that the alignment leaves out";
    if meant.is_empty() || meant.len() > MEANT {
        return format!("give {letters}");
    }
    format!("did you mean {}? Or give {letters}", meant.join(" or "))
}

/// The numbers of the first and the last residue of a name such as `BLAT_ECOLX/24-286`.
fn numbers(name: &str) -> Option<(i64, i64)> {
    let (first, last) = name.rsplit_once('/')?.1.split_once('-')?;
    let last = last.split_whitespace().next().unwrap_or_default();
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// What is to be said where a name has numbers for more or fewer residues than there are.
fn doubt(name: &str, residues: usize) -> Option<String> {
    let (first, last) = numbers(name)?;
    let named = usize::try_from(last - first + 1).ok()?;
    (named != residues && named > 0).then(|| {
        format!(
            "the name {name} has numbers for {named} residues, and the alignment has {residues} of them: numbers behind \
             those that it lacks are wrong, so give the letters of the whole protein as --wild-type"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_finds_it() {
        let names = ["PROT0000_SYN/10-51 of it", "PROT0001_SYN/10-51", "PROT0001_SYN/60-101", "PROT0002_SYN"];
        let said = |asked: &str| hint(asked, names.into_iter());
        assert!(said("PROT0000").starts_with("did you mean PROT0000_SYN/10-51? Or give its letters"));
        assert!(said("prot0001_").starts_with("did you mean PROT0001_SYN/10-51 or PROT0001_SYN/60-101?"));
        assert!(said("PROT002_SYN").starts_with("did you mean PROT0002_SYN?"));
        assert!(["PROT", "", "elsewhere"].iter().all(|asked| said(asked).starts_with("give its letters")));
    }

    #[test]
    fn a_name_says_how_many_residues_there_are() {
        assert_eq!(numbers("BLAT_ECOLX/24-286"), Some((24, 286)));
        assert_eq!((numbers("BLAT_ECOLX"), numbers("a/b-c")), (None, None));
        assert_eq!((doubt("W/24-68", 45), doubt("W", 45), doubt("W/68-24", 45)), (None, None, None));
        let said = doubt("W/24-68", 42).unwrap();
        assert!(said.starts_with("the name W/24-68 has numbers for 45 residues, and the alignment has 42"), "{said}");
    }
}
