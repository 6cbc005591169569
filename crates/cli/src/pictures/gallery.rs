//! The pictures that a run draws of a net.

use super::dbn::Net;
use super::dream::Dream;
use crate::failure::Result;
use crate::run::folder::RunFolder;
use deepbelief_data::ImageShape;
use deepbelief_stack::Dbn;

/// Samples that the pictures of a run show.
pub(crate) struct Gallery {
    /// Shape of a sample; `None` where samples are no pictures.
    pub(crate) shape: Option<ImageShape>,
    /// Binarised samples [n, visible].
    pub(crate) samples: Vec<f32>,
    /// What the classes are called; empty where they have no names.
    pub(crate) class_names: Vec<String>,
}

impl Gallery {
    /// Draws a deep belief net into the folder of its run: its filters, what it makes of the
    /// samples, what it dreams.
    pub(crate) fn draw_net(&self, folder: &RunFolder, dbn: &Dbn, seed: u64) -> Result<()> {
        let Some(shape) = self.shape else { return Ok(()) };
        let net = Net { dbn, shape };
        folder.write("filters.png", &net.filters(None)?)?;
        folder.write("reconstructions.png", &net.reconstructions(&self.samples)?)?;
        folder.write("fantasies.png", &Dream::of(dbn, seed, &self.class_names).png(net, &|_| ())?)
    }
}
