//! NumPy's archives of arrays: read, and written.

use super::arrays::{Array, Arrays};
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

impl Arrays for Npz {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn array(&self, name: &str) -> Result<Array, String> {
        let broken = |error: &dyn std::fmt::Display| format!("cannot be read: {error}");
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes)).map_err(|error| broken(&error))?;
        let mut bytes = Vec::new();
        let entry = archive.by_name(&format!("{name}.npy")).map_err(|error| broken(&error))?;
        // A header may say anything; the archive is as large as it is.
        let packed = entry.compressed_size().min(self.bytes.len() as u64);
        Unpacked::new(entry, packed).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        let (shape, values) = npy_numbers(name, &bytes).map_err(|error| broken(&error))?;
        Ok(Array { shape, values })
    }
}

/// An archive of float32 arrays, each with its shape, uncompressed as `np.savez` writes it. Its
/// bytes are a function of what it holds.
pub(crate) fn archive(arrays: &[(String, Vec<usize>, Vec<f32>)]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    for (name, shape, values) in arrays {
        zip.start_file(format!("{name}.npy"), options)?;
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let mut npy = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut npy).begin_nd()?;
        writer.extend(values.iter().copied())?;
        writer.finish()?;
        zip.write_all(&npy)?;
    }
    Ok(zip.finish()?.into_inner())
}
