//! Texts as UTF-8. Those of bytes are that already, or else Windows-1252, of which Latin-1 is a part: the first letter
//! beyond ASCII tells, for the whole file. Others have 16 bits a letter.

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

/// What makes UTF-8 of a text, a block at a time.
pub(crate) trait Blocks {
    /// The next letters; none at the end.
    fn next_block(&mut self) -> io::Result<Vec<u8>>;
}

/// A text as UTF-8.
pub(crate) struct Converted<B> {
    blocks: B,
    ready: Cursor<Vec<u8>>,
}

impl<B: Blocks> Converted<B> {
    pub(crate) fn new(blocks: B) -> Self {
        Self { blocks, ready: Cursor::default() }
    }
}

impl<B: Blocks> Read for Converted<B> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.position() == self.ready.get_ref().len() as u64 {
            self.ready = Cursor::new(self.blocks.next_block()?);
        }
        self.ready.read(into)
    }
}

/// Text of bytes.
pub(crate) struct Utf8<R> {
    from: R,
    is_windows: IsWindows,
    /// Whether it has letters beyond ASCII, as UTF-8.
    has_letters: bool,
    /// A letter that is cut at the end of the last block.
    cut: Vec<u8>,
}

impl<R: Read> Utf8<R> {
    pub(crate) fn new(from: R, is_windows: IsWindows) -> Self {
        Self { from, is_windows, has_letters: false, cut: Vec::new() }
    }
}

impl<R: Read> Blocks for Utf8<R> {
    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        let mut block = Vec::with_capacity(BLOCK + self.cut.len());
        block.append(&mut self.cut);
        let got = self.from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if !self.is_windows.0.load(Ordering::Relaxed)
            && let Err(error) = std::str::from_utf8(&block)
        {
            let valid = error.valid_up_to();
            self.has_letters |= !block[..valid].is_ascii();
            if error.error_len().is_none() && got > 0 {
                self.cut = block.split_off(valid);
                // The first letter beyond ASCII may be the one that is cut.
                return if valid == 0 { self.next_block() } else { Ok(block) };
            }
            if self.has_letters {
                let wrong =
                    format!("byte 0x{:02x} is not UTF-8, as the text before it is: save it as UTF-8", block[valid]);
                return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
            }
            self.is_windows.0.store(true, Ordering::Relaxed);
        }
        if !self.is_windows.0.load(Ordering::Relaxed) {
            self.has_letters |= !block.is_ascii();
            return Ok(block);
        }
        let letter = |&byte: &u8| match byte {
            0x80..=0x9f => WINDOWS[usize::from(byte) - 0x80],
            byte => char::from(byte),
        };
        Ok(block.iter().map(letter).collect::<String>().into_bytes())
    }
}

/// Text of 16 bits. What is no text becomes the sign for that.
pub(crate) struct Utf16<R> {
    from: R,
    big: bool,
    /// The first half of a pair.
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    pub(crate) fn new(from: R, big: bool) -> Self {
        Self { from, big, high: None }
    }
}

impl<R: Read> Blocks for Utf16<R> {
    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        let mut block = Vec::with_capacity(BLOCK);
        self.from.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        let at_end = block.len() < BLOCK;
        let unit = |pair: &[u8]| match *pair {
            [a, b] if self.big => u16::from_be_bytes([a, b]),
            [a, b] => u16::from_le_bytes([a, b]),
            // Half a unit at the end of the file.
            _ => 0xfffd,
        };
        let mut units: Vec<u16> = self.high.take().into_iter().chain(block.chunks(2).map(unit)).collect();
        if !at_end && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        Ok(String::from_utf16_lossy(&units).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(String, bool), String> {
        let is_windows = IsWindows::default();
        let mut text = String::new();
        Converted::new(Utf8::new(bytes, is_windows.clone()))
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
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
