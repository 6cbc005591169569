//! From files to a model.

use crate::error::{Error, Result};
use crate::file::File;
use crate::format::Format;
use crate::formats::{self, adabmdca, deepbelief, hinton, learnergy, pgm, rbm_jl, rbms, sklearn};
use deepbelief_data::{Alphabet, Schema};
use deepbelief_rbm::{Provenance, Rbm};
use deepbelief_stack::Dbn;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Entry of the recipe in the provenance of an imported model: its files, each with the `format` it
/// was read as and its `sha256`.
pub const IMPORTED_FROM: &str = "imported_from";

/// Entry of the recipe with what the visible units are, as trainings write it.
const SCHEMA: &str = "schema";

/// What the files do not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The format of all files; by default each is recognised by its arrays.
    pub format: Option<Format>,
    /// Which update of a file of rbms; by default the last.
    pub update: Option<u64>,
}

/// Where a part of a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Name of the file, without its folder.
    pub file: String,
    /// Hash of its bytes.
    pub sha256: String,
    /// Whose model it held.
    pub format: Format,
}

/// A model that was read.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The net; a single RBM is one of depth one.
    pub model: Dbn,
    /// Its files, in the order they were given.
    pub sources: Vec<Source>,
    /// The letters that are the levels of every visible unit, where the files say so: the model is then one of an alignment.
    pub alphabet: Option<Alphabet>,
}

/// Reads a model from one file, or a stack from one for each RBM or several, bottom first.
///
/// # Errors
/// [`Error`] names the file and what is wrong with it: not read or readable, of no known format, an
/// array that is missing, of a shape that does not fit or not finite, a model of another kind, layers
/// that do not fit on each other.
///
/// ```
/// use deepbelief_exchange::{Format, Options, read, write_npz};
/// use deepbelief_rbm::{Rbm, RbmConfig};
/// use deepbelief_stack::Dbn;
/// # fn main() -> Result<(), deepbelief_exchange::Error> {
/// # let folder = tempfile::tempdir().unwrap();
/// let rbm = Rbm::new(&RbmConfig { hidden: 3, ..Default::default() }, &[0.5; 4], &candle_core::Device::Cpu)?;
/// let path = folder.path().join("rbm.npz");
/// write_npz(&path, &Dbn::from_rbms(vec![rbm])?)?;
/// let imported = read(&[path], &Options::default())?;
/// assert_eq!(imported.model.sizes(), [4, 3]);
/// assert_eq!(imported.sources[0].format, Format::Sklearn);
/// # Ok(())
/// # }
/// ```
pub fn read(paths: &[PathBuf], options: &Options) -> Result<Imported> {
    let (mut sources, mut rbms): (Vec<Source>, Vec<(usize, Rbm)>) = Default::default();
    let (mut net, mut alphabet) = (None, None);
    for path in paths {
        let file = File::open(path)?;
        let format = options.format.map_or_else(|| formats::of(&file), Ok)?;
        let as_given = |rbms: Vec<Rbm>| rbms.into_iter().map(|rbm| (0, rbm)).collect();
        let layers: Vec<(usize, Rbm)> = match format {
            Format::Sklearn => as_given(sklearn::rbms(&file)?),
            Format::Rbms => as_given(rbms::rbms(&file, options.update)?),
            Format::Learnergy => as_given(learnergy::rbms(&file)?),
            Format::Hinton => hinton::rbms(&file)?,
            Format::RbmJl => as_given(rbm_jl::rbms(&file)?),
            Format::Pgm => as_given(pgm::rbms(&file)?),
            Format::Adabmdca => {
                let (rbms, letters) = adabmdca::rbms(&file)?;
                alphabet = letters;
                as_given(rbms)
            }
            Format::Deepbelief => {
                if paths.len() > 1 {
                    return file.unfit("is a whole net, which cannot be stacked: give it alone".into());
                }
                net = Some(deepbelief::dbn(&file)?);
                Vec::new()
            }
        };
        if layers.is_empty() && net.is_none() {
            return Err(file.missing(format.landmark(), format));
        }
        rbms.extend(layers);
        sources.push(Source { file: file.name(), sha256: file.sha256.clone(), format });
    }
    if options.update.is_some() && sources.iter().all(|source| source.format != Format::Rbms) {
        return Err(Error::Option("an update is asked for, which only files of rbms have".into()));
    }
    rbms.sort_by_key(|&(place, _)| place);
    let model = match net {
        Some(net) => net,
        None => Dbn::from_rbms(rbms.into_iter().map(|(_, rbm)| rbm).collect())?,
    };
    Ok(Imported { model, sources, alphabet })
}

impl Imported {
    /// What a checkpoint says of the model: its files under [`IMPORTED_FROM`], its letters, nothing of a training.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let sources = self
            .sources
            .iter()
            .map(|source| json!({ "file": source.file, "format": source.format.name(), "sha256": source.sha256 }));
        let mut recipe = json!({ IMPORTED_FROM: sources.collect::<Vec<_>>() });
        if let Some(alphabet) = &self.alphabet {
            recipe[SCHEMA] = json!(Schema::of_alignment(alphabet.clone(), self.model.visible() / alphabet.len()));
        }
        Provenance { recipe, crate_version: env!("CARGO_PKG_VERSION").into(), ..Provenance::default() }
    }

    /// Writes the checkpoint, of an RBM where there is one alone; whole or not at all.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let provenance = self.provenance();
        if self.model.depth() == 1 {
            return Ok(deepbelief_rbm::save(path, self.model.top(), &provenance)?);
        }
        Ok(self.model.save(path, &provenance)?)
    }
}
