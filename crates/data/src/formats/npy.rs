//! NumPy's files of one array.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};

use super::arrays::Array;
use super::fortran::Fortran;
use crate::error::{ArrayError, Error};
use crate::memory::room::{Room, length};
use crate::tables::element::Element;
use crate::tables::file_rows::{FileRows, Stamp};
use crate::tables::table::{Cells, Table, Tables};

/// Longest header accepted. That of a plain array has some hundred bytes; only records of
/// thousands of fields, which hold no samples, need more.
pub(super) const LONGEST_HEADER: usize = 1 << 16;

/// Letters of a text, at most.
const LONGEST_TEXT: u64 = 1 << 12;

/// Reads one array [samples, ...], all of which is training data: from its file, row by row,
/// where rows lie in one piece there.
pub(crate) fn read(path: &Path, room: Room) -> Result<Tables, Error> {
    let (what, mut file) = (path.display().to_string(), File::open(path).map_err(Error::read(path))?);
    let (opened, length) = (Stamp::of(path, &file)?, length(path, &file)?);
    let mut start = Vec::new();
    file.by_ref().take(12 + LONGEST_HEADER as u64).read_to_end(&mut start).map_err(Error::read(path))?;
    let Some(length) = length else {
        // A pipe and its like have no length, and can be read but once.
        check_header(&start).map_err(|reason| broken(&what, reason.into()))?;
        room.read_to_end(path, &what, file, &mut start)?;
        let (train, image) = array(&what, start.into())?.table(room)?;
        return Ok(Tables { image, ..Tables::of(train) });
    };
    let (place, array) = header(&what, &start, length)?;
    let (samples, units, image) = array.layout()?;
    let (place, element, big_endian) = (place as u64, array.element, array.big_endian);
    let values = if array.fortran {
        room.require(&what, samples as u128 * units as u128 * element.held() as u128)?;
        file.seek(SeekFrom::Start(place)).map_err(Error::read(path))?;
        let of = Fortran { samples, axes: &array.shape[1..], element, big_endian };
        of.read(&mut file).map_err(Error::read(path))?.into()
    } else {
        let path = path.to_path_buf();
        Cells::File(FileRows { path, file, start: place, samples, units, element, big_endian, opened }.into())
    };
    Ok(Tables { image, ..Tables::of(Table::new(what, units, values)) })
}

/// Shape and numbers, the last axis fastest, of an npy file in memory, which messages call `what`:
/// for readers of NumPy arrays that are no data sets.
///
/// # Errors
/// [`Error::Broken`] if the bytes are no whole npy file, [`ArrayError::Dtype`](crate::ArrayError::Dtype) if they hold no numbers.
pub fn npy_numbers(what: &str, file: &[u8]) -> Result<(Vec<usize>, Vec<f64>), Error> {
    let array = array(what, file.into())?;
    let numbers = array.numbers()?;
    Ok((array.shape, numbers))
}

fn broken(what: &str, reason: String) -> Error {
    Error::Broken { what: what.into(), format: "npy", reason }
}

/// An npy file in memory.
pub(super) fn array<'a>(what: &str, file: Cow<'a, [u8]>) -> Result<Array<'a>, Error> {
    let (start, array) = header(what, &file, file.len() as u64)?;
    let bytes = match file {
        Cow::Borrowed(file) => Cow::Borrowed(&file[start..]),
        // What is moved down is not copied: the array may be as large as the memory.
        Cow::Owned(mut file) => {
            file.drain(..start);
            Cow::Owned(file)
        }
    };
    Ok(Array { bytes, ..array })
}

/// What a file of `length` bytes says of its data by its first ones: where they start, and the
/// array but for its elements.
pub(super) fn header(what: &str, file: &[u8], length: u64) -> Result<(usize, Array<'static>), Error> {
    let broken = |reason: String| broken(what, reason);
    let start = check_header(file).map_err(|reason| broken(reason.into()))?;
    let header = NpyHeader::from_reader(&file[..start]).map_err(|error| broken(error.to_string()))?;
    let dtype = header.dtype();
    let (element, endianness) =
        element(&dtype).ok_or_else(|| ArrayError::Dtype { what: what.into(), got: dtype.descr() })?;
    let (got, expected) = (length - start as u64, u128::from(header.len()) * element.size() as u128);
    if u128::from(got) != expected {
        let kind = if u128::from(got) < expected { "truncated" } else { "too long" };
        return Err(broken(format!("the file is {kind}: {got} bytes of data, expected {expected}")));
    }
    let shape = header.shape().iter().map(|&size| size as usize).collect();
    let (big_endian, fortran) = (endianness == Endianness::Big, header.order() == Order::Fortran);
    Ok((start, Array { what: what.into(), shape, element, big_endian, fortran, bytes: Cow::Borrowed(&[]) }))
}

/// Where the data starts; refuses headers on which a parser could overflow or run away.
fn check_header(file: &[u8]) -> Result<usize, &'static str> {
    let not_npy = "it does not start like one";
    if !file.starts_with(b"\x93NUMPY") {
        return Err(not_npy);
    }
    let (start, length) = match (file.get(6), &file[8.min(file.len())..]) {
        (Some(1), [a, b, ..]) => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        (Some(2 | 3), [a, b, c, d, ..]) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => return Err(not_npy),
    };
    if length > LONGEST_HEADER {
        return Err("the header is longer than 65536 bytes");
    }
    let text = file.get(start..start + length).ok_or("the file is truncated: the header is cut off")?;
    let (mut depth, mut deepest, mut product, mut number) = (0i32, 0, 1u64, None);
    for byte in text.iter().chain(b" ") {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
        // The product of all numbers in the header bounds the bytes it promises.
        if byte.is_ascii_digit() {
            number = Some(number.unwrap_or(0u64).saturating_mul(10).saturating_add(u64::from(byte - b'0')));
        } else if let Some(number) = number.take() {
            product = product.saturating_mul(number.max(1));
        }
    }
    if deepest > 8 {
        return Err("the header is nested too deeply");
    }
    if product > i64::MAX as u64 {
        return Err("the header promises more data than memory has addresses");
    }
    Ok(start + length)
}

fn element(dtype: &DType) -> Option<(Element, Endianness)> {
    let DType::Plain(plain) = dtype else { return None };
    let element = match (plain.type_char(), plain.size_field()) {
        (TypeChar::Bool, 1) => Element::Bool,
        (TypeChar::Uint, 1) => Element::U8,
        (TypeChar::Uint, 2) => Element::U16,
        (TypeChar::Uint, 4) => Element::U32,
        (TypeChar::Uint, 8) => Element::U64,
        (TypeChar::Int, 1) => Element::I8,
        (TypeChar::Int, 2) => Element::I16,
        (TypeChar::Int, 4) => Element::I32,
        (TypeChar::Int, 8) => Element::I64,
        (TypeChar::Float, 2) => Element::F16,
        (TypeChar::Float, 4) => Element::F32,
        (TypeChar::Float, 8) => Element::F64,
        (TypeChar::UnicodeStr, letters @ 1..=LONGEST_TEXT) => Element::Unicode(letters as u32),
        (TypeChar::ByteStr, bytes @ 1..=LONGEST_TEXT) => Element::Text(bytes as u32),
        _ => return None,
    };
    Some((element, plain.endianness()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::schema::pixels::Row;
    use crate::{Dataset, ImageShape, LoadOptions, Source, load};

    /// A file as NumPy writes it: format version, header padded to 64 bytes, data.
    pub(in crate::formats) fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let prefix = if version == 1 { 10 } else { 12 };
        let length = (prefix + header.len() + 1).next_multiple_of(64) - prefix;
        let mut file = b"\x93NUMPY".to_vec();
        file.extend([version, 0]);
        file.extend(if version == 1 {
            (length as u16).to_le_bytes().to_vec()
        } else {
            (length as u32).to_le_bytes().to_vec()
        });
        file.extend([header, &" ".repeat(length - 1 - header.len()), "\n"].concat().bytes());
        file.extend(data);
        file
    }

    pub(in crate::formats) fn header(descr: &str, fortran: bool, shape: &str) -> String {
        let fortran = if fortran { "True" } else { "False" };
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}")
    }

    pub(in crate::formats) fn read(name: &str, bytes: &[u8]) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let source: Source = format!("{}:{}", path.extension().unwrap().display(), path.display()).parse().unwrap();
        let prefix = format!("{}/", dir.path().display());
        load(&source, &LoadOptions::default()).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    #[test]
    fn arrays_of_all_versions_orders_and_shapes_are_read() {
        for version in 1..=3 {
            let data = read("a.npy", &npy(version, &header("<f4", false, "2, 3"), &floats(&[0.5; 6]))).unwrap();
            assert_eq!((data.train.samples(), data.train.row(1)), (2, Row::Floats(&[0.5; 3])));
        }
        let data = read("a.npy", &npy(1, &header("|u1", true, "2, 1, 3"), &[1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!((data.train.row(0), data.train.row(1)), (Row::Bytes(&[1, 3, 5]), Row::Bytes(&[2, 4, 6])));
        assert_eq!(data.image, Some(ImageShape { width: 3, height: 1 }));
        let data = read("a.npy", &npy(1, &header(">i2", false, "1, 2"), &[0, 255, 0, 7])).unwrap();
        assert_eq!(data.train.row(0), Row::Bytes(&[255, 7]));
    }

    #[test]
    fn bytes_of_zeros_and_ones_are_bits() {
        for shape in ["2, 4", "2, 2, 2"] {
            let data = read("a.npy", &npy(1, &header("|u1", false, shape), &[0, 1, 1, 0, 1, 0, 0, 0])).unwrap();
            assert_eq!((data.scaling.to_string().as_str(), data.train.samples()), ("as they are", 2));
            assert_eq!(
                (data.train.row(0), data.train.row(1)),
                (Row::Bytes(&[0, 255, 255, 0]), Row::Bytes(&[255, 0, 0, 0]))
            );
        }
    }

    #[test]
    fn bad_arrays_are_refused_by_name() {
        let message =
            |descr, shape, data: &[u8]| read("a.npy", &npy(1, &header(descr, false, shape), data)).unwrap_err();
        assert_eq!(
            message("<f4", "2, 3", &[0; 23]),
            "a.npy: not a readable npy file: the file is truncated: 23 bytes of data, expected 24"
        );
        assert!(message("<f4", "2, 3", &[0; 25]).contains("the file is too long: 25 bytes of data, expected 24"));
        assert_eq!(
            message("<c8", "2, 3", &[0; 48]),
            "a.npy: the type is '<c8', expected bool, an integer of 8 to 64 bits or a float of 16 to 64"
        );
        assert!(message("<U3", "2, 3", &[0; 72]).contains("the type is text"));
        assert!(message("|O", "2, 3", &[0; 12]).contains("the type is '|O'"));
        assert_eq!(message("<f4", "0, 3", &[]), "a.npy: there are no samples");
        assert!(message("<f4", "6,", &[0; 24]).contains("the shape is [6], expected [samples, values]"));
        assert_eq!(
            message("<f4", "1, 2", &floats(&[0.0, f32::INFINITY])),
            "a.npy: row 0, column 1 (counted from 0) is inf: every value must be a finite number"
        );
        assert!(read("a.npy", b"no").unwrap_err().contains("it does not start like one"));
    }

    #[test]
    fn numbers_of_any_array_come_out_row_by_row() {
        let bytes: Vec<u8> = [1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let numbers = |fortran, shape| npy_numbers("a", &npy(1, &header("<f8", fortran, shape), &bytes)).unwrap();
        assert_eq!(numbers(false, "2, 3"), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(numbers(true, "2, 3"), (vec![2, 3], vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]));
        assert_eq!(numbers(true, "6,"), (vec![6], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let scalar = npy_numbers("a", &npy(1, &header("<f8", true, ""), &bytes[..8])).unwrap();
        assert_eq!(scalar, (vec![], vec![1.0]));
        assert!(npy_numbers("a", b"no").is_err());
    }

    /// A column of an array may hold the labels; a model that has learned so reads arrays with it and without.
    #[test]
    fn labels_may_stand_in_a_column() {
        let with = |shape: &str, values: &[f32], options: &LoadOptions| {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.npy");
            std::fs::write(&path, npy(1, &header("<f4", false, shape), &floats(values))).unwrap();
            let prefix = format!("{}/", dir.path().display());
            load(&Source::Npy(path), options).map_err(|error| error.to_string().replace(&prefix, ""))
        };
        let last = LoadOptions { label_column: Some("last".into()), ..LoadOptions::default() };
        let data = with("3, 3", &[0.5, 10.0, 1.0, 0.25, 20.0, -1.0, 0.0, 15.0, 1.0], &last).unwrap();
        assert_eq!((data.train.labels(), data.train.units()), (Some(vec![1, 0, 1]), 2));
        assert_eq!(data.class_names, Some(vec!["-1".into(), "1".into()]));
        assert_eq!(data.train.row(2), Row::Floats(&[0.0, 0.5]));
        let (schema, class_names) = (Some(data.schema), data.class_names);
        let learned = LoadOptions { class_names, schema, ..LoadOptions::default() };
        let [all, bare] = [("1, 3", &[0.5f32, 15.0, 1.0][..]), ("1, 2", &[0.5, 15.0])]
            .map(|(shape, values)| with(shape, values, &learned).unwrap().train);
        assert_eq!((all.row(0), bare.row(0)), (Row::Floats(&[1.0, 0.5]), Row::Floats(&[1.0, 0.5])));
        assert_eq!((all.labels(), bare.labels()), (Some(vec![1]), None));
        let pictures = with("1, 2, 2", &[0.0; 4], &last).unwrap_err();
        assert_eq!(
            pictures,
            "label_column is \"last\"; it must be left out: a.npy has pictures, which have no columns"
        );
        let far = LoadOptions { label_column: Some("7".into()), ..LoadOptions::default() };
        assert!(with("1, 2", &[0.0; 2], &far).unwrap_err().contains("there is no label column \"7\""));
        for (source, name) in [(Source::Idx("folder".into()), "idx:folder"), (Source::Mnist, "mnist")] {
            let refused = load(&source, &last).unwrap_err().to_string();
            assert!(refused.ends_with(&format!("the labels of '{name}' are in files of their own")), "{refused}");
        }
    }

    /// Times by one range for all: in 64 bits until they are scaled, in files that a model is used on, too.
    #[test]
    fn one_range_of_all_values_may_lie_far_from_zero() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        let with = |shape: &str, values: &[f64], options: &LoadOptions| {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            std::fs::write(&path, npy(1, &header("<f8", false, shape), &bytes)).unwrap();
            load(&Source::Npy(path.clone()), options).unwrap()
        };
        let times: Vec<f64> = (0..8).map(|k| 1.7e9 + f64::from(k * k)).collect();
        let scaled: Vec<f32> = (0..8).map(|k| (k * k) as f32 / 49.0).collect();
        for scale in ["minmax", "1700000000..1700000049"] {
            for shape in ["4, 2", "2, 2, 2"] {
                let options = LoadOptions { scale: scale.parse().unwrap(), ..LoadOptions::default() };
                assert_eq!(options.scale.to_string(), scale);
                let data = with(shape, &times, &options);
                assert_eq!(crate::schema::tests::values(&data).concat(), scaled, "{scale} {shape}");
                assert_eq!(data.image.is_some(), shape == "2, 2, 2");
                let learned = LoadOptions { schema: Some(data.schema), ..LoadOptions::default() };
                let [_, axes @ ..] = &shape.split(", ").collect::<Vec<_>>()[..] else { panic!() };
                let some = with(&["1, ", &axes.join(", ")].concat(), &times[..data.train.units()], &learned);
                assert_eq!(crate::schema::tests::values(&some).concat(), scaled[..some.train.units()]);
            }
        }
        let mut gap = times.clone();
        gap[3] = f64::NAN;
        let data = with("4, 2", &gap, &LoadOptions { scale: crate::Scale::MinMax, ..LoadOptions::default() });
        assert_eq!(data.train.missing_words(1)[0], 0b10);
        assert_eq!(crate::schema::tests::values(&data)[2], scaled[4..6]);
    }

    /// Headers that would overflow, recurse or allocate in a trusting reader.
    #[test]
    fn hostile_headers_are_refused_before_they_are_believed() {
        let message = |text: &str| read("a.npy", &npy(2, text, &[0; 100])).unwrap_err();
        assert!(message(&header("<f8", false, "4611686018427387904, 8")).contains("more data than memory"));
        assert!(message(&header("<f8", false, "0, 4611686018427387904, 99")).contains("more data than memory"));
        assert!(message(&header("<f8", false, "100000000000, 100")).contains("expected 80000000000000"));
        assert!(message(&"(".repeat(60_000)).contains("nested too deeply"));
        assert!(message(&" ".repeat(70_000)).contains("longer than 65536"));
        let cut = npy(1, &header("<f4", false, "2, 3"), &[0; 24]);
        for end in 0..cut.len() {
            assert!(read("a.npy", &cut[..end]).is_err(), "{end} bytes");
        }
    }

    /// Any one byte of the file changed to any of some nasty values: an error or data, no panic.
    #[test]
    fn changed_bytes_never_panic() {
        let good = npy(1, &header("<f4", false, "2, 3"), &floats(&[0.5; 6]));
        for at in 0..good.len() {
            for value in [0, 1, b'9', b'(', b'\'', b'-', 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = array("a", bytes.into()).and_then(|array| array.table(Room::ENDLESS));
            }
        }
    }
}
