//! NumPy's archives of arrays: read, and written.

use super::arrays::{Array, Arrays, Dataset, Values};
use deepbelief_data::{Unpacked, npy_numbers};
use npyz::WriterBuilder as _;
use std::io::{self, Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// An archive in memory.
pub(crate) struct Npz {
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Npz {
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let broken = |error: zip::result::ZipError| format!("is not a readable npz file: {error}");
        let archive = ZipArchive::new(Cursor::new(&bytes)).map_err(broken)?;
        let files = archive.file_names().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        if files.iter().any(|file| file.ends_with("data.pkl")) {
            return Err("is a pickle of torch, which may hold any program and is not read: save the state dict with \
                        safetensors.torch.save_file"
                .into());
        }
        let names = files.iter().filter_map(|file| Some(file.strip_suffix(".npy")?.to_string())).collect();
        drop(files);
        drop(archive);
        Ok(Self { bytes, names })
    }
}

impl Npz {
    /// The bytes of a file in it.
    fn bytes_of(&self, name: &str) -> Result<Vec<u8>, String> {
        let broken = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes)).map_err(|error| broken(&error))?;
        let mut bytes = Vec::new();
        let entry = archive.by_name(&format!("{name}.npy")).map_err(|error| broken(&error))?;
        // A header may say anything; the archive is as large as it is.
        let packed = entry.compressed_size().min(self.bytes.len() as u64);
        Unpacked::new(entry, packed).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        Ok(bytes)
    }
}

impl Arrays for Npz {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let bytes = self.bytes_of(name)?;
        let (shape, values) = npy_numbers(name, &bytes).map_err(|error| format!("cannot be read: {error}"))?;
        Ok(Array { shape, values })
    }

    fn text(&self, name: &str) -> Option<String> {
        text_of(&self.bytes_of(name).ok()?)
    }
}

/// An archive of arrays, uncompressed as `np.savez` writes it. Its bytes are a function of what it holds.
pub(crate) fn archive(arrays: &[Dataset]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    for Dataset { path, shape, values } in arrays {
        zip.start_file(format!("{path}.npy"), options)?;
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let mut npy = Vec::new();
        match values {
            Values::F32(values) => {
                let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
                let mut writer = options.writer(&mut npy).begin_nd()?;
                writer.extend(values.iter().copied())?;
                writer.finish()?;
            }
            Values::F64(values) => {
                let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
                let mut writer = options.writer(&mut npy).begin_nd()?;
                writer.extend(values.iter().copied())?;
                writer.finish()?;
            }
            Values::Text(text) => npy = npy_of(text),
        }
        zip.write_all(&npy)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// What comes before the header of an npy file of version 1.0.
const NPY: &[u8] = b"\x93NUMPY\x01\x00";

/// A text as numpy writes one: an array without axes of UTF-32.
fn npy_of(text: &str) -> Vec<u8> {
    let length = text.chars().count().max(1);
    let mut header = format!("{{'descr': '<U{length}', 'fortran_order': False, 'shape': (), }}");
    // What comes before the data is a multiple of 64 long.
    let padding = (NPY.len() + 2 + header.len() + 1).next_multiple_of(64) - (NPY.len() + 2 + header.len() + 1);
    header.extend(std::iter::repeat_n(' ', padding).chain(['\n']));
    let mut npy = [NPY, &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    npy.extend(text.chars().flat_map(|letter| u32::from(letter).to_le_bytes()));
    npy.resize(NPY.len() + 2 + header.len() + 4 * length, 0);
    npy
}

/// The text of an npy file, if it is one of a single text of UTF-32 or of bytes.
fn text_of(npy: &[u8]) -> Option<String> {
    let rest = npy.strip_prefix(NPY)?;
    let length = usize::from(u16::from_le_bytes(*rest.first_chunk()?));
    let (header, data) = rest[2..].split_at_checked(length)?;
    let header = std::str::from_utf8(header).ok()?;
    let single = header.contains("'shape': ()") || header.contains("'shape': (1,)");
    let (_, descr) = header.split_once("'descr': '")?;
    let (descr, _) = descr.split_once('\'')?;
    let text: Option<String> = if descr.starts_with("<U") {
        data.as_chunks().0.iter().map(|&letter| char::from_u32(u32::from_le_bytes(letter))).collect()
    } else if descr.starts_with("|S") {
        std::str::from_utf8(data).ok().map(ToString::to_string)
    } else {
        None
    };
    text.filter(|_| single).map(|text| text.trim_end_matches('\0').to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_npy_files() {
        for text in ["Potts", "dReLU", "", "ü"] {
            assert_eq!(text_of(&npy_of(text)).as_deref(), Some(text));
        }
        for at in 0..npy_of("Spin").len() {
            let _ = text_of(&npy_of("Spin")[..at]);
        }
    }
}
