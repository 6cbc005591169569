//! ln Z exactly: by summing over all states of the smaller side, or, of Gaussian units alone, by a determinant.
//!
//! | side that is summed over | `Z =` |
//! |---|---|
//! | few discrete hidden units | `sum over h of exp(-U(h) + sum_i cgf_i((W h)_i))`, with visible units of any kinds |
//! | few discrete visible units | `sum over v of exp(-F(v))`, with hidden units of any kinds |

use super::normal;
use super::states::{all, are_few};
use crate::error::{Result, require};
use crate::model::rbm::Rbm;
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Conditionals, Layers, LogSum, Parameters, UnitKind, log_sum_over_states};

/// Most units of the smaller side whose states are summed over: 2^25 states of 784 units on the
/// other side take 16 s on two cores.
pub const MOST_ENUMERATED: usize = 25;

/// Most bits' worth of states of other than Bernoulli units that are summed over without being asked for: some seconds.
const MOST_OF_ANY: usize = 18;

/// Whether [`exact_log_partition`] takes seconds, not hours.
#[must_use]
pub fn is_summable(rbm: &Rbm) -> bool {
    let Layers { visible, hidden } = rbm.layers();
    if rbm.layers().are_bernoulli() {
        return rbm.visible().min(rbm.hidden()) <= MOST_ENUMERATED;
    }
    let gaussian = |kind| kind == UnitKind::Gaussian;
    are_few(visible, MOST_OF_ANY) || are_few(hidden, MOST_OF_ANY) || visible.all(gaussian) && hidden.all(gaussian)
}

/// ln Z of an RBM, label group included, in nats; over real units it is the logarithm of an integral.
///
/// # Errors
/// [`crate::Error::Config`] if neither side is discrete with at most as many states as [`MOST_ENUMERATED`] bits have,
/// unless all units are Gaussian; if Z is infinite.
pub fn exact_log_partition(rbm: &Rbm) -> Result<f64> {
    let smaller = rbm.visible().min(rbm.hidden());
    if !rbm.layers().are_bernoulli() {
        return of_any_units(rbm);
    }
    let expected = "at most 25, or there are too many states to sum over";
    require(smaller <= MOST_ENUMERATED, "units of the smaller side", smaller, expected)?;
    let parameters = rbm.to_parameters()?;
    Ok(if rbm.hidden() <= rbm.visible() { over_hidden(rbm, &parameters) } else { over_visible(rbm, &parameters) })
}

/// In double precision, by the formulas on tensors.
fn of_any_units(rbm: &Rbm) -> Result<f64> {
    let Layers { visible, hidden } = rbm.layers();
    let gaussian = |kind| kind == UnitKind::Gaussian;
    if visible.all(gaussian) && hidden.all(gaussian) {
        return of_each_label(rbm, normal::log_partition);
    }
    if rbm.labels().is_some() {
        return of_any_units(&*rbm.joined()?);
    }
    let rbm = rbm.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let few = |units| are_few(units, MOST_ENUMERATED);
    let mut sum = LogSum::default();
    let mut add = |terms: Tensor| -> Result<()> {
        terms.to_vec1::<f64>()?.into_iter().for_each(|term| sum.add(term));
        Ok(())
    };
    if few(hidden) && !(few(visible) && visible.columns() < hidden.columns()) {
        for states in all(hidden) {
            let h = states?;
            add((rbm.below().cgf(&h.matmul(rbm.w_gen())?)? - rbm.above().energy(&h)?)?)?;
        }
    } else {
        let expected = "on one side discrete and at most 25 bits, or there are too many states to sum over";
        require(few(visible), "units", format!("{visible} below {hidden}"), expected)?;
        for v in all(visible) {
            add(rbm.free_energy(&v?)?.neg()?)?;
        }
    }
    Ok(sum.value())
}

/// The logarithm of the sum over the labels of what `of` makes of the RBM given each, or `of` it where there are none.
fn of_each_label(rbm: &Rbm, of: impl Fn(&Rbm) -> Result<f64>) -> Result<f64> {
    let Some(labels) = rbm.labels() else { return of(rbm) };
    let b: Vec<f64> = labels.b.to_dtype(DType::F64)?.to_vec1()?;
    let mut sum = LogSum::default();
    for (class, b) in b.into_iter().enumerate() {
        sum.add(b + of(&rbm.given_label(class)?)?);
    }
    Ok(sum.value())
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
