//! Labels: what the top RBM, of which the label is a visible unit, says of data.
//!
//! A deterministic up-pass of probabilities gives the penultimate units; the top RBM's free
//! energy of them with each label is exact, and so is
//! `p(y | pen) = softmax_y(b_y + sum_k cgf_k((pen w_rec)_k + w_yk))`, where the cgf of a Bernoulli unit is
//! `softplus(hb_k + input)` (Hinton, Osindero & Teh 2006, section 6). With one layer of weights pen are the visible units.

use crate::dbn::Dbn;
use crate::error::{Error, Result, require};
use candle_core::{DType, Device, Tensor};
use candle_nn::ops::{sigmoid, softmax};
use deepbelief_kernels::{Uniforms, ops};
use deepbelief_rbm::LabelGroup;

/// Samples classified at a time: the top layer's inputs of so many stay in a few megabytes.
const ROWS: usize = 500;

/// Most Gibbs steps of a classification: each has two half-steps, which are counted in 16 bits.
const MAX_STEPS: u32 = u16::MAX as u32 / 2;

impl Dbn {
    /// Number of classes of the label group, 0 without one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.top().classes()
    }

    fn group(&self, what: &'static str) -> Result<&LabelGroup> {
        self.top().labels().ok_or(Error::NoLabelGroup { what })
    }

    /// Minus the free energy of each label with the penultimate probabilities of `v`, up to a
    /// term that all labels share: [B, V] -> [B, classes], in nats.
    ///
    /// # Errors
    /// [`Error::NoLabelGroup`]; if the shapes do not fit.
    pub fn label_scores(&self, v: &Tensor) -> Result<Tensor> {
        self.group("a label's free energy")?;
        let mut scores = Vec::new();
        for first in (0..v.dim(0)?).step_by(ROWS) {
            let rows = v.narrow(0, first, ROWS.min(v.dim(0)? - first))?;
            scores.push(self.top().label_scores(&self.penultimate(&rows)?)?);
        }
        if scores.is_empty() {
            return Ok(Tensor::zeros((0, self.classes()), v.dtype(), v.device())?);
        }
        Ok(Tensor::cat(&scores, 0)?)
    }

    /// p(y | v) by the exact free energy of each label, [B, V] -> [B, classes]. Exact given the
    /// penultimate probabilities; with one layer of weights exact altogether.
    ///
    /// # Errors
    /// [`Error::NoLabelGroup`]; if the shapes do not fit.
    pub fn label_probabilities(&self, v: &Tensor) -> Result<Tensor> {
        Ok(softmax(&self.label_scores(v)?, 1)?)
    }

    /// The most probable label of each sample [B, V]; the lower one of two that tie.
    ///
    /// # Errors
    /// [`Error::NoLabelGroup`]; if the shapes do not fit.
    pub fn classify(&self, v: &Tensor) -> Result<Vec<u32>> {
        most_probable(&self.label_scores(v)?)
    }

    /// Share of the samples [B, V] that [`Dbn::classify`] gives another label than theirs.
    ///
    /// # Errors
    /// [`Error::NoLabelGroup`]; [`Error::Config`] for no samples, another number of labels than
    /// samples or a label that is no class; if the shapes do not fit.
    pub fn label_error(&self, v: &Tensor, labels: &[u32]) -> Result<f64> {
        let told = self.classify(v)?;
        let fits = !told.is_empty() && told.len() == labels.len();
        require(fits, "number of labels", labels.len(), format!("that of the samples, {}, and not 0", told.len()))?;
        let classes = self.classes();
        let unknown = labels.iter().find(|&&label| label as usize >= classes);
        require(
            unknown.is_none(),
            "a label",
            unknown.map_or(0, |&label| label),
            format!("below {classes}, the number of classes"),
        )?;
        let wrong = told.iter().zip(labels).filter(|(told, label)| told != label).count();
        Ok(wrong as f64 / told.len() as f64)
    }

    /// Label probabilities by Gibbs sampling at the top, [B, V] -> [B, classes]: the up-pass is
    /// sampled, its penultimate states are held, and top units and label take turns for `steps`
    /// steps from a fair label. The result is the mean of p(y | h) over the steps. Sample b draws
    /// from row b of `draw`.
    ///
    /// Slower and noisier than [`Dbn::label_probabilities`]; the same paper reports it half a
    /// point to a point worse.
    ///
    /// # Errors
    /// [`Error::NoLabelGroup`]; [`Error::Config`] for no or too many steps; if the shapes do not
    /// fit.
    pub fn label_probabilities_by_gibbs(&self, v: &Tensor, steps: u32, draw: Uniforms) -> Result<Tensor> {
        let group = self.group("Gibbs sampling of labels")?;
        require((1..=MAX_STEPS).contains(&steps), "steps", steps, format!("between 1 and {MAX_STEPS}"))?;
        let (samples, classes, top) = (v.dim(0)?, self.classes(), self.top());
        let penultimate = self.encode(v, self.depth() - 1, Some(draw))?;
        // The up-pass has drawn from the layers' numbers; the chain draws from those above them.
        let chain = |half_step: u32| draw.layer(self.depth() as u8).gibbs(half_step as u16);
        // What the penultimate units give the top stays as it is.
        let x = ops::product(&penultimate, top.w_rec())?;
        let fair = (Tensor::ones((samples, classes), v.dtype(), v.device())? / classes as f64)?;
        let mut y = one_hot(&draw_labels(&fair, chain(0))?, classes, v)?;
        let mut sum = fair.zeros_like()?;
        for step in 1..=steps {
            let h = top.above().sample(&(&x + y.matmul(&group.w)?)?, chain(2 * step - 1))?.states;
            let p = top.reverse_labels(&h)?;
            y = one_hot(&draw_labels(&p, chain(2 * step))?, classes, v)?;
            sum = (sum + p)?;
        }
        Ok((sum / f64::from(steps))?)
    }

    /// The label of each sample [B, V] by [`Dbn::label_probabilities_by_gibbs`].
    ///
    /// # Errors
    /// Those of that function.
    pub fn classify_gibbs(&self, v: &Tensor, steps: u32, draw: Uniforms) -> Result<Vec<u32>> {
        most_probable(&self.label_probabilities_by_gibbs(v, steps, draw)?)
    }

    /// E[h | pen] of the top hidden units, the label summed out exactly: the mean of
    /// `E[h | pen, y]` under p(y | pen).
    pub(crate) fn top_given_penultimate(&self, penultimate: &Tensor) -> Result<Tensor> {
        let Some(labels) = self.top().labels() else {
            return Ok(self.top().forward(penultimate)?);
        };
        let p = self.top().label_probabilities(penultimate)?;
        let (x, above) = (ops::product(penultimate, self.top().w_rec())?, self.top().above());
        let mut hidden = x.zeros_like()?;
        for class in 0..labels.classes() {
            let w = labels.w.get(class)?;
            let given_label = if above.units.is_bernoulli() {
                // Added in the order, and so with the bits, that it has always had.
                sigmoid(&x.broadcast_add(above.bias)?.broadcast_add(&w)?)?
            } else {
                above.mean(&x.broadcast_add(&w)?)?
            };
            hidden = (hidden + given_label.broadcast_mul(&p.narrow(1, class, 1)?)?)?;
        }
        Ok(hidden)
    }
}

/// The column of the largest entry of each row, the first of equals.
fn most_probable(scores: &Tensor) -> Result<Vec<u32>> {
    let rows: Vec<Vec<f64>> = scores.to_dtype(DType::F64)?.to_vec2()?;
    let best = |row: &Vec<f64>| {
        let better = |best: usize, column: usize| if row[column] > row[best] { column } else { best };
        (0..row.len()).fold(0, better) as u32
    };
    Ok(rows.iter().map(best).collect())
}

/// One label a row from probabilities [B, classes]; row b draws from row b of `draw`.
pub(crate) fn draw_labels(probabilities: &Tensor, draw: Uniforms) -> Result<Vec<u32>> {
    let rows: Vec<Vec<f64>> = probabilities.to_dtype(DType::F64)?.to_device(&Device::Cpu)?.to_vec2()?;
    Ok(rows.iter().enumerate().map(|(row, p)| label_at(p, f64::from(draw.at(row as u32, 0)))).collect())
}

/// The label on which a uniform falls that is spread by their probabilities.
pub(crate) fn label_at(p: &[f64], uniform: f64) -> u32 {
    // Scaled by the sum, so that rounding leaves no gap above the last class.
    let mut left = uniform * p.iter().sum::<f64>();
    let mut label = 0;
    for (class, &p) in p.iter().enumerate() {
        if p > 0.0 {
            label = class as u32;
            if left < p {
                break;
            }
        }
        left -= p;
    }
    label
}

/// Labels as states of the group, [B, classes], in the type and on the device of `like`.
pub(crate) fn one_hot(labels: &[u32], classes: usize, like: &Tensor) -> Result<Tensor> {
    let mut states = vec![0.0f32; labels.len() * classes];
    for (entry, (row, &label)) in states.chunks_exact_mut(classes).zip(labels).enumerate() {
        *row.get_mut(label as usize).ok_or(Error::Label { got: label, entry, classes })? = 1.0;
    }
    Ok(Tensor::from_vec(states, (labels.len(), classes), like.device())?.to_dtype(like.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepbelief_kernels::Stream;

    /// The uniform that falls on a class decides: every class must come up, one of probability
    /// zero never (not even last, where rounding could spill), and one of probability one
    /// always.
    #[test]
    fn labels_are_drawn_by_their_probabilities() -> Result<()> {
        let p = Tensor::new(&[[0.5f32, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]], &Device::Cpu)?;
        let mut counts = [0; 4];
        for step in 0..2000 {
            let labels = draw_labels(&p, Uniforms::new(1, Stream::User, step))?;
            assert_eq!(labels[1], 3);
            counts[labels[0] as usize] += 1;
        }
        // Five standard errors of a fair coin over 2000 throws.
        assert_eq!((counts[1], counts[3]), (0, 0));
        assert!((f64::from(counts[0]) - 1000.0).abs() < 5.0 * 500f64.sqrt(), "{counts:?}");
        Ok(())
    }

    #[test]
    fn ties_go_to_the_lower_class() -> Result<()> {
        let scores = Tensor::new(&[[1.0f32, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 4.0]], &Device::Cpu)?;
        assert_eq!(most_probable(&scores)?, [1, 0, 2]);
        Ok(())
    }
}
