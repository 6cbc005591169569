//! HDF5 files, written: groups, arrays of 64-bit or 32-bit floats, and texts of a fixed length.
//!
//! The forms are those of version 3 of the format's specification: a superblock of version 2, object headers of
//! version 2, groups whose links stand in their headers, and arrays that lie in one piece.

use super::arrays::{Dataset, Values};
use std::collections::BTreeMap;

const UNDEFINED: [u8; 8] = [0xff; 8];

/// Bytes of the superblock.
const SUPERBLOCK: usize = 48;

const DATASPACE: u8 = 0x01;
const LINK_INFO: u8 = 0x02;
const DATATYPE: u8 = 0x03;
const FILL_VALUE: u8 = 0x05;
const LINK: u8 = 0x06;
const LAYOUT: u8 = 0x08;
const GROUP_INFO: u8 = 0x0a;

/// What a group holds: a dataset, or a group of more.
enum Node<'a> {
    Dataset(&'a Dataset),
    Group(BTreeMap<&'a str, Self>),
}

/// The bytes of a file with these datasets, in groups by their paths. They are a function of what it holds.
pub(crate) fn archive(datasets: &[Dataset]) -> Vec<u8> {
    let mut root = BTreeMap::new();
    for dataset in datasets {
        put(&mut root, &dataset.path, dataset);
    }
    let mut file = vec![0; SUPERBLOCK];
    let root = write_group(&mut file, &root);
    let end = file.len() as u64;
    let mut head = b"\x89HDF\r\n\x1a\n".to_vec();
    // Version, sizes of addresses and lengths, flags; where addresses count from; no extension.
    head.extend([2, 8, 8, 0]);
    head.extend(0_u64.to_le_bytes());
    head.extend(UNDEFINED);
    head.extend(end.to_le_bytes());
    head.extend(root.to_le_bytes());
    let sum = checksum(&head);
    head.extend(sum.to_le_bytes());
    file[..SUPERBLOCK].copy_from_slice(&head);
    file
}

/// Puts a dataset where its path leads from a group.
fn put<'a>(group: &mut BTreeMap<&'a str, Node<'a>>, path: &'a str, dataset: &'a Dataset) {
    let Some((name, rest)) = path.split_once('/') else {
        group.insert(path, Node::Dataset(dataset));
        return;
    };
    if let Node::Group(inner) = group.entry(name).or_insert_with(|| Node::Group(BTreeMap::new())) {
        put(inner, rest, dataset);
    }
}

/// Writes a group behind what it holds; its address.
fn write_group(file: &mut Vec<u8>, members: &BTreeMap<&str, Node<'_>>) -> u64 {
    let mut messages = vec![(LINK_INFO, [&[0, 0][..], &UNDEFINED, &UNDEFINED].concat()), (GROUP_INFO, vec![0, 0])];
    for (name, member) in members {
        let address = match member {
            Node::Dataset(dataset) => write_dataset(file, dataset),
            Node::Group(members) => write_group(file, members),
        };
        // Version, flags: a hard link whose name has a length of one byte.
        messages.push((LINK, [&[1, 0, name.len() as u8][..], name.as_bytes(), &address.to_le_bytes()].concat()));
    }
    write_header(file, &messages)
}

/// Writes a dataset behind its values; its address.
fn write_dataset(file: &mut Vec<u8>, dataset: &Dataset) -> u64 {
    let (datatype, bytes) = match &dataset.values {
        Values::F32(values) => {
            (float([32, 0, 31, 23, 8, 127]), values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
        }
        Values::F64(values) => {
            (float([64, 0, 63, 52, 11, 1023]), values.iter().flat_map(|x| x.to_le_bytes()).collect())
        }
        Values::Text(text) => {
            // Class 3 of version 1; padded by nulls, ASCII.
            let length = (text.len().max(1) as u32).to_le_bytes();
            let mut bytes = text.clone().into_bytes();
            bytes.resize(text.len().max(1), 0);
            ([&[0x13, 1, 0, 0][..], &length].concat(), bytes)
        }
    };
    let data = file.len() as u64;
    let length = bytes.len() as u64;
    file.extend(bytes);
    // Version, axes, flags, a single value or a simple extent.
    let mut space = vec![2, dataset.shape.len() as u8, 0, u8::from(!dataset.shape.is_empty())];
    dataset.shape.iter().for_each(|&axis| space.extend((axis as u64).to_le_bytes()));
    // Version 3, in one piece.
    let layout = [&[3, 1][..], &data.to_le_bytes(), &length.to_le_bytes()].concat();
    // Version 3: space at the first write, filled if a value is set, which none is.
    let fill = vec![3, 0x0a];
    write_header(file, &[(DATASPACE, space), (DATATYPE, datatype), (FILL_VALUE, fill), (LAYOUT, layout)])
}

/// A little-endian float: bits, first bit, sign's bit, bits of the mantissa, of the exponent, and its bias.
fn float([bits, first, sign, mantissa, exponent, bias]: [u32; 6]) -> Vec<u8> {
    // Class 1 of version 1; the mantissa's first bit is implied.
    let mut datatype = vec![0x11, 0x20, sign as u8, 0];
    datatype.extend((bits / 8).to_le_bytes());
    datatype.extend((first as u16).to_le_bytes());
    datatype.extend((bits as u16).to_le_bytes());
    datatype.extend([mantissa as u8, exponent as u8, 0, mantissa as u8]);
    datatype.extend(bias.to_le_bytes());
    datatype
}

/// Writes an object header with these messages; its address.
fn write_header(file: &mut Vec<u8>, messages: &[(u8, Vec<u8>)]) -> u64 {
    let address = file.len() as u64;
    let mut body = Vec::new();
    for (kind, message) in messages {
        body.push(*kind);
        body.extend((message.len() as u16).to_le_bytes());
        body.push(0);
        body.extend(message);
    }
    // Version 2, a size of four bytes.
    let mut header = b"OHDR\x02\x02".to_vec();
    header.extend((body.len() as u32).to_le_bytes());
    header.extend(body);
    let sum = checksum(&header);
    header.extend(sum.to_le_bytes());
    file.extend(header);
    address
}

/// The checksum of metadata: lookup3, Jenkins' hash of 2006, of bytes, from 0.
fn checksum(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let [mut a, mut b, mut c] = [start; 3];
    let word = |bytes: &[u8], at: usize| {
        let byte = |i: usize| u32::from(bytes.get(4 * at + i).copied().unwrap_or(0)) << (8 * i);
        byte(0) | byte(1) | byte(2) | byte(3)
    };
    let mut rest = bytes;
    while rest.len() > 12 {
        a = a.wrapping_add(word(rest, 0));
        b = b.wrapping_add(word(rest, 1));
        c = c.wrapping_add(word(rest, 2));
        for (turn, by) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
            match turn % 3 {
                0 => (a, c) = ((a.wrapping_sub(c)) ^ c.rotate_left(by), c.wrapping_add(b)),
                1 => (b, a) = ((b.wrapping_sub(a)) ^ a.rotate_left(by), a.wrapping_add(c)),
                _ => (c, b) = ((c.wrapping_sub(b)) ^ b.rotate_left(by), b.wrapping_add(a)),
            }
        }
        rest = &rest[12..];
    }
    if rest.is_empty() {
        return c;
    }
    a = a.wrapping_add(word(rest, 0));
    b = b.wrapping_add(word(rest, 1));
    c = c.wrapping_add(word(rest, 2));
    for (turn, by) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        match turn % 3 {
            0 => c = (c ^ b).wrapping_sub(b.rotate_left(by)),
            1 => a = (a ^ c).wrapping_sub(c.rotate_left(by)),
            _ => b = (b ^ a).wrapping_sub(a.rotate_left(by)),
        }
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the author's own notes.
    #[test]
    fn checksums_are_those_of_lookup3() {
        assert_eq!(checksum(b""), 0xdead_beef);
        assert_eq!(checksum(b"Four score and seven years ago"), 0x1777_0551);
    }
}
