//! Models of other programs: scores against their own, round trips, refusals.

mod golden;
mod potts;
mod refusals;
mod round_trip;
mod units;

use safetensors::tensor::{Dtype, TensorView};
use std::path::{Path, PathBuf};

/// A file of `tests/golden/import`, which `tests/verify_import.py` writes.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/import").join(name)
}

/// Writes arrays of these names and shapes, counting up from 1, as a safetensors file: any container
/// may hold any format.
fn write(folder: &Path, name: &str, arrays: &[(&str, &[usize])]) -> PathBuf {
    let counting = |shape: &[usize]| (0..shape.iter().product::<usize>()).map(|x| x as f64 + 1.0).collect();
    let arrays: Vec<(&str, &[usize], Vec<f64>)> =
        arrays.iter().map(|&(name, shape)| (name, shape, counting(shape))).collect();
    write_values(folder, name, &arrays)
}

/// The same with values.
fn write_values(folder: &Path, name: &str, arrays: &[(&str, &[usize], Vec<f64>)]) -> PathBuf {
    let bytes: Vec<Vec<u8>> =
        arrays.iter().map(|(.., values)| values.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = arrays
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| (*name, TensorView::new(Dtype::F64, shape.to_vec(), bytes).unwrap()));
    let path = folder.join(name);
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}
