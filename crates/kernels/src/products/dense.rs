//! Dense products of a matrix with rows of 32 columns.
//!
//! Sums stay in registers for a block of rows, which stays in the first-level cache for all sums. Every form adds the
//! same products in the same order, and gives the same bits.

use crate::products::product::add_scaled;
use crate::row::Row;
use crate::simd::{Kind, Level};

/// Rows of a block: 28 KB.
const ROWS: usize = 224;

/// A matrix read at two strides: its element (i, k) is `values[i * step + k * stride]`.
#[derive(Clone, Copy)]
struct Strided<'a> {
    values: &'a [f32],
    step: usize,
    stride: usize,
}

impl Strided<'_> {
    fn from(self, i: usize, k: usize) -> Self {
        Self { values: self.values.get(i * self.step + k * self.stride..).unwrap_or(&[]), ..self }
    }
}

/// `out[i] += sum over k of a[i * step + k * stride] * rows[k]`: a dense product when
/// `a` [samples, units] is read along its units (step = units, stride = 1), a dense
/// gradient when it is read along its samples (step = 1, stride = units).
pub(crate) fn dense(level: Level, rows: &[Row], a: &[f32], step: usize, stride: usize, out: &mut [Row]) {
    let a = Strided { values: a, step, stride };
    match level.0 {
        // SAFETY: a level of this kind is made only after the processor was asked.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::dense(rows, a, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::dense(rows, a, out) },
        Kind::Portable => by_fours(rows, a, out),
    }
}

/// Four sums share one pass over a block of rows.
fn by_fours(rows: &[Row], a: Strided<'_>, out: &mut [Row]) {
    const LANES: usize = 4;
    for (block, rows) in rows.chunks(ROWS).enumerate() {
        let Strided { values: a, step, stride } = a.from(0, block * ROWS);
        let mut first = 0;
        let mut groups = out.chunks_exact_mut(LANES);
        for group in &mut groups {
            // Four named sums, not an array of them: so the compiler vectorises along the
            // columns and keeps all four in registers.
            let (mut s0, mut s1, mut s2, mut s3) = (group[0].0, group[1].0, group[2].0, group[3].0);
            for (k, row) in rows.iter().enumerate() {
                let at = first * step + k * stride;
                add_scaled(&mut s0, a[at], row);
                add_scaled(&mut s1, a[at + step], row);
                add_scaled(&mut s2, a[at + 2 * step], row);
                add_scaled(&mut s3, a[at + 3 * step], row);
            }
            for (out, sum) in group.iter_mut().zip([s0, s1, s2, s3]) {
                out.0 = sum;
            }
            first += LANES;
        }
        for out in groups.into_remainder() {
            let mut sum = out.0;
            for (k, row) in rows.iter().enumerate() {
                add_scaled(&mut sum, a[first * step + k * stride], row);
            }
            out.0 = sum;
            first += 1;
        }
    }
}

/// [`dense`] with a pair of registers for each of so many sums, which compilers do not find by themselves: of four sums in
/// AVX-512 they make registers of 16, 8, 4 and 1 columns.
///
/// | | registers | columns of one | sums |
/// |---|---|---|---|
/// | AVX2 | 16 | 8 | 6 |
/// | AVX-512 | 32 | 16 | 12 |
#[cfg(target_arch = "x86_64")]
macro_rules! in_registers {
    ($name:ident, $feature:literal, $columns:literal, $sums:literal,
     $load:ident, $store:ident, $broadcast:ident, $multiply:ident, $add:ident) => {
        mod $name {
            use super::{ROWS, Strided};
            use crate::row::{BLOCK, Row};
            use std::arch::x86_64::{$add, $broadcast, $load, $multiply, $store};

            #[target_feature(enable = $feature)]
            pub(super) fn dense(rows: &[Row], a: Strided<'_>, out: &mut [Row]) {
                for (block, rows) in rows.chunks(ROWS).enumerate() {
                    let k = block * ROWS;
                    let mut groups = out.chunks_exact_mut($sums);
                    let mut first = 0;
                    for group in &mut groups {
                        sums::<$sums>(rows, a.from(first, k), group);
                        first += $sums;
                    }
                    let mut pairs = groups.into_remainder().chunks_exact_mut(2);
                    for pair in &mut pairs {
                        sums::<2>(rows, a.from(first, k), pair);
                        first += 2;
                    }
                    for one in pairs.into_remainder().chunks_exact_mut(1) {
                        sums::<1>(rows, a.from(first, k), one);
                        first += 1;
                    }
                }
            }

            /// Brings N sums up to date.
            #[target_feature(enable = $feature)]
            #[inline]
            fn sums<const N: usize>(rows: &[Row], a: Strided<'_>, out: &mut [Row]) {
                let Strided { values, step, stride } = a;
                assert!(out.len() == N, "as many rows as sums");
                let Some(last) = rows.len().checked_sub(1) else { return };
                assert!(values.len() > (N - 1) * step + last * stride, "a factor for each row and sum");
                for start in (0..BLOCK).step_by(2 * $columns) {
                    // SAFETY: so many floats from `start` on, two registers, lie within the 32 of a row.
                    let pair = |row: &Row| unsafe {
                        let row = row.0.as_ptr().add(start);
                        [$load(row), $load(row.add($columns))]
                    };
                    let mut sums: [_; N] = std::array::from_fn(|i| pair(&out[i]));
                    for (k, row) in rows.iter().enumerate() {
                        let row = pair(row);
                        for (i, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: the largest index is that of the assertion above.
                            let factor = $broadcast(unsafe { *values.get_unchecked(i * step + k * stride) });
                            *sum = [$add(sum[0], $multiply(factor, row[0])), $add(sum[1], $multiply(factor, row[1]))];
                        }
                    }
                    for (out, sum) in out.iter_mut().zip(sums) {
                        // SAFETY: as above.
                        unsafe {
                            let out = out.0.as_mut_ptr().add(start);
                            $store(out, sum[0]);
                            $store(out.add($columns), sum[1]);
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
in_registers!(avx2, "avx2", 8, 6, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_mul_ps, _mm256_add_ps);

#[cfg(target_arch = "x86_64")]
in_registers!(
    avx512,
    "avx512f",
    16,
    12,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_mul_ps,
    _mm512_add_ps
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, Uniforms};
    use crate::row::{BLOCK, ZERO};

    /// Numbers of sums and of rows on both sides of a group and a block; both ways to read the matrix.
    #[test]
    fn every_level_adds_the_same_products_in_the_same_order() {
        let draw = Uniforms::new(5, Stream::User, 0);
        for (sums, count) in [(1, 1), (6, 3), (7, 224), (13, 225), (29, 500), (4, 0)] {
            let rows: Vec<Row> = (0..count).map(|k| Row(draw.block(k, 0).map(|u| u - 0.5))).collect();
            let a: Vec<f32> = (0..sums * count as usize).map(|at| draw.at(at as u32, 64) - 0.5).collect();
            for (step, stride) in [(count as usize, 1), (1, sums)] {
                let want: Vec<Row> = (0..sums)
                    .map(|i| {
                        let mut sum = ZERO;
                        for (k, row) in rows.iter().enumerate() {
                            for lane in 0..BLOCK {
                                sum.0[lane] += a[i * step + k * stride] * row.0[lane];
                            }
                        }
                        sum
                    })
                    .collect();
                for level in Level::available() {
                    let mut out = vec![ZERO; sums];
                    dense(level, &rows, &a, step, stride, &mut out);
                    assert!(out == want, "{sums} sums of {count} rows, {}", level.name());
                }
            }
        }
    }
}
