//! Opening a checkpoint, and fitting data to it.

use crate::args::{DataArgs, SplitName};
use crate::failure::{Explain, Failure, Result};
use crate::run_folder::checkpoint_path;
use candle_core::Device;
use deepbelief_data::{Binarize, Dataset, ImageShape, LoadOptions, Source, Split, load};
use deepbelief_rbm::{Header, Rbm};
use std::path::Path;
use std::str::FromStr;

/// A model and what its file says of it.
pub(crate) struct Checkpoint {
    pub(crate) rbm: Rbm,
    pub(crate) header: Header,
}

impl Checkpoint {
    /// Opens a file, or the checkpoint of a run folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = checkpoint_path(path)?;
        let (rbm, header) = deepbelief_rbm::load(&path, &Device::Cpu)
            .or_fail(|| "cannot open the checkpoint".into())
            .or_hint(|| "a checkpoint is the model.safetensors of a run folder".into())?;
        Ok(Self { rbm, header })
    }

    /// A setting of the training, where the checkpoint has it.
    fn recorded<T: FromStr>(&self, key: &str) -> Option<T> {
        self.header.provenance.recipe.get(key)?.as_str()?.parse().ok()
    }

    /// Shape of the visible units as a picture, as far as the training knew it.
    pub(crate) fn image_shape(&self) -> Option<ImageShape> {
        let shape: ImageShape = self.recorded("image_size")?;
        (shape.width * shape.height == self.rbm.visible()).then_some(shape)
    }

    /// How grey values become binary: as asked, else as in training.
    pub(crate) fn binarize(&self, asked: Option<Binarize>) -> Binarize {
        asked.or_else(|| self.recorded("binarize")).unwrap_or_default()
    }

    /// Loads the data named by `args`, read as in training where `args` leave it open. They
    /// must fit the visible units.
    pub(crate) fn data(&self, args: &DataArgs) -> Result<Dataset> {
        let trained_on = self.recorded::<Source>("data");
        let source = args.data.clone().or_else(|| trained_on.clone()).unwrap_or(Source::Mnist);
        // How the training data were read says nothing of other data.
        let same = trained_on.is_some_and(|trained_on| trained_on == source);
        let defaults = LoadOptions::default();
        let data = load(
            &source,
            &LoadOptions {
                scale: args.scale.or_else(|| self.recorded("scale").filter(|_| same)).unwrap_or_default(),
                header: args.header.or_else(|| self.recorded("header").filter(|_| same)).unwrap_or_default(),
                label_column: args.label_column.clone().or_else(|| self.recorded("label_column").filter(|_| same)),
                image_size: args.image_size.or_else(|| self.image_shape()).unwrap_or(defaults.image_size),
                ..defaults
            },
        )?;
        let (found, expected) = (data.train.units(), self.rbm.visible());
        if found != expected {
            return Err(Failure::new(format!(
                "the data '{source}' have {found} columns, but the checkpoint has {expected} visible units"
            ))
            .hint("use data of the kind the model was trained on; `dbn show` tells which"));
        }
        Ok(data)
    }
}

/// The part of a data set that is asked for.
pub(crate) fn split(data: &Dataset, name: SplitName) -> Option<&Split> {
    match name {
        SplitName::Train => Some(&data.train),
        SplitName::Test => data.test.as_ref(),
    }
}
