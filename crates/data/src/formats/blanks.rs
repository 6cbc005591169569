//! Tables whose fields any number of blanks parts, as tables whose fields single tabs part.

use std::io::{Read, Result};

/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// Makes one tab of the blanks between two fields, and nothing of those around a line.
pub(crate) struct Blanks<R> {
    from: R,
    block: Vec<u8>,
    at: usize,
    /// Whether blanks came behind a field.
    pending: bool,
    /// Whether the line has a field already.
    begun: bool,
    quoted: bool,
    /// A byte that waits behind the tab.
    next: Option<u8>,
}

impl<R: Read> Blanks<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, block: Vec::new(), at: 0, pending: false, begun: false, quoted: false, next: None }
    }
}

impl<R: Read> Read for Blanks<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut written = 0;
        while written < into.len() {
            if let Some(byte) = self.next.take() {
                into[written] = byte;
                written += 1;
                continue;
            }
            if self.at == self.block.len() {
                // What is there is handed over before more is waited for.
                if written > 0 {
                    break;
                }
                self.block.clear();
                self.at = 0;
                if self.from.by_ref().take(BLOCK as u64).read_to_end(&mut self.block)? == 0 {
                    break;
                }
            }
            let byte = self.block[self.at];
            self.at += 1;
            self.quoted ^= byte == b'"';
            match byte {
                b' ' | b'\t' if !self.quoted => self.pending = true,
                b'\n' | b'\r' if !self.quoted => {
                    (self.pending, self.begun) = (false, false);
                    into[written] = byte;
                    written += 1;
                }
                _ => {
                    let tab = std::mem::take(&mut self.pending) && self.begun;
                    self.begun = true;
                    into[written] = if tab { b'\t' } else { byte };
                    self.next = tab.then_some(byte);
                    written += 1;
                }
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_fields_are_one_tab() {
        let mut out = String::new();
        let text = "  1.5  2\t \t3  \r\n\n 4 \"a  b\" 5\n6";
        Blanks::new(text.as_bytes()).read_to_string(&mut out).unwrap();
        assert_eq!(out, "1.5\t2\t3\r\n\n4\t\"a  b\"\t5\n6");
    }
}
