//! Safetensors: tensors by the same names as the arrays of an npz file.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::arrays::Array;
use super::roles::{self, Arrays};
use crate::error::{ArrayError, Error};
use crate::memory::room::{Room, length};
use crate::tables::element::Element;
use crate::tables::table::Tables;

/// Reads the tensors that have a role in a data set.
pub(crate) fn read(path: &Path, room: Room, named: bool) -> Result<Tables, Error> {
    let (what, mut file) = (path.display().to_string(), File::open(path).map_err(Error::read(path))?);
    room.require(&what, length(path, &file)?.unwrap_or(0).into())?;
    let mut bytes = Vec::new();
    file.by_ref().take(8).read_to_end(&mut bytes).map_err(Error::read(path))?;
    // The size of the header, which is not empty; what is no such file may have no end either.
    if bytes.iter().any(|&byte| byte != 0) {
        room.read_to_end(path, &what, file, &mut bytes)?;
    }
    parse(path, &bytes, room.beside(bytes.len() as u64), named)
}

fn parse(path: &Path, bytes: &[u8], room: Room, named: bool) -> Result<Tables, Error> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| broken(path, &error))?;
    roles::read(path, &mut Tensors { path, file }, room, named)
}

fn broken(path: &Path, error: &safetensors::SafeTensorError) -> Error {
    Error::Broken { what: path.display().to_string(), format: "safetensors", reason: error.to_string() }
}

/// A file in memory.
struct Tensors<'a> {
    path: &'a Path,
    file: SafeTensors<'a>,
}

impl Arrays for Tensors<'_> {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.file.names().into_iter().map(String::from).collect();
        names.sort_unstable();
        names
    }

    fn shape(&mut self, name: &str) -> Option<Vec<usize>> {
        Some(self.file.tensor(name).ok()?.shape().to_vec())
    }

    fn array(&mut self, name: &str, _: Room) -> Result<Array<'_>, Error> {
        let tensor = self.file.tensor(name).map_err(|error| broken(self.path, &error))?;
        let what = format!("{}: {name}", self.path.display());
        let Some(element) = element(tensor.dtype()) else {
            return Err(ArrayError::Dtype { what, got: format!("{:?}", tensor.dtype()) }.into());
        };
        let (shape, bytes) = (tensor.shape().to_vec(), Cow::Borrowed(tensor.data()));
        Ok(Array { what, shape, element, big_endian: false, fortran: false, bytes })
    }
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::U16 => Element::U16,
        Dtype::U32 => Element::U32,
        Dtype::U64 => Element::U64,
        Dtype::I8 => Element::I8,
        Dtype::I16 => Element::I16,
        Dtype::I32 => Element::I32,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::pixels::Row;
    use crate::{LoadOptions, Source, load};
    use safetensors::tensor::TensorView;

    fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
        safetensors::serialize(views, None).unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        parse(Path::new("f"), bytes, Room::ENDLESS, false).unwrap_err().to_string()
    }

    #[test]
    fn tensors_give_both_splits() {
        let floats: Vec<u8> = [0.0f32, 0.25, 1.0, 0.5].iter().flat_map(|x| x.to_le_bytes()).collect();
        let labels: Vec<u8> = [1u32, 0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let bytes = file(&[
            ("images", Dtype::F32, vec![2, 2], floats.clone()),
            ("labels", Dtype::U32, vec![2], labels),
            ("x_test", Dtype::F32, vec![2, 2], floats),
        ]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let data = load(&Source::Safetensors(path), &LoadOptions::default()).unwrap();
        assert_eq!((data.train.row(1), data.train.label(0)), (Row::Floats(&[1.0, 0.5]), Some(1)));
        assert_eq!(data.test.unwrap().row(0), Row::Floats(&[0.0, 0.25]));
    }

    /// Zeros and ones are bits, whatever type holds them, and with them what a model was trained on is read again.
    #[test]
    fn bits_of_any_type_are_bits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.safetensors");
        let bits = [0u8, 1, 1, 0, 1, 0, 0, 0];
        let floats: Vec<u8> = bits.iter().flat_map(|&bit| f32::from(bit).to_le_bytes()).collect();
        let wide: Vec<u8> = bits.iter().flat_map(|&bit| i64::from(bit).to_le_bytes()).collect();
        for (dtype, bytes) in
            [(Dtype::U8, bits.to_vec()), (Dtype::BOOL, bits.to_vec()), (Dtype::I64, wide), (Dtype::F32, floats)]
        {
            for shape in [vec![2, 4], vec![2, 2, 2]] {
                std::fs::write(&path, file(&[("images", dtype, shape, bytes.clone())])).unwrap();
                let data = load(&Source::Safetensors(path.clone()), &LoadOptions::default()).unwrap();
                assert_eq!(data.scaling.to_string(), "as they are", "{dtype:?}");
                assert_eq!(data.train.row(0), Row::Bytes(&[0, 255, 255, 0]), "{dtype:?}");
                let mut values = [0.0; 4];
                data.train.row(1).write(&mut values);
                assert_eq!(values, [1.0, 0.0, 0.0, 0.0], "{dtype:?}");
            }
        }
    }

    #[test]
    fn bad_files_are_refused_by_name() {
        assert!(refused(b"no").starts_with("f: not a readable safetensors file: "));
        let half = file(&[("x", Dtype::F8_E4M3, vec![1, 2], vec![0; 2])]);
        assert_eq!(
            refused(&half),
            "f: x: the type is F8_E4M3, expected bool, an integer of 8 to 64 bits or a float of 16 to 64"
        );
        let two = file(&[("a", Dtype::U8, vec![1, 1], vec![0]), ("b", Dtype::U8, vec![1, 1], vec![0])]);
        assert!(refused(&two).contains("found a, b;"));
    }

    #[test]
    fn no_prefix_and_no_changed_byte_panics() {
        let good = file(&[("x", Dtype::U8, vec![2, 2], vec![1, 2, 3, 4]), ("y", Dtype::U8, vec![2], vec![0, 1])]);
        for end in 0..good.len() {
            assert!(parse(Path::new("f"), &good[..end], Room::ENDLESS, false).is_err(), "{end} bytes");
        }
        for at in 0..good.len() {
            for value in [0, 1, b'9', b'[', b'"', 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = parse(Path::new("f"), &bytes, Room::ENDLESS, false);
            }
        }
    }

    #[test]
    fn no_more_memory_is_taken_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let bytes = file(&[("x", Dtype::U8, vec![100, 30], vec![1; 3000])]);
        std::fs::write(&path, &bytes).unwrap();
        let within = |most: usize| {
            let options = LoadOptions { max_memory: Some(most as u64), ..LoadOptions::default() };
            load(&Source::Safetensors(path.clone()), &options).map_err(|error| error.to_string())
        };
        assert_eq!(within(bytes.len() + 3000).unwrap().train.samples(), 100);
        for most in [bytes.len() + 2999, bytes.len() - 1] {
            assert!(within(most).unwrap_err().contains("the data take more than 0 MiB of memory"));
        }
    }
}
