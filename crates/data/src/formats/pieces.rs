//! A text in pieces of whole lines, which are parsed apart from each other. Where a piece ends depends on the text
//! alone.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::records::{LONGEST, MOST_FIELDS};
use crate::error::Error;

/// Bytes of a piece, where its last line is not longer.
const PIECE: usize = 1 << 18;

/// Bytes without the end of a line, from which on the line is too long, whatever it has.
const ENDLESS: usize = 2 * LONGEST + MOST_FIELDS;

/// Lines of a text.
pub(crate) struct Piece {
    pub(crate) text: Vec<u8>,
    /// The number of the first one.
    pub(crate) line: u64,
    /// Ends of lines.
    pub(crate) ends: usize,
    /// Whether there are quotes.
    pub(crate) quotes: bool,
}

/// The pieces of a text.
pub(crate) struct Pieces<R> {
    path: PathBuf,
    from: R,
    separator: u8,
    /// The start of the next piece.
    rest: Vec<u8>,
    line: u64,
    /// Bytes in all pieces so far.
    taken: u64,
}

impl<R: Read> Pieces<R> {
    /// Of a text that begins with a line of this number.
    pub(crate) fn new(path: &Path, from: R, separator: u8, line: u64) -> Self {
        Self { path: path.into(), from, separator, rest: Vec::new(), line, taken: 0 }
    }

    /// Bytes in all pieces so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next pieces, at most so many and none at the end; with what ended them too early.
    pub(crate) fn some(&mut self, most: usize) -> (Vec<Piece>, Option<Error>) {
        let mut pieces = Vec::new();
        while pieces.len() < most {
            match self.next() {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => break,
                // What was read before is there.
                Err(error) => {
                    let text = std::mem::take(&mut self.rest);
                    let end = cut(&text, self.separator);
                    if let Some(end) = end {
                        pieces.push(self.piece(text[..end].to_vec()));
                    }
                    return (pieces, Some(error));
                }
            }
        }
        (pieces, None)
    }

    fn next(&mut self) -> Result<Option<Piece>, Error> {
        let mut size = PIECE;
        loop {
            let more = size.saturating_sub(self.rest.len()) as u64;
            let got = self.from.by_ref().take(more).read_to_end(&mut self.rest).map_err(Error::read(&self.path))?;
            if (got as u64) < more {
                let text = std::mem::take(&mut self.rest);
                return Ok((!text.is_empty()).then(|| self.piece(text)));
            }
            let end = cut(&self.rest, self.separator).or_else(|| (size > ENDLESS).then_some(self.rest.len()));
            if let Some(end) = end {
                let mut text = Vec::with_capacity(PIECE.max(self.rest.len() - end));
                text.extend_from_slice(&self.rest[end..]);
                self.rest.truncate(end);
                let text = std::mem::replace(&mut self.rest, text);
                return Ok(Some(self.piece(text)));
            }
            size *= 2;
        }
    }

    #[expect(clippy::naive_bytecount, reason = "the compiler makes vectors of it")]
    fn piece(&mut self, text: Vec<u8>) -> Piece {
        let ends = text.iter().filter(|&&byte| byte == b'\n').count();
        let line = self.line;
        self.line += ends as u64;
        self.taken += text.len() as u64;
        Piece { quotes: text.contains(&b'"'), line, ends, text }
    }
}

/// Where the last whole line of a text ends, which starts with a line.
fn cut(text: &[u8], separator: u8) -> Option<usize> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !text.contains(&b'"') {
        return text.iter().rposition(is_end).map(|at| at + 1);
    }
    // Quotes are quotes where a field starts with one, and two of them within are a letter.
    let (mut last, mut starts, mut quoted, mut closing) = (None, true, false, false);
    for (at, byte) in text.iter().enumerate() {
        match *byte {
            b'"' if quoted && !closing => closing = true,
            b'"' if quoted => closing = false,
            _ if quoted && !closing => {}
            b'"' if starts => (quoted, closing) = (true, false),
            byte if is_end(&byte) || byte == separator => {
                (starts, quoted, closing) = (true, false, false);
                if byte != separator {
                    last = Some(at + 1);
                }
                continue;
            }
            _ => (quoted, closing) = (false, false),
        }
        starts = false;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::records::Records;
    use super::*;

    /// Every piece ends where the parser of whole texts ends a line, whatever the quotes.
    #[test]
    fn lines_end_where_the_parser_ends_them() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let fields = |text: &[u8]| {
            let mut records = Records::new(Path::new("f"), text, b',');
            let mut found = Vec::new();
            while let Some(record) = records.next().unwrap() {
                found.push(record.fields().map(<[u8]>::to_vec).collect::<Vec<_>>());
            }
            found
        };
        for _ in 0..3000 {
            let text: Vec<u8> = (0..next() % 40).map(|_| b"a,\"\n1\"\r \",\n"[next() % 11]).collect();
            if let Some(end) = cut(&text, b',') {
                let parts = [fields(&text[..end]), fields(&text[end..])].concat();
                assert_eq!(parts, fields(&text), "{:?}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn pieces_are_whole_lines_and_together_the_text() {
        let lines: String = (0..90_000).map(|k| if k % 7 == 0 { "\"a\nb\",1\n" } else { "12,34\n" }).collect();
        let mut pieces = Pieces::new(Path::new("f"), lines.as_bytes(), b',', 5);
        let (found, error) = pieces.some(usize::MAX);
        assert!(error.is_none() && found.len() > 2 && pieces.taken() == lines.len() as u64);
        assert_eq!(found.iter().flat_map(|piece| piece.text.iter().copied()).collect::<Vec<_>>(), lines.as_bytes());
        let mut line = 5;
        for piece in &found {
            assert_eq!((piece.line, piece.quotes), (line, true));
            line += piece.ends as u64;
            assert!(piece.text.starts_with(b"12") || piece.text.starts_with(b"\"a"));
        }
        assert!(Pieces::new(Path::new("f"), &b""[..], b',', 1).some(9).0.is_empty());
    }
}
