//! Settings of a training, resolved once: flag, else `DBN_*` environment (both through clap), else the recipe given
//! by `--config`, else what the model that is trained on was trained by, else the built-in recipe, which is the
//! default of the library's settings.

mod builder;
mod built_in;
mod common;
#[cfg(test)]
mod damaged;
mod data;
mod finetune;
mod named;
mod pretrain;
mod recipe;
mod resolve;
mod stack;
#[cfg(test)]
mod tests;
mod tune;
mod unused;
mod written;

pub(crate) use built_in::{built_in, default_text};
pub(crate) use common::{Settings, origin};
pub(crate) use data::{DataSettings, units_of};
pub(crate) use finetune::FinetuneSettings;
pub(crate) use named::NamedRecipe;
pub(crate) use pretrain::PretrainSettings;
pub(crate) use resolve::{Asked, Resolved, Said, resolve, resume, small_minibatches};
pub(crate) use stack::StackSettings;
pub(crate) use tune::{Rate, TuneSettings};
pub(crate) use unused::everywhere;
pub(crate) use written::{print_recipe, record, to_toml};
