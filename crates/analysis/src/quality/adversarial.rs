//! Nearest-neighbour adversarial accuracy: can one tell samples from data by whose neighbours they are?
//!
//! Of as many data points T as samples S, with d the distance to the nearest other point (Yale et al. 2020):
//!
//! ```text
//! of data     share of T with d(T, nearest S) > d(T, nearest other T)
//! of samples  share of S with d(S, nearest T) > d(S, nearest other S)
//! ```
//!
//! Both are one half where samples are new data; equal distances count half. Data above one half are far from the samples,
//! which then lack some of them; samples above are unlike data; both below one half are copies of data. The accuracy
//! is the mean of both. Distances are Euclidean in the columns, which of one-hot columns is the number of sites that differ.

use super::Points;
use crate::error::Result;
use candle_core::{Device, Tensor};
use deepbelief_kernels::{Stream, Uniforms};
use serde::Serialize;

/// Points of either kind, at most.
const MOST: usize = 2000;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Adversarial {
    /// Points of either kind.
    pub points: usize,
    /// Share of the data points that are nearer to data.
    pub of_data: f64,
    /// Share of the samples that are nearer to samples.
    pub of_samples: f64,
    /// The mean of both.
    pub accuracy: f64,
}

/// Holds data and samples against each other, at most 2,000 of each: data drawn by their weights without replacement.
///
/// # Errors
/// If the points are of different units, or candle refuses an operation.
pub fn adversarial(data: &Points, samples: &Points, seed: u64) -> Result<Adversarial> {
    data.require_same(samples)?;
    let count = data.len().min(samples.len()).min(MOST);
    let (t, s) = (chosen(data, count, seed), chosen(samples, count, seed.wrapping_add(1)));
    let (t, s) = (tensor(data, &t)?, tensor(samples, &s)?);
    let (within_t, within_s, across) = (squares(&t, &t)?, squares(&s, &s)?, squares(&t, &s)?);
    let nearest_other = |rows: &[Vec<f32>], row: usize| {
        let others = rows[row].iter().enumerate().filter(|&(column, _)| column != row);
        others.map(|(_, &x)| x).fold(f32::INFINITY, f32::min)
    };
    let (mut of_data, mut of_samples) = (0.0, 0.0);
    for row in 0..count {
        let to_samples = across[row].iter().copied().fold(f32::INFINITY, f32::min);
        let to_data = across.iter().map(|across| across[row]).fold(f32::INFINITY, f32::min);
        of_data += beyond(to_samples, nearest_other(&within_t, row));
        of_samples += beyond(to_data, nearest_other(&within_s, row));
    }
    let (of_data, of_samples) = (of_data / count as f64, of_samples / count as f64);
    Ok(Adversarial { points: count, of_data, of_samples, accuracy: f64::midpoint(of_data, of_samples) })
}

/// 1 where a distance is larger than another, one half where both are equal.
fn beyond(distance: f32, other: f32) -> f64 {
    match distance.total_cmp(&other) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    }
}

/// So many points drawn by their weights without replacement: those of the largest `u^(1 / weight)` of uniform numbers u (Efraimidis &
/// Spirakis 2006).
fn chosen(points: &Points, count: usize, seed: u64) -> Vec<usize> {
    let mut uniform = vec![0.0f32; points.len()];
    Uniforms::new(seed, Stream::User, 0).fill_row(0, &mut uniform);
    let key = |n: usize| {
        let weight = points.weights()[n];
        if weight > 0.0 { libm::log(f64::from(uniform[n]) + 1e-9) / weight } else { f64::NEG_INFINITY }
    };
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order.truncate(count);
    order
}

fn tensor(points: &Points, rows: &[usize]) -> Result<Tensor> {
    let values: Vec<f32> = rows.iter().flat_map(|&row| points.row(row)).copied().collect();
    Ok(Tensor::from_vec(values, (rows.len(), points.columns()), &Device::Cpu)?)
}

/// Squared distances [rows of a][rows of b].
fn squares(a: &Tensor, b: &Tensor) -> Result<Vec<Vec<f32>>> {
    let norms = |x: &Tensor| x.sqr()?.sum(1);
    let products = (a.matmul(&b.t()?)? * -2.0)?;
    let squares = products.broadcast_add(&norms(a)?.unsqueeze(1)?)?.broadcast_add(&norms(b)?.unsqueeze(0)?)?;
    Ok(squares.to_vec2()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_rbm::{UnitKind, Units};

    fn points(values: &[f32]) -> Points {
        Points::new(&Units::of(UnitKind::Gaussian, 1), values.to_vec(), None).unwrap()
    }

    fn normal(seed: u64, n: usize, columns: usize) -> Points {
        let mut values = vec![0.0f32; n * columns];
        Uniforms::new(seed, Stream::User, 0).normal(1.0, n * columns, &mut values);
        Points::new(&Units::of(UnitKind::Gaussian, columns), values, None).unwrap()
    }

    #[test]
    fn far_samples_are_told_apart_and_copies_are_too_near() {
        let data = points(&[0.0, 1.0, 2.0, 3.0]);
        let far = adversarial(&data, &points(&[10.0, 11.0, 12.0, 13.0]), 1).unwrap();
        assert_eq!((far.of_data, far.of_samples, far.accuracy), (1.0, 1.0, 1.0));
        let copies = adversarial(&data, &data, 1).unwrap();
        assert_eq!((copies.of_data, copies.of_samples), (0.0, 0.0));
        // By hand: data 0 and 10 lie 10 apart and 1 from a sample; samples 1 and 11 likewise.
        let near = adversarial(&points(&[0.0, 10.0]), &points(&[1.0, 11.0]), 1).unwrap();
        assert_eq!((near.of_data, near.of_samples), (0.0, 0.0));
        // Equal distances count half.
        let even = adversarial(&points(&[0.0, 1.0]), &points(&[-1.0, 2.0]), 1).unwrap();
        assert_eq!((even.of_data, even.of_samples), (0.5, 0.0));
    }

    /// 500 of each from one distribution: the standard error of an accuracy is some 0.02, and the seeds are fixed.
    #[test]
    fn new_points_of_the_same_distribution_are_at_one_half() {
        let found = adversarial(&normal(1, 500, 3), &normal(2, 700, 3), 1).unwrap();
        assert_eq!(found.points, 500);
        assert!((found.accuracy - 0.5).abs() < 0.06, "{found:?}");
    }

    #[test]
    fn points_without_weight_are_never_chosen() {
        let units = Units::of(UnitKind::Gaussian, 1);
        let weights = (0..10).map(|k| if k < 5 { 0.0 } else { 1.0 }).collect();
        let data = Points::new(&units, (0..10).map(|k| k as f32).collect(), Some(weights)).unwrap();
        let mut found = chosen(&data, 5, 1);
        found.sort_unstable();
        assert_eq!(found, [5, 6, 7, 8, 9]);
    }
}
