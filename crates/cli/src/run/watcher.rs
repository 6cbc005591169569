//! What happens while a verb trains: progress, metrics, saving, pictures, Ctrl-C. One [`Watcher`] watches all of them;
//! a [`Verb`] says what one does that another does not.

use super::folder::RunFolder;
use super::history::History;
use super::measured::Measured;
use super::progress::Ticker;
use super::save_clock::SaveClock;
use crate::failure::{Explain, Failure, Result};
use crate::machine::interrupt;
use crate::pictures::Gallery;
use crate::report::Report;
use crate::reporting::{Look, Reporter};
use crate::settings::Settings;
use deepbelief_rbm::{OnDivergence, Provenance, TrainingWarning};
use deepbelief_report::State;
use deepbelief_training::{Control, Observer, ObserverResult, Progress, Snapshot, Training};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the epochs of a verb's training are measured by.
pub(crate) type MetricsOf<V> = <<V as Verb>::Training as Training>::Metrics;

/// What a verb trains.
pub(crate) type ModelOf<V> = <<V as Verb>::Training as Training>::Model;

/// A verb that trains.
pub(crate) trait Verb: Sized {
    /// Its settings.
    type Settings: Settings + Sync;
    /// Its training; that of each layer of a stack.
    type Training: Training<Metrics: Serialize>;
    /// What of an epoch's metrics follows from seed and data.
    type Epoch: Measured + DeserializeOwned + for<'a> From<&'a MetricsOf<Self>> + Send;
    /// What a watcher keeps for it.
    type Kept: Default + Send;

    /// Epochs of the training, and what becomes of one that diverges.
    fn span(settings: &Self::Settings, kept: &Self::Kept) -> (u32, OnDivergence);

    /// The same metrics of an epoch that took so many seconds more.
    fn delayed(metrics: &MetricsOf<Self>, seconds: f64) -> MetricsOf<Self>;

    /// Says what an epoch measured.
    fn tell(watcher: &mut Watcher<'_, Self>, metrics: &MetricsOf<Self>, snapshot: &Snapshot<'_, Self::Training>);

    /// Where a training that diverged goes on.
    fn rate_in_words(rate: f64) -> String {
        format!("a learning rate of {rate}")
    }

    /// Saves the training as it is, and returns its model.
    fn save(watcher: &mut Watcher<'_, Self>, snapshot: &Snapshot<'_, Self::Training>) -> Result<ModelOf<Self>>;

    /// Draws the model as it is.
    fn draw(watcher: &mut Watcher<'_, Self>, model: &ModelOf<Self>, epoch: u32) -> Result<()>;

    /// The model as its report looks at it.
    fn look(watcher: &Watcher<'_, Self>, model: &ModelOf<Self>) -> Result<Look>;
}

/// Watches a training.
pub(crate) struct Watcher<'a, V: Verb> {
    pub(crate) report: &'a Report,
    pub(crate) ticker: Ticker<'a>,
    pub(crate) folder: &'a RunFolder,
    pub(crate) settings: &'a V::Settings,
    pub(crate) gallery: Gallery,
    /// Lacks what only the training brings: epochs, figures, and whether it stopped early.
    pub(crate) provenance: Provenance,
    pub(crate) history: History<V::Epoch>,
    pub(crate) clock: SaveClock,
    pub(crate) kept: V::Kept,
    pub(crate) reporter: Reporter,
    /// The last epoch that was saved.
    pub(super) saved_epoch: Option<u32>,
    /// What went wrong in an epoch's work; the training only knows that something did.
    failure: Option<Failure>,
}

impl<'a, V: Verb> Watcher<'a, V> {
    /// `provenance` lacks what only the training brings.
    pub(crate) fn new(
        report: &'a Report,
        folder: &'a RunFolder,
        settings: &'a V::Settings,
        gallery: Gallery,
        provenance: Provenance,
        history: History<V::Epoch>,
    ) -> Self {
        Self {
            report,
            ticker: Ticker::new(report, String::new()),
            folder,
            settings,
            gallery,
            provenance,
            history,
            clock: SaveClock::new(settings.run().save_every),
            kept: V::Kept::default(),
            reporter: Reporter::new(folder, settings.seed()),
            saved_epoch: None,
            failure: None,
        }
    }

    /// Notes in the folder and in the report what ended a training, which is given back with what is left of it.
    pub(crate) fn failed(&mut self, error: Failure) -> Failure {
        let failure = self.explain(error);
        let failure = self.folder.failed(failure);
        self.reporter.failed(&failure);
        failure
    }

    /// What ended a training, and what is left of it.
    fn explain(&mut self, error: Failure) -> Failure {
        let error = self.failure.take().unwrap_or(error);
        let model = self.folder.model();
        error.hint(match self.saved_epoch {
            Some(0) => format!("the checkpoint of the start is in {}", model.display()),
            Some(epoch) => format!("the checkpoint of epoch {epoch} is in {}", model.display()),
            None => format!("what was saved of the run is in {}", self.folder.path().display()),
        })
    }

    /// Saves a training that stopped since it was time to, and is to go on.
    pub(crate) fn save_midway<T>(&mut self, save: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.clock.goes_on();
        save(self).or_fail(|| "cannot save the run".into())
    }

    /// Provenance of the model after an epoch.
    pub(super) fn provenance_at(&mut self, epoch: u32) -> Result<Provenance> {
        let figures = self.history.figures(epoch)?;
        Ok(Provenance { epochs: epoch, figures, ..self.provenance.clone() })
    }

    /// What an observer answers. A failure is kept for whoever started the training.
    pub(crate) fn answer(&mut self, done: Result<()>) -> ObserverResult {
        done.map_err(|failure| {
            let what = failure.what().to_string();
            self.failure = Some(failure);
            what
        })?;
        Ok(control())
    }

    fn end_epoch(&mut self, metrics: &MetricsOf<V>, snapshot: &Snapshot<'_, V::Training>) -> Result<()> {
        let metrics = &V::delayed(metrics, self.clock.end_epoch());
        let (_, epoch) = V::Epoch::from(metrics).place();
        self.history.push(metrics)?;
        V::tell(self, metrics, snapshot);
        let ((epochs, _), pictures) = (V::span(self.settings, &self.kept), self.settings.run().picture_every);
        let goes_on = epoch < epochs;
        let saves = goes_on && self.clock.after_epoch(epoch);
        let draws = epoch > 0 && goes_on && pictures > 0 && epoch.is_multiple_of(pictures);
        if !saves && !draws {
            return Ok(());
        }
        let model = if saves {
            V::save(self, snapshot).or_fail(|| format!("cannot save epoch {epoch}"))?
        } else {
            snapshot.model()?
        };
        if draws {
            V::draw(self, &model, epoch)?;
        }
        self.report_model(&model, State::Running);
        Ok(())
    }

    /// Writes the report of the run with the model as it is.
    pub(crate) fn report_model(&mut self, model: &ModelOf<V>, state: State) {
        self.report_look(V::look(self, model), state);
    }

    /// The same of a model that the report looks at.
    pub(crate) fn report_look(&mut self, look: Result<Look>, state: State) {
        self.reporter.report(&self.gallery, look, state);
    }

    /// Says what looks wrong in an epoch of a layer.
    pub(crate) fn warn(&mut self, layer: u32, epoch: u32, warnings: &[TrainingWarning]) {
        let new = self.ticker.warnings(epoch, warnings);
        self.reporter.warn(layer, epoch, &new);
    }
}

impl<V: Verb> Observer<V::Training> for Watcher<'_, V> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.ticker.batch(progress);
        let (_, on_divergence) = V::span(self.settings, &self.kept);
        if self.clock.after_batch(on_divergence) { Control::Stop } else { control() }
    }

    fn recovered(&mut self, from: &<V::Training as Training>::Error, rate: f64) {
        self.ticker.recovered(from, V::rate_in_words(rate));
    }

    fn epoch_done(&mut self, metrics: &MetricsOf<V>, snapshot: &Snapshot<'_, V::Training>) -> ObserverResult {
        let ended = self.end_epoch(metrics, snapshot);
        self.answer(ended)
    }
}

/// What watches the training of a rank that neither prints nor writes.
pub(crate) struct Follower;

impl<T: Training> Observer<T> for Follower {
    fn batch_done(&mut self, _: &Progress) -> Control {
        control()
    }

    fn epoch_done(&mut self, _: &T::Metrics, _: &Snapshot<'_, T>) -> ObserverResult {
        Ok(control())
    }
}

/// Whether to go on.
pub(crate) fn control() -> Control {
    if interrupt::asked() { Control::Stop } else { Control::Continue }
}
