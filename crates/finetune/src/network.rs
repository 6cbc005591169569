//! A deep belief net unrolled into a feed-forward network:
//!
//! ```text
//! classifier    v -> h1 -> ... -> hN -> softmax          recognition weights, then a layer of labels
//! autoencoder   v -> h1 -> ... -> hN -> ... -> h1 -> v   recognition weights, then generative ones
//! ```
//!
//! Weights are kept [in, out], as recognition weights are, so that their gradients are products
//! without a transposition; files hold them [out, in].

use crate::bottom;
use crate::error::{Result, require};
use crate::layers::{Activation, Dense, Objective};
use crate::outputs;
use crate::pass::{self, Drops, Outputs};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{MAX_UNITS, Stream, Uniforms};
use deepbelief_rbm::{LabelGroup, UnitKind, Units};
use deepbelief_stack::{Dbn, Layer, MAX_DEPTH};

/// A feed-forward network.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use deepbelief_finetune::{Network, Objective};
/// # fn main() -> Result<(), deepbelief_finetune::Error> {
/// let network = Network::random(Objective::Autoencoder, &[6, 5, 2], 0, 1)?;
/// let v = Tensor::zeros((3, 6), DType::F32, &Device::Cpu)?;
/// assert_eq!(network.sizes(), [6, 5, 2, 5, 6]);
/// assert_eq!(network.encode(&v, network.code_depth())?.dims(), [3, 2]);
/// assert_eq!(network.forward(&v)?.dims(), [3, 6]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    objective: Objective,
    layers: Vec<Dense>,
    /// What an autoencoder gives back, where that is not Bernoulli units alone.
    visible: Option<Units>,
}

impl Network {
    /// The up-pass of a net, spins as 0 and 1, and on top of it a layer of labels. That starts as the label group of the
    /// net, which weighs the same hidden units, or where there is none, at zero.
    ///
    /// # Errors
    /// [`crate::Error::Config`] unless there are two to 65504 classes, at least as many as the label
    /// group has.
    pub fn classifier(dbn: &Dbn, classes: usize) -> Result<Self> {
        let known = dbn.top().labels().map_or(2, LabelGroup::classes);
        require(
            (known..=MAX_UNITS).contains(&classes),
            "number of classes",
            classes,
            format!("between {known} and {MAX_UNITS}"),
        )?;
        let mut layers = up(dbn)?;
        let hidden = dbn.sizes()[layers.len()];
        let zeros = |classes: usize| Tensor::zeros((classes, hidden), DType::F32, &Device::Cpu);
        let (w, b) = match dbn.top().labels() {
            Some(labels) if labels.classes() == classes => (labels.w.clone(), labels.b.clone()),
            _ => (zeros(classes)?, Tensor::zeros(classes, DType::F32, &Device::Cpu)?),
        };
        layers.push(Dense { w: w.t()?.contiguous()?, b, activation: Activation::Softmax });
        Ok(Self { objective: Objective::Classifier, layers, visible: None })
    }

    /// The up-pass of a net, spins as 0 and 1, and the down-pass after it. A label group takes no part. Numbers come out
    /// with variance 1, whatever the net knows of it.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a net too deep to be unrolled.
    pub fn autoencoder(dbn: &Dbn) -> Result<Self> {
        let depth = 2 * dbn.depth();
        require(depth <= MAX_DEPTH, "number of layers up and down", depth, format!("at most {MAX_DEPTH}"))?;
        let mut layers = up(dbn)?;
        let top = (dbn.top().w_gen(), dbn.top().vb());
        let all = dbn.layers().iter().map(|layer| (layer.w_gen(), layer.vb())).chain([top]);
        let down = all.rev().skip(dbn.depth() - layers.len());
        layers.extend(down.map(|(w, b)| Dense { w: w.clone(), b: b.clone(), activation: Activation::Sigmoid }));
        if let Some(last) = layers.last_mut().filter(|_| !dbn.visible_units().is_bernoulli()) {
            (last.w, last.b) = bottom::downward(dbn, &last.w, &last.b)?;
        }
        Self { objective: Objective::Autoencoder, layers, visible: None }.over(dbn.visible_units())
    }

    /// A network that knows nothing, for comparison: `sizes` from the visible units to the top
    /// hidden ones, then the layer of `classes`, or the same way down again. An autoencoder's code
    /// is linear (Hinton & Salakhutdinov 2006).
    ///
    /// Weights are N(0, 2 / (in + out)) as Glorot & Bengio (2010) derive them for units of slope 1
    /// at zero, into sigmoid units four times as large, since theirs is 1/4: what a random start
    /// needs to learn through several layers at all. Biases are zero.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for sizes of no network.
    pub fn random(objective: Objective, sizes: &[usize], classes: usize, seed: u64) -> Result<Self> {
        let all = objective.sizes(sizes, classes);
        check_sizes(objective, &all)?;
        let activations = activations(objective, all.len() - 1, Activation::Linear);
        let mut layers = Vec::with_capacity(activations.len());
        for (layer, (pair, activation)) in all.windows(2).zip(activations).enumerate() {
            let gain = if activation == Activation::Sigmoid { 4.0 } else { 1.0 };
            let mut w = vec![0.0; pair[0] * pair[1]];
            let std = gain * (2.0 / (pair[0] + pair[1]) as f64).sqrt();
            Uniforms::new(seed, Stream::Weights, 0).layer(layer as u8).normal(std, pair[1], &mut w);
            let w = Tensor::from_vec(w, (pair[0], pair[1]), &Device::Cpu)?;
            layers.push(Dense { w, b: Tensor::zeros(pair[1], DType::F32, &Device::Cpu)?, activation });
        }
        Ok(Self { objective, layers, visible: None })
    }

    /// The same network over visible units of these kinds, spins as 0 and 1: an autoencoder gives back the means of
    /// their kinds.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if there are not as many.
    pub fn over(mut self, units: &Units) -> Result<Self> {
        let (got, expected) = (units.columns(), self.visible());
        require(got == expected, "visible units", got, expected)?;
        if self.objective == Objective::Autoencoder && !units.is_bernoulli() {
            self.visible = Some(units.clone());
            self.layers.last_mut().into_iter().for_each(|last| last.activation = Activation::Means);
        }
        Ok(self)
    }

    /// From layers that follow on each other, and the visible units of an autoencoder that ends in their means.
    pub(crate) fn from_layers(objective: Objective, layers: Vec<Dense>, visible: Option<Units>) -> Self {
        Self { objective, layers, visible }
    }

    /// The same network with other parameters.
    pub(crate) fn with_layers(&self, layers: Vec<Dense>) -> Self {
        Self { objective: self.objective, layers, visible: self.visible.clone() }
    }

    /// What an autoencoder gives back the means of, where that is not Bernoulli units alone.
    #[must_use]
    pub fn visible_units(&self) -> Option<&Units> {
        self.visible.as_ref()
    }

    /// How its outputs are judged.
    pub(crate) fn outputs(&self) -> Outputs<'_> {
        match (self.objective, &self.visible) {
            (Objective::Classifier, _) => Outputs::Labels,
            (Objective::Autoencoder, None) => Outputs::Bernoulli,
            (Objective::Autoencoder, Some(units)) => Outputs::Units(units),
        }
    }

    /// What the units above `depth` layers of weights make of their inputs.
    pub(crate) fn activated(&self, logits: &Tensor, depth: usize) -> Result<Tensor> {
        let activation = self.layers[depth - 1].activation;
        Ok(match (&self.visible, activation) {
            (Some(units), Activation::Means) => outputs::means(units, logits)?,
            _ => pass::activate(logits, activation)?,
        })
    }

    /// What the network is for.
    #[must_use]
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// The layers of weights, from the bottom.
    #[must_use]
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// The device it is on.
    pub(crate) fn device(&self) -> &Device {
        self.layers.first().map_or(&Device::Cpu, |layer| layer.w.device())
    }

    /// Layers of weights.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Units of every layer, from the inputs to the outputs.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(|layer| layer.w.dims()[0]);
        inputs.into_iter().chain(self.layers.iter().map(|layer| layer.b.elem_count())).collect()
    }

    /// Number of input units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.sizes()[0]
    }

    /// Number of labels it tells; 0 of an autoencoder.
    #[must_use]
    pub fn classes(&self) -> usize {
        match self.objective {
            Objective::Classifier => self.layers.last().map_or(0, |layer| layer.b.elem_count()),
            Objective::Autoencoder => 0,
        }
    }

    /// The layers of weights under the features: all of a classifier but that of its labels, half of
    /// an autoencoder's.
    #[must_use]
    pub fn code_depth(&self) -> usize {
        match self.objective {
            Objective::Classifier => self.depth() - 1,
            Objective::Autoencoder => self.depth() / 2,
        }
    }

    /// The units after `depth` layers of weights, [B, V] -> [B, units]; 0 gives `v` itself.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if there are not so many layers; if the shapes do not fit.
    pub fn encode(&self, v: &Tensor, depth: usize) -> Result<Tensor> {
        require(depth <= self.depth(), "depth", depth, format!("at most {}", self.depth()))?;
        let layers = &self.layers[..depth];
        if layers.is_empty() {
            return Ok(v.clone());
        }
        let values = pass::up(layers, v, Drops::NONE)?;
        self.activated(&values[depth], depth)
    }

    /// The outputs, [B, V] -> [B, units]: label probabilities or reconstructions.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, v: &Tensor) -> Result<Tensor> {
        self.encode(v, self.depth())
    }

    /// Its tensors as files name them, `prefix` before each: those of a classifier are `layers.{i}`,
    /// those of an autoencoder `encoder.{i}` and then `decoder.{i}`, each with `.weight` [out, in]
    /// and `.bias` `[out]`.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn named_tensors(&self, prefix: &str) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::with_capacity(2 * self.depth());
        for (layer, name) in self.layers.iter().zip(names(self.objective, self.depth())) {
            tensors.push((format!("{prefix}{name}.weight"), layer.w.t()?.contiguous()?));
            tensors.push((format!("{prefix}{name}.bias"), layer.b.clone()));
        }
        Ok(tensors)
    }
}

/// The up-pass, whose last layer is linear where the top has Gaussian hidden units.
fn up(dbn: &Dbn) -> Result<Vec<Dense>> {
    let hidden = &dbn.top().layers().hidden;
    let known = hidden.is_bernoulli() || hidden.all(|kind| kind == UnitKind::Gaussian);
    require(known, "hidden_units of the top", hidden.kinds(), "bernoulli or gaussian, to be layers of a network")?;
    let top = (dbn.top().w_rec(), dbn.top().hb());
    let all = dbn.layers().iter().map(|layer: &Layer| (layer.w_rec(), layer.hb())).chain([top]);
    let up = all.take(dbn.code_depth()?);
    let mut layers: Vec<Dense> =
        up.map(|(w, b)| Dense { w: w.clone(), b: b.clone(), activation: Activation::Sigmoid }).collect();
    if let (Some(code), false) = (layers.last_mut(), dbn.top().layers().hidden.is_bernoulli()) {
        code.activation = Activation::Linear;
    }
    if let Some(first) = layers.first_mut().filter(|_| !dbn.visible_units().is_bernoulli()) {
        (first.w, first.b) = bottom::upward(dbn, &first.w, &first.b)?;
    }
    Ok(layers)
}

/// What layers are called in a file.
pub(crate) fn names(objective: Objective, depth: usize) -> Vec<String> {
    match objective {
        Objective::Classifier => (0..depth).map(|layer| format!("layers.{layer}")).collect(),
        Objective::Autoencoder => {
            let half = |name: &'static str| (0..depth / 2).map(move |layer| format!("{name}.{layer}"));
            half("encoder").chain(half("decoder")).collect()
        }
    }
}

/// The activations of `depth` layers.
fn activations(objective: Objective, depth: usize, code: Activation) -> Vec<Activation> {
    let mut all = vec![Activation::Sigmoid; depth];
    match objective {
        Objective::Classifier => all[depth - 1] = Activation::Softmax,
        Objective::Autoencoder => all[depth / 2 - 1] = code,
    }
    all
}

/// Refuses sizes of no network.
pub(crate) fn check_sizes(objective: Objective, sizes: &[usize]) -> Result<()> {
    let words = || sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
    let mirrored = objective == Objective::Classifier || sizes.iter().eq(sizes.iter().rev());
    let fits = (3..=MAX_DEPTH + 1).contains(&sizes.len()) && sizes.iter().all(|units| (1..=MAX_UNITS).contains(units));
    let expected =
        format!("two to {MAX_DEPTH} layers of 1 to {MAX_UNITS} units, an autoencoder's the same up and down");
    require(fits && mirrored, "units of the network", words(), expected)
}
