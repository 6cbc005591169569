//! HDF5 files, and MATLAB's of version 7.3, which are HDF5 files.
//!
//! An array in a group is called by its path, `group/array`. MATLAB keeps its matrices column by
//! column and lists their axes the other way round.

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::messages::datatype::Datatype;
use hdf5_reader::{ByteOrder, Hdf5File, OpenOptions};

use super::arrays::Array;
use crate::memory::unpack::Allowance;
use crate::tables::element::Element;

/// Groups within groups that are listed; links may lead in circles.
const DEEPEST: usize = 3;

/// A file in memory.
pub(crate) struct Hdf5 {
    file: Hdf5File,
    names: Vec<String>,
    matlab: bool,
}

impl Hdf5 {
    /// Opens a file, perhaps of MATLAB's, of which no more is unpacked at once than is `allowed`.
    pub(super) fn open(bytes: Vec<u8>, matlab: bool, allowed: &Allowance) -> Result<Self, String> {
        let broken = |error| format!("is not a readable HDF5 file: {error}");
        // What is not in the file counts as zeros, as many as the header says.
        let most = allowed.most() as usize;
        let options = OpenOptions::default().with_max_read_bytes(most);
        let file = Hdf5File::from_vec_with_options(bytes, options).map_err(broken)?;
        let mut names = Vec::new();
        list(&file.root_group().map_err(broken)?, "", DEEPEST, &mut names).map_err(broken)?;
        Ok(Self { file, names, matlab })
    }
}

fn list(group: &Group, path: &str, depth: usize, names: &mut Vec<String>) -> Result<(), Error> {
    let (groups, datasets) = group.member_names()?;
    names.extend(datasets.iter().map(|name| format!("{path}{name}")));
    for name in groups.iter().filter(|_| depth > 0) {
        list(&group.group(name)?, &format!("{path}{name}/"), depth - 1, names)?;
    }
    Ok(())
}

impl Hdf5 {
    pub(super) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Its shape, as MATLAB has it where the file is MATLAB's.
    pub(super) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let dataset = self.file.dataset(name).ok()?;
        let mut shape: Vec<usize> = dataset.shape().iter().map(|&axis| axis as usize).collect();
        if self.matlab {
            shape.reverse();
        }
        Some(shape)
    }

    /// An array, called `what` in messages.
    pub(super) fn array(&self, name: &str, what: String) -> Result<Array<'_>, String> {
        let broken = |error| format!("cannot be read: {error}");
        let dataset = self.file.dataset(name).map_err(broken)?;
        let shape = self.shape(name).unwrap_or_default();
        let (element, big_endian, bytes) = match dataset.dtype() {
            Datatype::String { .. } | Datatype::VarLen { .. } => {
                let texts = dataset.read_strings().map_err(broken)?;
                let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
                let fill = |text: &String| text.bytes().chain(std::iter::repeat(0)).take(longest).collect::<Vec<u8>>();
                (Element::Text(longest as u32), false, texts.iter().flat_map(fill).collect())
            }
            other => {
                let (element, big_endian) =
                    element(other).ok_or_else(|| format!("is of the type {other:?}, expected numbers or texts"))?;
                (element, big_endian, dataset.read_raw_bytes().map_err(broken)?)
            }
        };
        let expected = shape.iter().fold(element.size() as u128, |bytes, &axis| bytes.saturating_mul(axis as u128));
        if bytes.len() as u128 != expected {
            return Err(format!("holds {} bytes, expected {expected}", bytes.len()));
        }
        Ok(Array { what, shape, element, big_endian, fortran: self.matlab, bytes: bytes.into() })
    }

    /// The text of this name.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let dataset = self.file.dataset(name).ok()?;
        // All texts would be read to find out that there is not one.
        if dataset.num_elements().ok()? != 1 {
            return None;
        }
        dataset.read_string().ok()
    }
}

/// Type and order of the bytes of numbers; truth values are whole numbers with names.
fn element(datatype: &Datatype) -> Option<(Element, bool)> {
    let big = |order: &ByteOrder| *order == ByteOrder::BigEndian;
    Some(match datatype {
        Datatype::Enum { base, .. } => element(base)?,
        Datatype::FixedPoint { size, signed, byte_order } => {
            let element = match (size, signed) {
                (1, false) => Element::U8,
                (2, false) => Element::U16,
                (4, false) => Element::U32,
                (8, false) => Element::U64,
                (1, true) => Element::I8,
                (2, true) => Element::I16,
                (4, true) => Element::I32,
                (8, true) => Element::I64,
                _ => return None,
            };
            (element, big(byte_order))
        }
        Datatype::FloatingPoint { size, byte_order } => {
            let element = match size {
                2 => Element::F16,
                4 => Element::F32,
                8 => Element::F64,
                _ => return None,
            };
            (element, big(byte_order))
        }
        _ => return None,
    })
}
