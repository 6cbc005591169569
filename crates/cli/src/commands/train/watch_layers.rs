//! What happens while the layers of a stack train, beyond what [`Watcher`] does for every training.
//!
//! A save writes the model as it is, then the state that a resume starts from (see [`GreedyState`]), so that a crash
//! between the two loses nothing.

use super::words::of_units;
use crate::failure::{Explain, Result};
use crate::model::checkpoint::starts_from_labelled_data;
use crate::pictures::{self, Net};
use crate::reporting::Look;
use crate::run::measured::{Epoch, Measured};
use crate::run::progress::Ticker;
use crate::run::watcher::{Verb, Watcher, control};
use crate::settings::{Settings, StackSettings};
use deepbelief_rbm::{Contrastive, EpochMetrics, ObserverResult, OnDivergence, Provenance, Rbm, Snapshot, TrainState};
use deepbelief_report::State;
use deepbelief_stack::{Dbn, GreedyState, LayerStart, StackObserver};

/// The training of the layers.
pub(super) struct StackLayers;

/// What a watcher keeps of them.
#[derive(Default)]
pub(super) struct Layers {
    /// Layers trained so far.
    finished: Vec<Rbm>,
    /// Whether the running layer was stopped to be saved, and has been announced already.
    pub(super) midway: bool,
}

impl Verb for StackLayers {
    type Settings = StackSettings;
    type Training = Contrastive;
    type Epoch = Epoch;
    type Kept = Layers;

    fn span(settings: &StackSettings, layers: &Layers) -> (u32, OnDivergence) {
        let train = &settings.layers[layers.finished.len()].train;
        (train.epochs, train.on_divergence)
    }

    fn delayed(metrics: &EpochMetrics, seconds: f64) -> EpochMetrics {
        EpochMetrics { seconds: metrics.seconds + seconds, ..metrics.clone() }
    }

    fn tell(watcher: &mut Watcher<'_, Self>, metrics: &EpochMetrics, snapshot: &Snapshot<'_>) {
        watcher.ticker.epoch(metrics, watcher.settings.layers[metrics.layer as usize].train.epochs);
        let warnings = snapshot.training().warnings(metrics, snapshot.updates_done());
        watcher.warn(metrics.layer, metrics.epoch, &warnings);
    }

    fn save(watcher: &mut Watcher<'_, Self>, snapshot: &Snapshot<'_>) -> Result<Rbm> {
        let rbm = snapshot.model()?;
        watcher.save_running(&rbm, &snapshot.state()?)?;
        Ok(rbm)
    }

    fn draw(watcher: &mut Watcher<'_, Self>, rbm: &Rbm, _: u32) -> Result<()> {
        watcher.draw_top(&watcher.net_with(rbm)?)
    }

    fn look(watcher: &Watcher<'_, Self>, rbm: &Rbm) -> Result<Look> {
        Ok(Look::Net(watcher.net_with(rbm)?))
    }
}

impl Watcher<'_, StackLayers> {
    /// The finished layers under the running one.
    fn net_with(&self, running: &Rbm) -> Result<Dbn> {
        let mut rbms = self.kept.finished.clone();
        rbms.push(running.clone());
        Ok(Dbn::from_rbms(rbms)?)
    }

    /// The net as trained so far; none before its first layer.
    fn net_of(&self, stack: &GreedyState) -> Result<Option<Dbn>> {
        match &stack.running {
            Some(running) => Ok(Some(self.net_with(&running.learned.rbm()?)?)),
            None if stack.finished.is_empty() => Ok(None),
            None => Ok(Some(Dbn::from_rbms(stack.finished.clone())?)),
        }
    }

    /// Writes the report of a training that was saved outside its epochs.
    pub(super) fn report_stack(&mut self, stack: &GreedyState, state: State) {
        if let Some(look) = self.net_of(stack).map(|net| net.map(Look::Net)).transpose() {
            self.report_look(look, state);
        }
    }

    /// Saves a training that was interrupted.
    pub(super) fn save_interrupted(&mut self, state: &GreedyState) -> Result<()> {
        self.kept.finished.clone_from(&state.finished);
        GreedyState::save_finished(self.folder.path(), &state.finished, &self.provenance())?;
        self.save_state(state)
    }

    /// Saves the running layer.
    pub(super) fn save_state(&mut self, state: &GreedyState) -> Result<()> {
        state.running.as_ref().map_or(Ok(()), |running| self.save_running(&running.learned.rbm()?, running))
    }

    /// Saves and draws the finished net.
    pub(super) fn complete(&mut self, dbn: &Dbn, test_error: Option<f64>) -> Result<()> {
        let mut provenance = self.provenance();
        provenance.figures.extend(test_error.map(|error| ("label_error_test".to_string(), error)));
        dbn.save(&self.folder.model(), &provenance)?;
        let from_samples = starts_from_labelled_data(dbn, &provenance.recipe);
        self.reporter.fantasies = self.gallery.draw_net(self.folder, dbn, self.settings.seed(), from_samples)?;
        self.report_look(Ok(Look::Net(dbn.clone())), State::Finished);
        Ok(())
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
    fn save_running(&mut self, rbm: &Rbm, state: &TrainState) -> Result<()> {
        self.net_with(rbm)?.save(&self.folder.model(), &self.provenance())?;
        self.history.sync()?;
        GreedyState::save_running(self.folder.path(), self.kept.finished.len(), state)?;
        self.clock.saved();
        Ok(())
    }

    fn start_layer(&mut self, start: &LayerStart<'_>) {
        self.kept.finished = start.finished.to_vec();
        // Passing the samples up, before a layer or after a save, is no training that could be lost.
        self.clock.saved();
        if std::mem::take(&mut self.kept.midway) {
            return;
        }
        let depth = self.settings.layers.len();
        let labels = if start.classes > 0 { format!("+{}", start.classes) } else { String::new() };
        let units = of_units(start.hidden_units);
        let layer = start.layer + 1;
        tracing::info!("layer {layer} of {depth}: {}{labels}-{} RBM{units}", start.visible, start.hidden);
        self.ticker.finish();
        self.ticker = Ticker::new(self.report, format!("layer {layer}, "));
    }

    fn end_layer(&mut self, layer: usize, finished: &[Rbm]) -> Result<()> {
        self.ticker.finish();
        self.kept.finished = finished.to_vec();
        let (dbn, provenance) = (Dbn::from_rbms(finished.to_vec())?, self.provenance());
        dbn.save(&self.folder.model(), &provenance)?;
        self.history.sync()?;
        GreedyState::save_finished(self.folder.path(), finished, &provenance)
            .or_fail(|| format!("cannot save layer {}", layer + 1))?;
        self.clock.saved();
        self.draw_top(&dbn)?;
        self.report_look(Ok(Look::Net(dbn)), State::Running);
        Ok(())
    }

    /// Draws the finished layers of a run that goes on: the last one, since the run may have been stopped after it
    /// was saved and before it was drawn, and those whose pictures are not there.
    pub(super) fn draw_finished(&self, finished: &Dbn) -> Result<()> {
        let rbms = finished.to_rbms()?;
        for depth in 1..=rbms.len() {
            let there = |name: String| self.folder.path().join(name).is_file();
            if depth == rbms.len()
                || !there(format!("{}.svg", curves_name(depth - 1)))
                || !there(filters_name(depth - 1))
            {
                self.draw_top(&Dbn::from_rbms(rbms[..depth].to_vec())?)?;
            }
        }
        Ok(())
    }

    /// Draws the top layer of a net so far.
    fn draw_top(&self, dbn: &Dbn) -> Result<()> {
        let layer = dbn.depth() - 1;
        let (sizes, data) = (self.settings.sizes_in_words(dbn.visible()), &self.provenance.dataset);
        let title = format!("layer {} of {sizes} on {data}", layer + 1);
        pictures::draw_curves(self.folder, &curves_name(layer), &title, self.history.traces(layer as u32))?;
        if let Some(shape) = self.gallery.shape {
            let filters = Net { dbn, shape }.filters(Some(layer))?;
            self.folder.write(&filters_name(layer), &filters)?;
        }
        Ok(())
    }
}

/// Names count layers from 1, as all words do.
fn curves_name(layer: usize) -> String {
    format!("layer-{}.curves", layer + 1)
}

fn filters_name(layer: usize) -> String {
    format!("layer-{}.filters.png", layer + 1)
}

impl StackObserver for Watcher<'_, StackLayers> {
    fn layer_started(&mut self, start: &LayerStart<'_>) -> ObserverResult {
        self.start_layer(start);
        Ok(control())
    }

    fn layer_done(&mut self, layer: usize, finished: &[Rbm]) -> ObserverResult {
        let ended = self.end_layer(layer, finished);
        self.answer(ended)
    }
}
