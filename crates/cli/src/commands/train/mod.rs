//! The verbs that train.

mod finetune;
mod pretrain;
mod stack;
mod tune;
mod watch_layers;

pub(crate) use finetune::Finetune;
pub(crate) use pretrain::Pretrain;
pub(crate) use stack::stack;
pub(crate) use tune::Tune;

use crate::run::looped::Figures;
use deepbelief_rbm::HiddenUnits;

/// Figures by name.
fn shown<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    figures.map(|(name, value)| (name.to_string(), value)).into()
}

/// What is said of hidden units that are not the usual ones.
fn of_units(units: HiddenUnits) -> &'static str {
    match units {
        HiddenUnits::Bernoulli => "",
        HiddenUnits::Gaussian => " with Gaussian hidden units",
    }
}
