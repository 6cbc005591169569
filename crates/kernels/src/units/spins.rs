//! Spins as bits: the same distribution in other numbers.
//!
//! A spin is `s v + o` of a bit v, with s = 2 and o = -1; any other unit has s = 1 and o = 0. Then
//!
//! ```text
//! W'_iu = s_i s_u W_iu,    a'_i = s_i (a_i + sum over u of W_iu o_u),    b'_u = s_u (b_u + sum over i of W_iu o_i)
//! -E(v, h) = -E'(v', h') + sum of o_i a_i + sum of o_u b_u + sum of o_i W_iu o_u
//! ```

use crate::learning::parameters::Parameters;
use crate::units::layers::{Layers, Segment, UnitKind, Units};

/// The RBM whose spins are Bernoulli units, and what its minus energies, and so its ln Z, lack.
///
/// # Panics
/// If the lengths do not fit the units.
#[must_use]
pub fn spins_as_bits(layers: &Layers, parameters: &Parameters) -> (Layers, Parameters, f64) {
    let spin = |kind| kind == UnitKind::Spin;
    if !layers.visible.any(spin) && !layers.hidden.any(spin) {
        return (layers.clone(), parameters.clone(), 0.0);
    }
    let is_spin = |units: &Units| -> Vec<bool> {
        units.each().flat_map(|(segment, columns)| columns.map(move |_| spin(segment.units))).collect()
    };
    let (below, above) = (is_spin(&layers.visible), is_spin(&layers.hidden));
    let mut bits = parameters.clone();
    let (mut of_visible, mut of_hidden) = (vec![0.0; below.len()], vec![0.0; above.len()]);
    let mut constant = 0.0;
    let rows = parameters.w_rec.chunks_exact(above.len().max(1)).zip(bits.w_rec.chunks_exact_mut(above.len().max(1)));
    for (i, (row, out)) in rows.enumerate() {
        for (u, (&w, out)) in row.iter().zip(out).enumerate() {
            *out = w * if below[i] { 2.0 } else { 1.0 } * if above[u] { 2.0 } else { 1.0 };
            let w = f64::from(w);
            if above[u] {
                of_visible[i] -= w;
            }
            if below[i] {
                of_hidden[u] -= w;
            }
            if below[i] && above[u] {
                constant += w;
            }
        }
    }
    let mut linear = |fields: &mut [f32], spins: &[bool], shifts: &[f64]| {
        for ((field, &spin), shift) in fields.iter_mut().zip(spins).zip(shifts) {
            let own = f64::from(*field);
            constant -= if spin { own } else { 0.0 };
            *field = ((own + shift) * if spin { 2.0 } else { 1.0 }) as f32;
        }
    };
    linear(&mut bits.vb, &below, &of_visible);
    linear(&mut bits.hb, &above, &of_hidden);
    for (field, shift) in bits.hidden_fields.bias_below.iter_mut().zip(&of_hidden) {
        *field = (f64::from(*field) + shift) as f32;
    }
    let without = |units: &Units| {
        let each = units.segments().iter().map(|segment| match segment.units {
            UnitKind::Spin => Segment { units: UnitKind::Bernoulli, ..*segment },
            _ => *segment,
        });
        each.collect()
    };
    let layers = Layers { visible: without(&layers.visible), hidden: without(&layers.hidden) };
    (layers, bits, constant)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Energies of all states of 2 spins and a bit with a spin and a bit above.
    #[test]
    fn energies_differ_by_the_constant_alone() {
        let units = |spins, bits| -> Units {
            let part = |units, sites| Segment { units, levels: 1, sites };
            [part(UnitKind::Spin, spins), part(UnitKind::Bernoulli, bits)].into_iter().collect()
        };
        let layers = Layers { visible: units(2, 1), hidden: units(1, 1) };
        let w_rec = vec![0.5, -0.3, 0.2, 0.7, -0.4, 0.1];
        let p = Parameters { w_rec, hb: vec![0.3, -0.6], vb: vec![0.1, -0.2, 0.4], ..Parameters::default() };
        let (bits, q, constant) = spins_as_bits(&layers, &p);
        assert!(bits.are_bernoulli());
        let minus_energy = |p: &Parameters, v: &[f64], h: &[f64]| -> f64 {
            let dot = |a: &[f32], b: &[f64]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * b).sum::<f64>();
            dot(&p.vb, v) + dot(&p.hb, h) + v.iter().zip(p.w_rec.chunks(2)).map(|(v, row)| v * dot(row, h)).sum::<f64>()
        };
        for state in 0..32u32 {
            let bit = |k: u32| f64::from(state >> k & 1);
            let spin = |k: u32| 2.0 * bit(k) - 1.0;
            let own = minus_energy(&p, &[spin(0), spin(1), bit(2)], &[spin(3), bit(4)]);
            let as_bits = minus_energy(&q, &[bit(0), bit(1), bit(2)], &[bit(3), bit(4)]);
            assert!((own - as_bits - constant).abs() < 1e-6, "{state}: {own} and {as_bits} + {constant}");
        }
    }
}
