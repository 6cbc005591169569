//! ln Z by summing over all states of the smaller side.

use crate::error::{Result, require, require_bernoulli};
use crate::model::rbm::Rbm;
use deepbelief_kernels::{Conditionals, LogSum, Parameters, log_sum_over_states};

/// Most units of the smaller side whose states are summed over: 2^25 states of 784 units on the
/// other side take 16 s on two cores.
pub const MOST_ENUMERATED: usize = 25;

/// ln Z of an RBM with Bernoulli units, label group included, in nats.
///
/// # Errors
/// [`crate::Error::Config`] if both sides have more than [`MOST_ENUMERATED`] units, or if the
/// hidden units are Gaussian.
pub fn exact_log_partition(rbm: &Rbm) -> Result<f64> {
    let smaller = rbm.visible().min(rbm.hidden());
    require_bernoulli(rbm.layers(), "bernoulli: a sum over their states is wanted")?;
    let expected = "at most 25, or there are too many states to sum over";
    require(smaller <= MOST_ENUMERATED, "units of the smaller side", smaller, expected)?;
    let parameters = rbm.to_parameters()?;
    Ok(if rbm.hidden() <= rbm.visible() { over_hidden(rbm, &parameters) } else { over_visible(rbm, &parameters) })
}

fn over_hidden(rbm: &Rbm, p: &Parameters) -> f64 {
    let w_gen = transposed(&p.w_rec, rbm.visible(), rbm.hidden());
    let label_w = transposed(&p.label_w, p.label_b.len(), rbm.hidden());
    let given = Conditionals { w: &w_gen, bias: &p.vb, label_w: &label_w, label_bias: &p.label_b };
    log_sum_over_states(&p.hb, &given)
}

/// The label adds its weights to the inputs of the hidden units: one sum over visible states for
/// each.
fn over_visible(rbm: &Rbm, p: &Parameters) -> f64 {
    let of =
        |bias: &[f32]| log_sum_over_states(&p.vb, &Conditionals { w: &p.w_rec, bias, label_w: &[], label_bias: &[] });
    if p.label_b.is_empty() {
        return of(&p.hb);
    }
    let rows = p.label_w.chunks_exact(rbm.hidden().max(1));
    let term = |(w, &b): (&[f32], &f32)| {
        let bias: Vec<f32> = p.hb.iter().zip(w).map(|(hb, w)| hb + w).collect();
        f64::from(b) + of(&bias)
    };
    rows.zip(&p.label_b).map(term).collect::<LogSum>().value()
}

fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
}
