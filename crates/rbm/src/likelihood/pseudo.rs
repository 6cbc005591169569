//! Pseudo-likelihood: each unit given all others.

use super::runs::{as_trained, check_samples, in_bits};
use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use deepbelief_kernels::{Batch, Layers, PackedRbm, TypedRbm, Uniforms, UnitKind};
use std::borrow::Cow;

/// `sum over visible units i of ln p(v_i | all others)` of every sample, in nats (Besag 1975); given
/// its label, where there is a label group. It needs no partition function and tells how well single units are made up
/// for, not how well whole samples are. Divided by the number of units (of a categorical one there is one, whatever its
/// levels) it is comparable across sizes.
///
/// A Bernoulli unit or a spin has its probability among two values, a categorical unit that among its levels, a Gaussian
/// one its density: with such units the sum may be above 0. A Bernoulli unit between 0 and 1 has the mean of both.
///
/// With `draw`, one unit a sample, drawn from row s for sample s, stands for all of them, as in
/// scikit-learn's `score_samples`: an estimate without bias, in a fraction of the time.
///
/// # Errors
/// [`crate::Error::Shape`] if the samples do not fit; [`crate::Error::Config`] for visible ReLU and dReLU units, for
/// categorical hidden ones, or for a label that is none.
pub fn pseudo_log_likelihood(rbm: &Rbm, v: &Batch, labels: &[u32], draw: Option<Uniforms>) -> Result<Vec<f64>> {
    check_samples(rbm, v, labels, ("samples", "labels"))?;
    let ((v, labels), columns) = (as_trained(rbm, v, labels), rbm.visible());
    let rbm = &in_bits(rbm)?.0;
    if let (true, Batch::Binary(bits)) = (rbm.layers().are_bernoulli(), &*v) {
        let machine = PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?);
        return Ok(machine.pseudo_log_likelihood(bits, labels, draw));
    }
    let Layers { visible, hidden } = rbm.layers();
    let known = visible.all(|kind| kind.is_discrete() || kind == UnitKind::Gaussian);
    require(known, "visible units", visible.kinds(), "bernoulli, spin, categorical or gaussian")?;
    let known = hidden.all(|kind| kind != UnitKind::Categorical);
    require(known, "hidden units", hidden.kinds(), "bernoulli, spin, gaussian, relu or drelu")?;
    // Of Bernoulli units, samples that are not bits.
    let (joined, v) = if rbm.labels().is_some() {
        (Cow::Owned(rbm.with_label_as_unit()?), Cow::Owned(v.with_labels(labels, rbm.classes())))
    } else {
        (Cow::Borrowed(&**rbm), v)
    };
    Ok(TypedRbm::new(joined.layers(), &joined.to_parameters()?).pseudo_log_likelihood(&v, columns, draw))
}

/// `sum over visible units i of ln sigmoid(F(v') - F(v))` of every sample, in nats, where v' has `1 - v_i` in place of
/// `v_i`: the mean of scikit-learn's `score_samples` over the unit that it draws. Of states it is the pseudo-likelihood.
///
/// # Errors
/// [`crate::Error::Shape`] if the samples do not fit; [`crate::Error::Config`] for other than Bernoulli units, and for
/// an RBM with a label group.
pub fn flip_log_likelihood(rbm: &Rbm, v: &Batch) -> Result<Vec<f64>> {
    let labels = rbm.labels().map_or(0, crate::LabelGroup::classes);
    require(labels == 0, "classes", labels, "0: samples have no labels here")?;
    require(rbm.layers().are_bernoulli(), "units", rbm.layers().visible.kinds(), "bernoulli on both sides")?;
    check_samples(rbm, v, &[], ("samples", "labels"))?;
    Ok(PackedRbm::new(rbm.visible(), rbm.hidden(), &rbm.to_parameters()?).flip_log_likelihood(v))
}
