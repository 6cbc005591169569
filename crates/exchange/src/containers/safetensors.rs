//! safetensors files: what `safetensors.torch.save_file(model.state_dict(), ...)` writes.

use super::arrays::{Array, Arrays};
use safetensors::tensor::{Dtype, SafeTensors};

/// A file in memory.
pub(crate) struct Tensors {
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Tensors {
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let broken = |error| format!("is neither an npz, HDF5 or mat file nor a whole safetensors file ({error})");
        let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        // Its header says more than the names of its tensors do, such as the type of its units.
        if metadata.metadata().as_ref().is_some_and(|entries| entries.contains_key("deepbelief")) {
            return Err("was written by deepbelief: it is used as it is".into());
        }
        let mut names: Vec<String> = file.names().into_iter().map(ToString::to_string).collect();
        names.sort();
        Ok(Self { bytes, names })
    }
}

impl Arrays for Tensors {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let file = SafeTensors::deserialize(&self.bytes).map_err(|error| format!("cannot be read: {error}"))?;
        let view = file.tensor(name).map_err(|error| format!("cannot be read: {error}"))?;
        let values = match view.dtype() {
            Dtype::F32 => view.data().as_chunks().0.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect(),
            Dtype::F64 => view.data().as_chunks().0.iter().map(|&x| f64::from_le_bytes(x)).collect(),
            other => return Err(format!("is of the type {other:?}, expected F32 or F64")),
        };
        Ok(Array { shape: view.shape().to_vec(), values })
    }
}
