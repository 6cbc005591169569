//! What keeps a mutation from the code behind a checksum or a length: formats are put right around
//! mutated bytes, half the time.

use std::io::Write;
use zip::write::SimpleFileOptions;

/// What is around the bytes.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    /// Nothing.
    Plain,
    /// Compression.
    Gzip,
    /// An archive, with the bytes as its arrays.
    ZipEntry,
    /// The length of the header, which stands in front.
    Safetensors,
    /// The checksums of chunks.
    Png,
}

impl Packing {
    /// The bytes as a file.
    pub(crate) fn pack(self, bytes: &[u8]) -> Vec<u8> {
        let as_they_are = bytes.len().is_multiple_of(2);
        match self {
            Self::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(bytes).unwrap();
                packed.finish().unwrap()
            }
            Self::ZipEntry => {
                let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
                let method =
                    if as_they_are { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
                let options = SimpleFileOptions::default().compression_method(method);
                zip.start_file("x_train.npy", options).unwrap();
                zip.write_all(bytes).unwrap();
                zip.finish().unwrap().into_inner()
            }
            Self::Safetensors if !as_they_are => with_length(bytes),
            Self::Png if !as_they_are => with_checksums(bytes),
            _ => bytes.to_vec(),
        }
    }
}

/// A header that ends where its last bracket before the tensors does.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let (Some(length), Some(rest)) = (bytes.first_chunk::<8>(), bytes.get(8..)) else { return bytes.to_vec() };
    let said = u64::from_le_bytes(*length) as usize;
    let near = rest.len().min(said.saturating_add(64));
    let Some(end) = rest[..near].iter().rposition(|&byte| byte == b'}') else { return bytes.to_vec() };
    let mut fixed = (end as u64 + 1).to_le_bytes().to_vec();
    fixed.extend_from_slice(rest);
    fixed
}

fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    let mut at = 8;
    while let Some(length) = fixed.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(end) = at.checked_add(8 + length).filter(|end| end + 4 <= fixed.len()) else { break };
        let mut sum = flate2::Crc::new();
        sum.update(&fixed[at + 4..end]);
        fixed[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
    fixed
}
