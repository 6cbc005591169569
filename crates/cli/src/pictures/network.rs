//! Pictures of a feed-forward network.

use super::sheet::Sheet;
use super::tiles::{in_groups, tiles, values};
use crate::failure::Result;
use candle_core::{Device, Tensor};
use deepbelief_data::ImageShape;
use deepbelief_finetune::{Network, Objective};

/// `784-500-500-2000-10 classifier`.
pub(crate) fn network_name(network: &Network) -> String {
    let sizes: Vec<String> = network.sizes().iter().map(ToString::to_string).collect();
    let what = match network.objective() {
        Objective::Classifier => "classifier",
        Objective::Autoencoder => "autoencoder",
    };
    format!("{} {what}", sizes.join("-"))
}

/// Samples [n, visible] over what an autoencoder makes of them.
pub(crate) fn autoencoded(network: &Network, shape: ImageShape, samples: &[f32]) -> Result<Vec<u8>> {
    let units = network.visible();
    let v = Tensor::from_slice(samples, (samples.len() / units, units), &Device::Cpu)?;
    let reconstruction = values(&network.forward(&v)?)?;
    let (row_labels, rows) =
        in_groups(&[("data", tiles(samples, units)), ("reconstruction", tiles(&reconstruction, units))]);
    Sheet {
        title: format!("{}: data and reconstructions", network_name(network)),
        row_labels,
        rows,
        shape: (shape.width, shape.height),
        ..Sheet::default()
    }
    .png()
}
