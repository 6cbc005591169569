//! Correlations of two lists of numbers, and intervals of them.

use deepbelief_kernels::{Stream, Uniforms};
use rayon::prelude::*;

/// Pearson's correlation, and the slope of the least-squares line of `y` over `x`; NaN where a list is constant or both are not
/// of the same length.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> (f64, f64) {
    if x.len() != y.len() {
        return (f64::NAN, f64::NAN);
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        (xx, yy, xy) = (xx + dx * dx, yy + dy * dy, xy + dx * dy);
    }
    (xy / (xx * yy).sqrt(), xy / xx)
}

/// Ranks from 1; those that are equal have the mean of theirs.
#[must_use]
pub fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let mut ranks = vec![0.0; x.len()];
    for group in order.chunk_by(|&a, &b| x[a] == x[b]) {
        // Where the first of them stands is how many are below.
        let below = order.partition_point(|&k| x[k].total_cmp(&x[group[0]]).is_lt());
        let rank = below as f64 + (group.len() + 1) as f64 / 2.0;
        for &k in group {
            ranks[k] = rank;
        }
    }
    ranks
}

/// Spearman's correlation: Pearson's of the ranks.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&ranks(x), &ranks(y)).0
}

/// An estimate with an interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// The estimate from all pairs.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Spearman's correlation with the interval that 95 % of `draws` bootstrap samples of the pairs lie in (Efron 1979).
#[must_use]
pub fn spearman_interval(x: &[f64], y: &[f64], draws: u32, seed: u64) -> Interval {
    let n = x.len();
    let drawn = |draw: u32| {
        let mut uniform = vec![0.0f32; n];
        Uniforms::new(seed, Stream::User, draw).fill_row(0, &mut uniform);
        let places: Vec<usize> = uniform.iter().map(|u| ((f64::from(*u) * n as f64) as usize).min(n - 1)).collect();
        let of = |x: &[f64]| places.iter().map(|&k| x[k]).collect::<Vec<_>>();
        spearman(&of(x), &of(y))
    };
    let mut all: Vec<f64> = (0..draws).into_par_iter().map(drawn).filter(|x| !x.is_nan()).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1))).copied();
    let value = spearman(x, y);
    Interval { value, low: at(0.025).unwrap_or(f64::NAN), high: at(0.975).unwrap_or(f64::NAN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_those_of_the_textbook() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 4.0, 9.0]);
        // Sums of squares 5, 38 and 12 about the means 2.5 and 4.
        let (r, slope) = pearson(&x, &y);
        assert!((r - 12.0 / (5.0f64 * 38.0).sqrt()).abs() < 1e-12 && (slope - 2.4).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        // Differences of the ranks 1, 1, 0, 0: 1 - 6 2 / (4 15).
        assert!((spearman(&x, &y) - 0.8).abs() < 1e-12);
        assert!((spearman(&x, &[1.0, 8.0, 27.0, 64.0]) - 1.0).abs() < 1e-12, "any rising function");
        assert!(pearson(&x, &[1.0; 4]).0.is_nan() && pearson(&x, &[1.0]).0.is_nan());
    }

    /// Of 400 pairs with a correlation of about 0.7 the standard error is about (1 - r²) / √400 = 0.026, and the interval about four
    /// of these wide. The draws are fixed: the test cannot fail by chance.
    #[test]
    fn the_interval_is_as_wide_as_the_standard_error_says() {
        let mut z = vec![0.0f32; 800];
        Uniforms::new(3, Stream::User, 0).normal(1.0, 800, &mut z);
        let x: Vec<f64> = z[..400].iter().map(|&x| x.into()).collect();
        let y: Vec<f64> = z[400..].iter().zip(&x).map(|(&noise, x)| x + f64::from(noise)).collect();
        let found = spearman_interval(&x, &y, 1000, 1);
        assert!(found.low < found.value && found.value < found.high);
        let width = found.high - found.low;
        assert!((0.07..0.15).contains(&width) && (0.6..0.8).contains(&found.value), "{found:?}");
        assert_eq!(found, spearman_interval(&x, &y, 1000, 1));
    }
}
