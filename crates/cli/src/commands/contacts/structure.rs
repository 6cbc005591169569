//! The structure that pairs are compared with.

use crate::failure::{Explain, Failure, Result};
use crate::model::sites::NamedSites;
use crate::model::whole::Rows;
use deepbelief_analysis::structure::{Distances, Form, Profile, Residue, chain, table};
use deepbelief_data::read_text;
use std::path::Path;

/// Nats below which a chain is not what the sequences are of: unrelated chains of some hundred residues reach about five.
const LEAST_SCORE: f64 = 10.0;

/// What is known of distances, before the letters of the data are.
pub(super) enum Structure {
    /// Between the sites themselves.
    Sites(Distances),
    Chain(Vec<Residue>),
}

impl Structure {
    /// Reads a table, or a chain of a structure, for a model of these letters.
    pub(super) fn read(path: &Path, name: Option<&str>, sites: usize, letters: Option<&[char]>) -> Result<Self> {
        let text = read_text(path).or_fail(|| "cannot read the structure".into())?;
        let Some(form) = form(path) else {
            if name.is_some() {
                return Err(Failure::new("--chain is of a structure, and a table of distances has no chains")
                    .hint("a structure's name ends in .pdb, .ent, .cif or .mmcif"));
            }
            let read = table(path, &text, sites);
            return read.map(Self::Sites).or_hint(|| "a structure's name ends in .pdb, .ent, .cif or .mmcif".into());
        };
        if letters.is_none() {
            return Err(Failure::new("a structure is laid on sites of one letter each, which the model's are not")
                .hint("name a table of distances instead"));
        }
        Ok(Self::Chain(chain(path, &text, form, name)?))
    }

    /// Distances between the sites; a chain is laid on them by the letters of the data.
    pub(super) fn distances(self, path: &Path, rows: &Rows) -> Result<Distances> {
        let residues = match self {
            Self::Sites(distances) => return Ok(distances),
            Self::Chain(residues) => residues,
        };
        let profile = Profile::new(rows.sequences, rows.letters, &NamedSites::gaps());
        let (laid, is_own) = rows.lay(&residues.iter().map(|residue| residue.letter).collect::<String>(), &profile);
        let (sites, on) = (rows.sequences.sites(), laid.sites());
        if !is_own && laid.score < LEAST_SCORE {
            return Err(Failure::new(format!(
                "the chain does not look like the sequences: {on} of {sites} sites have a residue, with a score of {:.1} nats",
                laid.score
            ))
            .hint("name another chain with --chain, or a table of distances between the sites"));
        }
        let numbers = laid.of_site.iter().flatten().map(|&residue| residues[residue].number);
        let (first, last) = (numbers.clone().min().unwrap_or_default(), numbers.max().unwrap_or_default());
        tracing::info!(
            "{}: residues {first} to {last} lie on {on} of {sites} sites, {} of them with the most frequent letter",
            path.display(),
            laid.identical
        );
        if 2 * on < sites {
            tracing::warn!("less than half of the sites have a residue; pairs with others have no distance");
        }
        Ok(Distances::of_residues(&residues, &laid.of_site))
    }
}

/// What a structure's name says that it is; a packed one has the ending before the last.
fn form(path: &Path) -> Option<Form> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = [".gz", ".zst", ".xz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&[".pdb", ".pdb1", ".ent"]) => Some(Form::Pdb),
        () if ends(&[".cif", ".mmcif"]) => Some(Form::Mmcif),
        () => None,
    }
}
