//! Steps of gradient descent: each is one pass over the parameters, in vectors and on all
//! threads, element by element, so that neither changes a bit.

use crate::row::BLOCK;
use crate::simd::{Level, dispatch};
use rayon::prelude::*;

/// Elements that a thread takes at a time: some 64 KB of each array.
const CHUNK: usize = 1 << 14;

/// A step of Adam (Kingma & Ba 2015) with weight decay apart from the gradient (Loshchilov &
/// Hutter 2019). In step t, with gradient g, rate η, decays β₁ and β₂ and weight cost λ:
///
/// ```text
/// m <- β₁ m + (1 - β₁) g
/// s <- β₂ s + (1 - β₂) g²
/// w <- w - η λ w - η (m / (1 - β₁ᵗ)) / (sqrt(s / (1 - β₂ᵗ)) + ε)      ε = 1e-8
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// η.
    pub learning_rate: f64,
    /// β₁.
    pub momentum: f64,
    /// β₂.
    pub square_momentum: f64,
    /// λ.
    pub weight_cost: f64,
    /// t, from 1.
    pub step: u32,
}

impl Adam {
    /// Takes the step: `w` along `gradient`, with the means `m` of gradients and `s` of their squares.
    ///
    /// # Panics
    /// If the four are not of one length.
    pub fn take(&self, w: &mut [f32], m: &mut [f32], s: &mut [f32], gradient: &[f32]) {
        assert!(w.len() == m.len() && w.len() == s.len() && w.len() == gradient.len(), "arrays of one length");
        let (numbers, level) = (self.numbers(), Level::detect());
        w.par_chunks_mut(CHUNK)
            .zip(m.par_chunks_mut(CHUNK))
            .zip(s.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((w, m), s), gradient)| adam(level, w, m, s, gradient, numbers));
    }

    pub(crate) fn numbers(&self) -> AdamNumbers {
        let left = |decay: f64| 1.0 - decay.powf(f64::from(self.step));
        let (first, second) = (left(self.momentum), left(self.square_momentum));
        AdamNumbers {
            m: self.momentum as f32,
            s: self.square_momentum as f32,
            rate: (self.learning_rate / first) as f32,
            scale: (1.0 / second) as f32,
            shrink: (self.learning_rate * self.weight_cost) as f32,
        }
    }
}

/// What all elements of a step share.
#[derive(Clone, Copy)]
pub(crate) struct AdamNumbers {
    pub(crate) m: f32,
    pub(crate) s: f32,
    pub(crate) rate: f32,
    pub(crate) scale: f32,
    pub(crate) shrink: f32,
}

dispatch! {
    fn adam(w: &mut [f32], m: &mut [f32], s: &mut [f32], gradient: &[f32], n: AdamNumbers) {
        for (((w, m), s), &g) in w.iter_mut().zip(m).zip(s).zip(gradient) {
            *m = n.m * *m + (1.0 - n.m) * g;
            *s = n.s * *s + (1.0 - n.s) * (g * g);
            *w = *w - n.shrink * *w - n.rate * *m / ((*s * n.scale).sqrt() + 1e-8);
        }
    }
}

/// A step of gradient descent with momentum. With gradient g, rate η, momentum α, weight cost λ:
///
/// ```text
/// m <- α m + g + λ w
/// w <- w - η m                      or, after Nesterov (Sutskever et al. 2013),
/// w <- w - η (g + λ w + α m)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Momentum {
    /// η.
    pub learning_rate: f64,
    /// α.
    pub momentum: f64,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// λ.
    pub weight_cost: f64,
}

impl Momentum {
    /// Takes the step: `w` along `gradient`, with the velocity `m`.
    ///
    /// # Panics
    /// If the three are not of one length.
    pub fn take(&self, w: &mut [f32], m: &mut [f32], gradient: &[f32]) {
        assert!(w.len() == m.len() && w.len() == gradient.len(), "arrays of one length");
        let (rate, momentum, cost) = (self.learning_rate as f32, self.momentum as f32, self.weight_cost as f32);
        let (nesterov, level) = (self.nesterov, Level::detect());
        w.par_chunks_mut(CHUNK)
            .zip(m.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|((w, m), gradient)| descend(level, w, m, gradient, rate, momentum, cost, nesterov));
    }
}

dispatch! {
    fn descend(
        w: &mut [f32], m: &mut [f32], gradient: &[f32], rate: f32, momentum: f32, cost: f32, nesterov: bool,
    ) {
        for ((w, m), &g) in w.iter_mut().zip(m).zip(gradient) {
            let g = g + cost * *w;
            *m = momentum * *m + g;
            *w -= rate * if nesterov { g + momentum * *m } else { *m };
        }
    }
}

/// Scales the columns of `w` [rows, columns] down to at most this Euclidean norm (Srivastava et al.
/// 2014): the weights into a unit, each column.
///
/// # Panics
/// If `w` is not of whole rows.
pub fn limit_norms(w: &mut [f32], columns: usize, most: f32) {
    assert!(w.len().is_multiple_of(columns.max(1)), "whole rows of {columns} columns");
    let level = Level::detect();
    // Every column is summed by one task, from the first row to the last.
    let mut factors = vec![0.0; columns];
    let shared = &*w;
    factors.par_chunks_mut(BLOCK).enumerate().for_each(|(block, factors)| {
        column_factors(level, &shared[block * BLOCK..], columns, most, factors);
    });
    if factors.iter().any(|&factor| factor < 1.0) {
        w.par_chunks_mut(columns).with_min_len(16).for_each(|row| {
            row.iter_mut().zip(&factors).for_each(|(w, factor)| *w *= factor);
        });
    }
}

dispatch! {
    fn column_factors(w: &[f32], columns: usize, most: f32, factors: &mut [f32]) {
        let mut sums = [0.0; BLOCK];
        for row in w.chunks(columns) {
            for (sum, &w) in sums.iter_mut().zip(&row[..factors.len()]) {
                *sum += w * w;
            }
        }
        for (factor, sum) in factors.iter_mut().zip(sums) {
            let norm: f32 = sum.sqrt();
            *factor = if norm > most { most / norm } else { 1.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, Uniforms};

    /// More than two chunks of numbers in [-1, 1).
    fn numbers(row: u32) -> Vec<f32> {
        let mut x = vec![0.0; 2 * CHUNK + 77];
        Uniforms::new(5, Stream::User, 0).fill_row(row, &mut x);
        x.iter().map(|x| 2.0 * x - 1.0).collect()
    }

    fn largest_difference(a: &[f32], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
    }

    /// The formulas in double precision, five steps long. Parameters stay below 2, so that five
    /// roundings of an F32 step err by less than 1e-6; where s is tiny the quotient m / sqrt(s) is
    /// still of order one, and its rounding scales with the rate of 0.01.
    #[test]
    fn steps_follow_their_formulas() {
        let (mut w, mut m, mut s) = (numbers(0), vec![0.0; 2 * CHUNK + 77], vec![0.0; 2 * CHUNK + 77]);
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (mut w64, mut m64, mut s64) = (wide(&w), wide(&m), wide(&s));
        for step in 1..=5 {
            let g = numbers(step);
            Adam { learning_rate: 0.01, momentum: 0.9, square_momentum: 0.999, weight_cost: 0.1, step }
                .take(&mut w, &mut m, &mut s, &g);
            for i in 0..g.len() {
                let g = f64::from(g[i]);
                m64[i] = 0.9 * m64[i] + 0.1 * g;
                s64[i] = 0.999 * s64[i] + 0.001 * g * g;
                let (m, s) = (m64[i] / (1.0 - 0.9f64.powf(step.into())), s64[i] / (1.0 - 0.999f64.powf(step.into())));
                w64[i] -= 0.01 * 0.1 * w64[i] + 0.01 * m / (s.sqrt() + 1e-8);
            }
        }
        assert!(largest_difference(&w, &w64) < 2e-6, "{}", largest_difference(&w, &w64));
        for nesterov in [false, true] {
            let (mut w, mut m) = (numbers(0), vec![0.0; 2 * CHUNK + 77]);
            let (mut w64, mut m64) = (wide(&w), wide(&m));
            for step in 1..=5 {
                let g = numbers(step);
                Momentum { learning_rate: 0.1, momentum: 0.9, nesterov, weight_cost: 0.01 }.take(&mut w, &mut m, &g);
                for i in 0..g.len() {
                    let g = f64::from(g[i]) + 0.01 * w64[i];
                    m64[i] = 0.9 * m64[i] + g;
                    w64[i] -= 0.1 * if nesterov { g + 0.9 * m64[i] } else { m64[i] };
                }
            }
            assert!(largest_difference(&w, &w64) < 2e-6, "nesterov {nesterov}");
        }
    }

    #[test]
    fn columns_are_scaled_down_to_the_norm_and_never_up() {
        let columns = 40;
        let mut w: Vec<f32> = (0..3 * columns).map(|i| if i % columns < 35 { 0.1 } else { 2.0 }).collect();
        limit_norms(&mut w, columns, 1.5);
        for column in 0..columns {
            let norm = (0..3).map(|row| w[row * columns + column].powi(2)).sum::<f32>().sqrt();
            let expected = if column < 35 { 0.03f32.sqrt() } else { 1.5 };
            assert!((norm - expected).abs() < 1e-6, "column {column}: {norm}");
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let stepped = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let (mut w, mut m, g) = (numbers(0), numbers(1), numbers(3));
                let mut s: Vec<f32> = numbers(2).iter().map(|s| s.abs()).collect();
                Adam { learning_rate: 0.01, momentum: 0.9, square_momentum: 0.99, weight_cost: 0.1, step: 3 }
                    .take(&mut w, &mut m, &mut s, &g);
                limit_norms(&mut w, 5, 10.0);
                (w, m, s)
            })
        };
        let one = stepped(1);
        assert!([2, 4].into_iter().all(|threads| stepped(threads) == one));
    }
}
