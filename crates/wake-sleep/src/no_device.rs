//! Stands in for the updates on a GPU in a build that has none.

use crate::config::{Part, Rules, TuneConfig};
use crate::error::{Error, Result};
use crate::net::Net;
use candle_core::Device;
use deepbelief_kernels::{Bits, Precision};
use deepbelief_training::Labelled;

/// There is none.
pub(crate) enum DeviceNet {}

impl DeviceNet {
    pub(crate) fn new(device: &Device, _: Precision, _: &Net, _: Option<&Bits>) -> Result<Self> {
        let expected = "the CPU, or an NVIDIA GPU in a build with the feature cuda";
        Err(Error::config("device", format!("{device:?}"), expected))
    }

    pub(crate) fn update(&mut self, _: &Labelled, _: &TuneConfig, _: &Rules, _: u32) -> Result<()> {
        match *self {}
    }

    pub(crate) fn largest(&mut self) -> Result<Vec<(Part, usize, f32)>> {
        match *self {}
    }

    pub(crate) fn download(&self, _: &mut Net) -> Result<Option<Bits>> {
        match *self {}
    }
}
