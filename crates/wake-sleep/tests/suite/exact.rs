//! Small models written out state by state in F64. Nothing but the parameters is taken from the
//! model.

use crate::{all_states, rows, values};
use deepbelief_stack::Dbn;

/// A directed layer.
#[derive(Clone)]
pub(crate) struct PlainLayer {
    pub(crate) w_rec: Vec<Vec<f64>>,
    pub(crate) w_gen: Vec<Vec<f64>>,
    pub(crate) hb: Vec<f64>,
    pub(crate) vb: Vec<f64>,
}

/// A model without labels.
#[derive(Clone)]
pub(crate) struct Plain {
    pub(crate) layers: Vec<PlainLayer>,
    pub(crate) top_w: Vec<Vec<f64>>,
    pub(crate) top_hb: Vec<f64>,
    pub(crate) top_vb: Vec<f64>,
}

/// States of all layers from the visible to the penultimate units, each with its number.
pub(crate) type Joint = Vec<(usize, Vec<f64>)>;

/// log of the probability of 0/1 `states` whose inputs are `bias + from w`.
pub(crate) fn log_bernoulli(states: &[f64], from: &[f64], w: &[Vec<f64>], bias: &[f64]) -> f64 {
    let log = |i: usize, s: f64| {
        let x = bias[i] + from.iter().zip(w).map(|(x, w)| x * w[i]).sum::<f64>();
        s * x - x.exp().ln_1p()
    };
    states.iter().enumerate().map(|(i, &s)| log(i, s)).sum()
}

impl Plain {
    pub(crate) fn of(dbn: &Dbn) -> Self {
        let layer = |layer: &deepbelief_stack::Layer| PlainLayer {
            w_rec: rows(layer.w_rec()),
            w_gen: rows(layer.w_gen()),
            hb: values(layer.hb()),
            vb: values(layer.vb()),
        };
        let top = dbn.top();
        Self {
            layers: dbn.layers().iter().map(layer).collect(),
            top_w: rows(top.w_rec()),
            top_hb: values(top.hb()),
            top_vb: values(top.vb()),
        }
    }

    /// log p of every penultimate state: the top RBM, its hidden units summed out, normalised.
    pub(crate) fn log_top(&self) -> Vec<f64> {
        let minus_free = |v: &Vec<f64>| {
            let input = |j: usize| self.top_hb[j] + v.iter().zip(&self.top_w).map(|(v, w)| v * w[j]).sum::<f64>();
            let hidden: f64 = (0..self.top_hb.len()).map(|j| input(j).exp().ln_1p()).sum();
            hidden + v.iter().zip(&self.top_vb).map(|(v, b)| v * b).sum::<f64>()
        };
        let minus_free: Vec<f64> = all_states(self.top_vb.len()).iter().map(minus_free).collect();
        let log_z = minus_free.iter().map(|f| f.exp()).sum::<f64>().ln();
        minus_free.iter().map(|f| f - log_z).collect()
    }

    /// Every state of all layers below the top hidden units.
    pub(crate) fn joints(&self) -> Vec<Joint> {
        let sizes = self.layers.iter().map(|layer| layer.vb.len()).chain([self.top_vb.len()]);
        sizes.fold(vec![Vec::new()], |joints: Vec<Joint>, units| {
            let states: Vec<(usize, Vec<f64>)> = all_states(units).into_iter().enumerate().collect();
            let extended = |joint: &Joint| {
                states.iter().map(|state| [joint.as_slice(), &[state.clone()]].concat()).collect::<Vec<_>>()
            };
            joints.iter().flat_map(extended).collect()
        })
    }

    /// log q of the hidden layers given the visible units.
    pub(crate) fn log_recognition(&self, joint: &Joint) -> f64 {
        let of_layer =
            |(l, layer): (usize, &PlainLayer)| log_bernoulli(&joint[l + 1].1, &joint[l].1, &layer.w_rec, &layer.hb);
        self.layers.iter().enumerate().map(of_layer).sum()
    }

    /// log p of all layers.
    pub(crate) fn log_generative(&self, joint: &Joint, log_top: &[f64]) -> f64 {
        let of_layer =
            |(l, layer): (usize, &PlainLayer)| log_bernoulli(&joint[l].1, &joint[l + 1].1, &layer.w_gen, &layer.vb);
        let penultimate = joint[self.layers.len()].0;
        log_top[penultimate] + self.layers.iter().enumerate().map(of_layer).sum::<f64>()
    }

    /// p of every visible state.
    pub(crate) fn marginal(&self) -> Vec<f64> {
        let mut p: Vec<f64> = self.log_top().iter().map(|log| log.exp()).collect();
        for layer in self.layers.iter().rev() {
            let uppers = all_states(layer.hb.len());
            let of_state = |x: &Vec<f64>| {
                let given = |upper: &Vec<f64>| log_bernoulli(x, upper, &layer.w_gen, &layer.vb).exp();
                uppers.iter().zip(&p).map(|(upper, p)| p * given(upper)).sum::<f64>()
            };
            p = all_states(layer.vb.len()).iter().map(of_state).collect();
        }
        p
    }

    /// The variational bound on the mean log-likelihood of data with these probabilities:
    /// `sum over v of P(v) sum over h of q(h|v) (log p(v, h) - log q(h|v))`.
    pub(crate) fn bound(&self, data: &[f64]) -> f64 {
        let log_top = self.log_top();
        let term = |joint: &Joint| {
            let log_q = self.log_recognition(joint);
            data[joint[0].0] * log_q.exp() * (self.log_generative(joint, &log_top) - log_q)
        };
        self.joints().iter().map(term).sum()
    }

    /// `KL(p(h|v) || q(h|v))`, a mean over the visible states of the model itself.
    pub(crate) fn divergence(&self) -> f64 {
        let (log_top, marginal) = (self.log_top(), self.marginal());
        let term = |joint: &Joint| {
            let log_p = self.log_generative(joint, &log_top);
            log_p.exp() * (log_p - marginal[joint[0].0].ln() - self.log_recognition(joint))
        };
        self.joints().iter().map(term).sum()
    }
}

/// `KL(data || model)` of distributions over the same states.
pub(crate) fn kl(data: &[f64], model: &[f64]) -> f64 {
    data.iter().zip(model).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * (p / q).ln()).sum()
}

/// The enumeration holds together: probabilities sum to one, the bound is below the likelihood by
/// the divergence of the posteriors, and of a model whose recognition is exact by nothing.
#[test]
fn the_enumeration_is_consistent() {
    let mut plain = Plain::of(&crate::untied(&[4, 3, 2, 3], 0, 1.5));
    assert!((plain.marginal().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    // On the model's own distribution the gap of the bound is KL(q || p), which is not that of
    // `divergence`, but both vanish together: when nothing depends on anything.
    let own = plain.marginal();
    let likelihood: f64 = own.iter().map(|p| p * p.ln()).sum();
    assert!(plain.bound(&own) < likelihood && plain.divergence() > 0.0);
    for layer in &mut plain.layers {
        layer.w_gen.iter_mut().chain(&mut layer.w_rec).flatten().for_each(|w| *w = 0.0);
    }
    plain.top_w.iter_mut().flatten().for_each(|w| *w = 0.0);
    plain.layers[0].hb = plain.layers[1].vb.clone();
    plain.layers[1].hb.clone_from(&plain.top_vb);
    let own = plain.marginal();
    let likelihood: f64 = own.iter().map(|p| p * p.ln()).sum();
    assert!((plain.bound(&own) - likelihood).abs() < 1e-12 && plain.divergence().abs() < 1e-12);
}
