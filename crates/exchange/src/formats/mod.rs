//! Formats: which arrays a program's model has, and what becomes of them.

pub(crate) mod adabmdca;
pub(crate) mod deepbelief;
mod factor;
pub(crate) mod hinton;
pub(crate) mod layer;
pub(crate) mod learnergy;
pub(crate) mod pgm;
pub(crate) mod rbm_jl;
pub(crate) mod rbms;
pub(crate) mod sklearn;

use crate::error::{Error, Result};
use crate::file::File;
use crate::format::Format;

/// The format of a file, by the names of its arrays.
pub(crate) fn of(file: &File) -> Result<Format> {
    let fits = |format: &&Format| match format {
        Format::Sklearn => sklearn::is(file),
        Format::Rbms => rbms::is(file),
        Format::Learnergy => learnergy::is(file),
        Format::Hinton => hinton::is(file),
        Format::RbmJl => rbm_jl::is(file),
        Format::Pgm => pgm::is(file),
        Format::Adabmdca => adabmdca::is(file),
        Format::Deepbelief => deepbelief::is(file),
    };
    let unknown = || Error::Unknown { path: file.path(), found: file.found() };
    Format::ALL.iter().find(fits).copied().ok_or_else(unknown)
}
