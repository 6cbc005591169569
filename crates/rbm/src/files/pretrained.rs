//! Models of the Hugging Face Hub.

use crate::{Rbm, Result, load};
use candle_core::Device;
use deepbelief_hub::{Hub, Settings};
use std::path::PathBuf;

/// The checkpoint of a model on the Hub, as a file in the Hub's cache: `model.safetensors` of
/// `user/repo`, or another file, `user/repo:best.safetensors`; of the newest commit or of a
/// revision, `user/repo@v1`. The environment tells the rest, as [`deepbelief_hub`] says.
///
/// # Errors
/// [`Error::Hub`](crate::Error::Hub) if it is not there or cannot be fetched.
pub fn pretrained(address: &str) -> Result<PathBuf> {
    Ok(Hub::new(Settings::from_env())?.model(&address.parse()?)?)
}

impl Rbm {
    /// An RBM of the Hub, by an address as [`pretrained`] takes it.
    ///
    /// # Errors
    /// Those of [`pretrained`] and of [`load`].
    pub fn from_pretrained(address: &str) -> Result<Self> {
        Ok(load(&pretrained(address)?, &Device::Cpu)?.0)
    }
}
