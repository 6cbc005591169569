//! Where trainings run.

/// The devices that trainings run on, as errors about others say it.
pub const DEVICES: &str = "the CPU, or an NVIDIA GPU in a build with the feature `cuda`: features = [\"cuda\"] in the \
                           line of deepbelief in your Cargo.toml";
