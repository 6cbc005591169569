//! Opening a checkpoint of any kind, and fitting data to it.

use crate::args::{DataArgs, MemoryArgs, SplitName};
use crate::data::chunks::CHUNK;
use crate::data::open::{CLASS_NAMES, TEXT_FORM, open_again, open_data};
use crate::data::schema_file::SCHEMA;
use crate::failure::{Explain, Failure, Result, count};
use crate::machine::footprint::held;
use crate::machine::memory::{PROGRAM, fits};
use crate::model::{alignment, recorded};
use crate::run::folder::checkpoint_path;
use candle_core::Device;
use deepbelief_data::{
    Binarize, ClassNumbers, Dataset, Fetch, ImageShape, LabelUse, LoadOptions, Scale, Schema, Source, Split, TextForm,
};
use deepbelief_finetune::{Network, NetworkHeader, Objective};
use deepbelief_rbm::{Provenance, VisibleStates, tensors};
use deepbelief_stack::{Completing, Dbn, DbnHeader};
use serde::Serialize;
use std::path::Path;
use std::str::FromStr;

/// Samples whose missing values are drawn at a time.
pub(crate) const ROWS: usize = 2000;

/// A deep belief net and what its file says of it. An RBM is one of depth one.
pub(crate) struct Checkpoint {
    pub(crate) dbn: Dbn,
    pub(crate) header: Header,
}

/// The header of a file, by the kind of its model.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Header {
    Rbm(deepbelief_rbm::Header),
    Dbn(DbnHeader),
}

/// A feed-forward network and what its file says of it.
pub(crate) struct NetworkCheckpoint {
    pub(crate) network: Network,
    pub(crate) header: NetworkHeader,
}

/// A model of any kind.
pub(crate) enum Model {
    Belief(Checkpoint),
    Network(NetworkCheckpoint),
}

impl Model {
    /// Opens a file, or the checkpoint of a run folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = checkpoint_path(path)?;
        read(&path)
            .or_fail(|| "cannot open the checkpoint".into())
            .or_hint(|| "a checkpoint is the model.safetensors of a run folder".into())
    }
}

impl Checkpoint {
    /// Opens a file, or the checkpoint of a run folder, that holds an RBM or a deep belief net.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        match Model::open(path)? {
            Model::Belief(checkpoint) => Ok(checkpoint),
            Model::Network(NetworkCheckpoint { header, .. }) => {
                let (path, kind) = (checkpoint_path(path)?, header.kind);
                Err(Failure::new(format!("{} is of kind '{kind}', expected 'rbm' or 'dbn'", path.display()))
                    .while_doing("cannot open the checkpoint")
                    .hint("feed-forward networks are for `dbn classify`, `encode`, `reconstruct` and `show`"))
            }
        }
    }

    /// Number of classes, which `what` needs.
    pub(crate) fn classes(&self, what: &str) -> Result<usize> {
        let classes = self.dbn.classes();
        if classes > 0 {
            return Ok(classes);
        }
        // The recipe of a stack has a table a layer; labels join at the last.
        let layers = self.provenance().recipe.get("layer").and_then(|layers| Some(layers.as_array()?.len()));
        let depth = self.dbn.depth();
        let hint = match layers.filter(|&layers| layers > depth) {
            Some(layers) => format!(
                "this run is unfinished, with {depth} of {layers} layers: go on with dbn stack --resume and its folder"
            ),
            None => "`dbn stack` trains one at the top where the data have labels".into(),
        };
        Err(Failure::new(format!("the checkpoint has no label group, which {what} needs")).hint(hint))
    }
}

/// Whether values of Bernoulli units lie between 0 and 1, as the first samples show.
fn is_grey(samples: &Split) -> Result<bool> {
    if !samples.layer().is_bernoulli() {
        return Ok(false);
    }
    let first = samples.batch(0..samples.samples().min(CHUNK), Binarize::None, 0)?;
    Ok(first.to_values().iter().any(|&x| x > 0.0 && x < 1.0))
}

/// What was trained on data, and by its provenance knows how they were read.
pub(crate) trait Trained {
    /// Where the model comes from.
    fn provenance(&self) -> &Provenance;

    /// Number of visible units.
    fn visible(&self) -> usize;

    /// Number of classes that it tells apart; 0 where it learned none.
    fn told_classes(&self) -> usize;

    /// A setting of the training, where the checkpoint has it.
    fn recorded<T: FromStr>(&self, key: &str) -> Option<T> {
        self.provenance().recipe.get(key)?.as_str()?.parse().ok()
    }

    /// What the classes are called, where the training data named them.
    fn class_names(&self) -> Option<Vec<String>> {
        let names = self.provenance().recipe.get(CLASS_NAMES)?;
        serde_json::from_value(names.clone()).ok()
    }

    /// What the columns of the training data were, where they were a table.
    fn schema(&self) -> Option<Schema> {
        let schema = self.provenance().recipe.get(SCHEMA)?;
        serde_json::from_value(schema.clone()).ok()
    }

    /// How the CSV file of the training data was written.
    fn text_form(&self) -> TextForm {
        self.recorded(TEXT_FORM).unwrap_or_default()
    }

    /// How all values of the training data came into [0, 1], as far as it is known.
    fn scale(&self) -> Option<Scale> {
        let recorded = self.recorded::<Scale>("scale").filter(|&scale| scale != Scale::Auto);
        let of_digits = || (self.recorded::<Source>("data") == Some(Source::Mnist)).then_some(Scale::By255);
        recorded.or_else(of_digits)
    }

    /// What the visible units stand for: the columns of a table, or values without names that were scaled alike.
    fn columns(&self) -> Schema {
        let of_table = self.schema().filter(|schema| schema.units() == self.visible());
        of_table.unwrap_or_else(|| Schema::of_scale(self.visible(), self.scale().unwrap_or_default()))
    }

    /// What log-likelihoods of samples in the model's units are larger than in those of the table. Says so where it has
    /// columns of numbers.
    fn log_scales(&self) -> f64 {
        let columns = self.columns();
        let log_scales = columns.log_scales(|_| true);
        if !columns.layer().is_discrete() {
            let (size, than) = (log_scales.abs(), if log_scales < 0.0 { "above" } else { "below" });
            tracing::info!(
                "log-likelihoods are of the numbers as the table has them; that is {size:.2} nats a sample {than} those \
                 of the scaled numbers that the model learned, of which its free energies are"
            );
        }
        log_scales
    }

    /// Shape of the visible units as a picture, as far as the training knew it.
    fn image_shape(&self) -> Option<ImageShape> {
        let shape: ImageShape = self.recorded("image_size")?;
        (shape.width * shape.height == self.visible()).then_some(shape)
    }

    /// How grey values become binary where the model is used: as asked, else by the threshold of the training. Where
    /// states were drawn there, their probabilities are used.
    fn binarize(&self, asked: Option<Binarize>) -> Binarize {
        let as_trained = || self.recorded("binarize").filter(|how| matches!(how, Binarize::Threshold(_)));
        asked.or_else(as_trained).unwrap_or_default()
    }

    /// The same for samples that go through the model. Where they are grey, and states of them were drawn in training,
    /// it says that here they are probabilities.
    fn pixels(&self, samples: &Split, asked: Option<Binarize>) -> Result<Binarize> {
        let trained: Option<Binarize> = self.recorded("binarize");
        if asked.is_none()
            && let Some(drawn @ (Binarize::Fixed | Binarize::Fresh)) = trained
            && is_grey(samples)?
        {
            tracing::info!(
                "pixels:  probabilities, of which the training drew states; --binarize {drawn} draws states here too"
            );
        }
        Ok(self.binarize(asked))
    }

    /// Samples with what they lack filled by the model.
    fn complete(&self, split: &Split) -> Result<Split>;

    /// Loads the data named by `args` as [`Trained::incomplete_data`] does, and fills what is missing by the model.
    fn data(&self, path: &Path, args: &DataArgs, memory: MemoryArgs) -> Result<Dataset> {
        self.filled(self.incomplete_data(path, args, memory)?)
    }

    /// The same data with what is missing filled by the model.
    fn filled(&self, mut data: Dataset) -> Result<Dataset> {
        let splits = [Some(&mut data.train), data.test.as_mut()].into_iter().flatten();
        let mut filled = 0;
        for split in splits.filter(|split| split.has_missing()) {
            filled += split.missing_values();
            *split = self.complete(split)?;
        }
        if filled > 0 {
            tracing::info!(
                "{}: the model's mean given the rest of the sample stands there",
                count(filled as usize, "missing value")
            );
        }
        Ok(data)
    }

    /// Loads the data named by `args`, else those that the model at `path` names, if they are its own; read as in
    /// training where `args` leave it open. They must fit the visible units. What can stay in its file does where it
    /// has no room in memory.
    fn incomplete_data(&self, path: &Path, args: &DataArgs, memory: MemoryArgs) -> Result<Dataset> {
        let (source, options) = self.reading(path, args)?;
        self.incomplete_data_of(&source, &options, memory)
    }

    /// Loads a source with what it lacks.
    fn incomplete_data_of(&self, source: &Source, options: &LoadOptions, memory: MemoryArgs) -> Result<Dataset> {
        // How they are understood has been said before, if they are the data of the training.
        let is_own = self.recorded::<Source>("data").is_some_and(|own| own.is_same_as(source));
        let open = if is_own { open_again } else { open_data };
        let data = open(source, options, memory.max_memory)?;
        require_units(source, data.train.units(), self.visible())?;
        if fits(PROGRAM + held(&data) + 2 * data.bytes_in_files(), memory.max_memory) {
            return Ok(data.held()?);
        }
        Ok(data)
    }

    /// The data that the model at `path` learned from, with what they lack, if they are still the same.
    fn training_data(&self, path: &Path, memory: MemoryArgs) -> Result<Dataset> {
        let data = self.incomplete_data(path, &DataArgs::default(), memory)?;
        if data.sha256()? != self.provenance().dataset_sha256 {
            return Err(Failure::new(format!("the training data {} are no longer what they were", data.name)));
        }
        Ok(data)
    }

    /// Which data are loaded so, and how they are read.
    fn reading(&self, path: &Path, args: &DataArgs) -> Result<(Source, LoadOptions)> {
        args.require_schema_alone()?;
        let trained_on = self.recorded::<Source>("data");
        let unknown = || {
            Failure::new("the checkpoint does not say what data it was trained on")
                .hint("name the data with --data, for instance npy:samples.npy")
        };
        let source = match (&args.data, &trained_on) {
            (Some(asked), _) => asked.clone(),
            (None, None) => return Err(unknown()),
            (None, Some(source)) => {
                recorded::require_own(path, source)?;
                recorded::require_there(source)?;
                source.clone()
            }
        };
        // How the training data came into [0, 1], what their columns are and which class is which number hold for
        // all data; of arrays and pictures where the labels stood says nothing of others.
        let same = trained_on.is_some_and(|trained_on| trained_on.is_same_as(&source));
        let scale = args.scale.or_else(|| self.scale());
        let unlabelled = args.label_column.as_deref() == Some("none");
        // A schema with names knows the column of the labels by its own.
        let knows_label = self.schema().is_some_and(|schema| schema.has_names() && schema.label().is_some());
        let label_column = args
            .label_column
            .clone()
            .or_else(|| self.recorded("label_column").filter(|_| same && !knows_label))
            .filter(|_| !unlabelled);
        let defaults = LoadOptions::default();
        let options = LoadOptions {
            scale: scale.unwrap_or_default(),
            clamp: args.scale.is_none(),
            schema: args.schema.clone().or_else(|| self.schema().filter(|_| args.scale.is_none())),
            class_names: self.class_names(),
            class_numbers: match (self.class_names(), self.told_classes()) {
                (None, _) => ClassNumbers::Labels,
                (Some(_), 0) => ClassNumbers::More,
                (Some(_), _) => ClassNumbers::Places,
            },
            header: args.header.or_else(|| self.recorded("header").filter(|_| same)).unwrap_or_default(),
            label_column,
            labels: if unlabelled { LabelUse::Unused } else { LabelUse::IfComplete },
            feature_column: args.feature_column.clone().or_else(|| self.recorded("feature_column").filter(|_| same)),
            image_size: args.image_size.or_else(|| self.image_shape()),
            alignment: alignment::options(&self.provenance().recipe, self.schema().as_ref(), args, (&source, same))?,
            fetch: Fetch(crate::hub::dataset),
            ..defaults
        };
        Ok((source, options))
    }
}

/// Whether a model of this recipe is an RBM with labels that learned by Gibbs chains which all started from the data, as
/// the stack of few samples is.
pub(crate) fn starts_from_labelled_data(dbn: &Dbn, recipe: &serde_json::Value) -> bool {
    let bottom = recipe.get("layer").and_then(|layers| layers.get(0)).unwrap_or(recipe);
    let chains = bottom.get("persistent_chains").and_then(serde_json::Value::as_u64);
    dbn.depth() == 1 && dbn.classes() > 0 && chains == Some(0)
}

impl Checkpoint {
    /// Whether it is an RBM without labels that learned by Gibbs chains which all started from the data. What chains of many
    /// steps reach, such a training never saw.
    pub(crate) fn starts_from_data(&self) -> bool {
        let chains = self.provenance().recipe.get("persistent_chains").and_then(serde_json::Value::as_u64);
        self.dbn.depth() == 1 && self.dbn.classes() == 0 && chains == Some(0)
    }

    /// How the model draws missing values.
    pub(crate) fn completing(&self) -> Completing {
        let recipe = &self.provenance().recipe;
        let of =
            |recipe: &serde_json::Value| recipe.get("visible_states").and_then(|v| v.as_str()) == Some("probabilities");
        // The recipe of a stack has a table a layer.
        let bottom = recipe.get("layer").and_then(|layers| layers.get(0));
        let probabilities = of(recipe) || bottom.is_some_and(of);
        let visible_states = if probabilities { VisibleStates::Probabilities } else { VisibleStates::Sampled };
        Completing { visible_states, ..Completing::default() }
    }
}

impl Trained for Checkpoint {
    fn complete(&self, split: &Split) -> Result<Split> {
        let (how, choices) = (self.completing(), self.columns().choices());
        let mut values = Vec::with_capacity(split.samples() * split.units());
        for first in (0..split.samples()).step_by(ROWS) {
            let samples: Vec<usize> = (first..split.samples().min(first + ROWS)).collect();
            let batch = split.batch(samples.iter().copied(), Binarize::None, 0)?;
            let Some(missing) = split.missing(&samples) else { return Ok(split.clone()) };
            values.extend(self.dbn.complete_choices(&batch, &missing.cells, &choices, &how)?.mean);
        }
        Ok(split.with_values(values)?)
    }

    fn provenance(&self) -> &Provenance {
        match &self.header {
            Header::Rbm(header) => &header.provenance,
            Header::Dbn(header) => &header.provenance,
        }
    }

    fn visible(&self) -> usize {
        self.dbn.visible()
    }

    fn told_classes(&self) -> usize {
        self.dbn.classes()
    }
}

impl Trained for NetworkCheckpoint {
    fn complete(&self, split: &Split) -> Result<Split> {
        let missing = count(split.missing_values() as usize, "missing value");
        Err(Failure::new(format!("the data have {missing}, and a feed-forward network does not know what is probable"))
            .hint("fill them with `dbn impute` and the deep belief net that the network was made of"))
    }

    fn provenance(&self) -> &Provenance {
        &self.header.provenance
    }

    fn visible(&self) -> usize {
        self.network.visible()
    }

    fn told_classes(&self) -> usize {
        self.network.classes()
    }
}

impl Trained for Model {
    fn complete(&self, split: &Split) -> Result<Split> {
        match self {
            Self::Belief(checkpoint) => checkpoint.complete(split),
            Self::Network(checkpoint) => checkpoint.complete(split),
        }
    }

    fn provenance(&self) -> &Provenance {
        match self {
            Self::Belief(checkpoint) => checkpoint.provenance(),
            Self::Network(checkpoint) => checkpoint.provenance(),
        }
    }

    fn visible(&self) -> usize {
        match self {
            Self::Belief(checkpoint) => checkpoint.visible(),
            Self::Network(checkpoint) => checkpoint.visible(),
        }
    }

    fn told_classes(&self) -> usize {
        match self {
            Self::Belief(checkpoint) => checkpoint.told_classes(),
            Self::Network(checkpoint) => checkpoint.told_classes(),
        }
    }
}

/// Refuses data of another width than the model's.
pub(crate) fn require_units(source: &Source, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the data '{source}' have {found} columns, but the checkpoint has {expected} visible units"
    ))
    .hint("use data of the kind the model was trained on; `dbn show` tells which"))
}

/// What a run that starts from the checkpoint at `path` is named after.
pub(crate) fn run_name(path: &Path) -> String {
    let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
    stem.map_or("model".into(), |stem| stem.to_string_lossy().into_owned())
}

fn read(path: &Path) -> Result<Model> {
    let device = Device::Cpu;
    let belief = |dbn, header| Ok(Model::Belief(Checkpoint { dbn, header }));
    let network = |objective| -> Result<Model> {
        let (network, header) = Network::load(path, objective)?;
        Ok(Model::Network(NetworkCheckpoint { network, header }))
    };
    match tensors::kind(path, &tensors::read(path)?)?.as_str() {
        "rbm" => {
            let (rbm, header) = deepbelief_rbm::load(path, &device)?;
            belief(Dbn::from_rbms(vec![rbm])?, Header::Rbm(header))
        }
        "dbn" => {
            let (dbn, header) = Dbn::load(path, &device)?;
            belief(dbn, Header::Dbn(header))
        }
        "mlp" => network(Objective::Classifier),
        "autoencoder" => network(Objective::Autoencoder),
        kind => Err(Failure::new(format!(
            "{} is of kind '{kind}', expected 'rbm', 'dbn', 'mlp' or 'autoencoder'",
            path.display()
        ))),
    }
}

/// The part of a data set that is asked for.
pub(crate) fn split(data: &Dataset, name: SplitName) -> Result<&Split> {
    match name {
        SplitName::Train => Ok(&data.train),
        SplitName::Test => data.test.as_ref().ok_or_else(|| {
            Failure::new(format!("{} has no test samples", data.name))
                .hint("take the training samples with --split train")
        }),
    }
}
