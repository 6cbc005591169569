//! What happens while a network is trained by backpropagation: progress, metrics, saving, pictures,
//! Ctrl-C. A save writes what the run folder of a tuning has, in the same order.

use crate::failure::{Explain, Failure, Result};
use crate::history::History;
use crate::measured::FinetuneEpoch;
use crate::pictures::{self, Gallery};
use crate::progress::{Ticker, control, told};
use crate::report::thousands;
use crate::run_folder::RunFolder;
use crate::save_every::SaveClock;
use crate::settings::FinetuneSettings;
use deepbelief_finetune::{Backprop, FinetuneMetrics, Network, Objective, Snapshot};
use deepbelief_rbm::{Control, Observer, ObserverResult, Progress, Provenance};
use std::collections::BTreeMap;

/// Watches one training.
pub(crate) struct FinetuneWatcher<'a> {
    pub(crate) ticker: Ticker<'a>,
    pub(crate) folder: &'a RunFolder,
    pub(crate) settings: &'a FinetuneSettings,
    pub(crate) gallery: Gallery,
    /// Lacks what only the training brings: epochs, figures, and whether it stopped early.
    pub(crate) provenance: Provenance,
    pub(crate) history: History<FinetuneEpoch>,
    pub(crate) clock: SaveClock,
    /// What went wrong in an epoch's work; the training only knows that something did.
    pub(crate) failure: Option<Failure>,
}

impl FinetuneWatcher<'_> {
    /// Saves the network, the best one and the state. `figures` join those of the last epoch.
    pub(crate) fn save(&mut self, snapshot: &Snapshot<'_>, figures: BTreeMap<String, f64>) -> Result<()> {
        let state = snapshot.state()?;
        let mut provenance = self.provenance_at(state.epochs_done())?;
        provenance.figures.extend(figures);
        snapshot.model()?.save(&self.folder.model(), &provenance)?;
        if let Some(best) = snapshot.best() {
            best.model.save(&self.folder.best(), &self.provenance_at(best.epoch)?)?;
        }
        self.history.sync()?;
        state.save(&self.folder.finetune_state())?;
        self.clock.saved();
        Ok(())
    }

    /// Saves a training that stopped since it was time to, and is to go on.
    pub(crate) fn save_midway(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        self.clock.goes_on();
        self.save(snapshot, BTreeMap::new()).or_fail(|| "cannot save the run".into())
    }

    /// Provenance of the network after an epoch.
    fn provenance_at(&mut self, epoch: u32) -> Result<Provenance> {
        let figures = self.history.figures(epoch)?;
        Ok(Provenance { epochs: epoch, figures, ..self.provenance.clone() })
    }

    /// Draws all pictures of the run as they are now.
    pub(crate) fn draw(&self, network: &Network, epoch: u32) -> Result<()> {
        let name = pictures::network_name(network);
        let title = format!("{name} on {}, {epoch} epochs", self.provenance.dataset);
        if let Some(svg) = pictures::curves(&title, pictures::finetuning(self.history.traces(0)))? {
            self.folder.write("curves.svg", &svg)?;
        }
        match self.gallery.shape {
            Some(shape) if network.objective() == Objective::Autoencoder => {
                let picture = pictures::autoencoded(network, shape, &self.gallery.samples)?;
                self.folder.write("reconstructions.png", &picture)
            }
            _ => Ok(()),
        }
    }

    fn end_epoch(&mut self, metrics: &FinetuneMetrics, snapshot: &Snapshot<'_>) -> Result<()> {
        let metrics = &FinetuneMetrics { seconds: metrics.seconds + self.clock.end_epoch(), ..metrics.clone() };
        self.history.push(metrics)?;
        self.tell(metrics);
        let (epoch, epochs) = (metrics.epoch, self.settings.epochs);
        let (goes_on, pictures) = (epoch < epochs, self.settings.run.picture_every);
        if goes_on && self.clock.after_epoch(epoch) {
            self.save(snapshot, BTreeMap::new()).or_fail(|| format!("cannot save epoch {epoch}"))?;
        }
        if epoch > 0 && goes_on && pictures > 0 && epoch.is_multiple_of(pictures) {
            self.draw(&snapshot.model()?, epoch)?;
        }
        Ok(())
    }

    /// One line, or where a bar is, its message.
    fn tell(&mut self, metrics: &FinetuneMetrics) {
        let (epoch, epochs) = (metrics.epoch, self.settings.epochs);
        let width = epochs.to_string().len();
        let train = metrics.label_error_train.or(metrics.squared_error_train).unwrap_or_default();
        let valid = metrics.label_error_valid.or(metrics.squared_error_valid);
        let valid =
            valid.map_or(String::new(), |error| format!(" (validation {})", error_in_words(self.settings, error)));
        let cost = metrics.training_cost.map_or(String::new(), |cost| format!(", cost {cost:.4}"));
        let rate = match metrics.samples_per_second {
            0.0 => String::new(),
            rate => format!(", {} samples/s", thousands(rate as usize)),
        };
        let short = format!("{}{valid}{cost}{rate}", error_in_words(self.settings, train));
        let line = format!("epoch {epoch:>width$}/{epochs}: {short}");
        if self.ticker.message(&short) {
            tracing::debug!("{line}");
            return;
        }
        tracing::info!(
            epoch,
            training_cost = metrics.training_cost,
            cost = metrics.cost,
            cost_valid = metrics.cost_valid,
            label_error_valid = metrics.label_error_valid,
            squared_error_valid = metrics.squared_error_valid,
            samples_per_second = metrics.samples_per_second,
            "{line}"
        );
    }
}

/// `label error 1.25 %` or `squared error 3.21`.
pub(crate) fn error_in_words(settings: &FinetuneSettings, error: f64) -> String {
    match settings.objective {
        Objective::Classifier => format!("label error {:.2} %", 100.0 * error),
        Objective::Autoencoder => format!("squared error {error:.3}"),
    }
}

impl Observer<Backprop> for FinetuneWatcher<'_> {
    fn batch_done(&mut self, progress: &Progress) -> Control {
        self.ticker.batch(progress);
        if self.clock.after_batch(self.settings.on_divergence) { Control::Stop } else { control() }
    }

    fn recovered(&mut self, from: &deepbelief_finetune::Error, learning_rate: f64) {
        self.ticker.recovered(from, format_args!("a learning rate of {learning_rate}"));
    }

    fn epoch_done(&mut self, metrics: &FinetuneMetrics, snapshot: &Snapshot<'_>) -> ObserverResult {
        let ended = self.end_epoch(metrics, snapshot);
        told(ended, &mut self.failure)
    }
}
