//! What all trainings share: data parted into training, validation and test samples, what is
//! measured on them, and what is said before the start and at the end.

use super::check::warn_of;
use super::chunks;
use crate::checkpoint::{Model, Trained, require_units};
use crate::failure::{Explain, Failure, Result, count};
use crate::memory::{self, Knob, PROGRAM};
use crate::pictures::{Gallery, shape_of, showcase};
use crate::report::{bytes, thousands};
use crate::run_folder::RunFolder;
use crate::settings::{DataSettings, RunSettings};
use crate::threads;
use deepbelief_data::{BatchConfig, Binarize, Dataset, LoadOptions, Minibatcher, Source, Split, sha256};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{HiddenUnits, Monitors, Outcome, Provenance};
use deepbelief_stack::Dbn;
use std::path::Path;

/// Samples shown in the pictures.
const SHOWN: usize = 10;

/// Where a checkpoint's recipe keeps the names of the classes.
pub(crate) const CLASS_NAMES: &str = "class_names";

/// Data, parted.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) data: Dataset,
    pub(crate) train: Split,
    pub(crate) valid: Option<Split>,
}

impl Parts {
    /// Loads the data of a new run, after which its settings are complete. What can stay in its
    /// file does, until [`Parts::settle`] knows what else needs memory.
    pub(crate) fn load(settings: &mut DataSettings, valid_is_default: bool, run: &RunSettings) -> Result<Self> {
        let data = open(settings, run)?;
        settings.complete(&data, valid_is_default);
        warn_of(&data, settings.image_size.is_some(), settings.binarize)?;
        Self::part(data, settings, run.seed)
    }

    /// Refuses patience where there is nothing that it could run out by.
    pub(crate) fn require_valid(&self, patience: u32) -> Result<()> {
        if patience == 0 || self.valid.is_some() {
            return Ok(());
        }
        Err(Failure::new(format!("patience is {patience}, but there are no validation samples to run out of it by"))
            .hint("hold some out with --valid, or turn it off: --patience 0"))
    }

    /// Refuses a shape of pictures that does not fit the visible units.
    pub(crate) fn require_shape(&self, settings: &DataSettings) -> Result<()> {
        settings.image_size.map_or(Ok(()), |shape| shape_of(self.train.units(), Some(shape)).map(|_| ()))
    }

    /// Loads the data of a run that goes on by `recipe`, both of which must be those it was started with, as
    /// its model tells.
    pub(crate) fn load_again(
        settings: &DataSettings,
        run: &RunSettings,
        recipe: &serde_json::Value,
        folder: &RunFolder,
    ) -> Result<Self> {
        let path = folder.model();
        let model = if path.is_file() {
            Model::open(&path).map(Some).map_err(|failure| failure.causes().join(": "))
        } else if folder.holds_a_save() {
            Err(format!("there is no {}", path.display()))
        } else {
            Ok(None)
        };
        // A model that is damaged or was moved is no reason to lose the run, whose state is whole: the next save
        // replaces it.
        let model = model.unwrap_or_else(|why| {
            tracing::warn!(
                "{why}; resuming all the same, but whether data and settings are those of its start cannot be told"
            );
            None
        });
        if let Some(model) = &model {
            require_same(&model.provenance().recipe, recipe, folder)?;
        }
        let data = open(settings, run)?;
        if let Some(model) = model {
            require_same_data(model.provenance(), &data, &settings.data)?;
        }
        Self::part(data, settings, run.seed)
    }

    fn part(data: Dataset, settings: &DataSettings, seed: u64) -> Result<Self> {
        let (train, valid) = match settings.valid {
            0 => (data.train.clone(), None),
            n => {
                let (train, valid) = data.train.split_validation(n, seed).or_hint(|| "see --valid".into())?;
                (train, Some(valid))
            }
        };
        Ok(Self { data, train, valid })
    }

    /// Takes samples that are still in their files into memory, if all of them fit there beside the
    /// training, which takes `needed` bytes with the data as they are; else leaves them there.
    /// Refuses a training that does not fit even so, and tells by `knobs` what would.
    pub(crate) fn settle(
        self,
        settings: &DataSettings,
        run: &RunSettings,
        needed: u64,
        knobs: &[Knob<'_>],
    ) -> Result<Self> {
        let in_files = self.data.bytes_in_files();
        // Dealing samples in memory may take an eighth more: see `Minibatcher::bytes`.
        if in_files > 0 && memory::fits(needed + in_files + in_files / 8, run.max_memory) {
            let data = self.data.held().or_hint(|| LESS.into())?;
            return Self::part(data, settings, run.seed);
        }
        let whole = in_files == 0 && settings.data != Source::Mnist && self.bytes(settings) > needed / 2;
        memory::require("the training", needed, run.max_memory, knobs).map_err(|failure| {
            match failure.hint_text() {
                Some(fitting) if whole => Failure::new(failure.what()).hint(format!("{fitting}; {WHOLE}")),
                _ => failure,
            }
        })?;
        Ok(self)
    }

    /// Refuses data, or a shape of pictures, that do not fit a model with so many visible units.
    pub(crate) fn require_units(&self, settings: &DataSettings, visible: usize) -> Result<()> {
        require_units(&settings.data, self.train.units(), visible)?;
        self.require_shape(settings)
    }

    /// Leaves so many training samples, as many of each class as it has a share of; none and 0
    /// leave all.
    pub(crate) fn keep(&mut self, samples: Option<usize>, seed: u64) -> Result<()> {
        let (samples, there) = (samples.unwrap_or(0), self.train.samples());
        if samples > 0 && self.data.classes.is_none() {
            return Err(Failure::new(format!("--labelled is {samples}, but the data have no labels"))
                .hint("name the labels' column with --label-column, or take all samples: --labelled 0"));
        }
        if samples > there {
            return Err(Failure::new(format!("--labelled is {samples}, but there are {there} training samples")));
        }
        if samples > 0 && samples < there {
            self.train = self.train.split_validation(samples, seed)?.1;
        }
        Ok(())
    }

    /// The training samples, dealt in minibatches.
    pub(crate) fn minibatches(&self, settings: &DataSettings, batch_size: usize, seed: u64) -> Result<Minibatcher> {
        let (binarize, balanced) = (settings.binarize, settings.balanced);
        Ok(Minibatcher::new(&self.train, BatchConfig { batch_size, binarize, balanced, seed })?)
    }

    /// Fixed samples to measure every epoch on, as many of training as of validation, at most
    /// `most` of each.
    pub(crate) fn monitors(&self, settings: &DataSettings, most: usize, seed: u64) -> Result<Monitors> {
        let size = self.valid.as_ref().map_or(most, |valid| valid.samples().min(most));
        let mut order: Vec<u32> = (0..self.train.samples() as u32).collect();
        Uniforms::new(seed, Stream::Monitor, 1).shuffle(0, &mut order);
        order.truncate(size);
        let labels = |split: &Split, samples: &[u32]| samples.iter().filter_map(|&s| split.label(s as usize)).collect();
        let batch = |split: &Split, samples: &[u32]| {
            split.batch(samples.iter().map(|&sample| sample as usize), settings.binarize, seed)
        };
        let held: Vec<u32> = (0..size as u32).collect();
        Ok(Monitors {
            train: batch(&self.train, &order)?,
            train_labels: labels(&self.train, &order),
            valid: self.valid.as_ref().map(|valid| batch(valid, &held)).transpose()?,
            valid_labels: self.valid.as_ref().map_or(Vec::new(), |valid| labels(valid, &held)),
        })
    }

    /// Test samples for the pictures, or where there is no test set, others.
    pub(crate) fn gallery(&self, settings: &DataSettings, seed: u64) -> Result<Gallery> {
        let split = self.data.test.as_ref().or(self.valid.as_ref()).unwrap_or(&self.train);
        let shape = shape_of(split.units(), settings.image_size);
        if let Err(failure) = &shape {
            tracing::info!("no pictures of filters and samples: {} (see --image-size)", failure.what());
        }
        let chosen = showcase(split, SHOWN);
        let samples = split.batch(chosen.iter().copied(), settings.binarize, seed)?.to_values();
        Ok(Gallery { shape: shape.ok(), samples })
    }

    /// Where a model trained on these data comes from; epochs and figures are still to come.
    pub(crate) fn provenance(&self, mut recipe: serde_json::Value, seed: u64) -> Result<Provenance> {
        let embedded = recipe.get("data").and_then(|data| data.as_str()) == Some("mnist");
        // Which class is which number, for other data whose labels are names.
        if let (Some(names), Some(recipe)) = (&self.data.class_names, recipe.as_object_mut()) {
            recipe.insert(CLASS_NAMES.into(), names.clone().into());
        }
        Ok(Provenance {
            dataset: self.data.name.clone(),
            dataset_sha256: self.data.sha256()?,
            // The program's own digits are those of its version.
            test_sha256: if embedded { None } else { self.data.test_sha256()? },
            seed,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            recipe,
            ..Default::default()
        })
    }

    /// Bytes of the program, of all samples in memory, and of what dealing them in minibatches
    /// takes.
    pub(crate) fn bytes(&self, settings: &DataSettings) -> u64 {
        let samples = self.data.train.bytes() + self.data.test.as_ref().map_or(0, Split::bytes);
        let dealing = Minibatcher::bytes(&self.train, settings.binarize, settings.balanced);
        PROGRAM + samples as u64 + dealing
    }

    /// Bytes of so many samples in a batch: states where they are binarised, else floats.
    pub(crate) fn batch_bytes(&self, settings: &DataSettings, samples: usize) -> u64 {
        let units = self.train.units();
        let row = if settings.binarize == Binarize::None { 4 * units } else { 4 * units.div_ceil(32) };
        samples as u64 * row as u64
    }

    /// Samples of [`Parts::monitors`].
    pub(crate) fn monitored(&self, most: usize) -> usize {
        let there = self.train.samples().min(most);
        self.valid.as_ref().map_or(there, |valid| 2 * valid.samples().min(there))
    }

    /// What is said of the memory that data and `training` take.
    pub(crate) fn memory(&self, settings: &DataSettings, training: u64) -> String {
        let held = self.bytes(settings);
        let left = match self.data.bytes_in_files() {
            0 => String::new(),
            n => format!("; {} of samples stay on disk, read a minibatch at a time", bytes(n)),
        };
        format!("about {} (data {}, training {}{left})", bytes(held + training), bytes(held), bytes(training))
    }

    /// Share of the test samples whose label a net does not find, where there are labels.
    pub(crate) fn test_error(&self, dbn: &Dbn, settings: &DataSettings, seed: u64) -> Result<Option<f64>> {
        let Some(test) = self.data.test.as_ref().filter(|_| dbn.classes() > 0) else { return Ok(None) };
        let Some(labels) = test.labels() else { return Ok(None) };
        let mut told = Vec::with_capacity(labels.len());
        for v in chunks(test, settings.binarize, seed) {
            told.extend(dbn.classify(&v?)?);
        }
        let wrong = told.iter().zip(&labels).filter(|(found, label)| found != label).count();
        Ok(Some(wrong as f64 / labels.len() as f64))
    }

    /// Says what is learned from.
    pub(crate) fn introduce(&self, settings: &DataSettings) {
        let (data, train) = (&self.data, &self.train);
        let part = |name: &str, split: Option<&Split>| {
            split.map_or(String::new(), |split| format!(", {} {name}", thousands(split.samples())))
        };
        tracing::info!(
            "data:    {}, {} training samples{}{} of {}; {}; binarisation {}",
            data.name,
            thousands(train.samples()),
            part("validation", self.valid.as_ref()),
            part("test", data.test.as_ref()),
            count(train.units(), "unit"),
            data.scaling,
            settings.binarize
        );
    }
}

/// What to do where data that are held in memory whole do not fit.
const WHOLE: &str = "these data are read into memory whole; saved as an uncompressed IDX or npy file (not in Fortran \
                     order) they are read a minibatch at a time where memory is short";

/// What to do where there is less memory than was said or told.
const LESS: &str = "allow less with --max-memory: samples that do not fit are read a minibatch at a time";

/// Opens data, which may take as much memory as the program.
pub(crate) fn open_data(source: &Source, options: &LoadOptions, max_memory: u32) -> Result<Dataset> {
    if max_memory == 0 {
        memory::require("the program", PROGRAM, max_memory, &[])?;
    }
    let options = LoadOptions { max_memory: memory::room_for_data(max_memory), ..options.clone() };
    deepbelief_data::open(source, &options).map_err(explain)
}

/// What is said of data that cannot be read; those that take too much memory might be saved otherwise.
pub(crate) fn explain(error: deepbelief_data::Error) -> Failure {
    match error {
        deepbelief_data::Error::Memory { .. } => Failure::from(error).hint(WHOLE),
        error => error.into(),
    }
}

/// Opens the data of a training.
fn open(settings: &DataSettings, run: &RunSettings) -> Result<Dataset> {
    threads::bind(run.threads)?;
    open_data(&settings.data, &settings.load_options(), run.max_memory)
}

/// What fixes a run of `dbn {verb}`, in one word: its settings and seed, and the content of its data wherever they
/// are. Epochs are left out, for a run can be prolonged.
pub(crate) fn identity(verb: &str, provenance: &Provenance) -> String {
    let mut recipe = provenance.recipe.clone();
    if let Some(recipe) = recipe.as_object_mut() {
        recipe.retain(|key, _| !["data", "epochs", CLASS_NAMES].contains(&key.as_str()));
    }
    sha256(format!("{verb}\n{recipe}\n{}\n", provenance.dataset_sha256).as_bytes())
}

/// Refuses the state in `folder` of another run.
pub(crate) fn require_run<E: Into<Failure>>(same: std::result::Result<(), E>, folder: &RunFolder) -> Result<()> {
    let path = folder.path().display();
    same.or_fail(|| format!("cannot resume {path}"))
        .or_hint(|| "put its own state back, or start the run again with --force".into())
}

/// What a training came to: where samples could not be read from their file any more, that is why
/// it stopped.
pub(crate) fn outcome<E: Into<Failure>>(
    fitted: std::result::Result<Outcome, E>,
    minibatches: &mut Minibatcher,
) -> Result<Outcome> {
    match minibatches.take_failure() {
        Some(error) => Err(error.into()),
        None => fitted.map_err(Into::into),
    }
}

/// What is said of hidden units that are not the usual ones.
pub(crate) fn of_units(units: HiddenUnits) -> &'static str {
    match units {
        HiddenUnits::Bernoulli => "",
        HiddenUnits::Gaussian => " with Gaussian hidden units",
    }
}

/// Refuses fewer epochs than a run that goes on has done.
pub(crate) fn require_epochs(epochs: u32, done: u32) -> Result<()> {
    if epochs >= done {
        return Ok(());
    }
    Err(Failure::new(format!("--epochs is {epochs}, but the run has done {done} already")))
}

/// A path as it can be typed into a shell.
pub(crate) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Refuses data other than those that a model was trained and tested on. Where they lie does not matter.
fn require_same_data(provenance: &Provenance, data: &Dataset, source: &Source) -> Result<()> {
    let changed = |which: &str| {
        Failure::new(format!("the {which}data '{source}' have changed since the run was started")).hint(format!(
            "a resumed run needs the very same {which}data: if they have moved, say where with --data; else start a new \
             run on the new ones"
        ))
    };
    if provenance.dataset_sha256 != data.sha256()? {
        return Err(changed(""));
    }
    match &provenance.test_sha256 {
        Some(test) if data.test_sha256()?.as_ref() != Some(test) => Err(changed("test ")),
        _ => Ok(()),
    }
}

/// Refuses settings on disk that are others than the model was trained by, but for the number of epochs and the
/// place of the data, which are known by their hash.
fn require_same(trained: &serde_json::Value, now: &serde_json::Value, folder: &RunFolder) -> Result<()> {
    let trained = trained.as_object().into_iter().flatten();
    let other = trained
        .filter(|(key, _)| !["epochs", "data", CLASS_NAMES].contains(&key.as_str()))
        .find(|&(key, value)| now.get(key) != Some(value));
    let Some((key, value)) = other else { return Ok(()) };
    let short = |value: Option<&serde_json::Value>| match value {
        Some(value) if value.is_array() || value.is_object() => "other than it was".to_string(),
        Some(value) => value.to_string(),
        None => "not set".into(),
    };
    let (config, now) = (folder.config(), short(now.get(key)));
    let was = if value.is_array() || value.is_object() { String::new() } else { format!(", and was {value}") };
    Err(Failure::new(format!("{}: {key} is {now}{was} when the run was saved", config.display()))
        .hint("a resumed run keeps its settings: put the file back as it was, or start a new run with --out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_commands_can_be_pasted() {
        assert_eq!(shell_word(Path::new("runs/mnist-500")), "runs/mnist-500");
        assert_eq!(shell_word(Path::new("my runs/it's")), r"'my runs/it'\''s'");
    }
}
