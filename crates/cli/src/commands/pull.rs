//! `dbn pull`: a model of the Hub as a folder of this machine.

use crate::args::PullArgs;
use crate::failure::{Result, count};
use crate::hub;
use std::path::Path;

/// Fetches the files and lays them into the folder, all or none.
pub(crate) fn pull(args: &PullArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(args.address.name()));
    let pulled = hub::pull(&args.address, &out)?;
    let files = count(pulled.files.len(), "file");
    tracing::info!(
        path = %out.display(),
        "wrote {files} of {}, commit {:.12}, to {}", args.address, pulled.commit, out.display()
    );
    Ok(())
}
