//! What verbs that train say.

use crate::run::looped::Figures;
use deepbelief_rbm::HiddenUnits;

/// Figures by name.
pub(super) fn shown<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    figures.map(|(name, value)| (name.to_string(), value)).into()
}

/// What is said of hidden units that are not the usual ones.
pub(super) fn of_units(units: HiddenUnits) -> &'static str {
    match units {
        HiddenUnits::Bernoulli => "",
        HiddenUnits::Gaussian => " with Gaussian hidden units",
    }
}
