//! Which rows of a minibatch one of several ranks learns from.

use std::ops::Range;

/// The rows of one of several ranks: a minibatch is cut into pieces, and piece i is that of rank `i % ranks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Rows of a piece, at least 1; the last one of a minibatch holds what is left.
    pub piece: usize,
    /// Which of the ranks, from 0.
    pub rank: usize,
    /// How many ranks there are, at least 1.
    pub ranks: usize,
}

impl Share {
    /// All rows, in one piece.
    pub const WHOLE: Self = Self { piece: usize::MAX, rank: 0, ranks: 1 };

    /// The pieces of the rank, of a minibatch of `rows`, as ranges of rows.
    pub fn of(self, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let pieces = (self.rank..rows.div_ceil(self.piece)).step_by(self.ranks);
        pieces.map(move |index| index * self.piece..rows.min((index + 1).saturating_mul(self.piece)))
    }

    /// Whether one rank has all rows.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.ranks == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_of_one_rank() {
        for rows in [0, 1, 63, 64, 65, 300] {
            for ranks in [1, 2, 3, 7] {
                let of = |rank| Share { piece: 64, rank, ranks }.of(rows).flatten().collect::<Vec<_>>();
                let mut all: Vec<usize> = (0..ranks).flat_map(of).collect();
                all.sort_unstable();
                assert_eq!(all, (0..rows).collect::<Vec<_>>());
            }
            assert_eq!(Share::WHOLE.of(rows).flatten().collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
        }
        let second = Share { piece: 64, rank: 1, ranks: 2 };
        assert_eq!(second.of(200).collect::<Vec<_>>(), [64..128, 192..200]);
    }
}
