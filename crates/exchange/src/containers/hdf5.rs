//! HDF5 files: those of rbms, and MATLAB's of version 7.3.
//!
//! An array in a group is called by its path, `group/array`. MATLAB keeps its matrices column by
//! column and lists their axes the other way round.

use super::arrays::{Array, Arrays};
use deepbelief_data::Allowance;
use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::messages::datatype::Datatype;
use hdf5_reader::{Hdf5File, OpenOptions};

/// Groups within groups that are listed; links may lead in circles.
const DEEPEST: usize = 3;

/// A file in memory.
pub(crate) struct Hdf5 {
    file: Hdf5File,
    names: Vec<String>,
    matlab: bool,
}

impl Hdf5 {
    /// Opens a file, perhaps of MATLAB's.
    pub(super) fn open(bytes: Vec<u8>, matlab: bool) -> Result<Self, String> {
        let broken = |error| format!("is not a readable HDF5 file: {error}");
        // What is not in the file counts as zeros, as many as the header says.
        let most = Allowance::of(bytes.len() as u64).most() as usize;
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

impl Arrays for Hdf5 {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let broken = |error| format!("cannot be read: {error}");
        let dataset = self.file.dataset(name).map_err(broken)?;
        let shape: Vec<usize> = dataset.shape().iter().map(|&axis| axis as usize).collect();
        let values: Vec<f64> = match dataset.dtype() {
            Datatype::FloatingPoint { size: 4, .. } => {
                dataset.read_array::<f32>().map_err(broken)?.into_iter().map(f64::from).collect()
            }
            Datatype::FloatingPoint { size: 8, .. } => {
                dataset.read_array::<f64>().map_err(broken)?.into_iter().collect()
            }
            other => return Err(format!("is of the type {other:?}, expected floats of 32 or 64 bits")),
        };
        Ok(match shape[..] {
            [columns, rows] if self.matlab => Array::of_columns(rows, columns, &values),
            _ => Array { shape, values },
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        let dataset = self.file.dataset(name).ok()?;
        // All texts would be read to find out that there is not one.
        if dataset.num_elements().ok()? != 1 {
            return None;
        }
        dataset.read_string().ok()
    }
}
