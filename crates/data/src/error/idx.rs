//! What can be wrong with IDX files.

use std::path::PathBuf;

/// An IDX file that is none, or not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// An IDX file of another kind, or no IDX file.
    #[error(
        "{}: the first four bytes are 0x{got:08x}, expected 0x{expected:08x} (IDX, unsigned bytes, {rank} dimensions); \
         are images and labels mixed up?",
        path.display()
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// Magic number found.
        got: u32,
        /// Magic number of the kind that was wanted.
        expected: u32,
        /// Number of dimensions of that kind.
        rank: usize,
    },
    /// An IDX file ends early.
    #[error(
        "{}: the file is truncated: its {part} has {got} bytes, expected {expected}; fetch it again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// `header` or `data`.
        part: &'static str,
        /// Bytes present.
        got: usize,
        /// Bytes promised.
        expected: u128,
    },
    /// An IDX file goes on after its end.
    #[error("{}: the file is too long: bytes follow the {expected} that its header promises", path.display())]
    Overlong {
        /// The file.
        path: PathBuf,
        /// Bytes promised.
        expected: u128,
    },
}
