//! The couplings of pairs of sites as weights of hidden Gaussian units: `J_ij = W_i W_jᵀ` for all pairs of sites.
//!
//! Each site has one level on, so what a matrix says of two levels of the same site is a field, and its diagonal blocks may
//! be anything. They are `c (1 - 1/q)` on the diagonal and `-c/q` beside it, with c large enough that no eigenvalue is below
//! 0, and hardly larger: the Gibbs chains of the units mix the more slowly the larger c is. The rest is a Cholesky
//! decomposition. In the zero-sum gauge the last level of a site depends on its others, so a site has q - 1 columns, and the
//! last site has none that reaches another site.

/// Steps of a power iteration, which finds eigenvalues to some per cent.
const STEPS: usize = 100;

/// By how much c exceeds what the power iteration says, and grows where that was too little.
const MARGIN: f64 = 1.1;

/// The least pivot, in parts of c: one below it says that c is too small.
const LEAST_PIVOT: f64 = 0.01;

/// Weights [rows, columns].
#[derive(Debug)]
pub(crate) struct Factor {
    pub(crate) columns: usize,
    pub(crate) w: Vec<f64>,
}

/// Factors a symmetric matrix of couplings in the zero-sum gauge, of so many levels a site, whose diagonal blocks are 0.
/// There is at least one column.
pub(crate) fn factor(mut j: Vec<f64>, levels: usize) -> Factor {
    let n = j.len().isqrt();
    let largest = stretch(&j, n, 0.0);
    let mut c = MARGIN * (stretch(&j, n, largest) - largest).max(0.1 * largest);
    while c > 0.0 && !decompose(&mut j, n, levels, c) {
        c *= MARGIN;
    }
    let reaches = |column: &usize| {
        let below = column - column % levels + levels;
        c > 0.0 && (below..n).any(|row| j[row * n + column] != 0.0)
    };
    // The last level of a site has no column, and the upper triangle has the couplings.
    let columns: Vec<usize> = (0..n).filter(|column| column % levels + 1 < levels).filter(reaches).collect();
    if columns.is_empty() {
        return Factor { columns: 1, w: vec![0.0; n] };
    }
    let weight = |row: usize, column: usize| if column <= row { j[row * n + column] } else { 0.0 };
    let w = (0..n).flat_map(|row| columns.iter().map(move |&column| weight(row, column))).collect();
    Factor { columns: columns.len(), w }
}

/// By how much `shift - J` stretches the vector that it stretches most: |J|'s largest eigenvalue without a shift, and with
/// that as the shift, the shift less the smallest eigenvalue.
fn stretch(j: &[f64], n: usize, shift: f64) -> f64 {
    // Any vector does that is not orthogonal to the one which is looked for.
    let mut x: Vec<f64> = (0..n).map(|at| ((at * 7919 + 1) % 1013) as f64 / 1013.0 - 0.5).collect();
    let mut norm = 0.0;
    for _ in 0..STEPS {
        let length = dot(&x, &x).sqrt();
        if length == 0.0 {
            return 0.0;
        }
        x = j.chunks_exact(n).zip(&x).map(|(row, own)| (shift * own - dot(row, &x)) / length).collect();
        norm = dot(&x, &x).sqrt();
    }
    norm
}

/// Writes the factor of `J + c P` into the lower triangle, where the upper one has J, and P takes the mean from each site.
/// False if the matrix has a negative eigenvalue.
fn decompose(j: &mut [f64], n: usize, levels: usize, c: f64) -> bool {
    let own = |row: usize, column: usize| c * (f64::from(u8::from(row == column)) - 1.0 / levels as f64);
    for row in 0..n {
        let site = row - row % levels;
        let (above, rest) = j.split_at_mut(row * n);
        let current = &mut rest[..n];
        for column in 0..=row {
            if column % levels + 1 == levels {
                current[column] = 0.0;
                continue;
            }
            let whole = if column >= site { own(row, column) } else { above[column * n + row] };
            if column == row {
                let pivot = whole - dot(&current[..row], &current[..row]);
                // The last site has no columns.
                if pivot < LEAST_PIVOT * c && site + levels < n {
                    return false;
                }
                current[row] = pivot.max(LEAST_PIVOT * c).sqrt();
            } else {
                let upper = &above[column * n..][..n];
                current[column] = (whole - dot(&current[..column], &upper[..column])) / upper[column];
            }
        }
    }
    true
}

/// The product of two vectors, in eight sums.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Couplings in the zero-sum gauge that differ; none of the site `alone`.
    fn couplings(sites: usize, levels: usize, alone: Option<usize>) -> Vec<f64> {
        let n = sites * levels;
        let mut j = vec![0.0; n * n];
        for a in 0..sites {
            for b in a + 1..sites {
                if [a, b].map(Some).contains(&alone) {
                    continue;
                }
                let value = |x: usize, y: usize| {
                    let at = (a * levels + x) * n + b * levels + y;
                    ((at * at * 7919) % 1013) as f64 / 1013.0
                };
                let mean = |values: &dyn Fn(usize) -> f64| (0..levels).map(values).sum::<f64>() / levels as f64;
                for x in 0..levels {
                    for y in 0..levels {
                        let zero_sum = value(x, y) - mean(&|y| value(x, y)) - mean(&|x| value(x, y))
                            + mean(&|x| mean(&|y| value(x, y)));
                        j[(a * levels + x) * n + b * levels + y] = zero_sum;
                        j[(b * levels + y) * n + a * levels + x] = zero_sum;
                    }
                }
            }
        }
        j
    }

    #[test]
    fn weights_have_the_couplings_of_all_pairs_of_sites() {
        for (sites, levels, alone, expected) in
            [(5, 4, None, 12), (5, 4, Some(1), 9), (2, 2, None, 1), (12, 3, None, 22)]
        {
            let (j, n) = (couplings(sites, levels, alone), sites * levels);
            let Factor { columns, w } = factor(j.clone(), levels);
            assert_eq!(columns, expected);
            for row in 0..n {
                for column in (0..n).filter(|column| column / levels != row / levels) {
                    let found = dot(&w[row * columns..][..columns], &w[column * columns..][..columns]);
                    assert!((found - j[row * n + column]).abs() < 1e-12, "{row}, {column}: {found}");
                }
            }
            // The weights are hardly larger than the smallest eigenvalue asks for.
            let (squares, largest) = (dot(&w, &w), stretch(&j, n, 0.0));
            let smallest = stretch(&j, n, largest) - largest;
            assert!(squares < 1.5 * smallest.max(0.1 * largest) * n as f64, "{squares}, {smallest}, {largest}");
        }
    }

    #[test]
    fn sites_without_couplings_have_one_unit_without_weights() {
        for n in [1, 6] {
            let Factor { columns, w } = factor(vec![0.0; n * n], n.min(3));
            assert_eq!((columns, w), (1, vec![0.0; n]));
        }
    }
}
