//! MATLAB's files of version 5, which its `save` writes and `scipy.io.savemat` (those of version 7.3
//! are HDF5 files).
//!
//! ```text
//! header    124 bytes of text and nothing; version 0x0100; `IM` or, most significant byte first, `MI`
//! element   type, length, 4 bytes each; as many bytes; zeros up to a multiple of 8
//!           where the upper half of the type is not 0: that is the length, 4 bytes in all follow
//! array     element of type 14: elements of flags, dimensions, name and real part
//! packed    element of type 15, not filled up: an array as a stream of zlib
//! ```
//!
//! A real part is stored column by column, in the narrowest type that holds its numbers, whatever
//! the type of the array. Arrays of real numbers are read, sparse matrices among them: the rows of their values, where
//! each column begins among these, and the values. Texts, cells and the like are passed over. The crates that read these files panic on damaged ones, or refuse all of one that holds a
//! text as well.

mod elements;

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use self::elements::{Elements, Result, element, words};
use super::arrays::Array;
use crate::memory::unpack::{Allowance, Unpacked};
use crate::tables::element::Element;

const HEADER: usize = 128;
const ARRAY: u32 = 14;
/// The class of cell arrays, the first there is.
const CELLS: u32 = 1;
/// The class of sparse matrices.
const SPARSE: u32 = 5;
/// Classes of arrays that hold numbers, from double to uint64.
const NUMERIC: std::ops::RangeInclusive<u32> = 6..=15;
/// The class of numbers of 8 bits without a sign.
const BYTES: u32 = 9;
/// Flag of an array that has an imaginary part.
const COMPLEX: u32 = 0x0800;

/// Whether these are the bytes of a MATLAB file of version 5.
pub(crate) fn is_mat(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && matches!(&bytes[124..HEADER], b"\x00\x01IM" | b"\x01\x00MI")
}

/// The arrays of a file.
pub(crate) struct Mat {
    arrays: Vec<Stored>,
    /// Names of those that are not read, and what they are.
    others: Vec<(String, &'static str)>,
}

/// What an element of a file holds.
enum Found {
    Array(Stored),
    Other(String, &'static str),
    Nothing,
}

/// An array as the file has it, the first axis fastest.
struct Stored {
    name: String,
    shape: Vec<usize>,
    element: Element,
    big_endian: bool,
    bytes: Vec<u8>,
    /// Of a sparse matrix, whose values are `bytes`: the row of each, and where each column begins among them.
    sparse: Option<(Vec<u32>, Vec<u32>)>,
}

impl Mat {
    /// Of a file in memory, of which no more is unpacked than is `allowed`.
    pub(crate) fn open(bytes: &[u8], allowed: &Allowance) -> Result<Self> {
        let big_endian = bytes[126] == b'M';
        let broken = |reason| format!("is not a readable mat file: {reason}");
        let mut rest = Elements { bytes: &bytes[HEADER..], big_endian };
        let (mut arrays, mut others) = (Vec::new(), Vec::new());
        while !rest.bytes.is_empty() {
            let (kind, data) = rest.next().map_err(broken)?;
            let array = match kind {
                ARRAY => array(data, big_endian),
                elements::PACKED => unpack(data, big_endian, allowed),
                _ => Ok(Found::Nothing),
            };
            match array.map_err(broken)? {
                Found::Array(array) => arrays.push(array),
                Found::Other(name, what) => others.push((name, what)),
                Found::Nothing => {}
            }
        }
        Ok(Self { arrays, others })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.arrays.iter().map(|array| array.name.clone()).collect()
    }

    /// Names of the arrays that are not read, and what they are.
    pub(crate) fn others(&self) -> &[(String, &'static str)] {
        &self.others
    }

    /// Bytes that an array takes once it is handed over, beside those of the file.
    pub(crate) fn bytes(&self, name: &str) -> u128 {
        self.find(name)
            .filter(|array| array.sparse.is_some())
            .map_or(0, |array| array.shape.iter().fold(8u128, |bytes, &axis| bytes.saturating_mul(axis as u128)))
    }

    /// Its shape, as MATLAB has it.
    pub(crate) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        Some(self.find(name)?.shape.clone())
    }

    /// An array, called `what` in messages.
    pub(crate) fn array(&self, name: &str, what: String) -> Result<Array<'_>> {
        let stored = self.find(name).ok_or("is not there")?;
        let (shape, element, big_endian, bytes) =
            (stored.shape.clone(), stored.element, stored.big_endian, &stored.bytes);
        if let Some(places) = &stored.sparse {
            let bytes = Cow::Owned(stored.dense(places)?);
            return Ok(Array { what, shape, element: Element::F64, big_endian: false, fortran: true, bytes });
        }
        Ok(Array { what, shape, element, big_endian, fortran: true, bytes: Cow::Borrowed(bytes) })
    }

    fn find(&self, name: &str) -> Option<&Stored> {
        self.arrays.iter().find(|array| array.name == name)
    }
}

impl Stored {
    /// A sparse matrix with its zeros, as 64-bit floats, least significant byte first.
    fn dense(&self, (rows, starts): &(Vec<u32>, Vec<u32>)) -> Result<Vec<u8>> {
        let [height, width] = self.shape[..] else { return Err("is sparse and no matrix".into()) };
        let values = self.element.decode(self.big_endian, &self.bytes, |x| x);
        let parted = starts.len() == width + 1 && starts.is_sorted() && starts[0] == 0;
        let stored = starts.last().map_or(0, |&end| end as usize);
        if !parted || rows.len() < stored || values.len() < stored {
            return Err(format!("is sparse, and its {} values are not parted into {width} columns", values.len()));
        }
        let size = height.checked_mul(width).and_then(|count| count.checked_mul(8));
        let size = size.ok_or("has more values than memory has addresses")?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).map_err(|_| "has more values than there is memory")?;
        bytes.resize(size, 0);
        for (column, ends) in starts.windows(2).enumerate() {
            for place in ends[0] as usize..ends[1] as usize {
                let row = rows[place] as usize;
                if row >= height {
                    return Err(format!("is sparse, and a value stands in row {row} of {height}"));
                }
                bytes[8 * (column * height + row)..][..8].copy_from_slice(&values[place].to_le_bytes());
            }
        }
        Ok(bytes)
    }
}

fn unpack(data: &[u8], big_endian: bool, allowed: &Allowance) -> Result<Found> {
    let mut bytes = Vec::new();
    Unpacked::within(ZlibDecoder::new(data), allowed.clone())
        .read_to_end(&mut bytes)
        .map_err(|error| format!("an array cannot be unpacked ({error})"))?;
    match (Elements { bytes: &bytes, big_endian }).next()? {
        (ARRAY, data) => array(data, big_endian),
        _ => Ok(Found::Nothing),
    }
}

/// An array of real numbers, or the name of one of another kind.
fn array(data: &[u8], big_endian: bool) -> Result<Found> {
    let mut elements = Elements { bytes: data, big_endian };
    let (_, flags) = elements.next()?;
    let flags = *words(flags, big_endian).first().ok_or("an array has no flags")?;
    let class = flags & 0xff;
    if !(CELLS..=*NUMERIC.end()).contains(&class) {
        return Ok(Found::Nothing);
    }
    let (_, dimensions) = elements.next()?;
    let shape: Vec<usize> = words(dimensions, big_endian).into_iter().map(|axis| axis as usize).collect();
    let (_, name) = elements.next()?;
    let name = String::from_utf8_lossy(name).into_owned();
    let other = match class {
        _ if flags & COMPLEX != 0 => Some("complex numbers"),
        CELLS => Some("a cell array"),
        2 => Some("a structure"),
        3 => Some("an object"),
        4 => Some("text (char)"),
        _ => None,
    };
    if let Some(what) = other {
        return Ok(Found::Other(name, what));
    }
    let mut sparse = None;
    if class == SPARSE {
        let (_, rows) = elements.next()?;
        let (_, starts) = elements.next()?;
        sparse = Some((words(rows, big_endian), words(starts, big_endian)));
    }
    let (kind, data) = elements.next()?;
    let element = element(kind).ok_or_else(|| format!("'{name}' holds elements of type {kind}"))?;
    let count = data.len() / element.size();
    if sparse.is_none() && shape.iter().fold(1u128, |count, &axis| count.saturating_mul(axis as u128)) != count as u128
    {
        let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
        return Err(format!("'{name}' holds {count} numbers, expected {}", axes.join(" x ")));
    }
    let mut bytes = data[..count * element.size()].to_vec();
    // Whole numbers that were stored in a byte each are no bytes for that.
    let widen = element == Element::U8 && class != BYTES;
    if widen {
        bytes = bytes.iter().flat_map(|&x| if big_endian { [0, x] } else { [x, 0] }).collect();
    }
    let element = if widen { Element::U16 } else { element };
    Ok(Found::Array(Stored { name, shape, element, big_endian, bytes, sparse }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file being written, in either order of bytes.
    struct Writer {
        bytes: Vec<u8>,
        big_endian: bool,
    }

    impl Writer {
        fn start(big_endian: bool) -> Self {
            let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
            bytes.resize(124, b' ');
            bytes.extend(if big_endian { b"\x01\x00MI" } else { b"\x00\x01IM" });
            Self { bytes, big_endian }
        }

        fn u32(&self, x: u32) -> [u8; 4] {
            if self.big_endian { x.to_be_bytes() } else { x.to_le_bytes() }
        }

        fn f64s(&self, numbers: &[f64]) -> Vec<u8> {
            numbers.iter().flat_map(|x| if self.big_endian { x.to_be_bytes() } else { x.to_le_bytes() }).collect()
        }

        fn element(&self, kind: u32, data: &[u8]) -> Vec<u8> {
            let mut bytes = [self.u32(kind), self.u32(data.len() as u32)].concat();
            bytes.extend(data);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        }

        fn short(&self, kind: u32, data: &[u8]) -> Vec<u8> {
            let mut bytes = self.u32((data.len() as u32) << 16 | kind).to_vec();
            bytes.extend(data);
            bytes.resize(8, 0);
            bytes
        }

        /// An array of 2 x 3, its real part as given.
        fn array(&mut self, name: &[u8], class: u32, real: &[u8]) {
            let flags = self.element(6, &[self.u32(class), self.u32(0)].concat());
            let dimensions = self.element(5, &[self.u32(2), self.u32(3)].concat());
            let name = if name.len() <= 4 { self.short(1, name) } else { self.element(1, name) };
            let array = self.element(14, &[&flags[..], &dimensions, &name, real].concat());
            self.bytes.extend(array);
        }
    }

    #[test]
    fn both_byte_orders_and_all_types_are_read_and_texts_passed_over() {
        for big_endian in [false, true] {
            let mut file = Writer::start(big_endian);
            let doubles = file.f64s(&[1.5, 2.0, 3.0, -4.0, 5.0, 6.0]);
            file.array(b"w", 6, &file.element(9, &doubles));
            // A text, a complex matrix, a matrix of whole numbers that fit one byte.
            file.array(b"text", 4, &file.element(4, &[0; 12]));
            file.array(b"complex", 6 | COMPLEX, &file.element(9, &doubles));
            file.array(b"narrow", 6, &file.element(2, &[1, 2, 3, 4, 5, 250]));
            assert!(is_mat(&file.bytes));
            file.array(b"bytes", 9, &file.element(2, &[1, 2, 3, 4, 5, 250]));
            let mat = Mat::open(&file.bytes, &Allowance::of(0)).unwrap();
            assert_eq!(mat.names(), ["w", "narrow", "bytes"]);
            let others = [("text".to_string(), "text (char)"), ("complex".to_string(), "complex numbers")];
            assert_eq!(mat.others(), others);
            let numbers = |name: &str| {
                let array = mat.array(name, name.into()).unwrap();
                (array.shape.clone(), array.numbers().unwrap(), array.element)
            };
            let columns_become_rows = vec![1.5, 3.0, 5.0, 2.0, -4.0, 6.0];
            assert_eq!(numbers("w"), (vec![2, 3], columns_become_rows, Element::F64));
            let whole = vec![1.0, 3.0, 5.0, 2.0, 4.0, 250.0];
            assert_eq!(numbers("narrow"), (vec![2, 3], whole.clone(), Element::U16), "a double is no byte");
            assert_eq!(numbers("bytes"), (vec![2, 3], whole, Element::U8));
        }
    }

    /// 0 0 7
    /// 5 0 250, in either order of bytes, of doubles or packed in bytes.
    #[test]
    fn sparse_matrices_are_read_with_their_zeros() {
        for big_endian in [false, true] {
            let mut file = Writer::start(big_endian);
            let words = |numbers: &[u32]| numbers.iter().flat_map(|&x| file.u32(x)).collect::<Vec<u8>>();
            let (rows, starts) = (file.element(5, &words(&[1, 0, 1])), file.element(5, &words(&[0, 1, 1, 3])));
            let bad = file.element(5, &words(&[0, 1, 1, 4]));
            let doubles = file.f64s(&[5.0, 7.0, 250.0]);
            let values = [file.element(9, &doubles), file.element(2, &[5, 7, 250])];
            let of = [(b"a", &starts, &values[0]), (b"b", &starts, &values[1]), (b"c", &bad, &values[0])];
            for (name, starts, values) in of {
                file.array(name, SPARSE, &[&rows[..], starts, values].concat());
            }
            let mat = Mat::open(&file.bytes, &Allowance::of(0)).unwrap();
            for name in ["a", "b"] {
                let array = mat.array(name, name.into()).unwrap();
                assert_eq!(
                    (&array.shape[..], array.numbers().unwrap()),
                    (&[2, 3][..], vec![0.0, 0.0, 7.0, 5.0, 0.0, 250.0])
                );
                assert_eq!(mat.bytes(name), 48);
            }
            let error = mat.array("c", "c".into()).err().unwrap();
            assert_eq!(error, "is sparse, and its 3 values are not parted into 3 columns");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let message = |kind, real: &[u8]| {
            let mut file = Writer::start(false);
            file.array(b"w", 6, &file.element(kind, real));
            Mat::open(&file.bytes, &Allowance::of(0)).err().unwrap()
        };
        assert_eq!(message(9, &[0; 40]), "is not a readable mat file: 'w' holds 5 numbers, expected 2 x 3");
        assert_eq!(message(16, &[0; 40]), "is not a readable mat file: 'w' holds elements of type 16");
        let mut file = Writer::start(false);
        file.bytes.extend([15, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]);
        assert!(Mat::open(&file.bytes, &Allowance::of(0)).err().unwrap().contains("an array cannot be unpacked"));
        file.bytes.pop();
        assert!(Mat::open(&file.bytes, &Allowance::of(0)).err().unwrap().contains("it is cut off"));
    }
}
