//! What decides how products are made: all states, where this process has a part of them.

use crate::products::product::pays;
use crate::states::bits::Bits;
use std::fmt;
use std::sync::Arc;

/// Adds counts up over all parts.
type Sum = dyn Fn(&mut [u64]) + Send + Sync;

/// The samples, or chains, of which this process has a part; by default it has all. What is fastest for all of them
/// decides how their products with the weights are made, so that those of a part have the bits that they have in the
/// whole.
#[derive(Clone, Default)]
pub struct Whole(Option<Arc<Sum>>);

impl Whole {
    /// `sum` replaces counts of this part by those of all. Every part calls it as often as the others.
    #[must_use]
    pub fn new(sum: impl Fn(&mut [u64]) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sum)))
    }

    /// The counts of all parts.
    fn counts<const N: usize>(&self, own: [usize; N]) -> [usize; N] {
        let Some(sum) = &self.0 else { return own };
        let mut counts = own.map(|count| count as u64);
        sum(&mut counts);
        counts.map(|count| count as usize)
    }

    /// Whether tables beat lists for states.
    pub(crate) fn tables_pay(&self, states: &Bits) -> bool {
        let [ones, rows] = self.counts([states.ones(), states.rows()]);
        pays_for(states.blocks(), ones, rows)
    }

    /// How states that come after others are best multiplied.
    pub(crate) fn way_from(&self, before: &Bits, states: &Bits) -> Way {
        let [changed, ones, rows] = self.counts([before.differing(states), states.ones(), states.rows()]);
        match changed {
            0 => Way::Done,
            _ if changed < ones => Way::Change,
            _ if pays_for(states.blocks(), ones, rows) => Way::Tables,
            _ => Way::Lists,
        }
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Whole(..)" } else { "Whole" })
    }
}

/// A way to products of binary states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They are there already.
    Done,
    /// By what changed.
    Change,
    /// By tables.
    Tables,
    /// By lists.
    Lists,
}

fn pays_for(blocks: usize, ones: usize, rows: usize) -> bool {
    let samples = rows.max(1) as f64;
    pays(blocks, ones as f64 / samples, samples)
}
