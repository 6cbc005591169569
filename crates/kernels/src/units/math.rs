//! The exponential, the logarithm, the logistic function and softplus on 32 units at a time.
//!
//! Written without fused multiply-add and without calls, so that they vectorise and give the
//! same bits everywhere.

use crate::row::BLOCK;

/// 1.5 * 2^23: adding it rounds a float to the nearest integer and leaves that integer in the
/// low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// exp(x); relative error below 2e-7 on [-87, 88], 0 is never reached from below -87 (about
/// 1.6e-38 instead) and +infinity is returned from 88.4 on.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 89.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first exact when multiplied by |n| <= 128.
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    // Minimax polynomial of (exp(r) - 1 - r) / r² on [-ln 2 / 2, ln 2 / 2] (Cephes, expf).
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 0.166_666_65;
    p = p * r + 0.5;
    let p = p * (r * r) + (r + 1.0);
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    p * power
}

/// ln(x) of a normal number above 0; absolute error below 6e-8 and one rounding of the result. What is no number stays
/// none.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    // x = m 2^n with m in [sqrt(1/2), sqrt(2)).
    const ROOT: u32 = 0x3F35_04F3;
    let above = x.to_bits().wrapping_sub(ROOT);
    let n = (above as i32 >> 23) as f32;
    let m = f32::from_bits(x.to_bits().wrapping_sub(above & 0xFF80_0000)) - 1.0;
    // Minimax polynomial of (ln(1 + m) - m + m²/2) / m³ (Cephes, logf).
    let mut p = 7.037_683_6e-2;
    p = p * m - 0.115_146_1;
    p = p * m + 0.116_769_99;
    p = p * m - 0.124_201_41;
    p = p * m + 0.142_493_23;
    p = p * m - 0.166_680_58;
    p = p * m + 0.200_007_15;
    p = p * m - 0.249_999_94;
    p = p * m + 0.333_333_3;
    let square = m * m;
    let rest = p * m * square - 2.121_944_4e-4 * n - 0.5 * square;
    (m + rest) + (0.693_359_4 * n + 0.0 * x)
}

/// 1 / (1 + exp(-x)): absolute error below 2e-7; exactly 0 at minus infinity.
#[inline(always)]
pub(crate) fn sigmoid(x: &[f32; BLOCK]) -> [f32; BLOCK] {
    let mut out = [0.0; BLOCK];
    for (out, &x) in out.iter_mut().zip(x) {
        *out = 1.0 / (1.0 + exp(-x));
    }
    out
}

/// One bit a unit: whether u < sigmoid(x), without the division (u + u exp(-x) < 1).
#[inline(always)]
pub(crate) fn bernoulli_logit(x: &[f32; BLOCK], u: &[f32; BLOCK]) -> u32 {
    let mut on = [0; BLOCK];
    for i in 0..BLOCK {
        let e = exp(-x[i]);
        on[i] = u32::from(u[i] + u[i] * e < 1.0) << i;
    }
    on.iter().fold(0, |word, bit| word | bit)
}

/// One bit a unit: whether u < p.
#[inline(always)]
pub(crate) fn bernoulli(p: &[f32; BLOCK], u: &[f32; BLOCK]) -> u32 {
    let mut on = [0; BLOCK];
    for i in 0..BLOCK {
        on[i] = u32::from(u[i] < p[i]) << i;
    }
    on.iter().fold(0, |word, bit| word | bit)
}

/// ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)), which overflows nowhere; absolute error
/// below 3e-7 beyond the rounding of the result.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    let t = exp(-x.abs());
    // ln(1 + t) = 2 artanh(s), s = t / (2 + t) <= 1/3: eight terms leave less than 1e-9.
    let s = t / (2.0 + t);
    let q = s * s;
    let mut p = 1.0 / 15.0;
    for denominator in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = p * q + 1.0 / denominator;
    }
    x.max(0.0) + 2.0 * s * p
}

/// `x` becomes `softplus(offset + to x) - softplus(offset + from x)`, also where `to` and `from` are close:
/// relative error below 1e-6 and the rounding of `offset + from x` where `|(to - from) x| < 1/4`, else absolute
/// below 1e-6 beyond the rounding of the two terms.
#[inline(always)]
pub(crate) fn softplus_step(x: &mut [f32; BLOCK], offset: &[f32; BLOCK], from: f32, to: f32) {
    let step = to - from;
    let largest = x.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    if largest * step.abs() >= 0.25 {
        for (x, offset) in x.iter_mut().zip(offset) {
            *x = softplus(offset + to * *x) - softplus(offset + from * *x);
        }
        return;
    }
    for (x, offset) in x.iter_mut().zip(offset) {
        // exp(d) - 1, seven terms: the next is below d⁶/5040, a twentieth of the rounding.
        let d = step * *x;
        let mut e = 1.0 + d / 7.0;
        for n in [6.0, 5.0, 4.0, 3.0, 2.0] {
            e = e * d / n + 1.0;
        }
        let t = e * d / (1.0 + exp(-(offset + from * *x)));
        // ln(1 + t) = 2 artanh(s), s = t / (2 + t), |s| < 1/8.
        let s = t / (2.0 + t);
        let q = s * s;
        let mut p = 1.0 / 9.0;
        for denominator in [7.0, 5.0, 3.0, 1.0] {
            p = p * q + 1.0 / denominator;
        }
        *x = 2.0 * s * p;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_softplus_match_double_precision() {
        for (from, to) in [(0.0, 0.001), (0.5, 0.5001), (0.999_99, 1.0), (1.0, 0.999_99), (0.2, 0.9), (1.0, 0.0)] {
            let exact = |x: f64, beta: f32| (f64::from(beta) * x).exp().ln_1p();
            let none = [0.0; BLOCK];
            for x in (-400..=400).map(|i| i as f32 * 0.1) {
                // Small arguments alone, and beside a large one.
                for beside in [x, 40.0] {
                    let mut block = [x; BLOCK];
                    block[0] = beside;
                    softplus_step(&mut block, &none, from, to);
                    let (got, want) = (f64::from(block[9]), exact(f64::from(x), to) - exact(f64::from(x), from));
                    let close = (x.max(beside).abs() * (to - from).abs()) < 0.25;
                    let relative = 1e-6 + 6e-8 * f64::from(x.abs());
                    let rounding = 1e-6 + 3e-7 * exact(f64::from(x), to.max(from));
                    let tolerance = if close { relative * want.abs() } else { rounding };
                    assert!((got - want).abs() <= tolerance + 1e-30, "x {x}, {from} to {to}: {got}, exactly {want}");
                }
            }
        }
    }

    #[test]
    fn steps_from_an_offset_match_double_precision() {
        for (offset, from, to) in [(3.0_f32, 0.5, 0.5001), (-20.0, 0.1, 0.4), (7.5, 0.999_99, 1.0), (-1.0, 1.0, 0.0)] {
            for x in (-80..=80).map(|i| i as f32 * 0.5) {
                let mut block = [x; BLOCK];
                softplus_step(&mut block, &[offset; BLOCK], from, to);
                let exact = |beta: f32| (f64::from(offset) + f64::from(beta) * f64::from(x)).exp().ln_1p();
                let (got, want) = (f64::from(block[9]), exact(to) - exact(from));
                let rounding = 2e-6 + 4e-7 * exact(to).max(exact(from));
                assert!((got - want).abs() <= rounding, "{offset}, x {x}, {from} to {to}: {got}, exactly {want}");
            }
        }
    }

    fn grid() -> impl Iterator<Item = f32> {
        (-40_000..=40_000).map(|i| i as f32 * 5e-4)
    }

    #[test]
    fn sigmoid_and_softplus_match_double_precision() {
        for x in grid() {
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            let got = f64::from(sigmoid(&[x; BLOCK])[7]);
            assert!((got - exact).abs() < 2e-7, "sigmoid({x}) = {got}, exactly {exact}");
            let exact = f64::from(x).exp().ln_1p();
            let got = f64::from(softplus(x));
            assert!((got - exact).abs() < 3e-7 + 1.2e-7 * exact, "softplus({x}) = {got}, exactly {exact}");
        }
    }

    #[test]
    fn logarithms_match_double_precision() {
        let numbers = (0..200_000_u32).map(|i| f32::from_bits(0x0080_0000 + i * 10_600));
        for x in numbers.chain((0..20_000).map(|i| 0.99 + i as f32 * 1e-6)) {
            let (got, exact) = (f64::from(ln(x)), f64::from(x).ln());
            assert!((got - exact).abs() < 6e-8 + 6e-8 * exact.abs(), "ln({x}) = {got}, exactly {exact}");
        }
        assert!(ln(f32::NAN).is_nan() && ln(1.0) == 0.0);
    }

    #[test]
    fn extremes_saturate_without_nan() {
        let x = [f32::NEG_INFINITY, -1e30, -100.0, 100.0, 1e30, f32::INFINITY];
        let mut block = [0.0; BLOCK];
        block[..6].copy_from_slice(&x);
        let p = sigmoid(&block);
        assert_eq!(p[0], 0.0, "padding units have bias minus infinity and must stay off");
        assert!(p[..3].iter().all(|&p| (0.0..1e-30).contains(&p)));
        assert!(p[3..6].iter().all(|&p| p == 1.0));
        assert_eq!(bernoulli_logit(&block, &[0.0; BLOCK]) & 1, 0, "not even for u = 0");
        assert!(x[1..5].iter().all(|&x| softplus(x).is_finite()));
        assert_eq!(softplus(1e30), 1e30);
    }

    #[test]
    fn dividing_and_not_dividing_draw_the_same_states() {
        use crate::rng::{Stream, Uniforms};
        let u = Uniforms::new(1, Stream::User, 0);
        let mut differ = 0;
        for row in 0..2000 {
            let uniforms = u.block(row, 0);
            let x = u.block(row, 1).map(|z| 20.0 * z - 10.0);
            differ += (bernoulli(&sigmoid(&x), &uniforms) ^ bernoulli_logit(&x, &uniforms)).count_ones();
        }
        // They may differ only where u ties with the probability to rounding: about 64 000
        // draws times 1e-7.
        assert!(differ <= 1, "{differ} of 64000 states differ");
    }
}
