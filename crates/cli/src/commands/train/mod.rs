//! The verbs that train.

mod finetune;
mod pretrain;
mod stack;
mod tune;
mod watch_layers;
mod words;

pub(crate) use finetune::Finetune;
pub(crate) use pretrain::Pretrain;
pub(crate) use stack::stack;
pub(crate) use tune::Tune;
