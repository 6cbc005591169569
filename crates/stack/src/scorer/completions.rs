//! Sums over the completions of a sample.
//!
//! Completions differ only in what is missing. Where the hidden units are binary, what they get from the observed units is
//! summed once for all completions, and each gap adds its own to that. All completions share the buffers. Other models
//! pass the completions through their tensors, some at once.

use crate::choices::Choice;
use crate::dbn::Dbn;
use crate::error::Result;
use crate::estimate::Missing;
use candle_core::{DType, Tensor};
use deepbelief_kernels::{LogSum, UnitKind};

/// Completions that are passed through tensors at once.
pub(super) const AT_ONCE: usize = 256;

/// Hidden units whose factors are multiplied before their logarithm is taken: of factors between 1 and 2 the product is
/// finite.
const FACTORS: usize = 512;

/// What is summed over: the options of gaps, and for numbers nodes, `steps` apart, `reaches` of them on each side of 0.
pub(super) struct Grid<'a> {
    pub(super) gaps: &'a [Choice],
    pub(super) numbers: &'a [Missing],
    pub(super) steps: &'a [f64],
    pub(super) reaches: &'a [usize],
}

/// A sum over completions.
pub(super) struct Summed {
    pub(super) sum: LogSum,
    /// The largest term.
    pub(super) most: f64,
    /// The largest term of those where a number is at an end of its nodes.
    pub(super) outside: f64,
}

impl Summed {
    pub(super) fn new() -> Self {
        Self { sum: LogSum::default(), most: f64::NEG_INFINITY, outside: f64::NEG_INFINITY }
    }

    pub(super) fn add(&mut self, x: f64, is_end: bool) {
        self.sum.add(x);
        self.most = self.most.max(x);
        if is_end {
            self.outside = self.outside.max(x);
        }
    }
}

impl Grid<'_> {
    /// The value of a node of a number, and whether it is an end.
    fn node(&self, number: usize, node: usize) -> (f32, bool) {
        let reach = self.reaches[number];
        let value = (node as f64 - reach as f64) * self.steps[number];
        (value as f32, node == 0 || node == 2 * reach)
    }

    /// Completes `v` by the completion `place`, one number for all gaps; says whether a number is at an end.
    pub(super) fn put(&self, mut place: usize, v: &mut [f32]) -> bool {
        for gap in self.gaps {
            let options = gap.units().len().max(2);
            gap.put(place % options, v);
            place /= options;
        }
        let mut is_end = false;
        for (k, number) in self.numbers.iter().enumerate() {
            let nodes = 2 * self.reaches[k] + 1;
            let (value, end) = self.node(k, place % nodes);
            v[number.at] = value;
            is_end |= end;
            place /= nodes;
        }
        is_end
    }
}

/// An RBM of binary hidden units, and of visible ones whose energy is `g x²/2 - b x`.
#[derive(Debug)]
pub(super) struct BinaryHidden {
    /// Weights, `[visible, hidden]`.
    w: Vec<f64>,
    hb: Vec<f64>,
    vb: Vec<f64>,
    /// g of Gaussian units, 0 of all others.
    g: Vec<f64>,
}

/// A value that a completion has.
struct Value {
    unit: usize,
    x: f64,
    /// Whether it is at an end of the nodes of its number.
    is_end: bool,
}

impl BinaryHidden {
    /// Of a net that is such an RBM, without labels.
    pub(super) fn of(dbn: &Dbn) -> Result<Option<Self>> {
        let (top, visible) = (dbn.top(), dbn.visible_units());
        let known = visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian);
        if dbn.depth() > 1 || dbn.classes() > 0 || !known || !top.layers().hidden.is_bernoulli() {
            return Ok(None);
        }
        let values = |tensor: &Tensor| tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
        let mut g = vec![0.0; top.visible()];
        let logs = top.visible_fields().log_precision.as_ref().map(values).transpose()?;
        for (_, columns) in visible.each().filter(|(segment, _)| segment.units == UnitKind::Gaussian) {
            for unit in columns {
                g[unit] = logs.as_ref().map_or(1.0, |logs| libm::exp(logs[unit]));
            }
        }
        Ok(Some(Self { w: values(top.w_rec())?, hb: values(top.hb())?, vb: values(top.vb())?, g }))
    }

    /// Number of visible units.
    pub(super) fn visible(&self) -> usize {
        self.vb.len()
    }

    /// Over all completions of a sample `v` `[visible]`.
    pub(super) fn sum(&self, v: &[f32], grid: &Grid<'_>) -> Summed {
        let of_gap = |gap: &Choice| -> Vec<Value> {
            let units = gap.units();
            let value = |unit, x| Value { unit, x, is_end: false };
            match units.len() {
                1 => [f64::from(gap.low()), 1.0].map(|x| value(units.start, x)).into(),
                _ => units.map(|unit| value(unit, 1.0)).collect(),
            }
        };
        let of_number = |(k, number): (usize, &Missing)| -> Vec<Value> {
            let node = |node| {
                let (x, is_end) = grid.node(k, node);
                Value { unit: number.at, x: x.into(), is_end }
            };
            (0..=2 * grid.reaches[k]).map(node).collect()
        };
        let numbers = grid.numbers.iter().enumerate().map(of_number);
        let options: Vec<Vec<Value>> = grid.gaps.iter().map(of_gap).chain(numbers).collect();
        let mut is_missing = vec![false; v.len()];
        let units = grid.gaps.iter().flat_map(Choice::units).chain(grid.numbers.iter().flat_map(Missing::range));
        units.for_each(|unit| is_missing[unit] = true);
        // One row of inputs for the observed units, and one for those of each gap with all before it.
        let hidden = self.hb.len();
        let mut inputs = vec![0.0; (options.len() + 1) * hidden];
        inputs[..hidden].copy_from_slice(&self.hb);
        let mut term = 0.0;
        for (unit, &x) in v.iter().enumerate().filter(|&(unit, &x)| x != 0.0 && !is_missing[unit]) {
            let x = f64::from(x);
            term += self.term(unit, x);
            inputs[..hidden].iter_mut().zip(self.weights(unit)).for_each(|(input, w)| *input += x * w);
        }
        let mut found = Summed::new();
        self.add_all(&options, &mut inputs, (term, false), &mut found);
        found
    }

    /// Adds all completions of the gaps that `options` has left. `inputs` begins with the row that the units before them
    /// gave, which have this term, and say whether a number is at an end.
    fn add_all(&self, options: &[Vec<Value>], inputs: &mut [f64], (term, is_end): (f64, bool), found: &mut Summed) {
        let Some((gap, rest)) = options.split_first() else {
            found.add(term + softplus_sum(inputs), is_end);
            return;
        };
        let (given, below) = inputs.split_at_mut(self.hb.len());
        for value in gap {
            for ((input, given), w) in below.iter_mut().zip(&*given).zip(self.weights(value.unit)) {
                *input = given + value.x * w;
            }
            let so_far = (term + self.term(value.unit, value.x), is_end || value.is_end);
            self.add_all(rest, below, so_far, found);
        }
    }

    /// What a visible unit has of minus the free energy beside the hidden units.
    fn term(&self, unit: usize, x: f64) -> f64 {
        (self.vb[unit] - 0.5 * self.g[unit] * x) * x
    }

    /// Weights of a visible unit.
    fn weights(&self, unit: usize) -> &[f64] {
        let hidden = self.hb.len();
        &self.w[unit * hidden..(unit + 1) * hidden]
    }
}

/// The sum of `ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|))`.
fn softplus_sum(inputs: &[f64]) -> f64 {
    let sum = |inputs: &[f64]| {
        let (mut linear, mut product) = (0.0, 1.0);
        for x in inputs {
            linear += x.max(0.0);
            product *= 1.0 + libm::exp(-x.abs());
        }
        linear + libm::log(product)
    };
    inputs.chunks(FACTORS).map(sum).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a logarithm for each unit, also where the product of all factors, or the exponential of an input, overflows.
    #[test]
    fn softplus_of_many_units_is_the_sum_of_each() {
        for (units, scale) in [(0, 1.0), (1, 1.0), (FACTORS, 0.0), (3 * FACTORS + 7, 0.01), (100, 2000.0)] {
            let inputs: Vec<f64> = (0..units).map(|k| scale * libm::sin(k as f64)).collect();
            let expected: f64 = inputs.iter().map(|x| x.max(0.0) + libm::log1p(libm::exp(-x.abs()))).sum();
            let got = softplus_sum(&inputs);
            assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{units}: {got} and {expected}");
        }
    }
}
