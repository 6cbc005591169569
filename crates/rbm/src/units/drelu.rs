//! dReLU units, real: `U(x) = g x²/2 - b x` above 0 and `g- x²/2 - b- x` below. Each half is a ReLU unit, the lower one of -x
//! and -I: with the probability p of the upper half, and means m and variances v of the two, the mean is
//! `p m - (1 - p) m-`.

use super::relu;
use super::run::UnitFields;
use super::special::{Tail, middle};

struct Halves {
    above: Tail,
    below: Tail,
    log_above: f64,
    log_below: f64,
    p_above: f64,
    p_below: f64,
}

fn given(f: &UnitFields, input: f64) -> Halves {
    let (above, below) = (relu::given(f.b + input, f.g), relu::given(-f.b_below - input, f.g_below));
    let (log_above, log_below) = (above.log_integral(f.g), below.log_integral(f.g_below));
    let share = |odds: f64| 1.0 / (1.0 + libm::exp(-odds));
    let (p_above, p_below) = (share(log_above - log_below), share(log_below - log_above));
    Halves { above, below, log_above, log_below, p_above, p_below }
}

pub(super) fn energy(f: &UnitFields, x: f64) -> f64 {
    if x < 0.0 { x * (0.5 * f.g_below * x - f.b_below) } else { x * (0.5 * f.g * x - f.b) }
}

pub(super) fn cgf(f: &UnitFields, input: f64) -> f64 {
    let Halves { log_above, log_below, .. } = given(f, input);
    log_above.max(log_below) + libm::log1p(libm::exp(-(log_above - log_below).abs()))
}

/// E\[x where it is above 0\] and E\[x where it is below\].
pub(super) fn means(f: &UnitFields, input: f64) -> (f64, f64) {
    let halves = given(f, input);
    (halves.p_above * halves.above.mean / f.g.sqrt(), -halves.p_below * halves.below.mean / f.g_below.sqrt())
}

pub(super) fn mean(f: &UnitFields, input: f64) -> f64 {
    let (above, below) = means(f, input);
    above + below
}

/// `E[-g x²/2]` of what is above 0, and `E[-g- x²/2]` of what is below.
pub(super) fn expected_squares(f: &UnitFields, input: f64) -> (f64, f64) {
    let halves = given(f, input);
    let square = |tail: &Tail| tail.variance + tail.mean * tail.mean;
    (-0.5 * halves.p_above * square(&halves.above), -0.5 * halves.p_below * square(&halves.below))
}

pub(super) fn variance(f: &UnitFields, input: f64) -> f64 {
    let ((above, below), mean) = (expected_squares(f, input), mean(f, input));
    -2.0 * (above / f.g + below / f.g_below) - mean * mean
}

/// The more probable of the most probable values on both sides.
pub(super) fn mode(f: &UnitFields, input: f64) -> f64 {
    let above = ((f.b + input) / f.g).max(0.0);
    let below = ((f.b_below + input) / f.g_below).min(0.0);
    let log = |x: f64| input * x - energy(f, x);
    if log(below) > log(above) { below } else { above }
}

/// The quantile of a uniform number: it chooses the half, and what is left of it the place there.
pub(super) fn draw(f: &UnitFields, input: f64, u: f64) -> f64 {
    let (halves, whole) = (given(f, input), middle(u));
    if u < halves.p_below {
        return -halves.below.excess((whole / halves.p_below).min(1.0)) / f.g_below.sqrt();
    }
    halves.above.excess(((1.0 - whole) / halves.p_above).min(1.0)) / f.g.sqrt()
}
