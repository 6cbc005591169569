//! What the header of a page claims, checked before the library believes it: it takes as much memory as the header says
//! that the page unpacks to.
//!
//! A header is a struct of Thrift's compact protocol (`PageHeader` in parquet.thrift). Its fields 1 to 4 are numbers, of
//! which the second is the size of the page once it is unpacked; the others are structs.

use std::fs::File;
use std::io::{self, BufReader, Read};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::memory::unpack::Allowance;

/// The field of a header with the size of the unpacked page.
const UNPACKED: i16 = 2;

/// Structs in structs, at most.
const DEPTH: usize = 8;

/// Kinds of fields.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const STRUCT: u8 = 12;

/// The file of a column, read page by page.
pub(super) struct Claims {
    pub(super) file: File,
    /// Bytes of the column once it is unpacked, its headers included.
    pub(super) unpacked: u64,
    pub(super) allowed: Allowance,
}

impl Length for Claims {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Claims {
    type T = BufReader<File>;

    /// What starts with the header of a page.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let refuse = |reason: String| ParquetError::General(format!("a page at byte {start} {reason}"));
        let claimed = unpacked_size(&mut self.file.get_read(start)?)
            .map_err(|error| refuse(format!("has no readable header: {error}")))?;
        if claimed > self.unpacked {
            let most = self.unpacked;
            return Err(refuse(format!("claims to unpack to {claimed} bytes, of a column that has {most} in all")));
        }
        self.allowed.require(claimed).map_err(|error| ParquetError::General(error.to_string()))?;
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.len() {
            let reason = format!("a page ends at byte {end} of a file that has {}", self.len());
            return Err(ParquetError::General(reason));
        }
        self.file.get_bytes(start, length)
    }
}

/// The size that a header claims for its unpacked page: the largest where it has several.
fn unpacked_size(from: &mut impl Read) -> io::Result<u64> {
    let mut claimed = 0;
    fields(from, DEPTH, &mut |from, id, kind| {
        match id {
            1..=4 => require(kind == I32)?,
            5..=8 => require(kind == STRUCT)?,
            _ => {}
        }
        match id {
            UNPACKED => claimed = claimed.max(size(varint(from)?)?),
            5 | 7 | 8 => fields(from, DEPTH, &mut |from, inner, kind| {
                require(is_expected(id, inner, kind))?;
                skip(from, kind, DEPTH)
            })?,
            _ => skip(from, kind, DEPTH)?,
        }
        Ok(())
    })?;
    Ok(claimed)
}

/// Whether a field of a header of data (5, 8) or of a dictionary (7) is of the kind that it is read as.
fn is_expected(header: i16, field: i16, kind: u8) -> bool {
    match (header, field) {
        (5 | 8, 1..=4) | (7, 1..=2) | (8, 5..=6) => kind == I32,
        (7, 3) | (8, 7) => matches!(kind, TRUE | FALSE),
        (5, 5) | (8, 8) => kind == STRUCT,
        _ => true,
    }
}

fn require(holds: bool) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "a field is not what it should be")) }
}

/// Hands over the number and the kind of every field of a struct, whose value is to be read.
fn fields<R: Read>(
    from: &mut R,
    depth: usize,
    take: &mut dyn FnMut(&mut R, i16, u8) -> io::Result<()>,
) -> io::Result<()> {
    require(depth > 0)?;
    let mut id = 0i16;
    loop {
        let head = byte(from)?;
        let (step, kind) = (i16::from(head >> 4), head & 15);
        if kind == 0 {
            return Ok(());
        }
        id = if step > 0 { id.saturating_add(step) } else { unfolded(varint(from)?) as i16 };
        take(from, id, kind)?;
    }
}

/// Reads past a value.
fn skip<R: Read>(from: &mut R, kind: u8, depth: usize) -> io::Result<()> {
    require(depth > 0)?;
    match kind {
        TRUE | FALSE => Ok(()),
        3 => byte(from).map(|_| ()),
        4..=6 => varint(from).map(|_| ()),
        7 => pass(from, 8),
        8 => {
            let length = varint(from)?;
            pass(from, length)
        }
        STRUCT => fields(from, depth, &mut |from, _, kind| skip(from, kind, depth - 1)),
        // Headers of pages have no lists.
        _ => require(false),
    }
}

fn pass(from: &mut impl Read, length: u64) -> io::Result<()> {
    let passed = io::copy(&mut from.take(length), &mut io::sink())?;
    if passed == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn byte(from: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// A number of seven bits a byte, the least first.
fn varint(from: &mut impl Read) -> io::Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(from)?;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(number);
        }
    }
    require(false).map(|()| 0)
}

/// A number with a sign, which is its last bit.
fn unfolded(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// A number that is a size of 32 bits.
fn size(number: u64) -> io::Result<u64> {
    let size = i32::try_from(unfolded(number)).ok().and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a size is below 0 or above 2 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a dictionary, the size of the unpacked page given once or once more behind all others.
    #[test]
    fn the_size_is_found_wherever_it_stands() {
        // Kind 2, size 150, size 100, fields 7: 3 values, encoding 0, not sorted.
        let mut header = vec![0x15, 4, 0x15, 0xac, 2, 0x15, 0xc8, 1, 0x4c, 0x15, 6, 0x15, 0, 0x12, 0];
        assert_eq!(unpacked_size(&mut [&header[..], &[0]].concat().as_slice()).unwrap(), 150);
        header.extend([0x05, 4, 0x80, 0x80, 0x80, 0x80, 8, 0]);
        assert_eq!(unpacked_size(&mut header.as_slice()).unwrap(), 1 << 30);
        for length in 0..header.len() {
            assert!(unpacked_size(&mut &header[..length]).is_err(), "{length}");
        }
        for wrong in [&[0x25, 1, 0][..], &[0x18, 4, 0], &[0x15, 4, 0x19, 0]] {
            assert!(unpacked_size(&mut &wrong[..]).is_err(), "{wrong:?}");
        }
    }
}
