//! What methods of training remember beside parameters, velocities and chains.

use crate::sampling::tempering::LadderState;
use crate::sampling::trajectory::TrajectoryState;
use crate::training::imputed::Imputed;
use deepbelief_kernels::{AdamMemory, Offsets, Parameters};

/// What a learner remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SamplerState {
    /// Of the centred gradient.
    pub(crate) offsets: Option<Offsets>,
    /// Fast weights.
    pub(crate) fast: Option<Parameters>,
    /// The running mean of the models.
    pub(crate) average: Option<Parameters>,
    /// Tempered chains.
    pub(crate) ladders: Option<LadderState>,
    /// Chains of earlier models.
    pub(crate) trajectory: Option<TrajectoryState>,
    /// Missing values.
    pub(crate) imputed: Imputed,
    /// Of Adam.
    pub(crate) adam: Option<AdamMemory>,
}
