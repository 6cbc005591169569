//! Decompression that knows an end: a few kilobytes may unpack to terabytes.

use std::io::{Error, ErrorKind, Read, Result};

/// So much may come out of the smallest file.
const ALWAYS: u64 = 256 << 20;

/// Beyond that, so many times the packed size. Sparse samples come to a hundred, a stream of zeros to
/// a thousand.
const RATIO: u64 = 300;

/// What a decompressor gives, up to 256 MiB or 300 times what it was given, whichever is more; after that, an
/// error.
#[derive(Debug)]
pub struct Unpacked<R> {
    from: R,
    most: u64,
    left: u64,
}

impl<R: Read> Unpacked<R> {
    /// Bounds what `from` makes of `packed` bytes.
    #[must_use]
    pub fn new(from: R, packed: u64) -> Self {
        let most = ALWAYS.max(packed.saturating_mul(RATIO));
        Self { from, most, left: most }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let got = self.from.read(buffer)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| {
            let most = self.most >> 20;
            let what =
                format!("it unpacks to more than {most} MiB, {RATIO} times its size: unpack it first if it is sound");
            Error::new(ErrorKind::InvalidData, what)
        })?;
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
            assert!(error.starts_with(&format!("it unpacks to more than {} MiB", most >> 20)), "{error}");
        }
    }
}
