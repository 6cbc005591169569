//! How probable a model finds what was observed of a sample.
//!
//! ```text
//! F(observed) = -ln sum over states of the missing units of exp(-F(v))
//! ```
//!
//! The sum runs over the completions of the sample. Of an RBM of few hidden units it runs over their states instead,
//! given which the missing units are independent. The units of a category are one choice of its levels; every other
//! missing unit is off or on. Numbers, which Gaussian units learn, are integrated out: given the hidden units each is
//! normal, with a standard deviation that is the same for all their states, so that a sum over nodes as far apart as
//! that is their integral within 1e-8 of itself (`2 exp(-2 pi²)`).

mod completions;
pub(crate) mod conditional;

use crate::choices::Choice;
use crate::dbn::Dbn;
use crate::error::Result;
use crate::estimate::{self, Missing, completed};
use candle_core::{DType, Device, Tensor};
use completions::{AT_ONCE, BinaryHidden, Grid, Summed};
use deepbelief_kernels::{LogSum, Stream, Uniforms, UnitKind};
use std::ops::Range;

/// Units whose states are summed over, at most.
const MOST_UNITS: usize = 12;

/// Inputs to visible units that are kept for all states of the hidden units, at most.
const MOST_INPUTS: usize = 1 << 20;

/// Completions of a sample that lacks numbers, at most: some 250 nodes for each of two.
const MOST_NODES: usize = 1 << 16;

/// How far from its mean a number is looked for first, in standard deviations of the data, and of the unit beyond.
const FAR: f64 = 10.0;
const TAIL: f64 = 8.0;

/// Nats below the largest, from which on what lies farther out is nothing.
const NOTHING: f64 = 40.0;

/// Scores samples, each by itself: a score does not depend on the samples beside it.
#[derive(Debug)]
pub struct Scorer {
    dbn: Dbn,
    draws: u16,
    categories: Vec<Range<usize>>,
    hidden: Option<HiddenStates>,
    /// Of an RBM whose completions need no tensors.
    plain: Option<BinaryHidden>,
    /// Standard deviations of the visible units given the hidden ones; none where there are no numbers.
    deviations: Vec<f64>,
}

/// How what is missing is summed out.
enum Way<'a> {
    /// Over the states of the hidden units.
    States(&'a HiddenStates),
    /// Over so many options of the gaps, and the nodes of numbers.
    Options(usize),
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
        let (hidden, plain, deviations) = (HiddenStates::of(&dbn)?, BinaryHidden::of(&dbn)?, deviations(&dbn)?);
        let categories = choices.iter().filter(|choice| choice.len() > 1).cloned().collect();
        Ok(Self { dbn, draws, categories, hidden, plain, deviations })
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
    /// whatever `v` has there; spins are -1 and 1. None if more than 12 units are missing and the model has more hidden
    /// units than that, or if it takes more than 65,536 completions to integrate numbers out; of a deep net none where
    /// one is missing.
    ///
    /// # Errors
    /// If `v` does not fit the visible units.
    pub fn observed(&self, v: &[f32], missing: &[usize]) -> Result<Option<f64>> {
        let (gaps, numbers) = self.gaps(missing);
        match self.way(&gaps, &numbers) {
            Some(Way::States(hidden)) => {
                let gaps: Vec<Range<usize>> = gaps.iter().map(Missing::range).collect();
                Ok(Some(hidden.log_sum(v, &gaps)))
            }
            Some(Way::Options(options)) => self.over_completions(v, &gaps, options, &numbers),
            None => Ok(None),
        }
    }

    /// How many completions a sample that lacks these units has: the options of its gaps, times the nodes that it takes at
    /// least to integrate its numbers out.
    #[must_use]
    pub fn completions(&self, missing: &[usize]) -> usize {
        let (gaps, numbers) = self.gaps(missing);
        let options = gaps.iter().fold(1, |all: usize, gap| all.saturating_mul(options(gap)));
        let reaches = reaches(&self.deviations(&numbers));
        reaches.iter().fold(options, |all, reach| all.saturating_mul(nodes(*reach)))
    }

    /// How many samples pass through the model for [`Self::observed`] of a sample that lacks these units, at least: all
    /// states of few hidden units, or its completions, of a deep net each as often as its hidden layers are drawn. None where
    /// that has no sum.
    #[must_use]
    pub fn summed_passes(&self, missing: &[usize]) -> Option<usize> {
        let (gaps, numbers) = self.gaps(missing);
        match self.way(&gaps, &numbers)? {
            Way::States(hidden) => Some(hidden.own.len()),
            Way::Options(options) => {
                let draws: usize = if self.dbn.depth() > 1 { self.draws.into() } else { 1 };
                Some(draws * completions(options, &reaches(&self.deviations(&numbers)))?)
            }
        }
    }

    /// About how many samples pass through the model for the score of one that lacks these units: those of a sum, or where
    /// there is none those of an estimate.
    #[must_use]
    pub fn passes(&self, missing: &[usize]) -> usize {
        self.summed_passes(missing).unwrap_or(estimate::PASSES)
    }

    /// An estimate of the same, by chains that complete the sample, however much is missing. None of a deep net, of one
    /// with labels, or where a category is missing that Bernoulli units learned: chains would not keep it to one level.
    ///
    /// # Errors
    /// If `v` does not fit the visible units.
    pub fn estimated(&self, v: &[f32], missing: &[usize]) -> Result<Option<f64>> {
        let gaps = self.missing(missing);
        let is_of_bits = |gap: &Missing| gap.units > 1 && gap.kind != UnitKind::Categorical;
        if self.dbn.depth() > 1 || self.dbn.classes() > 0 || gaps.iter().any(is_of_bits) {
            return Ok(None);
        }
        let (completed, density) = completed(self.dbn.top(), v, &gaps)?;
        let whole = self.complete(&Tensor::from_slice(&completed, (1, v.len()), &Device::Cpu)?)?;
        Ok(whole.first().map(|whole| whole - density))
    }

    /// What is missing, the units of a category together.
    fn missing(&self, missing: &[usize]) -> Vec<Missing> {
        let visible = self.dbn.visible_units();
        let kind = |unit: usize| {
            let found = visible.each().find(|(_, columns)| columns.contains(&unit));
            found.map_or(UnitKind::Bernoulli, |(segment, _)| segment.units)
        };
        let category = |unit: usize| self.categories.iter().find(|units| units.contains(&unit)).cloned();
        let mut gaps: Vec<Range<usize>> =
            missing.iter().map(|&unit| category(unit).unwrap_or(unit..unit + 1)).collect();
        gaps.dedup();
        gaps.into_iter().map(|gap| Missing { at: gap.start, units: gap.len(), kind: kind(gap.start) }).collect()
    }

    /// The same in two parts: what has options, and numbers.
    fn gaps(&self, missing: &[usize]) -> (Vec<Missing>, Vec<Missing>) {
        self.missing(missing).into_iter().partition(|gap| gap.kind.is_discrete())
    }

    /// How gaps beside numbers are summed out; none where that takes too long.
    fn way(&self, gaps: &[Missing], numbers: &[Missing]) -> Option<Way<'_>> {
        if self.dbn.depth() > 1 && !numbers.is_empty() {
            return None;
        }
        let all = gaps.iter().try_fold(1usize, |all, gap| all.checked_mul(options(gap)));
        let few = all.filter(|&all| all <= 1 << MOST_UNITS);
        match &self.hidden {
            Some(hidden) if few.is_none_or(|few| hidden.own.len() < few) => Some(Way::States(hidden)),
            _ => few.map(Way::Options),
        }
    }

    /// The sum over all options of the gaps and all nodes of the numbers; none where there are too many.
    fn over_completions(
        &self,
        v: &[f32],
        gaps: &[Missing],
        options: usize,
        numbers: &[Missing],
    ) -> Result<Option<f64>> {
        let low = |gap: &Missing| if gap.kind == UnitKind::Spin { -1.0 } else { 0.0 };
        let gaps: Vec<Choice> = gaps.iter().map(|gap| Choice::new(gap.range(), low(gap), Vec::new())).collect();
        let steps = self.deviations(numbers);
        let mut reaches = reaches(&steps);
        loop {
            let Some(completions) = completions(options, &reaches) else { return Ok(None) };
            let grid = Grid { gaps: &gaps, numbers, steps: &steps, reaches: &reaches };
            let found = match &self.plain {
                Some(plain) if plain.visible() == v.len() => plain.sum(v, &grid),
                _ => self.sum_of_tensors(v, &grid, completions)?,
            };
            if found.outside < found.most - NOTHING || numbers.is_empty() {
                return Ok(Some(found.sum.value() + steps.iter().map(|&step| libm::log(step)).sum::<f64>()));
            }
            for reach in &mut reaches {
                *reach *= 2;
            }
        }
    }

    /// Over the `completions` of a sample `v`, through tensors.
    fn sum_of_tensors(&self, v: &[f32], grid: &Grid<'_>, completions: usize) -> Result<Summed> {
        let (mut found, mut v) = (Summed::new(), v.to_vec());
        for first in (0..completions).step_by(AT_ONCE) {
            let places = first..completions.min(first + AT_ONCE);
            let (mut rows, mut ends) = (Vec::with_capacity(places.len() * v.len()), Vec::with_capacity(places.len()));
            for place in places.clone() {
                ends.push(grid.put(place, &mut v));
                rows.extend_from_slice(&v);
            }
            let rows = Tensor::from_vec(rows, (places.len(), v.len()), &Device::Cpu)?;
            for (x, end) in self.complete(&rows)?.into_iter().zip(ends) {
                found.add(x, end);
            }
        }
        Ok(found)
    }

    /// Standard deviations of Gaussian units given the hidden ones.
    fn deviations(&self, numbers: &[Missing]) -> Vec<f64> {
        let of = |number: &Missing| self.deviations.get(number.at).copied();
        numbers.iter().filter_map(of).collect()
    }
}

/// Standard deviations of the visible units of an RBM that has numbers, given the hidden ones; none of a deep net.
fn deviations(dbn: &Dbn) -> Result<Vec<f64>> {
    if dbn.depth() > 1 || dbn.visible_units().is_discrete() {
        return Ok(Vec::new());
    }
    let top = dbn.top();
    let h = Tensor::zeros((1, top.hidden()), top.vb().dtype(), &Device::Cpu)?;
    let variances: Vec<f64> = top.visible_variance(&h)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    Ok(variances.into_iter().map(f64::sqrt).collect())
}

/// Nodes on each side of 0, so many deviations of a unit apart, that a number is looked for at first.
fn reaches(steps: &[f64]) -> Vec<usize> {
    steps.iter().map(|step| (FAR / step + TAIL).ceil() as usize).collect()
}

/// Nodes of a number within such a reach.
fn nodes(reach: usize) -> usize {
    2 * reach + 1
}

/// What a gap may be.
fn options(gap: &Missing) -> usize {
    gap.units.max(2)
}

/// Completions with so many options of the gaps, and with numbers within these reaches; none where numbers have too many.
fn completions(options: usize, reaches: &[usize]) -> Option<usize> {
    let all = reaches.iter().try_fold(options, |all, &reach| all.checked_mul(nodes(reach)));
    all.filter(|&all| reaches.is_empty() || all <= MOST_NODES)
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
