//! The Hub itself: requests, the cache, what is made of them.

mod cache;
mod dataset;
mod download;
mod endpoint;
mod hub;
mod listing;
mod net;
mod pull;
mod push;
mod settings;
mod snapshot;

pub use hub::Hub;
pub use pull::unfinished;
pub use settings::Settings;
pub use snapshot::Snapshot;
