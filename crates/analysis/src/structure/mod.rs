//! Distances between the residues behind the sites of a model.
//!
//! They come from a table of pairs ([`table`]), or from a structure ([`chain`]) whose residues are laid on the
//! sites by the letters that these have in the data ([`Profile`]).

mod distances;
mod profile;
mod residues;

pub use distances::{Distances, table};
pub use profile::{Laid, Profile};
pub use residues::{Form, Residue, chain};
