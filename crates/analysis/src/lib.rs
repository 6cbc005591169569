//! What a trained RBM says of its data, first of all of sequences and spins.
//!
//! | module | computes |
//! |---|---|
//! | [`sites`] | the model and its data site by site: levels, weights, free energies |
//! | [`couplings`] | effective couplings between two sites, averaged over data |
//! | [`three_body`] | what three sites have beyond their pairs |
//! | [`contacts`] | pairs of sites ranked by their couplings, compared with a structure |
//! | [`structure`] | distances between residues, from a table, a PDB or an mmCIF file |
//! | [`mutations`] | mutants of a sequence and their log-probability ratios |
//! | [`hidden_units`] | importance, sites and driving sequences of hidden units |
//! | [`quality`] | whether samples are what the data are: frequencies, projections, nearest neighbours |
//! | [`thermodynamics`] | energy, heat capacity and entropy on a ladder of temperatures |
//! | [`spins`], [`ising`] | RBMs of spins and of bits that are the same model; the Ising model, exactly and by samples |
//! | [`chains`] | Gibbs chains on the kernels |
//! | [`correlation`] | Pearson's and Spearman's correlations, the latter with an interval |
//!
//! What is by sites is for an RBM whose visible units are Bernoulli, spin or categorical; hidden units may be of any kind.

pub mod chains;
pub mod contacts;
pub mod correlation;
pub mod couplings;
mod error;
mod hidden_curves;
pub mod hidden_units;
pub mod ising;
pub mod mutations;
pub mod quality;
pub mod sites;
pub mod spins;
pub mod structure;
pub mod thermodynamics;
pub mod three_body;

pub use error::{Error, Result};
