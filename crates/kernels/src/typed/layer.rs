//! A layer: its units in panels of 32 columns, their fields and velocities.

use super::panel::{Panel, Part};
use crate::learning::parameters::Fields;
use crate::products::panels::{pack_rows, unpack_rows};
use crate::row::{BLOCK, Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::units::conditional::{FieldRow, Moments};
use crate::units::fields::NO_MOMENTS;
use crate::units::layers::{Segment, UnitKind, Units};
use std::ops::Range;

/// The columns of one categorical unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) first: usize,
    pub(crate) levels: usize,
}

impl Site {
    pub(crate) fn columns(self) -> Range<usize> {
        self.first..self.first + self.levels
    }
}

const ONES: Row = Row([1.0; BLOCK]);

/// A layer of any units.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) units: Units,
    pub(crate) columns: usize,
    /// Whether all states are bits.
    pub(crate) discrete: bool,
    pub(crate) spins: bool,
    pub(crate) panels: Vec<Panel>,
    /// The categorical units, and the panels that they are in.
    pub(crate) sites: Vec<Site>,
    pub(crate) categorical: Range<usize>,
    /// b, ln g, b- and ln g- as they are, 0 where there is none.
    pub(crate) fields: Vec<Moments>,
    pub(crate) velocity: Vec<Moments>,
    /// Which fields learn: 1 or 0.
    pub(crate) learned: Vec<Moments>,
    /// The least and the largest ln g that is learned.
    pub(crate) precisions: (f32, f32),
    /// 0 for Bernoulli units, which a sparsity cost pulls; minus infinity for all others.
    pub(crate) pulled: Vec<Row>,
    /// s of every column: 2 for spins, else 1. Padding has 1.
    pub(crate) scale: Vec<Row>,
    /// o of every column: -1 for spins, else 0.
    pub(crate) shift: Vec<Row>,
}

impl Layer {
    /// At rest. `precision` says which kinds learn their precision, and `precisions` within what limits.
    pub(crate) fn new(
        units: &Units,
        bias: &[f32],
        fields: &Fields,
        precision: fn(UnitKind) -> bool,
        precisions: (f32, f32),
    ) -> Self {
        let columns = units.columns();
        assert_eq!(bias.len(), columns, "one bias a column");
        for (name, values) in fields.each() {
            assert!([0, columns].contains(&values.len()), "{name}: one value a column, or none");
        }
        let (count, sites) = (columns.div_ceil(BLOCK), sites(units));
        let marks = |marked: &dyn Fn(UnitKind) -> f32, rest: f32| {
            let values = units.each().flat_map(|(segment, range)| vec![marked(segment.units); range.len()]);
            pack_rows(&values.collect::<Vec<_>>(), rest)
        };
        let mark = |marked: &dyn Fn(UnitKind) -> bool| marks(&|kind| f32::from(u8::from(marked(kind))), 0.0);
        let (drelu, spin) = (|kind| kind == UnitKind::Drelu, |kind| kind == UnitKind::Spin);
        Self {
            units: units.clone(),
            columns,
            discrete: units.is_discrete(),
            spins: units.any(spin),
            panels: (0..count).map(|at| panel(units, at)).collect(),
            categorical: panels_of(&sites),
            sites,
            fields: join(bias, fields, count),
            velocity: vec![NO_MOMENTS; count],
            learned: zip4(mark(&|_| true), mark(&precision), mark(&drelu), mark(&drelu)),
            precisions,
            pulled: marks(&|kind| if kind == UnitKind::Bernoulli { 0.0 } else { f32::NEG_INFINITY }, f32::NEG_INFINITY),
            scale: marks(&|kind| if spin(kind) { 2.0 } else { 1.0 }, 1.0),
            shift: marks(&|kind| if spin(kind) { -1.0 } else { 0.0 }, 0.0),
        }
    }

    /// Brings the fields in bits up to date. `shifts` has `sum of W' o / s` over the units of the other layer for
    /// every column; empty if that layer has no spins.
    pub(crate) fn refresh(&mut self, shifts: &[Row]) {
        for (at, panel) in self.panels.iter_mut().enumerate() {
            let (own, scale, used) = (&self.fields[at], &self.scale[at], (self.columns - at * BLOCK).min(BLOCK));
            let shift = shifts.get(at).unwrap_or(&ZERO);
            let linear = |b: &Row| Row(std::array::from_fn(|i| scale.0[i] * b.0[i] + shift.0[i]));
            let precision = |log_g: &Row| if *log_g == ZERO { ONES } else { Row(log_g.0.map(libm::expf)) };
            let b = linear(&own.b);
            panel.levels = b;
            let mut on = Row([f32::NEG_INFINITY; BLOCK]);
            for Part { lanes, .. } in &panel.parts {
                on.0[lanes.clone()].copy_from_slice(&b.0[lanes.clone()]);
                panel.levels.0[lanes.clone()].fill(0.0);
            }
            panel.levels.0[used..].fill(0.0);
            panel.fields = FieldRow {
                b: on,
                g: precision(&own.log_g),
                b_below: linear(&own.b_below),
                g_below: precision(&own.log_g_below),
            };
        }
    }

    /// The bias and the other fields, a value a column.
    pub(crate) fn unpack(&self, of: &[Moments]) -> (Vec<f32>, Fields) {
        let rows = |row: fn(&Moments) -> Row| unpack_rows(&of.iter().map(row).collect::<Vec<_>>(), self.columns);
        let mut fields = Fields::at_rest(&self.units);
        let own = [rows(|m| m.log_g), rows(|m| m.b_below), rows(|m| m.log_g_below)];
        for ((_, field), own) in fields.each_mut().into_iter().zip(own) {
            if !field.is_empty() {
                *field = own;
            }
        }
        (rows(|m| m.b), fields)
    }

    /// What belongs to the bias and the other fields of every column.
    pub(crate) fn in_panels(&self, bias: &[f32], fields: &Fields) -> Vec<Moments> {
        assert_eq!(bias.len(), self.columns, "one value a bias");
        join(bias, fields, self.panels.len())
    }

    /// States in the form that this layer has: bits, or values.
    ///
    /// # Panics
    /// If they have another number of columns.
    pub(crate) fn form_of(&self, states: &Batch) -> Batch {
        assert_eq!(states.units(), self.columns, "states of this layer");
        match (states, self.discrete) {
            (Batch::Real { rows, units, values }, true) => Batch::Binary(Bits::from_values(*rows, *units, values)),
            (Batch::Binary(bits), false) => {
                Batch::Real { rows: bits.rows(), units: bits.units(), values: bits.to_values() }
            }
            _ => states.clone(),
        }
    }

    /// The values of a column a row, from natural ones: `(x - o) / s` of units that are `x`.
    pub(crate) fn in_bits(&self, values: &[f32]) -> Vec<Row> {
        let mut rows = pack_rows(values, 0.0);
        rows.resize(self.panels.len(), ZERO);
        for ((row, scale), shift) in rows.iter_mut().zip(&self.scale).zip(&self.shift) {
            for i in 0..BLOCK {
                row.0[i] = (row.0[i] - shift.0[i]) / scale.0[i];
            }
        }
        rows
    }
}

/// The columns `32 at ..` of a layer, whose fields are still to be filled in.
fn panel(units: &Units, at: usize) -> Panel {
    let mut parts: Vec<Part> = Vec::new();
    for (Segment { units: kind, .. }, columns) in units.each() {
        let (first, last) = (columns.start.max(at * BLOCK), columns.end.min((at + 1) * BLOCK));
        if kind == UnitKind::Categorical || first >= last {
            continue;
        }
        let kind = if kind == UnitKind::Spin { UnitKind::Bernoulli } else { kind };
        let lanes = first - at * BLOCK..last - at * BLOCK;
        match parts.last_mut() {
            Some(part) if part.kind == kind && part.lanes.end == lanes.start => part.lanes.end = lanes.end,
            _ => parts.push(Part { kind, lanes }),
        }
    }
    Panel { parts, fields: FieldRow { b: ZERO, g: ZERO, b_below: ZERO, g_below: ZERO }, levels: ZERO }
}

fn sites(units: &Units) -> Vec<Site> {
    let categorical = units.each().filter(|(segment, _)| segment.units == UnitKind::Categorical);
    let each = categorical
        .flat_map(|(Segment { levels, .. }, columns)| columns.step_by(levels).map(move |first| Site { first, levels }));
    each.collect()
}

/// The panels from that of the first categorical unit to that of the last.
fn panels_of(sites: &[Site]) -> Range<usize> {
    match (sites.first(), sites.last()) {
        (Some(first), Some(last)) => first.first / BLOCK..(last.first + last.levels).div_ceil(BLOCK),
        _ => 0..0,
    }
}

/// Fields by panels.
fn join(bias: &[f32], fields: &Fields, count: usize) -> Vec<Moments> {
    let rows = |values: &[f32]| {
        let mut rows = pack_rows(values, 0.0);
        rows.resize(count, ZERO);
        rows
    };
    let Fields { log_precision, bias_below, log_precision_below } = fields;
    zip4(rows(bias), rows(log_precision), rows(bias_below), rows(log_precision_below))
}

fn zip4(b: Vec<Row>, log_g: Vec<Row>, b_below: Vec<Row>, log_g_below: Vec<Row>) -> Vec<Moments> {
    let each = b.into_iter().zip(log_g).zip(b_below).zip(log_g_below);
    each.map(|(((b, log_g), b_below), log_g_below)| Moments { b, log_g, b_below, log_g_below }).collect()
}
