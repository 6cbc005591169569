//! The data of a training, parted into training, validation and test samples, and what is measured on them.

use super::advised::advise;
use super::folder::RunFolder;
use super::known::Known;
use super::same::{require_same, require_same_data};
use crate::data::chunks::{binarisation, chunks};
use crate::data::ground::warn_of_light;
use crate::data::open::{CLASS_NAMES, HELD_OUT, TEXT_FORM, WHOLE, open_data};
use crate::data::schema_file::SCHEMA;
use crate::data::warnings::{SAMPLED, warn_of};
use crate::failure::{Explain, Failure, Result, count};
use crate::machine::device::DeviceName;
use crate::machine::memory::{self, MemoryOption, PROGRAM};
use crate::machine::threads;
use crate::model::checkpoint::Model;
use crate::model::recorded;
use crate::model::trained::{Trained, require_units};
use crate::options::Verb;
use crate::pictures::shape_of;
use crate::report::{bytes, thousands};
use crate::settings::{DataSettings, Said, Settings, record};
use candle_core::Device;
use deepbelief_data::{BatchConfig, Binarize, Dataset, Minibatcher, Schema, Source, Split, TextForm};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::{Monitors, Provenance, Units};
use deepbelief_stack::Dbn;
use toml::Value;

/// Data, parted.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) data: Dataset,
    pub(crate) train: Split,
    pub(crate) valid: Option<Split>,
    /// Options that nobody set, as they were settled by what the data are.
    advised: Vec<String>,
}

impl Parts {
    /// Loads the data of a new run, after which its settings are complete. What can stay in its
    /// file does, until [`Parts::settle`] knows what else needs memory. They are read as the model that the run
    /// starts from has `known` them.
    pub(crate) fn load<S: Settings>(settings: &mut S, said: &Said, known: Known) -> Result<Self> {
        // What is for Bernoulli units alone asks for them.
        let excluded = said.get("missing_as").and_then(Value::as_str) == Some("excluded");
        if !said.has("binarize") && !excluded {
            settings.data_mut().take_own_units(S::VERB);
        }
        let units = settings.data().visible_units;
        let data = open(settings, known)?;
        let mut found = data.examine(SAMPLED)?;
        found.image = settings.data().image_size.or(found.image);
        let advised = match S::VERB {
            Verb::Pretrain | Verb::Stack if settings.data().data != Source::Mnist => {
                if !said.has("scale") {
                    warn_of_light(&found, &settings.data().data, settings.data().image_size);
                }
                advise(settings, said, &found)?
            }
            _ => Vec::new(),
        };
        settings.data_mut().visible_units = units;
        settings.data_mut().complete(&data, !said.has("valid"));
        require_held(settings.data(), said)?;
        let binarize = Some(settings.data().binarize).filter(|_| found.units.is_bernoulli());
        warn_of(&found, settings.data().image_size.is_some(), binarize);
        Ok(Self { advised, ..Self::part(data, settings.data(), settings.seed())? })
    }

    /// Refuses patience where there is nothing that it could run out by.
    pub(crate) fn require_valid(&self, patience: u32) -> Result<()> {
        if patience == 0 || self.valid.is_some() {
            return Ok(());
        }
        Err(Failure::new(format!("patience is {patience}, but there are no validation samples to run out of it by"))
            .hint("hold some out with --valid, or turn it off: --patience 0"))
    }

    /// The device of a training that learns from the samples' weights, if they have any: those are for the CPU.
    pub(crate) fn device(&self, name: DeviceName) -> Result<Device> {
        match name {
            DeviceName::Cuda(_) if self.train.weight(0).is_some() => {
                Err(Failure::new("samples that do not weigh the same are learned from on the CPU")
                    .hint("take --device cpu, or leave --weight-column, --weights and --reweight out"))
            }
            DeviceName::Auto if self.train.weight(0).is_some() => DeviceName::Cpu.open(),
            name => name.open(),
        }
    }

    /// Refuses missing values, for a training that does not learn from them; says that weights are of no account.
    pub(crate) fn require_whole(&self) -> Result<()> {
        if self.train.weight(0).is_some() {
            tracing::warn!(
                "weights of samples are for `dbn pretrain` and `dbn stack`: here all samples weigh the same"
            );
        }
        if !self.data.train.has_missing() {
            return Ok(());
        }
        let missing = count(self.data.train.missing_values() as usize, "missing value");
        Err(Failure::new(format!("the training data have {missing}, which this training does not learn from")).hint(
            "fill them with `dbn impute` and a model of `dbn pretrain` or `dbn stack`, which learn from such data",
        ))
    }

    /// Refuses a shape of pictures that does not fit the visible units.
    pub(crate) fn require_shape(&self, settings: &DataSettings) -> Result<()> {
        settings.image_size.map_or(Ok(()), |shape| shape_of(self.train.units(), Some(shape)).map(|_| ()))
    }

    /// Refuses a model of other visible units than those of the data.
    pub(crate) fn require_layer(&self, visible: &Units) -> Result<()> {
        let found = self.train.layer();
        if found == visible {
            return Ok(());
        }
        Err(Failure::new(format!("the data have {found} units, but the model has {visible} visible units"))
            .hint("read the data as the model's were: leave --schema, --column-types and --scale out"))
    }

    /// Loads the data of a run that goes on by `recipe`, both of which must be those it was started with, as
    /// its model tells.
    pub(crate) fn load_again<S: Settings>(settings: &S, folder: &RunFolder) -> Result<Self> {
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
                "{why}; resuming all the same, but whether data and settings are those of its start is not known"
            );
            None
        });
        if let Some(model) = &model {
            require_same(&model.provenance().recipe, &record(settings)?, folder)?;
        }
        recorded::require_plain(&settings.data().data)?;
        let mut data = open(settings, model.as_ref().map(Known::of_run).unwrap_or_default())?;
        if let Some(model) = model {
            // A model that began without a schema ends without one: a resumed run ends as if never stopped.
            if model.provenance().recipe.get(SCHEMA).is_none() {
                data.schema = Schema::default();
            }
            require_same_data(model.provenance(), &data, &settings.data().data)?;
        }
        Self::part(data, settings.data(), settings.seed())
    }

    fn part(data: Dataset, settings: &DataSettings, seed: u64) -> Result<Self> {
        let (train, valid) = match settings.valid {
            0 => (data.train.clone(), None),
            n => {
                let (train, valid) = data
                    .train
                    .split_validation(n, seed)
                    .or_hint(|| "change the number with --valid N, or hold none out: --valid 0".into())?;
                (train, Some(valid))
            }
        };
        Ok(Self { data, train, valid, advised: Vec::new() })
    }

    /// Takes samples that are still in their files into memory, if all of them fit there beside the
    /// training, which takes `needed` bytes with the data as they are; else leaves them there.
    /// Refuses a training that does not fit even so, and tells by `options` what would.
    pub(crate) fn settle(self, settings: &impl Settings, needed: u64, options: &[MemoryOption<'_>]) -> Result<Self> {
        let max_memory = settings.run().max_memory;
        let in_files = self.data.bytes_in_files();
        // Dealing samples in memory may take an eighth more: see `Minibatcher::bytes`.
        if in_files > 0 && memory::fits(needed + in_files + in_files / 8, max_memory) {
            let data = self.data.held().or_hint(|| LESS.into())?;
            return Ok(Self { advised: self.advised, ..Self::part(data, settings.data(), settings.seed())? });
        }
        let whole = in_files == 0 && settings.data().data != Source::Mnist && self.bytes(settings.data()) > needed / 2;
        memory::require("the training", needed, max_memory, options).map_err(|failure| match failure.hint_text() {
            Some(fitting) if whole => Failure::new(failure.what()).hint(format!("{fitting}; {WHOLE}")),
            _ => failure,
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
        let weights =
            |split: &Split, samples: &[u32]| samples.iter().filter_map(|&s| split.weight(s as usize)).collect();
        let held: Vec<u32> = (0..size as u32).collect();
        Ok(Monitors {
            train: batch(&self.train, &order)?,
            train_labels: labels(&self.train, &order),
            train_weights: weights(&self.train, &order),
            valid: self.valid.as_ref().map(|valid| batch(valid, &held)).transpose()?,
            valid_labels: self.valid.as_ref().map_or(Vec::new(), |valid| labels(valid, &held)),
            valid_weights: self.valid.as_ref().map_or(Vec::new(), |valid| weights(valid, &held)),
        })
    }

    /// Where a model trained on these data comes from; epochs and figures are still to come.
    pub(crate) fn provenance(&self, mut recipe: serde_json::Value, seed: u64) -> Result<Provenance> {
        let embedded = recipe.get("data").and_then(|data| data.as_str()) == Some("mnist");
        // Which class is which number, for other data whose labels are names.
        if let (Some(names), Some(recipe)) = (&self.data.class_names, recipe.as_object_mut()) {
            recipe.insert(CLASS_NAMES.into(), names.clone().into());
        }
        if let (false, Some(recipe)) = (self.data.schema.columns.is_empty(), recipe.as_object_mut()) {
            recipe.insert(SCHEMA.into(), serde_json::to_value(&self.data.schema)?);
        }
        if let (false, Some(recipe)) = (self.data.form == TextForm::default(), recipe.as_object_mut()) {
            recipe.insert(TEXT_FORM.into(), self.data.form.to_string().into());
        }
        let clusters = self.valid.as_ref().filter(|valid| valid.clusters().is_some());
        if let (Some(valid), Some(recipe)) = (clusters, recipe.as_object_mut()) {
            recipe.insert(HELD_OUT.into(), valid.samples().into());
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

    /// Samples that a minibatch of so many holds: at most all there are.
    pub(crate) fn in_a_batch(&self, batch_size: usize) -> usize {
        batch_size.min(self.train.samples())
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

    /// Says what is learned from, and that each epoch is measured on at most `most` training and validation samples.
    pub(crate) fn introduce(&self, settings: &DataSettings, most: usize) {
        let (data, train) = (&self.data, &self.train);
        let part = |name: &str, split: Option<&Split>| {
            split.map_or(String::new(), |split| format!(", {} {name}", thousands(split.samples())))
        };
        tracing::info!(
            "data:    {}, {} training samples{}{} of {}; {}{}",
            data.name,
            thousands(train.samples()),
            part("validation", self.valid.as_ref()),
            part("test", data.test.as_ref()),
            count(train.units(), "unit"),
            data.scaling,
            binarisation(train.layer(), settings.binarize)
        );
        if !self.advised.is_empty() {
            tracing::info!("not set, so by what the data are: {}", self.advised.join(", "));
        }
        let is_whole = data.alignment.as_ref().is_some_and(|aligned| aligned.effective.is_none());
        if is_whole && train.weight(0).is_none() {
            tracing::info!(
                "weights: every sequence counts as one{}; --reweight 0.8 weighs them by their neighbours, and `dbn check` \
                 says what they then count as",
                if self.advised.iter().any(|option| option.starts_with("--l1b-cost")) {
                    ", in the L1b cost too"
                } else {
                    ""
                }
            );
        }
        let sites: usize = train.layer().segments().iter().map(|segment| segment.sites).sum();
        let (missing, values) = (train.missing_values(), train.samples() as u64 * sites as u64);
        if missing > 0 {
            let share = 100.0 * missing as f64 / values as f64;
            let (n, data) = (thousands(missing as usize), &settings.data);
            // A table of text says what is missing; of arrays somebody may not know that there is any.
            if matches!(
                data,
                Source::Npy(_) | Source::Npz(_) | Source::Safetensors(_) | Source::Mat(_) | Source::Hdf5(_)
            ) {
                tracing::warn!("missing: {n} of the units' values ({share:.1} %) are NaN, which is taken as missing");
            } else {
                tracing::info!("missing: {n} of the units' values ({share:.1} %)");
            }
        }
        let (all, valid) = (train.samples(), self.valid.as_ref().map(|valid| valid.samples().min(most)));
        let of_train = match valid.unwrap_or(most).min(all) {
            measured if measured < all => format!("{} of the {} training samples", thousands(measured), thousands(all)),
            _ => "all training samples".to_string(),
        };
        let of_valid = valid.map_or(String::new(), |valid| format!(" and {} validation samples", thousands(valid)));
        tracing::info!("measure: each epoch on {of_train}{of_valid}");
        if !data.schema.columns.is_empty() {
            tracing::info!("columns: {} (`dbn check` lists them)", data.schema.summary());
        }
    }
}

/// What to do where there is less memory than was asked for or predicted.
const LESS: &str = "allow less with --max-memory: samples that do not fit are read a minibatch at a time";

/// Opens the data of a training.
fn open(settings: &impl Settings, known: Known) -> Result<Dataset> {
    threads::bind(settings.threads())?;
    let data = settings.data();
    open_data(&data.data, &known.applied_to(data.load_options()), settings.run().max_memory)
}

/// Refuses clusters of which none would be held out; those of a recipe or of another model are of no account then.
fn require_held(settings: &DataSettings, said: &Said) -> Result<()> {
    let clusters = settings.valid_clusters.filter(|&share| share != 0.0);
    let Some(share) = clusters.filter(|_| settings.valid == 0) else { return Ok(()) };
    if said.flags.contains_key("valid_clusters") {
        return Err(Failure::new(format!("--valid-clusters is {share}, but no samples are held out"))
            .hint("say how many to hold out at most with --valid N, or leave --valid-clusters out"));
    }
    tracing::info!("valid_clusters is {share}, which is not used as no samples are held out: see --valid N");
    Ok(())
}
