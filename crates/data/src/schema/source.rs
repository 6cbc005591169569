//! Names of data: `mnist`, or a format's prefix and a path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::Error;
use crate::text::serde_as_text;

/// Where data comes from. The text form is given with each variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `mnist`: the 70,000 digits inside the library.
    Mnist,
    /// `idx:DIR`: IDX files under their classic names, `train-images-idx3-ubyte` and
    /// `train-labels-idx1-ubyte`, and the same with `t10k` for test data; plain or `.gz`; a dot
    /// before `idx` will do. Labels and test files are optional.
    Idx(PathBuf),
    /// `csv:FILE`: a table of text, a line a sample, in any dialect; plain, packed, or alone in a zip archive.
    Csv(PathBuf),
    /// `svm:FILE`: a table of svmlight or libsvm, `LABEL INDEX:VALUE ...`; what is left out is zero.
    Svm(PathBuf),
    /// `arff:FILE`: a table of Weka. The attribute `class` has the labels.
    Arff(PathBuf),
    /// `fasta:FILE`: an alignment, FASTA, A2M, A3M or Stockholm, plain or packed; `fasta:-` is standard input.
    Fasta(PathBuf),
    /// `npy:FILE`: one NumPy array [samples, ...].
    Npy(PathBuf),
    /// `npz:FILE`: NumPy arrays by name: samples `x_train`, `train_x`, `train_images`,
    /// `train_data`, `x`, `images`, `data`, `features`, `samples` or the only array left; labels
    /// `y_train`, `train_y`, `train_labels`, `y`, `labels`, `label`, `targets`, `target`; test data
    /// `x_test`, `test_x`, `test_images`, `test_data` and `y_test`, `test_y`, `test_labels`.
    /// Case does not matter, other arrays are not read. Or a sparse matrix as `SciPy` saves it.
    Npz(PathBuf),
    /// `safetensors:FILE`: tensors by the same names.
    Safetensors(PathBuf),
    /// `mat:FILE`: arrays of a MATLAB file by the same names.
    Mat(PathBuf),
    /// `h5:FILE`: arrays of an HDF5 file by the same names.
    Hdf5(PathBuf),
    /// `images:DIR`: pictures, or sub-folders of pictures, each a class; sub-folders `train`
    /// and `test` (and no other) hold the two splits.
    Images(PathBuf),
    /// `parquet:FILE`: a row a sample, which is a picture, a list of numbers, or a number a column.
    Parquet(PathBuf),
    /// `hf:user/repo`: a data set of the Hugging Face Hub that is stored as Parquet files, whose
    /// names tell training and test samples apart; `hf:user/repo:FILE` is one file of it, of a
    /// format whose name it ends in; either may be of a revision, `hf:user/repo@revision`.
    Hub(String),
}

const KNOWN: &str = "mnist, idx:DIR, csv:FILE, svm:FILE, arff:FILE, fasta:FILE, npy:FILE, npz:FILE, safetensors:FILE, \
                     mat:FILE, h5:FILE, images:DIR, parquet:FILE and hf:USER/REPO";

/// Endings of files that a prefix is recognised by.
const ENDINGS: [(&str, &str); 24] = [
    ("csv", "csv"),
    ("tsv", "csv"),
    ("svm", "svm"),
    ("svmlight", "svm"),
    ("libsvm", "svm"),
    ("arff", "arff"),
    ("fasta", "fasta"),
    ("fa", "fasta"),
    ("fas", "fasta"),
    ("afa", "fasta"),
    ("faa", "fasta"),
    ("fna", "fasta"),
    ("a2m", "fasta"),
    ("a3m", "fasta"),
    ("sto", "fasta"),
    ("stockholm", "fasta"),
    ("npy", "npy"),
    ("npz", "npz"),
    ("safetensors", "safetensors"),
    ("mat", "mat"),
    ("h5", "h5"),
    ("hdf5", "h5"),
    ("parquet", "parquet"),
    ("pq", "parquet"),
];

impl Source {
    pub(crate) fn of_scheme(scheme: &str, path: PathBuf) -> Option<Self> {
        Some(match scheme {
            "idx" => Self::Idx(path),
            "csv" => Self::Csv(path),
            "svm" => Self::Svm(path),
            "arff" => Self::Arff(path),
            "fasta" => Self::Fasta(path),
            "npy" => Self::Npy(path),
            "npz" => Self::Npz(path),
            "safetensors" => Self::Safetensors(path),
            "mat" => Self::Mat(path),
            "h5" => Self::Hdf5(path),
            "images" => Self::Images(path),
            "parquet" => Self::Parquet(path),
            _ => return None,
        })
    }

    /// The prefix and the path, if there is one.
    fn parts(&self) -> (&'static str, Option<&Path>) {
        match self {
            Self::Mnist => ("mnist", None),
            Self::Idx(path) => ("idx", Some(path)),
            Self::Csv(path) => ("csv", Some(path)),
            Self::Svm(path) => ("svm", Some(path)),
            Self::Arff(path) => ("arff", Some(path)),
            Self::Fasta(path) => ("fasta", Some(path)),
            Self::Npy(path) => ("npy", Some(path)),
            Self::Npz(path) => ("npz", Some(path)),
            Self::Safetensors(path) => ("safetensors", Some(path)),
            Self::Mat(path) => ("mat", Some(path)),
            Self::Hdf5(path) => ("h5", Some(path)),
            Self::Images(path) => ("images", Some(path)),
            Self::Parquet(path) => ("parquet", Some(path)),
            Self::Hub(address) => ("hf", Some(Path::new(address))),
        }
    }

    /// The file or folder of this machine that it reads, if any.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.parts().1.filter(|_| !matches!(self, Self::Hub(_)))
    }

    /// Whether another is the same place, however its path is spelt.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let place = |source: &Self| source.path().and_then(|path| path.canonicalize().ok());
        self == other || self.parts().0 == other.parts().0 && place(self).is_some() && place(self) == place(other)
    }

    /// A short name: `mnist`, or the name of the file (without its ending), folder or repository.
    #[must_use]
    pub fn name(&self) -> String {
        if let Self::Hub(address) = self {
            let repo = address.split([':', '@']).next().unwrap_or_default();
            return repo.rsplit('/').next().unwrap_or_default().into();
        }
        let (scheme, path) = self.parts();
        let name = path.and_then(|path| if path.is_dir() { path.file_name() } else { path.file_stem() });
        name.map_or_else(|| scheme.to_string(), |name| name.to_string_lossy().into_owned())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = self.parts();
        match path {
            None => f.write_str(scheme),
            Some(path) => write!(f, "{scheme}:{}", path.display()),
        }
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = |hint: String| Error::UnknownSource { text: text.into(), hint };
        if text == "mnist" {
            return Ok(Self::Mnist);
        }
        if let Some(address) = text.strip_prefix("hf:") {
            address.parse::<deepbelief_hub::Address>().map_err(|error| unknown(error.to_string()))?;
            return Ok(Self::Hub(address.into()));
        }
        if let Some((scheme, path)) = text.split_once(':')
            && let Some(source) = Self::of_scheme(scheme, path.into())
        {
            let kind = if matches!(source, Self::Idx(_) | Self::Images(_)) { "folder" } else { "file" };
            return if path.is_empty() { Err(unknown(format!("name a {kind} after the colon"))) } else { Ok(source) };
        }
        match guess(Path::new(text)) {
            Some(scheme) => Err(unknown(format!("that is a path, write {scheme}:{text}"))),
            None => Err(unknown(of_ending(text).unwrap_or_else(|| format!("the known ones are {KNOWN}")))),
        }
    }
}

serde_as_text!(Source);

/// What to write instead of a prefix that is the ending of files, such as `a2m:`.
fn of_ending(text: &str) -> Option<String> {
    let (ending, path) = text.split_once(':')?;
    let scheme = scheme_of(&format!("x.{ending}"))?;
    Some(format!("write {scheme}:{path}"))
}

/// The prefix that an existing path seems to want.
fn guess(path: &Path) -> Option<&'static str> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).ok()?;
        let idx = entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("ubyte"));
        return Some(if idx { "idx" } else { "images" });
    }
    if !path.is_file() {
        return None;
    }
    scheme_of(path.file_name()?.to_str()?)
}

/// The prefix that the name of a file seems to want, packed or not.
pub(crate) fn scheme_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let packed = [".gz", ".zst", ".xz", ".zip"].into_iter().find_map(|ending| name.strip_suffix(ending));
    let (_, ending) = packed.unwrap_or(&name).rsplit_once('.')?;
    ENDINGS.into_iter().find(|(known, _)| *known == ending).map(|(_, scheme)| scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_read_and_write_as_text() {
        for text in [
            "mnist",
            "idx:a/b",
            "csv:a.csv",
            "svm:a.svm.xz",
            "arff:a.arff",
            "fasta:a.sto.gz",
            "fasta:-",
            "npy:a.npy",
            "npz:x:y.npz",
            "safetensors:f",
            "mat:a.mat",
            "h5:a.h5",
            "images:dir",
            "parquet:a.parquet",
        ]
        .into_iter()
        .chain(["hf:u/r", "hf:u/r@v1", "hf:u/r@v1:a/b.csv"])
        {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), source);
        }
        assert_eq!("csv:some/digits.csv".parse::<Source>().unwrap().name(), "digits");
        assert_eq!(Source::Mnist.name(), "mnist");
        assert_eq!("hf:ylecun/digits@v1:x.csv".parse::<Source>().unwrap().name(), "digits");
    }

    #[test]
    fn a_path_is_the_same_however_it_is_spelt() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.csv"), "").unwrap();
        std::fs::write(dir.path().join("b.csv"), "").unwrap();
        let source = |name: &str| Source::Csv(dir.path().join(name));
        assert!(source("a.csv").is_same_as(&source("./a.csv")) && source("no.csv").is_same_as(&source("no.csv")));
        assert!(!source("a.csv").is_same_as(&source("b.csv")) && !source("no.csv").is_same_as(&source("nor.csv")));
        assert!(!source("a.csv").is_same_as(&Source::Npy(dir.path().join("a.csv"))));
    }

    #[test]
    fn unknown_sources_list_the_known_and_paths_get_their_prefix() {
        let message = |text: &str| text.parse::<Source>().unwrap_err().to_string();
        for text in ["", "cifar", "http://x", "MNIST", "no-such-file.csv"] {
            assert_eq!(message(text), format!("unknown data source {text:?}: the known ones are {KNOWN}"));
        }
        assert_eq!(message("a2m:f.a2m"), "unknown data source \"a2m:f.a2m\": write fasta:f.a2m");
        assert_eq!(message("csv:"), "unknown data source \"csv:\": name a file after the colon");
        assert_eq!(message("images:"), "unknown data source \"images:\": name a folder after the colon");

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("d.NPZ");
        std::fs::write(&file, "").unwrap();
        let file = file.display();
        assert!(message(&file.to_string()).ends_with(&format!(": that is a path, write npz:{file}")));
        let table = dir.path().join("d.arff.gz");
        std::fs::write(&table, "").unwrap();
        let table = table.display();
        assert!(message(&table.to_string()).ends_with(&format!(": that is a path, write arff:{table}")));
        let folder = dir.path().display();
        assert!(message(&folder.to_string()).ends_with(&format!(": that is a path, write images:{folder}")));
        std::fs::write(dir.path().join("train-images-idx3-ubyte.gz"), "").unwrap();
        assert!(message(&folder.to_string()).ends_with(&format!(": that is a path, write idx:{folder}")));
    }
}
