//! Pseudo-likelihood: each unit given all others.

use super::runs::check_samples;
use crate::error::{Result, require_bernoulli};
use crate::model::rbm::Rbm;
use deepbelief_kernels::{Batch, Bits, PackedRbm, Uniforms};

/// `sum over visible units i of ln p(v_i | all others)` of every sample, in nats (Besag 1975); given
/// its label, where there is a label group. It needs no partition function, is 0 at most as the
/// log-likelihood is, and tells how well single units are made up for, not how well whole samples are.
/// Divided by the number of units it is comparable across sizes.
///
/// With `draw`, one unit a sample, drawn from row s for sample s, stands for all of them, as in
/// scikit-learn's `score_samples`: an estimate without bias, in a fraction of the time.
///
/// # Errors
/// [`crate::Error::Shape`] if the samples do not fit; [`crate::Error::Config`] for Gaussian hidden units, or for a
/// label that is none.
pub fn pseudo_log_likelihood(rbm: &Rbm, v: &Bits, labels: &[u32], draw: Option<Uniforms>) -> Result<Vec<f64>> {
    require_bernoulli(rbm.layers(), "bernoulli: a sum over their states is wanted")?;
    check_samples(rbm, &Batch::Binary(v.clone()), labels, ("samples", "labels"))?;
    let machine = PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
    Ok(machine.pseudo_log_likelihood(v, labels, draw))
}
