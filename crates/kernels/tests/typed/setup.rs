//! Layers, parameters and data to test with.

use deepbelief_kernels::{Batch, Bits, Fields, Layers, Parameters, Segment, Stream, Uniforms, UnitKind, Units};

/// Units in the order given: kind, levels, how many.
pub(crate) fn units(parts: &[(UnitKind, usize, usize)]) -> Units {
    parts.iter().map(|&(units, levels, sites)| Segment { units, levels, sites }).collect()
}

/// Visible layers: every kind, numbers of levels of which some straddle panels, a mixture of real and discrete units
/// and one of discrete ones.
pub(crate) fn visible() -> Vec<Units> {
    use UnitKind::{Bernoulli, Categorical, Gaussian, Spin};
    vec![
        units(&[(Bernoulli, 1, 37)]),
        units(&[(Spin, 1, 65)]),
        units(&[(Categorical, 2, 19)]),
        units(&[(Categorical, 3, 7)]),
        units(&[(Categorical, 21, 5), (Categorical, 40, 2)]),
        units(&[(Gaussian, 1, 41)]),
        units(&[(Gaussian, 1, 13), (Categorical, 21, 2), (Categorical, 3, 4), (Spin, 1, 5), (Bernoulli, 1, 9)]),
        units(&[(Spin, 1, 5), (Categorical, 4, 8), (Bernoulli, 1, 9), (Categorical, 2, 3)]),
    ]
}

/// Hidden layers: every kind, and a mixture.
pub(crate) fn hidden() -> Vec<Units> {
    use UnitKind::{Bernoulli, Drelu, Gaussian, Relu, Spin};
    vec![
        units(&[(Bernoulli, 1, 35)]),
        units(&[(Spin, 1, 33)]),
        units(&[(Gaussian, 1, 6)]),
        units(&[(Relu, 1, 34)]),
        units(&[(Drelu, 1, 37)]),
        units(&[(Drelu, 1, 5), (Bernoulli, 1, 7), (Gaussian, 1, 4), (Spin, 1, 3), (Relu, 1, 20)]),
    ]
}

/// Normal numbers.
pub(crate) fn normal(seed: u64, rows: usize, columns: usize, std: f64) -> Vec<f32> {
    let mut values = vec![0.0; rows * columns];
    Uniforms::new(seed, Stream::User, 0).normal(std, columns, &mut values);
    values
}

/// Random fields of the units that have them; ln g is not below 0 if `precise`.
fn fields(units: &Units, precise: bool, seed: u64) -> Fields {
    let mut fields = Fields::at_rest(units);
    for (field, (name, values)) in fields.each_mut().into_iter().enumerate() {
        let drawn = normal(seed + field as u64, 1, units.columns(), 0.3);
        let all = name == "log_precision";
        for (segment, columns) in units.each() {
            let has = if all { segment.units.has_precision() } else { segment.units == UnitKind::Drelu };
            if has {
                columns.for_each(|at| values[at] = if precise { drawn[at].abs() } else { drawn[at] });
            }
        }
    }
    fields
}

/// Random parameters of an RBM. Its inputs are of the order of one.
pub(crate) fn parameters(layers: &Layers, seed: u64) -> Parameters {
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let mut hidden_fields = fields(&layers.hidden, false, seed + 10);
    // Those of hidden Gaussian units are 1, so that the layers have a distribution with each other.
    for (segment, columns) in layers.hidden.each() {
        if segment.units == UnitKind::Gaussian {
            hidden_fields.log_precision[columns].fill(0.0);
        }
    }
    Parameters {
        w_rec: normal(seed, visible, hidden, 0.5 / (visible.max(hidden) as f64).sqrt()),
        hb: normal(seed + 1, 1, hidden, 0.3),
        vb: normal(seed + 2, 1, visible, 0.3),
        visible_fields: fields(&layers.visible, true, seed + 20),
        hidden_fields,
        ..Parameters::default()
    }
}

/// Random states of a visible layer.
pub(crate) fn data(units: &Units, samples: usize, seed: u64) -> Batch {
    let (columns, draw) = (units.columns(), Uniforms::new(seed, Stream::User, 1));
    let gauss = normal(seed + 7, samples, columns, 1.0);
    let mut values = vec![0.0; samples * columns];
    for (s, row) in values.chunks_exact_mut(columns).enumerate() {
        let u = |column: usize| draw.at(s as u32, column as u32);
        for (segment, range) in units.each() {
            for site in range.step_by(segment.levels) {
                match segment.units {
                    UnitKind::Categorical => {
                        row[site + (u(site) * u(site) * segment.levels as f32) as usize] = 1.0;
                    }
                    UnitKind::Gaussian => row[site] = gauss[s * columns + site],
                    _ => row[site] = f32::from(u8::from(u(site) < 0.3)),
                }
            }
        }
    }
    if units.is_discrete() {
        Batch::Binary(Bits::from_values(samples, columns, &values))
    } else {
        Batch::Real { rows: samples, units: columns, values }
    }
}

pub(crate) fn draw(stream: Stream, step: u32) -> Uniforms {
    Uniforms::new(11, stream, step)
}
