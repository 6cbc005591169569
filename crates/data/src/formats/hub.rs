//! Data sets of the Hugging Face Hub: their files are fetched into the Hub's cache, where other readers find
//! them.

use std::path::PathBuf;

use deepbelief_hub::Address;
#[cfg(feature = "parquet")]
use deepbelief_hub::Fetched;

use crate::error::Error;
use crate::schema::options::Fetch;
use crate::schema::source::Source;

/// What was fetched.
pub(crate) enum Files {
    /// The file that was named.
    One(Source),
    /// The Parquet files of a data set.
    #[cfg(feature = "parquet")]
    Parquet { train: Vec<PathBuf>, test: Vec<PathBuf> },
}

/// Fetches a data set, or one file of it.
pub(crate) fn fetch(address: &str, by: Fetch) -> Result<Files, Error> {
    let address: Address = address.parse().map_err(|error| Error::Hub(Box::new(error)))?;
    let unknown = |file: &String| {
        let hint = format!("{file} ends in none of .csv, .npy, .npz, .safetensors and .parquet");
        Error::UnknownSource { text: format!("hf:{address}"), hint }
    };
    let reader = address.file.as_ref().map(|file| reader(file).ok_or_else(|| unknown(file))).transpose()?;
    let fetch = || by.0(&address).map_err(Error::Hub);
    match reader {
        Some(source) => match &fetch()?.train[..] {
            [file] => Ok(Files::One(source(file.clone()))),
            _ => Err(Error::Hub("not one file came of one".into())),
        },
        #[cfg(feature = "parquet")]
        None => {
            let fetched = fetch()?;
            report(&address, &fetched);
            Ok(Files::Parquet { train: fetched.train, test: fetched.test })
        }
        // Nothing is fetched that cannot be read.
        #[cfg(not(feature = "parquet"))]
        None => Err(Error::FeatureOff { what: format!("hf:{address}"), feature: "parquet" }),
    }
}

#[cfg(feature = "parquet")]
fn report(address: &Address, fetched: &Fetched) {
    let Fetched { commit, config, unread, .. } = fetched;
    let place =
        if config.is_empty() { "the files of its root folder".into() } else { format!("configuration {config}") };
    let unread = if unread.is_empty() { String::new() } else { format!("; not read: {}", unread.join(", ")) };
    tracing::info!("hf:{address}: {place}, commit {commit:.12}{unread}");
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
