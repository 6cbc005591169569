//! Text: settings that are written so (what `FromStr` and `Display` say is what files hold), and files of it.

use std::fmt::Write as _;

/// Serialises a type as its `Display` text and reads it back through `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// A word as it can be typed into a shell: in quotes where it has characters that shells do more with.
#[must_use]
pub fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-+=.,:/@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text as it is shown, different for different bytes: what is no UTF-8 stands there as `\xe9`.
pub(crate) fn shown(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// The text of a file, UTF-8 or not, packed by gzip, zstd or xz or not: at most 1 GiB of it.
///
/// # Errors
/// If it cannot be read, is larger, or is no text.
#[cfg(feature = "formats")]
pub fn read_text(path: &std::path::Path) -> Result<String, crate::Error> {
    use std::io::Read as _;
    let mut text = String::new();
    let opened = crate::formats::stream::open(path)?;
    opened.bytes.take(1 << 30).read_to_string(&mut text).map_err(crate::Error::read(path))?;
    Ok(text)
}
