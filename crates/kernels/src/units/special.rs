//! The standard normal distribution in single precision: its quantiles, and what of it lies above a limit.
//!
//! Rational minimax approximations, so that every unit takes the same steps and loops over units vectorise. What would
//! cancel is never subtracted: far above 0 the mean of what lies above a is `a + delta`, and delta is computed by
//! itself.

use crate::units::math::{exp, ln};

/// The largest uniform number below 1/2 and the smallest above it lie 2^-24 apart; each stands for the middle of its
/// step.
const HALF_STEP: f32 = 1.0 / 33_554_432.0;

/// sqrt(1 / 2 pi): the density at 0.
const DENSITY: f32 = 0.398_942_3;

/// ln(2 pi) / 2.
pub(crate) const HALF_LN_TAU: f32 = 0.918_938_5;

/// A uniform number in (0, 1) as what lies below it and what above, neither of which is 0.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) below: f32,
    pub(crate) above: f32,
}

/// A uniform number u in [0, 1), a multiple of 2^-24, taken from the middle of its step.
#[inline(always)]
pub(crate) fn share(u: f32) -> Share {
    Share { below: u + HALF_STEP, above: (1.0 - u) - HALF_STEP }
}

/// The polynomial with these coefficients, of the highest power first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for i in 1..N {
        sum = sum * x + coefficients[i];
    }
    sum
}

/// z >= 0 with the probability p above it is `quantile(p, 4 p (1 - p))`, for p from 2^-35 to 1/2.
///
/// z = x F(w) with x = 1 - 2 p and w = -ln(1 - x²) (Giles 2010): F is smooth, a rational function of sqrt(w + 10) within
/// 5e-8.
#[inline(always)]
fn quantile(p: f32, root: f32) -> f32 {
    let v = root - 3.162_277_7;
    let above = polynomial(v, [0.777_846_8, 1.663_673_2, 2.524_697_8, 2.768_654_3, 2.103_866, 1.253_314_1]);
    let below = polynomial(v, [0.003_685_5, 0.476_569_5, 0.196_469_05, 1.388_386, 0.022_868_452, 1.0]);
    (1.0 - 2.0 * p) * (above / below)
}

/// z of the standard normal distribution that has this share below it: absolute error below 2e-6, never beyond 5.42.
#[inline(always)]
pub(crate) fn normal(share: Share) -> f32 {
    let p = if share.below < share.above { share.below } else { share.above };
    let z = quantile(p, (10.0 - ln(4.0 * p * (1.0 - p))).sqrt());
    if share.below < share.above { -z } else { z }
}

/// The part above `a` of a standard normal distribution.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    /// Where it begins.
    pub(crate) a: f32,
    /// How far its mean lies above a.
    pub(crate) mean: f32,
    /// The mean of the square of z - a.
    pub(crate) square: f32,
    /// The probability of all below a.
    below: f32,
    /// The probability of all above a, from 9 on too large.
    above: f32,
    /// Where a >= 0, the density at a over the probability of all above it; where a < 0, the inverse of this
    /// probability.
    hazard: f32,
}

/// The part above `a`, which is cut at 1e6.
///
/// For b = |a| the mean above b is b + delta, delta = 1 / (b + r), r = 2 / (b + 3 / (b + ...)). r is a rational function of b
/// within 1.2e-7.
#[inline(always)]
pub(crate) fn tail(a: f32) -> Tail {
    let size = a.abs();
    let b = if size > 1e6 { 1e6 } else { size };
    let above = polynomial(b, [2.0, 21.870_516, 120.269_99, 374.328_24, 592.378_5]);
    let below = polynomial(b, [1.0, 10.935_325, 63.128_58, 220.197_16, 460.534_18, 472.649_56]);
    let inverse = 1.0 / (b * below + above);
    let (delta, square) = (below * inverse, above * inverse);
    let hazard = b + delta;
    // From 9 on, the density is 0 to rounding beside 1.
    let near = if b > 9.0 { 9.0 } else { b };
    let density = DENSITY * exp(-0.5 * near * near);
    let far_side = density / hazard;
    let near_side = 1.0 - far_side;
    if a < 0.0 {
        let inverse = 1.0 / near_side;
        let mean = size + density * inverse;
        Tail { a, mean, square: 1.0 + size * mean, below: far_side, above: near_side, hazard: inverse }
    } else {
        Tail { a: b, mean: delta, square, below: near_side, above: far_side, hazard }
    }
}

impl Tail {
    /// The first one where `first` is true.
    #[inline(always)]
    pub(crate) fn either(first: bool, one: &Self, other: &Self) -> Self {
        let of = |field: fn(&Self) -> f32| if first { field(one) } else { field(other) };
        Self {
            a: of(|tail| tail.a),
            mean: of(|tail| tail.mean),
            square: of(|tail| tail.square),
            below: of(|tail| tail.below),
            above: of(|tail| tail.above),
            hazard: of(|tail| tail.hazard),
        }
    }

    /// ln of the integral of exp(-z² / 2) above a where a < 0, and where a >= 0 that of exp((a² - z²) / 2).
    #[inline(always)]
    pub(crate) fn log_mass(&self) -> f32 {
        let whole = if self.a < 0.0 { HALF_LN_TAU } else { 0.0 };
        whole - ln(self.hazard)
    }

    /// z - a of the z that has this share of the tail below it: relative error below 1e-5, or absolute below 1e-6.
    ///
    /// Up to a = 3 from the quantiles of the whole distribution. Beyond, where z - a would cancel, from
    /// G(e) = ln Q(a) - ln Q(a + e) = t for t = -ln of the share above: G = lambda e + kappa e² / 2 with the hazard lambda
    /// and kappa almost 1, of which the rest is a polynomial in 1 / sqrt(1 + 2 t / lambda²) and the variance within 4e-7.
    #[inline(always)]
    pub(crate) fn excess(&self, share: Share) -> f32 {
        let far = self.a > 3.0;
        let low = self.below + share.below * self.above;
        let high = share.above * self.above;
        let p = if low < high { low } else { high };
        let p = if p < 2.9e-11 { 2.9e-11 } else { p };
        let log = ln(if far { share.above } else { 4.0 * p * (1.0 - p) });
        let inverse = 1.0 / self.hazard;
        let root = (if far { 1.0 - 2.0 * log * inverse * inverse } else { 10.0 - log }).sqrt();

        let z = quantile(p, root);
        let near = (if low < high { -z } else { z }) - self.a;

        let v = 1.0 / root;
        let q = self.square - self.mean * self.mean;
        let c0 = polynomial(v, [-0.100_674_69, 0.454_881_3, -1.096_339, 0.730_827_2, 0.011_330_798]);
        let c1 = polynomial(v, [1.449_906, -2.614_755, 0.839_454_3, 0.323_881_43]);
        let c2 = polynomial(v, [0.331_156, -0.127_496_28, -0.186_527_96]);
        let beyond = -2.0 * log * inverse * v / (v + 1.0) * (1.0 + q * polynomial(q, [c2, c1, c0]));

        let excess = if far { beyond } else { near };
        // What is no number stays none.
        if excess < 0.0 { 0.0 } else { excess }
    }
}
