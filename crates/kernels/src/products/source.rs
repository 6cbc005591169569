//! Where the products of visible states with the weights come from: the cheapest way that the
//! states allow, chosen per call.

use crate::products::whole::{Way, Whole};
use crate::products::{dense, product};
use crate::row::{Row, ZERO};
use crate::simd::Level;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::Active;

/// How the products `x = v W` of a visible state are had.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// They are there already.
    Done,
    /// From those of the state before, by what changed.
    Change,
    /// From the units that are on.
    Lists,
    /// From tables of sums, for states of which many are on.
    Tables(&'a Bits),
    /// From the units that are not zero, row-major values [samples, units].
    Scaled(&'a [f32], usize),
    /// From all units, row-major values [samples, units].
    Dense(&'a [f32], usize),
}

impl<'a> Source<'a> {
    /// For a batch of data; fills the lists it needs.
    pub(crate) fn of_batch(batch: &'a Batch, support: &mut Bits, lists: &mut Active) -> Self {
        Self::of_part(batch, &Whole::default(), support, lists)
    }

    /// The same for a part of `whole`.
    pub(crate) fn of_part(batch: &'a Batch, whole: &Whole, support: &mut Bits, lists: &mut Active) -> Self {
        match batch {
            Batch::Binary(bits) => Self::of_states(bits, whole, lists),
            Batch::Real { rows, units, values } => Self::of_values(*rows, *units, values, support, lists),
        }
    }

    /// For real-valued states [rows, units].
    pub(crate) fn of_values(
        rows: usize,
        units: usize,
        values: &'a [f32],
        support: &mut Bits,
        lists: &mut Active,
    ) -> Self {
        support.set_nonzero(rows, units, values);
        // Both ways have the same bits.
        if support.is_dense() {
            return Self::Dense(values, units);
        }
        lists.of(support);
        Self::Scaled(values, units)
    }

    /// For binary states, a part of `whole`.
    pub(crate) fn of_states(states: &'a Bits, whole: &Whole, lists: &mut Active) -> Self {
        if whole.tables_pay(states) {
            return Self::Tables(states);
        }
        lists.of(states);
        Self::Lists
    }

    /// For the reconstruction, when `x` belongs to the states `before`.
    pub(crate) fn of_reconstruction(now: &'a Batch, before: Option<&Bits>, lists: &mut Active) -> Self {
        match now {
            Batch::Binary(states) => Self::of_next(states, &Whole::default(), before, lists),
            Batch::Real { units, values, .. } => Self::Dense(values, *units),
        }
    }

    /// For binary states, a part of `whole`, when `x` belongs to the states `before`.
    pub(crate) fn of_next(states: &'a Bits, whole: &Whole, before: Option<&Bits>, lists: &mut Active) -> Self {
        let Some(before) = before.filter(|before| before.rows() == states.rows()) else {
            return Self::of_states(states, whole, lists);
        };
        match whole.way_from(before, states) {
            Way::Done => Self::Done,
            Way::Change => {
                lists.of_difference(before, states);
                Self::Change
            }
            Way::Tables => Self::Tables(states),
            Way::Lists => {
                lists.of(states);
                Self::Lists
            }
        }
    }

    /// Brings `x`, the products with one panel for the samples from `first` on, up to date.
    pub(crate) fn product(self, level: Level, panel: &[Row], lists: &Active, first: usize, x: &mut [Row]) {
        match self {
            Self::Done => {}
            Self::Change => product::difference(level, panel, lists, first, x),
            Self::Lists => product::sparse(level, panel, lists, first, x),
            Self::Tables(states) => product::tabled(level, panel, states, first, x),
            Self::Scaled(values, units) => product::sparse_scaled(level, panel, lists, values, units, first, x),
            Self::Dense(values, units) => {
                x.fill(ZERO);
                dense::dense(level, &panel[..units], &values[first * units..], units, 1, x);
            }
        }
    }
}

/// Memory that products of a batch take, kept for those of the next.
#[derive(Debug, Default)]
pub struct Room {
    support: Bits,
    lists: Active,
}

/// Calls `of` for all samples of one way, with their numbers in the batch. A sample takes the same way whatever comes
/// with it, and so has the same bits.
pub(crate) fn by_ways(batch: &Batch, room: &mut Room, mut of: impl FnMut(&Batch, Source<'_>, &Active, &[usize])) {
    let Room { support, lists } = room;
    let all: Vec<usize> = (0..batch.rows()).collect();
    let Batch::Binary(bits) = batch else {
        // Sums of all values and of those that are not zero add the same numbers in the same order.
        let source = Source::of_batch(batch, support, lists);
        of(batch, source, lists, &all);
        return;
    };
    let (tabled, listed): (Vec<usize>, Vec<usize>) =
        all.into_iter().partition(|&row| product::tables_pay_for(bits, row));
    for (rows, tables) in [(tabled, true), (listed, false)] {
        let part = (rows.len() < batch.rows()).then(|| batch.chosen(&rows));
        let part = part.as_ref().unwrap_or(batch);
        let Batch::Binary(bits) = part else { continue };
        if rows.is_empty() {
            continue;
        }
        if tables {
            of(part, Source::Tables(bits), lists, &rows);
        } else {
            lists.of(bits);
            of(part, Source::Lists, lists, &rows);
        }
    }
}

/// What `of` makes of each sample of a batch, in the same bits whatever comes with it.
pub(crate) fn each_alone<T: Copy + Default>(
    batch: &Batch,
    of: impl Fn(&Batch, Source<'_>, &Active, &[usize]) -> Vec<T>,
) -> Vec<T> {
    let mut results = vec![T::default(); batch.rows()];
    by_ways(batch, &mut Room::default(), |batch, source, lists, rows| {
        for (&row, made) in rows.iter().zip(of(batch, source, lists, rows)) {
            results[row] = made;
        }
    });
    results
}
