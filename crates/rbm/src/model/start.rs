//! Where ReLU and dReLU units start.
//!
//! Such a unit may count in any unit of measure: with weights W and precision g it is the same as with `c W` and
//! `c² g`. The form that is chosen has weights of norm 1 (`training/gauges.rs`), in which small weights of
//! precision 1 are a large precision, and all gradients are as small as that is large: the unit would never learn. So the
//! weights start at norm 1, in a random direction, and the precision says how much the unit starts with:
//!
//! ```text
//! g = 10 s² max(1, H/V),     b = b- = -m
//! ```
//!
//! with the mean m and variance s² that its input has if visible units are independent, as in Tubiana, Cocco & Monasson
//! (2019), whose weights have a variance of 0.1 over the number of sites. Where there are more such units than visible columns,
//! each starts with less, or they would together make Gaussian visible units run away.

use crate::model::config::RbmConfig;
use deepbelief_kernels::{Layers, Parameters, UnitKind};

/// Variance of the inputs, in that of the unit's own noise.
const COUPLING: f64 = 0.1;

/// Starts the ReLU and dReLU units among hidden ones, whose weights are normal, and makes up for their means in the
/// biases of the visible units if `visible` says so. A `weight_std` of twice the default starts them with four times as much.
pub(crate) fn start_relus(config: &RbmConfig, layers: &Layers, mean: &[f32], make_up: bool, p: &mut Parameters) {
    let relu = |kind| matches!(kind, UnitKind::Relu | UnitKind::Drelu);
    let (columns, hidden) = (layers.visible.columns(), layers.hidden.columns());
    let units: Vec<(usize, UnitKind)> = layers
        .hidden
        .each()
        .filter(|(segment, _)| relu(segment.units))
        .flat_map(|(segment, columns)| columns.map(move |unit| (unit, segment.units)))
        .collect();
    let share = COUPLING * (config.weight_std / RbmConfig::default().weight_std).powi(2);
    let crowd = (units.len() as f64 / columns.max(1) as f64).max(1.0);
    for (unit, kind) in units {
        let w = |column: usize| f64::from(p.w_rec[column * hidden + unit]);
        let norm = libm::sqrt((0..columns).map(|column| w(column) * w(column)).sum());
        if norm == 0.0 {
            continue;
        }
        let (m, variance) = input(layers, mean, |column| w(column) / norm);
        let g = if variance > 0.0 { (variance / share * crowd).clamp(1e-3, 1e6) } else { 1.0 };
        let expected = if kind == UnitKind::Relu { libm::sqrt(2.0 / (std::f64::consts::PI * g)) } else { 0.0 };
        for (column, bias) in p.vb.iter_mut().enumerate() {
            let w = &mut p.w_rec[column * hidden + unit];
            *w = (f64::from(*w) / norm) as f32;
            if make_up {
                *bias -= (f64::from(*w) * expected) as f32;
            }
        }
        let fields = &mut p.hidden_fields;
        (p.hb[unit], fields.log_precision[unit]) = (-m as f32, libm::log(g) as f32);
        if kind == UnitKind::Drelu {
            (fields.bias_below[unit], fields.log_precision_below[unit]) = (-m as f32, libm::log(g) as f32);
        }
    }
}

/// Mean and variance of the input that visible units give by weights `w` if they are independent and have these means.
fn input(layers: &Layers, mean: &[f32], w: impl Fn(usize) -> f64) -> (f64, f64) {
    let (mut m, mut variance) = (0.0, 0.0);
    for (segment, columns) in layers.visible.each() {
        let sites = mean[columns.clone()].chunks(segment.levels.max(1)).zip(columns.step_by(segment.levels.max(1)));
        for (p, first) in sites {
            let levels = || p.iter().enumerate().map(|(level, &p)| (f64::from(p), w(first + level)));
            let weighted: f64 = levels().map(|(p, w)| p * w).sum();
            let squares: f64 = levels().map(|(_, w)| w * w).sum();
            let (own, spread) = match segment.units {
                UnitKind::Bernoulli => (weighted, levels().map(|(p, w)| p * (1.0 - p) * w * w).sum()),
                UnitKind::Spin => (
                    levels().map(|(p, w)| (2.0 * p - 1.0) * w).sum(),
                    levels().map(|(p, w)| 4.0 * p * (1.0 - p) * w * w).sum(),
                ),
                UnitKind::Categorical => {
                    let second: f64 = levels().map(|(p, w)| p * w * w).sum();
                    (weighted, (second - weighted * weighted).max(0.0))
                }
                UnitKind::Gaussian | UnitKind::Relu | UnitKind::Drelu => (weighted, squares),
            };
            m += own;
            variance += spread;
        }
    }
    (m, variance)
}
