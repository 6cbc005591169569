//! Tensors in safetensors files with this project's header: one metadata entry, `deepbelief`, a
//! JSON object with sorted keys. One entry and sorted keys make a file a function of its
//! content. Checkpoints and training states of every kind are such files. And minibatches as tensors.

use crate::error::{Error, Result};
use crate::files::atomic::write_atomic;
use crate::files::format::{METADATA, Start, newest};
use crate::files::last_good::write_keeping;
use crate::files::regular_file::read_regular;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::Batch;
use deepbelief_training::OnDivergence;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Key of a header that says what [`seal`] found of the file's content.
const SEAL: &str = "content_sha256";

/// The values of a minibatch as a tensor [rows, units]. Spins are 0 and 1 in minibatches, and -1 and 1 in the tensors that
/// models take: of units other than Bernoulli [`states_of`](crate::states_of) makes the tensor.
///
/// # Errors
/// If candle refuses an operation.
pub fn from_batch(batch: &Batch, device: &Device) -> candle_core::Result<Tensor> {
    Tensor::from_vec(batch.to_values(), (batch.rows(), batch.units()), device)
}

fn refusal(path: &Path, reason: String) -> Error {
    Error::Checkpoint { path: path.into(), reason }
}

/// Writes tensors as F32 with a header, an object that holds at least `format_version` and
/// `kind`; whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write(path: &Path, header: &impl Serialize, tensors: &[(String, Tensor)]) -> Result<()> {
    let parts = parts(tensors)?;
    let file = serialize(path, &to_value(path, header)?, &parts)?;
    write_atomic(path, &file).map_err(|source| Error::Io { action: "write", path: path.into(), source })
}

/// Writes the state of a training likewise, with a checksum, which [`Reader::open`] holds it
/// against, and keeps the file that was there before (see [`crate::recover`]).
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write_state(path: &Path, header: &impl Serialize, tensors: &[(String, Tensor)]) -> Result<()> {
    let parts = parts(tensors)?;
    let mut header = to_value(path, header)?;
    let views = parts.iter().map(|(name, shape, bytes)| (name.as_str(), shape.as_slice(), bytes.as_slice()));
    let sum = seal(&header, views.collect());
    header.as_object_mut().and_then(|header| header.insert(SEAL.into(), sum.into()));
    let file = serialize(path, &header, &parts)?;
    write_keeping(path, &file).map_err(|source| Error::Io { action: "write", path: path.into(), source })
}

/// Name, shape and bytes of a tensor.
type Part = (String, Vec<usize>, Vec<u8>);

fn parts(tensors: &[(String, Tensor)]) -> Result<Vec<Part>> {
    let part = |(name, tensor): &(String, Tensor)| {
        let values: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok((name.clone(), tensor.dims().to_vec(), values.iter().flat_map(|x| x.to_le_bytes()).collect()))
    };
    tensors.iter().map(part).collect()
}

/// A Value's object keeps its keys sorted; a struct would keep them as declared.
fn to_value(path: &Path, header: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(header).map_err(|e| refusal(path, e.to_string()))
}

fn serialize(path: &Path, header: &serde_json::Value, parts: &[Part]) -> Result<Vec<u8>> {
    let bad = |e: &dyn std::fmt::Display| refusal(path, e.to_string());
    let metadata = HashMap::from([(METADATA.to_string(), header.to_string())]);
    let mut views = Vec::with_capacity(parts.len());
    for (name, shape, bytes) in parts {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|e| bad(&e))?));
    }
    safetensors::serialize(views, Some(metadata)).map_err(|e| bad(&e))
}

/// Checksum of a file's content: of its header, and of name, shape and bytes of every tensor.
fn seal(header: &serde_json::Value, mut tensors: Vec<(&str, &[usize], &[u8])>) -> String {
    tensors.sort_unstable_by_key(|tensor| tensor.0);
    let mut hash = Sha256::new();
    hash.update(header.to_string());
    for (name, shape, bytes) in tensors {
        hash.update(format!("\n{name} {shape:?}\n"));
        hash.update(bytes);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of a file, which must be a regular one.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    read_regular(path).map_err(|source| Error::Io { action: "read", path: path.into(), source })
}

/// What kind of thing a file of this project holds, such as `rbm` or `dbn`.
///
/// # Errors
/// [`Error::Checkpoint`] as [`Reader::open`] has it.
pub fn kind(path: &Path, bytes: &[u8]) -> Result<String> {
    start(path, bytes).map(|(start, _)| start.kind)
}

/// What a file of any kind says of itself: its header, a JSON object.
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Checkpoint`] as [`Reader::open`] has it.
pub fn header(path: &Path) -> Result<serde_json::Value> {
    let (_, header) = start(path, &read(path)?)?;
    serde_json::from_str(&header).map_err(|e| refusal(path, format!("has an unreadable header ({e})")))
}

/// The header of a file, as far as all kinds share it, and its text.
fn start(path: &Path, bytes: &[u8]) -> Result<(Start, String)> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|e| refusal(path, format!("is not a whole safetensors file ({e})")))?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA)).ok_or_else(|| {
        refusal(path, format!("has no '{METADATA}' entry in its metadata: it was not written by deepbelief"))
    })?;
    let start: Start =
        serde_json::from_str(header).map_err(|e| refusal(path, format!("has an unreadable header ({e})")))?;
    let (version, newest) = (start.format_version, newest(&start.kind));
    if version == 0 || version > newest {
        return Err(refusal(
            path,
            format!(
                "has format version {version}, this program reads versions up to {newest}: \
                 install a newer deepbelief"
            ),
        ));
    }
    Ok((start, header.clone()))
}

/// Refuses content that is not what was written. Most damage to numbers leaves numbers.
fn check_seal(
    path: &Path,
    sum: &serde_json::Value,
    header: &serde_json::Value,
    tensors: &SafeTensors<'_>,
) -> Result<()> {
    let tensors = tensors.tensors();
    let parts = tensors.iter().map(|(name, view)| (name.as_str(), view.shape(), view.data()));
    if sum.as_str() == Some(seal(header, parts.collect()).as_str()) {
        return Ok(());
    }
    Err(refusal(path, "is damaged: its content does not have the checksum that its header says".into()))
}

/// An open file.
pub struct Reader<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

/// What reads a file of a kind, as the end of a sentence.
fn read_by(kind: &str) -> &'static str {
    match kind {
        "rbm" => ": `deepbelief_rbm::load` reads it",
        "dbn" => ": `deepbelief_stack::Dbn::load` reads it",
        "mlp" | "autoencoder" => ": `deepbelief_finetune::Network::load` reads it",
        _ => "",
    }
}

impl<'a> Reader<'a> {
    /// Opens the bytes of a file and reads its header, whose version and kind are checked first.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the file is not safetensors, not of this project, of a newer
    /// format or of another kind.
    pub fn open<H: for<'de> Deserialize<'de>>(path: &'a Path, bytes: &'a [u8], kind: &str) -> Result<(H, Self)> {
        let (start, header) = start(path, bytes)?;
        if start.kind != kind {
            return Err(refusal(
                path,
                format!("is of kind '{}', expected '{kind}'{}", start.kind, read_by(&start.kind)),
            ));
        }
        let unreadable = |e: serde_json::Error| refusal(path, format!("has an unreadable header ({e})"));
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| refusal(path, format!("is damaged ({e})")))?;
        let mut value: serde_json::Value = serde_json::from_str(&header).map_err(unreadable)?;
        let parsed = match value.as_object_mut().and_then(|value| value.remove(SEAL)) {
            None => serde_json::from_str(&header),
            Some(sum) => {
                check_seal(path, &sum, &value, &tensors)?;
                serde_json::from_value(value)
            }
        };
        Ok((parsed.map_err(unreadable)?, Self { path, tensors }))
    }

    /// Refuses the file.
    ///
    /// # Errors
    /// Always: [`Error::Checkpoint`] with the reason.
    pub fn refuse<T>(&self, reason: String) -> Result<T> {
        Err(refusal(self.path, reason))
    }

    /// Refuses more halvings of learning rates than a training makes.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] says how many.
    pub fn require_halvings(&self, halvings: u32) -> Result<()> {
        if halvings <= OnDivergence::MOST_HALVINGS {
            return Ok(());
        }
        self.refuse(format!("has learning rates that were halved {halvings} times"))
    }

    /// The values of an F32 tensor of a known shape, row-major, all of them finite.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] names the tensor and what is wrong with it.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Ok(view) = self.tensors.tensor(name) else {
            return self.refuse(format!("tensor '{name}' is missing"));
        };
        if view.dtype() != Dtype::F32 {
            return self.refuse(format!("tensor '{name}' has type {:?}, expected F32", view.dtype()));
        }
        if view.shape() != shape {
            return self.refuse(format!("tensor '{name}' has shape {:?}, expected {shape:?}", view.shape()));
        }
        let (chunks, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        match values.iter().position(|x| !x.is_finite()) {
            Some(at) => self.refuse(format!("tensor '{name}' holds {} at place {at}", values[at])),
            None => Ok(values),
        }
    }

    /// The same as a tensor on a device.
    ///
    /// # Errors
    /// As for [`Reader::values`]; if the device is out of memory.
    pub fn get(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.values(name, shape)?, shape, device)?)
    }
}
