//! Lines of a text, one at a time. A line has an end, at 16 MiB at the latest.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::records::LONGEST;
use crate::error::{Error, LineError};

/// The lines of a file.
pub(crate) struct Lines<R> {
    path: PathBuf,
    from: BufReader<R>,
    /// The line that was read last, from 1.
    line: u64,
    text: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(path: &Path, from: R) -> Self {
        Self { path: path.into(), from: BufReader::new(from), line: 0, text: Vec::new() }
    }

    /// The number of the next line, from 1, and its text without white space at either end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &[u8])>, Error> {
        self.text.clear();
        let most = LONGEST as u64 + 1;
        let got = self.from.by_ref().take(most).read_until(b'\n', &mut self.text).map_err(Error::read(&self.path))?;
        self.line += 1;
        match got {
            0 => Ok(None),
            got if got > LONGEST => {
                Err(LineError::LongLine { path: self.path.clone(), line: self.line, most: LONGEST }.into())
            }
            _ => Ok(Some((self.line, self.text.trim_ascii()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_have_an_end() {
        let mut lines = Lines::new(Path::new("f"), &b" a \r\n\nb"[..]);
        assert_eq!(lines.next().unwrap(), Some((1, &b"a"[..])));
        assert_eq!(lines.next().unwrap(), Some((2, &b""[..])));
        assert_eq!(lines.next().unwrap(), Some((3, &b"b"[..])));
        assert_eq!(lines.next().unwrap(), None);
        let error = Lines::new(Path::new("f"), std::io::repeat(b'x')).next().unwrap_err().to_string();
        assert_eq!(error, "f: line 1 is longer than 16 MiB; is it a table of text?");
    }
}
