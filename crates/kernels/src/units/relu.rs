//! ReLU units: U(h) = g h²/2 - b h where h is not below 0. Given its input a unit is the part above a = -t / sqrt(g) of a
//! normal distribution, t = b + x, as [`Tails`] has it: h = (z - a) / sqrt(g).

use crate::row::{BLOCK, Row};
use crate::units::fields::{FieldRow, Moments, NO_MOMENTS, bounded, bounded_precision, each};
use crate::units::math::ln;
use crate::units::special::{Tails, shares, tails};
use crate::units::unit::Unit;

/// 32 of them.
pub(crate) struct Relu {
    b: Row,
    g: Row,
    /// sqrt(g).
    pub(crate) root: Row,
    /// 1 / sqrt(g).
    pub(crate) scale: Row,
}

impl Relu {
    /// Those with these fields b and g.
    #[inline(always)]
    pub(crate) fn with(b: &Row, g: &Row) -> Self {
        let g = each(|i| bounded_precision(g.0[i]));
        let root = each(|i| g.0[i].sqrt());
        Self { b: each(|i| bounded(b.0[i])), g, root, scale: each(|i| 1.0 / root.0[i]) }
    }

    /// What the units are given their inputs.
    #[inline(always)]
    pub(crate) fn given(&self, x: &Row) -> Tails {
        tails(&each(|i| -bounded(x.0[i] + self.b.0[i]) * self.scale.0[i]))
    }

    /// U(h) of unit i.
    #[inline(always)]
    pub(crate) fn energy_of(&self, h: f32, i: usize) -> f32 {
        h * (0.5 * self.g.0[i] * h - self.b.0[i])
    }

    /// `-g h² / 2` of unit i.
    #[inline(always)]
    pub(crate) fn square_of(&self, h: f32, i: usize) -> f32 {
        -0.5 * self.g.0[i] * h * h
    }
}

impl Unit for Relu {
    #[inline(always)]
    fn new(f: &FieldRow) -> Self {
        Self::with(&f.b, &f.g)
    }

    #[inline(always)]
    fn mean(&self, x: &Row) -> Row {
        let tails = self.given(x);
        each(|i| self.scale.0[i] * tails.mean.0[i])
    }

    #[inline(always)]
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row) {
        let tails = self.given(x);
        let excess = tails.excesses(&shares(u));
        (each(|i| self.scale.0[i] * tails.mean.0[i]), each(|i| self.scale.0[i] * excess.0[i]))
    }

    #[inline(always)]
    fn cgf(&self, x: &Row) -> Row {
        let tails = self.given(x);
        let exponent = tails.exponents();
        each(|i| exponent.0[i] - ln(tails.hazard.0[i] * self.root.0[i]))
    }

    #[inline(always)]
    fn energy(&self, h: &Row) -> Row {
        each(|i| self.energy_of(h.0[i], i))
    }

    #[inline(always)]
    fn observed(&self, h: &Row) -> Moments {
        Moments { b: *h, log_g: each(|i| self.square_of(h.0[i], i)), ..NO_MOMENTS }
    }

    #[inline(always)]
    fn expected(&self, x: &Row) -> Moments {
        let tails = self.given(x);
        let b = each(|i| self.scale.0[i] * tails.mean.0[i]);
        Moments { b, log_g: each(|i| -0.5 * tails.square.0[i]), ..NO_MOMENTS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ZERO;
    use crate::units::layers::UnitKind;
    use crate::units::reference::{
        Kernels, PRECISIONS, close, draws, excess, field_row, inputs, kolmogorov_smirnov, relu, tail, uniforms,
    };

    /// b, g, x; cgf, mean, variance.
    const GOLDEN: [([f64; 3], [f64; 3]); 5] = [
        ([0.5, 1.2, 0.0], [0.540_325_362, 0.902_132_233, 0.395_379_198]),
        ([0.5, 1.2, 2.0], [3.420_641_35, 2.110_576_22, 0.775_835_149]),
        ([0.5, 1.2, -2.0], [-0.694_525_517, 0.418_965_477, 0.134_094_415]),
        ([0.0, 1.0, -20.0], [-2.998_216_84, 0.049_753_068_5, 0.002_463_26]),
        ([0.0, 1.0, -1000.0], [-6.907_756_28, 9.999_98e-4, 9.999_94e-7]),
    ];

    #[test]
    fn known_values_come_out() {
        for ([b, g, x], [cgf, mean, variance]) in GOLDEN {
            let fields = [b, g, 0.0, 1.0];
            let exact = relu(x, fields);
            // As many digits as the table has.
            assert!(close(exact.cgf, cgf, 1e-8, 0.0) && close(exact.mean, mean, 1e-6, 0.0), "{x}: {exact:?}");
            assert!(close(exact.variance(), variance, 2e-6, 0.0), "{x}: variance {}", exact.variance());
            let got = Kernels::of(UnitKind::Relu, &[x as f32], fields);
            assert!(close(got.cgfs[0], exact.cgf, 3e-7, 1e-7), "cgf at {x}: {}", got.cgfs[0]);
            assert!(close(got.means[0], exact.mean, 5e-7, 0.0), "mean at {x}: {}", got.means[0]);
        }
    }

    #[test]
    fn means_integrals_and_moments_match_double_precision() {
        let (x, mut worst) = (inputs(), [0.0_f64; 3]);
        for g in PRECISIONS {
            let g = f64::from(g as f32);
            let got = Kernels::of(UnitKind::Relu, &x, [0.0, g, 0.0, 1.0]);
            for (s, &x) in x.iter().enumerate() {
                let exact = relu(f64::from(x), [0.0, g, 0.0, 1.0]);
                let [b, log_g, ..] = got.moments[s];
                worst[0] = worst[0].max((got.means[s] / exact.mean - 1.0).abs());
                worst[1] = worst[1].max((got.cgfs[s] - exact.cgf).abs() / (1.0 + exact.cgf.abs()));
                worst[2] = worst[2].max((log_g / (-0.5 * g * exact.square) - 1.0).abs());
                assert_eq!(b, got.means[s]);
            }
        }
        // A few roundings each.
        assert!(worst[0] < 5e-7 && worst[1] < 6e-7 && worst[2] < 8e-7, "{worst:?}");
    }

    #[test]
    fn states_are_the_quantiles_of_their_uniform_numbers() {
        let mut worst = 0.0_f64;
        for t in [-300.0, -30.0, -8.0, -4.0, -3.001, -2.999, -2.0, -0.5, 0.0, 0.3, 2.0, 7.0, 40.0] {
            let relu = Relu::new(&field_row([t, 1.0, 0.0, 1.0]));
            for u in uniforms() {
                let state = f64::from(relu.mean_and_state(&ZERO, &[u; BLOCK]).1.0[3]);
                let exact = excess(-t, 1.0 - (f64::from(u) + 0.5f64.powi(25)));
                let scale = 1.0 / (1.0 + (-t).max(0.0));
                worst = worst.max((state - exact).abs() / (exact + scale));
            }
        }
        assert!(worst < 4e-6, "{worst:e}");
    }

    #[test]
    fn states_have_their_distribution() {
        for t in [-50.0, -4.0, -2.5, 0.0, 1.0, 6.0] {
            for g in [0.3_f64, 1.0, 20.0] {
                let a = -t / g.sqrt();
                let log_mass = tail(a).2;
                let distribution = |h: f64| {
                    let e = h * g.sqrt();
                    -(tail(a + e).2 - log_mass - e * (a + 0.5 * e)).exp_m1()
                };
                let statistic = kolmogorov_smirnov(draws(UnitKind::Relu, t, [0.0, g, 0.0, 1.0]), distribution);
                assert!(statistic < 2.7, "t {t}, g {g}: {statistic}");
            }
        }
    }
}
