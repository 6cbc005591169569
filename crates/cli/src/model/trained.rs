//! How the training data of a model were read, and fitting data to it.

use crate::args::{DataArgs, MachineArgs};
use crate::data::chunks::CHUNK;
use crate::data::open::{CLASS_NAMES, TEXT_FORM, open_again, open_data};
use crate::data::schema_file::SCHEMA;
use crate::failure::{Failure, Result, count};
use crate::machine::footprint::held;
use crate::machine::memory::{PROGRAM, fits};
use crate::model::{alignment, recorded};
use crate::report::Report;
use deepbelief_data::{
    Binarize, ClassNumbers, Dataset, Fetch, ImageShape, LabelUse, LoadOptions, Scale, Schema, Source, Split, TextForm,
};
use deepbelief_rbm::Provenance;
use std::path::Path;
use std::str::FromStr;

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
                "log-likelihoods are of numbers in the units of the table: {size:.2} nats a sample {than} those of the \
                 scaled numbers that the model learned; costs and free energies are of the scaled numbers"
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
    fn complete(&self, split: &Split, report: &Report) -> Result<Split>;

    /// Loads the data named by `args` as [`Trained::incomplete_data`] does, and fills what is missing by the model.
    fn data(&self, path: &Path, args: &DataArgs, machine: MachineArgs, report: &Report) -> Result<Dataset> {
        let data = self.incomplete_data(path, args, machine)?;
        let lacking = [Some(&data.train), data.test.as_ref()].into_iter().flatten().map(Split::missing_values).sum();
        let data = self.filled(data, report)?;
        say_filled(lacking);
        Ok(data)
    }

    /// The same data with what is missing filled by the model.
    fn filled(&self, mut data: Dataset, report: &Report) -> Result<Dataset> {
        let splits = [Some(&mut data.train), data.test.as_mut()].into_iter().flatten();
        for split in splits.filter(|split| split.has_missing()) {
            *split = self.complete(split, report)?;
        }
        Ok(data)
    }

    /// Loads the data named by `args`, else those that the model at `path` names, if they are its own; read as in
    /// training where `args` leave it open. They must fit the visible units. What can stay in its file does where it
    /// has no room in memory.
    fn incomplete_data(&self, path: &Path, args: &DataArgs, machine: MachineArgs) -> Result<Dataset> {
        let (source, options) = self.reading(path, args)?;
        self.incomplete_data_of(&source, &options, machine)
    }

    /// Loads a source with what it lacks.
    fn incomplete_data_of(&self, source: &Source, options: &LoadOptions, machine: MachineArgs) -> Result<Dataset> {
        // How they are understood has been said before, if they are the data of the training.
        let is_own = self.recorded::<Source>("data").is_some_and(|own| own.is_same_as(source));
        let open = if is_own { open_again } else { open_data };
        let data = open(source, options, machine.max_memory)?;
        require_units(source, data.train.units(), self.visible())?;
        if fits(PROGRAM + held(&data) + 2 * data.bytes_in_files(), machine.max_memory) {
            return Ok(data.held()?);
        }
        Ok(data)
    }

    /// The data that the model at `path` learned from, with what they lack, if they are still the same.
    fn training_data(&self, path: &Path, machine: MachineArgs) -> Result<Dataset> {
        let data = self.incomplete_data(path, &DataArgs::default(), machine)?;
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

/// Says how many values of the samples that are used are the model's.
pub(crate) fn say_filled(values: u64) {
    if values > 0 {
        tracing::info!(
            "{}: the model's mean given the rest of the sample stands there",
            count(values as usize, "missing value")
        );
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
    .hint("use data of the kind the model was trained on; `dbn show` says which"))
}
