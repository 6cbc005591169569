//! Pseudo-likelihood: each unit given all others.

use crate::error::{Error, Result, require};
use crate::rbm::Rbm;
use deepbelief_kernels::{Bits, Machine, Uniforms};

/// `sum over visible units i of ln p(v_i | all others)` of every sample, in nats (Besag 1975); given
/// its label, where there is a label group. It needs no partition function, is 0 at most as the
/// log-likelihood is, and tells how well single units are made up for, not how well whole samples are.
/// Divided by the number of units it is comparable across sizes.
///
/// With `draw`, one unit a sample, drawn from row s for sample s, stands for all of them, as in
/// scikit-learn's `score_samples`: an estimate without bias, in a fraction of the time.
///
/// # Errors
/// [`Error::Shape`] if the samples do not fit; [`Error::Config`] for Gaussian hidden units, or for a
/// label that is none.
pub fn pseudo_log_likelihood(rbm: &Rbm, v: &Bits, labels: &[u32], draw: Option<Uniforms>) -> Result<Vec<f64>> {
    let units = rbm.hidden_units();
    require(units.is_bernoulli(), "hidden_units", units, "bernoulli: a sum over their states is wanted")?;
    let wrong = |what: &str, got, expected| Err(Error::Shape { what: what.into(), got, expected });
    if v.units() != rbm.visible() {
        return wrong("samples", vec![v.rows(), v.units()], vec![v.rows(), rbm.visible()]);
    }
    let classes = rbm.labels().map_or(0, crate::LabelGroup::classes);
    if classes > 0 && labels.len() != v.rows() {
        return wrong("labels", vec![labels.len()], vec![v.rows()]);
    }
    let known = classes == 0 || labels.iter().all(|&label| (label as usize) < classes);
    require(known, "labels", "not all of the label group", "below its number of classes")?;
    let machine = Machine::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
    Ok(machine.pseudo_log_likelihood(v, labels, draw))
}
