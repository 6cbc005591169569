//! Real units in double precision, to hold the kernels against, and shorthand to call these.

use crate::rng::{Stream, Uniforms};
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::units::conditional::{self, FieldRow, Moments};
use crate::units::fields::NO_MOMENTS;
use crate::units::layers::UnitKind;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// b, g, b-, g-.
pub(crate) type Fields = [f64; 4];

/// The part above a of a standard normal distribution: the mean of z - a, that of its square, and ln Q(a) + a²/2.
pub(crate) fn tail(a: f64) -> (f64, f64, f64) {
    let log_density = -0.5 * TAU.ln();
    if a < 4.0 {
        let q = 0.5 * libm::erfc(a * FRAC_1_SQRT_2);
        let delta = (log_density - 0.5 * a * a).exp() / q - a;
        return (delta, 1.0 - a * delta, q.ln() + 0.5 * a * a);
    }
    // The continued fraction; 100 terms are exact from 2 on.
    let r = (2..100).rev().fold(0.0, |rest, n| f64::from(n) / (a + rest));
    let delta = 1.0 / (a + r);
    (delta, r * delta, log_density - (a + delta).ln())
}

/// What a unit is given its input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given {
    pub(crate) cgf: f64,
    pub(crate) mean: f64,
    /// E[h²].
    pub(crate) square: f64,
}

impl Given {
    pub(crate) fn variance(&self) -> f64 {
        self.square - self.mean * self.mean
    }
}

pub(crate) fn gaussian(x: f64, [b, g, ..]: Fields) -> Given {
    let t = x + b;
    let mean = t / g;
    Given { cgf: 0.5 * t * mean + 0.5 * (TAU / g).ln(), mean, square: mean * mean + 1.0 / g }
}

pub(crate) fn relu(x: f64, [b, g, ..]: Fields) -> Given {
    let (mean, square, log_mass) = tail(-(x + b) / g.sqrt());
    Given { cgf: log_mass + 0.5 * (TAU / g).ln(), mean: mean / g.sqrt(), square: square / g }
}

/// The halves of a dReLU unit, the lower one of -h, and the probability of the upper one.
pub(crate) fn halves(x: f64, [b, g, b_below, g_below]: Fields) -> (Given, Given, f64) {
    let (above, below) = (relu(x, [b, g, 0.0, 1.0]), relu(-x, [-b_below, g_below, 0.0, 1.0]));
    (above, below, 1.0 / (1.0 + (below.cgf - above.cgf).exp()))
}

pub(crate) fn drelu(x: f64, fields: Fields) -> Given {
    let (above, below, p) = halves(x, fields);
    let larger = above.cgf.max(below.cgf);
    Given {
        cgf: larger + (-(above.cgf - below.cgf).abs()).exp().ln_1p(),
        mean: p * above.mean - (1.0 - p) * below.mean,
        square: p * above.square + (1.0 - p) * below.square,
    }
}

/// The same fields in all lanes.
pub(crate) fn field_row(fields: Fields) -> FieldRow {
    let [b, g, b_below, g_below] = fields.map(|field| Row([field as f32; BLOCK]));
    FieldRow { b, g, b_below, g_below }
}

/// What the kernels make of these inputs.
pub(crate) struct Kernels {
    pub(crate) cgfs: Vec<f64>,
    pub(crate) means: Vec<f64>,
    pub(crate) moments: Vec<[f64; 4]>,
}

impl Kernels {
    pub(crate) fn of(kind: UnitKind, inputs: &[f32], fields: Fields) -> Self {
        let (level, f) = (Level::detect(), field_row(fields));
        let x: Vec<Row> = inputs.chunks(BLOCK).map(row).collect();
        let (mut means, mut cgfs, mut moments) = (vec![ZERO; x.len()], vec![ZERO; x.len()], vec![NO_MOMENTS; x.len()]);
        conditional::means(level, kind, &x, &f, &mut means);
        conditional::cgfs(level, kind, &x, &f, &mut cgfs);
        conditional::expected(level, kind, &x, &f, &mut moments);
        let lanes = |moments: &Moments| {
            let Moments { b, log_g, b_below, log_g_below } = *moments;
            (0..BLOCK).map(move |i| [b, log_g, b_below, log_g_below].map(|row| f64::from(row.0[i]))).collect::<Vec<_>>()
        };
        let mut out =
            Self { cgfs: numbers(&cgfs), means: numbers(&means), moments: moments.iter().flat_map(lanes).collect() };
        out.cgfs.truncate(inputs.len());
        out.means.truncate(inputs.len());
        out.moments.truncate(inputs.len());
        out
    }
}

fn row(values: &[f32]) -> Row {
    let mut row = ZERO;
    row.0[..values.len()].copy_from_slice(values);
    row
}

fn numbers(rows: &[Row]) -> Vec<f64> {
    rows.iter().flat_map(|row| row.0.map(f64::from)).collect()
}

/// Inputs from -1e4 to 1e4, dense about 0.
pub(crate) fn inputs() -> Vec<f32> {
    (-600..=600).map(|i: i32| i.signum() as f32 * (libm::exp(f64::from(i.abs()) / 65.0) - 1.0) as f32).collect()
}

/// From 1e-3 to 1e4.
pub(crate) const PRECISIONS: [f64; 8] = [1e-3, 0.03, 0.4, 1.0, 2.5, 40.0, 900.0, 1e4];

/// Within a relative and an absolute tolerance.
pub(crate) fn close(got: f64, want: f64, relative: f64, absolute: f64) -> bool {
    (got - want).abs() <= relative * want.abs() + absolute
}

/// z - a of which this share of the part above a lies above: by bisection.
pub(crate) fn excess(a: f64, above: f64) -> f64 {
    let log_mass = tail(a).2;
    let share = |e: f64| (log_mass - tail(a + e).2 + e * (a + 0.5 * e), -above.ln());
    let (mut low, mut high) = (0.0, a.abs() + 40.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let (got, want) = share(middle);
        if got < want { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// States that the kernels draw for 2^16 samples of one unit with input x.
pub(crate) fn draws(kind: UnitKind, x: f64, fields: Fields) -> Vec<f64> {
    let rows = vec![Row([x as f32; BLOCK]); (1 << 16) / BLOCK];
    let mut states = vec![ZERO; rows.len()];
    let draw = Uniforms::new(5, Stream::User, 1);
    conditional::states(Level::detect(), kind, &rows, &field_row(fields), draw, 3, 2, &mut states);
    numbers(&states)
}

/// The statistic of Kolmogorov and Smirnov times the square root of the number of states: above 2.7 with probability
/// below 1e-6 if `distribution` is theirs.
pub(crate) fn kolmogorov_smirnov(mut states: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
    states.sort_by(f64::total_cmp);
    let n = states.len() as f64;
    let distance = |(i, &h): (usize, &f64)| {
        let p = distribution(h);
        (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
    };
    states.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// The uniform numbers that are hardest, and many between.
pub(crate) fn uniforms() -> Vec<f32> {
    let last = 16_777_215;
    let ends = (0..8).chain([20, 100, 1000, 10_000]).flat_map(|k| [k, last - k]);
    ends.chain((0..500).map(|k| k * 33_554)).map(|k| k as f32 / 16_777_216.0).collect()
}
