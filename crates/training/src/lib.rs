//! One training loop. Contrastive divergence, wake-sleep and backpropagation plug into it: each is a
//! [`Training`], and [`Loop`] runs any of them.
//!
//! The loop owns what does not depend on the rule of learning:
//!
//! | part | what it does |
//! |---|---|
//! | epochs | deals the minibatches of an epoch in the data's order, and fetches the next one while this one is learned from |
//! | interrupts | stops after a batch or an epoch where an [`Observer`] asks for it |
//! | checks | refuses data and labels that do not fit the model, and data that are known to be of other units |
//! | best model | keeps the model with the best [`Score`] on the validation data |
//! | stopping | ends the training by `patience` or `tolerance` |
//! | retries | starts an epoch that diverged again at half the learning rates, from its first state |
//! | state | says what a resume needs: [`State`] |
//! | threads | runs everything in one pool |
//!
//! # The best model
//! Every measured epoch has a [`Score`] on the validation data, or none. The best model is the one with the lowest
//! error; among equal errors, or where a model has no error, the one with the lowest cost. Of equal models the
//! earlier one stays.
//!
//! # Patience
//! `patience` is a number of epochs. The training stops once so many have passed since what it watches (see
//! [`Metrics::watched`]) was at its best on the validation data. Where a training also watches a gap between
//! training and validation data, that gap must be wider than it was at the best. 0 turns patience off; a training
//! that has patience needs validation data.

mod best;
mod check;
mod config;
mod device;
mod divergence;
mod error;
mod fit;
mod labelled;
mod metrics;
mod monitors;
mod observer;
mod pool;
mod position;
mod snapshot;
mod stopping;
mod training;

pub use best::{Best, Score};
pub use check::{check, check_data};
pub use config::Settings;
pub use device::DEVICES;
pub use divergence::OnDivergence;
pub use error::{Error, Result};
pub use fit::Loop;
pub use labelled::Labelled;
pub use metrics::{Metrics, Watched};
pub use monitors::Monitors;
pub use observer::{Control, Observer, ObserverResult, Outcome, Progress, notify};
pub use pool::{pool, validate_threads};
pub use position::{Position, PositionHeader};
pub use snapshot::Snapshot;
pub use stopping::Stopping;
pub use training::{EpochEnd, State, Training};
