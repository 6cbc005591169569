//! Products of a batch of states with one panel of a weight matrix.
//!
//! For binary states, `x_s = sum of the rows of the panel whose units are on in sample s`; for
//! real-valued ones, the same with scaled rows. Rows are taken a block at a time so that the
//! block stays in the first-level cache for all samples.

use crate::row::{BLOCK, Row, ZERO};
use crate::simd::dispatch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, BLOCK_WORDS, CHUNK, List};

type Sum = [f32; BLOCK];

#[inline(always)]
fn add(sum: &mut Sum, row: &Row) {
    for (sum, &x) in sum.iter_mut().zip(&row.0) {
        *sum += x;
    }
}

/// The four 16-bit quarters of a word in reverse.
fn swap_quarters(word: u64) -> u64 {
    let halves = word.rotate_left(32);
    (halves & 0xFFFF_0000_FFFF_0000) >> 16 | (halves & 0x0000_FFFF_0000_FFFF) << 16
}

/// `sum +=` the listed rows. Sums of every other row hide the latency of the additions; entries
/// are read four at a time, since a read of one entry takes more of a core than its size says.
#[inline(always)]
pub(crate) fn add_rows(rows: &[Row], list: List<'_>, sum: &mut Sum) {
    assert!(rows.len() >= list.rows(), "a row for each entry");
    // SAFETY: a list's entries are below its number of rows, and there are that many. To check
    // each costs a tenth of this function.
    let row = |entry: u64| unsafe { rows.get_unchecked((entry & 0xFFFF) as usize) };
    let (mut even, mut odd) = (*sum, [0.0; BLOCK]);
    for four in list.fours() {
        // SAFETY: four u16 are eight bytes, and the read needs no alignment.
        let four = unsafe { four.as_ptr().cast::<u64>().read_unaligned() };
        // The first entry comes lowest, or highest where bytes are stored the other way round.
        let four = if cfg!(target_endian = "little") { four } else { swap_quarters(four) };
        add(&mut even, row(four));
        add(&mut odd, row(four >> 16));
        add(&mut even, row(four >> 32));
        add(&mut odd, row(four >> 48));
    }
    for i in 0..BLOCK {
        sum[i] = even[i] + odd[i];
    }
}

dispatch! {
    /// `out[i] = sum of the panel's rows active in sample first + i`.
    pub(crate) fn sparse(panel: &[Row], active: &Active, first: usize, out: &mut [Row]) {
        for block in 0..active.blocks() {
            for (i, out) in out.iter_mut().enumerate() {
                let mut sum = if block == 0 { ZERO.0 } else { out.0 };
                add_rows(panel, active.list(first + i, block), &mut sum);
                out.0 = sum;
            }
        }
    }
}

/// Units that share a table of sums.
const NIBBLE: usize = 4;

dispatch! {
    /// As [`sparse`], for states of which many are on: the sums of every subset of four
    /// neighbouring rows are tabled once, and four units then cost one addition, whatever their
    /// states (the method of the four Russians; Arlazarov, Dinic, Kronrod & Faradzev 1970).
    pub(crate) fn tabled(panel: &[Row], states: &Bits, first: usize, out: &mut [Row]) {
        let mut table = [[ZERO; 1 << NIBBLE]; BLOCK / NIBBLE];
        for (block, rows) in panel.chunks_exact(BLOCK).take(states.blocks()).enumerate() {
            for (sums, rows) in table.iter_mut().zip(rows.chunks_exact(NIBBLE)) {
                for subset in 1..1 << NIBBLE {
                    let lowest = subset & (!subset + 1);
                    let rest = sums[subset ^ lowest].0;
                    let row = &rows[lowest.trailing_zeros() as usize].0;
                    for i in 0..BLOCK {
                        sums[subset].0[i] = rest[i] + row[i];
                    }
                }
            }
            // Of the last block, only what has units.
            let pairs = (states.units() - block * BLOCK).min(BLOCK).div_ceil(2 * NIBBLE);
            let words = &states.block(block)[first..first + out.len()];
            for (out, &word) in out.iter_mut().zip(words) {
                let (mut even, mut odd) = (if block == 0 { ZERO.0 } else { out.0 }, ZERO.0);
                for pair in 0..pairs {
                    let (a, b) = (2 * pair, 2 * pair + 1);
                    add(&mut even, &table[a][(word >> (NIBBLE * a)) as usize & 15]);
                    add(&mut odd, &table[b][(word >> (NIBBLE * b)) as usize & 15]);
                }
                for i in 0..BLOCK {
                    out.0[i] = even[i] + odd[i];
                }
            }
        }
    }
}

/// Whether tables beat lists for one sample, whatever comes with it, where many do.
pub(crate) fn tables_pay_for(states: &Bits, row: usize) -> bool {
    pays(states.blocks(), states.ones_of(row) as f64, CHUNK as f64)
}

/// Whether tables beat lists for so many samples with so many `ones` each, by the row additions each needs a sample.
/// Measured: entering a list costs about as much as twelve additions, storing sums between blocks an eighth of the
/// tabled ones; a table is built once for a chunk of samples.
pub(crate) fn pays(blocks: usize, ones: f64, samples: f64) -> bool {
    let groups = (blocks * BLOCK / NIBBLE) as f64;
    let tabled = 1.125 * groups + f64::from((1 << NIBBLE) - 1) * groups / samples.min(CHUNK as f64);
    let listed = ones + 12.0 * blocks.div_ceil(BLOCK_WORDS) as f64;
    tabled < listed
}

dispatch! {
    /// `out[i] +=` rows that came on in sample first + i, minus those that went off.
    pub(crate) fn difference(panel: &[Row], change: &Active, first: usize, out: &mut [Row]) {
        for (s, out) in out.iter_mut().enumerate() {
            let (mut off, mut on) = (ZERO.0, ZERO.0);
            add_rows(panel, change.list(first + s, 0), &mut off);
            add_rows(panel, change.list(first + s, 1), &mut on);
            for i in 0..BLOCK {
                out.0[i] += on[i] - off[i];
            }
        }
    }
}

#[inline(always)]
pub(crate) fn add_scaled(sum: &mut Sum, factor: f32, row: &Row) {
    for (sum, &x) in sum.iter_mut().zip(&row.0) {
        *sum += factor * x;
    }
}

/// `sum += factor(i) * row` over the listed rows.
#[inline(always)]
pub(crate) fn add_scaled_rows(rows: &[Row], list: &[u16], factors: impl Fn(usize, u16) -> f32, sum: &mut Sum) {
    for (at, &i) in list.iter().enumerate() {
        add_scaled(sum, factors(at, i), &rows[usize::from(i)]);
    }
}

dispatch! {
    /// As [`sparse`], each row scaled by its unit's value; `values` is row-major
    /// [samples, units] and zero wherever a unit is not listed.
    pub(crate) fn sparse_scaled(
        panel: &[Row], active: &Active, values: &[f32], units: usize, first: usize, out: &mut [Row],
    ) {
        for block in 0..active.blocks() {
            for (i, out) in out.iter_mut().enumerate() {
                let values = &values[(first + i) * units..(first + i + 1) * units];
                let mut sum = if block == 0 { ZERO.0 } else { out.0 };
                add_scaled_rows(panel, active.list(first + i, block).exact(), |_, unit| values[usize::from(unit)], &mut sum);
                out.0 = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::products::panels::Panels;
    use crate::simd::Level;
    use crate::states::lists::tests::random_bits;

    /// Weights are whole numbers, so that sums are exact in any order; numbers of units on both
    /// sides of a panel's tiles leave the row that fills lists up in the last tile or in its own.
    #[test]
    fn products_are_sums_of_the_rows_that_are_on() {
        for units in [1, 31, 32, 33, 64, 250, 256] {
            let weights: Vec<f32> = (0..units * 32).map(|i| (i % 101) as f32 - 50.0).collect();
            let panels = Panels::pack(units, 32, &weights);
            let (before, after) = (random_bits(17, units, 0.4, 5), random_bits(17, units, 0.6, 6));
            let exact = |bits: &Bits, s: usize, column: usize| -> f32 {
                (0..units).filter(|&i| bits.get(s, i)).map(|i| weights[i * 32 + column]).sum()
            };
            let (mut lists, mut change) = (Active::default(), Active::default());
            lists.of(&before);
            change.of_difference(&before, &after);
            for level in Level::available() {
                let (mut listed, mut tables) = ([ZERO; 17], [ZERO; 17]);
                sparse(level, panels.panel(0), &lists, 0, &mut listed);
                tabled(level, panels.panel(0), &before, 0, &mut tables);
                let mut changed = listed;
                difference(level, panels.panel(0), &change, 0, &mut changed);
                for s in 0..17 {
                    for column in 0..32 {
                        let (x, y) = (exact(&before, s, column), exact(&after, s, column));
                        let got = (listed[s].0[column], tables[s].0[column], changed[s].0[column]);
                        assert_eq!(got, (x, x, y), "{units} units, {}", level.name());
                    }
                }
            }
        }
    }

    /// What the row sums of a Gibbs step take, of sequences of 31 sites with 21 levels under 100 hidden units:
    /// `cargo test --release -p deepbelief-kernels speed -- --ignored --nocapture`
    #[test]
    #[ignore = "measures, and asserts nothing"]
    #[expect(clippy::print_stderr, reason = "what it measures is for reading")]
    fn speed_of_sums_of_rows() {
        const SAMPLES: usize = 100;
        let panel_of = |units: usize| Panels::pack(units, 32, &vec![0.5; 32 * units]);
        let (up, down) = (panel_of(31 * 21), panel_of(100));
        let (visible, hidden) = (random_bits(SAMPLES, 31 * 21, 1.0 / 21.0, 5), random_bits(SAMPLES, 100, 0.5, 6));
        let (mut lists, mut out) = (Active::default(), [ZERO; SAMPLES]);
        lists.of(&visible);
        for level in Level::available() {
            let mut fastest = [f64::INFINITY; 2];
            for _ in 0..2000 {
                let start = std::time::Instant::now();
                sparse(level, up.panel(0), &lists, 0, &mut out);
                let middle = std::time::Instant::now();
                tabled(level, down.panel(0), &hidden, 0, &mut out);
                fastest[0] = fastest[0].min((middle - start).as_secs_f64());
                fastest[1] = fastest[1].min(middle.elapsed().as_secs_f64());
            }
            let [up, down] = fastest.map(|seconds| 1e9 * seconds / SAMPLES as f64);
            eprintln!("{:8} 32 columns of a sample: up {up:.1}, down {down:.1} ns", level.name());
        }
    }

    #[test]
    fn quarters_are_reversed_whole() {
        assert_eq!(swap_quarters(0x0102_0304_0506_0708), 0x0708_0506_0304_0102);
    }
}
