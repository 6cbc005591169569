//! What verbs that train say.

use crate::run::looped::Figures;
use deepbelief_rbm::{UnitKind, UnitMix};

/// Figures by name.
pub(super) fn shown<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    figures.map(|(name, value)| (name.to_string(), value)).into()
}

/// What is said of hidden units that are not the usual ones.
pub(super) fn of_units(units: &UnitMix) -> String {
    match units {
        units if units.is_bernoulli() => String::new(),
        UnitMix::All(UnitKind::Gaussian) => " with Gaussian hidden units".into(),
        units => format!(" with hidden units {units}"),
    }
}
