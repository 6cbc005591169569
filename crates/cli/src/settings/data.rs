//! Settings that all trainings share: their data, and how they run.

use crate::machine::device::DeviceName;
use crate::options::Verb;
use crate::options::save_every::SaveEvery;
use deepbelief_data::{
    AlignmentOptions, Alphabet, Binarize, Codes, ColumnKinds, Dataset, Fetch, Header, ImageShape, Inserts, LoadOptions,
    Scale, Schema, Source, Unknown, VisibleUnits,
};
use deepbelief_kernels::Precision;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataSettings {
    pub(crate) data: Source,
    pub(crate) scale: Scale,
    pub(crate) label_column: Option<String>,
    pub(crate) feature_column: Option<String>,
    pub(crate) header: Header,
    pub(crate) column_types: Option<ColumnKinds>,
    pub(crate) missing: Option<Codes>,
    pub(crate) weight_column: Option<String>,
    /// Bernoulli where nothing is said, as in earlier runs: a new run says it, see [`DataSettings::take_own_units`].
    pub(crate) visible_units: Option<VisibleUnits>,
    pub(crate) schema: Option<Schema>,
    pub(crate) alphabet: Option<Alphabet>,
    pub(crate) unknown: Option<Unknown>,
    pub(crate) inserts: Option<Inserts>,
    pub(crate) max_gaps: Option<f64>,
    pub(crate) deduplicate: Option<bool>,
    pub(crate) reweight: Option<f64>,
    pub(crate) weights: Option<PathBuf>,
    pub(crate) image_size: Option<ImageShape>,
    pub(crate) valid: usize,
    pub(crate) valid_clusters: Option<f64>,
    pub(crate) binarize: Binarize,
    pub(crate) balanced: bool,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            data: Source::Mnist,
            scale: Scale::default(),
            label_column: None,
            feature_column: None,
            header: Header::default(),
            column_types: None,
            missing: None,
            weight_column: None,
            visible_units: None,
            schema: None,
            alphabet: None,
            unknown: None,
            inserts: None,
            max_gaps: None,
            deduplicate: None,
            reweight: None,
            weights: None,
            image_size: None,
            valid: 10_000,
            valid_clusters: None,
            binarize: Binarize::None,
            balanced: false,
        }
    }
}

impl DataSettings {
    /// How the data are read.
    pub(crate) fn load_options(&self) -> LoadOptions {
        let defaults = LoadOptions::default();
        LoadOptions {
            scale: if self.schema.is_some() { defaults.scale } else { self.scale },
            header: self.header,
            label_column: self.label_column.clone(),
            feature_column: self.feature_column.clone(),
            column_types: self.column_types.clone().unwrap_or_default(),
            missing: self.missing.clone().unwrap_or_default().0,
            weight_column: self.weight_column.clone(),
            visible_units: self.visible_units.unwrap_or_default(),
            schema: self.schema.clone(),
            alignment: AlignmentOptions {
                alphabet: self.alphabet.clone(),
                unknown: self.unknown.unwrap_or_default(),
                inserts: self.inserts.unwrap_or_default(),
                max_gaps: self.max_gaps,
                deduplicate: self.deduplicate.unwrap_or_default(),
                reweight: self.reweight.filter(|&share| share != 0.0),
                weights: self.weights.clone(),
                clusters: self.valid_clusters.filter(|&share| share != 0.0),
            },
            image_size: self.image_size,
            fetch: Fetch(crate::hub::dataset),
            ..defaults
        }
    }

    /// Settles the units of a new training that nobody named, nor spoke of what is for Bernoulli units alone: see
    /// [`units_of`].
    pub(crate) fn take_own_units(&mut self, verb: Verb) {
        if self.schema.is_none() {
            let units = units_of(verb, self.visible_units, self.scale);
            self.visible_units = self.visible_units.or(Some(units).filter(|&units| units == VisibleUnits::Auto));
        }
    }

    /// Fills in what only the data tell: the shape of a picture, the range of values, and, where nobody asked for a
    /// number of validation samples, one that is at most a sixth of all.
    pub(crate) fn complete(&mut self, data: &Dataset, valid_is_default: bool) {
        if valid_is_default {
            self.valid = self.valid.min(data.train.samples() / 6);
        }
        self.image_size = self.image_size.or(data.image);
        // What is said of data whose units are Bernoulli anyway is what was said of them before there were others.
        self.visible_units =
            self.visible_units.filter(|&units| units != VisibleUnits::Auto || !data.train.layer().is_bernoulli());
        if self.schema.is_some() {
            return;
        }
        // The range that was found, so that other data are read alike.
        let found = self.scale == Scale::Auto && self.data != Source::Mnist && data.schema.columns.is_empty();
        if found || self.scale == Scale::MinMax && data.schema.columns.is_empty() {
            self.scale = Scale::from(data.scaling);
        }
    }
}

/// The units that learn data, where `asked` names none: those of each column's own kind, unless it is asked for a scale,
/// which is of Bernoulli units, and those are all that the verb learns.
pub(crate) fn units_of(verb: Verb, asked: Option<VisibleUnits>, scale: Scale) -> VisibleUnits {
    let own = matches!(verb, Verb::Pretrain | Verb::Stack) && scale == Scale::Auto;
    asked.unwrap_or(if own { VisibleUnits::Auto } else { VisibleUnits::Bernoulli })
}

/// How a training runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunSettings {
    pub(crate) device: DeviceName,
    /// F32 where nothing is said. A checkpoint records it only where something was.
    pub(crate) precision: Option<Precision>,
    /// MiB; 0 leaves it to what is free.
    pub(crate) max_memory: u32,
    pub(crate) save_every: SaveEvery,
    pub(crate) picture_every: u32,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            device: DeviceName::Auto,
            precision: None,
            max_memory: 0,
            save_every: SaveEvery::Seconds(300),
            picture_every: 0,
        }
    }
}

impl RunSettings {
    /// What products are computed in.
    pub(crate) fn precision(&self) -> Precision {
        self.precision.unwrap_or_default()
    }
}
