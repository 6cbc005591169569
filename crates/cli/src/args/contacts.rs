//! Options of `dbn contacts`.

use super::data::DataArgs;
use super::machine::MachineArgs;
use super::on::SplitName;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(super) const CONTACTS_HELP: &str = "\
Two sites are coupled by as much as the levels at both change the free energy beyond what each
does alone: the second difference of the free energy, averaged over the sequences of the data
(Tubiana, Cocco & Monasson 2019). Pairs are ranked by the Frobenius norm of their couplings in
the zero-sum gauge, less the average product of both sites' norms (Dunn, Wahl & Gloor 2008).

Columns of the table, a row a pair, the strongest first:
  i, j      sites, from 1
  score     what the pairs are ranked by, nats
  norm      the norm before the average product is taken away, nats
  distance  in Å, with --structure; empty where it is not known
  contact   1 where the distance is below --threshold, else 0
  coupling  of spins and bits: J of the energy - J s s', with s = 1 at the second level and s = -1
            at the first

--triples writes what three sites have beyond their pairs: the third difference of the free
energy in the zero-sum gauge. Its columns are i, j, k, the norm in nats, and of spins and bits the
coupling J of the energy - J s s' s''. It has the triples of which two pairs are among the first
--triple-pairs of the ranking: with --separation 1 and as many as there are pairs, all triples.

--structure takes a table of distances (the numbers of two sites, from 1, in the first two
columns, Å in the last), or a PDB (.pdb, .ent) or mmCIF (.cif, .mmcif) file. Residues of a
structure are laid on the sites by the letters of the data; their distance is the least one of
two atoms other than hydrogen. The positive predictive value is the share of contacts among the
first pairs: the first L/2, L, 1.5 L, 2 L and 3 L of L sites, or the numbers of --first.

The picture shows the scores above the diagonal, and below it the contacts of the structure in
grey and the first L pairs: green contacts, red others; blue without a structure.

Examples:
  dbn contacts runs/kunitz --out pairs.csv
  dbn contacts runs/kunitz --structure 5pti.pdb --chain A --out pairs.csv --picture map.png";

/// How far apart in the sequence the two sites of a pair are, at least.
pub(crate) const SEPARATION: u32 = 5;

/// Pairs of sites to rank.
#[derive(Debug, Args)]
pub(crate) struct ContactsArgs {
    /// Checkpoint of an RBM, or run folder that holds one
    #[arg(value_name = "CKPT")]
    pub(crate) checkpoint: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Sequences to average over: train or test
    #[arg(long, default_value = "train")]
    pub(crate) split: SplitName,
    /// Sequences to average over, at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) samples: u32,
    /// Gaps in the norms: out or in
    #[arg(long, value_name = "WHERE", hide_possible_values = true, default_value = "out")]
    pub(crate) gaps: GapsName,
    /// Least distance of the two sites of a pair along the sequence, in sites
    #[arg(long, value_name = "N", default_value_t = SEPARATION, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) separation: u32,
    /// Structure to compare the pairs with: distances, .pdb or .cif [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) structure: Option<PathBuf>,
    /// Chain of the structure [default: the only one]
    #[arg(long, value_name = "ID", requires = "structure")]
    pub(crate) chain: Option<String>,
    /// Distance in Å below which two residues are in contact
    #[arg(long, value_name = "X", default_value_t = 8.0, requires = "structure")]
    pub(crate) threshold: f64,
    /// Numbers of first pairs to count contacts among, comma-separated [default: L/2, L, 1.5 L, 2 L, 3 L]
    #[arg(long, value_name = "N,...", value_delimiter = ',', requires = "structure")]
    pub(crate) first: Vec<usize>,
    /// Table of the couplings of three sites to write: .csv, .npy, .parquet or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) triples: Option<PathBuf>,
    /// First pairs that triples are made of [default: as many as sites]
    #[arg(long, value_name = "N", requires = "triples", value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) triple_pairs: Option<u32>,
    /// Table to write: .csv, .npy, .parquet or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Draw the map into this PNG file
    #[arg(long, value_name = "PNG")]
    pub(crate) picture: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whether gaps count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GapsName {
    /// They count as every other letter.
    In,
    /// They are left out of the norms.
    Out,
}
