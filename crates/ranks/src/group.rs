//! What ranks do together.

use crate::error::Result;
use std::fmt::Debug;

/// Ranks that work together. Every rank makes the same calls in the same order; each returns when all have made it.
pub trait Group: Debug + Send + Sync {
    /// Which of the ranks this is, from 0.
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// Replaces `values`, of which every rank has as many, by their sums over all ranks. A sum that leaves the range
    /// of its type has no meaning.
    ///
    /// # Errors
    /// If the library fails, or another rank ended.
    fn sum(&self, values: &mut [i32]) -> Result<()>;

    /// Gives all ranks the bytes of all, in the order of the ranks.
    ///
    /// # Errors
    /// If the library fails, or another rank ended.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// Gives all ranks the bytes of rank 0.
    ///
    /// # Errors
    /// If the library fails, or another rank ended.
    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()>;

    /// Waits for all ranks.
    ///
    /// # Errors
    /// If the library fails, or another rank ended.
    fn barrier(&self) -> Result<()> {
        self.sum(&mut [0])
    }

    /// Ends all ranks: where they are processes, at once and with this exit code.
    fn abort(&self, code: u8);

    /// Whether this is the rank that prints and writes.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Whether any rank says so.
    ///
    /// # Errors
    /// If the library fails, or another rank ended.
    fn any(&self, own: bool) -> Result<bool> {
        let mut votes = [i32::from(own)];
        self.sum(&mut votes)?;
        Ok(votes[0] > 0)
    }
}
