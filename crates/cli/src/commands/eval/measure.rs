//! What is measured of every sample.

use super::sum::sum;
use crate::args::{EvalArgs, PseudoName};
use crate::data::chunks::chunks;
use crate::failure::Result;
use deepbelief_data::{Binarize, Split};
use deepbelief_kernels::{Bits, Stream, Uniforms};
use deepbelief_rbm::likelihood::pseudo_log_likelihood;
use deepbelief_stack::Dbn;

/// Sums over the samples.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) bound: f64,
    pub(super) importance: f64,
    pub(super) importance_squares: f64,
    pub(super) free_energy: f64,
    pub(super) reconstruction: f64,
    pub(super) label_errors: Option<f64>,
    pub(super) pseudo: Option<f64>,
}

impl Sums {
    /// Of the mean of `importance` over `n` samples; none of a single one.
    pub(super) fn standard_error(&self, n: f64) -> Option<f64> {
        let mean = self.importance / n;
        (n > 1.0).then(|| ((self.importance_squares / n - mean * mean).max(0.0) / (n - 1.0)).sqrt())
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
        // The training samples draw from the monitor's stream.
        let draw = Uniforms::new(seed, Stream::User, step as u32);
        let weights = dbn.unnormalised_log_likelihood(&v, args.layer_draws, draw)?;
        sums.bound += weights.bound.iter().sum::<f64>();
        sums.importance += weights.importance.iter().sum::<f64>();
        sums.importance_squares += weights.importance.iter().map(|x| x * x).sum::<f64>();
        let units = dbn.encode(&v, dbn.layers().len(), Some(draw))?;
        sums.free_energy += sum(&dbn.top().free_energy(&units)?)?;
        sums.reconstruction += dbn.reconstruction_cost(&v)? * rows as f64;
        if let Some(how) = args.pseudo_likelihood {
            let states = Bits::from_values(rows, dbn.visible(), &v.flatten_all()?.to_vec1::<f32>()?);
            let labels = labels.as_ref().map_or(&[][..], |labels| &labels[at..at + rows]);
            let one = (how == PseudoName::Stochastic).then_some(draw);
            *sums.pseudo.get_or_insert(0.0) +=
                pseudo_log_likelihood(dbn.top(), &states, labels, one)?.iter().sum::<f64>();
        }
        if let Some(labels) = &labels {
            let told = dbn.classify(&v)?;
            let wrong = told.iter().zip(&labels[at..]).filter(|(told, label)| told != label).count();
            *sums.label_errors.get_or_insert(0.0) += wrong as f64;
        }
        at += rows;
        if at >= measured {
            break;
        }
    }
    Ok(sums)
}
