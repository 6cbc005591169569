//! dReLU units: U(h) = g h²/2 - b h above 0 and g- h²/2 - b- h below. Either half is a ReLU unit, the lower one of -h and
//! -x.

use crate::row::{BLOCK, Row, ZERO};
use crate::units::fields::{FieldRow, Moments, at_most, each, either};
use crate::units::math::{exp, ln};
use crate::units::relu::Relu;
use crate::units::special::{Shares, Tails, shares};
use crate::units::unit::Unit;

/// 32 of them.
pub(crate) struct Drelu {
    above: Relu,
    below: Relu,
}

/// What units are given their inputs.
struct Halves {
    above: Tails,
    below: Tails,
    /// The probability of h > 0.
    p_above: Row,
    /// The probability of h < 0.
    p_below: Row,
    /// `ln of the integral of exp(x h - U(h))`.
    cgf: Row,
}

impl Drelu {
    #[inline(always)]
    fn given(&self, x: &Row) -> Halves {
        let (above, below) = (self.above.given(x), self.below.given(&each(|i| -x.0[i])));
        // The integral of a half is exp(exponent) / weight.
        let (upper, lower) = (above.exponents(), below.exponents());
        let ratio = each(|i| {
            let apart = (upper.0[i] - lower.0[i]).abs();
            exp(-at_most(apart, 70.0))
        });
        let (mut p_above, mut p_below, mut cgf) = (ZERO, ZERO, ZERO);
        for i in 0..BLOCK {
            let weight_above = above.hazard.0[i] * self.above.root.0[i];
            let weight_below = below.hazard.0[i] * self.below.root.0[i];
            let larger = upper.0[i] > lower.0[i];
            let part_above = weight_below * either(larger, 1.0, ratio.0[i]);
            let part_below = weight_above * either(larger, ratio.0[i], 1.0);
            let whole = part_above + part_below;
            let inverse = 1.0 / whole;
            (p_above.0[i], p_below.0[i]) = (part_above * inverse, part_below * inverse);
            let exponent = either(larger, upper.0[i], lower.0[i]);
            cgf.0[i] = exponent - ln(weight_above * weight_below * inverse);
        }
        Halves { above, below, p_above, p_below, cgf }
    }

    /// `E[h; h > 0]` and `E[h; h < 0]`.
    #[inline(always)]
    fn means_of(&self, halves: &Halves) -> (Row, Row) {
        (
            each(|i| halves.p_above.0[i] * (self.above.scale.0[i] * halves.above.mean.0[i])),
            each(|i| -halves.p_below.0[i] * (self.below.scale.0[i] * halves.below.mean.0[i])),
        )
    }

    /// The states that u draw: a uniform number chooses the half, and what is left of it the place there.
    #[inline(always)]
    fn states_of(&self, halves: &Halves, u: &[f32; BLOCK]) -> Row {
        let whole = shares(u);
        let mut share = Shares { below: ZERO, above: ZERO };
        // Above 0 where a state is below 0. It is taken from the end that is nearer to where the halves meet, where
        // numbers are finer.
        let inwards = each(|i| {
            let (p_below, p_above) = (halves.p_below.0[i], halves.p_above.0[i]);
            either(p_below < p_above, p_below - whole.below.0[i], whole.above.0[i] - p_above)
        });
        for i in 0..BLOCK {
            let down = inwards.0[i] > 0.0;
            let inverse = 1.0 / either(down, halves.p_below.0[i], halves.p_above.0[i]);
            share.above.0[i] = at_most(either(down, whole.below.0[i], whole.above.0[i]) * inverse, 1.0);
            share.below.0[i] = at_most(inwards.0[i].abs() * inverse, 1.0);
        }
        let excess = Tails::either(&inwards, &halves.below, &halves.above).excesses(&share);
        each(|i| either(inwards.0[i] > 0.0, -self.below.scale.0[i], self.above.scale.0[i]) * excess.0[i])
    }
}

impl Unit for Drelu {
    #[inline(always)]
    fn new(f: &FieldRow) -> Self {
        Self { above: Relu::new(f), below: Relu::with(&each(|i| -f.b_below.0[i]), &f.g_below) }
    }

    #[inline(always)]
    fn mean(&self, x: &Row) -> Row {
        let (above, below) = self.means_of(&self.given(x));
        each(|i| above.0[i] + below.0[i])
    }

    #[inline(always)]
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row) {
        let halves = self.given(x);
        let (above, below) = self.means_of(&halves);
        (each(|i| above.0[i] + below.0[i]), self.states_of(&halves, u))
    }

    #[inline(always)]
    fn cgf(&self, x: &Row) -> Row {
        self.given(x).cgf
    }

    #[inline(always)]
    fn energy(&self, h: &Row) -> Row {
        each(|i| either(h.0[i] < 0.0, self.below.energy_of(-h.0[i], i), self.above.energy_of(h.0[i], i)))
    }

    #[inline(always)]
    fn observed(&self, h: &Row) -> Moments {
        let below = |i: usize| h.0[i] < 0.0;
        Moments {
            b: each(|i| either(below(i), 0.0, h.0[i])),
            log_g: each(|i| either(below(i), 0.0, self.above.square_of(h.0[i], i))),
            b_below: each(|i| either(below(i), h.0[i], 0.0)),
            log_g_below: each(|i| either(below(i), self.below.square_of(h.0[i], i), 0.0)),
        }
    }

    #[inline(always)]
    fn expected(&self, x: &Row) -> Moments {
        let halves = self.given(x);
        let (b, b_below) = self.means_of(&halves);
        let log_g = each(|i| -0.5 * (halves.p_above.0[i] * halves.above.square.0[i]));
        let log_g_below = each(|i| -0.5 * (halves.p_below.0[i] * halves.below.square.0[i]));
        Moments { b, log_g, b_below, log_g_below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::layers::UnitKind;
    use crate::units::reference::{
        Kernels, PRECISIONS, close, draws, drelu, field_row, halves, inputs, kolmogorov_smirnov, tail, uniforms,
    };

    /// b, b-, g, g-, x; cgf, mean, variance.
    const GOLDEN: [([f64; 5], [f64; 3]); 6] = [
        ([0.5, -0.3, 1.2, 0.8, 0.0], [1.277_671_948, -0.112_400_143, 1.421_844_995]),
        ([0.5, -0.3, 1.2, 0.8, 2.0], [3.436_506_838, 2.070_582_142, 0.866_011_972]),
        ([0.5, -0.3, 1.2, 0.8, -2.0], [4.338_226_372, -2.869_845_162, 1.266_516_080]),
        ([-3.0, 3.0, 1.0, 2.0, 0.0], [-0.528_331_370, 0.023_279_964, 0.134_546_519]),
        ([1.0, 1.0, 1.0, 1.0, 0.7], [2.363_938_533, 1.7, 1.0]),
        ([0.0, 0.0, 1.0, 4.0, -3.0], [1.362_811_229, -0.733_447_876, 0.270_951_437]),
    ];

    #[test]
    fn known_values_come_out() {
        for ([b, b_below, g, g_below, x], [cgf, mean, variance]) in GOLDEN {
            let fields = [b, g, b_below, g_below];
            let exact = drelu(x, fields);
            assert!(close(exact.cgf, cgf, 0.0, 1e-9) && close(exact.mean, mean, 0.0, 1e-9), "{x}: {exact:?}");
            assert!(close(exact.variance(), variance, 0.0, 2e-9), "{x}: variance {}", exact.variance());
            let got = Kernels::of(UnitKind::Drelu, &[x as f32], fields);
            assert!(close(got.cgfs[0], exact.cgf, 3e-7, 1e-7), "cgf at {x}: {}", got.cgfs[0]);
            assert!(close(got.means[0], exact.mean, 5e-7, 3e-7), "mean at {x}: {}", got.means[0]);
        }
    }

    #[test]
    fn means_integrals_and_moments_match_double_precision() {
        let (x, mut worst) = (inputs(), [0.0_f64; 3]);
        for g in PRECISIONS {
            for g_below in PRECISIONS {
                let fields = [0.0, f64::from(g as f32), 0.0, f64::from(g_below as f32)];
                let got = Kernels::of(UnitKind::Drelu, &x, fields);
                for (s, &x) in x.iter().enumerate() {
                    let exact = drelu(f64::from(x), fields);
                    let (above, below, p) = halves(f64::from(x), fields);
                    let size = p * above.mean + (1.0 - p) * below.mean;
                    worst[0] = worst[0].max((got.means[s] - exact.mean).abs() / size);
                    worst[1] = worst[1].max((got.cgfs[s] - exact.cgf).abs() / (1.0 + exact.cgf.abs()));
                    let want = [
                        p * above.mean,
                        -0.5 * fields[1] * p * above.square,
                        -(1.0 - p) * below.mean,
                        -0.5 * fields[3] * (1.0 - p) * below.square,
                    ];
                    for (got, want) in got.moments[s].iter().zip(want) {
                        worst[2] = worst[2].max((got - want).abs() / (1e-6 + want.abs()));
                    }
                }
            }
        }
        // A few roundings each; probabilities have that of the difference of two integrals, too.
        assert!(worst[0] < 1e-6 && worst[1] < 6e-7 && worst[2] < 3e-6, "{worst:?}");
    }

    /// One peak, next to none about 0, two of them, and all on one side.
    const SHAPES: [[f64; 4]; 5] = [
        [0.5, 1.2, -0.3, 0.8],
        [-3.0, 1.0, 3.0, 2.0],
        [1.0, 1.0, 1.0, 1.0],
        [5.0, 0.9, -5.2, 1.1],
        [-20.0, 3.0, 15.0, 1.0],
    ];

    /// The probability of states up to h, given x.
    fn distribution(x: f64, fields: [f64; 4]) -> impl Fn(f64) -> f64 {
        let beyond = |t: f64, g: f64, h: f64| {
            let (a, e) = (-t / g.sqrt(), h * g.sqrt());
            (tail(a + e).2 - tail(a).2 - e * (a + 0.5 * e)).exp()
        };
        let ([b, g, b_below, g_below], p) = (fields, halves(x, fields).2);
        move |h| if h < 0.0 { (1.0 - p) * beyond(-x - b_below, g_below, -h) } else { 1.0 - p * beyond(x + b, g, h) }
    }

    #[test]
    fn states_have_their_distribution() {
        for fields in SHAPES {
            for x in [-3.0, 0.0, 0.4, 6.0] {
                let statistic = kolmogorov_smirnov(draws(UnitKind::Drelu, x, fields), distribution(x, fields));
                assert!(statistic < 2.7, "{fields:?}, x {x}: {statistic}");
            }
        }
    }

    #[test]
    fn states_are_the_quantiles_of_their_uniform_numbers() {
        for fields in SHAPES {
            let units = Drelu::new(&field_row(fields));
            for x in [-30.0, -3.0, 0.0, 0.4, 6.0, 500.0] {
                let distribution = distribution(x, fields);
                for u in uniforms() {
                    let state = units.mean_and_state(&Row([x as f32; BLOCK]), &[u; BLOCK]).1.0[4];
                    let (p, middle) = (distribution(f64::from(state)), f64::from(u) + 0.5f64.powi(25));
                    // The probability of a half is off by the rounding of its exponent, and a state by its own.
                    let rounding = 2.5e-6 + 3e-7 * f64::from(state).abs();
                    assert!((p - middle).abs() < rounding, "{fields:?}, x {x}, u {u}: {state}, up to which {p}");
                }
            }
        }
    }

    #[test]
    fn with_equal_halves_they_are_gaussian() {
        for (b, g) in [(0.3, 1.0), (-2.0, 0.1), (4.0, 30.0)] {
            let x = inputs();
            let (one, other) =
                (Kernels::of(UnitKind::Drelu, &x, [b, g, b, g]), Kernels::of(UnitKind::Gaussian, &x, [b, g, b, g]));
            for s in 0..x.len() {
                let size = (0.5 * f64::from(x[s].abs()) + 1.0) / g;
                assert!(close(one.means[s], other.means[s], 1e-6, 1e-6 * size.min(1.0 / g.sqrt())), "mean at {}", x[s]);
                assert!(close(one.cgfs[s], other.cgfs[s], 1e-6, 1e-6), "cgf at {}", x[s]);
                let sum = |moments: [f64; 4]| [moments[0] + moments[2], moments[1] + moments[3]];
                let ([h, square], [exact_h, exact_square]) = (sum(one.moments[s]), sum(other.moments[s]));
                assert!(
                    close(h, exact_h, 2e-6, 2e-6 / g.sqrt()) && close(square, exact_square, 2e-6, 0.0),
                    "at {}",
                    x[s]
                );
            }
        }
    }

    #[test]
    fn with_nothing_below_they_are_relu_units() {
        let x: Vec<f32> = (-200..=200).map(|i| i as f32 * 0.05).collect();
        let fields = [0.2, 0.7, 0.0, 1e12];
        let (one, other) = (Kernels::of(UnitKind::Drelu, &x, fields), Kernels::of(UnitKind::Relu, &x, fields));
        for s in 0..x.len() {
            // What is left below is sqrt(pi / 2 g-) = 1.3e-6 of exp(cgf).
            let rest = 1.3e-6 * (-other.cgfs[s]).exp();
            assert!(close(one.means[s], other.means[s], 1e-6 + rest, 0.0), "mean at {}", x[s]);
            assert!(close(one.cgfs[s], other.cgfs[s], 1e-6, 1e-6 + rest), "cgf at {}", x[s]);
        }
    }
}
