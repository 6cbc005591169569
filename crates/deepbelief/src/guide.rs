//! From data to a tuned net.
//!
//! Each step is a few lines that run as they stand. Here they learn from pictures of 4 x 4 pixels and
//! take no time; on real data nothing changes but the sizes and the epochs. The program `dbn` does the
//! same from the command line, with checkpoints, pictures and resume around it.
//!
//! # 1. Data
//!
//! Samples are rows of values. A [`Split`](crate::Split) holds them, with or without labels. Values of
//! [`Split::new`](crate::Split::new) lie between 0 and 1; [a table](#a-table) of a file and
//! [numbers in memory](#real-numbers-in-memory) may be any.
//! [`data::load`](crate::data::load) reads them from files by a [`Source`](crate::Source) such as
//! `csv:table.csv`, and `Dataset::mnist` (feature `embedded-mnist`) brings the digits along. Here a row
//! (label 0) or a column (label 1) of each picture is on:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use deepbelief::{Pixels, Split};
//!
//! let (mut pixels, mut labels) = (Vec::new(), Vec::new());
//! for sample in 0..240u32 {
//!     let (label, place) = (sample % 2, sample / 2 % 4);
//!     let on = |pixel: u32| [pixel / 4, pixel % 4][label as usize] == place;
//!     pixels.extend((0..16).map(|pixel| if on(pixel) { 245u8 } else { 10 }));
//!     labels.push(label);
//! }
//! let data = Split::new(16, Pixels::from(pixels), Some(labels))?;
//! let (train, valid) = data.split_validation(40, 1)?;
//! # Ok(())
//! # }
//! ```
//!
//! 40 samples are held out to see overfitting by. The others are dealt in minibatches, in an order that
//! seed and epoch decide. Grey values are probabilities of being on: [`Binarize`](crate::Binarize) says
//! whether they are drawn, again for every epoch, or stay as they are. What every epoch is measured on are the
//! [`Monitors`](crate::Monitors):
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
//! use deepbelief::{BatchConfig, Binarize, Minibatcher, Monitors};
//!
//! let config = BatchConfig { batch_size: 10, binarize: Binarize::Fresh, ..Default::default() };
//! let mut minibatches = Minibatcher::new(&train, config)?;
//! let monitors = Monitors {
//!     train: train.batch(0..40, Binarize::Fresh, 1)?,
//!     train_labels: train.labels().unwrap_or_default()[..40].to_vec(),
//!     valid: Some(valid.batch(0..40, Binarize::Fresh, 1)?),
//!     valid_labels: valid.labels().unwrap_or_default(),
//!     ..Default::default()
//! };
//! # Ok(())
//! # }
//! ```
//!
//! # 2. One RBM
//!
//! [`Rbm`](crate::Rbm) is the model, a candle layer, and [`Trainer`](crate::Trainer) what teaches it, by
//! contrastive divergence. It hands every epoch's figures to whoever watches; a closure will do.
//! A training says more than that its costs fall: see [`EpochMetrics`](crate::EpochMetrics).
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
//! use deepbelief::candle_core::Device;
//! use deepbelief::{EpochMetrics, Rbm, RbmConfig, TrainConfig, Trainer};
//!
//! let rbm = Rbm::new(&RbmConfig { hidden: 12, ..Default::default() }, &train.mean()?, &Device::Cpu)?;
//! let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 20, learning_rate: 0.2, ..Default::default() })?;
//! let mut costs = Vec::new();
//! trainer.fit(&mut minibatches, &monitors, &mut |epoch: &EpochMetrics| costs.push(epoch.reconstruction_cost))?;
//! let rbm = trainer.snapshot().model()?;
//!
//! assert!(costs[19] < costs[0], "nats per picture: {costs:?}");
//! assert_eq!(rbm.w_rec().dims(), [16, 12]);
//! # Ok(())
//! # }
//! ```
//!
//! Its file is a safetensors file, which says where the model comes from. How probable it finds samples is
//! `-F(v) - ln Z`, in nats: [`log_likelihood`](crate::rbm::likelihood::log_likelihood) has its mean over samples and an
//! interval, in the way of `dbn eval`. It sums ln Z where one side has at most 25 units, and anneals elsewhere, both ways,
//! from samples that the RBM learned from.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
//! # use deepbelief::{RbmConfig, TrainConfig, Trainer};
//! # let untrained = deepbelief::Rbm::new(&RbmConfig { hidden: 12, ..Default::default() }, &train.mean()?, &deepbelief::candle_core::Device::Cpu)?;
//! # let mut trainer = Trainer::new(&untrained, TrainConfig { epochs: 20, learning_rate: 0.2, ..Default::default() })?;
//! # trainer.fit(&mut minibatches, &monitors, &mut ())?;
//! # let rbm = trainer.snapshot().model()?;
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! use deepbelief::candle_core::Device;
//! use deepbelief::rbm::likelihood::{LogZConfig, log_likelihood};
//! use deepbelief::rbm::{load, save};
//! use deepbelief::Provenance;
//!
//! let path = folder.join("rbm.safetensors");
//! save(&path, &rbm, &Provenance { dataset: "bars".into(), seed: 1, epochs: 20, ..Default::default() })?;
//! let (again, header) = load(&path, &Device::Cpu)?;
//! assert_eq!(header.provenance.dataset, "bars");
//!
//! let samples = valid.batch(0..40, Binarize::Fixed, 1)?;
//! let training = train.batch(0..200, Binarize::Fixed, 1)?;
//! let exact = log_likelihood(&again, &samples, &training, &LogZConfig::default())?;
//! assert!(exact.value > -11.0, "nats per picture: {exact:?}; an RBM that knew nothing has -16 ln 2");
//!
//! // As if it had too many units to sum over.
//! let config = LogZConfig { estimate: true, temperatures: 2000, ..Default::default() };
//! let estimated = log_likelihood(&again, &samples, &training, &config)?;
//! let (low, high) = estimated.ends.expect("both directions saw one model");
//! assert!(low <= exact.value && exact.value <= high, "{exact:?} {estimated:?}");
//! # Ok(())
//! # }
//! ```
//!
//! # A table
//!
//! With [`VisibleUnits::Auto`](crate::data::VisibleUnits::Auto) each column of a table has units of its own kind, as in
//! `dbn pretrain`: a column of real numbers has a Gaussian unit, which learns the number less its mean, divided by its
//! standard deviation. The default, `Bernoulli`, maps every column to values from 0 to 1.
//! [`Split::layer`](crate::Split::layer) says which units there are, and the RBM must have the same ones: give them to
//! it as `visible_units`. A trainer refuses data of other units than its model's.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! use deepbelief::candle_core::Device;
//! use deepbelief::data::{LoadOptions, VisibleUnits, load};
//! use deepbelief::{BatchConfig, EpochMetrics, Minibatcher, Monitors, Rbm, RbmConfig, Source, TrainConfig, Trainer};
//!
//! let file = folder.join("table.csv");
//! let rows = (0..200).map(|k| {
//!     let (length, colour) = (10.0 + f64::from(k * 37 % 100) / 10.0, ["red", "green"][k as usize * 37 % 100 / 50]);
//!     format!("{length},{:.2},{colour}\n", 3.0 * length + f64::from(k % 7))
//! });
//! std::fs::write(&file, format!("length,weight,colour\n{}", rows.collect::<String>()))?;
//!
//! let options = LoadOptions { visible_units: VisibleUnits::Auto, ..Default::default() };
//! let table = load(&Source::Csv(file), &options)?;
//! let units = table.train.layer().clone();
//! assert_eq!(units.to_string(), "2 gaussian, 1 bernoulli");
//!
//! let mut minibatches = Minibatcher::new(&table.train, BatchConfig { batch_size: 10, ..Default::default() })?;
//! let monitors = Monitors::from_training(&mut minibatches, 200);
//! let config = RbmConfig { hidden: 12, visible_units: Some(units), ..Default::default() };
//! let rbm = Rbm::new(&config, &table.train.mean()?, &Device::Cpu)?;
//! let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 50, learning_rate: 0.01, ..Default::default() })?;
//! let mut costs = Vec::new();
//! trainer.fit(&mut minibatches, &monitors, &mut |epoch: &EpochMetrics| costs.push(epoch.reconstruction_cost))?;
//!
//! assert!(costs[49] < 0.5 * costs[0], "nats per row: {costs:?}");
//! # Ok(())
//! # }
//! ```
//!
//! # Real numbers in memory
//!
//! [`Split::of_units`](crate::Split::of_units) takes values of any units, row by row. Real numbers are those of Gaussian
//! units; they are learned as they are, so each column should have mean 0 and deviation 1.
//! `Dataset::of_blocks` (feature `formats`) takes columns of numbers and words as they are, scales them as those of a file,
//! and remembers how.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use deepbelief::candle_core::Device;
//! use deepbelief::kernels::{UnitKind, Units};
//! use deepbelief::{BatchConfig, EpochMetrics, Minibatcher, Monitors, Rbm, RbmConfig, Split, TrainConfig, Trainer};
//!
//! // 200 rows of two columns, each with mean 0 and deviation 1.
//! let wave = |k: u16, shift: f32| 2f32.sqrt() * (f32::from(k) * std::f32::consts::TAU / 200.0 + shift).sin();
//! let values: Vec<f32> = (0..200).flat_map(|k| [wave(k, 0.0), wave(k, 0.3)]).collect();
//!
//! let units = Units::of(UnitKind::Gaussian, 2);
//! let data = Split::of_units(units.clone(), values, None)?;
//! let mut minibatches = Minibatcher::new(&data, BatchConfig { batch_size: 10, ..Default::default() })?;
//! let monitors = Monitors::from_training(&mut minibatches, 200);
//! let config = RbmConfig { hidden: 12, visible_units: Some(units), ..Default::default() };
//! let rbm = Rbm::new(&config, &data.mean()?, &Device::Cpu)?;
//! let mut trainer = Trainer::new(&rbm, TrainConfig { epochs: 50, learning_rate: 0.01, ..Default::default() })?;
//! let mut costs = Vec::new();
//! trainer.fit(&mut minibatches, &monitors, &mut |epoch: &EpochMetrics| costs.push(epoch.reconstruction_cost))?;
//!
//! assert!(costs[49] < costs[0], "nats per row: {costs:?}");
//!
//! // Bernoulli units, which are the default, would learn other data.
//! let bits = Rbm::new(&RbmConfig { hidden: 12, ..Default::default() }, &[0.5, 0.5], &Device::Cpu)?;
//! let refused = Trainer::new(&bits, TrainConfig::default())?.fit(&mut minibatches, &monitors, &mut ());
//! let said = refused.unwrap_err().to_string();
//! assert!(said.starts_with("the training data have 2 gaussian units, but the model has 2 bernoulli"), "{said}");
//! # Ok(())
//! # }
//! ```
//!
//! # 3. A deep belief net
//!
//! [`Greedy`](crate::Greedy) stacks RBMs: each learns what the one below makes of the data. With classes,
//! the label joins at the top, where its free energy tells it (Hinton, Osindero & Teh 2006).
//! [`StackConfig`](crate::StackConfig) has settings for each layer; `of_layers` makes them all alike.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
//! use deepbelief::{Greedy, StackConfig, TrainConfig};
//!
//! let learning = TrainConfig { epochs: 40, learning_rate: 0.3, ..Default::default() };
//! let config = StackConfig { classes: Some(2), ..StackConfig::of_layers(&[12, 16], &learning) };
//! let mut greedy = Greedy::new(config)?;
//! greedy.fit(&mut minibatches, &monitors, &mut ())?;
//! let dbn = greedy.dbn()?;
//!
//! assert_eq!(dbn.sizes(), [16, 12, 16]);
//! # Ok(())
//! # }
//! ```
//!
//! # 4. What it says
//!
//! Pictures go in as a tensor [samples, pixels]. The net tells labels, encodes, reconstructs, and dreams:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
#![doc = before!(net)]
//! use deepbelief::candle_core::Device;
//! use deepbelief::rbm::tensors::from_batch;
//! let v = from_batch(&valid.batch(0..40, Binarize::None, 1)?, &Device::Cpu)?;
//! let labels = valid.labels().unwrap_or_default();
//!
//! let error = dbn.label_error(&v, &labels)?;
//! assert!(error < 0.2, "wrong of {error} of the held-out pictures");
//! assert_eq!(dbn.encode(&v, dbn.depth(), None)?.dims(), [40, 16]);
//! assert_eq!(dbn.reconstruct(&v)?.dims(), [40, 16]);
//!
//! let columns = deepbelief::Generation { chains: 5, labels: Some(vec![1; 5]), steps: 100, ..Default::default() };
//! let dreamt = &dbn.generate(&columns)?[0];
//! assert_eq!(dreamt.visible.dims(), [5, 16]);
//! # Ok(())
//! # }
//! ```
//!
//! # 5. Wake-sleep
//!
//! Until here each layer was trained for itself, and one set of weights serves both ways.
//! [`Tuner`](crate::Tuner) lets them part: recognition and generative weights learn apart, the top by
//! contrastive divergence with as many Gibbs steps as [`TuneConfig`](crate::TuneConfig) says for each
//! epoch. Where there are monitors of held-out samples, it remembers the best net.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
#![doc = before!(net)]
//! use deepbelief::{TuneConfig, Tuner};
//!
//! let config = TuneConfig { top_steps: "3x5,6x5".parse()?, ..Default::default() };
//! let mut tuner = Tuner::new(&dbn, config)?;
//! tuner.fit(&mut minibatches, &monitors, &mut ())?;
//! let tuned = tuner.snapshot().model()?;
//!
//! assert!(dbn.is_tied()? && !tuned.is_tied()?);
//! assert!(tuner.snapshot().best().is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # 6. Or backpropagation
//!
//! [`Network`](crate::Network) is the net unrolled, a classifier or an autoencoder, and
//! [`Finetuner`](crate::Finetuner) follows the gradient of its task (Hinton & Salakhutdinov 2006).
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
#![doc = before!(net)]
//! use deepbelief::{FinetuneConfig, Finetuner, Network};
//!
//! let network = Network::classifier(&dbn, 2)?;
//! let mut finetuner = Finetuner::new(&network, FinetuneConfig { epochs: 10, ..Default::default() })?;
//! finetuner.fit(&mut minibatches, &monitors, &mut ())?;
//! let trained = finetuner.snapshot().model()?;
//!
//! let held_out = valid.batch(0..40, Binarize::Fresh, 1)?;
//! let scores = trained.score(&held_out, &monitors.valid_labels)?;
//! assert!(scores.error < 0.2, "wrong of {} of the held-out pictures", scores.error);
//! # Ok(())
//! # }
//! ```
//!
//! # 7. Files
//!
//! A checkpoint is a safetensors file that says where it comes from, and reads back as it was. Candle
//! programs read its tensors by name, or an exported network's as those of
//! `candle_nn::Linear`; [`stack::export`](crate::stack::export) has the names.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
#![doc = before!(net)]
//! use deepbelief::candle_core::Device;
//! use deepbelief::stack::export::{self, Network};
//! use deepbelief::{Dbn, Provenance};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let (checkpoint, mlp) = (folder.join("bars.safetensors"), folder.join("mlp.safetensors"));
//! let provenance = Provenance { dataset: "bars".into(), seed: 1, epochs: 40, ..Default::default() };
//! dbn.save(&checkpoint, &provenance)?;
//! let (again, header) = Dbn::load(&checkpoint, &Device::Cpu)?;
//! assert_eq!((again.sizes(), header.classes), (dbn.sizes(), 2));
//!
//! export::save(&mlp, &dbn, Network::Mlp)?;
//! let tensors = deepbelief::candle_core::safetensors::load(&mlp, &Device::Cpu)?;
//! assert_eq!(tensors["layers.0.weight"].dims(), [12, 16]);
//! # Ok(())
//! # }
//! ```
//!
//! # 8. How good it is
//!
//! A likelihood needs the partition function: summed exactly where one side is small, else estimated
//! from both sides ([`rbm::likelihood`](crate::rbm::likelihood)). Under layers it gives a bound.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
#![doc = before!(data)]
#![doc = before!(minibatches)]
#![doc = before!(net)]
//! use deepbelief::candle_core::Device;
//! use deepbelief::kernels::{Stream, Uniforms};
//! use deepbelief::rbm::likelihood::exact_log_partition;
//! use deepbelief::rbm::tensors::from_batch;
//!
//! let v = from_batch(&valid.batch(0..40, Binarize::Fixed, 1)?, &Device::Cpu)?;
//! let weights = dbn.unnormalised_log_likelihood(&v, 20, Uniforms::new(1, Stream::User, 0))?;
//! let bound = weights.bound.iter().sum::<f64>() / 40.0 - exact_log_partition(dbn.top())?;
//!
//! // A net that knew nothing would be at -16 ln 2.
//! assert!(bound > -11.0, "nats per picture: {bound}");
//! # Ok(())
//! # }
//! ```
//!
//! # From elsewhere
//!
//! With the feature `hub`, `Dbn::from_pretrained("user/repo")` loads a net of the Hugging Face Hub;
//! `exchange::read` (feature `exchange`, on by default) reads models of scikit-learn, rbms, learnergy and MATLAB.
