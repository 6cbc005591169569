//! Files written by the library that reads them, and by hand where it would not write them.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use image::{GrayImage, Luma};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::claims::Claims;
use super::read;
use crate::assemble::assemble;
use crate::dataset::Dataset;
use crate::memory::unpack::Allowance;
use crate::schema::options::LoadOptions;
use crate::schema::pixels::Row;
use crate::schema::tests::values;
use crate::tables::found::Found;
use crate::tables::image_shape::ImageShape;
use crate::{Source, load};

const PICTURES: &str = "message m { optional group image { optional binary bytes; optional binary path (UTF8); } \
                        optional int64 label; }";
const TABLE: &str = "message m { required double a; required int64 b; required binary kind (UTF8); }";
const LISTS: &str = "message m { optional group pixels (LIST) { repeated group list { optional double element; } } }";

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, values: &[T::T], levels: Option<[&[i16]; 2]>) {
    let mut column = group.next_column().unwrap().unwrap();
    let [definitions, repetitions] = levels.map_or([None, None], |levels| levels.map(Some));
    column.typed::<T>().write_batch(values, definitions, repetitions).unwrap();
    column.close().unwrap();
}

/// Writes a file whose row groups are filled by `fill`, called once for each.
fn write(
    path: &Path,
    schema: &str,
    properties: WriterProperties,
    groups: usize,
    mut fill: impl FnMut(&mut SerializedRowGroupWriter<'_, File>, usize),
) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
    for number in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        fill(&mut group, number);
        group.close().unwrap();
    }
    writer.close().unwrap();
}

/// Uniform pictures with labels, one row group for each pair.
fn write_pictures(path: &Path, pictures: &[(u8, i64)], names: Option<&str>) {
    let note = names.map(|names| {
        let note = format!(r#"{{"info": {{"features": {{"label": {{"names": {names}, "_type": "ClassLabel"}}}}}}}}"#);
        vec![KeyValue::new("huggingface".to_string(), note)]
    });
    let properties = WriterProperties::builder().set_key_value_metadata(note).build();
    write(path, PICTURES, properties, pictures.len(), |group, number| {
        let (shade, label) = pictures[number];
        let mut png = std::io::Cursor::new(Vec::new());
        let picture = GrayImage::from_pixel(5, 4, Luma([shade]));
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        column::<ByteArrayType>(group, &[ByteArray::from(png.into_inner())], Some([&[2], &[0]]));
        column::<ByteArrayType>(group, &[ByteArray::from("a.png")], Some([&[2], &[0]]));
        column::<Int64Type>(group, &[label], Some([&[1], &[0]]));
    });
}

fn write_table(path: &Path, compression: Compression) {
    let properties = WriterProperties::builder().set_compression(compression).build();
    write(path, TABLE, properties, 2, |group, number| {
        let n = number as f64;
        column::<DoubleType>(group, &[n, n + 0.25], None);
        column::<Int64Type>(group, &[0, 1], None);
        let kinds = [["bee", "ant"], ["ant", "ant"]][number].map(ByteArray::from);
        column::<ByteArrayType>(group, &kinds, None);
    });
}

fn options(size: &str) -> LoadOptions {
    LoadOptions { image_size: size.parse().ok(), ..LoadOptions::default() }
}

fn loaded(path: &Path, options: &LoadOptions) -> Result<Dataset, String> {
    let name = path.display().to_string();
    load(&Source::Parquet(path.into()), options).map_err(|error| error.to_string().replace(&name, "FILE"))
}

/// Uniform pictures stay uniform when resized, so each tells its row; labels keep the names that
/// the Hub's library notes, in both splits.
#[test]
fn pictures_of_the_hub_come_with_their_labels_and_names() {
    let dir = tempfile::tempdir().unwrap();
    let [train, more, test] = ["train-0.parquet", "train-1.parquet", "test.parquet"].map(|name| dir.path().join(name));
    let names = Some(r#"["cat", "dog", "owl"]"#);
    write_pictures(&train, &[(10, 2), (20, 0)], names);
    write_pictures(&more, &[(30, 1)], names);
    write_pictures(&test, &[(40, 0)], names);
    let options = options("3x2");
    let Found::Tables(tables) = read(&[train, more], &[test], &options).unwrap() else { panic!("pictures") };
    let data = assemble("t".into(), *tables, &options).unwrap();
    assert_eq!((data.train.labels(), data.classes), (Some(vec![2, 0, 1]), Some(3)));
    assert_eq!(data.class_names.unwrap(), ["cat", "dog", "owl"]);
    assert_eq!(data.image, Some(ImageShape { width: 3, height: 2 }));
    for (row, shade) in [10u8, 20, 30].into_iter().enumerate() {
        assert_eq!(data.train.row(row), Row::Bytes(&[shade; 6]));
    }
    let test = data.test.unwrap();
    assert_eq!((test.labels(), test.row(0)), (Some(vec![0]), Row::Bytes(&[40; 6])));
}

/// A megabyte that compresses to nothing, once in the dictionary and in three hundred rows.
#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let compression = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    let properties =
        WriterProperties::builder().set_compression(compression).set_dictionary_page_size_limit(4 << 20).build();
    write(&path, "message m { required double x; required binary y (UTF8); }", properties, 1, |group, _| {
        column::<DoubleType>(group, &[0.5; 300], None);
        column::<ByteArrayType>(group, &vec![ByteArray::from(vec![b'a'; 1 << 20]); 300], None);
    });
    assert!(fs::metadata(&path).unwrap().len() < 100_000);
    let error = loaded(&path, &LoadOptions::default()).unwrap_err();
    assert!(error.contains("bytes unpack to more than 256 MiB: if it is sound"), "{error}");
}

/// The library takes as much memory as a header claims before it unpacks a page.
#[test]
fn a_page_that_claims_too_much_is_refused_by_its_header() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_dictionary_enabled(false).build();
    write(&path, "message m { required binary a (UTF8); }", properties, 1, |group, _| {
        column::<ByteArrayType>(group, &[ByteArray::from(vec![b'a'; 3 << 19])], None);
    });
    let sound = fs::read(&path).unwrap();
    let chunk =
        SerializedFileReader::new(File::open(&path).unwrap()).unwrap().metadata().row_group(0).column(0).clone();
    let start = chunk.byte_range().0 as usize;
    let mut claims = Claims { file: File::open(&path).unwrap(), unpacked: u64::MAX, allowed: Allowance::of(0) };
    assert!(claims.get_read(start as u64).is_ok());
    // Field 2 is a number of four bytes; 128 MiB are as long.
    assert_eq!((sound[start + 2], sound[start + 3] & sound[start + 4] & sound[start + 5] & 128), (0x15, 128));
    let mut bad = sound.clone();
    bad[start + 3..start + 7].copy_from_slice(&[0xfe, 0xff, 0xff, 0x7f]);
    fs::write(&path, &bad).unwrap();
    let claimed = format!(
        "a page at byte {start} claims to unpack to 134217727 bytes, of a column that has {} in all",
        chunk.uncompressed_size()
    );
    let error = loaded(&path, &LoadOptions::default()).unwrap_err();
    assert!(error.contains(&claimed), "{error}");
    // A column that claims as much does not help it.
    claims = Claims { file: File::open(&path).unwrap(), allowed: claims.allowed.at_most(100 << 20), ..claims };
    let error = claims.get_read(start as u64).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("unpack to more than 100 MiB"), "{error}");
    // Nor does a page that ends behind the file.
    assert!(claims.get_bytes(start as u64, 1 << 40).is_err());
}

/// The same table whatever it was compressed with.
#[test]
fn columns_of_numbers_are_samples_and_words_are_labels() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let (gzip, zstd) = (GzipLevel::try_new(6).unwrap(), ZstdLevel::try_new(3).unwrap());
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(gzip),
        Compression::ZSTD(zstd),
        Compression::LZ4_RAW,
    ] {
        write_table(&path, codec);
        let options = LoadOptions { label_column: Some("kind".into()), ..LoadOptions::default() };
        let data = loaded(&path, &LoadOptions { scale: "minmax".parse().unwrap(), ..options }).unwrap();
        assert_eq!(data.train.labels(), Some(vec![1, 0, 0, 0]), "{codec}");
        assert_eq!(data.class_names, Some(vec!["ant".into(), "bee".into()]));
        assert_eq!(data.train.row(3), Row::Floats(&[1.0, 0.8]), "1.25 is the largest value, 1 stands beside it");
    }
}

#[test]
fn columns_are_chosen_by_name_and_by_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write_table(&path, Compression::SNAPPY);
    let choose = |feature: Option<&str>, label: Option<&str>| {
        let [feature_column, label_column] = [feature, label].map(|name| name.map(String::from));
        let scale = "minmax".parse().unwrap();
        loaded(&path, &LoadOptions { scale, label_column, feature_column, ..LoadOptions::default() })
            .map(|data| (data.train.units(), data.train.labels()))
    };
    assert_eq!(choose(None, None), Ok((3, None)), "no column is called label");
    assert_eq!(choose(None, Some("last")), Ok((2, Some(vec![1, 0, 0, 0]))));
    assert_eq!(choose(None, Some("1")), Ok((2, Some(vec![0, 1, 0, 1]))));
    assert_eq!(choose(Some("b"), Some("kind")), Ok((1, Some(vec![1, 0, 0, 0]))));
    let all = "there is no such column; there are a (numbers), b (numbers), kind (text)";
    assert_eq!(choose(Some("c"), None), Err(format!("FILE: column \"c\": {all}")));
    assert_eq!(choose(None, Some("9")), Err(format!("FILE: column \"9\": {all}")));
    assert_eq!(
        choose(Some("kind"), None),
        Err("FILE: column \"kind\": it holds text, expected pictures or numbers".into())
    );
}

/// A table is what the same table of text is: kinds by column, names, and what is missing.
#[test]
fn a_table_is_understood_column_by_column() {
    const PEOPLE: &str = "message m { optional double age; optional binary sex (UTF8); optional boolean well; \
                          required int64 blood; }";
    let dir = tempfile::tempdir().unwrap();
    let [path, other] = ["people.parquet", "other.parquet"].map(|name| dir.path().join(name));
    write(&path, PEOPLE, WriterProperties::builder().build(), 2, |group, number| {
        let ages = [[20.0, 30.5], [40.0, 60.0]][number];
        column::<DoubleType>(group, &ages, Some([&[1, 1, 0], &[0; 3]]));
        column::<ByteArrayType>(group, &["m", "f"].map(ByteArray::from), Some([&[0, 1, 1], &[0; 3]]));
        column::<BoolType>(group, &[true, false, true], Some([&[1; 3], &[0; 3]]));
        column::<Int64Type>(group, &[0, 1, 2], None);
    });
    let data = loaded(&path, &LoadOptions::default()).unwrap();
    let shown = "age    real: 20 to 60\nsex    binary: f is off, m is on\nwell   binary: 0 is off, 1 is on\n\
                 blood  real: 0 to 2";
    assert_eq!(data.schema.to_string(), shown);
    let missing = |sample: usize| data.train.missing_words(sample)[0];
    assert_eq!([0, 1, 2, 3, 4, 5].map(missing), [0b10, 0, 0b1, 0b10, 0, 0b1]);
    assert_eq!(values(&data)[4], [1.0, 1.0, 0.0, 0.5]);
    // Another file is read by the schema, its columns found by name.
    write(
        &other,
        "message m { required binary sex (UTF8); required int64 blood; required double age; required boolean well; }",
        WriterProperties::builder().build(),
        1,
        |group, _| {
            column::<ByteArrayType>(group, &[ByteArray::from("f")], None);
            column::<Int64Type>(group, &[2], None);
            column::<DoubleType>(group, &[30.0], None);
            column::<BoolType>(group, &[true], None);
        },
    );
    let options = LoadOptions { schema: Some(data.schema), ..LoadOptions::default() };
    assert_eq!(values(&loaded(&other, &options).unwrap())[0], [0.25, 0.0, 1.0, 1.0]);
}

#[test]
fn lists_are_samples_of_one_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let lists = |values: &[f64], definitions: &[i16], repetitions: &[i16]| {
        write(&path, LISTS, WriterProperties::default(), 1, |group, _| {
            column::<DoubleType>(group, values, Some([definitions, repetitions]));
        });
        loaded(&path, &LoadOptions::default())
    };
    // In 64 bits until they are centred.
    let of_time: Vec<f64> = (0..8).map(|k| 1.7e9 + f64::from(k * k)).collect();
    let data = lists(&of_time, &[3; 8], &[0, 1, 0, 1, 0, 1, 0, 1]).unwrap();
    assert_eq!(values(&data).iter().map(|row| row[1]).collect::<Vec<_>>(), [0.0, 8.0 / 48.0, 0.5, 1.0]);
    let data = lists(&[0.0, 0.5, 1.0, 0.25], &[3; 4], &[0, 1, 0, 1]).unwrap();
    assert_eq!((data.train.row(0), data.train.row(1)), (Row::Floats(&[0.0, 0.5]), Row::Floats(&[1.0, 0.25])));
    let refused = |levels: (&[f64], &[i16], &[i16])| lists(levels.0, levels.1, levels.2).unwrap_err();
    assert_eq!(
        refused((&[0.0, 0.5, 1.0], &[3; 3], &[0, 1, 0])),
        "FILE: column \"pixels\": row 1 (from 0) has 1 numbers, expected 2 as in the first row"
    );
    for (definition, rest) in [(2, "a missing number"), (1, "an empty list"), (0, "a missing list")] {
        let error = refused((&[0.0, 0.5], &[3, 3, definition], &[0, 1, 0]));
        let expected = "FILE: column \"pixels\": row 1 (from 0) is empty: fill in missing values or leave the row out";
        assert_eq!(error, expected, "{rest}");
    }
}

#[test]
fn a_picture_that_is_none_is_named_by_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write(&path, PICTURES, WriterProperties::default(), 1, |group, _| {
        column::<ByteArrayType>(group, &[ByteArray::from("no picture")], Some([&[2], &[0]]));
        column::<ByteArrayType>(group, &[ByteArray::from("a.png")], Some([&[2], &[0]]));
        column::<Int64Type>(group, &[0], Some([&[1], &[0]]));
    });
    let error = loaded(&path, &options("3x2")).unwrap_err();
    assert!(error.starts_with("FILE: column \"image\": row 0 (from 0) is no readable picture: "), "{error}");
}

/// Every byte changed in several ways, every length cut: an error or a data set, never a panic.
#[test]
fn damaged_files_are_refused_without_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, path] = ["whole.parquet", "t.parquet"].map(|name| dir.path().join(name));
    write_table(&whole, Compression::SNAPPY);
    let good = fs::read(&whole).unwrap();
    let options =
        LoadOptions { label_column: Some("kind".into()), scale: "minmax".parse().unwrap(), ..LoadOptions::default() };
    for at in 0..good.len() {
        for change in [1u8, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= change;
            fs::write(&path, &bad).unwrap();
            let _ = loaded(&path, &options);
        }
        fs::write(&path, &good[..at]).unwrap();
        assert!(loaded(&path, &options).unwrap_err().starts_with("FILE: not a readable Parquet file: "), "{at}");
    }
}

/// pandas writes the numbers of its rows as a column, and times are stored as whole numbers: neither
/// is a feature.
#[test]
fn row_numbers_and_times_are_no_features() {
    const FRAME: &str = "message m { required double a; required int64 at (TIMESTAMP(MICROS,true)); \
                         required int32 day (DATE); required double b; required int64 __index_level_0__; }";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.parquet");
    write(&path, FRAME, WriterProperties::builder().build(), 1, |group, _| {
        column::<DoubleType>(group, &[0.0, 1.0], None);
        column::<Int64Type>(group, &[5, 6], None);
        column::<Int32Type>(group, &[7, 8], None);
        column::<DoubleType>(group, &[1.0, 0.0], None);
        column::<Int64Type>(group, &[0, 59], None);
    });
    let data = load(&Source::Parquet(path), &LoadOptions::default()).unwrap();
    assert_eq!(data.train.units(), 2);
    assert_eq!(data.notes[0], "left out columns that are neither numbers nor text: at, day");
}

#[test]
fn no_more_memory_is_taken_than_there_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write_table(&path, Compression::SNAPPY);
    let within = |most| {
        let label_column = Some("kind".into());
        loaded(
            &path,
            &LoadOptions {
                label_column,
                scale: "minmax".parse().unwrap(),
                max_memory: Some(most),
                ..LoadOptions::default()
            },
        )
    };
    assert_eq!(within(1 << 20).unwrap().train.samples(), 4);
    let error = within(100).unwrap_err();
    assert!(error.contains("bytes unpack to more than 0 MiB"), "{error}");
}

/// A class is no infinity and no NaN, in tables as beside lists; the message is one sentence that names the row.
#[test]
fn labels_that_are_no_numbers_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let table = |labels: &[f64]| {
        let schema = "message m { required double a; required double label; }";
        write(&path, schema, WriterProperties::default(), 1, |group, _| {
            column::<DoubleType>(group, &[0.5, 0.25, 1.0], None);
            column::<DoubleType>(group, labels, None);
        });
        loaded(&path, &LoadOptions::default())
    };
    assert_eq!(table(&[0.0, 1.0, 1.0]).unwrap().train.labels(), Some(vec![0, 1, 1]));
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        let error = table(&[0.0, infinite, 1.0]).unwrap_err();
        assert_eq!(error, "FILE: column \"label\": row 1 (from 0) is infinite, which is no class");
    }
    let error = table(&[0.0, 1.0, f64::NAN]).unwrap_err();
    assert!(error.starts_with("FILE: row 2 (from 0), column \"label\""), "{error}");
    let lists = |labels: &[f64]| {
        let schema = "message m { optional group pixels (LIST) { repeated group list { optional double element; } } \
                      required double label; }";
        write(&path, schema, WriterProperties::default(), 1, |group, _| {
            column::<DoubleType>(group, &[0.0, 0.5, 1.0, 0.25], Some([&[3; 4], &[0, 1, 0, 1]]));
            column::<DoubleType>(group, labels, None);
        });
        loaded(&path, &LoadOptions::default())
    };
    assert_eq!(lists(&[1.0, 0.0]).unwrap().train.labels(), Some(vec![1, 0]));
    for (label, called) in [(f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (f64::NAN, "NaN")] {
        let expected = format!("FILE: the label of row 1 (from 0) is {called}, expected a whole number or a name");
        assert_eq!(lists(&[1.0, label]).unwrap_err(), expected);
    }
}
