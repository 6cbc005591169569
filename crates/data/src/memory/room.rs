//! Memory that data may take while they are read. Each reader knows what it keeps of a file, and asks
//! before it takes that: some formats are forty times as large in memory as in their file, and a pipe
//! has no size.

use std::path::Path;
#[cfg(feature = "formats")]
use std::{fs::File, io::Read};

use crate::error::Error;

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    most: u64,
}

impl Room {
    /// So many bytes, or as many as anyone asks for.
    pub(crate) fn of(max_memory: Option<u64>) -> Self {
        Self { most: max_memory.unwrap_or(u64::MAX) }
    }

    /// As much as anyone asks for.
    #[cfg(test)]
    pub(crate) const ENDLESS: Self = Self { most: u64::MAX };

    /// Bytes.
    pub(crate) fn most(self) -> u64 {
        self.most
    }

    /// Refuses to keep so many bytes where that is too much; messages call the data `what`.
    pub(crate) fn require(self, what: &str, bytes: u128) -> Result<(), Error> {
        if bytes <= u128::from(self.most) {
            return Ok(());
        }
        Err(Error::Memory { what: what.into(), most: self.most })
    }

    /// What is left beside so many bytes.
    pub(crate) fn beside(self, bytes: u64) -> Self {
        Self { most: self.most.saturating_sub(bytes) }
    }

    /// Reads to the end, however far that is, behind what was read already.
    #[cfg(feature = "formats")]
    pub(crate) fn read_to_end(self, path: &Path, what: &str, from: impl Read, into: &mut Vec<u8>) -> Result<(), Error> {
        let left = self.most.saturating_sub(into.len() as u64);
        from.take(left.saturating_add(1)).read_to_end(into).map_err(Error::read(path))?;
        self.require(what, into.len() as u128)
    }
}

/// Takes memory for so many more values, or says that there is not so much.
pub(crate) fn reserve<T>(path: &Path, values: &mut Vec<T>, more: usize) -> Result<(), Error> {
    values.try_reserve(more).map_err(|_| Error::read(path)(std::io::ErrorKind::OutOfMemory.into()))
}

/// So many zeros, or the error that there is no memory for them. None is written yet: threads may.
#[cfg(feature = "formats")]
pub(crate) fn zeros<T: Clone + Default>(path: &Path, count: usize) -> Result<Vec<T>, Error> {
    reserve(path, &mut Vec::<T>::new(), count)?;
    Ok(vec![T::default(); count])
}

/// Bytes of a file; none where it has no length, as a pipe or a device.
#[cfg(feature = "formats")]
pub(crate) fn length(path: &Path, file: &File) -> Result<Option<u64>, Error> {
    let metadata = file.metadata().map_err(Error::read(path))?;
    Ok(metadata.is_file().then_some(metadata.len()))
}
