//! What all files of this project share: where their header is, and how it starts.

use safetensors::tensor::SafeTensors;
use serde::Deserialize;

/// Version of the format of all files but those of models that version 1 cannot tell of.
pub const FORMAT_VERSION: u32 = 1;

/// Version of those.
pub const NEWEST_VERSION: u32 = 2;

/// The newest version of a kind of file that this program reads.
pub(crate) fn newest(kind: &str) -> u32 {
    match kind {
        "rbm" | "rbm-training" | "dbn" | "tuning" | "autoencoder" | "finetuning" => NEWEST_VERSION,
        _ => FORMAT_VERSION,
    }
}

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
    header.is_some_and(|header| header.format_version > newest(&header.kind))
}
