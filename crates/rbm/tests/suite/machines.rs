//! Small RBMs of every pair of kinds of units, samples of theirs, and the distributions of tiny ones.

use crate::uniforms;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Batch, Bits, Fields, Parameters};
use deepbelief_rbm::{Layers, Rbm, Segment, UnitKind, Units, states_of};

pub(crate) const HIDDEN: [UnitKind; 5] =
    [UnitKind::Bernoulli, UnitKind::Spin, UnitKind::Gaussian, UnitKind::Relu, UnitKind::Drelu];

/// Tiny layers of every pair of kinds that trains, and of two mixtures.
pub(crate) fn pairs() -> Vec<Layers> {
    use UnitKind::{Bernoulli, Categorical, Drelu, Gaussian, Relu, Spin};
    let visible = [(Bernoulli, 1, 4), (Spin, 1, 4), (Categorical, 3, 2), (Gaussian, 1, 2)];
    let pair = |below, above| Layers { visible: layer(&[below]), hidden: layer(&[(above, 1, 3)]) };
    let mut pairs: Vec<Layers> = visible.into_iter().flat_map(|below| HIDDEN.map(|above| pair(below, above))).collect();
    pairs.push(Layers {
        visible: layer(&[(Gaussian, 1, 1), (Categorical, 3, 1), (Spin, 1, 1), (Bernoulli, 1, 1)]),
        hidden: layer(&[(Drelu, 1, 1), (Bernoulli, 1, 2), (Spin, 1, 1)]),
    });
    pairs.push(Layers {
        visible: layer(&[(Bernoulli, 1, 2), (Categorical, 2, 1), (Categorical, 4, 1)]),
        hidden: layer(&[(Gaussian, 1, 1), (Relu, 1, 2), (Drelu, 1, 1)]),
    });
    pairs
}

pub(crate) fn name(layers: &Layers) -> String {
    format!("{} with {}", layers.visible, layers.hidden)
}

pub(crate) fn layer(kinds: &[(UnitKind, usize, usize)]) -> Units {
    kinds.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
}

/// Numbers in [-size, size).
pub(crate) fn signed(count: usize, size: f32, step: u32) -> Vec<f32> {
    uniforms(1, count, step).iter().map(|u| size * (2.0 * u - 1.0)).collect()
}

pub(crate) fn random(layers: &Layers, seed: u32) -> Rbm {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let fields = |units: &Units, least: f32, step: u32| {
        let mut fields = Fields::at_rest(units);
        for (at, (_, field)) in fields.each_mut().into_iter().enumerate() {
            let values = signed(field.len(), 0.3, step + at as u32);
            field.iter_mut().zip(values).for_each(|(field, x)| *field = x + least);
        }
        // Units of kinds that have no such field rest.
        for (segment, columns) in units.each() {
            let of = |has: bool, field: &mut Vec<f32>| {
                if !has && !field.is_empty() {
                    field[columns.clone()].fill(0.0);
                }
            };
            of(segment.units.has_precision(), &mut fields.log_precision);
            of(segment.units == UnitKind::Drelu, &mut fields.bias_below);
            of(segment.units == UnitKind::Drelu, &mut fields.log_precision_below);
        }
        fields
    };
    let parameters = Parameters {
        w_rec: signed(visible * hidden, 0.2, 1000 * seed),
        hb: signed(hidden, 0.3, 1000 * seed + 1),
        vb: signed(visible, 0.3, 1000 * seed + 2),
        visible_fields: fields(&layers.visible, 0.4, 1000 * seed + 3),
        hidden_fields: fields(&layers.hidden, 0.0, 1000 * seed + 6),
        ..Parameters::default()
    };
    Rbm::from_parameters(layers, parameters, &Device::Cpu).unwrap()
}

/// Samples that such units can have.
pub(crate) fn samples(units: &Units, rows: usize, step: u32) -> Batch {
    let columns = units.columns();
    let u = uniforms(rows, columns, step);
    let mut values = vec![0.0; rows * columns];
    for (u, values) in u.chunks_exact(columns).zip(values.chunks_exact_mut(columns)) {
        for (segment, range) in units.each() {
            for site in range.step_by(segment.levels) {
                match segment.units {
                    UnitKind::Categorical => values[site + (u[site] * segment.levels as f32) as usize] = 1.0,
                    UnitKind::Gaussian => values[site] = 3.0 * u[site] - 1.5,
                    _ => values[site] = f32::from(u8::from(u[site] < 0.4)),
                }
            }
        }
    }
    batch(units, rows, values)
}

/// Values of a layer in the form that its batches have.
fn batch(units: &Units, rows: usize, values: Vec<f32>) -> Batch {
    let columns = units.columns();
    if units.is_discrete() {
        Batch::Binary(Bits::from_values(rows, columns, &values))
    } else {
        Batch::Real { rows, units: columns, values }
    }
}

pub(crate) fn parameters(rbm: &Rbm) -> Vec<(String, Vec<f32>)> {
    let p = rbm.to_parameters().unwrap();
    let mut all = vec![("w".to_string(), p.w_rec.clone()), ("hb".into(), p.hb.clone()), ("vb".into(), p.vb.clone())];
    for (side, fields) in [("visible", &p.visible_fields), ("hidden", &p.hidden_fields)] {
        all.extend(fields.each().map(|(name, values)| (format!("{side}.{name}"), values.clone())));
    }
    all
}

/// Free energies of a batch in double precision.
pub(crate) fn free_energies(layers: &Layers, parameters: &Parameters, v: &Batch) -> Vec<f64> {
    let rbm = Rbm::from_parameters(layers, parameters.clone(), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    rbm.free_energy(&in_f64(&layers.visible, v)).unwrap().to_vec1().unwrap()
}

/// A batch as tensors hold it, in double precision.
pub(crate) fn in_f64(units: &Units, v: &Batch) -> Tensor {
    states_of(units, v, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
}

/// Half the range of the values of real units that count, and how far they lie apart.
const GRID: (i32, f32) = (70, 0.1);

/// Every state of the visible layer, one a row; real units on a grid.
pub(crate) fn all_states(units: &Units) -> Batch {
    let mut states: Vec<Vec<f32>> = vec![Vec::new()];
    for (segment, _) in units.each() {
        let one_hot = |on| (0..segment.levels).map(|level| f32::from(u8::from(level == on))).collect::<Vec<_>>();
        let values: Vec<Vec<f32>> = match segment.units {
            UnitKind::Categorical => (0..segment.levels).map(one_hot).collect(),
            UnitKind::Gaussian => (-GRID.0..=GRID.0).map(|at| vec![at as f32 * GRID.1]).collect(),
            _ => vec![vec![0.0], vec![1.0]],
        };
        for _ in 0..segment.sites {
            states = states.iter().flat_map(|state| values.iter().map(|value| [&state[..], value].concat())).collect();
        }
    }
    batch(units, states.len(), states.concat())
}

/// How probable each of [`all_states`] is.
pub(crate) fn probabilities(layers: &Layers, parameters: &Parameters, states: &Batch) -> Vec<f64> {
    let free = free_energies(layers, parameters, states);
    let least = free.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = free.iter().map(|free| (least - free).exp()).collect();
    let sum = weights.iter().sum::<f64>();
    weights.iter().map(|weight| weight / sum).collect()
}

/// So many independent draws from these states; real units lie anywhere in the cells of the grid.
pub(crate) fn exact_draws(units: &Units, states: &Batch, p: &[f64], rows: usize, step: u32) -> Batch {
    let sums: Vec<f64> = p
        .iter()
        .scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        })
        .collect();
    let (u, columns) = (uniforms(rows, 1 + units.columns(), step), units.columns());
    let values = states.to_values();
    let mut drawn = Vec::with_capacity(rows * columns);
    for u in u.chunks_exact(1 + columns) {
        let at = sums.partition_point(|&sum| sum < f64::from(u[0])).min(p.len() - 1);
        drawn.extend_from_slice(&values[at * columns..(at + 1) * columns]);
        let from = drawn.len() - columns;
        for (_, real) in units.each().filter(|(segment, _)| segment.units == UnitKind::Gaussian) {
            real.for_each(|column| drawn[from + column] += GRID.1 * (u[1 + column] - 0.5));
        }
    }
    batch(units, rows, drawn)
}
