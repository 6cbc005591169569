//! The samples that pictures and the report of a training show.

use super::parts::Parts;
use crate::failure::Result;
use crate::pictures::{Crowd, Gallery, Shown, shape_of};
use crate::settings::DataSettings;
use deepbelief_data::Schema;
use deepbelief_kernels::Missing;

/// Samples shown in the pictures.
const SHOWN: usize = 10;

/// Samples that a report measures units and labels on, and their values, at most.
const CROWD: usize = 2000;
const CROWD_VALUES: usize = 2_000_000;

impl Parts {
    /// Test samples for the pictures, or where there is no test set, others.
    pub(crate) fn gallery(&self, settings: &DataSettings, seed: u64) -> Result<Gallery> {
        let split = self.data.test.as_ref().or(self.valid.as_ref()).unwrap_or(&self.train);
        let table = settings.image_size.is_none() && !self.data.schema.is_of_one_kind();
        let shape = if table {
            let columns = match self.data.schema.alphabet() {
                Some(_) => "sites of an alignment",
                None => "columns of a table",
            };
            Err(format!("the {columns} are no pixels"))
        } else if !split.layer().is_bernoulli() {
            Err(format!("pictures are of Bernoulli units, and these are {}", split.layer()))
        } else {
            let shape = shape_of(split.units(), settings.image_size);
            shape.map_err(|failure| format!("{} (see --image-size)", failure.what()))
        };
        if let Err(why) = &shape {
            tracing::info!("no pictures of filters and samples: {why}");
        }
        let class_names = self.data.class_names.clone().unwrap_or_default();
        let samples = Shown::of(split, SHOWN, settings.binarize, seed, &class_names)?;
        let shape = shape.ok();
        let columns = shape.is_none().then(|| self.columns(settings));
        let (gaps, learned) = (self.data.train.has_missing(), self.train.samples());
        Ok(Gallery { shape, samples, class_names, columns, gaps, learned, crowd: self.crowd(settings, seed)? })
    }

    /// What the visible units stand for.
    fn columns(&self, settings: &DataSettings) -> Schema {
        let of_table = Some(self.data.schema.clone()).filter(|schema| schema.units() == self.train.units());
        of_table.unwrap_or_else(|| Schema::of_scale(self.train.units(), settings.scale))
    }

    /// Some validation samples, or where there are none, training samples.
    fn crowd(&self, settings: &DataSettings, seed: u64) -> Result<Crowd> {
        let (of, split) = self.valid.as_ref().map_or(("training", &self.train), |valid| ("validation", valid));
        let most = CROWD.min(CROWD_VALUES / split.units().max(1)).min(split.samples());
        let whole = |&sample: &usize| {
            let lacks = |missing: Missing| (0..split.units()).any(|unit| missing.cells.get(0, unit));
            !split.missing(&[sample]).is_some_and(lacks)
        };
        let chosen: Vec<usize> = (0..split.samples()).filter(whole).take(most).collect();
        let values = split.batch(chosen.iter().copied(), settings.binarize, seed)?.to_values();
        let labels = chosen.iter().filter_map(|&sample| split.label(sample)).collect();
        Ok(Crowd { of, values, labels })
    }
}
