//! What is measured of every sample.

use super::sum::{doubles, weighted};
use crate::args::{EvalArgs, PseudoName};
use crate::data::chunks::chunks;
use crate::failure::Result;
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Stream, Uniforms};
use deepbelief_rbm::batch_of;
use deepbelief_rbm::likelihood::pseudo_log_likelihood;
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
}

impl Sums {
    /// Of the mean of `importance`, for as many samples as the weights are worth; none of a single one.
    pub(super) fn standard_error(&self) -> Option<f64> {
        let (mean, n) = (self.importance / self.weight, self.weight * self.weight / self.weight_squares);
        (n > 1.0).then(|| ((self.importance_squares / self.weight - mean * mean).max(0.0) / (n - 1.0)).sqrt())
    }
}

/// Of the first `measured` samples; `seed` draws their pixels and layers.
pub(super) fn measure(
    dbn: &Dbn,
    samples: &Split,
    measured: usize,
    binarize: Binarize,
    args: &EvalArgs,
    seed: u64,
) -> Result<Sums> {
    let mut sums = Sums::default();
    let labels = samples.labels().filter(|_| dbn.classes() > 0);
    let mut at = 0;
    for (step, v) in chunks(samples, binarize, seed).enumerate() {
        let v = v?;
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
        at += rows;
        if at >= measured {
            break;
        }
    }
    Ok(sums)
}
