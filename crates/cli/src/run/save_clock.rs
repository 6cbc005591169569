//! When a training is saved. What is due by the clock is saved after the batch that the time is up in.

use crate::options::save_every::SaveEvery;
use deepbelief_rbm::OnDivergence;
use std::time::{Duration, Instant};

/// Tells when to save.
#[derive(Debug)]
pub(crate) struct SaveClock {
    every: SaveEvery,
    /// When the run was saved last, or started.
    saved: Instant,
    /// When the epoch, or what there has been of it since a save in its middle, began.
    began: Instant,
    /// Seconds of the running epoch before that save.
    before: f64,
}

impl SaveClock {
    pub(crate) fn new(every: SaveEvery) -> Self {
        let now = Instant::now();
        Self { every, saved: now, began: now, before: 0.0 }
    }

    /// Whether to save after a batch. The training then stops as for Ctrl-C, is saved, and goes on. Where the
    /// epoch may have to begin again, its state is that of its start all the while, and waits for its end.
    pub(crate) fn after_batch(&self, on_divergence: OnDivergence) -> bool {
        self.is_up() && on_divergence == OnDivergence::Stop
    }

    fn is_up(&self) -> bool {
        matches!(self.every, SaveEvery::Seconds(seconds) if self.saved.elapsed() >= Duration::from_secs(seconds))
    }

    /// Whether to save after `epoch`, which is not the last.
    pub(crate) fn after_epoch(&self, epoch: u32) -> bool {
        match self.every {
            SaveEvery::Epochs(every) => every > 0 && epoch.is_multiple_of(every),
            SaveEvery::Seconds(_) => self.is_up(),
        }
    }

    /// After every save.
    pub(crate) fn saved(&mut self) {
        self.saved = Instant::now();
    }

    /// The training stopped in the middle of an epoch to be saved, and goes on.
    pub(crate) fn goes_on(&mut self) {
        self.before += self.began.elapsed().as_secs_f64();
        self.began = Instant::now();
    }

    /// At the end of an epoch: the seconds of it that its trainer, which was stopped, does not know of.
    pub(crate) fn end_epoch(&mut self) -> f64 {
        self.began = Instant::now();
        std::mem::take(&mut self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_and_time_is_not() {
        let clock = SaveClock::new(SaveEvery::Epochs(3));
        assert_eq!((1..=6).filter(|&epoch| clock.after_epoch(epoch)).collect::<Vec<_>>(), [3, 6]);
        assert!(!SaveClock::new(SaveEvery::Epochs(0)).after_epoch(1));
        let mut clock = SaveClock::new(SaveEvery::Seconds(5));
        let stop = OnDivergence::Stop;
        assert!(!clock.after_batch(stop) && !clock.after_epoch(1));
        clock.saved -= Duration::from_secs(5);
        assert!(clock.after_batch(stop) && !clock.after_batch(OnDivergence::HalveLr) && clock.after_epoch(1));
        clock.saved();
        assert!(!clock.after_batch(stop));
    }

    /// Some time before a stop and some after it.
    #[test]
    fn what_an_epoch_took_before_a_stop_is_not_forgotten() {
        let mut clock = SaveClock::new(SaveEvery::Seconds(1));
        clock.began -= Duration::from_secs(5);
        clock.goes_on();
        clock.began -= Duration::from_secs(5);
        clock.goes_on();
        assert!(clock.end_epoch() >= 10.0);
        assert_eq!(clock.end_epoch(), 0.0);
    }
}
