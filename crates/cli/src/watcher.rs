//! What happens while a training runs: the bar, the metrics, saving, pictures, Ctrl-C.

use crate::failure::{Explain, Failure, Result};
use crate::history::History;
use crate::interrupt;
use crate::pictures::{self, Subject};
use crate::report::{Report, thousands};
use crate::run_folder::{PICTURES, RunFolder};
use crate::settings::Settings;
use deepbelief_data::ImageShape;
use deepbelief_rbm::{Control, EpochMetrics, Observer, Progress, Provenance, Rbm, Snapshot, save, save_state};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::time::Instant;

/// Batches between two looks at the clock.
const TICK: usize = 16;

/// Samples that the pictures of a run show.
pub(crate) struct Gallery {
    /// Shape of a sample; `None` where samples are no pictures.
    pub(crate) shape: Option<ImageShape>,
    /// Binarised samples [n, visible].
    pub(crate) samples: Vec<f32>,
}

/// Watches one training.
pub(crate) struct Watcher<'a> {
    report: &'a Report,
    folder: &'a RunFolder,
    settings: &'a Settings,
    gallery: Gallery,
    provenance: Provenance,
    history: History,
    bar: Option<ProgressBar>,
    /// When the running epoch was first seen, and how many samples it had then.
    clock: Option<(u32, Instant, usize)>,
    saved_epoch: Option<u32>,
    failure: Option<Failure>,
}

impl<'a> Watcher<'a> {
    /// `provenance` lacks what only the training brings: epochs and figures.
    pub(crate) fn new(
        report: &'a Report,
        folder: &'a RunFolder,
        settings: &'a Settings,
        gallery: Gallery,
        provenance: Provenance,
        history: History,
    ) -> Self {
        Self {
            report,
            folder,
            settings,
            gallery,
            provenance,
            history,
            bar: None,
            clock: None,
            saved_epoch: None,
            failure: None,
        }
    }

    /// What went wrong in an epoch's work; the trainer only knows that something did.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// The last epoch whose checkpoint was saved.
    pub(crate) fn saved_epoch(&self) -> Option<u32> {
        self.saved_epoch
    }

    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Saves model and state, in this order (see [`crate::run_folder`]). `figures` join those of
    /// the last epoch.
    pub(crate) fn save(&mut self, snapshot: &Snapshot<'_>, figures: BTreeMap<String, f64>) -> Result<()> {
        let state = snapshot.state();
        let mut provenance = Provenance { epochs: state.epochs_done(), ..self.provenance.clone() };
        if let Some(last) = self.history.epochs().last() {
            provenance.figures = last.figures();
        }
        provenance.figures.extend(figures);
        save(&self.folder.model(), &snapshot.rbm()?, &provenance)?;
        save_state(&self.folder.state(), &state)?;
        self.saved_epoch = Some(state.epochs_done());
        Ok(())
    }

    /// Draws all pictures of the run as they are now.
    pub(crate) fn draw(&self, rbm: &Rbm, epochs: u32) -> Result<()> {
        let [filters, reconstructions, fantasies, curves] = PICTURES;
        if let Some(shape) = self.gallery.shape {
            let subject = Subject { rbm, epochs, shape, seed: self.settings.seed };
            let samples = &self.gallery.samples;
            self.folder.write(filters, &pictures::filters(subject)?)?;
            self.folder.write(reconstructions, &pictures::reconstructions(subject, samples)?)?;
            self.folder.write(fantasies, &pictures::fantasies(subject, samples)?)?;
        }
        let title = format!("{} on {}", pictures::name(rbm, epochs), self.provenance.dataset);
        if let Some(svg) = pictures::curves(&title, self.history.epochs())? {
            self.folder.write(curves, &svg)?;
        }
        Ok(())
    }

    fn end_epoch(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> Result<()> {
        self.history.push(metrics)?;
        self.tell(metrics);
        let epoch = metrics.epoch;
        let due = |every: u32| every > 0 && epoch.is_multiple_of(every) && epoch < self.settings.epochs;
        let (save_due, pictures_due) = (due(self.settings.save_every), due(self.settings.picture_every));
        if save_due {
            self.save(snapshot, BTreeMap::new()).or_fail(|| format!("cannot save epoch {epoch}"))?;
        }
        if pictures_due {
            self.draw(&snapshot.rbm()?, epoch)?;
        }
        Ok(())
    }

    /// One line, or where a bar is, its message.
    fn tell(&self, metrics: &EpochMetrics) {
        let (epoch, epochs) = (metrics.epoch, self.settings.epochs);
        let cost = metrics.reconstruction_cost;
        let valid = metrics.reconstruction_cost_valid.map_or(String::new(), |cost| format!(" (validation {cost:.2})"));
        let gap = metrics.free_energy_gap.map_or(String::new(), |gap| format!(", gap {gap:.2}"));
        let rate = thousands(metrics.samples_per_second as usize);
        let width = epochs.to_string().len();
        let line = format!(
            "epoch {epoch:>width$}/{epochs}: cost {cost:.2}{valid}{gap}, activity {:.3}, {rate} samples/s",
            metrics.hidden_activity
        );
        if let Some(bar) = &self.bar {
            bar.set_message(format!("cost {cost:.2}{gap}, {rate} samples/s"));
            tracing::debug!("{line}");
        } else {
            tracing::info!(
                epoch,
                reconstruction_cost = cost,
                reconstruction_cost_valid = metrics.reconstruction_cost_valid,
                free_energy_gap = metrics.free_energy_gap,
                hidden_activity = metrics.hidden_activity,
                samples_per_second = metrics.samples_per_second,
                "{line}"
            );
        }
        tracing::debug!(
            "  {} dead and {} saturated hidden units, update ratio {:.1e}, weight norm {:.2}, {:.2} s",
            metrics.dead_units,
            metrics.saturated_units,
            metrics.update_ratio,
            metrics.weight_norm,
            metrics.seconds
        );
    }
}

impl Observer for Watcher<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        let done = u64::from(progress.epoch - 1) * progress.batches as u64 + progress.batch as u64;
        if self.bar.is_none() {
            self.bar = self.report.bar(u64::from(progress.epochs) * progress.batches as u64, done);
        }
        if let Some(bar) = &self.bar
            && (progress.batch.is_multiple_of(TICK) || progress.batch == progress.batches)
        {
            let (_, start, samples) = match self.clock {
                Some(clock) if clock.0 == progress.epoch => clock,
                _ => *self.clock.insert((progress.epoch, Instant::now(), progress.samples)),
            };
            bar.set_prefix(format!("epoch {}/{}", progress.epoch, progress.epochs));
            bar.set_position(done);
            // Until the first epoch has been measured, the rate is all there is to say.
            let seconds = start.elapsed().as_secs_f64();
            let since = progress.samples - samples;
            if self.history.epochs().is_empty() && since > 0 {
                let rate = since as f64 / seconds;
                bar.set_message(format!("{} samples/s", thousands(rate as usize)));
            }
        }
        if interrupt::asked() { Control::Stop } else { Control::Continue }
    }

    fn epoch_done(
        &mut self,
        metrics: &EpochMetrics,
        snapshot: &Snapshot<'_>,
    ) -> std::result::Result<Control, Box<dyn std::error::Error + Send + Sync>> {
        self.end_epoch(metrics, snapshot).map_err(|failure| {
            let what = failure.what().to_string();
            self.failure = Some(failure);
            what
        })?;
        Ok(if interrupt::asked() { Control::Stop } else { Control::Continue })
    }
}
