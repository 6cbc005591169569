//! `dbn pull`: a model of the Hub as a folder of this machine.

use crate::args::PullArgs;
use crate::failure::{Explain, Failure, Result, count};
use deepbelief_hub::{Hub, Kind, Settings};
use std::path::{Path, PathBuf};

/// Fetches the files and lays them into the folder. All are here before the first is written.
pub(crate) fn pull(args: &PullArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(args.address.name()));
    if std::fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some()) || out.is_file() {
        return Err(Failure::new(format!("{} is there already", out.display()))
            .hint("choose another folder with --out, or remove it; nothing is replaced"));
    }
    let hub = Hub::new(Settings::from_env())?;
    let snapshot = hub.open(Kind::Model, &args.address)?;
    // A repository's settings for git are no part of the model.
    let files: Vec<String> = match &args.address.file {
        Some(file) => vec![file.clone()],
        None => snapshot.files()?.iter().filter(|file| !file.starts_with(".git")).cloned().collect(),
    };
    let fetched = files.iter().map(|file| Ok((out.join(file), snapshot.fetch(file)?)));
    let fetched: Vec<(PathBuf, PathBuf)> = fetched.collect::<Result<_>>()?;
    for (to, from) in &fetched {
        let folder = to.parent().unwrap_or(&out);
        std::fs::create_dir_all(folder).or_fail(|| format!("cannot make {}", folder.display()))?;
        std::fs::copy(from, to).or_fail(|| format!("cannot write {}", to.display()))?;
    }
    let (files, commit) = (count(fetched.len(), "file"), &snapshot.commit()[..12]);
    tracing::info!(path = %out.display(), "wrote {files} of {}, commit {commit}, to {}", args.address, out.display());
    Ok(())
}
