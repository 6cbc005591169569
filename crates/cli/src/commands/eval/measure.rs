//! What is measured of every sample.

use super::sum::{doubles, weighted};
use crate::args::{EvalArgs, PseudoName};
use crate::data::chunks::{CHUNK, chunk_of};
use crate::failure::Result;
use crate::machine::ranks;
use crate::report::Work;
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::batch_of;
use deepbelief_rbm::likelihood::pseudo_log_likelihood;
use deepbelief_report::Moments;
use deepbelief_stack::Dbn;

/// Sums over the samples, as often as each weighs.
#[derive(Clone, Default)]
pub(super) struct Sums {
    /// Of the weights, and of their squares.
    pub(super) weight: f64,
    pub(super) weight_squares: f64,
    pub(super) bound: f64,
    pub(super) importance: f64,
    pub(super) importance_squares: f64,
    pub(super) free_energy: f64,
    pub(super) reconstruction: f64,
    pub(super) label_errors: Option<f64>,
    pub(super) pseudo: Option<f64>,
    /// Of how much larger `importance` of a sample is than its log-likelihood under independent sites, and of the squares.
    ahead: Option<f64>,
    ahead_squares: Option<f64>,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    pub(super) split: &'a Split,
    /// So many of them, from the first.
    pub(super) measured: usize,
    /// Their log-likelihoods under independent sites, of a model of sites.
    pub(super) independent: Option<&'a [f64]>,
}

impl Sums {
    /// The sums, with 1 or 0 before those that there may be.
    fn to_numbers(&self) -> Vec<f64> {
        let Self { weight, weight_squares, bound, importance, importance_squares, .. } = *self;
        let maybe = |sum: Option<f64>| [f64::from(u8::from(sum.is_some())), sum.unwrap_or_default()];
        let always = [weight, weight_squares, bound, importance, importance_squares];
        let mut numbers = [&always[..], &[self.free_energy, self.reconstruction]].concat();
        numbers.extend([self.label_errors, self.pseudo, self.ahead, self.ahead_squares].into_iter().flat_map(maybe));
        numbers
    }

    /// Adds the sums of more samples.
    fn add(&mut self, numbers: &[f64]) {
        let mut numbers = numbers.iter().copied();
        let mut next = || numbers.next().unwrap_or_default();
        self.weight += next();
        self.weight_squares += next();
        self.bound += next();
        self.importance += next();
        self.importance_squares += next();
        self.free_energy += next();
        self.reconstruction += next();
        for sum in [&mut self.label_errors, &mut self.pseudo, &mut self.ahead, &mut self.ahead_squares] {
            let (is_there, more) = (next() > 0.0, next());
            if is_there {
                *sum.get_or_insert(0.0) += more;
            }
        }
    }

    /// What single samples say of the model beside independent sites.
    pub(super) fn ahead(&self) -> Option<Moments> {
        let (weight, weight_squares) = (self.weight, self.weight_squares);
        self.ahead.zip(self.ahead_squares).map(|(values, squares)| Moments { weight, weight_squares, values, squares })
    }

    /// Of the mean of `importance`, for as many samples as the weights are worth; none of a single one.
    pub(super) fn standard_error(&self) -> Option<f64> {
        let (mean, n) = (self.importance / self.weight, self.weight * self.weight / self.weight_squares);
        (n > 1.0).then(|| ((self.importance_squares / self.weight - mean * mean).max(0.0) / (n - 1.0)).sqrt())
    }
}

/// Of samples; `seed` draws their pixels and layers.
pub(super) fn measure(
    dbn: &Dbn,
    of: Samples<'_>,
    binarize: Binarize,
    args: &EvalArgs,
    seed: u64,
    work: &Work,
) -> Result<Sums> {
    let Samples { split: samples, measured, independent } = of;
    let labels = samples.labels().filter(|_| dbn.classes() > 0);
    let of_chunk = |step: usize| -> Result<Vec<f64>> {
        let mut sums = Sums::default();
        let at = CHUNK * step;
        let v = chunk_of(samples, samples.layer(), binarize, seed, step)?;
        let v = v.narrow(0, 0, v.dims2()?.0.min(measured - at))?;
        let rows = v.dims2()?.0;
        let weight: Vec<f64> = (at..at + rows).map(|sample| samples.weight(sample).unwrap_or(1.0).into()).collect();
        sums.weight += weight.iter().sum::<f64>();
        sums.weight_squares += weight.iter().map(|w| w * w).sum::<f64>();
        // The training samples draw from the monitor's stream.
        let draw = Uniforms::new(seed, Stream::User, step as u32);
        let weights = dbn.unnormalised_log_likelihood(&v, args.layer_draws, draw)?;
        sums.bound += weighted(&weight, weights.bound);
        sums.importance_squares += weighted(&weight, weights.importance.iter().map(|x| x * x));
        if let Some(independent) = independent {
            let ahead = || weights.importance.iter().zip(&independent[at..]).map(|(model, alone)| model - alone);
            sums.ahead = Some(weighted(&weight, ahead()));
            sums.ahead_squares = Some(weighted(&weight, ahead().map(|x| x * x)));
        }
        sums.importance += weighted(&weight, weights.importance);
        let units = dbn.encode(&v, dbn.layers().len(), Some(draw))?;
        sums.free_energy += weighted(&weight, doubles(&dbn.top().free_energy(&units)?)?);
        sums.reconstruction += weighted(&weight, dbn.reconstruction_costs(&v)?);
        if let Some(how) = args.pseudo_likelihood {
            let states = batch_of(&dbn.top().layers().visible, &v)?;
            let labels = labels.as_ref().map_or(&[][..], |labels| &labels[at..at + rows]);
            let one = (how == PseudoName::Stochastic).then_some(draw);
            *sums.pseudo.get_or_insert(0.0) +=
                weighted(&weight, pseudo_log_likelihood(dbn.top(), &states, labels, one)?);
        }
        if let Some(labels) = &labels {
            let told = dbn.classify(&v)?;
            let wrong = told.iter().zip(&labels[at..]).map(|(told, label)| f64::from(u8::from(told != label)));
            *sums.label_errors.get_or_insert(0.0) += weighted(&weight, wrong);
        }
        work.did(rows as u64);
        Ok(sums.to_numbers())
    };
    let mut sums = Sums::default();
    ranks::each(measured.div_ceil(CHUNK), of_chunk)?.iter().for_each(|numbers| sums.add(numbers));
    Ok(sums)
}
