//! Files that verbs write.

use crate::failure::{Explain, Failure, Result};
use crate::model::trained::Trained;
use crate::run::folder::{MODEL, RunFolder};
use deepbelief_data::Source;
use deepbelief_rbm::write_atomic;
use std::path::Path;

/// Writes a result file, whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, bytes).or_fail(|| format!("cannot write {}", path.display()))?;
    tracing::info!(path = %path.display(), "wrote {}", path.display());
    Ok(())
}

/// The file's extension, which must be one of `known`.
pub(super) fn extension<'a>(path: &Path, known: &[&'a str]) -> Result<&'a str> {
    let found = path.extension().map(|found| found.to_string_lossy().to_lowercase());
    let named = |known: &&&str| Some(**known) == found.as_deref();
    known.iter().find(named).copied().ok_or_else(|| {
        let dotted: Vec<String> = known.iter().map(|known| format!(".{known}")).collect();
        let expected = match dotted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        };
        Failure::new(format!("{}: the name must end in {expected}", path.display()))
    })
}

/// Refuses early what could not be written after the work is done.
pub(super) fn require_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if folder.is_dir() {
        return Ok(());
    }
    Err(Failure::new(format!("cannot write {}: there is no folder {}", path.display(), folder.display())))
}

/// Refuses results that would overwrite what a verb works from: its checkpoint, anything else of that run's folder, the
/// data that the model learned from, and those that are `asked` for.
pub(super) fn require_spare(out: &Path, checkpoint: &Path, model: &impl Trained, asked: Option<&Source>) -> Result<()> {
    let file = if checkpoint.is_dir() { checkpoint.join(MODEL) } else { checkpoint.to_path_buf() };
    require_other(out, &file, "the checkpoint")?;
    let learned = model.recorded::<Source>("data");
    for (data, what) in [(asked, "the data"), (learned.as_ref(), "the model's training data")] {
        if let Some(path) = data.and_then(Source::path) {
            require_other(out, path, what)?;
        }
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match RunFolder::find(folder) {
        Some((run, _)) if out.exists() && run.owns(out) => Err(overwrites(out, "a file of the model's run")),
        _ => Ok(()),
    }
}

/// Refuses a result that would overwrite a file, or of one in a folder, that is used and is `what`.
pub(super) fn require_other(out: &Path, used: &Path, what: &str) -> Result<()> {
    match (out.canonicalize(), used.canonicalize()) {
        (Ok(out_file), Ok(used)) if out_file == used || used.is_dir() && out_file.starts_with(&used) => {
            Err(overwrites(out, what))
        }
        _ => Ok(()),
    }
}

fn overwrites(out: &Path, what: &str) -> Failure {
    Failure::new(format!("{} is {what}, which would be overwritten", out.display())).hint("write to another file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_extension_lists_the_right_ones() {
        let known = ["safetensors", "npy", "csv"];
        assert_eq!(extension(Path::new("a/b.NPY"), &known).unwrap(), "npy");
        for bad in ["a.txt", "a", "npy"] {
            let failure = extension(Path::new(bad), &known).unwrap_err();
            assert_eq!(failure.what(), format!("{bad}: the name must end in .safetensors, .npy or .csv"));
        }
        assert_eq!(extension(Path::new("x.jpg"), &["png"]).unwrap_err().what(), "x.jpg: the name must end in .png");
    }
}
