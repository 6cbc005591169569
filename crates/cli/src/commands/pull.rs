//! `dbn pull`: a model of the Hub as a folder of this machine.

use crate::args::PullArgs;
use crate::failure::{Failure, Result, count};
use deepbelief_hub::{Error, Hub, Kind, Settings};
use std::path::Path;

/// Fetches the files and lays them into the folder, all or none.
pub(crate) fn pull(args: &PullArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(args.address.name()));
    let hub = Hub::new(Settings::from_env())?;
    let pulled = hub.pull(Kind::Model, &args.address, &out).map_err(|error| match error {
        Error::Occupied { .. } => {
            Failure::from(error).hint("choose another folder with --out, or remove it; nothing is replaced")
        }
        error => error.into(),
    })?;
    let (files, commit) = (count(pulled.files.len(), "file"), &pulled.commit[..12]);
    tracing::info!(path = %out.display(), "wrote {files} of {}, commit {commit}, to {}", args.address, out.display());
    Ok(())
}
