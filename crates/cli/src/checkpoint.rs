//! Opening a checkpoint of either kind, and fitting data to it.

use crate::args::{DataArgs, SplitName};
use crate::commands::training::CLASS_NAMES;
use crate::failure::{Explain, Failure, Result};
use crate::run_folder::checkpoint_path;
use candle_core::Device;
use deepbelief_data::{Binarize, Dataset, ImageShape, LoadOptions, Scale, Source, Split, load};
use deepbelief_rbm::{Provenance, tensors};
use deepbelief_stack::{Dbn, DbnHeader};
use serde::Serialize;
use std::path::Path;
use std::str::FromStr;

/// A model and what its file says of it. An RBM is a stack of depth one.
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

impl Checkpoint {
    /// Opens a file, or the checkpoint of a run folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = checkpoint_path(path)?;
        read(&path)
            .or_fail(|| "cannot open the checkpoint".into())
            .or_hint(|| "a checkpoint is the model.safetensors of a run folder".into())
    }

    /// Where the model comes from.
    pub(crate) fn provenance(&self) -> &Provenance {
        match &self.header {
            Header::Rbm(header) => &header.provenance,
            Header::Dbn(header) => &header.provenance,
        }
    }

    /// A setting of the training, where the checkpoint has it.
    fn recorded<T: FromStr>(&self, key: &str) -> Option<T> {
        self.provenance().recipe.get(key)?.as_str()?.parse().ok()
    }

    /// Shape of the visible units as a picture, as far as the training knew it.
    pub(crate) fn image_shape(&self) -> Option<ImageShape> {
        let shape: ImageShape = self.recorded("image_size")?;
        (shape.width * shape.height == self.dbn.visible()).then_some(shape)
    }

    /// How grey values become binary: as asked, else as in training.
    pub(crate) fn binarize(&self, asked: Option<Binarize>) -> Binarize {
        asked.or_else(|| self.recorded("binarize")).unwrap_or_default()
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

    /// What the classes are called, where the training data named them.
    pub(crate) fn class_names(&self) -> Option<Vec<String>> {
        let names = self.provenance().recipe.get(CLASS_NAMES)?;
        serde_json::from_value(names.clone()).ok()
    }

    /// Loads the data named by `args`, read as in training where `args` leave it open. They
    /// must fit the visible units.
    pub(crate) fn data(&self, args: &DataArgs) -> Result<Dataset> {
        let trained_on = self.recorded::<Source>("data");
        let source = args.data.clone().or_else(|| trained_on.clone()).unwrap_or(Source::Mnist);
        // Where the training data had their labels says nothing of other data. How they came into
        // [0, 1] does where it was by a range of their own, and so does which class is which number.
        let same = trained_on.is_some_and(|trained_on| trained_on == source);
        let scale = self.recorded::<Scale>("scale").filter(|scale| same || matches!(scale, Scale::Range { .. }));
        let defaults = LoadOptions::default();
        let data = load(
            &source,
            &LoadOptions {
                scale: args.scale.or(scale).unwrap_or_default(),
                class_names: self.class_names(),
                header: args.header.or_else(|| self.recorded("header").filter(|_| same)).unwrap_or_default(),
                label_column: args.label_column.clone().or_else(|| self.recorded("label_column").filter(|_| same)),
                image_size: args.image_size.or_else(|| self.image_shape()).unwrap_or(defaults.image_size),
                ..defaults
            },
        )?;
        let (found, expected) = (data.train.units(), self.dbn.visible());
        if found != expected {
            return Err(Failure::new(format!(
                "the data '{source}' have {found} columns, but the checkpoint has {expected} visible units"
            ))
            .hint("use data of the kind the model was trained on; `dbn show` tells which"));
        }
        Ok(data)
    }
}

fn read(path: &Path) -> Result<Checkpoint> {
    let device = Device::Cpu;
    match tensors::kind(path, &tensors::read(path)?)?.as_str() {
        "rbm" => {
            let (rbm, header) = deepbelief_rbm::load(path, &device)?;
            Ok(Checkpoint { dbn: Dbn::from_rbms(vec![rbm])?, header: Header::Rbm(header) })
        }
        "dbn" => {
            let (dbn, header) = Dbn::load(path, &device)?;
            Ok(Checkpoint { dbn, header: Header::Dbn(header) })
        }
        kind => Err(Failure::new(format!("{} is of kind '{kind}', expected 'rbm' or 'dbn'", path.display()))),
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
