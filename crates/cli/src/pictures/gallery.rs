//! The pictures that a run draws of a net.

use super::dbn::Net;
use super::dream::Dream;
use super::sheet::Sheet;
use super::shown::Shown;
use crate::failure::Result;
use crate::run::folder::RunFolder;
use deepbelief_data::{ImageShape, Schema};
use deepbelief_stack::Dbn;

/// Samples that the pictures of a run show.
pub(crate) struct Gallery {
    /// Shape of a sample; `None` where samples are no pictures.
    pub(crate) shape: Option<ImageShape>,
    /// The samples.
    pub(crate) samples: Shown,
    /// What the classes are called; empty where they have no names.
    pub(crate) class_names: Vec<String>,
    /// What the visible units stand for, where samples are no pictures.
    pub(crate) columns: Option<Schema>,
    /// Whether the training samples lack values.
    pub(crate) gaps: bool,
    /// Samples that a report measures units and labels on.
    pub(crate) crowd: Crowd,
}

/// Samples that lack nothing, without a picture of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    /// Which samples they are: `validation`.
    pub(crate) of: &'static str,
    /// As the model sees them, [n, visible].
    pub(crate) values: Vec<f32>,
    /// Their labels; empty where they have none.
    pub(crate) labels: Vec<u32>,
}

impl Gallery {
    /// Draws a deep belief net into the folder of its run: its filters, what it makes of the
    /// samples, what it dreams. The dream is given back.
    pub(crate) fn draw_net(&self, folder: &RunFolder, dbn: &Dbn, seed: u64) -> Result<Option<Sheet>> {
        let Some(shape) = self.shape else { return Ok(None) };
        let net = Net { dbn, shape };
        folder.write("filters.png", &net.filters(None)?)?;
        folder.write("reconstructions.png", &net.reconstructions(&self.samples)?.png()?)?;
        let mut dream = Dream::of(dbn, seed, &self.class_names);
        // An RBM with labels often has no way from noise to all of them.
        if dbn.depth() == 1 && !dream.clamped.is_empty() && !self.crowd.labels.is_empty() {
            let (units, labels) = (dbn.visible(), &self.crowd.labels);
            let chosen = dream.spread(labels.len(), |sample| labels.get(sample).copied());
            let row = |sample: usize| &self.crowd.values[sample * units..(sample + 1) * units];
            dream.start = chosen.into_iter().flat_map(row).copied().collect();
        }
        let dream = dream.once(net)?;
        folder.write("fantasies.png", &dream.png()?)?;
        Ok(Some(dream))
    }
}
