//! Pictures of a feed-forward network.

use super::sheet::Sheet;
use super::shown::Shown;
use super::tiles::values;
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

/// Samples over what an autoencoder makes of them.
pub(crate) fn autoencoded(network: &Network, shape: ImageShape, samples: &Shown) -> Result<Sheet> {
    let units = network.visible();
    let v = Tensor::from_slice(&samples.values, (samples.values.len() / units, units), &Device::Cpu)?;
    let reconstruction = values(&network.forward(&v)?)?;
    let mut all = samples.rows();
    all.push(("reconstruction", reconstruction.as_slice()));
    let title = format!("{}: data and reconstructions", network_name(network));
    Ok(samples.sheet(title, &all, units, (shape.width, shape.height)))
}
