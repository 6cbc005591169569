//! Ranks that an MPI launcher started.

mod calls;
mod library;
mod watchdog;

pub use library::Library;

use crate::error::{Error, Result};
use crate::group::Group;
use crate::launcher::Launcher;
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use watchdog::Watchdog;

/// Values, or bytes, of one operation at most: counts are 32-bit integers.
const MOST: usize = 1 << 28;

/// The rank of this process.
#[derive(Debug)]
pub struct Mpi {
    library: Arc<Library>,
    rank: usize,
    size: usize,
    /// Threads take turns.
    turn: Mutex<()>,
    watchdog: Watchdog,
}

impl Mpi {
    /// Starts MPI in this process, once. `named` is a library to load, else the one that belongs to the launcher is. An
    /// operation that takes longer than `limit` ends all ranks: `hangs` is called with what it was, and what it
    /// returns is the exit code.
    ///
    /// # Errors
    /// [`Error::NoLibrary`], [`Error::NoSymbol`]; [`Error::Worlds`] where library and launcher do not belong together;
    /// [`Error::Operation`] if MPI does not start.
    pub fn start(
        launcher: &Launcher,
        named: Option<&OsStr>,
        limit: Duration,
        hangs: impl FnOnce(&'static str) -> u8 + Send + 'static,
    ) -> Result<Self> {
        let library = Arc::new(Library::load(launcher, named)?);
        let serialized = library.calls.init()?;
        let (rank, size) = (library.calls.rank()?, library.calls.size()?);
        if size != launcher.ranks {
            return Err(Error::Worlds {
                launcher: launcher.name,
                expected: launcher.ranks,
                library: library.name().into(),
                version: library.version().into(),
                found: size,
            });
        }
        if !serialized {
            return Err(Error::OneThread { library: library.name().into() });
        }
        library.calls.return_errors()?;
        let of_dog = Arc::clone(&library);
        let end = move |operation| of_dog.calls.abort(hangs(operation).into());
        let watchdog = Watchdog::start(limit, end).map_err(|error| Error::Operation {
            operation: "starting the thread that watches MPI",
            reason: error.to_string(),
        })?;
        Ok(Self { library, rank, size, turn: Mutex::new(()), watchdog })
    }

    /// The library that was loaded.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Waits for all ranks and ends MPI in this process: no operation may follow. A launcher may end the others as soon
    /// as one process ends with another exit code than 0, so that none ends before all have written what they write.
    ///
    /// # Errors
    /// [`Error::Operation`].
    pub fn finish(&self) -> Result<()> {
        // It is not watched: another rank may have much to write.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.library.calls.sum(&mut [0])?;
        self.library.calls.finalize()
    }

    fn turn<T>(&self, operation: &'static str, work: impl FnOnce() -> T) -> T {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.watchdog.watched(operation, work)
    }

    fn spread(&self, root: usize, bytes: &mut [u8]) -> Result<()> {
        let mut chunks = bytes.chunks_mut(MOST);
        chunks.try_for_each(|chunk| self.turn("MPI_Bcast", || self.library.calls.broadcast(chunk, root)))
    }
}

/// A length in words that sums of which, with zeros, keep.
fn words(len: usize) -> [i32; 2] {
    [(len >> 30) as i32, (len & ((1 << 30) - 1)) as i32]
}

fn length(words: &[i32]) -> usize {
    ((words[0] as usize) << 30) | words[1] as usize
}

impl Group for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [i32]) -> Result<()> {
        let mut chunks = values.chunks_mut(MOST);
        chunks.try_for_each(|chunk| self.turn("MPI_Allreduce", || self.library.calls.sum(chunk)))
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut lengths = vec![0; 2 * self.size];
        lengths[2 * self.rank..2 * self.rank + 2].copy_from_slice(&words(own.len()));
        self.sum(&mut lengths)?;
        let of_rank = |(rank, words): (usize, &[i32])| {
            let mut bytes = if rank == self.rank { own.to_vec() } else { vec![0; length(words)] };
            self.spread(rank, &mut bytes)?;
            Ok(bytes)
        };
        lengths.chunks_exact(2).enumerate().map(of_rank).collect()
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let mut words = if self.is_first() { words(bytes.len()) } else { [0; 2] };
        self.sum(&mut words)?;
        bytes.resize(length(&words), 0);
        self.spread(0, bytes)
    }

    fn abort(&self, code: u8) {
        self.library.calls.abort(code.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::Family;

    #[test]
    fn lengths_survive_their_words() {
        for len in [0, 1, (1 << 30) - 1, 1 << 30, 123_456_789_012] {
            assert_eq!(length(&words(len)), len);
        }
    }

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let launcher = Launcher { name: "a launcher", family: Family::Any, rank: 0, ranks: 2, here: None, place: None };
        let named = Some(OsStr::new("libnone.so.1"));
        let error = Mpi::start(&launcher, named, Duration::from_secs(1), |_| 1).unwrap_err().to_string();
        assert!(
            error.starts_with("a launcher started 2 ranks, but no MPI library can be loaded: libnone.so.1"),
            "{error}"
        );
    }

    #[test]
    fn a_library_that_is_no_mpi_is_named() {
        let launcher = Launcher { name: "a launcher", family: Family::Any, rank: 0, ranks: 2, here: None, place: None };
        let named = Some(OsStr::new(if cfg!(target_os = "macos") { "libSystem.dylib" } else { "libm.so.6" }));
        let error = Mpi::start(&launcher, named, Duration::from_secs(1), |_| 1).unwrap_err().to_string();
        assert!(error.ends_with("is no MPI library: it has no MPI_Init_thread"), "{error}");
    }
}
