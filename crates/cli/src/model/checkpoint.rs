//! Opening a checkpoint of any kind.

use crate::args::SplitName;
use crate::failure::{Explain, Failure, Result, count};
use crate::model::trained::Trained;
use crate::report::{Report, Work};
use crate::run::folder::checkpoint_path;
use candle_core::Device;
use deepbelief_data::{Binarize, Dataset, Split};
use deepbelief_finetune::{Network, NetworkHeader, Objective};
use deepbelief_rbm::{Provenance, VisibleStates, tensors};
use deepbelief_stack::{Completing, Dbn, DbnHeader};
use serde::Serialize;
use std::path::Path;

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

/// The work of the chains that fill what so many samples lack.
pub(crate) fn filling(report: &Report, how: &Completing, samples: usize) -> Work {
    let steps = u64::from(how.chains) * u64::from(how.burn_in + how.sweeps);
    report.work("steps of chains that fill gaps", samples.div_ceil(ROWS) as u64 * steps)
}

impl Trained for Checkpoint {
    fn complete(&self, split: &Split, report: &Report) -> Result<Split> {
        let (how, choices) = (self.completing(), self.columns().choices());
        let work = filling(report, &how, split.samples());
        let mut values = Vec::with_capacity(split.samples() * split.units());
        for first in (0..split.samples()).step_by(ROWS) {
            let samples: Vec<usize> = (first..split.samples().min(first + ROWS)).collect();
            let batch = split.batch(samples.iter().copied(), Binarize::None, 0)?;
            let Some(missing) = split.missing(&samples) else { return Ok(split.clone()) };
            let stepped = || work.did(1);
            values.extend(self.dbn.complete_watched(&batch, &missing.cells, &choices, &how, &stepped)?.mean);
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
    fn complete(&self, split: &Split, _: &Report) -> Result<Split> {
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
    fn complete(&self, split: &Split, report: &Report) -> Result<Split> {
        match self {
            Self::Belief(checkpoint) => checkpoint.complete(split, report),
            Self::Network(checkpoint) => checkpoint.complete(split, report),
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
