//! An estimate of how probable a model finds what was observed of a sample, where what is missing cannot be summed out.
//!
//! For any values m of what is missing, `p(observed) = p(observed, m) / p(m | observed)`. The numerator is known, but for
//! Z. The other is the mean of `p(m | h)` over hidden states of chains whose observed units are held (Chib, Journal of
//! the American Statistical Association 90, 1995). m are the means of these chains, where it is large.

use crate::error::Result;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{LogSum, Stream, Uniforms, UnitKind};
use deepbelief_rbm::Rbm;
use std::f64::consts::PI;
use std::ops::Range;

/// Chains, which are rows of one batch, their steps before they count, and those that do.
const CHAINS: usize = 16;
const BURN_IN: u16 = 50;
const STEPS: u16 = 100;

/// Samples that pass through the model for an estimate, up and down.
pub(crate) const PASSES: usize = 2 * CHAINS * (BURN_IN + STEPS) as usize;

/// A missing unit that is by itself, or the levels of a category.
pub(crate) struct Missing {
    /// The first unit, and how many there are.
    pub(crate) at: usize,
    pub(crate) units: usize,
    pub(crate) kind: UnitKind,
}

/// What chains of an RBM `[V]` make of a sample's missing units, and ln of the mean density of these given hidden states.
/// The random numbers are those of every sample.
pub(crate) fn completed(rbm: &Rbm, v: &[f32], missing: &[Missing]) -> Result<(Vec<f32>, f64)> {
    let dtype = rbm.vb().dtype();
    let mut rows = v.repeat(CHAINS);
    let width = v.len();
    let mut sums = vec![0.0f64; width];
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for step in 0..BURN_IN + STEPS {
        let draw = Uniforms::new(0, Stream::Missing, 0).gibbs(step);
        let batch = Tensor::from_slice(&rows, (CHAINS, width), &Device::Cpu)?.to_dtype(dtype)?;
        let h = rbm.sample_h(&batch, draw.layer(0))?.states;
        let below = rbm.sample_v(&h, draw.layer(u8::MAX))?;
        let states: Vec<f32> = below.states.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        for gap in missing {
            for row in 0..CHAINS {
                let at = row * width + gap.at..row * width + gap.at + gap.units;
                rows[at.clone()].copy_from_slice(&states[at]);
            }
        }
        if step >= BURN_IN {
            let of: Vec<f64> = below.probabilities.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
            of.chunks_exact(width).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x));
            means.push(of);
            variances.push(rbm.visible_variance(&h)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?);
        }
    }
    let count = (CHAINS * usize::from(STEPS)) as f64;
    let mut completed = v.to_vec();
    for gap in missing {
        gap.put(&sums.iter().map(|sum| sum / count).collect::<Vec<_>>(), &mut completed);
    }
    let rows = means.iter().zip(&variances).flat_map(|(m, s)| m.chunks_exact(width).zip(s.chunks_exact(width)));
    let density = |(means, variances): (&[f64], &[f64])| {
        missing.iter().map(|gap| gap.log_density(&completed, means, variances)).sum::<f64>()
    };
    let sum: LogSum = rows.map(density).collect();
    Ok((completed, sum.value() - libm::log(count)))
}

impl Missing {
    /// Its units.
    pub(crate) fn range(&self) -> Range<usize> {
        self.at..self.at + self.units
    }

    /// Puts what is most probable: of a number the mean.
    fn put(&self, means: &[f64], v: &mut [f32]) {
        let units = self.range();
        match self.kind {
            UnitKind::Spin => v[self.at] = if means[self.at] >= 0.0 { 1.0 } else { -1.0 },
            kind if !kind.is_discrete() => v[self.at] = means[self.at] as f32,
            _ if self.units == 1 => v[self.at] = if means[self.at] >= 0.5 { 1.0 } else { 0.0 },
            _ => {
                let most =
                    units.clone().fold(self.at, |most, unit| if means[unit] > means[most] { unit } else { most });
                units.for_each(|unit| v[unit] = if unit == most { 1.0 } else { 0.0 });
            }
        }
    }

    /// ln of the probability, or of the density, of what `v` has, given means and variances.
    fn log_density(&self, v: &[f32], means: &[f64], variances: &[f64]) -> f64 {
        let (x, mean) = (f64::from(v[self.at]), means[self.at]);
        let of = |p: f64| libm::log(p.max(f64::MIN_POSITIVE));
        match self.kind {
            UnitKind::Spin => of(0.5 * (1.0 + x * mean)),
            kind if !kind.is_discrete() => {
                let variance = variances[self.at];
                -0.5 * ((x - mean) * (x - mean) / variance + libm::log(2.0 * PI * variance))
            }
            _ if self.units == 1 => of(if x > 0.5 { mean } else { 1.0 - mean }),
            _ => self.range().filter(|&unit| v[unit] > 0.5).map(|unit| of(means[unit])).sum(),
        }
    }
}
