//! What a trainer knows of a data set.

use super::batch::Batch;
use super::missing::Missing;
use super::share::Share;
use crate::units::layers::Units;

/// A source of minibatches: what a trainer knows of a data set.
pub trait Minibatches: Send {
    /// Number of samples in an epoch.
    fn samples(&self) -> usize;

    /// Number of visible units.
    fn units(&self) -> usize;

    /// What the visible units are; none where that is not known. A trainer refuses data whose units are known to be
    /// other ones than its model's.
    fn layer(&self) -> Option<&Units> {
        None
    }

    /// Number of minibatches in an epoch.
    fn batches(&self) -> usize;

    /// Prepares epoch `epoch`: its order and its fresh binary draws follow from the seed and
    /// this number alone, so that training can resume anywhere.
    fn start_epoch(&mut self, epoch: u32);

    /// Writes minibatch `index` of the epoch into `batch`.
    fn fill(&mut self, index: usize, batch: &mut Batch);

    /// The same for a reader of the rows of `share` alone: the others may hold anything. Labels, what is missing and
    /// weights are those of all rows.
    fn fill_share(&mut self, index: usize, share: Share, batch: &mut Batch) {
        let _ = share;
        self.fill(index, batch);
    }

    /// The labels of the minibatch filled last, if the data have labels.
    fn labels(&self) -> Option<&[u32]> {
        None
    }

    /// What the minibatch filled last lacks, if the data lack anything. Its missing units hold their most probable
    /// value or their mean.
    fn missing(&self) -> Option<&Missing> {
        None
    }

    /// The weights of the samples of the minibatch filled last, if they do not all weigh the same. Their mean over
    /// an epoch is 1.
    fn weights(&self) -> Option<&[f32]> {
        None
    }
}
