//! Which library to load.

use super::calls::{self, Abi, Calls};
use crate::error::{Error, Result};
use crate::launcher::{Family, Launcher};
use libloading::os::unix::{Library as Loaded, RTLD_GLOBAL, RTLD_NOW};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A loaded library. It stays loaded: an MPI library cannot be closed and opened again.
pub struct Library {
    name: String,
    abi: Abi,
    version: String,
    pub(super) calls: Box<dyn Calls>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("name", &self.name).field("abi", &self.abi).finish_non_exhaustive()
    }
}

impl Library {
    /// The library that belongs to a launcher: the one that `named` says, or the first that there is.
    pub(super) fn load(launcher: &Launcher, named: Option<&OsStr>) -> Result<Self> {
        let candidates = match named {
            Some(named) => vec![PathBuf::from(named)],
            None => candidates(launcher.family, std::env::var_os("PATH").as_deref()),
        };
        let mut tried = Vec::new();
        for candidate in candidates {
            // SAFETY: a library of this name is meant to be loaded; what it does then is its own matter.
            let opened = unsafe { Loaded::open(Some(&candidate), RTLD_NOW | RTLD_GLOBAL) };
            match opened {
                Ok(loaded) => return Self::of(loaded, candidate.display().to_string()),
                Err(error) => tried.push(reason(&candidate, &error)),
            }
        }
        Err(Error::NoLibrary { launcher: launcher.name, ranks: launcher.ranks, tried: tried.join("; ") })
    }

    fn of(loaded: Loaded, name: String) -> Result<Self> {
        let found = calls::calls(&loaded, &name);
        std::mem::forget(loaded);
        let (abi, calls) = found?;
        // MPI lets it be asked before it is started.
        let version = calls.version()?;
        let first = version.lines().next().unwrap_or_default().split(',').next().unwrap_or_default();
        let version = first.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { name, abi, version, calls })
    }

    /// Its path or name, as it was loaded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its binary interface, in words.
    #[must_use]
    pub fn abi(&self) -> String {
        self.abi.to_string()
    }

    /// What it is called, and its version, as it says.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Why a library could not be loaded, without the name that the loader puts before it.
fn reason(candidate: &Path, error: &libloading::Error) -> String {
    let causes = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let name = candidate.display().to_string();
    if causes.contains(&name) { causes } else { format!("{name}: {causes}") }
}

/// Names of libraries, the likeliest first: those beside the launcher that PATH finds, then those of the system.
fn candidates(family: Family, path: Option<&OsStr>) -> Vec<PathBuf> {
    // Debian calls MPICH's library libmpich.
    let (open_mpi, mpich): (&[&str], &[&str]) = if cfg!(target_os = "macos") {
        (&["libmpi.40.dylib"], &["libmpi_abi.1.dylib", "libmpi.12.dylib"])
    } else {
        (&["libmpi.so.40"], &["libmpi_abi.so.1", "libmpi.so.12", "libmpich.so.12"])
    };
    let names = match family {
        Family::OpenMpi => open_mpi.to_vec(),
        Family::Mpich => mpich.to_vec(),
        Family::Any => [open_mpi, mpich].concat(),
    };
    let beside = std::env::split_paths(path.unwrap_or_default())
        .find(|folder| folder.join("mpirun").is_file() || folder.join("mpiexec").is_file())
        .and_then(|folder| Some(folder.parent()?.join("lib")));
    let beside = beside.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    beside.filter(|path| path.is_file()).chain(names.iter().map(PathBuf::from)).collect()
}
