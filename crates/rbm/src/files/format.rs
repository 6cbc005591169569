//! What all files of this project share: where their header is, and how it starts.

use safetensors::tensor::SafeTensors;
use serde::Deserialize;

/// Version of the format that this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the only metadata entry.
pub(crate) const METADATA: &str = "deepbelief";

/// What every header starts with.
#[derive(Deserialize)]
pub(crate) struct Start {
    pub(crate) format_version: u32,
    pub(crate) kind: String,
}

/// Whether a file is whole, as far as its head tells, and of a newer format than this program reads.
pub(crate) fn is_newer(bytes: &[u8]) -> bool {
    let head = SafeTensors::read_metadata(bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    let header = head.and_then(|entries| serde_json::from_str::<Start>(entries.get(METADATA)?).ok());
    header.is_some_and(|header| header.format_version > FORMAT_VERSION)
}
