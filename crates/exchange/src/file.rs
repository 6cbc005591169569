//! A file of named arrays, whatever wraps them, and an RBM made of three of them.

use crate::containers::{
    self,
    arrays::{Array, Arrays},
};
use crate::error::{Error, Result};
use crate::format::Format;
use candle_core::{Device, Tensor};
use deepbelief_kernels::MAX_UNITS;
use deepbelief_rbm::Rbm;
use std::path::{Path, PathBuf};

/// Array names that a message lists; a file may hold thousands.
const LISTED: usize = 12;

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
        let unread = |source| Error::Read { path: path.into(), source };
        // A device or a pipe may have no end.
        if !std::fs::metadata(path).map_err(unread)?.is_file() {
            return Err(unread(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no regular file")));
        }
        let bytes = std::fs::read(path).map_err(unread)?;
        let sha256 = deepbelief_data::sha256(&bytes);
        let arrays = containers::open(bytes).map_err(|reason| Error::Broken { path: path.into(), reason })?;
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

    pub(crate) fn shape(&self, name: &str, array: &Array, expected: String) -> Error {
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

    /// An array of any shape in double precision, of numbers that 32-bit floats hold.
    pub(crate) fn numbers(&self, name: &str, format: Format) -> Result<Array> {
        let array = self.array(name, format)?;
        self.tensor(name, &array, &array.shape)?;
        Ok(array)
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
