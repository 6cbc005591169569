//! dReLU units: U(h) = g h²/2 - b h above 0 and g- h²/2 - b- h below. Either half is a ReLU unit, the lower one of -h and
//! -x.

use crate::row::{BLOCK, Row, ZERO};
use crate::units::fields::{FieldRow, Moments, NO_MOMENTS, each};
use crate::units::math::{exp, softplus};
use crate::units::relu::Relu;
use crate::units::special::{Share, Tail, share};
use crate::units::unit::Unit;

/// 32 of them.
pub(crate) struct Drelu {
    above: Relu,
    below: Relu,
}

/// What a unit is given its input.
struct Halves {
    above: Tail,
    below: Tail,
    /// The probability of h > 0.
    p_above: f32,
    /// The probability of h < 0.
    p_below: f32,
}

impl Drelu {
    #[inline(always)]
    fn given(&self, x: f32, i: usize) -> Halves {
        let (above, below) = (self.above.given(x, i), self.below.given(-x, i));
        let log_odds = self.above.log_integral(&above, i) - self.below.log_integral(&below, i);
        Halves { above, below, p_above: 1.0 / (1.0 + exp(-log_odds)), p_below: 1.0 / (1.0 + exp(log_odds)) }
    }

    #[inline(always)]
    fn mean_of(&self, halves: &Halves, i: usize) -> f32 {
        halves.p_above * (self.above.scale.0[i] * halves.above.mean)
            - halves.p_below * (self.below.scale.0[i] * halves.below.mean)
    }

    /// The state that u draws: it chooses the half, and what is left of it the place there.
    #[inline(always)]
    fn state_of(&self, halves: &Halves, u: f32, i: usize) -> f32 {
        let down = u < halves.p_below;
        let whole = share(u);
        let p = if down { halves.p_below } else { halves.p_above };
        let (out, inwards) = (if down { whole.below } else { whole.above }, (whole.below - halves.p_below).abs());
        let at_most_one = |x: f32| if x > 1.0 { 1.0 } else { x };
        let share = Share { below: at_most_one(inwards / p), above: at_most_one(out / p) };
        let excess = Tail::either(down, &halves.below, &halves.above).excess(share);
        if down { -self.below.scale.0[i] * excess } else { self.above.scale.0[i] * excess }
    }
}

impl Unit for Drelu {
    #[inline(always)]
    fn new(f: &FieldRow) -> Self {
        Self { above: Relu::new(f), below: Relu::with(|i| -f.b_below.0[i], &f.g_below) }
    }

    #[inline(always)]
    fn mean(&self, x: &Row) -> Row {
        each(|i| self.mean_of(&self.given(x.0[i], i), i))
    }

    #[inline(always)]
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row) {
        let (mut mean, mut state) = (ZERO, ZERO);
        for i in 0..BLOCK {
            let halves = self.given(x.0[i], i);
            mean.0[i] = self.mean_of(&halves, i);
            state.0[i] = self.state_of(&halves, u[i], i);
        }
        (mean, state)
    }

    #[inline(always)]
    fn cgf(&self, x: &Row) -> Row {
        each(|i| {
            let above = self.above.log_integral(&self.above.given(x.0[i], i), i);
            let below = self.below.log_integral(&self.below.given(-x.0[i], i), i);
            let larger = if above > below { above } else { below };
            larger + softplus(-(above - below).abs())
        })
    }

    #[inline(always)]
    fn energy(&self, h: &Row) -> Row {
        each(|i| {
            let h = h.0[i];
            if h < 0.0 { self.below.energy_of(-h, i) } else { self.above.energy_of(h, i) }
        })
    }

    #[inline(always)]
    fn observed(&self, h: &Row) -> Moments {
        let mut moments = NO_MOMENTS;
        for i in 0..BLOCK {
            let h = h.0[i];
            moments.b.0[i] = if h < 0.0 { 0.0 } else { h };
            moments.log_g.0[i] = if h < 0.0 { 0.0 } else { self.above.square_of(h, i) };
            moments.b_below.0[i] = if h < 0.0 { h } else { 0.0 };
            moments.log_g_below.0[i] = if h < 0.0 { self.below.square_of(h, i) } else { 0.0 };
        }
        moments
    }

    #[inline(always)]
    fn expected(&self, x: &Row) -> Moments {
        let mut moments = NO_MOMENTS;
        for i in 0..BLOCK {
            let halves = self.given(x.0[i], i);
            moments.b.0[i] = halves.p_above * (self.above.scale.0[i] * halves.above.mean);
            moments.log_g.0[i] = -0.5 * (halves.p_above * halves.above.square);
            moments.b_below.0[i] = -halves.p_below * (self.below.scale.0[i] * halves.below.mean);
            moments.log_g_below.0[i] = -0.5 * (halves.p_below * halves.below.square);
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use crate::units::layers::UnitKind;
    use crate::units::reference::{Kernels, PRECISIONS, close, draws, drelu, halves, inputs, kolmogorov_smirnov, tail};

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

    #[test]
    fn states_have_their_distribution() {
        let one_sided = |t: f64, g: f64, h: f64| {
            let (a, e) = (-t / g.sqrt(), h * g.sqrt());
            (tail(a + e).2 - tail(a).2 - e * (a + 0.5 * e)).exp()
        };
        for (b, b_below, g, g_below) in [
            (0.5, -0.3, 1.2, 0.8),
            (-3.0, 3.0, 1.0, 2.0),
            (1.0, 1.0, 1.0, 1.0),
            (5.0, -5.2, 0.9, 1.1),
            (-20.0, 15.0, 3.0, 1.0),
        ] {
            for x in [-3.0, 0.0, 0.4, 6.0] {
                let fields = [b, g, b_below, g_below];
                let p = halves(x, fields).2;
                let distribution = |h: f64| {
                    if h < 0.0 {
                        (1.0 - p) * one_sided(-x - b_below, g_below, -h)
                    } else {
                        1.0 - p * one_sided(x + b, g, h)
                    }
                };
                let statistic = kolmogorov_smirnov(draws(UnitKind::Drelu, x, fields), distribution);
                assert!(statistic < 2.7, "{fields:?}, x {x}: {statistic}");
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
