//! The part of a standard normal distribution above a limit, in double precision.

use std::f64::consts::TAU;

/// ln(2 pi) / 2.
pub(super) const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// From here on what lies above is computed by a continued fraction, since its probability leaves the range of numbers.
const FAR: f64 = 3.0;

/// Terms of it: enough for 16 digits from [`FAR`] on.
const TERMS: u32 = 120;

/// What lies above `a`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    a: f64,
    /// How far its mean lies above a.
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// ln of its probability.
    pub(super) log_mass: f64,
}

/// `r = 2 / (a + 3 / (a + 4 / (a + ...)))`, with which the mean of the part above a is `a + 1 / (a + r)`.
fn fraction(a: f64) -> f64 {
    (2..=TERMS).rev().fold(0.0, |r, term| f64::from(term) / (a + r))
}

/// The density at z over the probability above it, and ln of the latter.
fn hazard(z: f64) -> (f64, f64) {
    let log_density = -0.5 * z * z - HALF_LN_TAU;
    if z >= FAR {
        let hazard = z + 1.0 / (z + fraction(z));
        return (hazard, log_density - libm::log(hazard));
    }
    let log_mass = libm::log(0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2));
    (libm::exp(log_density - log_mass), log_mass)
}

pub(super) fn tail(a: f64) -> Tail {
    let (hazard, log_mass) = hazard(a);
    if a < FAR {
        let mean = hazard - a;
        return Tail { a, mean, variance: 1.0 - hazard * mean, log_mass };
    }
    // The mean as a difference would lose its digits.
    let r = fraction(a);
    let mean = 1.0 / (a + r);
    Tail { a, mean, variance: mean * (r - mean), log_mass }
}

impl Tail {
    /// ln of the integral of `exp(x (t - g x / 2))` above x = 0, where this is the tail above `a = -t / sqrt(g)`.
    pub(super) fn log_integral(&self, g: f64) -> f64 {
        0.5 * self.a * self.a + self.log_mass + 0.5 * libm::log(TAU / g)
    }

    /// z - a for the z above which this share of the tail lies.
    pub(super) fn excess(&self, share_above: f64) -> f64 {
        let target = self.log_mass + libm::log(share_above);
        (above(target, self.a.max(f64::MIN)) - self.a).max(0.0)
    }
}

/// The z above which a share of the normal distribution with this logarithm lies.
///
/// Newton's method on ln Q(z), which falls and bends down: from a z that is too large every step is too short.
pub(super) fn above(log_share: f64, least: f64) -> f64 {
    let mut z =
        if log_share < -std::f64::consts::LN_2 { (-2.0 * (log_share + std::f64::consts::LN_2)).sqrt() } else { 0.0 };
    z = z.max(least);
    for _ in 0..200 {
        let (hazard, log_mass) = hazard(z);
        let next = (z + (log_mass - log_share) / hazard).max(least);
        // Rounding ends it.
        if next.is_nan() || (next - z).abs() <= 1e-15 * z.abs() {
            break;
        }
        z = next;
    }
    z
}

/// The middle of the step of a uniform number, a multiple of 2^-24, as the kernels take it.
pub(super) fn middle(u: f64) -> f64 {
    u + 1.0 / 33_554_432.0
}
