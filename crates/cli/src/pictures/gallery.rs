//! The pictures that a run draws of a net.

use super::dbn::Net;
use super::dream::Dream;
use super::sheet::Sheet;
use super::shown::Shown;
use crate::failure::Result;
use crate::run::folder::RunFolder;
use deepbelief_data::{ImageShape, Schema};
use deepbelief_kernels::{Stream, Uniforms};
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
    /// Training samples.
    pub(crate) learned: usize,
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
    /// samples, what it dreams: from samples, where it should start there. The dream is given back.
    pub(crate) fn draw_net(
        &self,
        folder: &RunFolder,
        dbn: &Dbn,
        seed: u64,
        from_samples: bool,
    ) -> Result<Option<Sheet>> {
        let Some(shape) = self.shape else { return Ok(None) };
        let net = Net { dbn, shape };
        folder.write("filters.png", &net.filters(None)?)?;
        folder.write("reconstructions.png", &net.reconstructions(&self.samples)?.png()?)?;
        let mut dream = Dream::of(dbn, seed, &self.class_names);
        if from_samples && !dream.clamped.is_empty() && !self.crowd.labels.is_empty() {
            let (units, labels) = (dbn.visible(), &self.crowd.labels);
            let chosen = dream.spread(labels.len(), |sample| labels.get(sample).copied());
            // Chains have states; values that are states stay.
            let draw = Uniforms::new(seed, Stream::Binarize, 0);
            let state = |sample: usize, unit: usize| {
                let on = draw.at(sample as u32, unit as u32) < self.crowd.values[sample * units + unit];
                f32::from(u8::from(on))
            };
            let states = |sample: usize| (0..units).map(move |unit| state(sample, unit));
            dream.start = chosen.into_iter().flat_map(states).collect();
        }
        let dream = dream.once(net)?;
        folder.write("fantasies.png", &dream.png()?)?;
        Ok(Some(dream))
    }
}
