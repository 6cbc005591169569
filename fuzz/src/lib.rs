//! Readers of files that may come from anywhere, each as a function of bytes: whatever these are, it
//! must return, with an error or with what it read, in little memory. What it read is used a little,
//! for a value that should have been refused does its harm there.
//!
//! `src/bin/run.rs` mutates valid files on any toolchain; `fuzz_targets/any.rs` is for libFuzzer.

mod mutate;
mod repack;
mod seeds;

pub use mutate::{Random, mutate};
pub use seeds::seeds;

use candle_core::Device;
use deepbelief_data::{
    AlignmentOptions, Binarize, Dataset, Inserts, LoadOptions, Source, Unknown, examine, open,
};
use deepbelief_exchange::Options;
use deepbelief_finetune::{FinetuneState, Network, Objective};
use deepbelief_stack::{Dbn, GreedyState};
use deepbelief_wake_sleep::TuneState;
use repack::Packing;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// What a reader made of its input, in words.
type Told = Result<String, String>;

/// A reader.
pub struct Target {
    /// Its name on the command line and in the list of results.
    pub name: &'static str,
    /// The file it reads, in a folder of its own.
    file: &'static str,
    /// What mutated bytes are put into before they are read.
    packing: Packing,
    read: fn(&Path) -> Told,
}

/// All readers.
pub const TARGETS: [Target; 26] = [
    target("idx", "train-images-idx3-ubyte", Packing::Plain, |path| data(path, Source::Idx(folder(path)))),
    target("idx.gz", "train-images-idx3-ubyte.gz", Packing::Gzip, |path| data(path, Source::Idx(folder(path)))),
    target("csv", "x.csv", Packing::Plain, |path| data(path, Source::Csv(path.into()))),
    target("zip", "x.csv", Packing::Plain, |path| data(path, Source::Csv(path.into()))),
    target("svm", "x.svm", Packing::Plain, |path| data(path, Source::Svm(path.into()))),
    target("arff", "x.arff", Packing::Plain, |path| data(path, Source::Arff(path.into()))),
    target("fasta", "x.fasta", Packing::Plain, alignment),
    target("npy", "x.npy", Packing::Plain, |path| data(path, Source::Npy(path.into()))),
    target("npz", "x.npz", Packing::Plain, |path| data(path, Source::Npz(path.into()))),
    target("npz-entry", "x.npz", Packing::ZipEntry, |path| data(path, Source::Npz(path.into()))),
    target("sparse", "x.npz", Packing::Plain, |path| data(path, Source::Npz(path.into()))),
    target("mat", "x.mat", Packing::Plain, |path| data(path, Source::Mat(path.into()))),
    target("hdf5", "x.h5", Packing::Plain, |path| data(path, Source::Hdf5(path.into()))),
    target("safetensors", "x.safetensors", Packing::Safetensors, |path| data(path, Source::Safetensors(path.into()))),
    target("parquet", "x.parquet", Packing::Plain, |path| data(path, Source::Parquet(path.into()))),
    target("png", "x.png", Packing::Png, |path| data(path, Source::Images(folder(path)))),
    target("picture", "x", Packing::Plain, |path| data(path, Source::Images(folder(path)))),
    target("checkpoint", "model.safetensors", Packing::Safetensors, checkpoint),
    target("network", "model.safetensors", Packing::Safetensors, network),
    target("state", "state.safetensors", Packing::Safetensors, |path| told(deepbelief_rbm::TrainState::load(path))),
    target("stack-state", "layers.safetensors", Packing::Safetensors, |path| told(GreedyState::load(&folder(path)))),
    target("tune-state", "tuning.state.safetensors", Packing::Safetensors, |path| told(TuneState::load(path))),
    target("tuned-state", "finetuning.state.safetensors", Packing::Safetensors, |path| told(FinetuneState::load(path))),
    target("import-npz", "x.npz", Packing::Plain, import),
    target("import-mat", "x.mat", Packing::Plain, import),
    target("import-hdf5", "x.h5", Packing::Plain, import),
];

const fn target(name: &'static str, file: &'static str, packing: Packing, read: fn(&Path) -> Told) -> Target {
    Target { name, file, packing, read }
}

impl Target {
    /// Reads `bytes`, written into `folder` first.
    ///
    /// # Errors
    /// Why they are refused.
    ///
    /// # Panics
    /// If the folder cannot be written, or with a fault of the reader.
    pub fn run(&self, folder: &Path, bytes: &[u8]) -> Told {
        let path = folder.join(self.name).join(self.file);
        std::fs::write(&path, self.packing.pack(bytes)).unwrap();
        (self.read)(&path)
    }

    /// Makes the folder that [`Target::run`] writes into.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn prepare(&self, folder: &Path) {
        std::fs::create_dir_all(folder.join(self.name)).unwrap();
    }
}

/// Reads bytes with the reader that the first of them chooses.
///
/// # Panics
/// With a fault of a reader.
pub fn any(bytes: &[u8]) {
    thread_local!(static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) });
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let target = &TARGETS[first as usize % TARGETS.len()];
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().unwrap());
        target.prepare(folder.path());
        let _ = target.run(folder.path(), bytes);
    });
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new(".")).into()
}

fn told<T, E: std::fmt::Display>(read: Result<T, E>) -> Told {
    read.map(|_| "read".into()).map_err(|error| error.to_string())
}

/// Opens data, with options that depend on the size of the file where it can be read so, and deals some.
fn data(path: &Path, source: Source) -> Told {
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let label_column = [None, Some("last"), Some("kind"), Some("0")][size as usize % 4].map(str::to_string);
    let scale = ["auto", "minmax", "none", "minmax-columns"][size as usize / 4 % 4].parse().unwrap_or_default();
    // A few bytes of a sparse table stand for a large one.
    let max_memory = Some(32 << 20);
    let plain = LoadOptions { max_memory, ..LoadOptions::default() };
    let asked = LoadOptions { label_column, scale, ..plain.clone() };
    let (options, data) = match open(&source, &asked) {
        Ok(data) => (asked, data),
        Err(error) => (plain.clone(), open(&source, &plain).map_err(|_| error.to_string())?),
    };
    let Dataset { train, classes, schema, .. } = data;
    // What was inferred of a file reads that file.
    if !schema.columns.is_empty() {
        let options = LoadOptions { schema: Some(schema), label_column: None, ..options };
        let again = open(&source, &options).unwrap_or_else(|error| panic!("its own schema: {error}"));
        assert_eq!((again.train.samples(), again.train.units()), (train.samples(), train.units()));
    }
    let some = train.samples().min(3);
    train.batch(0..some, Binarize::Fixed, 1).map_err(|error| error.to_string())?;
    train.mean().map_err(|error| error.to_string())?;
    Ok(format!("samples {} labels {}", train.samples() > 0, classes.is_some()))
}

/// Reads an alignment, with options that depend on the size of the file, and once more by the schema that was inferred from it.
fn alignment(path: &Path) -> Told {
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len()) as usize;
    let alignment = AlignmentOptions {
        alphabet: [None, Some("dna"), Some("protein"), Some("aB-")][size % 4].and_then(|letters| letters.parse().ok()),
        unknown: [Unknown::Missing, Unknown::Gap][size / 4 % 2],
        inserts: [Inserts::Auto, Inserts::Drop, Inserts::Keep][size / 8 % 3],
        max_gaps: [None, Some(0.5)][size / 24 % 2],
        deduplicate: size / 48 % 2 == 1,
        reweight: [None, Some(0.8)][size / 96 % 2],
        weights: None,
        clusters: [None, Some(0.4)][size / 192 % 2],
    };
    let plain = LoadOptions { max_memory: Some(32 << 20), ..LoadOptions::default() };
    let asked = LoadOptions { alignment, ..plain.clone() };
    let source = Source::Fasta(path.into());
    let (options, data) = match open(&source, &asked) {
        Ok(data) => (asked, data),
        // Letters of another alphabet than is asked for.
        Err(error) => (plain.clone(), open(&source, &plain).map_err(|_| error.to_string())?),
    };
    examine(&source, &options, None).map_err(|error| error.to_string())?;
    let Dataset { train, schema, .. } = data;
    let options = LoadOptions { schema: Some(schema), ..options };
    let again = open(&source, &options).unwrap_or_else(|error| panic!("its own schema: {error}"));
    assert_eq!(again.train.levels().ok(), train.levels().ok());
    Ok(format!("missing {} weights {}", train.has_missing(), train.weight(0).is_some()))
}

fn checkpoint(path: &Path) -> Told {
    let rbm = deepbelief_rbm::load(path, &Device::Cpu);
    let dbn = Dbn::load(path, &Device::Cpu);
    match (rbm, dbn) {
        (Ok((rbm, _)), _) => Ok(format!("rbm {}", rbm.labels().is_some())),
        (_, Ok((dbn, _))) => Ok(format!("dbn {}", dbn.depth())),
        (Err(rbm), Err(dbn)) => Err(format!("{rbm} {dbn}")),
    }
}

fn network(path: &Path) -> Told {
    let read = |objective| told(Network::load(path, objective));
    read(Objective::Classifier).or_else(|why| read(Objective::Autoencoder).map_err(|other| format!("{why} {other}")))
}

fn import(path: &Path) -> Told {
    let read = deepbelief_exchange::read(&[path.into()], &Options::default());
    read.map(|read| format!("depth {}", read.model.depth())).map_err(|error| error.to_string())
}
