//! The standard normal distribution in single precision, 32 units at a time: its quantiles, and what of it lies above a
//! limit.
//!
//! Rational minimax approximations, so that every unit takes the same steps and loops over units vectorise. What would
//! cancel is never subtracted: far above 0 the mean of what lies above a is `a + delta`, and delta is computed by
//! itself. Loops are short, so that the processor works on several at a time.

use crate::row::{BLOCK, Row, ZERO};
use crate::units::fields::{at_most, each, either};
use crate::units::math::{exp, ln};

/// Uniform numbers are multiples of 2^-24; each stands for the middle of its step.
const HALF_STEP: f32 = 1.0 / 33_554_432.0;

/// sqrt(1 / 2 pi): the density at 0.
const DENSITY: f32 = 0.398_942_3;

/// ln(2 pi) / 2.
pub(crate) const HALF_LN_TAU: f32 = 0.918_938_5;

/// The limit above which [`Tails::excesses`] has a way of its own.
const FAR: f32 = 3.0;

/// Uniform numbers in (0, 1) as what lies below them and what above, neither of which is 0.
pub(crate) struct Shares {
    pub(crate) below: Row,
    pub(crate) above: Row,
}

/// Uniform numbers u in [0, 1), multiples of 2^-24, taken from the middle of their steps.
#[inline(always)]
pub(crate) fn shares(u: &[f32; BLOCK]) -> Shares {
    Shares { below: each(|i| u[i] + HALF_STEP), above: each(|i| (1.0 - u[i]) - HALF_STEP) }
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

/// z >= 0 with the probability p above it, for p from 2^-35 to 1/2, where `root` is sqrt(10 - ln(4 p (1 - p))).
///
/// z = x F(w) with x = 1 - 2 p and w = -ln(1 - x²) (Giles 2010): F is smooth, a rational function of sqrt(w + 10)
/// within 5e-8.
#[inline(always)]
fn quantile(p: f32, root: f32) -> f32 {
    let v = root - 3.162_277_7;
    let above = polynomial(v, [0.777_846_8, 1.663_673_2, 2.524_697_8, 2.768_654_3, 2.103_866, 1.253_314_1]);
    let below = polynomial(v, [0.003_685_5, 0.476_569_5, 0.196_469_05, 1.388_386, 0.022_868_452, 1.0]);
    (1.0 - 2.0 * p) * (above / below)
}

/// The z of the standard normal distribution that have these shares below them: absolute error below 2e-6, never
/// beyond 5.42.
#[inline(always)]
pub(crate) fn normals(shares: &Shares) -> Row {
    let Shares { below, above } = shares;
    let p = each(|i| at_most(below.0[i], above.0[i]));
    let root = each(|i| (10.0 - ln(4.0 * p.0[i] * (1.0 - p.0[i]))).sqrt());
    each(|i| {
        let z = quantile(p.0[i], root.0[i]);
        either(below.0[i] < above.0[i], -z, z)
    })
}

/// The parts above `a` of a standard normal distribution.
pub(crate) struct Tails {
    /// Where they begin, at most at 1e6.
    pub(crate) a: Row,
    /// How far their means lie above a.
    pub(crate) mean: Row,
    /// The means of the squares of z - a.
    pub(crate) square: Row,
    /// The probability of all below a.
    below: Row,
    /// The probability of all above a, from 9 on too large.
    above: Row,
    /// Where a >= 0, the density at a over the probability of all above it; where a < 0, the inverse of this
    /// probability.
    pub(crate) hazard: Row,
}

/// The parts above `a`.
///
/// With b = |a|, the mean above b is b + delta, delta = 1 / (b + r), r = 2 / (b + 3 / (b + 4 / (b + ...))). r is a rational
/// function of b within 1.2e-7.
#[inline(always)]
pub(crate) fn tails(a: &Row) -> Tails {
    let b = each(|i| at_most(a.0[i].abs(), 1e6));
    let (mut delta, mut square, mut hazard) = (ZERO, ZERO, ZERO);
    for i in 0..BLOCK {
        let b = b.0[i];
        let above = polynomial(b, [2.0, 21.870_516, 120.269_99, 374.328_24, 592.378_5]);
        let below = polynomial(b, [1.0, 10.935_325, 63.128_58, 220.197_16, 460.534_18, 472.649_56]);
        let inverse = 1.0 / (b * below + above);
        (delta.0[i], square.0[i]) = (below * inverse, above * inverse);
        hazard.0[i] = b + delta.0[i];
    }
    // From 9 on, the density is 0 to rounding beside 1.
    let density = each(|i| {
        let near = at_most(b.0[i], 9.0);
        DENSITY * exp(-0.5 * near * near)
    });
    let mut out = Tails { a: b, mean: delta, square, below: ZERO, above: ZERO, hazard };
    for i in 0..BLOCK {
        let far_side = density.0[i] / hazard.0[i];
        let near_side = 1.0 - far_side;
        let inverse = 1.0 / near_side;
        let size = a.0[i].abs();
        let mean = size + density.0[i] * inverse;
        let negative = a.0[i] < 0.0;
        out.a.0[i] = either(negative, a.0[i], b.0[i]);
        out.mean.0[i] = either(negative, mean, delta.0[i]);
        out.square.0[i] = either(negative, 1.0 + size * mean, square.0[i]);
        out.below.0[i] = either(negative, far_side, near_side);
        out.above.0[i] = either(negative, near_side, far_side);
        out.hazard.0[i] = either(negative, inverse, hazard.0[i]);
    }
    out
}

impl Tails {
    /// `exponent - ln(hazard)` is ln of the integral of exp((a² - z²) / 2) above a.
    #[inline(always)]
    pub(crate) fn exponents(&self) -> Row {
        each(|i| either(self.a.0[i] < 0.0, 0.5 * self.a.0[i] * self.a.0[i] + HALF_LN_TAU, 0.0))
    }

    /// The first ones where `choice` is above 0.
    #[inline(always)]
    pub(crate) fn either(choice: &Row, one: &Self, other: &Self) -> Self {
        let of = |one: &Row, other: &Row| each(|i| either(choice.0[i] > 0.0, one.0[i], other.0[i]));
        Self {
            a: of(&one.a, &other.a),
            mean: of(&one.mean, &other.mean),
            square: of(&one.square, &other.square),
            below: of(&one.below, &other.below),
            above: of(&one.above, &other.above),
            hazard: of(&one.hazard, &other.hazard),
        }
    }

    /// z - a of the z that have these shares of the tail below them: absolute error below 4e-6 of 1 / (1 + a) where
    /// a >= 0, and of 1 + |z - a| where a < 0.
    ///
    /// Up to a = 3 from the quantiles of the whole distribution. Beyond, where z - a would cancel, t = -ln of the share
    /// above is `lambda e + kappa e² / 2` with the hazard lambda and kappa almost 1: e is the solution for kappa = 1 and
    /// a correction, a polynomial in 1 / sqrt(1 + 2 t / lambda²) and the variance of z within 4e-7.
    #[inline(always)]
    pub(crate) fn excesses(&self, shares: &Shares) -> Row {
        let (mut p, mut apart, mut log) = (ZERO, ZERO, ZERO);
        for i in 0..BLOCK {
            let low = self.below.0[i] + shares.below.0[i] * self.above.0[i];
            let high = shares.above.0[i] * self.above.0[i];
            apart.0[i] = high - low;
            let least = at_most(low, high);
            p.0[i] = if least < 2.9e-11 { 2.9e-11 } else { least };
        }
        for i in 0..BLOCK {
            let whole = 4.0 * p.0[i] * (1.0 - p.0[i]);
            log.0[i] = ln(either(self.a.0[i] > FAR, shares.above.0[i], whole));
        }
        let near = each(|i| {
            let z = quantile(p.0[i], (10.0 - log.0[i]).sqrt());
            either(apart.0[i] > 0.0, -z, z) - self.a.0[i]
        });
        let far = each(|i| {
            let inverse = 1.0 / self.hazard.0[i];
            let t = -2.0 * log.0[i] * inverse;
            let v = 1.0 / (1.0 + t * inverse).sqrt();
            let q = self.square.0[i] - self.mean.0[i] * self.mean.0[i];
            let c0 = polynomial(v, [-0.100_674_69, 0.454_881_3, -1.096_339, 0.730_827_2, 0.011_330_798]);
            let c1 = polynomial(v, [1.449_906, -2.614_755, 0.839_454_3, 0.323_881_43]);
            let c2 = polynomial(v, [0.331_156, -0.127_496_28, -0.186_527_96]);
            t * v / (v + 1.0) * (1.0 + q * polynomial(q, [c2, c1, c0]))
        });
        each(|i| {
            let excess = either(self.a.0[i] > FAR, far.0[i], near.0[i]);
            // What is no number stays none.
            if excess < 0.0 { 0.0 } else { excess }
        })
    }
}
