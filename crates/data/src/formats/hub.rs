//! Data sets of the Hugging Face Hub: their files are fetched into the Hub's cache, where other readers find
//! them.

#[cfg(feature = "parquet")]
use std::path::PathBuf;

use deepbelief_hub::Address;
#[cfg(feature = "parquet")]
use deepbelief_hub::Fetched;

use crate::error::Error;
use crate::schema::options::Fetch;
use crate::schema::source::{Source, scheme_of};

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
        let hint =
            format!("{file} ends in none of .csv, .svm, .arff, .npy, .npz, .safetensors, .mat, .h5 and .parquet");
        Error::UnknownSource { text: format!("hf:{address}"), hint }
    };
    let scheme = address.file.as_ref().map(|file| scheme_of(file).ok_or_else(|| unknown(file))).transpose()?;
    let fetch = || by.0(&address).map_err(Error::Hub);
    match scheme {
        Some(scheme) => match &fetch()?.train[..] {
            [file] => Source::of_scheme(scheme, file.clone())
                .map(Files::One)
                .ok_or_else(|| Error::Hub(format!("there is no source {scheme}").into())),
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
