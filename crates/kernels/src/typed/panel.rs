//! 32 neighbouring columns of a layer: which kinds of units they are, and what these do with their inputs.

use crate::products::scratch::Scratch;
use crate::rng::Uniforms;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::units::bernoulli;
use crate::units::conditional::{self, FieldRow, Moments};
use crate::units::fields::NO_MOMENTS;
use crate::units::layers::UnitKind;
use std::ops::Range;

/// Neighbouring lanes of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) kind: UnitKind,
    pub(crate) lanes: Range<usize>,
}

/// 32 columns. Those of categorical units are in no part: they need all levels of a unit at once
/// ([`super::sites`]).
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// As they are in bits: spins are Bernoulli units.
    pub(crate) parts: Vec<Part>,
    /// The fields in bits. The bias of padding and of categorical columns is minus infinity.
    pub(crate) fields: FieldRow,
    /// The biases of categorical columns, 0 elsewhere.
    pub(crate) levels: Row,
}

/// Where states go: bits, or values where some unit of the layer is real.
pub(crate) enum Target<'a> {
    /// A word a sample.
    Words(&'a mut [u32]),
    /// 32 values a sample.
    Rows(&'a mut [Row]),
}

impl Target<'_> {
    /// The places of some samples.
    pub(crate) fn of(&mut self, samples: Range<usize>) -> Target<'_> {
        match self {
            Self::Words(words) => Target::Words(&mut words[samples]),
            Self::Rows(rows) => Target::Rows(&mut rows[samples]),
        }
    }
}

impl Panel {
    /// The kind of all lanes, if it is one. Bernoulli units may have others beside them, which their bias turns off.
    fn whole(&self) -> Option<UnitKind> {
        match &self.parts[..] {
            [Part { kind, lanes }] if lanes.len() == BLOCK => Some(*kind),
            [Part { kind: UnitKind::Bernoulli, .. }, rest @ ..]
                if rest.iter().all(|part| part.kind == UnitKind::Bernoulli) =>
            {
                Some(UnitKind::Bernoulli)
            }
            _ => None,
        }
    }

    /// Whether some unit has fields beside the bias that are learned from what it is expected to be.
    pub(crate) fn learns_moments(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.kind, UnitKind::Relu | UnitKind::Drelu))
    }

    /// Fills `out` with what `of` makes of each kind, in its lanes; 0 in all others.
    fn each_part(&self, out: &mut [Row], mut of: impl FnMut(UnitKind, &mut [Row])) {
        if let Some(kind) = self.whole() {
            return of(kind, out);
        }
        out.fill(ZERO);
        let mut own = Scratch::new(out.len());
        for Part { kind, lanes } in &self.parts {
            of(*kind, &mut own);
            for (out, own) in out.iter_mut().zip(own.iter()) {
                out.0[lanes.clone()].copy_from_slice(&own.0[lanes.clone()]);
            }
        }
    }

    /// `E[h | x]`.
    pub(crate) fn means(&self, level: Level, x: &[Row], out: &mut [Row]) {
        self.each_part(out, |kind, out| conditional::means(level, kind, x, &self.fields, out));
    }

    /// `E[h | x]` and states.
    pub(crate) fn means_and_states(
        &self,
        level: Level,
        x: &[Row],
        draw: Uniforms,
        first: usize,
        block: usize,
        means: &mut [Row],
        target: Target<'_>,
    ) {
        let f = &self.fields;
        match (target, self.whole()) {
            (Target::Words(words), _) => {
                bernoulli::probabilities_and_states(level, x, &f.b, draw, first, block, means, words);
            }
            (Target::Rows(rows), Some(kind)) => {
                conditional::means_and_states(level, kind, x, f, draw, first, block, means, rows);
            }
            (target, None) => {
                self.means(level, x, means);
                self.states(level, x, draw, first, block, target);
            }
        }
    }

    /// States.
    pub(crate) fn states(
        &self,
        level: Level,
        x: &[Row],
        draw: Uniforms,
        first: usize,
        block: usize,
        target: Target<'_>,
    ) {
        let f = &self.fields;
        match target {
            Target::Words(words) if self.parts.is_empty() => words.fill(0),
            Target::Words(words) => bernoulli::states(level, x, &f.b, draw, first, block, words),
            Target::Rows(rows) => self.each_part(rows, |kind, out| {
                conditional::states(level, kind, x, f, draw, first, block, out);
            }),
        }
    }

    /// The sufficient statistics expected given `x`.
    pub(crate) fn expected(&self, level: Level, x: &[Row], out: &mut [Moments]) {
        self.each_moment(out, |kind, out| conditional::expected(level, kind, x, &self.fields, out));
    }

    /// The same of states.
    pub(crate) fn observed(&self, level: Level, states: &[Row], out: &mut [Moments]) {
        self.each_moment(out, |kind, out| conditional::observed(level, kind, states, &self.fields, out));
    }

    fn each_moment(&self, out: &mut [Moments], mut of: impl FnMut(UnitKind, &mut [Moments])) {
        if let Some(kind) = self.whole() {
            return of(kind, out);
        }
        out.fill(NO_MOMENTS);
        let mut own = vec![NO_MOMENTS; out.len()];
        for Part { kind, lanes } in &self.parts {
            of(*kind, &mut own);
            for (out, own) in out.iter_mut().zip(&own) {
                for (out, own) in [
                    (&mut out.b, &own.b),
                    (&mut out.log_g, &own.log_g),
                    (&mut out.b_below, &own.b_below),
                    (&mut out.log_g_below, &own.log_g_below),
                ] {
                    out.0[lanes.clone()].copy_from_slice(&own.0[lanes.clone()]);
                }
            }
        }
    }

    /// `sums[s] += sum over the units of cgf(x_s)`; categorical ones are not among them.
    pub(crate) fn add_cgfs(&self, level: Level, x: &[Row], sums: &mut [f64]) {
        let mut terms = Scratch::new(x.len());
        self.each_part(&mut terms, |kind, out| conditional::cgfs(level, kind, x, &self.fields, out));
        self.add_lanes(&terms, sums);
    }

    /// `sums[s] += sum over the units of U(v_s)`; categorical ones are not among them.
    pub(crate) fn add_energies(&self, level: Level, states: &[Row], sums: &mut [f64]) {
        let mut terms = Scratch::new(states.len());
        self.each_part(&mut terms, |kind, out| conditional::energies(level, kind, states, &self.fields, out));
        self.add_lanes(&terms, sums);
    }

    /// Adds up the lanes of all parts.
    fn add_lanes(&self, terms: &[Row], sums: &mut [f64]) {
        for Part { lanes, .. } in &self.parts {
            for (row, sum) in terms.iter().zip(sums.iter_mut()) {
                *sum += row.0[lanes.clone()].iter().map(|&term| f64::from(term)).sum::<f64>();
            }
        }
    }
}
