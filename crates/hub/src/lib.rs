//! The Hugging Face Hub: files of its repositories, fetched into the cache that its other
//! programs use too, and folders of files pushed to it.
//!
//! The line a file comes along: an [`Address`] names it, [`Hub::open`] pins its revision to a
//! commit, so that all that is read is of one state ([`Snapshot`]), and [`Snapshot::fetch`] gives
//! the path of the file in the cache, downloading what is not there. A download that broke off
//! goes on where it stopped; what arrived is checked by its size and by the hash that the Hub tells: the
//! SHA-256 of large files, git's SHA-1 of small ones. What a commit holds never changes, so a file that
//! is in the cache is not asked for again. [`Hub::model`] and [`Hub::dataset`] know which files of a
//! repository are meant, and [`Hub::pull`] copies them into a folder.
//!
//! All that needs the network is the feature `client`. Without it this crate has the names of things, and
//! what a program needs to run `dbn-hub` for them ([`program`]).
//!
//! The environment says what it says to other programs of the Hub ([`Settings::from_env`]):
//! `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`.
//!
//! Large files are pushed by the Hub's Xet library. After an upload it reports speed and outcome to the Hub,
//! unless `HF_HUB_DISABLE_TELEMETRY` or `DO_NOT_TRACK` is 1.
//!
//! ```no_run
//! use deepbelief_hub::{Address, Hub, Kind, Settings};
//!
//! # fn main() -> Result<(), deepbelief_hub::Error> {
//! let hub = Hub::new(Settings::from_env())?;
//! let address: Address = "ylecun/mnist@main".parse()?;
//! let snapshot = hub.open(Kind::Dataset, &address)?;
//! for file in snapshot.files()? {
//!     println!("{}", snapshot.fetch(file)?.display());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything here blocks; from async code it is called where blocking is allowed.

mod address;
#[cfg(feature = "client")]
mod client;
mod error;
mod kind;
pub mod program;
mod transfer;

pub use address::{Address, is_file_name};
#[cfg(feature = "client")]
pub use client::{Hub, Settings, Snapshot, unfinished};
pub use error::{Error, Result};
pub use kind::Kind;
pub use transfer::{Content, Fetched, Pulled, Pushed};
