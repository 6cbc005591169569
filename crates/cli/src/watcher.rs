//! What happens while an RBM trains: progress, metrics, saving, pictures, Ctrl-C.

use crate::failure::{Explain, Failure, Result};
use crate::history::History;
use crate::measured::{Epoch, Measured};
use crate::pictures::{self, Gallery, Subject};
use crate::progress::{Ticker, control, told};
use crate::report::Report;
use crate::run_folder::{PICTURES, RunFolder};
use crate::save_every::SaveClock;
use crate::settings::PretrainSettings;
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Observer, ObserverResult, Progress, Provenance, Rbm, Snapshot, save,
};
use std::collections::BTreeMap;

/// Watches one training.
pub(crate) struct Watcher<'a> {
    ticker: Ticker<'a>,
    folder: &'a RunFolder,
    settings: &'a PretrainSettings,
    gallery: Gallery,
    /// Lacks what only the training brings: epochs, figures, and whether it stopped early.
    pub(crate) provenance: Provenance,
    history: History<Epoch>,
    saved_epoch: Option<u32>,
    clock: SaveClock,
    failure: Option<Failure>,
}

impl<'a> Watcher<'a> {
    /// `provenance` lacks what only the training brings: epochs and figures.
    pub(crate) fn new(
        report: &'a Report,
        folder: &'a RunFolder,
        settings: &'a PretrainSettings,
        gallery: Gallery,
        provenance: Provenance,
        history: History<Epoch>,
    ) -> Self {
        Self {
            ticker: Ticker::new(report, String::new()),
            folder,
            settings,
            gallery,
            provenance,
            history,
            saved_epoch: None,
            clock: SaveClock::new(settings.run.save_every),
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
        self.ticker.finish();
    }

    /// Saves model, best model and state, in this order (see [`crate::run_folder`]). `figures` join those of
    /// the last epoch.
    pub(crate) fn save(&mut self, snapshot: &Snapshot<'_>, figures: BTreeMap<String, f64>) -> Result<()> {
        let state = snapshot.state()?;
        let mut provenance = Provenance { epochs: state.epochs_done(), ..self.provenance.clone() };
        if let Some(last) = self.history.last(0) {
            provenance.figures = last.figures();
        }
        provenance.figures.extend(figures);
        save(&self.folder.model(), &snapshot.model()?, &provenance)?;
        if let Some(best) = snapshot.best() {
            let figures = self.history.figures(best.epoch)?;
            let provenance = Provenance { epochs: best.epoch, figures, ..self.provenance.clone() };
            save(&self.folder.best(), &best.model, &provenance)?;
        }
        self.history.sync()?;
        state.save(&self.folder.state())?;
        self.clock.saved();
        self.saved_epoch = Some(state.epochs_done());
        Ok(())
    }

    /// Saves a training that stopped since it was time to, and is to go on.
    pub(crate) fn save_midway(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        self.clock.goes_on();
        self.save(snapshot, BTreeMap::new()).or_fail(|| "cannot save the run".into())
    }

    /// Draws all pictures of the run as they are now.
    pub(crate) fn draw(&self, rbm: &Rbm, epochs: u32) -> Result<()> {
        let [filters, reconstructions, fantasies, curves] = PICTURES;
        if let Some(shape) = self.gallery.shape {
            let subject = Subject { rbm, epochs, shape, seed: self.settings.run.seed };
            let samples = &self.gallery.samples;
            self.folder.write(filters, &pictures::filters(subject)?)?;
            self.folder.write(reconstructions, &pictures::reconstructions(subject, samples)?)?;
            self.folder.write(fantasies, &pictures::fantasies(subject, samples)?)?;
        }
        let title = format!("{} on {}", pictures::name(rbm, epochs), self.provenance.dataset);
        if let Some(svg) = pictures::curves(&title, pictures::learning(self.history.traces(0)))? {
            self.folder.write(curves, &svg)?;
        }
        Ok(())
    }

    fn end_epoch(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> Result<()> {
        let metrics = &EpochMetrics { seconds: metrics.seconds + self.clock.end_epoch(), ..metrics.clone() };
        self.history.push(metrics)?;
        self.ticker.epoch(metrics, self.settings.learning.epochs);
        self.ticker.warnings(metrics.epoch, &snapshot.training().warnings(metrics, snapshot.updates_done()));
        let epoch = metrics.epoch;
        let (goes_on, pictures) = (epoch < self.settings.learning.epochs, self.settings.run.picture_every);
        if goes_on && self.clock.after_epoch(epoch) {
            self.save(snapshot, BTreeMap::new()).or_fail(|| format!("cannot save epoch {epoch}"))?;
        }
        if goes_on && pictures > 0 && epoch.is_multiple_of(pictures) {
            self.draw(&snapshot.model()?, epoch)?;
        }
        Ok(())
    }
}

impl Observer<Contrastive> for Watcher<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.ticker.batch(progress);
        if self.clock.after_batch(self.settings.learning.on_divergence) { Control::Stop } else { control() }
    }

    fn recovered(&mut self, from: &deepbelief_rbm::Error, learning_rate: f64) {
        self.ticker.recovered(from, format_args!("a learning rate of {learning_rate}"));
    }

    fn epoch_done(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        let ended = self.end_epoch(metrics, snapshot);
        told(ended, &mut self.failure)
    }
}
