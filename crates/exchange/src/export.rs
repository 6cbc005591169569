//! From a model to a file of another program.

use crate::containers::arrays::Dataset;
use crate::containers::{hdf5, npz};
use crate::error::{Error, Result};
use crate::format::{Format, Written};
use crate::formats::{adabmdca, pgm, rbm_jl, rbms};
use deepbelief_data::Alphabet;
use deepbelief_rbm::{write_atomic, write_atomic_with};
use deepbelief_stack::Dbn;
use std::io::BufWriter;
use std::path::Path;

/// Writes an RBM as a file that a program reads: HDF5 of rbms and RestrictedBoltzmannMachines.jl, npz of PGM's arrays;
/// whole or not at all. The bytes are a function of the RBM.
///
/// # Errors
/// [`Error::Option`] for a program of another format ([`crate::write_npz`] and [`write_adabmdca`] write some), for a net
/// that is no RBM alone, and for units of which the program has no model; [`deepbelief_rbm::Error::Io`] if the file
/// cannot be written.
pub fn write(path: &Path, dbn: &Dbn, format: Format) -> Result<Vec<Written>> {
    let cannot = |source| deepbelief_rbm::Error::Io { action: "write", path: path.into(), source };
    let (datasets, bytes) = match format {
        Format::Rbms => of_hdf5(rbms::datasets(dbn)?),
        Format::RbmJl => of_hdf5(rbm_jl::datasets(dbn)?),
        Format::Pgm => {
            let arrays = pgm::arrays(dbn)?;
            let bytes = npz::archive(&arrays).map_err(cannot)?;
            (arrays, bytes)
        }
        Format::Sklearn | Format::Learnergy | Format::Hinton | Format::Adabmdca | Format::Deepbelief => {
            return Err(Error::Option(format!("no files of {} are written this way", format.name())));
        }
    };
    write_atomic(path, &bytes).map_err(cannot)?;
    Ok(datasets.into_iter().map(|dataset| (dataset.path, dataset.shape)).collect())
}

fn of_hdf5(datasets: Vec<Dataset>) -> (Vec<Dataset>, Vec<u8>) {
    let bytes = hdf5::archive(&datasets);
    (datasets, bytes)
}

/// Writes an RBM of categorical units below Gaussian ones as the text of adabmDCA, whose sites have these letters; whole or
/// not at all. Such an RBM is a Potts model: the energies that adabmDCA computes are its free energies.
///
/// # Errors
/// [`Error::Option`] for a net that is no RBM alone, for other units, and if a site has another number of levels than there
/// are letters; [`deepbelief_rbm::Error::Io`] if the file cannot be written.
pub fn write_adabmdca(path: &Path, dbn: &Dbn, letters: &Alphabet) -> Result<Vec<Written>> {
    let potts = adabmdca::potts(dbn, letters)?;
    let write = |file: &mut dyn std::io::Write| potts.write(&mut BufWriter::new(file), letters.letters());
    write_atomic_with(path, write).map_err(|source| deepbelief_rbm::Error::Io {
        action: "write",
        path: path.into(),
        source,
    })?;
    Ok(potts.written())
}
