//! What happens while a stack trains: progress, metrics, saving, pictures, Ctrl-C.
//!
//! A save writes the model as it is, then the state that a resume starts from (see
//! [`GreedyState`]), so that a crash between the two loses nothing.

use crate::commands::training::of_units;
use crate::failure::{Explain, Failure, Result};
use crate::history::History;
use crate::measured::{Epoch, Measured};
use crate::pictures::{self, Gallery, Net};
use crate::progress::{Ticker, control, told};
use crate::report::Report;
use crate::run_folder::RunFolder;
use crate::save_every::SaveClock;
use crate::settings::StackSettings;
use deepbelief_rbm::{
    Contrastive, Control, EpochMetrics, Observer, ObserverResult, Progress, Provenance, Rbm, Snapshot, TrainState,
};
use deepbelief_stack::{Dbn, GreedyState, LayerStart, StackObserver};

/// Watches a greedy training.
pub(crate) struct StackWatcher<'a> {
    report: &'a Report,
    ticker: Ticker<'a>,
    folder: &'a RunFolder,
    settings: &'a StackSettings,
    gallery: Gallery,
    provenance: Provenance,
    history: History<Epoch>,
    /// Layers trained so far.
    finished: Vec<Rbm>,
    clock: SaveClock,
    /// Whether the running layer was stopped to be saved, and has been announced already.
    midway: bool,
    failure: Option<Failure>,
}

impl<'a> StackWatcher<'a> {
    /// `provenance` lacks what only the training brings: epochs and figures.
    pub(crate) fn new(
        report: &'a Report,
        folder: &'a RunFolder,
        settings: &'a StackSettings,
        gallery: Gallery,
        provenance: Provenance,
        history: History<Epoch>,
    ) -> Self {
        let ticker = Ticker::new(report, String::new());
        let (clock, midway) = (SaveClock::new(settings.run.save_every), false);
        let (finished, failure) = (Vec::new(), None);
        Self { report, ticker, folder, settings, gallery, provenance, history, finished, clock, midway, failure }
    }

    /// What went wrong in an observer's work; the training only knows that something did.
    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        self.ticker.finish();
    }

    /// Saves a training that was interrupted.
    pub(crate) fn save_interrupted(&mut self, state: &GreedyState) -> Result<()> {
        self.finished.clone_from(&state.finished);
        GreedyState::save_finished(self.folder.path(), &state.finished, &self.provenance())?;
        if let Some(running) = &state.running {
            self.save(&running.learned.rbm()?, running)?;
        }
        Ok(())
    }

    /// Saves a training that stopped since it was time to, and is to go on.
    pub(crate) fn save_midway(&mut self, state: &GreedyState) -> Result<()> {
        self.clock.goes_on();
        self.midway = true;
        let saved = state.running.as_ref().map_or(Ok(()), |running| self.save(&running.learned.rbm()?, running));
        saved.or_fail(|| "cannot save the run".into())
    }

    /// Saves and draws the finished net.
    pub(crate) fn complete(&mut self, dbn: &Dbn, test_error: Option<f64>) -> Result<()> {
        let mut provenance = self.provenance();
        provenance.figures.extend(test_error.map(|error| ("label_error_test".to_string(), error)));
        dbn.save(&self.folder.model(), &provenance)?;
        self.gallery.draw_net(self.folder, dbn, self.settings.run.seed)
    }

    /// Provenance of the model as it is now: figures carry the number of their layer where they
    /// are not the top's.
    fn provenance(&self) -> Provenance {
        let mut provenance = self.provenance.clone();
        let layers = self.settings.layers.len() as u32;
        for layer in 0..layers {
            let Some(epoch) = self.history.last(layer) else { continue };
            provenance.epochs = provenance.epochs.saturating_add(epoch.number);
            let top = layer + 1 == layers;
            let name = |figure: String| if top { figure } else { format!("layer_{layer}_{figure}") };
            provenance.figures.extend(epoch.figures().into_iter().map(|(figure, value)| (name(figure), value)));
        }
        provenance
    }

    /// Saves the model with the running layer as it is, then the running layer's state.
    fn save(&mut self, rbm: &Rbm, state: &TrainState) -> Result<()> {
        let mut rbms = self.finished.clone();
        rbms.push(rbm.clone());
        Dbn::from_rbms(rbms)?.save(&self.folder.model(), &self.provenance())?;
        self.history.sync()?;
        GreedyState::save_running(self.folder.path(), self.finished.len(), state)?;
        self.clock.saved();
        Ok(())
    }

    fn start_layer(&mut self, start: &LayerStart<'_>) {
        self.finished = start.finished.to_vec();
        // Passing the samples up, before a layer or after a save, is no training that could be lost.
        self.clock.saved();
        if std::mem::take(&mut self.midway) {
            return;
        }
        let depth = self.settings.layers.len();
        let labels = if start.classes > 0 { format!("+{}", start.classes) } else { String::new() };
        let units = of_units(start.hidden_units);
        tracing::info!("layer {} of {depth}: {}{labels}-{} RBM{units}", start.layer, start.visible, start.hidden);
        self.ticker.finish();
        self.ticker = Ticker::new(self.report, format!("layer {}, ", start.layer));
    }

    fn end_epoch(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> Result<()> {
        let (layer, epoch) = (metrics.layer, metrics.epoch);
        let epochs = self.settings.layers[layer as usize].learning.epochs;
        let metrics = &EpochMetrics { seconds: metrics.seconds + self.clock.end_epoch(), ..metrics.clone() };
        self.history.push(metrics)?;
        self.ticker.epoch(metrics, epochs);
        self.ticker.warnings(epoch, &snapshot.training().warnings(metrics, snapshot.updates_done()));
        let (goes_on, pictures) = (epoch < epochs, self.settings.run.picture_every);
        if goes_on && self.clock.after_epoch(epoch) {
            self.save(&snapshot.model()?, &snapshot.state()?)
                .or_fail(|| format!("cannot save epoch {epoch} of layer {layer}"))?;
        }
        if goes_on && pictures > 0 && epoch.is_multiple_of(pictures) {
            let mut rbms = self.finished.clone();
            rbms.push(snapshot.model()?);
            self.draw(&Dbn::from_rbms(rbms)?)?;
        }
        Ok(())
    }

    fn end_layer(&mut self, layer: usize, finished: &[Rbm]) -> Result<()> {
        self.ticker.finish();
        self.finished = finished.to_vec();
        let (dbn, provenance) = (Dbn::from_rbms(finished.to_vec())?, self.provenance());
        dbn.save(&self.folder.model(), &provenance)?;
        self.history.sync()?;
        GreedyState::save_finished(self.folder.path(), finished, &provenance)
            .or_fail(|| format!("cannot save layer {layer}"))?;
        self.clock.saved();
        self.draw(&dbn)
    }

    /// Draws the finished layers of a run that goes on: the last one, since the run may have been stopped after it
    /// was saved and before it was drawn, and those whose pictures are not there.
    pub(crate) fn draw_finished(&self, finished: &Dbn) -> Result<()> {
        let rbms = finished.to_rbms()?;
        for depth in 1..=rbms.len() {
            let there = |name: String| self.folder.path().join(name).is_file();
            if depth == rbms.len() || !there(curves_name(depth - 1)) || !there(filters_name(depth - 1)) {
                self.draw(&Dbn::from_rbms(rbms[..depth].to_vec())?)?;
            }
        }
        Ok(())
    }

    /// Draws what the top layer of a net so far has come to.
    fn draw(&self, dbn: &Dbn) -> Result<()> {
        let layer = dbn.depth() - 1;
        let title =
            format!("layer {layer} of {} on {}", self.settings.sizes_in_words(dbn.visible()), self.provenance.dataset);
        if let Some(svg) = pictures::curves(&title, pictures::learning(self.history.traces(layer as u32)))? {
            self.folder.write(&curves_name(layer), &svg)?;
        }
        if let Some(shape) = self.gallery.shape {
            let filters = Net { dbn, shape }.filters(Some(layer))?;
            self.folder.write(&filters_name(layer), &filters)?;
        }
        Ok(())
    }
}

fn curves_name(layer: usize) -> String {
    format!("layer-{layer}.curves.svg")
}

fn filters_name(layer: usize) -> String {
    format!("layer-{layer}.filters.png")
}

impl Observer<Contrastive> for StackWatcher<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.ticker.batch(progress);
        let learning = &self.settings.layers[self.finished.len()].learning;
        if self.clock.after_batch(learning.on_divergence) { Control::Stop } else { control() }
    }

    fn recovered(&mut self, from: &deepbelief_rbm::Error, learning_rate: f64) {
        self.ticker.recovered(from, format_args!("a learning rate of {learning_rate}"));
    }

    fn epoch_done(&mut self, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        let ended = self.end_epoch(metrics, snapshot);
        told(ended, &mut self.failure)
    }
}

impl StackObserver for StackWatcher<'_> {
    fn layer_started(&mut self, start: &LayerStart<'_>) -> ObserverResult {
        self.start_layer(start);
        Ok(control())
    }

    fn layer_done(&mut self, layer: usize, finished: &[Rbm]) -> ObserverResult {
        let ended = self.end_layer(layer, finished);
        told(ended, &mut self.failure)
    }
}
