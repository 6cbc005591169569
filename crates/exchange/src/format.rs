//! Whose models are read.

use crate::containers::potts::COUPLINGS;

/// The name and the shape of something that was written; a text has no axes.
pub type Written = (String, Vec<usize>);

/// Whose model a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// scikit-learn.
    Sklearn,
    /// rbms.
    Rbms,
    /// learnergy.
    Learnergy,
    /// The MATLAB code of 2006.
    Hinton,
    /// RestrictedBoltzmannMachines.jl.
    RbmJl,
    /// PGM, of Tubiana, Cocco & Monasson.
    Pgm,
    /// adabmDCA.
    Adabmdca,
    /// This project.
    Deepbelief,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Sklearn,
        Self::Rbms,
        Self::Learnergy,
        Self::Hinton,
        Self::RbmJl,
        Self::Pgm,
        Self::Adabmdca,
        Self::Deepbelief,
    ];

    /// The program as people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sklearn => "scikit-learn",
            Self::Rbms => "rbms",
            Self::Learnergy => "learnergy",
            Self::Hinton => "Hinton's MATLAB code",
            Self::RbmJl => "RestrictedBoltzmannMachines.jl",
            Self::Pgm => "PGM",
            Self::Adabmdca => "adabmDCA",
            Self::Deepbelief => "deepbelief",
        }
    }

    /// An array that is in no file of another format.
    pub(crate) fn landmark(self) -> &'static str {
        match self {
            Self::Sklearn => "components_",
            Self::Rbms => "update_N/params/weight_matrix",
            Self::Learnergy => "W",
            Self::Hinton => "vishid",
            Self::RbmJl => "rbm_hdf5_file_format_version",
            Self::Pgm => "vlayer.fields",
            Self::Adabmdca => COUPLINGS,
            Self::Deepbelief => "top.w_rec",
        }
    }

    /// All landmarks, as a message has them.
    pub(crate) fn landmarks() -> String {
        let all = Self::ALL.map(|format| format!("'{}' of {}", format.landmark(), format.name()));
        all.join(", ")
    }
}
