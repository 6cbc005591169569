//! The elements that a file is made of, one after the other.

use crate::tables::element::Element;

/// Why what was asked for is not there.
pub(super) type Result<T> = std::result::Result<T, String>;

/// Type of elements that are packed, and not filled up.
pub(super) const PACKED: u32 = 15;

/// Elements that follow on each other.
pub(super) struct Elements<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) big_endian: bool,
}

impl<'a> Elements<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or("it is cut off")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        Ok(words(bytes, self.big_endian)[0])
    }

    /// Type and data of the next element.
    pub(super) fn next(&mut self) -> Result<(u32, &'a [u8])> {
        let kind = self.u32()?;
        if kind >> 16 != 0 {
            let data = self.take(4)?;
            let data = data.get(..(kind >> 16) as usize).ok_or("a short element is longer than four bytes")?;
            return Ok((kind & 0xffff, data));
        }
        let length = self.u32()? as usize;
        let data = self.take(length)?;
        if kind != PACKED {
            // The last element of a file may go without.
            let padding = length.next_multiple_of(8) - length;
            self.take(padding.min(self.bytes.len()))?;
        }
        Ok((kind, data))
    }
}

/// The numbers that an element of a numeric type holds.
pub(super) fn element(kind: u32) -> Option<Element> {
    Some(match kind {
        1 => Element::I8,
        2 => Element::U8,
        3 => Element::I16,
        4 => Element::U16,
        5 => Element::I32,
        6 => Element::U32,
        7 => Element::F32,
        9 => Element::F64,
        12 => Element::I64,
        13 => Element::U64,
        _ => return None,
    })
}

/// Whole numbers of 32 bits.
pub(super) fn words(data: &[u8], big_endian: bool) -> Vec<u32> {
    let read = |&bytes: &[u8; 4]| if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    data.as_chunks().0.iter().map(read).collect()
}
