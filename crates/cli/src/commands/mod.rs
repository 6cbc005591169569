//! The verbs, each a function of its arguments.

mod check;
mod classify;
mod compare;
mod data;
mod encode;
mod eval;
mod export;
mod import;
mod pull;
mod push;
mod recipe;
mod reconstruct;
mod runs;
mod sample;
mod selftest;
mod shell;
mod show;
mod train;

pub(crate) use check::check;
pub(crate) use classify::classify;
pub(crate) use compare::compare;
pub(crate) use data::data;
pub(crate) use encode::encode;
pub(crate) use eval::eval;
pub(crate) use export::export;
pub(crate) use import::import;
pub(crate) use pull::pull;
pub(crate) use push::push;
pub(crate) use recipe::recipe;
pub(crate) use reconstruct::reconstruct;
pub(crate) use runs::runs;
pub(crate) use sample::sample;
pub(crate) use selftest::selftest;
pub(crate) use shell::{completions, man};
pub(crate) use show::show;
pub(crate) use train::{Finetune, Pretrain, Tune, stack};

use crate::failure::{Explain, Failure, Result};
use candle_core::{Device, Tensor};
use deepbelief_data::{Binarize, Split};
use deepbelief_rbm::tensors::from_batch;
use deepbelief_rbm::write_atomic;
use std::path::Path;

/// Samples that are passed through a model at once: bounds the memory.
const CHUNK: usize = 1000;

/// All samples in order, some at a time, as values [n, units] in [0, 1].
pub(crate) fn chunks(samples: &Split, binarize: Binarize, seed: u64) -> impl Iterator<Item = Result<Tensor>> {
    let n = samples.samples();
    (0..n).step_by(CHUNK).map(move |start| {
        let batch = samples.batch(start..n.min(start + CHUNK), binarize, seed)?;
        Ok(from_batch(&batch, &Device::Cpu)?)
    })
}

/// Writes a result file, whole or not at all.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, bytes).or_fail(|| format!("cannot write {}", path.display()))?;
    tracing::info!(path = %path.display(), "wrote {}", path.display());
    Ok(())
}

/// The file's extension, which must be one of `known`.
fn extension<'a>(path: &Path, known: &[&'a str]) -> Result<&'a str> {
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
fn require_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if folder.is_dir() {
        return Ok(());
    }
    Err(Failure::new(format!("cannot write {}: there is no folder {}", path.display(), folder.display())))
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
