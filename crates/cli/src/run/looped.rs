//! Verbs whose training is one [`Loop`]: what one of them does that another does not, and how they are saved.

use super::parts::Parts;
use super::watcher::{ModelOf, Verb, Watcher};
use crate::failure::Result;
use crate::machine::device::DeviceName;
use crate::settings::{Said, Settings};
use candle_core::Device;
use deepbelief_data::ClassNumbers;
use deepbelief_rbm::Provenance;
use deepbelief_stack::Dbn;
use deepbelief_training::{Best, Loop, Snapshot, State, Training};
use std::collections::BTreeMap;
use std::path::Path;

/// Figures by name.
pub(crate) type Figures = BTreeMap<String, f64>;

/// A verb whose training is one [`Loop`].
pub(crate) trait Looped: Verb<Kept = ()> {
    /// File of the state.
    const STATE: &'static str;
    /// Samples that each epoch is measured on, at most.
    const MONITOR: usize;
    /// The options that may end it early, as a verb's subject.
    const STOPS: &'static str = "--patience says";

    /// Epochs without a better model that end it; 0: never.
    fn patience(settings: &Self::Settings) -> u32;

    /// Samples in a minibatch.
    fn batch_size(settings: &Self::Settings) -> usize;

    /// Where it computes.
    fn device(settings: &Self::Settings) -> DeviceName {
        settings.run().device
    }

    /// That device, for these samples.
    fn place(settings: &Self::Settings, _: &Parts) -> Result<Device> {
        Self::device(settings).open()
    }

    /// How classes are numbered where the model that the run starts from has some; none if the labels are nothing to it.
    fn class_numbers(_: &Self::Settings) -> Option<ClassNumbers> {
        Some(ClassNumbers::Places)
    }

    /// What the folder of a run is called by default; `of` is the name of the model that it starts from.
    fn name(settings: &Self::Settings, of: Option<String>) -> String;

    /// Settings that nobody asked for, by what the samples are and the model is that the run starts from.
    fn adapt(settings: &mut Self::Settings, said: &Said, parts: &Parts, from: Option<&Dbn>) {
        let _ = (settings, said, parts, from);
    }

    /// A new training, and the samples that it learns from.
    fn start(settings: &Self::Settings, parts: Parts, from: Option<&Dbn>) -> Result<(Loop<Self::Training>, Parts)>;

    /// Settings of a training that resumes from a state, and the samples that it learns from.
    fn resume(
        settings: &Self::Settings,
        parts: Parts,
        state: &State<Self::Training>,
    ) -> Result<(<Self::Training as Training>::Config, Parts)>;

    /// Units of the model, and the same in words; and bytes that the training takes on top of the data.
    fn introduce(settings: &Self::Settings, parts: &Parts, model: &ModelOf<Self>) -> Result<(String, u64)>;

    /// Writes a model.
    fn write(model: &ModelOf<Self>, path: &Path, provenance: &Provenance) -> Result<()>;

    /// Figures of the finished model on the test samples, and the same in words.
    fn test(
        training: &mut Loop<Self::Training>,
        settings: &Self::Settings,
        parts: &Parts,
    ) -> Result<Option<(Figures, String)>>;

    /// How good the best model is.
    fn best_in_words(settings: &Self::Settings, best: &Best<ModelOf<Self>>) -> String;
}

impl<V: Looped> Watcher<'_, V> {
    /// Saves the model as it is, the best model so far, then the state that a resume starts from, so that a crash in
    /// between loses nothing. `figures` join those of the last epoch. Returns the model.
    pub(crate) fn save(&mut self, snapshot: &Snapshot<'_, V::Training>, figures: Figures) -> Result<ModelOf<V>> {
        let (state, model) = (snapshot.state()?, snapshot.model()?);
        let mut provenance = self.provenance_at(state.epochs_done())?;
        provenance.figures.extend(figures);
        V::write(&model, &self.folder.model(), &provenance)?;
        if let Some(best) = snapshot.best() {
            V::write(&best.model, &self.folder.best(), &self.provenance_at(best.epoch)?)?;
        }
        self.history.sync()?;
        state.save(&self.folder.path().join(V::STATE))?;
        self.clock.saved();
        self.saved_epoch = Some(state.epochs_done());
        Ok(model)
    }
}
