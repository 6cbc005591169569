//! States that ranks hold in pieces, brought together.

use crate::error::Result;
use deepbelief_kernels::{Batch, Bits};
use deepbelief_ranks::Group;

/// Rows of a piece: samples of a minibatch, and persistent chains. Piece i is that of rank `i % ranks`.
pub(crate) const PIECE: usize = 64;

/// The rows of a piece, of so many.
pub(crate) fn piece(index: usize, rows: usize) -> std::ops::Range<usize> {
    piece_of(PIECE, index, rows)
}

/// The same of pieces of `size` rows.
pub(crate) fn piece_of(size: usize, index: usize, rows: usize) -> std::ops::Range<usize> {
    (size * index).min(rows)..(size * (index + 1)).min(rows)
}

/// The pieces of a rank, of those that so many rows are cut into.
pub(crate) fn pieces_of(group: &dyn Group, rows: usize) -> impl Iterator<Item = usize> + use<> {
    (group.rank()..rows.div_ceil(PIECE)).step_by(group.size())
}

/// All `rows` of states like `like`, of which each rank has its pieces of `size` rows, in their order.
pub(crate) fn gathered<'a>(
    group: &dyn Group,
    size: usize,
    own: impl Iterator<Item = &'a Batch>,
    rows: usize,
    like: &Batch,
) -> Result<Batch> {
    let bytes: Vec<u8> = own.flat_map(to_bytes).collect();
    let all = group.gather(&bytes).map_err(deepbelief_training::Error::from)?;
    let (units, mut read) = (like.units(), vec![0; group.size()]);
    let mut whole = Batch::default();
    match like {
        Batch::Binary(_) => drop(whole.make_binary(rows, units)),
        Batch::Real { .. } => drop(whole.make_real(rows, units)),
    }
    for index in 0..rows.div_ceil(size) {
        let rank = index % group.size();
        for row in piece_of(size, index, rows) {
            let words = all[rank][read[rank]..].as_chunks().0;
            read[rank] += put(&mut whole, row, words);
        }
    }
    Ok(whole)
}

/// The states of a batch, row by row, in words of 32 bits.
fn to_bytes(batch: &Batch) -> Vec<u8> {
    match batch {
        Batch::Binary(bits) => {
            let row = |row| (0..bits.blocks()).map(move |block| bits.word(row, block));
            (0..bits.rows()).flat_map(row).flat_map(u32::to_ne_bytes).collect()
        }
        Batch::Real { values, .. } => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
    }
}

/// Writes a row from words; how many bytes it took.
fn put(batch: &mut Batch, row: usize, words: &[[u8; 4]]) -> usize {
    let taken = match batch {
        Batch::Binary(bits) => put_bits(bits, row, words),
        Batch::Real { units, values, .. } => {
            let values = &mut values[row * *units..(row + 1) * *units];
            values.iter_mut().zip(words).for_each(|(value, word)| *value = f32::from_ne_bytes(*word));
            values.len()
        }
    };
    4 * taken
}

fn put_bits(bits: &mut Bits, row: usize, words: &[[u8; 4]]) -> usize {
    let blocks = bits.blocks();
    for (block, word) in words[..blocks].iter().enumerate() {
        bits.set_word(row, block, u32::from_ne_bytes(*word));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::{Stream, Uniforms};
    use deepbelief_ranks::Threads;

    #[test]
    fn pieces_come_together_in_their_order() {
        for rows in [1, 63, 64, 65, 200, 640] {
            let bits = Bits::coins(rows, 40, Uniforms::new(1, Stream::User, 0));
            let real = Batch::Real { rows, units: 3, values: (0..3 * rows).map(|i| i as f32).collect() };
            for whole in [Batch::Binary(bits), real] {
                for ranks in [1, 2, 3, 7] {
                    let all = Threads::run(ranks, |group| {
                        let own: Vec<Batch> =
                            pieces_of(&*group, rows).map(|index| whole.slice(piece(index, rows))).collect();
                        gathered(&*group, PIECE, own.iter(), rows, &whole.head(0))
                    });
                    assert!(all.into_iter().all(|gathered| gathered.unwrap() == whole), "{rows} rows, {ranks} ranks");
                }
            }
        }
    }
}
