//! A file of named arrays, whatever wraps them, and an RBM made of three of them.

use crate::error::{Error, Result};
#[cfg(feature = "hdf5")]
use crate::hdf5;
use crate::{Format, mat, npz, safetensors};
use candle_core::{Device, Tensor};
use deepbelief_kernels::MAX_UNITS;
use deepbelief_rbm::Rbm;
use std::path::{Path, PathBuf};

/// Array names that a message lists; a file may hold thousands.
const LISTED: usize = 12;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    /// The last axis varies fastest.
    pub(crate) values: Vec<f64>,
}

impl Array {
    /// From a matrix that lies column by column.
    pub(crate) fn of_columns(rows: usize, columns: usize, values: &[f64]) -> Self {
        // As many steps as there are values: of no columns there may be any number of rows.
        let values = (0..values.len()).map(|at| values[at % columns * rows + at / columns]).collect();
        Self { shape: vec![rows, columns], values }
    }
}

/// A container of arrays. Reasons for failing are clauses about the file.
pub(crate) trait Arrays {
    /// Names of all arrays.
    fn names(&self) -> Vec<String>;

    /// The array of one of these names.
    fn array(&self, name: &str) -> std::result::Result<Array, String>;

    /// The text of this name, where the container holds texts.
    fn text(&self, _name: &str) -> Option<String> {
        None
    }
}

/// An open file.
pub(crate) struct File {
    path: PathBuf,
    pub(crate) sha256: String,
    pub(crate) names: Vec<String>,
    arrays: Box<dyn Arrays>,
}

/// What the rows of a weight matrix belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// A row for each visible unit, [V, H].
    Visible,
    /// A row for each hidden unit, [H, V].
    Hidden,
}

/// What the arrays of an RBM are called in a file.
pub(crate) struct Names<'a> {
    /// The format, for messages.
    pub(crate) format: Format,
    /// Weights and the order they are in.
    pub(crate) w: (&'a str, Rows),
    /// Hidden biases.
    pub(crate) hb: &'a str,
    /// Visible biases.
    pub(crate) vb: &'a str,
}

impl File {
    /// Reads a file; its first bytes tell what it is, not its name.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let sha256 = deepbelief_data::sha256(&bytes);
        let arrays = contents(bytes).map_err(|reason| Error::Broken { path: path.into(), reason })?;
        Ok(Self { path: path.into(), sha256, names: arrays.names(), arrays })
    }

    /// Name of the file without its folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.arrays.text(name)
    }

    /// Refuses the model.
    pub(crate) fn unfit<T>(&self, reason: String) -> Result<T> {
        Err(Error::Unfit { path: self.path(), reason })
    }

    /// The names of the arrays as a message has them.
    pub(crate) fn found(&self) -> String {
        let listed = self.names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        match self.names.len() {
            0 => "no arrays".into(),
            n if n > LISTED => format!("{listed} and {} more", n - LISTED),
            _ => listed,
        }
    }

    pub(crate) fn missing(&self, name: &str, format: Format) -> Error {
        Error::Missing { path: self.path(), name: name.into(), format: format.name(), found: self.found() }
    }

    fn array(&self, name: &str, format: Format) -> Result<Array> {
        if !self.has(name) {
            return Err(self.missing(name, format));
        }
        let broken = |reason| Error::Broken { path: self.path(), reason: format!("the array '{name}' {reason}") };
        self.arrays.array(name).map_err(broken)
    }

    fn shape(&self, name: &str, array: &Array, expected: String) -> Error {
        Error::Shape { path: self.path(), name: name.into(), got: array.shape.clone(), expected }
    }

    /// A matrix of weights, both sides of a size that a layer may have.
    pub(crate) fn matrix(&self, name: &str, format: Format) -> Result<Tensor> {
        let array = self.array(name, format)?;
        match array.shape[..] {
            [rows, columns] if (1..=MAX_UNITS).contains(&rows) && (1..=MAX_UNITS).contains(&columns) => {
                self.tensor(name, &array, &[rows, columns])
            }
            _ => Err(self.shape(name, &array, format!("two axes of 1 to {MAX_UNITS} units"))),
        }
    }

    /// A vector of biases, `units` of them, on one axis or along one of two.
    pub(crate) fn vector(&self, name: &str, units: usize, format: Format) -> Result<Tensor> {
        let array = self.array(name, format)?;
        match array.shape[..] {
            [n] | [1, n] | [n, 1] if n == units => self.tensor(name, &array, &[units]),
            _ => Err(self.shape(name, &array, format!("[{units}], as the weights have it"))),
        }
    }

    /// An array of a known shape.
    pub(crate) fn exactly(&self, name: &str, shape: &[usize], format: Format) -> Result<Tensor> {
        let array = self.array(name, format)?;
        if array.shape != shape {
            return Err(self.shape(name, &array, format!("{shape:?}")));
        }
        self.tensor(name, &array, shape)
    }

    fn tensor(&self, name: &str, array: &Array, shape: &[usize]) -> Result<Tensor> {
        let narrow: Vec<f32> = array.values.iter().map(|&x| x as f32).collect();
        if let Some(at) = narrow.iter().position(|x| !x.is_finite()) {
            // Where the value lies along each axis, the last of which varies fastest.
            let (mut rest, mut place) = (at, vec![0; array.shape.len()]);
            for (place, axis) in place.iter_mut().zip(&array.shape).rev() {
                (*place, rest) = (rest % axis, rest / axis);
            }
            return Err(Error::NotFinite { path: self.path(), name: name.into(), place, value: array.values[at] });
        }
        Ok(Tensor::from_vec(narrow, shape, &Device::Cpu)?)
    }

    /// An RBM of three arrays.
    pub(crate) fn rbm(&self, names: &Names<'_>) -> Result<Rbm> {
        let (w, rows) = names.w;
        let w = self.matrix(w, names.format)?;
        let w = if rows == Rows::Visible { w } else { w.t()? };
        let (visible, hidden) = w.dims2()?;
        let hb = self.vector(names.hb, hidden, names.format)?;
        let vb = self.vector(names.vb, visible, names.format)?;
        Ok(Rbm::from_tensors(w.contiguous()?, hb, vb)?)
    }

    /// What stands before the name `last` in the files of a stack: nothing where there is one RBM
    /// alone, else `stem` and the number of each layer.
    pub(crate) fn prefixes(&self, stem: &str, last: &str) -> Vec<String> {
        if self.has(last) {
            return vec![String::new()];
        }
        let layer = |name: &str| -> Option<usize> {
            name.strip_prefix(stem)?.strip_suffix(last)?.strip_suffix('.')?.parse().ok()
        };
        // A number that is left out is found missing when its layer is read.
        let layers = self.names.iter().filter_map(|name| layer(name)).count();
        (0..layers).map(|layer| format!("{stem}{layer}.")).collect()
    }
}

/// Opens the container that the first bytes announce.
fn contents(bytes: Vec<u8>) -> std::result::Result<Box<dyn Arrays>, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(npz::Npz::open(bytes)?));
    }
    if is_hdf5(&bytes) {
        #[cfg(feature = "hdf5")]
        return Ok(Box::new(hdf5::Hdf5::open(bytes)?));
        #[cfg(not(feature = "hdf5"))]
        return Err("is an HDF5 file, which this build does not read: build it with the feature `hdf5`, for dbn by \
                    cargo build --release --features hdf5"
            .into());
    }
    if mat::is_mat(&bytes) {
        return Ok(Box::new(mat::Mat::open(&bytes)?));
    }
    if bytes.first() == Some(&0x80) {
        return Err("is a pickle, which may hold any program and is not read: save the arrays with np.savez".into());
    }
    Ok(Box::new(safetensors::Tensors::open(bytes)?))
}

/// Signature of an HDF5 file.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Bytes that MATLAB puts before it.
const MATLAB_HEADER: usize = 512;

/// Whether these are the bytes of an HDF5 file.
fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE) || is_matlab_hdf5(bytes)
}

/// Whether they are MATLAB's.
pub(crate) fn is_matlab_hdf5(bytes: &[u8]) -> bool {
    bytes.get(MATLAB_HEADER..).is_some_and(|rest| rest.starts_with(SIGNATURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/../../tests/golden/import/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// Reads everything there is to read.
    fn read(bytes: Vec<u8>) {
        let Ok(arrays) = contents(bytes) else { return };
        for name in arrays.names() {
            let _ = (arrays.array(&name), arrays.text(&name));
        }
    }

    /// Files of every container, cut off or with a byte changed: an error or arrays, no panic.
    #[test]
    fn damaged_files_never_panic() {
        for (name, step) in [
            ("sklearn.npz", 3),
            ("learnergy.safetensors", 1),
            ("mnistvh.mat", 1),
            ("mnistpo.mat", 1),
            ("v73.mat", 3),
            ("rbms.h5", 17),
        ] {
            let good = golden(name);
            for at in (0..good.len()).step_by(step) {
                read(good[..at].to_vec());
                for value in [0, 0x7f, 0xff] {
                    let mut bytes = good.clone();
                    bytes[at] = value;
                    read(bytes);
                }
            }
        }
    }

    #[test]
    fn columns_become_rows_and_rows_of_nothing_take_no_time() {
        let array = Array::of_columns(2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!((array.shape, array.values), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert!(Array::of_columns(usize::MAX, 0, &[]).values.is_empty());
    }
}
