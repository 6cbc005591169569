//! Decompression that knows an end: a few kilobytes may unpack to terabytes.

use std::io::{Error, ErrorKind, Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So much may come out of the smallest file.
const ALWAYS: u64 = 256 << 20;

/// Beyond that, so many times the packed size. Sparse samples reach a hundred, a stream of zeros
/// a thousand.
const RATIO: u64 = 300;

/// What may still be unpacked: of a file or a part of it, 256 MiB or 300 times its size, whichever is more.
/// Copies share it.
#[derive(Clone, Debug)]
pub struct Allowance {
    packed: u64,
    most: u64,
    left: Arc<AtomicU64>,
}

impl Allowance {
    /// That of so many packed bytes.
    #[must_use]
    pub fn of(packed: u64) -> Self {
        let most = ALWAYS.max(packed.saturating_mul(RATIO));
        Self { packed, most, left: Arc::new(most.into()) }
    }

    /// The same, but so many bytes in all at most.
    #[must_use]
    pub(crate) fn at_most(self, bytes: u64) -> Self {
        let most = self.most.min(bytes);
        Self { most, left: Arc::new(most.into()), ..self }
    }

    /// Bytes that may be unpacked in all.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Counts bytes that were unpacked, or are about to be.
    ///
    /// # Errors
    /// If it is more than what was left.
    pub fn take(&self, bytes: u64) -> Result<()> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| self.exceeded())
    }

    /// Checks that so many bytes may still be unpacked, without counting them.
    #[cfg(feature = "parquet")]
    pub(crate) fn require(&self, bytes: u64) -> Result<()> {
        if bytes > self.left.load(Ordering::Relaxed) { Err(self.exceeded()) } else { Ok(()) }
    }

    fn exceeded(&self) -> Error {
        let (packed, most) = (self.packed, self.most >> 20);
        let cure = "if it is sound, store it unpacked, or in another format";
        Error::new(ErrorKind::InvalidData, format!("its {packed} bytes unpack to more than {most} MiB: {cure}"))
    }
}

/// What a decompressor gives, as far as an [`Allowance`] goes; after that, an error.
#[derive(Debug)]
pub struct Unpacked<R> {
    from: R,
    allowed: Allowance,
}

impl<R: Read> Unpacked<R> {
    /// Bounds what `from` makes of `packed` bytes.
    #[must_use]
    pub fn new(from: R, packed: u64) -> Self {
        Self::within(from, Allowance::of(packed))
    }

    /// Bounds what `from` gives by what is allowed.
    pub(crate) fn within(from: R, allowed: Allowance) -> Self {
        Self { from, allowed }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let got = self.from.read(buffer)?;
        self.allowed.take(got as u64)?;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{copy, repeat, sink};

    #[test]
    fn a_bomb_ends_and_everything_else_passes() {
        for packed in [0, 1, ALWAYS / RATIO, 2 * ALWAYS / RATIO] {
            let most = ALWAYS.max(packed * RATIO);
            let whole = copy(&mut Unpacked::new(repeat(0).take(most), packed), &mut sink()).unwrap();
            assert_eq!(whole, most);
            let error = copy(&mut Unpacked::new(repeat(0), packed), &mut sink()).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("its {packed} bytes unpack to more than {} MiB", most >> 20)),
                "{error}"
            );
        }
    }
}
