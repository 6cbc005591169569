//! Counter-based randomness: every uniform is a pure function of where it is used.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011) maps a 128-bit counter and a 64-bit key to four 32-bit words. The key is the
//! user's seed; the counter says what is drawn:
//!
//! | word | holds |
//! |---|---|
//! | 0 | column: `8 * (column / 32) + column % 8` |
//! | 1 | row (a sample, a chain, a weight row) |
//! | 2 | step (a minibatch, an epoch) |
//! | 3 | purpose: [`Stream`] in the low byte, layer in the next, Gibbs half-step above |
//!
//! and output word `(column % 32) / 8` belongs to that column, so that 32 columns (one word of
//! packed states) are eight neighbouring counters. No state is kept anywhere: the seed fixes
//! everything, threads cannot race for numbers, and a resumed run needs only its step.

use crate::row::BLOCK;
use crate::simd::{Level, dispatch};

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// What a random number is for. Purposes never share numbers, so that drawing more for one
/// (a picture, an evaluation) changes nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stream {
    /// Initial weights.
    Weights = 1,
    /// Order of the samples in an epoch.
    Shuffle = 2,
    /// Choice of the validation samples.
    Split = 3,
    /// Binary pixels drawn from grey ones.
    Binarize = 4,
    /// Hidden states during training.
    Hidden = 5,
    /// Visible states during training.
    Visible = 6,
    /// Start of persistent chains.
    Chains = 7,
    /// Everything drawn to measure a model.
    Monitor = 8,
    /// Everything drawn to show a model.
    Picture = 9,
    /// Numbers drawn by a caller of the layer's own sampling functions.
    User = 10,
    /// Layers sampled on the way up in the wake phase.
    Wake = 11,
    /// Layers sampled on the way down in the sleep phase.
    Sleep = 12,
    /// Labels during training.
    Label = 13,
    /// Which units backpropagation leaves out.
    Dropout = 14,
    /// Hidden states of chains that estimate a likelihood.
    AnnealHidden = 15,
    /// Their visible states.
    AnnealVisible = 16,
    /// Their labels.
    AnnealLabel = 17,
    /// Whether tempered chains swap their states.
    Swap = 18,
    /// Which chains are multiplied where they are carried from one model to the next.
    Resample = 19,
    /// Missing values.
    Missing = 20,
    /// Which unit of a sample flips where one stands for all of them.
    Flip = 21,
}

/// A two-dimensional, infinite array of uniforms in [0, 1), addressed by row and column.
///
/// ```
/// use deepbelief_kernels::{Stream, Uniforms};
/// let u = Uniforms::new(1, Stream::User, 0);
/// assert_eq!(u.at(3, 5), u.at(3, 5));
/// assert_ne!(u.at(3, 5), u.at(3, 6));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uniforms {
    key: [u32; 2],
    step: u32,
    purpose: u32,
    /// The row that is called 0.
    first: u32,
}

impl Uniforms {
    /// The numbers of `stream` at `step` under `seed`.
    #[must_use]
    pub fn new(seed: u64, stream: Stream, step: u32) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], step, purpose: stream as u32, first: 0 }
    }

    /// The same stream for another layer of a stack.
    #[must_use]
    pub fn layer(mut self, layer: u8) -> Self {
        self.purpose = (self.purpose & !0xFF00) | (u32::from(layer) << 8);
        self
    }

    /// The same stream at another Gibbs half-step inside one training step.
    #[must_use]
    pub fn gibbs(mut self, half_step: u16) -> Self {
        self.purpose = (self.purpose & 0xFFFF) | (u32::from(half_step) << 16);
        self
    }

    /// The numbers from row `row` on: for samples, or chains, that are a part of more of them.
    #[must_use]
    pub fn from_row(mut self, row: u32) -> Self {
        self.first = self.first.wrapping_add(row);
        self
    }

    /// The key, and the two words of the counter that do not say where.
    #[cfg(feature = "cuda")]
    pub(crate) fn key_and_counter(&self) -> [u32; 4] {
        [self.key[0], self.key[1], self.step, self.purpose]
    }

    /// The uniform at one place.
    #[must_use]
    pub fn at(&self, row: u32, column: u32) -> f32 {
        let counter = 8 * (column / 32) + column % 8;
        let words = philox([counter, self.first.wrapping_add(row), self.step, self.purpose], self.key);
        unit(words[(column as usize % 32) / 8])
    }

    /// One of `count` things, drawn by the uniform at one place. It has 24 bits: the bias is below `count / 2^24`.
    #[must_use]
    pub fn choice(&self, row: u32, column: u32, count: usize) -> usize {
        (f64::from(self.at(row, column)) * count as f64) as usize
    }

    /// The 32 uniforms of columns `32 * block ..` in a row.
    #[inline(always)]
    #[must_use]
    pub fn block(&self, row: u32, block: u32) -> [f32; BLOCK] {
        let words = self.words::<8>(row, block);
        let mut out = [0.0; BLOCK];
        for w in 0..4 {
            for lane in 0..8 {
                out[8 * w + lane] = words[w][lane];
            }
        }
        out
    }

    /// The uniforms of columns `32 * block ..` in the rows from `row` on, eight counters a row:
    /// `[w][8 r + lane]` belongs to row `row + r` and column `8 w + lane` of the block.
    #[inline(always)]
    fn words<const COUNTERS: usize>(&self, row: u32, block: u32) -> [[f32; COUNTERS]; 4] {
        let mut out = [[0.0; COUNTERS]; 4];
        let row = self.first.wrapping_add(row);
        // Two halves side by side: a round waits for the round before, so there must be others.
        for i in 0..COUNTERS / 2 {
            self.fill_words(&mut out, i, row, block);
            self.fill_words(&mut out, i + COUNTERS / 2, row, block);
        }
        out
    }

    /// Writes the uniforms of counter `i` of [`Uniforms::words`].
    #[inline(always)]
    fn fill_words<const COUNTERS: usize>(&self, out: &mut [[f32; COUNTERS]; 4], i: usize, row: u32, block: u32) {
        let (row, lane) = (row.wrapping_add(i as u32 / 8), 8 * block + i as u32 % 8);
        let words = philox_wide([lane, row, self.step, self.purpose], self.key);
        for w in 0..4 {
            out[w][i] = unit(words[w] as u32);
        }
    }

    /// Calls `with(s, u)` for `samples` rows from `first` on, u being the 32 uniforms there. Rows
    /// are drawn eight at a time, so that the compiler fills whole vectors with counters.
    #[inline(always)]
    pub(crate) fn rows(&self, first: usize, block: usize, samples: usize, mut with: impl FnMut(usize, &[f32; BLOCK])) {
        const ROWS: usize = 8;
        for start in (0..samples).step_by(ROWS) {
            let words = self.words::<{ 8 * ROWS }>((first + start) as u32, block as u32);
            for r in 0..ROWS.min(samples - start) {
                let mut u = [0.0; BLOCK];
                for w in 0..4 {
                    u[8 * w..8 * w + 8].copy_from_slice(&words[w][8 * r..8 * r + 8]);
                }
                with(start + r, &u);
            }
        }
    }

    /// One bit for each of the columns `32 * block ..` in a row: whether the uniform there lies
    /// below the column's probability.
    #[must_use]
    pub fn below(&self, row: u32, block: u32, probabilities: &[f32; BLOCK]) -> u32 {
        below(Level::detect(), *self, row, block, probabilities)
    }

    /// The same for grey pixels, whose probabilities are their values over 255.
    #[must_use]
    pub fn below_grey(&self, row: u32, block: u32, pixels: &[u8; BLOCK]) -> u32 {
        below_grey(Level::detect(), *self, row, block, pixels)
    }

    /// Writes the uniforms of columns 0, 1, ... of a row.
    pub fn fill_row(&self, row: u32, out: &mut [f32]) {
        for (block, chunk) in out.chunks_mut(BLOCK).enumerate() {
            chunk.copy_from_slice(&self.block(row, block as u32)[..chunk.len()]);
        }
    }

    /// Shuffles `items` uniformly (Fisher & Yates), drawing from row `row`.
    pub fn shuffle<T>(&self, row: u32, items: &mut [T]) {
        let mut numbers = [0.0; BLOCK];
        for i in (1..items.len()).rev() {
            let place = items.len() - 1 - i;
            if place.is_multiple_of(BLOCK) {
                numbers = self.block(row, (place / BLOCK) as u32);
            }
            // 24 bits of uniform: the bias is below n / 2^24 and the same for every run.
            let j = (f64::from(numbers[place % BLOCK]) * (i + 1) as f64) as usize;
            items.swap(i, j);
        }
    }

    /// Fills `out` [rows, columns], row by row, with independent N(0, std²) numbers
    /// (Box & Muller 1958). The same bits on every platform.
    pub fn normal(&self, std: f64, columns: usize, out: &mut [f32]) {
        if columns == 0 {
            return;
        }
        for (row, out) in out.chunks_mut(columns).enumerate() {
            self.normal_row(std, row as u32, out);
        }
    }

    /// One row of [`Uniforms::normal`].
    pub fn normal_row(&self, std: f64, row: u32, out: &mut [f32]) {
        for (pair, out) in out.chunks_mut(2).enumerate() {
            // 1 - u lies in (0, 1]: the logarithm stays finite.
            let u = 1.0 - f64::from(self.at(row, 2 * pair as u32));
            let angle = std::f64::consts::TAU * f64::from(self.at(row, 2 * pair as u32 + 1));
            let radius = std * libm::sqrt(-2.0 * libm::log(u));
            let (sin, cos) = libm::sincos(angle);
            out[0] = (radius * cos) as f32;
            if let Some(second) = out.get_mut(1) {
                *second = (radius * sin) as f32;
            }
        }
    }
}

dispatch! {
    fn below(draw: Uniforms, row: u32, block: u32, probabilities: &[f32; BLOCK]) -> u32 {
        crate::units::math::bernoulli(probabilities, &draw.block(row, block))
    }
}

dispatch! {
    fn below_grey(draw: Uniforms, row: u32, block: u32, pixels: &[u8; BLOCK]) -> u32 {
        // Not `map`, which stays a call.
        let mut probabilities = [0.0; BLOCK];
        for (probability, &pixel) in probabilities.iter_mut().zip(pixels) {
            *probability = f32::from(pixel) / 255.0;
        }
        crate::units::math::bernoulli(&probabilities, &draw.block(row, block))
    }
}

/// The top 24 bits of a word as a float in [0, 1).
#[inline(always)]
fn unit(word: u32) -> f32 {
    // As i32 the conversion is one vector instruction everywhere; 24 bits are never negative.
    ((word >> 8) as i32) as f32 * (1.0 / 16_777_216.0)
}

/// One Philox4x32-10 block, the reference for the wide words below.
#[must_use]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..ROUNDS {
        let p0 = u64::from(c[0]) * u64::from(MULTIPLIERS[0]);
        let p1 = u64::from(c[2]) * u64::from(MULTIPLIERS[1]);
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// The same in words of 64 bits of which only the low halves count: in vectors, the high and low
/// words of a product then need no sorting out between the rounds.
#[inline(always)]
fn philox_wide(counter: [u32; 4], key: [u32; 2]) -> [u64; 4] {
    const LOW: u64 = 0xFFFF_FFFF;
    let [mut c0, mut c1, mut c2, mut c3] =
        [u64::from(counter[0]), u64::from(counter[1]), u64::from(counter[2]), u64::from(counter[3])];
    let mut k = key;
    for _ in 0..ROUNDS {
        let p0 = (c0 & LOW) * u64::from(MULTIPLIERS[0]);
        let p1 = (c2 & LOW) * u64::from(MULTIPLIERS[1]);
        (c0, c1) = ((p1 >> 32) ^ c1 ^ u64::from(k[0]), p1);
        (c2, c3) = ((p0 >> 32) ^ c3 ^ u64::from(k[1]), p0);
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    [c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 distribution (file `kat_vectors`, philox 4x32 10).
    #[test]
    fn philox_gives_the_published_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn blocks_rows_and_single_numbers_agree() {
        let u = Uniforms::new(0x1234_5678_9abc_def0, Stream::Hidden, 7).layer(2).gibbs(3);
        let mut row = vec![0.0; 100];
        u.fill_row(5, &mut row);
        for (column, &x) in row.iter().enumerate() {
            assert_eq!(x, u.at(5, column as u32));
            assert!((0.0..1.0).contains(&x));
        }
    }

    #[test]
    fn a_part_of_the_rows_has_the_numbers_that_it_has_in_the_whole() {
        let (u, mut row) = (Uniforms::new(5, Stream::Visible, 2), [0.0; 70]);
        let part = u.from_row(100).from_row(28);
        part.fill_row(3, &mut row);
        assert!(
            (0..70).all(|column| row[column as usize] == u.at(131, column) && part.at(3, column) == u.at(131, column))
        );
        let mut rows = 0;
        part.rows(1, 1, 11, |at, numbers| {
            assert_eq!(*numbers, u.block(129 + at as u32, 1));
            rows += 1;
        });
        assert_eq!(rows, 11);
    }

    #[test]
    fn bits_say_which_numbers_lie_below() {
        let u = Uniforms::new(2, Stream::Binarize, 3);
        let p = std::array::from_fn(|i| i as f32 / 31.0);
        let word = u.below(4, 1, &p);
        for i in 0..32 {
            assert_eq!(word >> i & 1 == 1, u.at(4, 32 + i) < p[i as usize]);
        }
        assert_eq!((word & 1, word >> 31), (0, 1), "never for 0, always for 1");
        let pixels = std::array::from_fn(|i| (i * 8) as u8);
        assert_eq!(u.below_grey(4, 1, &pixels), u.below(4, 1, &pixels.map(|x| f32::from(x) / 255.0)));
    }

    #[test]
    fn purposes_layers_and_steps_do_not_share_numbers() {
        let base = Uniforms::new(1, Stream::Hidden, 1);
        let others = [
            Uniforms::new(2, Stream::Hidden, 1),
            Uniforms::new(1, Stream::Visible, 1),
            Uniforms::new(1, Stream::Hidden, 2),
            base.layer(1),
            base.gibbs(1),
        ];
        for other in others {
            assert_ne!(other.block(0, 0), base.block(0, 0));
        }
    }

    /// Mean, variance and lag-1 correlation of 2^16 numbers, each within five standard errors:
    /// a right generator fails with probability below 2e-6, and the seed is fixed.
    #[test]
    fn uniforms_have_uniform_moments() {
        let u = Uniforms::new(3, Stream::User, 0);
        let mut x = vec![0.0; 1 << 16];
        u.fill_row(0, &mut x);
        let n = x.len() as f64;
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let var = x.iter().map(|&x| (f64::from(x) - 0.5).powi(2)).sum::<f64>() / n;
        let lag = x.windows(2).map(|w| (f64::from(w[0]) - 0.5) * (f64::from(w[1]) - 0.5)).sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "mean {mean}");
        assert!((var - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / n).sqrt(), "variance {var}");
        assert!(lag.abs() < 5.0 / 12.0 / n.sqrt(), "lag-1 covariance {lag}");
    }

    #[test]
    fn normals_have_the_asked_standard_deviation() {
        let mut x = vec![0.0; 101 * 333];
        Uniforms::new(3, Stream::Weights, 0).normal(0.01, 333, &mut x);
        let n = x.len() as f64;
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let std = (x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n).sqrt();
        // Five standard errors each: a false failure is below 1e-6, and the seed is fixed.
        assert!(mean.abs() < 5.0 * 0.01 / n.sqrt(), "mean {mean}");
        assert!((std - 0.01).abs() < 5.0 * 0.01 / (2.0 * n).sqrt(), "std {std}");
    }

    /// Each of 7 things is drawn 1,000 times on average: six standard deviations of that are 176.
    #[test]
    fn choices_are_as_frequent_as_each_other() {
        let (u, mut counts) = (Uniforms::new(4, Stream::Flip, 0), [0_u32; 7]);
        for row in 0..7000 {
            counts[u.choice(row, 0, 7)] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 176), "{counts:?}");
    }

    #[test]
    fn shuffle_is_a_permutation_that_the_row_changes() {
        let u = Uniforms::new(9, Stream::Shuffle, 0);
        let mut a: Vec<u32> = (0..1000).collect();
        let mut b = a.clone();
        u.shuffle(0, &mut a);
        u.shuffle(1, &mut b);
        assert_ne!(a, b);
        a.sort_unstable();
        assert_eq!(a, (0..1000).collect::<Vec<_>>());
    }
}
