//! Categorical units, on tiles of rows: a row is a level of one unit, its 32 lanes are samples.

use crate::row::{BLOCK, Row, ZERO};
use crate::simd::{dispatch, row_by_row};
use crate::units::math::{exp, ln};

/// The number before one that is above 0.
#[inline(always)]
fn below(x: f32) -> f32 {
    f32::from_bits(x.to_bits().wrapping_sub(1))
}

/// The largest logit of a lane.
#[inline(always)]
fn largest_of(logits: &[Row]) -> Row {
    let mut largest = Row([f32::NEG_INFINITY; BLOCK]);
    for logit in logits {
        row_by_row();
        for i in 0..BLOCK {
            largest.0[i] = if logit.0[i] > largest.0[i] { logit.0[i] } else { largest.0[i] };
        }
    }
    largest
}

/// exp(logit - largest); 0 where that is below 1e-35.
#[inline(always)]
fn weight(logit: f32, largest: f32) -> f32 {
    let below = logit - largest;
    if below < -80.0 { 0.0 } else { exp(below) }
}

dispatch! {
    /// The logits of one unit become the probabilities of its levels.
    pub(crate) fn softmax(logits: &mut [Row]) {
        let (largest, mut sum) = (largest_of(logits), ZERO);
        for logit in &mut *logits {
            row_by_row();
            for i in 0..BLOCK {
                logit.0[i] = weight(logit.0[i], largest.0[i]);
                sum.0[i] += logit.0[i];
            }
        }
        for p in logits {
            row_by_row();
            for i in 0..BLOCK {
                p.0[i] /= sum.0[i];
            }
        }
    }
}

dispatch! {
    /// The level that u draws from the logits of one unit: the first up to which the levels' weights sum to more than u
    /// of the whole, and the last whose weight the sum still feels if rounding leaves none. The logits are used up.
    pub(crate) fn draw(logits: &mut [Row], u: &Row, level_of: &mut [u32; BLOCK]) {
        let (largest, mut sum) = (largest_of(logits), ZERO);
        for logit in &mut *logits {
            row_by_row();
            for i in 0..BLOCK {
                sum.0[i] += weight(logit.0[i], largest.0[i]);
                logit.0[i] = sum.0[i];
            }
        }
        let mut goal = ZERO;
        for i in 0..BLOCK {
            // The largest weight is 1, so that the sum is not 0.
            let (share, most) = (u.0[i] * sum.0[i], below(sum.0[i]));
            goal.0[i] = if share < most { share } else { most };
        }
        let mut level = [0; BLOCK];
        for sum in logits {
            row_by_row();
            for i in 0..BLOCK {
                level[i] += u32::from(sum.0[i] <= goal.0[i]);
            }
        }
        *level_of = level;
    }
}

dispatch! {
    /// `out = ln of the sum over the levels of exp(logit)`.
    pub(crate) fn log_sum_exp(logits: &[Row], out: &mut Row) {
        let (largest, mut sum) = (largest_of(logits), ZERO);
        for logit in logits {
            row_by_row();
            for i in 0..BLOCK {
                sum.0[i] += weight(logit.0[i], largest.0[i]);
            }
        }
        for i in 0..BLOCK {
            out.0[i] = largest.0[i] + ln(sum.0[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, Uniforms};
    use crate::simd::Level;

    /// Logits of 7 levels, unlike in every lane, some large and some out of reach.
    fn logits() -> Vec<Row> {
        let u = Uniforms::new(4, Stream::User, 0);
        let mut logits: Vec<Row> = (0..7).map(|k| Row(u.block(k, 0).map(|u| 12.0 * u - 6.0))).collect();
        logits[2].0[1] = 1e30;
        logits[6].0[2] = -1e30;
        logits[0].0[3] = f32::NEG_INFINITY;
        for logit in &mut logits {
            logit.0[4] = 3e38 * (if logit.0[4] > 0.0 { 1.0 } else { -1.0 });
            logit.0[5] += 5e3;
        }
        logits
    }

    #[test]
    fn probabilities_and_sums_match_double_precision() {
        for level in Level::available() {
            let (logits, mut sums) = (logits(), ZERO);
            let mut p = logits.clone();
            softmax(level, &mut p);
            log_sum_exp(level, &logits, &mut sums);
            for i in 0..BLOCK {
                let x: Vec<f64> = logits.iter().map(|row| f64::from(row.0[i])).collect();
                let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = x.iter().map(|x| (x - largest).exp()).sum();
                let exact = largest + sum.ln();
                assert!((f64::from(sums.0[i]) - exact).abs() <= 4e-7 + 1e-7 * exact.abs(), "lane {i}: {}", sums.0[i]);
                for (p, x) in p.iter().zip(x) {
                    let exact = (x - largest).exp() / sum;
                    // The difference of two logits is rounded.
                    assert!((f64::from(p.0[i]) - exact).abs() < 1.5e-6 * exact + 1e-34, "lane {i}: {}", p.0[i]);
                }
            }
        }
    }

    #[test]
    fn levels_are_drawn_as_often_as_is_likely() {
        const DRAWS: u32 = 4000;
        let (mut p, u) = (logits(), Uniforms::new(4, Stream::User, 1));
        softmax(Level::detect(), &mut p);
        let mut counts = vec![[0_u32; BLOCK]; p.len()];
        for row in 0..DRAWS {
            let drawn = Level::available().into_iter().map(|level| {
                let mut levels = [0; BLOCK];
                draw(level, &mut logits(), &Row(u.block(row, 0)), &mut levels);
                levels
            });
            let drawn: Vec<_> = drawn.collect();
            assert!(drawn.iter().all(|levels| *levels == drawn[0]));
            for i in 0..BLOCK {
                counts[drawn[0][i] as usize][i] += 1;
            }
        }
        for (k, counts) in counts.iter().enumerate() {
            for i in 0..BLOCK {
                let (n, p) = (f64::from(DRAWS), f64::from(p[k].0[i]));
                // Five standard errors, and one draw where next to none are likely: 224 counts fail with probability
                // below 1e-3, and the seed is fixed.
                let tolerance = 5.0 * (n * p * (1.0 - p)).sqrt() + 1.0;
                assert!((f64::from(counts[i]) - n * p).abs() < tolerance, "level {k}, lane {i}: {} of {p}", counts[i]);
            }
        }
    }

    #[test]
    fn levels_without_probability_are_never_drawn() {
        let logits = [0.0, 3.0, 0.0, 1.0, 2.0, 0.0, 0.0].map(|p: f64| Row([p.ln() as f32; BLOCK]));
        for level in Level::available() {
            let mut u = ZERO;
            u.0[1] = 1.0 - 1.0 / 16_777_216.0;
            u.0[2] = 0.52;
            u.0[3] = 0.6;
            let mut levels = [9; BLOCK];
            draw(level, &mut logits.clone(), &u, &mut levels);
            assert_eq!(levels[..4], [1, 4, 3, 3], "of weights 3, 1 and 2");
            assert!(levels[4..].iter().all(|&k| k == 1));
        }
    }

    /// `cargo test --release -p deepbelief-kernels speed -- --ignored --nocapture`
    #[test]
    #[ignore = "measures, and asserts nothing"]
    #[expect(clippy::print_stderr, reason = "what it measures is for reading")]
    fn speed_of_softmax_and_draw() {
        let (logits, u) = (logits().repeat(3), Uniforms::new(4, Stream::User, 1));
        for level in Level::available() {
            let mut fastest = [f64::INFINITY; 2];
            for row in 0..2000 {
                let (mut p, mut drawn) = (logits.clone(), logits.clone());
                let (u, mut levels) = (Row(u.block(row, 0)), [0; BLOCK]);
                let start = std::time::Instant::now();
                softmax(level, &mut p);
                let middle = std::time::Instant::now();
                draw(level, &mut drawn, &u, &mut levels);
                fastest[0] = fastest[0].min((middle - start).as_secs_f64());
                fastest[1] = fastest[1].min(middle.elapsed().as_secs_f64());
            }
            let [softmax, draw] = fastest.map(|seconds| 1e9 * seconds / (21 * BLOCK) as f64);
            eprintln!("{:8} 21 levels: softmax {softmax:.2}, draw {draw:.2} ns a column", level.name());
        }
    }
}
