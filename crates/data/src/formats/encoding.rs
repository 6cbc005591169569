//! Text of bytes: UTF-8, or else Windows-1252, of which Latin-1 is a part. A file has one of the two, which the first
//! letter beyond ASCII tells.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// What Windows-1252 has from 0x80 to 0x9f; what it leaves open is as in Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Whether a text was found to be Windows-1252, as far as it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct IsWindows(Arc<AtomicBool>);

impl IsWindows {
    /// What is said of it.
    pub(crate) fn note(&self) -> Option<String> {
        self.0.load(Ordering::Relaxed).then(|| "not UTF-8: read as Windows-1252".into())
    }
}

/// A text as UTF-8.
pub(crate) struct Decoded<R> {
    from: R,
    is_windows: IsWindows,
    /// Whether a letter beyond ASCII was UTF-8.
    is_utf8: bool,
    /// A letter that is cut at the end of the last block.
    cut: Vec<u8>,
    ready: Cursor<Vec<u8>>,
}

impl<R: Read> Decoded<R> {
    pub(crate) fn new(from: R, is_windows: IsWindows) -> Self {
        Self { from, is_windows, is_utf8: false, cut: Vec::new(), ready: Cursor::default() }
    }

    /// Makes the next letters ready; none are at the end.
    fn refill(&mut self) -> io::Result<()> {
        let mut block = std::mem::take(&mut self.cut);
        let got = self.from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if !self.is_windows.0.load(Ordering::Relaxed)
            && let Err(error) = std::str::from_utf8(&block)
        {
            let valid = error.valid_up_to();
            self.is_utf8 |= !block[..valid].is_ascii();
            if error.error_len().is_none() && got > 0 {
                self.cut = block.split_off(valid);
                // The first letter beyond ASCII may be the one that is cut.
                self.ready = Cursor::new(block);
                return if valid == 0 { self.refill() } else { Ok(()) };
            }
            if self.is_utf8 {
                let wrong =
                    format!("byte 0x{:02x} is not UTF-8, as the text before it is: save it as UTF-8", block[valid]);
                return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
            }
            self.is_windows.0.store(true, Ordering::Relaxed);
        }
        if self.is_windows.0.load(Ordering::Relaxed) {
            let letter = |&byte: &u8| match byte {
                0x80..=0x9f => WINDOWS[usize::from(byte) - 0x80],
                byte => char::from(byte),
            };
            block = block.iter().map(letter).collect::<String>().into_bytes();
        } else {
            self.is_utf8 |= !block.is_ascii();
        }
        self.ready = Cursor::new(block);
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.position() == self.ready.get_ref().len() as u64 {
            self.refill()?;
        }
        self.ready.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(String, bool), String> {
        let is_windows = IsWindows::default();
        let mut text = String::new();
        Decoded::new(bytes, is_windows.clone()).read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok((text, is_windows.note().is_some()))
    }

    #[test]
    fn a_file_has_one_encoding() {
        assert_eq!(read(b"a,b\n"), Ok(("a,b\n".into(), false)));
        assert_eq!(read(b"caf\xe9 \x80\x93\n"), Ok(("café €“\n".into(), true)));
        assert_eq!(read(b"\xe9"), Ok(("é".into(), true)), "a letter at the end");
        // Letters across blocks, and one that is first seen far behind the start.
        let long = "é".repeat(BLOCK);
        let shifted = ["a", &long].concat();
        assert_eq!(read(shifted.as_bytes()), Ok((shifted, false)));
        let late = [&b"0,1\n".repeat(BLOCK)[..], b"\xfc"].concat();
        assert!(read(&late).is_ok_and(|(text, is_windows)| is_windows && text.ends_with("\nü")));
        let mixed = read("é,".bytes().chain([0xe9, b'\n']).collect::<Vec<_>>().as_slice()).unwrap_err();
        assert_eq!(mixed, "byte 0xe9 is not UTF-8, as the text before it is: save it as UTF-8");
    }
}
