//! Frequencies of one site, of two and of three, of data and of samples.
//!
//! Connected ones, with mu the means and weights of mean 1:
//!
//! ```text
//! one    f_a   = <x_a>
//! two    c_ab  = <(x_a - mu_a)(x_b - mu_b)>
//! three  c_abc = <(x_a - mu_a)(x_b - mu_b)(x_c - mu_c)>
//! ```
//!
//! of columns a, b, c of different sites. Two are all pairs, three all triples of the columns with the largest variance in the data.
//! adabmDCA stops its training where Pearson's correlation of two reaches 0.95 (Muntoni et al. 2021).

use super::Points;
use crate::correlation::pearson;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use serde::Serialize;

/// Columns whose triples are compared.
const OF_TRIPLES: usize = 60;

/// Columns whose pairs fit into memory: two matrices of so many squared.
const MOST_COLUMNS: usize = 16_000;

/// Points of a picture, at most.
const SHOWN: usize = 20_000;

/// How the frequencies of samples go with those of data.
#[derive(Clone, Debug, Serialize)]
pub struct Agreement {
    /// How many frequencies there are.
    pub count: usize,
    /// Pearson's correlation.
    pub pearson: f64,
    /// Slope of the least-squares line of the samples' over the data's.
    pub slope: f64,
    /// Data and samples of some of them, to draw.
    #[serde(skip)]
    pub points: Vec<(f64, f64)>,
}

/// The agreement of one-, two- and three-site frequencies.
#[derive(Clone, Debug, Serialize)]
pub struct Moments {
    /// Of one site.
    pub one: Agreement,
    /// Connected, of two sites.
    pub two: Agreement,
    /// Connected, of three sites; none where there are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub three: Option<Agreement>,
}

/// Compares samples with data.
///
/// # Errors
/// [`Error::Count`] for points of different units or of more columns than pairs fit into memory; if candle refuses an operation.
pub fn moments(data: &Points, samples: &Points) -> Result<Moments> {
    data.require_same(samples)?;
    if data.columns() > MOST_COLUMNS {
        let expected = format!("at most {MOST_COLUMNS}, for pairs of them to fit into memory");
        return Err(Error::Count { what: "columns", got: data.columns(), expected });
    }
    let (of_data, of_samples) = (Centred::of(data), Centred::of(samples));
    let one = agreement(&of_data.means, &of_samples.means);
    let (first, second) = (of_data.covariance()?, of_samples.covariance()?);
    let site = data.site_of_columns();
    let columns = data.columns();
    let pairs =
        || (0..columns).flat_map(|a| (a + 1..columns).map(move |b| (a, b))).filter(|&(a, b)| site[a] != site[b]);
    let of = |matrix: &[f32]| pairs().map(|(a, b)| f64::from(matrix[a * columns + b])).collect::<Vec<_>>();
    let two = agreement(&of(&first), &of(&second));
    let chosen = most_variable(&first, &site, columns);
    let three = (chosen.iter().map(|&c| site[c]).collect::<std::collections::BTreeSet<_>>().len() > 2)
        .then(|| agreement(&of_data.triples(&chosen, &site), &of_samples.triples(&chosen, &site)));
    Ok(Moments { one, two, three })
}

/// The columns with the largest variances, in their order.
fn most_variable(covariance: &[f32], site: &[usize], columns: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..site.len()).collect();
    let variance = |c: usize| covariance[c * columns + c];
    order.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)));
    order.truncate(OF_TRIPLES);
    order.sort_unstable();
    order
}

fn agreement(data: &[f64], samples: &[f64]) -> Agreement {
    let (pearson, slope) = pearson(data, samples);
    let every = data.len().div_ceil(SHOWN).max(1);
    let points = data.iter().zip(samples).step_by(every).map(|(&x, &y)| (x, y)).collect();
    Agreement { count: data.len(), pearson, slope, points }
}

/// Points less their means.
pub(super) struct Centred<'a> {
    points: &'a Points,
    pub(super) means: Vec<f64>,
}

impl<'a> Centred<'a> {
    pub(super) fn of(points: &'a Points) -> Self {
        let mut means = vec![0.0; points.columns()];
        for (n, weight) in points.weights().iter().enumerate() {
            means.iter_mut().zip(points.row(n)).for_each(|(mean, &x)| *mean += weight * f64::from(x));
        }
        for mean in &mut means {
            *mean /= points.len() as f64;
        }
        Self { points, means }
    }

    /// [columns, columns].
    pub(super) fn covariance(&self) -> Result<Vec<f32>> {
        let (n, columns) = (self.points.len(), self.points.columns());
        let mut centred = Vec::with_capacity(n * columns);
        for (row, weight) in self.points.weights().iter().enumerate() {
            let root = (weight / n as f64).sqrt();
            let value = |(&x, mean): (&f32, &f64)| (root * (f64::from(x) - mean)) as f32;
            centred.extend(self.points.row(row).iter().zip(&self.means).map(value));
        }
        let x = Tensor::from_vec(centred, (n, columns), &Device::Cpu)?;
        Ok(x.t()?.matmul(&x)?.flatten_all()?.to_vec1()?)
    }

    /// Third moments of all triples of columns of different sites.
    fn triples(&self, columns: &[usize], site: &[usize]) -> Vec<f64> {
        let n = self.points.len();
        let centred: Vec<Vec<f32>> = columns
            .iter()
            .map(|&c| (0..n).map(|row| (f64::from(self.points.row(row)[c]) - self.means[c]) as f32).collect())
            .collect();
        let apart = |a: usize, b: usize| site[columns[a]] != site[columns[b]];
        let pairs: Vec<(usize, usize)> = (0..columns.len())
            .flat_map(|a| (a + 1..columns.len()).map(move |b| (a, b)))
            .filter(|&(a, b)| apart(a, b))
            .collect();
        let of_pair = |&(a, b): &(usize, usize)| -> Vec<f64> {
            let weighed = centred[a].iter().zip(&centred[b]).zip(self.points.weights());
            let product: Vec<f32> = weighed.map(|((x, y), weight)| x * y * (*weight as f32)).collect();
            let thirds = (b + 1..columns.len()).filter(|&c| apart(a, c) && apart(b, c));
            let moment = |c: usize| -> f64 {
                let parts = product.chunks(1024).zip(centred[c].chunks(1024));
                let sum: f64 = parts.map(|(x, y)| f64::from(x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>())).sum();
                sum / n as f64
            };
            thirds.map(moment).collect()
        };
        pairs.par_iter().map(of_pair).collect::<Vec<_>>().concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::{Stream, Uniforms};
    use deepbelief_rbm::{UnitKind, Units};

    fn points(seed: u64, n: usize, columns: usize) -> Points {
        let mut values = vec![0.0f32; n * columns];
        Uniforms::new(seed, Stream::User, 0).fill_row(0, &mut values);
        for x in &mut values {
            *x = f32::from(u8::from(*x < 0.4));
        }
        let weights = (0..n).map(|k| 1.0 + (k % 3) as f64).collect();
        Points::new(&Units::of(UnitKind::Bernoulli, columns), values, Some(weights)).unwrap()
    }

    /// Against sums written out.
    #[test]
    fn moments_are_those_of_their_definitions() {
        let data = points(1, 40, 4);
        let total: f64 = data.weights().iter().sum();
        let mean = |of: &dyn Fn(&[f32]) -> f64| -> f64 {
            (0..40).map(|n| data.weights()[n] * of(data.row(n))).sum::<f64>() / total
        };
        let mu: Vec<f64> = (0..4).map(|c| mean(&|row| row[c].into())).collect();
        let centred = Centred::of(&data);
        let d = |row: &[f32], c: usize| f64::from(row[c]) - mu[c];
        let covariance = centred.covariance().unwrap();
        for (a, b) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            assert!((f64::from(covariance[a * 4 + b]) - mean(&|row| d(row, a) * d(row, b))).abs() < 1e-6);
        }
        let found = centred.triples(&[0, 1, 2, 3], &[0, 1, 2, 3]);
        let expected = [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)];
        for (found, (a, b, c)) in found.iter().zip(expected) {
            assert!((found - mean(&|row| d(row, a) * d(row, b) * d(row, c))).abs() < 1e-6);
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn the_same_points_agree_and_others_do_not() {
        let (data, other) = (points(1, 300, 6), points(2, 300, 6));
        let same = moments(&data, &data).unwrap();
        let three = same.three.unwrap();
        for found in [&same.one, &same.two, &three] {
            assert!((found.pearson - 1.0).abs() < 1e-6 && (found.slope - 1.0).abs() < 1e-6);
        }
        assert_eq!((same.one.count, same.two.count, three.count), (6, 15, 20));
        let others = moments(&data, &other).unwrap();
        assert!(others.two.pearson < 0.9, "independent columns have connected frequencies of noise alone");
        assert!(moments(&data, &points(1, 10, 5)).is_err());
    }

    /// Levels of one site are never compared with each other.
    #[test]
    fn pairs_are_of_different_sites() {
        let units = Units::categorical(2, 3);
        let values = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
        let data = Points::new(&units, values, None).unwrap();
        let found = moments(&data, &data).unwrap();
        assert_eq!((found.one.count, found.two.count), (6, 9));
        assert!(found.three.is_none());
    }
}
