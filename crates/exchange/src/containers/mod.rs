//! Files of named arrays.

pub(crate) mod arrays;
pub(crate) mod hdf5;
pub(crate) mod npz;
pub(crate) mod potts;
mod safetensors;

use arrays::{Array, Arrays};
use deepbelief_data::Container;

/// Opens the container that the first bytes announce.
pub(crate) fn open(bytes: Vec<u8>) -> Result<Box<dyn Arrays>, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(npz::Npz::open(bytes)?));
    }
    if Container::is(&bytes) {
        return Ok(Box::new(Container::open(bytes)?));
    }
    if potts::Potts::is(&bytes) {
        return Ok(Box::new(potts::Potts::open(bytes)?));
    }
    if bytes.first() == Some(&0x80) {
        return Err("is a pickle, which may hold any program and is not read: save the arrays with np.savez".into());
    }
    Ok(Box::new(safetensors::Tensors::open(bytes)?))
}

impl Arrays for Container {
    fn names(&self) -> Vec<String> {
        self.names()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let (shape, values) = self.numbers(name)?;
        Ok(Array { shape, values })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.text(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/../../tests/golden/import/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// Reads everything there is to read.
    fn read(bytes: Vec<u8>) {
        let Ok(arrays) = open(bytes) else { return };
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
}
