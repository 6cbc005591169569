//! Which part of the work is whose.

use std::ops::Range;

/// What rank `rank` of `size` does of `items`: neighbours, as many as any other rank or one fewer or more.
///
/// ```
/// # use deepbelief_ranks::share;
/// assert_eq!([share(7, 0, 3), share(7, 1, 3), share(7, 2, 3)], [0..2, 2..4, 4..7]);
/// ```
#[must_use]
pub fn share(items: usize, rank: usize, size: usize) -> Range<usize> {
    let start = |rank: usize| (items as u128 * rank as u128 / size.max(1) as u128) as usize;
    start(rank)..start(rank + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_share_and_shares_are_even() {
        for items in [0, 1, 2, 7, 64, 1000, usize::MAX] {
            for size in [1, 2, 3, 4, 7, 64] {
                let shares: Vec<_> = (0..size).map(|rank| share(items, rank, size)).collect();
                assert_eq!((shares[0].start, shares[size - 1].end), (0, items));
                assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
                let sizes = || shares.iter().map(std::ops::Range::len);
                assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1, "{items} among {size}");
            }
        }
    }
}
