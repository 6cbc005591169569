//! The deep belief net: directed layers under an undirected top.
//!
//! The top two layers of units form an RBM, of which the lower is called the penultimate layer;
//! every layer below it is generated from the one above (Hinton, Osindero & Teh 2006):
//!
//! ```text
//! p(v, h1, ..., hN) = p(v | h1) p(h1 | h2) ... p(hN-1, hN)        the last factor is the top RBM
//! p(v_i = 1 | h1) = sigmoid(vb_i + (h1 w_gen)_i)                  down, generative
//! q(h1_j = 1 | v) = sigmoid(hb_j + (v w_rec)_j)                   up, recognition, approximate
//! ```
//!
//! A stack fresh from greedy training is tied: `w_gen` is the transpose of `w_rec`. The
//! penultimate units then have two biases, the recognition bias of the layer below the top and
//! the visible bias of the top RBM (the same paper, appendix B).
//!
//! The hidden units of the top may be Gaussian, the linear code of an autoencoder (Hinton &
//! Salakhutdinov 2006), or of other kinds, and the visible units of any kinds; what is said of
//! their probabilities then holds of their means. All units between are Bernoulli.
//!
//! ```
//! use candle_core::{DType, Device, Module, Tensor};
//! use deepbelief_rbm::{Rbm, RbmConfig};
//! use deepbelief_stack::Dbn;
//! # fn main() -> Result<(), deepbelief_stack::Error> {
//! let rbm = |visible: usize, hidden| {
//!     Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.5; visible], &Device::Cpu)
//! };
//! let dbn = Dbn::from_rbms(vec![rbm(6, 5)?, rbm(5, 4)?, rbm(4, 8)?])?;
//! let v = Tensor::zeros((2, 6), DType::F32, &Device::Cpu)?;
//! assert_eq!(dbn.forward(&v)?.dims(), [2, 8]);
//! assert_eq!(dbn.encode(&v, 1, None)?.dims(), [2, 5]);
//! assert_eq!(dbn.reconstruct(&v)?.dims(), [2, 6]);
//! # Ok(())
//! # }
//! ```

use crate::error::{Error, Result, require};
use crate::layer::{Layer, inputs, probabilities, sampled};
use candle_core::{DType, Device, Module, Tensor};
use deepbelief_kernels::{Uniforms, ops};
use deepbelief_rbm::{FieldTensors, Layers, Rbm, Sampled, UnitKind, Units};

/// Most layers of weights in a stack.
pub const MAX_DEPTH: usize = 64;

/// A deep belief net of any depth from one; with one layer of weights it is the top RBM alone.
#[derive(Clone, Debug)]
pub struct Dbn {
    layers: Vec<Layer>,
    top: Rbm,
}

impl Dbn {
    /// From directed layers, bottom first, and the top RBM.
    ///
    /// # Errors
    /// [`Error::Misfit`] if neighbours have different numbers of units, [`Error::OthersAboveBottom`] if units
    /// between two layers are not Bernoulli, [`Error::Config`] for more than [`MAX_DEPTH`] layers.
    pub fn new(layers: Vec<Layer>, top: Rbm) -> Result<Self> {
        let depth = layers.len() + 1;
        require(depth <= MAX_DEPTH, "number of layers", depth, format!("between 1 and {MAX_DEPTH}"))?;
        let above = layers.iter().skip(1).map(Layer::visible).chain([top.visible()]);
        for (index, (below, visible)) in layers.iter().zip(above).enumerate() {
            if below.hidden() != visible {
                return Err(Error::Misfit { layer: index + 1, visible, hidden: below.hidden() });
            }
        }
        let units = layers.iter().map(Layer::visible_units).chain([&top.layers().visible]);
        if let Some((layer, units)) = units.enumerate().skip(1).find(|(_, units)| !units.is_bernoulli()) {
            return Err(Error::OthersAboveBottom { layer, units: units.kinds() });
        }
        Ok(Self { layers, top })
    }

    /// From RBMs trained one on top of the other, bottom first. The last becomes the top, the
    /// others directed layers with tied weights: hidden biases become recognition biases,
    /// visible biases generative ones.
    ///
    /// # Errors
    /// [`Error::Config`] for no or too many RBMs, [`Error::Misfit`],
    /// [`Error::LabelsBelowTop`], [`Error::OthersBelowTop`], [`Error::OthersAboveBottom`].
    pub fn from_rbms(mut rbms: Vec<Rbm>) -> Result<Self> {
        let depth = rbms.len();
        require((1..=MAX_DEPTH).contains(&depth), "number of layers", depth, format!("between 1 and {MAX_DEPTH}"))?;
        let top = rbms.remove(depth - 1);
        if let Some(layer) = rbms.iter().position(|rbm| rbm.labels().is_some()) {
            return Err(Error::LabelsBelowTop { layer, depth });
        }
        if let Some(error) = Error::of_hidden_units(&rbms, depth) {
            return Err(error);
        }
        Self::new(rbms.iter().map(Layer::of_rbm).collect::<Result<_>>()?, top)
    }

    /// The RBMs a tied stack was made of: undoes [`Dbn::from_rbms`].
    ///
    /// # Errors
    /// [`Error::Untied`] names the first layer that is no longer an RBM.
    pub fn to_rbms(&self) -> Result<Vec<Rbm>> {
        let mut rbms = Vec::with_capacity(self.depth());
        for (layer, directed) in self.layers.iter().enumerate() {
            if !directed.is_tied()? {
                return Err(Error::Untied { layer });
            }
            let rbm = Rbm::from_tensors(directed.w_rec.clone(), directed.hb.clone(), directed.vb.clone())?;
            let layers = Layers { visible: directed.visible_units().clone(), ..rbm.layers().clone() };
            rbms.push(rbm.with_layers(layers, directed.visible_fields().clone(), FieldTensors::default())?);
        }
        rbms.push(self.top.clone());
        Ok(rbms)
    }

    /// The directed layers, bottom first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The undirected top.
    #[must_use]
    pub fn top(&self) -> &Rbm {
        &self.top
    }

    /// Layers of weights, the top included.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.layers.len() + 1
    }

    /// Layers of weights under the features: all of them, or, where independent units stand at the top,
    /// those below it. A sigmoid belief net has such a top, an RBM with one hidden unit and no weights.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn code_depth(&self) -> candle_core::Result<usize> {
        let independent = !self.layers.is_empty()
            && self.top.hidden() == 1
            && self.top.w_rec().to_dtype(DType::F32)?.abs()?.sum_all()?.to_scalar::<f32>()? == 0.0;
        Ok(self.depth() - usize::from(independent))
    }

    /// Units of the layers under the features, from the visible ones: [`Dbn::sizes`] without the unit that stands for
    /// independent ones. This is what a person calls the net's size.
    ///
    /// # Errors
    /// As [`Dbn::code_depth`].
    pub fn code_sizes(&self) -> candle_core::Result<Vec<usize>> {
        let mut sizes = self.sizes();
        sizes.truncate(self.code_depth()? + 1);
        Ok(sizes)
    }

    /// The same model on another device.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        self.mapped(self.top.to_device(device)?, |tensor| tensor.to_device(device))
    }

    /// The same model with parameters of another type.
    ///
    /// # Errors
    /// For types other than F32 and F64.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self> {
        self.mapped(self.top.to_dtype(dtype)?, |tensor| tensor.to_dtype(dtype))
    }

    fn mapped(&self, top: Rbm, to: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<Self> {
        Self::new(self.layers.iter().map(|layer| layer.mapped(&to)).collect::<Result<_>>()?, top)
    }

    /// What the visible units are.
    #[must_use]
    pub fn visible_units(&self) -> &Units {
        self.layers.first().map_or(&self.top.layers().visible, Layer::visible_units)
    }

    /// Number of visible units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.layers.first().map_or(self.top.visible(), Layer::visible)
    }

    /// Units of every layer, from the visible ones to the top.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let below = self.layers.iter().map(Layer::visible);
        below.chain([self.top.visible(), self.top.hidden()]).collect()
    }

    /// Whether every directed layer is tied.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn is_tied(&self) -> Result<bool> {
        self.layers.iter().try_fold(true, |tied, layer| Ok(tied && layer.is_tied()?))
    }

    /// The up-pass to the units after `depth` layers of weights, [B, V] -> [B, units]: 0 gives
    /// the visible units themselves, [`Dbn::depth`] the top hidden units.
    ///
    /// Without `draw` every layer passes its probabilities on and the result are probabilities;
    /// with it every layer is sampled, layer l from `draw.layer(l)`, and the result are states.
    /// A label group at the top takes no part: its units are off, which makes the pass the plain
    /// feed-forward network that [`crate::export::mlp`] writes.
    ///
    /// # Errors
    /// [`Error::Config`] if there are not so many layers; if the shapes do not fit.
    pub fn encode(&self, v: &Tensor, depth: usize, draw: Option<Uniforms>) -> Result<Tensor> {
        let deepest = self.depth();
        require(depth <= deepest, "depth", depth, format!("between 0 and {deepest}, the layers of the model"))?;
        let mut units = v.clone();
        for (index, layer) in self.layers.iter().take(depth).enumerate() {
            units = match draw {
                None => layer.recognize(&units)?,
                Some(draw) => sampled(&units, &layer.w_rec, &layer.hb, draw.layer(index as u8))?.states,
            };
        }
        if depth == deepest {
            units = match draw {
                None => self.code(&units)?,
                Some(draw) => self.top.sample_h(&units, draw.layer(self.layers.len() as u8))?.states,
            };
        }
        Ok(units)
    }

    /// E\[h | pen\] of the top hidden units, [B, units] -> [B, H]; a label group takes no part.
    fn code(&self, penultimate: &Tensor) -> candle_core::Result<Tensor> {
        let (w, b) = (self.top.w_rec(), self.top.hb());
        match &self.top.layers().hidden {
            units if units.is_bernoulli() => probabilities(penultimate, w, b),
            units if units.all(|kind| kind == UnitKind::Gaussian) => inputs(penultimate, w, b),
            _ => self.top.forward(penultimate),
        }
    }

    /// Probabilities of the units under the top by a deterministic up-pass, [B, V] -> [B, units].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn penultimate(&self, v: &Tensor) -> Result<Tensor> {
        self.encode(v, self.layers.len(), None)
    }

    /// The deterministic down-pass from units after `depth` layers of weights to the visible
    /// units, [B, units] -> [B, V]: every layer passes its probabilities on.
    ///
    /// # Errors
    /// [`Error::Config`] if there are not so many layers; if the shapes do not fit.
    pub fn decode(&self, h: &Tensor, depth: usize) -> Result<Tensor> {
        self.decode_to(h, depth, 0)
    }

    /// The down-pass from units after `depth` layers of weights to those after `end` layers.
    fn decode_to(&self, h: &Tensor, depth: usize, end: usize) -> Result<Tensor> {
        let deepest = self.depth();
        require(depth <= deepest, "depth", depth, format!("between 0 and {deepest}, the layers of the model"))?;
        let mut units = h.clone();
        if depth == deepest {
            units = if self.top.layers().visible.is_bernoulli() {
                probabilities(&units, self.top.w_gen(), self.top.vb())?
            } else {
                self.top.reverse(&units)?
            };
        }
        for layer in self.layers.iter().take(depth).skip(end).rev() {
            units = layer.generate(&units)?;
        }
        Ok(units)
    }

    /// Visible values [B, V] after a deterministic pass up through all layers and down again.
    /// With labels the top hidden units are averaged over what the model believes the label to
    /// be.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reconstruct(&self, v: &Tensor) -> Result<Tensor> {
        let top = self.top_given_penultimate(&self.penultimate(v)?)?;
        self.decode(&top, self.depth())
    }

    /// Mean cross-entropy between visible values [B, V] in [0, 1] and [`Dbn::reconstruct`] of
    /// them, in nats per sample; of visible units of other kinds their mean -ln p(v|h). Computed from the logits, so that saturated units stay finite.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reconstruction_cost(&self, v: &Tensor) -> Result<f64> {
        let costs = self.reconstruction_costs(v)?;
        Ok(costs.iter().sum::<f64>() / costs.len() as f64)
    }

    /// [`Dbn::reconstruction_cost`] of each sample by itself.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reconstruction_costs(&self, v: &Tensor) -> Result<Vec<f64>> {
        if !self.visible_units().is_bernoulli() {
            let Some(bottom) = self.layers.first() else {
                if self.top.labels().is_some() {
                    let x = self.top_given_penultimate(v)?.matmul(self.top.w_gen())?;
                    return Ok(self.top.below().cost(&x, v)?.to_dtype(DType::F64)?.to_vec1()?);
                }
                let cost = |row| Ok(self.top.reconstruction_cost(&v.narrow(0, row, 1)?)?);
                return (0..v.dim(0)?).map(cost).collect();
            };
            let top = self.top_given_penultimate(&self.penultimate(v)?)?;
            return Ok(bottom.costs(v, &self.decode_to(&top, self.depth(), 1)?)?.to_vec1()?);
        }
        let top = self.top_given_penultimate(&self.penultimate(v)?)?;
        let (above, w, b) = match self.layers.first() {
            None => (top, self.top.w_gen(), self.top.vb()),
            Some(bottom) => (self.decode_to(&top, self.depth(), 1)?, &bottom.w_gen, &bottom.vb),
        };
        let logits = inputs(&above, w, b)?;
        let cost = (ops::softplus(&logits)? - (v * &logits)?)?.sum(1)?.to_dtype(DType::F64)?;
        Ok(cost.to_vec1()?)
    }

    /// One visible sample of the directed layers per row of penultimate units: hidden layers are
    /// sampled on the way down, layer l of weights from `draw.layer(l)`, the visible units stay
    /// probabilities.
    pub(crate) fn decode_sampled(&self, penultimate: &Sampled, draw: Uniforms) -> Result<Tensor> {
        let Some(bottom) = self.layers.first() else { return Ok(penultimate.probabilities.clone()) };
        Ok(bottom.generate(&self.descend(&penultimate.states, draw)?)?)
    }

    /// The same with the visible units sampled too.
    pub(crate) fn decode_states(&self, penultimate: &Sampled, draw: Uniforms) -> Result<Tensor> {
        let Some(bottom) = self.layers.first() else { return Ok(penultimate.states.clone()) };
        Ok(bottom.sample_v(&self.descend(&penultimate.states, draw)?, draw.layer(0))?.states)
    }

    /// States of the units above the lowest directed layer, drawn from penultimate states.
    fn descend(&self, penultimate: &Tensor, draw: Uniforms) -> Result<Tensor> {
        let mut units = penultimate.clone();
        for (index, layer) in self.layers.iter().enumerate().skip(1).rev() {
            units = sampled(&units, &layer.w_gen, &layer.vb, draw.layer(index as u8))?.states;
        }
        Ok(units)
    }
}

/// The model's output is the top hidden probabilities, [B, V] -> [B, H]: [`Dbn::encode`] at full
/// depth.
impl Module for Dbn {
    fn forward(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        let penultimate = self.layers.iter().try_fold(v.clone(), |units, layer| layer.recognize(&units))?;
        self.code(&penultimate)
    }
}
