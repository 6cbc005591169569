//! The Ising model on a square of L x L spins with periodic ends: samples of it, and what is known exactly.
//!
//! `E(s) = - sum over neighbours s_i s_j`, each spin with the one to its right and the one below it; `p(s) = exp(-beta E) / Z`.
//! ln Z of any L is Kaufman's (1949, Phys. Rev. 76:1232): with `cosh g_k = cosh²(2 beta) / sinh(2 beta) - cos(pi k / L)` and
//! `g_0 = 2 beta + ln tanh beta`,
//!
//! ```text
//! Z = (2 sinh 2 beta)^(L²/2) / 2 [ prod 2 cosh(L g_odd / 2) + prod 2 sinh(L g_odd / 2)
//!                                + prod 2 cosh(L g_even / 2) + prod 2 sinh(L g_even / 2) ]
//! ```
//!
//! over the odd and the even k below 2 L. Samples are drawn by clusters (Wolff 1989).

use crate::error::{Error, Result};
use deepbelief_kernels::{Stream, Uniforms};
use rayon::prelude::*;

/// Spins a side, at most.
const LARGEST: usize = 250;

/// Chains that samples come from, whatever the number of threads.
const CHAINS: usize = 8;

/// Spins that are turned before the first sample and, in the mean, between two, in times the spins there are.
const BURN_IN: usize = 1000;
const BETWEEN: usize = 10;

/// An Ising model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ising {
    size: usize,
    beta: f64,
}

/// What is known of it exactly.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Exact {
    /// ln Z, in nats.
    pub log_z: f64,
    /// Mean energy.
    pub energy: f64,
    /// `beta² Var(E)`.
    pub heat_capacity: f64,
    /// `ln Z + beta <E>`, in nats.
    pub entropy: f64,
}

impl Ising {
    /// Spins a side, and the inverse temperature.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2 or more than 250 spins a side, or a beta that is not above 0 or above 5.
    pub fn new(size: usize, beta: f64) -> Result<Self> {
        let refuse = |name, got: String, expected: String| Err(Error::Setting { name, got, expected });
        if !(2..=LARGEST).contains(&size) {
            return refuse("size", size.to_string(), format!("between 2 and {LARGEST} spins a side"));
        }
        if !(beta > 0.0 && beta <= 5.0) {
            return refuse("beta", beta.to_string(), "above 0 and at most 5".into());
        }
        Ok(Self { size, beta })
    }

    /// Number of spins.
    #[must_use]
    pub fn spins(&self) -> usize {
        self.size * self.size
    }

    /// The energy of spins, true for 1, row by row.
    #[must_use]
    pub fn energy(&self, spins: &[bool]) -> f64 {
        let size = self.size;
        let bond = |a: usize, b: usize| if spins[a] == spins[b] { -1.0 } else { 1.0 };
        (0..self.spins())
            .map(|at| {
                let (row, column) = (at / size, at % size);
                bond(at, row * size + (column + 1) % size) + bond(at, (row + 1) % size * size + column)
            })
            .sum()
    }

    /// What is known exactly.
    #[must_use]
    pub fn exact(&self) -> Exact {
        // Derivatives by differences of five places: those of ln Z are smooth on the scale of h.
        let h = 2e-3 * self.beta.min(1.0);
        let f: Vec<f64> = (-2..=2).map(|k| log_partition(self.size, self.beta + f64::from(k) * h)).collect();
        let first = (f[0] - 8.0 * f[1] + 8.0 * f[3] - f[4]) / (12.0 * h);
        let second = (-f[0] + 16.0 * f[1] - 30.0 * f[2] + 16.0 * f[3] - f[4]) / (12.0 * h * h);
        let (log_z, energy) = (f[2], -first);
        Exact { log_z, energy, heat_capacity: self.beta * self.beta * second, entropy: log_z + self.beta * energy }
    }

    /// So many samples, spin by spin, true for 1. One seed fixes them, for any number of threads.
    #[must_use]
    pub fn samples(&self, count: usize, seed: u64) -> Vec<Vec<bool>> {
        let chains: Vec<Vec<Vec<bool>>> = (0..CHAINS)
            .into_par_iter()
            .map(|chain| {
                let own = count / CHAINS + usize::from(chain < count % CHAINS);
                let mut chain = Chain::new(self, seed, chain as u32);
                let between = chain.burn_in();
                (0..own)
                    .map(|_| {
                        for _ in 0..between {
                            chain.turn_cluster();
                        }
                        chain.spins.clone()
                    })
                    .collect()
            })
            .collect();
        // One of each chain in turn, so that no part of the samples is of one chain alone.
        (0..count).map(|k| chains[k % CHAINS][k / CHAINS].clone()).collect()
    }
}

/// ln Z by Kaufman's formula.
fn log_partition(size: usize, beta: f64) -> f64 {
    let (l, k2) = (size as f64, 2.0 * beta);
    let gamma = |k: usize| {
        if k == 0 {
            return k2 + libm::log(libm::tanh(beta));
        }
        let (sinh, cosh) = (libm::sinh(k2), libm::cosh(k2));
        libm::acosh(cosh * cosh / sinh - libm::cos(std::f64::consts::PI * k as f64 / l))
    };
    // ln 2 cosh x and ln |2 sinh x| with its sign.
    let log_cosh = |x: f64| x.abs() + libm::log1p(libm::exp(-2.0 * x.abs()));
    let log_sinh = |x: f64| (x.abs() + libm::log1p(-libm::exp(-2.0 * x.abs())), x.signum());
    let half = |k: usize| 0.5 * l * gamma(k);
    let (odd, even): (Vec<f64>, Vec<f64>) =
        ((0..size).map(|r| half(2 * r + 1)).collect(), (0..size).map(|r| half(2 * r)).collect());
    let cosh = |x: &[f64]| (x.iter().map(|&x| log_cosh(x)).sum::<f64>(), 1.0);
    let sinh =
        |x: &[f64]| x.iter().map(|&x| log_sinh(x)).fold((0.0, 1.0), |(sum, sign), (log, s)| (sum + log, sign * s));
    let terms = [cosh(&odd), sinh(&odd), cosh(&even), sinh(&even)];
    let most = terms.iter().map(|term| term.0).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|(log, sign)| sign * libm::exp(log - most)).sum();
    0.5 * l * l * libm::log(2.0 * libm::sinh(k2)) - std::f64::consts::LN_2 + most + libm::log(sum)
}

/// A chain of cluster updates.
struct Chain {
    size: usize,
    /// The probability that a neighbour of the same direction joins a cluster.
    join: f32,
    spins: Vec<bool>,
    stack: Vec<usize>,
    uniform: Vec<f32>,
    used: usize,
    draws: Uniforms,
    block: u32,
}

impl Chain {
    fn new(model: &Ising, seed: u64, chain: u32) -> Self {
        let draws = Uniforms::new(seed, Stream::User, chain);
        let mut new = Self {
            size: model.size,
            join: (1.0 - libm::exp(-2.0 * model.beta)) as f32,
            spins: Vec::new(),
            stack: Vec::new(),
            uniform: vec![0.0; 4096],
            used: 4096,
            draws,
            block: 0,
        };
        new.spins = (0..model.spins()).map(|_| new.next() < 0.5).collect();
        new
    }

    fn next(&mut self) -> f32 {
        if self.used == self.uniform.len() {
            self.draws.fill_row(self.block, &mut self.uniform);
            (self.used, self.block) = (0, self.block.wrapping_add(1));
        }
        self.used += 1;
        self.uniform[self.used - 1]
    }

    /// Forgets the start; the number of clusters between two samples. It is fixed: to stop after so many turned spins
    /// would stop behind large clusters more often than behind small ones, where there is more order.
    fn burn_in(&mut self) -> usize {
        let (spins, mut turned, mut clusters) = (self.spins.len(), 0, 0);
        while turned < BURN_IN * spins {
            turned += self.turn_cluster();
            clusters += 1;
        }
        (BETWEEN * spins * clusters).div_ceil(turned)
    }

    /// Turns a cluster; the number of its spins.
    fn turn_cluster(&mut self) -> usize {
        let start = ((f64::from(self.next()) * self.spins.len() as f64) as usize).min(self.spins.len() - 1);
        let direction = self.spins[start];
        self.spins[start] = !direction;
        self.stack.push(start);
        let mut turned = 0;
        while let Some(at) = self.stack.pop() {
            turned += 1;
            let (size, row, column) = (self.size, at / self.size, at % self.size);
            let neighbours = [
                row * size + (column + 1) % size,
                row * size + (column + size - 1) % size,
                (row + 1) % size * size + column,
                (row + size - 1) % size * size + column,
            ];
            for other in neighbours {
                if self.spins[other] == direction && self.next() < self.join {
                    self.spins[other] = !direction;
                    self.stack.push(other);
                }
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums over all states.
    fn enumerated(model: &Ising) -> Exact {
        let n = model.spins();
        let energies: Vec<f64> =
            (0..1u32 << n).map(|word| model.energy(&(0..n).map(|k| word >> k & 1 == 1).collect::<Vec<_>>())).collect();
        let z: f64 = energies.iter().map(|e| (-model.beta * e).exp()).sum();
        let mean = |of: &dyn Fn(f64) -> f64| energies.iter().map(|&e| of(e) * (-model.beta * e).exp()).sum::<f64>() / z;
        let energy = mean(&|e| e);
        let heat_capacity = model.beta * model.beta * (mean(&|e| e * e) - energy * energy);
        Exact { log_z: z.ln(), energy, heat_capacity, entropy: z.ln() + model.beta * energy }
    }

    #[test]
    fn kaufmans_formula_is_the_sum_over_all_states() {
        for size in [2, 3, 4] {
            for beta in [0.1, 0.44, 0.8] {
                let model = Ising::new(size, beta).unwrap();
                let (found, expected) = (model.exact(), enumerated(&model));
                assert!((found.log_z - expected.log_z).abs() < 1e-10, "{size} {beta}");
                assert!((found.energy - expected.energy).abs() < 1e-6, "{size} {beta}: {found:?} {expected:?}");
                assert!(
                    (found.heat_capacity - expected.heat_capacity).abs() < 1e-5,
                    "{size} {beta}: {found:?} {expected:?}"
                );
                assert!((found.entropy - expected.entropy).abs() < 1e-6);
            }
        }
    }

    /// The mean energy of 2,000 samples within five of its standard errors, which are those of independent samples at least; the seed is
    /// fixed, so that the test cannot fail by chance.
    #[test]
    fn samples_have_the_exact_energy() {
        for (size, beta) in [(4, 0.3), (8, 0.44), (8, 0.6)] {
            let model = Ising::new(size, beta).unwrap();
            let samples = model.samples(2000, 1);
            let energies: Vec<f64> = samples.iter().map(|spins| model.energy(spins)).collect();
            let mean = energies.iter().sum::<f64>() / 2000.0;
            let exact = model.exact();
            let error = (exact.heat_capacity / beta / beta / 2000.0).sqrt();
            assert!((mean - exact.energy).abs() < 5.0 * error, "{size} {beta}: {mean} for {} +- {error}", exact.energy);
            let up = samples.iter().flatten().filter(|&&up| up).count() as f64 / (2000 * model.spins()) as f64;
            assert!((up - 0.5).abs() < 0.06, "both directions: {up}");
            assert_eq!(samples[..10], model.samples(10, 1)[..], "the first samples are the same whatever their number");
        }
        assert!(Ising::new(1, 0.4).is_err() && Ising::new(4, 0.0).is_err() && Ising::new(4, f64::NAN).is_err());
    }
}
