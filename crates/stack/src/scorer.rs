//! How probable a model finds what was observed of a sample.
//!
//! ```text
//! F(observed) = -ln sum over states of the missing units of exp(-F(v))
//! ```
//!
//! The sum runs over the completions of the sample. Of an RBM of few hidden units it runs over their states instead,
//! given which the missing units are independent. The units of a category are one choice of its levels; every other
//! missing unit is off or on.

use crate::choices::Choice;
use crate::dbn::Dbn;
use crate::error::Result;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{LogSum, Stream, Uniforms, UnitKind};
use std::ops::Range;

/// Units whose states are summed over, at most.
const MOST_UNITS: usize = 12;

/// Inputs to visible units that are kept for all states of the hidden units, at most.
const MOST_INPUTS: usize = 1 << 20;

/// Completions that are passed through the model at once.
const AT_ONCE: usize = 256;

/// Scores samples, each by itself: a score does not depend on the samples beside it.
#[derive(Debug)]
pub struct Scorer {
    dbn: Dbn,
    draws: u16,
    categories: Vec<Range<usize>>,
    hidden: Option<HiddenStates>,
}

/// All states of the hidden units of an RBM.
#[derive(Debug)]
struct HiddenStates {
    /// What each visible unit gets, `[states, visible]`.
    inputs: Vec<f64>,
    /// What each state has of ln p without the visible units, label group included.
    own: Vec<f64>,
}

impl Scorer {
    /// Of a model whose `choices` are neighbouring visible units of which exactly one is on; of a choice of one unit
    /// that is off or on. The hidden layers under the top are drawn `draws` times for every sample.
    ///
    /// # Errors
    /// If tensors cannot be made.
    pub fn new(dbn: &Dbn, choices: &[Range<usize>], draws: u16) -> Result<Self> {
        // Double precision, so that a sample does not depend on what is multiplied beside it. The batches of a deep
        // net are always those of one sample.
        let dbn = if dbn.depth() > 1 { dbn.clone() } else { dbn.to_dtype(DType::F64)? };
        let hidden = HiddenStates::of(&dbn)?;
        let categories = choices.iter().filter(|choice| choice.len() > 1).cloned().collect();
        Ok(Self { dbn, draws, categories, hidden })
    }

    /// Minus the free energy of complete samples `[B, V]`, nats: what each has of ln p(v) beside -ln Z. Of a deep net
    /// the logarithm of the mean weight of its draws, which are the same for every sample.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn complete(&self, v: &Tensor) -> Result<Vec<f64>> {
        let (v, draw) = (v.to_dtype(self.dbn.top().vb().dtype())?, Uniforms::new(0, Stream::User, 0));
        if self.dbn.depth() == 1 {
            return Ok(self.dbn.unnormalised_log_likelihood(&v, 1, draw)?.importance);
        }
        let of = |row| {
            // A row a draw.
            let v = v.narrow(0, row, 1)?.repeat((self.draws.into(), 1))?;
            let weights: LogSum = self.dbn.unnormalised_log_likelihood(&v, 1, draw)?.importance.into_iter().collect();
            Ok(weights.value() - libm::log(self.draws.into()))
        };
        (0..v.dims2()?.0).map(of).collect()
    }

    /// The same of a sample `v` `[V]` whose units `missing`, in their order, were not observed: they are summed out,
    /// whatever `v` has there; spins are -1 and 1. None if a number is missing, or if more than 12 units are missing and the model has more hidden units than that.
    ///
    /// # Errors
    /// If `v` does not fit the visible units.
    pub fn observed(&self, v: &[f32], missing: &[usize]) -> Result<Option<f64>> {
        let visible = &self.dbn.top().layers().visible;
        let kind =
            |unit: usize| visible.each().find(|(_, columns)| columns.contains(&unit)).map(|(part, _)| part.units);
        if missing.iter().any(|&unit| kind(unit).is_some_and(|kind| !kind.is_discrete())) {
            return Ok(None);
        }
        let category = |unit: usize| self.categories.iter().find(|units| units.contains(&unit)).cloned();
        let mut gaps: Vec<Range<usize>> =
            missing.iter().map(|&unit| category(unit).unwrap_or(unit..unit + 1)).collect();
        gaps.dedup();
        let completions = gaps.iter().try_fold(1usize, |all, gap| all.checked_mul(gap.len().max(2)));
        let completions = completions.filter(|&completions| completions <= 1 << MOST_UNITS);
        match &self.hidden {
            Some(hidden) if completions.is_none_or(|completions| hidden.own.len() < completions) => {
                Ok(Some(hidden.log_sum(v, &gaps)))
            }
            _ => completions.map(|completions| self.over_completions(v, gaps, completions)).transpose(),
        }
    }

    fn over_completions(&self, v: &[f32], gaps: Vec<Range<usize>>, completions: usize) -> Result<f64> {
        let mut spins = vec![false; v.len()];
        let visible = &self.dbn.top().layers().visible;
        let of_spins = visible.each().filter(|(segment, _)| segment.units == UnitKind::Spin);
        of_spins.for_each(|(_, columns)| spins[columns].fill(true));
        let low = |gap: &Range<usize>| if spins[gap.start] { -1.0 } else { 0.0 };
        let gaps: Vec<Choice> = gaps.into_iter().map(|gap| Choice::new(gap.clone(), low(&gap), Vec::new())).collect();
        let (mut sum, mut v) = (LogSum::default(), v.to_vec());
        for first in (0..completions).step_by(AT_ONCE) {
            let numbers = first..completions.min(first + AT_ONCE);
            let mut rows = Vec::with_capacity(numbers.len() * v.len());
            for mut number in numbers.clone() {
                for gap in &gaps {
                    let options = gap.units().len().max(2);
                    gap.put(number % options, &mut v);
                    number /= options;
                }
                rows.extend_from_slice(&v);
            }
            let rows = Tensor::from_vec(rows, (numbers.len(), v.len()), &Device::Cpu)?;
            self.complete(&rows)?.into_iter().for_each(|x| sum.add(x));
        }
        Ok(sum.value())
    }
}

impl HiddenStates {
    /// Of an RBM whose hidden units are binary and few.
    fn of(dbn: &Dbn) -> Result<Option<Self>> {
        let top = dbn.top();
        let (units, visible) = (top.hidden(), top.visible());
        let few = units <= MOST_UNITS && visible << units <= MOST_INPUTS;
        if dbn.depth() > 1 || !few || !top.layers().are_bernoulli() {
            return Ok(None);
        }
        let states: Vec<f64> =
            (0..1usize << units).flat_map(|state| (0..units).map(move |unit| (state >> unit & 1) as f64)).collect();
        let h = Tensor::from_vec(states, (1 << units, units), &Device::Cpu)?;
        let mut own = h.matmul(&top.hb().unsqueeze(1)?)?.squeeze(1)?;
        if let Some(group) = top.labels() {
            own = (own + h.matmul(&group.w.t()?)?.broadcast_add(&group.b)?.log_sum_exp(1)?)?;
        }
        let inputs = h.matmul(top.w_gen())?.broadcast_add(top.vb())?;
        Ok(Some(Self { inputs: inputs.flatten_all()?.to_vec1()?, own: own.to_vec1()? }))
    }

    /// ln of the sum over the states, given which every gap is a choice by itself.
    fn log_sum(&self, v: &[f32], gaps: &[Range<usize>]) -> f64 {
        let mut observed: Vec<f64> = v.iter().map(|&v| v.into()).collect();
        for gap in gaps {
            observed[gap.clone()].fill(0.0);
        }
        let term = |(inputs, own): (&[f64], &f64)| {
            let known: f64 = observed.iter().zip(inputs).map(|(v, x)| v * x).sum();
            let choice = |gap: &Range<usize>| {
                let off = (gap.len() == 1).then_some(0.0);
                inputs[gap.clone()].iter().copied().chain(off).collect::<LogSum>().value()
            };
            own + known + gaps.iter().map(choice).sum::<f64>()
        };
        self.inputs.chunks_exact(v.len().max(1)).zip(&self.own).map(term).collect::<LogSum>().value()
    }
}
