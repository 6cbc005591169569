//! ReLU units, not below 0: `U(x) = g x²/2 - b x`. Given an input, a unit is the part above 0 of a normal distribution of
//! mean `t/g`, `t = b + I`, and variance `1/g`.

use super::run::UnitFields;
use super::special::{Tail, middle, tail};

/// What lies above 0, in units of the standard deviation.
pub(super) fn given(t: f64, g: f64) -> Tail {
    tail(-t / g.sqrt())
}

/// Infinity where x cannot be.
pub(super) fn energy(f: &UnitFields, x: f64) -> f64 {
    if x < 0.0 { f64::INFINITY } else { x * (0.5 * f.g * x - f.b) }
}

pub(super) fn cgf(f: &UnitFields, input: f64) -> f64 {
    given(f.b + input, f.g).log_integral(f.g)
}

pub(super) fn mean(f: &UnitFields, input: f64) -> f64 {
    given(f.b + input, f.g).mean / f.g.sqrt()
}

pub(super) fn variance(f: &UnitFields, input: f64) -> f64 {
    given(f.b + input, f.g).variance / f.g
}

pub(super) fn mode(f: &UnitFields, input: f64) -> f64 {
    ((f.b + input) / f.g).max(0.0)
}

/// `E[-g x²/2 | I]`.
pub(super) fn expected_square(f: &UnitFields, input: f64) -> f64 {
    let tail = given(f.b + input, f.g);
    -0.5 * (tail.variance + tail.mean * tail.mean)
}

/// The quantile of a uniform number.
pub(super) fn draw(f: &UnitFields, input: f64, u: f64) -> f64 {
    given(f.b + input, f.g).excess(1.0 - middle(u)) / f.g.sqrt()
}
