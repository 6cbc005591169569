//! The structure that pairs are compared with.

use crate::failure::{Explain, Failure, Result};
use crate::model::sites::NamedSites;
use deepbelief_analysis::sites::Sequences;
use deepbelief_analysis::structure::{Distances, Form, Profile, chain, table};
use deepbelief_data::read_text;
use std::path::Path;

/// Nats below which a chain is not what the sequences are of: unrelated chains of some hundred residues reach about five.
const LEAST_SCORE: f64 = 10.0;

/// Distances between the sites, of a table or a structure.
pub(super) fn distances(
    path: &Path,
    name: Option<&str>,
    model: &NamedSites,
    sequences: &Sequences,
) -> Result<Distances> {
    let text = read_text(path).or_fail(|| "cannot read the structure".into())?;
    let Some(form) = form(path) else {
        if name.is_some() {
            return Err(Failure::new("--chain is of a structure, and a table of distances has no chains")
                .hint("a structure's name ends in .pdb, .ent, .cif or .mmcif"));
        }
        return table(path, &text, sequences.sites())
            .or_hint(|| "a structure's name ends in .pdb, .ent, .cif or .mmcif".into());
    };
    let Some(letters) = model.letters() else {
        return Err(Failure::new("a structure is laid on sites of one letter each, which the model's are not")
            .hint("name a table of distances instead"));
    };
    let residues = chain(path, &text, form, name)?;
    let laid = Profile::new(sequences, &letters, &NamedSites::gaps())
        .lay(&residues.iter().map(|residue| residue.letter).collect::<Vec<_>>());
    let (sites, on) = (sequences.sites(), laid.sites());
    if laid.score < LEAST_SCORE {
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
