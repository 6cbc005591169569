//! Where to compute: `auto`, `cpu` or `cuda:N`.

use crate::failure::{Failure, Result};
use crate::machine::ranks;
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A device as flags and recipes name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum DeviceName {
    /// The first GPU where this build and the machine have one, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// The GPU of this number.
    Cuda(usize),
}

impl DeviceName {
    /// The device; says which where there was a choice.
    pub(crate) fn open(self) -> Result<Device> {
        match self {
            Self::Cuda(ordinal) if ranks::are_several() => {
                Err(Failure::new(format!("device is cuda:{ordinal}, but several ranks compute on CPUs"))
                    .hint("take --device cpu, or one process"))
            }
            Self::Auto if ranks::are_several() => Ok(Device::Cpu),
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(ordinal) => gpu(ordinal),
            Self::Auto => Ok(automatic()),
        }
    }
}

/// The first GPU, if it works.
#[cfg(feature = "cuda")]
fn automatic() -> Device {
    match gpu(0) {
        Ok(device) => device,
        Err(failure) => {
            tracing::info!("device:  the CPU, as no GPU can be used: {}", failure.what());
            Device::Cpu
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn automatic() -> Device {
    Device::Cpu
}

#[cfg(feature = "cuda")]
fn gpu(ordinal: usize) -> Result<Device> {
    use deepbelief_kernels::cuda::Gpu;
    let refused = |error: candle_core::Error| {
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        Failure::new(format!("cannot use GPU {ordinal}: {reason}"))
            .hint("nvidia-smi lists GPUs and the driver's version; this build needs driver 580 or newer")
    };
    let device = Gpu::device(ordinal).map_err(refused)?;
    let gpu = Gpu::new(&device).map_err(refused)?;
    let (free, all) = gpu.memory().map_err(refused)?;
    let name = gpu.name().map_err(refused)?;
    let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
    tracing::info!("device:  cuda:{ordinal}, {name}, {:.1} of {:.1} GiB free", gib(free), gib(all));
    Ok(device)
}

#[cfg(not(feature = "cuda"))]
fn gpu(ordinal: usize) -> Result<Device> {
    Err(Failure::new(format!("device is cuda:{ordinal}, but this build has no support for GPUs"))
        .hint("build with --features cuda, or take --device cpu"))
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let ordinal = |text: &str| text.strip_prefix("cuda:")?.parse().ok();
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => ordinal(text)
                .map(Self::Cuda)
                .ok_or_else(|| format!("device is '{text}'; it must be auto, cpu or cuda:N")),
        }
    }
}

impl TryFrom<String> for DeviceName {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<DeviceName> for String {
    fn from(name: DeviceName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["auto", "cpu", "cuda:0", "cuda:3"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceName::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0"] {
            let refusal = wrong.parse::<DeviceName>();
            assert_eq!(refusal, Err(format!("device is '{wrong}'; it must be auto, cpu or cuda:N")));
        }
    }
}
