//! Chains of which each rank runs a share.

use crate::error::Result;
use crate::sampling::gathered::{gathered, piece_of};
use deepbelief_kernels::{Batch, Whole};
use deepbelief_ranks::{Alone, Group};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Chains of which each rank runs some that follow each other. What comes of them is what one process with all of
/// them has: each chain draws the numbers of its place among all, and what is fastest for all decides how products are
/// made.
#[derive(Clone, Debug)]
pub struct Shared {
    group: Arc<dyn Group>,
    /// Why counts could not be added up.
    lost: Arc<Mutex<Option<deepbelief_ranks::Error>>>,
}

impl Default for Shared {
    /// This process runs all.
    fn default() -> Self {
        Self::among(&(Arc::new(Alone) as Arc<dyn Group>))
    }
}

/// Ranks change nothing: all are equal.
impl PartialEq for Shared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Shared {
    /// The ranks of a group have a share each.
    #[must_use]
    pub fn among(group: &Arc<dyn Group>) -> Self {
        Self { group: Arc::clone(group), lost: Arc::default() }
    }

    /// Whether there are several.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.group.size() > 1
    }

    /// Those of so many chains that this rank runs.
    #[must_use]
    pub fn own(&self, chains: usize) -> Range<usize> {
        piece_of(self.share(chains), self.group.rank(), chains)
    }

    fn share(&self, chains: usize) -> usize {
        chains.div_ceil(self.group.size()).max(1)
    }

    /// What an engine with a share needs to know of all chains.
    #[must_use]
    pub fn whole(&self) -> Whole {
        if !self.is_split() {
            return Whole::default();
        }
        let Self { group, lost } = self.clone();
        Whole::new(move |counts| {
            // In words that leave room for the sums over ranks.
            const BITS: u32 = 20;
            let word = |count: u64, at: u32| (count >> (BITS * at) & ((1 << BITS) - 1)) as i32;
            let mut words: Vec<i32> = counts.iter().flat_map(|&count| [0, 1].map(|at| word(count, at))).collect();
            match group.sum(&mut words) {
                Ok(()) => {
                    for (count, words) in counts.iter_mut().zip(words.as_chunks::<2>().0) {
                        *count = words[0] as u64 + ((words[1] as u64) << BITS);
                    }
                }
                // It is said where states are next asked for.
                Err(error) => *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            }
        })
    }

    /// The states of all of so many chains.
    ///
    /// # Errors
    /// If another rank ended.
    pub fn states(&self, own: &Batch, chains: usize) -> Result<Batch> {
        if !self.is_split() {
            return Ok(own.clone());
        }
        self.require_counts()?;
        gathered(&*self.group, self.share(chains), std::iter::once(own), chains, own)
    }

    /// The labels of all chains.
    ///
    /// # Errors
    /// If another rank ended.
    pub fn labels(&self, own: &[u32]) -> Result<Vec<u32>> {
        let bytes = self.bytes(own.iter().flat_map(|label| label.to_ne_bytes()).collect())?;
        Ok(bytes.as_chunks().0.iter().map(|label| u32::from_ne_bytes(*label)).collect())
    }

    /// A number of each chain, of all.
    ///
    /// # Errors
    /// If another rank ended.
    pub fn numbers(&self, own: &[f64]) -> Result<Vec<f64>> {
        let bytes = self.bytes(own.iter().flat_map(|number| number.to_ne_bytes()).collect())?;
        Ok(bytes.as_chunks().0.iter().map(|number| f64::from_ne_bytes(*number)).collect())
    }

    fn bytes(&self, own: Vec<u8>) -> Result<Vec<u8>> {
        if !self.is_split() {
            return Ok(own);
        }
        self.require_counts()?;
        Ok(self.group.gather(&own).map_err(deepbelief_training::Error::from)?.concat())
    }

    fn require_counts(&self) -> Result<()> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(lost.map_or(Ok(()), Err).map_err(deepbelief_training::Error::from)?)
    }
}
