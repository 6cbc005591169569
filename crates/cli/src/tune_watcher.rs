//! What happens while a net is tuned: progress, metrics, saving, pictures, Ctrl-C.
//!
//! A save writes the model as it is, the best model so far, then the state that a resume starts
//! from, so that a crash in between loses nothing.

use crate::failure::{Explain, Failure, Result, count};
use crate::history::History;
use crate::measured::TuneEpoch;
use crate::pictures::{self, Gallery};
use crate::progress::{Ticker, control, told};
use crate::report::{Report, thousands};
use crate::run_folder::RunFolder;
use crate::save_every::SaveClock;
use crate::settings::TuneSettings;
use deepbelief_rbm::{Control, Observer, ObserverResult, Progress, Provenance};
use deepbelief_stack::Dbn;
use deepbelief_wake_sleep::{Snapshot, TuneMetrics, UpDown};

/// Watches one tuning.
pub(crate) struct TuneWatcher<'a> {
    ticker: Ticker<'a>,
    folder: &'a RunFolder,
    settings: &'a TuneSettings,
    gallery: Gallery,
    /// Lacks what only the training brings: epochs, figures, and whether it stopped early.
    pub(crate) provenance: Provenance,
    history: History<TuneEpoch>,
    clock: SaveClock,
    failure: Option<Failure>,
}

impl<'a> TuneWatcher<'a> {
    /// `provenance` lacks what only the tuning brings: epochs and figures.
    pub(crate) fn new(
        report: &'a Report,
        folder: &'a RunFolder,
        settings: &'a TuneSettings,
        gallery: Gallery,
        provenance: Provenance,
        history: History<TuneEpoch>,
    ) -> Self {
        let ticker = Ticker::new(report, String::new());
        let clock = SaveClock::new(settings.run.save_every);
        Self { ticker, folder, settings, gallery, provenance, history, clock, failure: None }
    }

    /// What went wrong in an epoch's work; the tuner only knows that something did.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        self.ticker.finish();
    }

    /// Saves the model, the best one and the state, in this order.
    pub(crate) fn save(&mut self, snapshot: &Snapshot<'_>, test_error: Option<f64>) -> Result<()> {
        let state = snapshot.state()?;
        let mut provenance = self.provenance_at(state.epochs_done())?;
        provenance.figures.extend(test_error.map(|error| ("label_error_test".to_string(), error)));
        snapshot.model()?.save(&self.folder.model(), &provenance)?;
        if let Some(best) = snapshot.best() {
            best.model.save(&self.folder.best(), &self.provenance_at(best.epoch)?)?;
        }
        self.history.sync()?;
        state.save(&self.folder.tune_state())?;
        self.clock.saved();
        Ok(())
    }

    /// Saves a training that stopped since it was time to, and is to go on.
    pub(crate) fn save_midway(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        self.clock.goes_on();
        self.save(snapshot, None).or_fail(|| "cannot save the run".into())
    }

    /// Provenance of the model after an epoch.
    fn provenance_at(&mut self, epoch: u32) -> Result<Provenance> {
        let figures = self.history.figures(epoch)?;
        Ok(Provenance { epochs: epoch, figures, ..self.provenance.clone() })
    }

    /// Draws all pictures of the run as they are now.
    pub(crate) fn draw(&self, dbn: &Dbn, epoch: u32) -> Result<()> {
        let sizes: Vec<String> = dbn.sizes().iter().map(ToString::to_string).collect();
        let title =
            format!("{} on {}, tuned for {}", sizes.join("-"), self.provenance.dataset, count(epoch as usize, "epoch"));
        if let Some(svg) = pictures::curves(&title, pictures::tuning(self.history.traces(0)))? {
            self.folder.write("curves.svg", &svg)?;
        }
        self.gallery.draw_net(self.folder, dbn, self.settings.run.seed)
    }

    fn end_epoch(&mut self, metrics: &TuneMetrics, snapshot: &Snapshot<'_>) -> Result<()> {
        let metrics = &TuneMetrics { seconds: metrics.seconds + self.clock.end_epoch(), ..metrics.clone() };
        self.history.push(metrics)?;
        self.tell(metrics);
        let (epoch, epochs) = (metrics.epoch, self.settings.top_steps.epochs());
        let (goes_on, pictures) = (epoch < epochs, self.settings.run.picture_every);
        if goes_on && self.clock.after_epoch(epoch) {
            self.save(snapshot, None).or_fail(|| format!("cannot save epoch {epoch}"))?;
        }
        if epoch > 0 && goes_on && pictures > 0 && epoch.is_multiple_of(pictures) {
            self.draw(&snapshot.model()?, epoch)?;
        }
        Ok(())
    }

    /// One line, or where a bar is, its message.
    fn tell(&mut self, metrics: &TuneMetrics) {
        let (epoch, epochs) = (metrics.epoch, self.settings.top_steps.epochs());
        let width = epochs.to_string().len();
        let percent = |error: Option<f64>| error.map(|error| format!("{:.2} %", 100.0 * error));
        let error = match (percent(metrics.label_error_train), percent(metrics.label_error_valid)) {
            (Some(train), Some(valid)) => format!("label error {train} (validation {valid}), "),
            (Some(train), None) => format!("label error {train}, "),
            _ => String::new(),
        };
        let cost = metrics.variational_cost;
        let gap = metrics.free_energy_gap.map_or(String::new(), |gap| format!(", gap {gap:.2}"));
        // Not `sum`, by which nothing is minus zero.
        let apart = metrics.layers.iter().fold(0.0, |sum, layer| sum + layer.divergence);
        let rate = if epoch == 0 {
            String::new()
        } else {
            format!(", {} samples/s", thousands(metrics.samples_per_second as usize))
        };
        let short = format!("{error}cost {cost:.2}{gap}{rate}");
        let line = format!("epoch {epoch:>width$}/{epochs}: {error}cost {cost:.2}{gap}, apart {apart:.2}{rate}");
        if self.ticker.message(&short) {
            tracing::debug!("{line}");
            return;
        }
        tracing::info!(
            epoch,
            label_error_train = metrics.label_error_train,
            label_error_valid = metrics.label_error_valid,
            variational_cost = cost,
            free_energy_gap = metrics.free_energy_gap,
            samples_per_second = metrics.samples_per_second,
            "{line}"
        );
    }
}

impl Observer<UpDown> for TuneWatcher<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.ticker.batch(progress);
        if self.clock.after_batch(self.settings.on_divergence) { Control::Stop } else { control() }
    }

    fn recovered(&mut self, from: &deepbelief_wake_sleep::Error, share: f64) {
        self.ticker.recovered(from, format_args!("{share} of the learning rates"));
    }

    fn epoch_done(&mut self, metrics: &TuneMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        let ended = self.end_epoch(metrics, snapshot);
        told(ended, &mut self.failure)
    }
}
