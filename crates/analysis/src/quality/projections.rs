//! Data and samples along the principal components of the data.

use super::Points;
use super::moments::Centred;
use crate::error::Result;
use rayon::prelude::*;
use serde::Serialize;

/// Components that are looked at.
const COMPONENTS: usize = 2;

/// Rounds of the iteration for the components.
const ROUNDS: usize = 200;

/// One component.
#[derive(Clone, Debug, Serialize)]
pub struct Projection {
    /// Share of the variance of the data that lies along it.
    pub explained: f64,
    /// How far the samples' distribution along it is from the data's: the mean distance of their quantiles
    /// (Wasserstein's), in standard deviations of the data along it.
    pub distance: f64,
    /// Every data point along it.
    #[serde(skip)]
    pub data: Vec<f64>,
    /// Every sample along it.
    #[serde(skip)]
    pub samples: Vec<f64>,
}

/// Projects data and samples, about the mean of the data, on its first two principal components.
///
/// # Errors
/// If the points are of different units, or candle refuses an operation.
pub fn projections(data: &Points, samples: &Points) -> Result<Vec<Projection>> {
    data.require_same(samples)?;
    let centred = Centred::of(data);
    let covariance = centred.covariance()?;
    let columns = data.columns();
    let trace: f64 = (0..columns).map(|c| f64::from(covariance[c * columns + c])).sum();
    let components = components(&covariance, columns);
    let along = |points: &Points, component: &[f64]| -> Vec<f64> {
        let of = |n: usize| -> f64 {
            points
                .row(n)
                .iter()
                .zip(&centred.means)
                .zip(component)
                .map(|((&x, mean), c)| (f64::from(x) - mean) * c)
                .sum()
        };
        (0..points.len()).into_par_iter().map(of).collect()
    };
    let each = components.iter().map(|(variance, component)| {
        let (of_data, of_samples) = (along(data, component), along(samples, component));
        let apart = wasserstein((&of_data, data.weights()), (&of_samples, samples.weights()));
        let deviation = variance.sqrt();
        Projection {
            explained: if trace > 0.0 { variance / trace } else { 0.0 },
            distance: if deviation > 0.0 { apart / deviation } else { 0.0 },
            data: of_data,
            samples: of_samples,
        }
    });
    Ok(each.collect())
}

/// The largest variances of a covariance matrix and their directions, by orthogonal iteration from fixed directions. The largest
/// entry of a direction is positive.
fn components(covariance: &[f32], columns: usize) -> Vec<(f64, Vec<f64>)> {
    // Directions that no data are orthogonal to on purpose.
    let start = |k: usize| (0..columns).map(move |c| libm::sin((c + 1) as f64 * (k + 1) as f64)).collect::<Vec<f64>>();
    let mut all: Vec<Vec<f64>> = (0..COMPONENTS.min(columns)).map(start).collect();
    let product = |x: &[f64]| -> Vec<f64> {
        let of = |row: &[f32]| row.iter().zip(x).map(|(&a, b)| f64::from(a) * b).sum::<f64>();
        covariance.par_chunks_exact(columns).map(of).collect()
    };
    let mut variances = vec![0.0; all.len()];
    for _ in 0..ROUNDS {
        all = all.iter().map(|x| product(x)).collect();
        variances = orthonormalise(&mut all);
    }
    for x in &mut all {
        let largest = x.iter().fold(0.0f64, |best, &y| if y.abs() > best.abs() { y } else { best });
        if largest < 0.0 {
            for y in x {
                *y = -*y;
            }
        }
    }
    variances.into_iter().zip(all).collect()
}

/// Makes vectors orthogonal to those before and of length 1; the lengths they had.
fn orthonormalise(all: &mut [Vec<f64>]) -> Vec<f64> {
    let mut lengths = Vec::with_capacity(all.len());
    for k in 0..all.len() {
        let (before, rest) = all.split_at_mut(k);
        for other in before.iter() {
            let along: f64 = other.iter().zip(&rest[0]).map(|(a, b)| a * b).sum();
            rest[0].iter_mut().zip(other).for_each(|(x, y)| *x -= along * *y);
        }
        let length = rest[0].iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            rest[0].iter_mut().for_each(|x| *x /= length);
        }
        lengths.push(length);
    }
    lengths
}

/// The area between the cumulative distributions of two weighted lists.
fn wasserstein((x, of_x): (&[f64], &[f64]), (y, of_y): (&[f64], &[f64])) -> f64 {
    let (total_x, total_y) = (of_x.iter().sum::<f64>(), of_y.iter().sum::<f64>());
    let steps = x.iter().zip(of_x).map(|(&x, w)| (x, w / total_x));
    let mut steps: Vec<(f64, f64)> = steps.chain(y.iter().zip(of_y).map(|(&y, w)| (y, -w / total_y))).collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut apart, mut area) = (0.0f64, 0.0);
    for pair in steps.windows(2) {
        apart += pair[0].1;
        area += apart.abs() * (pair[1].0 - pair[0].0);
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_rbm::{UnitKind, Units};

    #[test]
    fn distances_of_distributions_are_the_area_between_them() {
        let ones = [1.0; 4];
        assert!((wasserstein((&[0.0, 1.0], &ones[..2]), (&[3.0, 4.0], &ones[..2])) - 3.0).abs() < 1e-12);
        assert!((wasserstein((&[0.0, 2.0], &[3.0, 1.0]), (&[0.0], &[1.0])) - 0.5).abs() < 1e-12);
        assert_eq!(wasserstein((&[1.0, 2.0], &ones[..2]), (&[2.0, 1.0, 1.0, 2.0], &ones)), 0.0);
    }

    /// Points on a line in three dimensions with a little spread across: the line is the first component.
    #[test]
    fn the_first_component_is_the_direction_of_the_largest_variance() {
        let values: Vec<f32> = (0..50)
            .flat_map(|k| {
                let (t, across) = (k as f32 - 24.5, (k % 2) as f32 - 0.5);
                [2.0 * t + across, t - 2.0 * across, 0.0]
            })
            .collect();
        let units = Units::of(UnitKind::Gaussian, 3);
        let data = Points::new(&units, values.clone(), None).unwrap();
        let moved =
            Points::new(&units, values.chunks(3).flat_map(|v| [v[0] + 20.0, v[1] + 10.0, v[2]]).collect(), None);
        let found = projections(&data, &moved.unwrap()).unwrap();
        assert!(found[0].explained > 0.99 && found[0].explained + found[1].explained > 0.999_999);
        // The samples are √500 further along the line, on which t has a standard deviation of √(5 * 208.25).
        assert!((found[0].distance - (500.0f64 / (5.0 * 208.25)).sqrt()).abs() < 0.01, "{}", found[0].distance);
        assert!(found[1].distance < 0.05);
        let same = projections(&data, &data).unwrap();
        assert!(same[0].distance == 0.0 && same[1].distance == 0.0);
    }
}
