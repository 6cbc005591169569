//! All states of few discrete units.

use candle_core::{Device, Result, Tensor};
use deepbelief_kernels::{UnitKind, Units};

/// States that are made at once.
const AT_ONCE: usize = 4096;

/// Whether units are discrete and have at most `2^most` states together.
pub(super) fn are_few(units: &Units, most: usize) -> bool {
    let bits: f64 =
        units.segments().iter().map(|s| s.sites as f64 * (values_of(s.units, s.levels) as f64).log2()).sum();
    units.is_discrete() && bits <= most as f64
}

fn values_of(kind: UnitKind, levels: usize) -> usize {
    if kind == UnitKind::Categorical { levels } else { 2 }
}

/// The states of units, some rows at a time: [rows, columns] in double precision.
pub(super) fn all(units: &Units) -> impl Iterator<Item = Result<Tensor>> + '_ {
    let sites: Vec<(UnitKind, usize, usize)> = units
        .each()
        .flat_map(|(s, columns)| {
            columns.step_by(s.levels).map(move |first| (s.units, first, values_of(s.units, s.levels)))
        })
        .collect();
    let total: usize = sites.iter().map(|&(.., values)| values).product();
    let columns = units.columns();
    (0..total).step_by(AT_ONCE).map(move |first| {
        let rows = AT_ONCE.min(total - first);
        let mut states = vec![0.0_f64; rows * columns];
        for (row, states) in states.chunks_exact_mut(columns.max(1)).enumerate() {
            let mut rest = first + row;
            for &(kind, column, values) in &sites {
                let value = rest % values;
                rest /= values;
                match kind {
                    UnitKind::Categorical => states[column + value] = 1.0,
                    UnitKind::Spin => states[column] = if value == 1 { 1.0 } else { -1.0 },
                    _ => states[column] = value as f64,
                }
            }
        }
        Tensor::from_vec(states, (rows, columns), &Device::Cpu)
    })
}
