//! Gaussian units: U(h) = g h²/2 - b h.

use crate::row::{BLOCK, Row};
use crate::units::fields::{FieldRow, Moments, NO_MOMENTS, bounded, bounded_precision, each};
use crate::units::math::ln;
use crate::units::special::{HALF_LN_TAU, normals, shares};
use crate::units::unit::Unit;

/// 32 of them.
pub(crate) struct Gaussian {
    b: Row,
    g: Row,
    variance: Row,
    deviation: Row,
    /// ln(2 pi / g) / 2.
    log_volume: Row,
}

impl Gaussian {
    #[inline(always)]
    fn total(&self, x: &Row, i: usize) -> f32 {
        bounded(x.0[i] + self.b.0[i])
    }
}

impl Unit for Gaussian {
    #[inline(always)]
    fn new(f: &FieldRow) -> Self {
        let g = each(|i| bounded_precision(f.g.0[i]));
        let variance = each(|i| 1.0 / g.0[i]);
        Self {
            b: each(|i| bounded(f.b.0[i])),
            g,
            variance,
            deviation: each(|i| variance.0[i].sqrt()),
            log_volume: each(|i| HALF_LN_TAU - 0.5 * ln(g.0[i])),
        }
    }

    #[inline(always)]
    fn mean(&self, x: &Row) -> Row {
        each(|i| self.total(x, i) * self.variance.0[i])
    }

    #[inline(always)]
    fn mean_and_state(&self, x: &Row, u: &[f32; BLOCK]) -> (Row, Row) {
        let mean = self.mean(x);
        let z = normals(&shares(u));
        (mean, each(|i| mean.0[i] + self.deviation.0[i] * z.0[i]))
    }

    #[inline(always)]
    fn cgf(&self, x: &Row) -> Row {
        each(|i| {
            let t = self.total(x, i);
            0.5 * t * (t * self.variance.0[i]) + self.log_volume.0[i]
        })
    }

    #[inline(always)]
    fn energy(&self, h: &Row) -> Row {
        each(|i| h.0[i] * (0.5 * self.g.0[i] * h.0[i] - self.b.0[i]))
    }

    #[inline(always)]
    fn observed(&self, h: &Row) -> Moments {
        let log_g = each(|i| -0.5 * self.g.0[i] * h.0[i] * h.0[i]);
        Moments { b: *h, log_g, ..NO_MOMENTS }
    }

    #[inline(always)]
    fn expected(&self, x: &Row) -> Moments {
        let b = self.mean(x);
        let log_g = each(|i| -0.5 - 0.5 * self.total(x, i) * b.0[i]);
        Moments { b, log_g, ..NO_MOMENTS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ZERO;
    use crate::units::layers::UnitKind;
    use crate::units::reference::{
        Kernels, PRECISIONS, close, draws, excess, field_row, gaussian, inputs, kolmogorov_smirnov, uniforms,
    };

    #[test]
    fn means_integrals_and_moments_match_double_precision() {
        let x = inputs();
        for g in PRECISIONS {
            let fields = [0.0, f64::from(g as f32), 0.0, 1.0];
            let got = Kernels::of(UnitKind::Gaussian, &x, fields);
            for (s, &x) in x.iter().enumerate() {
                let exact = gaussian(f64::from(x), fields);
                assert!(close(got.means[s], exact.mean, 2e-7, 0.0), "mean at {x}: {}", got.means[s]);
                assert!(close(got.cgfs[s], exact.cgf, 4e-7, 4e-7), "cgf at {x}: {}", got.cgfs[s]);
                let [b, log_g, ..] = got.moments[s];
                assert!(b == got.means[s] && close(log_g, -0.5 * fields[1] * exact.square, 4e-7, 0.0), "at {x}");
            }
        }
    }

    #[test]
    fn states_are_the_quantiles_of_their_uniform_numbers() {
        let units = Gaussian::new(&field_row([0.0, 1.0, 0.0, 1.0]));
        let mut worst = 0.0_f64;
        for u in uniforms() {
            let state = f64::from(units.mean_and_state(&ZERO, &[u; BLOCK]).1.0[5]);
            let middle = f64::from(u) + 0.5f64.powi(25);
            let exact = if middle < 0.5 { -excess(0.0, 2.0 * middle) } else { excess(0.0, 2.0 * (1.0 - middle)) };
            worst = worst.max((state - exact).abs() / (0.1 + exact.abs()));
        }
        assert!(worst < 1e-6, "{worst:e}");
    }

    #[test]
    fn states_have_their_distribution() {
        for (x, g) in [(0.0, 1.0), (3.0, 0.2), (-40.0, 50.0)] {
            let distribution = |h: f64| 0.5 * libm::erfc(-(h - x / g) * g.sqrt() * std::f64::consts::FRAC_1_SQRT_2);
            let statistic = kolmogorov_smirnov(draws(UnitKind::Gaussian, x, [0.0, g, 0.0, 1.0]), distribution);
            assert!(statistic < 2.7, "x {x}, g {g}: {statistic}");
        }
    }
}
