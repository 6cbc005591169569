//! `dbn import`: a model of another program as a checkpoint.

use crate::args::{FormatName, ImportArgs};
use crate::commands::files::{extension, require_folder, require_other};
use crate::failure::{Explain, Failure, Result};
use crate::run::folder::MODEL;
use deepbelief_exchange::{Format, Options, read};
use std::path::Path;

/// Reads the files, says what they hold, writes the checkpoint.
pub(crate) fn import(args: &ImportArgs) -> Result<()> {
    // What has no extension is a folder, which may be there or not.
    let folder = args.out.is_dir() || args.out.extension().is_none();
    let out = if folder { args.out.join(MODEL) } else { args.out.clone() };
    if folder && out.exists() {
        return Err(Failure::new(format!("{} already holds a model", args.out.display()))
            .hint("give another folder, or name the .safetensors file to replace"));
    }
    if !folder {
        extension(&out, &["safetensors"])?;
        require_folder(&out)?;
    }
    for file in &args.files {
        require_other(&out, file, "a file of the model that is read")?;
    }
    let options = Options { format: args.from.map(format), update: args.update };
    let imported = read(&args.files, &options).or_fail(|| "cannot import the model".into())?;
    for source in &imported.sources {
        tracing::info!("{}: a model of {}", source.file, source.format.name());
    }
    if folder {
        make(&args.out)?;
    }
    imported.save(&out).or_fail(|| format!("cannot write {}", out.display()))?;
    let sizes = imported.model.sizes().iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
    let kind = if imported.model.depth() == 1 { "RBM" } else { "deep belief net" };
    tracing::info!(path = %out.display(), "wrote {}, {sizes} {kind}", out.display());
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).or_fail(|| format!("cannot make the folder {}", folder.display()))
}

fn format(name: FormatName) -> Format {
    match name {
        FormatName::Sklearn => Format::Sklearn,
        FormatName::Rbms => Format::Rbms,
        FormatName::Learnergy => Format::Learnergy,
        FormatName::Hinton => Format::Hinton,
        FormatName::RbmJl => Format::RbmJl,
        FormatName::Pgm => Format::Pgm,
        FormatName::Adabmdca => Format::Adabmdca,
        FormatName::Deepbelief => Format::Deepbelief,
    }
}
