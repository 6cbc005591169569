//! Files of arrays that are read into memory whole: MATLAB's and HDF5. Their first bytes say which they are.

use std::fs::File;
use std::path::Path;

use super::arrays::Array;
#[cfg(feature = "hdf5")]
use super::hdf5::Hdf5;
use super::mat::{Mat, is_mat};
use super::roles::{self, Arrays};
use crate::error::Error;
use crate::memory::room::{Room, length};
use crate::memory::unpack::Allowance;
use crate::tables::table::Tables;

/// Signature of an HDF5 file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Bytes that MATLAB puts before it.
const MATLAB_HEADER: usize = 512;

/// Reads the arrays that have a role in a data set.
pub(crate) fn read(path: &Path, room: Room, named: bool) -> Result<Tables, Error> {
    let (what, file) = (path.display().to_string(), File::open(path).map_err(Error::read(path))?);
    room.require(&what, length(path, &file)?.unwrap_or(0).into())?;
    let mut bytes = Vec::new();
    room.read_to_end(path, &what, file, &mut bytes)?;
    let room = room.beside(bytes.len() as u64);
    let allowed = Allowance::of(bytes.len() as u64).at_most(room.most());
    let container = Container::within(bytes, &allowed);
    let container = container.map_err(|reason| Error::Container { path: path.into(), reason })?;
    container.require_numbers(path)?;
    roles::read(path, &mut Opened { path, container }, room, named)
}

/// A file of arrays that was opened for its samples.
struct Opened<'a> {
    path: &'a Path,
    container: Container,
}

impl Arrays for Opened<'_> {
    fn names(&self) -> Vec<String> {
        self.container.names()
    }

    fn shape(&mut self, name: &str) -> Option<Vec<usize>> {
        self.container.shape(name)
    }

    fn array(&mut self, name: &str, room: Room) -> Result<Array<'_>, Error> {
        let what = format!("{}: {name}", self.path.display());
        room.require(&what, self.container.bytes(name))?;
        let refused = |reason: String| Error::Container { path: self.path.into(), reason: format!("{name} {reason}") };
        self.container.array(name, what).map_err(refused)
    }
}

/// A file of MATLAB's or HDF5 in memory: arrays by name. Those in a group of an HDF5 file are called by their path,
/// `group/array`; the axes of MATLAB's are in its order.
///
/// Reasons for failing are clauses about the file, or about the array.
pub struct Container(Kind);

enum Kind {
    Mat(Mat),
    #[cfg(feature = "hdf5")]
    Hdf5(Box<Hdf5>),
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Container").field(&self.names()).finish()
    }
}

impl Container {
    /// Whether a file starts as one of these does.
    #[must_use]
    pub fn is(bytes: &[u8]) -> bool {
        is_mat(bytes) || is_hdf5(bytes) || of_matlab(bytes)
    }

    /// Opens a file.
    ///
    /// # Errors
    /// If it is damaged or of another kind, unpacks to more than its [`Allowance`], or is an HDF5 file and the
    /// feature `hdf5` is off.
    pub fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let allowed = Allowance::of(bytes.len() as u64);
        Self::within(bytes, &allowed)
    }

    #[cfg_attr(not(feature = "hdf5"), expect(clippy::needless_pass_by_value, reason = "HDF5 keeps them"))]
    fn within(bytes: Vec<u8>, allowed: &Allowance) -> Result<Self, String> {
        let matlab = of_matlab(&bytes);
        if matlab || is_hdf5(&bytes) {
            #[cfg(feature = "hdf5")]
            return Ok(Self(Kind::Hdf5(Box::new(Hdf5::open(bytes, matlab, allowed)?))));
            #[cfg(not(feature = "hdf5"))]
            return Err(format!(
                "is an HDF5 file, which this build does not read: {}",
                crate::error::with_feature("hdf5")
            ));
        }
        if !is_mat(&bytes) {
            return Err("is neither a MATLAB nor an HDF5 file".into());
        }
        Ok(Self(Kind::Mat(Mat::open(&bytes, allowed)?)))
    }

    /// Names of all arrays.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            Kind::Mat(mat) => mat.names(),
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(hdf5) => hdf5.names(),
        }
    }

    /// Shape and numbers of an array, the last axis fastest.
    ///
    /// # Errors
    /// If it is not there, cannot be read or holds no numbers.
    pub fn numbers(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), String> {
        let array = self.array(name, name.into())?;
        let numbers = array.numbers().map_err(|_| "holds texts, expected numbers")?;
        Ok((array.shape, numbers))
    }

    /// The only text of this name, where there is one.
    #[must_use]
    #[cfg_attr(not(feature = "hdf5"), allow(unused_variables, reason = "texts of MATLAB's are not read"))]
    pub fn text(&self, name: &str) -> Option<String> {
        match &self.0 {
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(hdf5) => hdf5.text(name),
            Kind::Mat(_) => None,
        }
    }

    /// Refuses a file in which an array that has a role in a data set, or every one, is not of real numbers.
    fn require_numbers(&self, path: &Path) -> Result<(), Error> {
        let others = match &self.0 {
            Kind::Mat(mat) => mat.others(),
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(_) => return Ok(()),
        };
        let none = self.names().is_empty();
        match others.iter().find(|(name, _)| none || roles::is_known(name)) {
            None => Ok(()),
            Some((name, what)) => {
                let reason = format!("{name} is {what}, which is not read: save it as an array of real numbers");
                Err(Error::Container { path: path.into(), reason })
            }
        }
    }

    /// Bytes that an array takes beside those that it has in memory.
    fn bytes(&self, name: &str) -> u128 {
        match &self.0 {
            Kind::Mat(mat) => mat.bytes(name),
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(_) => 0,
        }
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        match &self.0 {
            Kind::Mat(mat) => mat.shape(name),
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(hdf5) => hdf5.shape(name),
        }
    }

    fn array(&self, name: &str, what: String) -> Result<Array<'_>, String> {
        match &self.0 {
            Kind::Mat(mat) => mat.array(name, what),
            #[cfg(feature = "hdf5")]
            Kind::Hdf5(hdf5) => hdf5.array(name, what),
        }
    }
}

fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(HDF5)
}

/// Whether it is an HDF5 file of MATLAB's.
fn of_matlab(bytes: &[u8]) -> bool {
    bytes.get(MATLAB_HEADER..).is_some_and(|rest| rest.starts_with(HDF5))
}

#[cfg(test)]
mod tests {
    use crate::schema::pixels::Row;
    use crate::{LoadOptions, Source, load};

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind, data.len() as u32].map(u32::to_le_bytes).concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// A matrix of a file of version 5, column by column.
    fn matrix(name: &str, [rows, columns]: [u32; 2], class: u32, kind: u32, data: &[u8]) -> Vec<u8> {
        let flags = element(6, &[class, 0].map(u32::to_le_bytes).concat());
        let dimensions = element(5, &[rows, columns].map(u32::to_le_bytes).concat());
        element(14, &[flags, dimensions, element(1, name.as_bytes()), element(kind, data)].concat())
    }

    fn read(matrices: &[Vec<u8>]) -> Result<crate::Dataset, String> {
        let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
        bytes.resize(124, b' ');
        bytes.extend(b"\x00\x01IM");
        bytes.extend(matrices.concat());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.mat");
        std::fs::write(&path, bytes).unwrap();
        let prefix = format!("{}/", folder.path().display());
        load(&Source::Mat(path), &LoadOptions::default()).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn samples_and_labels_are_found_by_name_and_what_is_left_is_named() {
        let x = matrix("X", [3, 2], 9, 2, &[10, 20, 30, 40, 50, 255]);
        let y = matrix("y", [3, 1], 6, 2, &[1, 3, 2]);
        let data =
            read(&[x, y, matrix("age", [3, 1], 6, 2, &[7, 8, 9]), matrix("mean", [1, 2], 6, 2, &[1, 1])]).unwrap();
        assert_eq!((data.train.labels(), data.train.row(1)), (Some(vec![0, 2, 1]), Row::Bytes(&[20, 50])));
        let said = "not used, though as long as the samples: age (labels are called y_train, ";
        assert!(data.notes[0].starts_with(said), "{:?}", data.notes);
    }

    #[test]
    fn arrays_of_another_kind_that_have_a_role_are_refused_by_name() {
        let x = || matrix("X", [3, 2], 9, 2, &[10, 20, 30, 40, 50, 255]);
        let text = |name| matrix(name, [3, 1], 4, 4, &[97, 0, 98, 0, 97, 0]);
        let error = "t.mat: y is text (char), which is not read: save it as an array of real numbers";
        assert_eq!(read(&[x(), text("y")]).unwrap_err(), error);
        assert_eq!(read(&[text("y")]).unwrap_err(), error);
        assert_eq!(read(&[text("info"), x()]).unwrap().train.samples(), 3, "what has no role is passed over");
    }

    #[test]
    fn samples_have_the_weights_beside_them() {
        let x = || matrix("samples", [3, 2], 9, 2, &[10, 20, 30, 40, 50, 255]);
        let weights = |weights: &[u8]| matrix("weights", [1, weights.len() as u32], 6, 2, weights);
        let data = read(&[x(), weights(&[1, 0, 3])]).unwrap();
        assert_eq!([0, 1, 2].map(|sample| data.train.weight(sample)), [1.0, 0.0, 3.0].map(Some));
        assert_eq!(data.notes, ["samples weigh what weights says"]);
        let few = read(&[x(), weights(&[1, 1])]).unwrap_err();
        assert_eq!(few, "t.mat: weights is not what samples weigh: a number from 0 up for each, and not all 0");
        assert!(read(&[x(), weights(&[0, 0, 0])]).is_err());
    }

    /// As the digits of mldata.org lie: a column a sample, the labels in a row.
    #[test]
    fn samples_in_columns_are_told_by_their_labels() {
        let x = matrix("data", [2, 3], 9, 2, &[10, 40, 20, 50, 30, 255]);
        let data = read(&[x, matrix("label", [1, 3], 6, 2, &[1, 3, 2])]).unwrap();
        assert_eq!((data.train.labels(), data.train.row(1)), (Some(vec![0, 2, 1]), Row::Bytes(&[20, 50])));
        assert_eq!(data.notes, ["data has a column a sample, as there are 3 labels: it is transposed"]);
    }

    /// What h5py wrote: big-endian and packed in chunks, with names as labels; and the same as MATLAB lays it out.
    #[cfg(feature = "hdf5")]
    #[test]
    fn hdf5_files_hold_the_same_samples_with_and_without_matlab() {
        let at = |name: &str| format!("{}/../../tests/golden/data/{name}", env!("CARGO_MANIFEST_DIR")).into();
        let plain = load(&Source::Hdf5(at("samples.h5")), &LoadOptions::default()).unwrap();
        let matlab = load(&Source::Mat(at("samples-v73.mat")), &LoadOptions::default()).unwrap();
        for data in [&plain, &matlab] {
            assert_eq!(data.train.row(1), Row::Floats(&[0.5, 0.0, 0.125]));
            assert_eq!((data.train.samples(), data.train.units()), (4, 3));
        }
        assert_eq!((plain.train.labels(), matlab.train.labels()), (Some(vec![1, 0, 1, 0]), Some(vec![1, 0, 1, 0])));
        assert_eq!(plain.class_names, Some(vec!["ant".into(), "bee".into()]));
        assert!(plain.notes[0].contains("extra/age"), "{:?}", plain.notes);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.mat");
        std::fs::write(&path, b"1,2,3").unwrap();
        let error = load(&Source::Mat(path), &LoadOptions::default()).unwrap_err().to_string();
        assert!(error.ends_with("t.mat: is neither a MATLAB nor an HDF5 file"), "{error}");
        assert!(
            read(&[matrix("X", [3, 2], 9, 2, &[1, 2])]).unwrap_err().contains("'X' holds 2 numbers, expected 3 x 2")
        );
    }
}
