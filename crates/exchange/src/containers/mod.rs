//! Files of named arrays.

pub(crate) mod arrays;
#[cfg(feature = "hdf5")]
mod hdf5;
mod mat;
pub(crate) mod npz;
mod safetensors;

use arrays::Arrays;

/// Signature of an HDF5 file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Bytes that MATLAB puts before it.
const MATLAB_HEADER: usize = 512;

/// Opens the container that the first bytes announce.
pub(crate) fn open(bytes: Vec<u8>) -> Result<Box<dyn Arrays>, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(npz::Npz::open(bytes)?));
    }
    let matlab = bytes.get(MATLAB_HEADER..).is_some_and(|rest| rest.starts_with(HDF5));
    if matlab || bytes.starts_with(HDF5) {
        #[cfg(feature = "hdf5")]
        return Ok(Box::new(hdf5::Hdf5::open(bytes, matlab)?));
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
