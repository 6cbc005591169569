//! Data sets of the Hugging Face Hub: their files are fetched into the Hub's cache and read from
//! there.

use std::path::PathBuf;

use deepbelief_hub::{Address, Fetched};

use crate::Error;
use crate::load::{LoadOptions, tables};
use crate::source::Source;
use crate::table::Tables;

/// Why a data set could not be fetched.
pub type NotFetched = Box<dyn std::error::Error + Send + Sync>;

/// How the files of a data set come into the Hub's cache. By default this library fetches them, if its
/// feature `hub` is on. Any two are equal: they change nothing of what is read.
#[derive(Clone, Copy)]
pub struct Fetch(pub fn(&Address) -> Result<Fetched, NotFetched>);

impl Default for Fetch {
    fn default() -> Self {
        Self(by_this_library)
    }
}

#[cfg(feature = "hub")]
fn by_this_library(address: &Address) -> Result<Fetched, NotFetched> {
    let hub = deepbelief_hub::Hub::new(deepbelief_hub::Settings::from_env())?;
    Ok(hub.dataset(address)?)
}

#[cfg(not(feature = "hub"))]
fn by_this_library(address: &Address) -> Result<Fetched, NotFetched> {
    Err(Error::FeatureOff { what: format!("hf:{address}"), feature: "hub" }.into())
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetch")
    }
}

impl PartialEq for Fetch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Reads a data set, or one file of it.
pub(crate) fn read(address: &str, options: &LoadOptions) -> Result<Tables, Error> {
    let address: Address = address.parse().map_err(|error| Error::Hub(Box::new(error)))?;
    let unknown = |file: &String| {
        let hint = format!("{file} ends in none of .csv, .npy, .npz, .safetensors and .parquet");
        Error::UnknownSource { text: format!("hf:{address}"), hint }
    };
    let reader = address.file.as_ref().map(|file| reader(file).ok_or_else(|| unknown(file))).transpose()?;
    let fetch = || (options.fetch.0)(&address).map_err(Error::Hub);
    match reader {
        Some(source) => match &fetch()?.train[..] {
            [file] => tables(&source(file.clone()), options),
            _ => Err(Error::Hub("not one file came of one".into())),
        },
        #[cfg(feature = "parquet")]
        None => read_tables(&address, &fetch()?, options),
        // Nothing is fetched that cannot be read.
        #[cfg(not(feature = "parquet"))]
        None => Err(Error::FeatureOff { what: format!("hf:{address}"), feature: "parquet" }),
    }
}

#[cfg(feature = "parquet")]
fn read_tables(address: &Address, fetched: &Fetched, options: &LoadOptions) -> Result<Tables, Error> {
    let Fetched { commit, config, train, test, unread } = fetched;
    let place =
        if config.is_empty() { "the files of its root folder".into() } else { format!("configuration {config}") };
    let unread = if unread.is_empty() { String::new() } else { format!("; not read: {}", unread.join(", ")) };
    tracing::info!("hf:{address}: {place}, commit {commit:.12}{unread}");
    crate::parquet::read(train, test, options)
}

/// The kind of source that a file is by its ending.
fn reader(file: &str) -> Option<fn(PathBuf) -> Source> {
    Some(match file.rsplit_once('.')?.1 {
        "csv" => Source::Csv,
        "npy" => Source::Npy,
        "npz" => Source::Npz,
        "safetensors" => Source::Safetensors,
        "parquet" => Source::Parquet,
        _ => return None,
    })
}
