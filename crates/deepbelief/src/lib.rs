//! Restricted Boltzmann machines and deep belief nets on candle: all of the deepbelief libraries
//! under one name.
//!
//! | module | holds |
//! |---|---|
//! | [`data`] | where samples come from, and how they reach a trainer in minibatches |
//! | [`rbm`] | the RBM as a candle layer, contrastive divergence, checkpoints |
//! | [`stack`] | the deep belief net, its greedy layer-wise training, what it says of data and of itself |
//! | [`wake_sleep`] | tuning of a deep belief net by the up-down algorithm |
//! | [`finetune`] | the other route: classifiers and autoencoders by backpropagation |
//! | [`analysis`] | what an RBM says of sequences and spins: effective couplings, contacts |
//! | [`exchange`] | models of scikit-learn, rbms, learnergy and MATLAB read, nets written as NumPy arrays |
//! | [`kernels`] | what all this is made of: seeded random numbers, packed states, products |
//!
//! What most programs need of them lies here at the top. [The guide](guide) goes from data to a
//! tuned net, and every module's page says what its formulas, shapes and errors are. Tensors are
//! those of [`candle_core`], in the version this crate is built on: 0.11.1, which `candle-nn` beside it must have too.
//!
//! One seed fixes everything: the same program gives the same bits on any number of threads.
//!
//! Cargo features leave out what a program does not need, `default-features = false` all of these:
//!
//! | feature | brings | in `default` |
//! |---|---|---|
//! | `formats` | readers of tables, NumPy, MATLAB, safetensors, alignments and folders of pictures; without it IDX alone | yes |
//! | `hdf5` | HDF5 files, and MATLAB's since 7.3 | yes |
//! | `exchange` | models of other programs | yes |
//! | `parquet` | Parquet files | no |
//! | `embedded-mnist` | `Dataset::mnist`, 9 MB | no |
//! | `hub` | the Hugging Face Hub | no |
//! | `cuda` | training on an NVIDIA GPU | no |
//!
//! A program that depends on this crate builds the kernels in one unit, else training takes up to six times as long; in its
//! `Cargo.toml`:
//!
//! ```toml
//! [profile.release.package.deepbelief-kernels]
//! codegen-units = 1
//! ```
//!
//! ```
//! use deepbelief::candle_core::{DType, Device, Tensor};
//! use deepbelief::{Rbm, RbmConfig};
//!
//! # fn main() -> Result<(), deepbelief::rbm::Error> {
//! let rbm = Rbm::new(&RbmConfig { hidden: 3, ..Default::default() }, &[0.1, 0.5, 0.9, 0.2], &Device::Cpu)?;
//! let v = Tensor::zeros((2, 4), DType::F32, &Device::Cpu)?;
//! assert_eq!(rbm.forward(&v)?.dims(), [2, 3]);
//! assert_eq!(rbm.free_energy(&v)?.dims(), [2]);
//! # Ok(())
//! # }
//! ```

/// What snippets of the guide build on, in lines that its pages do not show.
macro_rules! before {
    (data) => {
        r"# use deepbelief::{Pixels, Split};
# let (mut pixels, mut labels) = (Vec::new(), Vec::new());
# for sample in 0..240u32 {
#     let (label, place) = (sample % 2, sample / 2 % 4);
#     let on = |pixel: u32| [pixel / 4, pixel % 4][label as usize] == place;
#     pixels.extend((0..16).map(|pixel| if on(pixel) { 245u8 } else { 10 }));
#     labels.push(label);
# }
# let data = Split::new(16, Pixels::from(pixels), Some(labels))?;
# let (train, valid) = data.split_validation(40, 1)?;"
    };
    (minibatches) => {
        r"# use deepbelief::{BatchConfig, Binarize, Minibatcher, Monitors};
# let config = BatchConfig { batch_size: 10, binarize: Binarize::Fresh, ..Default::default() };
# let mut minibatches = Minibatcher::new(&train, config)?;
# let monitors = Monitors {
#     train: train.batch(0..40, Binarize::Fresh, 1)?,
#     train_labels: train.labels().unwrap_or_default()[..40].to_vec(),
#     valid: Some(valid.batch(0..40, Binarize::Fresh, 1)?),
#     valid_labels: valid.labels().unwrap_or_default(),
#     ..Default::default()
# };"
    };
    (net) => {
        r"# use deepbelief::{Greedy, StackConfig, TrainConfig};
# let learning = TrainConfig { epochs: 40, learning_rate: 0.3, ..Default::default() };
# let config = StackConfig { classes: Some(2), ..StackConfig::of_layers(&[12, 16], &learning) };
# let mut greedy = Greedy::new(config)?;
# greedy.fit(&mut minibatches, &monitors, &mut ())?;
# let dbn = greedy.dbn()?;"
    };
}

pub mod guide;

/// The code of pages runs as a test.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/src/checkpoint.md")]
    struct Checkpoint;
}

pub use candle_core;
pub use deepbelief_analysis as analysis;
pub use deepbelief_data as data;
#[cfg(feature = "exchange")]
pub use deepbelief_exchange as exchange;
pub use deepbelief_finetune as finetune;
#[cfg(feature = "hub")]
pub use deepbelief_hub as hub;
pub use deepbelief_kernels as kernels;
pub use deepbelief_rbm as rbm;
pub use deepbelief_stack as stack;
pub use deepbelief_wake_sleep as wake_sleep;

pub use data::{BatchConfig, Binarize, Dataset, Minibatcher, Pixels, Source, Split};
pub use finetune::{FinetuneConfig, Finetuner, Network, Objective};
pub use rbm::{EpochMetrics, Monitors, Outcome, Provenance, Rbm, RbmConfig, TrainConfig, Trainer};
pub use stack::{Dbn, Generation, Greedy, StackConfig};
pub use wake_sleep::{TuneConfig, Tuner};
