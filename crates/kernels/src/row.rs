//! 32 neighbouring units: a word of packed states, a row of a panel of weights, eight counters of the generator.

/// Units that share a word of packed states.
pub(crate) const BLOCK: usize = 32;

/// 32 neighbouring columns of one row, aligned to cache lines.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Row(pub(crate) [f32; BLOCK]);

pub(crate) const ZERO: Row = Row([0.0; BLOCK]);
