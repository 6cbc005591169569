//! The restricted Boltzmann machine as a candle layer.
//!
//! Visible units v and hidden units h, all 0 or 1, have the joint energy
//! `E(v, h) = - vb·v - hb·h - v W h` and probability `exp(-E) / Z` (Smolensky 1986; Hinton
//! 2002). Given one layer the units of the other are independent:
//!
//! ```text
//! p(h_j = 1 | v) = sigmoid(hb_j + (v w_rec)_j)        forward,  [B, V] -> [B, H]
//! p(v_i = 1 | h) = sigmoid(vb_i + (h w_gen)_i)        reverse,  [B, H] -> [B, V]
//! ```
//!
//! `w_gen` [H, V] is always the transpose of `w_rec` [V, H]. The visible side may also hold a
//! [`LabelGroup`], as the top of a deep belief net does, and the hidden units may be Gaussian
//! ([`HiddenUnits`]): what is said of hidden probabilities then holds of their means.
//!
//! ```
//! use candle_core::{DType, Device, Module, Tensor};
//! use deepbelief_rbm::{Rbm, RbmConfig};
//! # fn main() -> Result<(), deepbelief_rbm::Error> {
//! let config = RbmConfig { hidden: 3, ..Default::default() };
//! let rbm = Rbm::new(&config, &[0.1, 0.5, 0.9, 0.2], &Device::Cpu)?;
//! let v = Tensor::zeros((2, 4), DType::F32, &Device::Cpu)?;
//! assert_eq!(candle_nn::seq().add(rbm).forward(&v)?.dims(), [2, 3]);
//! # Ok(())
//! # }
//! ```

use crate::error::{Error, Result, require};
use crate::model::config::{RbmConfig, VisibleBias};
use crate::model::hidden_units::HiddenUnits;
use crate::model::labels::LabelGroup;
use crate::model::sampled::{Sampled, sample};
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Parameters, Stream, Uniforms, ops};

/// A restricted Boltzmann machine with Bernoulli visible units.
#[derive(Clone, Debug)]
pub struct Rbm {
    pub(crate) w_rec: Tensor,
    pub(crate) w_gen: Tensor,
    pub(crate) hb: Tensor,
    pub(crate) vb: Tensor,
    pub(crate) hidden_units: HiddenUnits,
    pub(crate) labels: Option<LabelGroup>,
}

/// Both layers after a full Gibbs step.
#[derive(Clone, Debug)]
pub struct GibbsStep {
    /// Hidden units.
    pub hidden: Sampled,
    /// Visible units.
    pub visible: Sampled,
}

impl Rbm {
    /// A new RBM for data whose visible units have the means `data_mean`, `[V]`.
    ///
    /// # Errors
    /// [`Error::Config`] if a setting is out of range or a mean outside [0, 1];
    /// [`Error::Shape`] if the configured number of visible units is not the data's.
    pub fn new(config: &RbmConfig, data_mean: &[f32], device: &Device) -> Result<Self> {
        config.validate()?;
        let visible = RbmConfig { visible: Some(data_mean.len()), ..config.clone() };
        visible.validate()?;
        if config.visible.is_some_and(|visible| visible != data_mean.len()) {
            return Err(Error::Shape {
                what: "data for an RBM with a set number of visible units".into(),
                got: vec![data_mean.len()],
                expected: config.visible.into_iter().collect(),
            });
        }
        let in_range = data_mean.iter().all(|p| (0.0..=1.0).contains(p));
        require(in_range, "data_mean", "outside the range of probabilities", "between 0 and 1 for every visible unit")?;
        let (visible, hidden) = (data_mean.len(), config.hidden);
        let mut w = vec![0.0; visible * hidden];
        Uniforms::new(config.seed, Stream::Weights, 0).normal(config.weight_std, hidden, &mut w);
        let vb = match config.visible_bias {
            VisibleBias::Zero => vec![0.0; visible],
            VisibleBias::LogOdds => data_mean.iter().map(|&p| log_odds(p)).collect(),
        };
        let parameters = Parameters { w_rec: w, hb: vec![0.0; hidden], vb, ..Parameters::default() };
        Self::from_parameters(visible, hidden, parameters, device)?.with_hidden_units(config.hidden_units)
    }

    /// From weights [V, H] and biases `[H]` and `[V]`, all of one floating-point type; the hidden
    /// units are Bernoulli.
    ///
    /// # Errors
    /// [`Error::Shape`] names the tensor that does not fit; [`Error::Config`] refuses types other
    /// than F32 and F64.
    #[expect(clippy::needless_pass_by_value, reason = "a tensor is a handle, and the RBM owns all three")]
    pub fn from_tensors(w_rec: Tensor, hb: Tensor, vb: Tensor) -> Result<Self> {
        let (visible, hidden) = w_rec.dims2()?;
        for (what, tensor, expected) in [("hb", &hb, hidden), ("vb", &vb, visible)] {
            if tensor.dims() != [expected] {
                return Err(Error::Shape { what: what.into(), got: tensor.dims().to_vec(), expected: vec![expected] });
            }
        }
        for tensor in [&w_rec, &hb, &vb] {
            let float = matches!(tensor.dtype(), DType::F32 | DType::F64) && tensor.dtype() == w_rec.dtype();
            require(float, "tensor type", format!("{:?}", tensor.dtype()), "F32 or F64, the same for all tensors")?;
        }
        let w_gen = w_rec.t()?.contiguous()?;
        Ok(Self { w_rec: w_rec.contiguous()?, w_gen, hb, vb, hidden_units: HiddenUnits::default(), labels: None })
    }

    /// The same parameters with hidden units of another type.
    ///
    /// # Errors
    /// [`Error::Config`] for Gaussian units beside a label group.
    pub fn with_hidden_units(mut self, units: HiddenUnits) -> Result<Self> {
        let fits = units.is_bernoulli() || self.labels.is_none();
        require(fits, "hidden_units", units, "bernoulli in an RBM with a label group")?;
        self.hidden_units = units;
        Ok(self)
    }

    /// Loads an RBM from a checkpoint opened as a [`VarBuilder`], or from a part of a larger
    /// one (`vb.pp("layers.0")`).
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn from_var_builder(visible: usize, hidden: usize, vb: &VarBuilder) -> Result<Self> {
        Self::from_tensors(vb.get((visible, hidden), "w_rec")?, vb.get(hidden, "hb")?, vb.get(visible, "vb")?)
    }

    /// The same RBM on another device.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        self.mapped(|tensor| tensor.to_device(device))
    }

    /// The same RBM with parameters of another type.
    ///
    /// # Errors
    /// [`Error::Config`] for types other than F32 and F64.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self> {
        self.mapped(|tensor| tensor.to_dtype(dtype))
    }

    fn mapped(&self, to: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<Self> {
        let rbm = Self::from_tensors(to(&self.w_rec)?, to(&self.hb)?, to(&self.vb)?)?;
        let rbm = match &self.labels {
            None => rbm,
            Some(labels) => rbm.with_labels(LabelGroup { w: to(&labels.w)?, b: to(&labels.b)? })?,
        };
        rbm.with_hidden_units(self.hidden_units)
    }

    /// From the parameters of the packed form.
    ///
    /// # Errors
    /// If the lengths do not fit the sizes.
    pub fn from_parameters(visible: usize, hidden: usize, p: Parameters, device: &Device) -> Result<Self> {
        let rbm = Self::from_tensors(
            Tensor::from_vec(p.w_rec, (visible, hidden), device)?,
            Tensor::from_vec(p.hb, hidden, device)?,
            Tensor::from_vec(p.vb, visible, device)?,
        )?;
        match p.label_b.len() {
            0 => Ok(rbm),
            classes => rbm.with_labels(LabelGroup {
                w: Tensor::from_vec(p.label_w, (classes, hidden), device)?,
                b: Tensor::from_vec(p.label_b, classes, device)?,
            }),
        }
    }

    /// The parameters in the packed form.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn to_parameters(&self) -> Result<Parameters> {
        let values = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1();
        let (label_w, label_b) = match &self.labels {
            Some(labels) => (values(&labels.w)?, values(&labels.b)?),
            None => Default::default(),
        };
        let (w_rec, hb, vb) = (values(&self.w_rec)?, values(&self.hb)?, values(&self.vb)?);
        Ok(Parameters { w_rec, hb, vb, label_w, label_b, ..Parameters::default() })
    }

    /// Number of visible units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.vb.elem_count()
    }

    /// Number of hidden units.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hb.elem_count()
    }

    /// Type of the hidden units.
    #[must_use]
    pub fn hidden_units(&self) -> HiddenUnits {
        self.hidden_units
    }

    /// Recognition weights [V, H].
    #[must_use]
    pub fn w_rec(&self) -> &Tensor {
        &self.w_rec
    }

    /// Generative weights [H, V].
    #[must_use]
    pub fn w_gen(&self) -> &Tensor {
        &self.w_gen
    }

    /// Hidden biases `[H]`.
    #[must_use]
    pub fn hb(&self) -> &Tensor {
        &self.hb
    }

    /// Visible biases `[V]`.
    #[must_use]
    pub fn vb(&self) -> &Tensor {
        &self.vb
    }

    /// p(h = 1 | v), or E\[h | v\] of Gaussian units: [B, V] -> [B, H]. A label group takes no part
    /// in it.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        self.hidden_units.mean(&self.hidden_input(v)?)
    }

    /// p(v = 1 | h): [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reverse(&self, h: &Tensor) -> candle_core::Result<Tensor> {
        sigmoid(&self.visible_input(h)?)
    }

    fn hidden_input(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        v.matmul(&self.w_rec)?.broadcast_add(&self.hb)
    }

    fn visible_input(&self, h: &Tensor) -> candle_core::Result<Tensor> {
        h.matmul(&self.w_gen)?.broadcast_add(&self.vb)
    }

    /// Hidden units given visible ones [B, V]; sample b draws from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_h(&self, v: &Tensor, draw: Uniforms) -> Result<Sampled> {
        self.hidden_units.sample(&ops::product(v, &self.w_rec)?, &self.hb, draw)
    }

    /// Visible units given hidden ones [B, H]; sample b draws from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_v(&self, h: &Tensor, draw: Uniforms) -> Result<Sampled> {
        sample(&ops::product(h, &self.w_gen)?, &self.vb, draw)
    }

    /// A Gibbs step v -> h -> v from visible states [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward_gibbs(&self, v: &Tensor, draw: Uniforms) -> Result<GibbsStep> {
        let hidden = self.sample_h(v, draw.gibbs(0))?;
        let visible = self.sample_v(&hidden.states, draw.gibbs(1))?;
        Ok(GibbsStep { hidden, visible })
    }

    /// A Gibbs step h -> v -> h from hidden states [B, H].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reverse_gibbs(&self, h: &Tensor, draw: Uniforms) -> Result<GibbsStep> {
        let visible = self.sample_v(h, draw.gibbs(0))?;
        let hidden = self.sample_h(&visible.states, draw.gibbs(1))?;
        Ok(GibbsStep { hidden, visible })
    }

    /// Free energy of visible states, [B, V] -> `[B]`, in nats: `-log sum over h exp(-E(v, h))`
    /// `= - vb·v - sum_j softplus(hb_j + (v w_rec)_j)` (Hinton 2010, section 16.1). With a label
    /// group, the sum runs over the labels too; over Gaussian units it is an integral.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn free_energy(&self, v: &Tensor) -> Result<Tensor> {
        let linear = v.matmul(&self.vb.unsqueeze(1)?)?.squeeze(1)?;
        let hidden = match &self.labels {
            None => self.hidden_units.log_partition(&self.hidden_input(v)?, &self.hb)?,
            Some(_) => self.label_scores(v)?.log_sum_exp(1)?,
        };
        Ok((linear + hidden)?.neg()?)
    }

    /// Mean cross-entropy between visible values [B, V] in [0, 1] and their reconstruction
    /// v -> p(h|v) -> p(v|h), in nats per sample. Computed from the logits, so that saturated
    /// units stay finite.
    ///
    /// Nothing is drawn: the hidden layer is its mean field. The cost reported while training
    /// ([`crate::EpochMetrics::reconstruction_cost`]) draws one h ~ p(h|v) a sample instead, and
    /// is usually higher.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reconstruction_cost(&self, v: &Tensor) -> Result<f64> {
        let logits = self.visible_input(&self.forward(v)?)?;
        let cost = (ops::softplus(&logits)? - (v * &logits)?)?.sum(1)?.to_dtype(DType::F64)?;
        Ok(cost.mean_all()?.to_scalar()?)
    }
}

/// The layer's output is p(h = 1 | v), [B, V] -> [B, H].
impl Module for Rbm {
    fn forward(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        Self::forward(self, v)
    }
}

/// log(p / (1 - p)), with p held 1/1000 away from 0 and 1 so that a pixel that is never on in
/// the training data can still be on elsewhere.
pub(crate) fn log_odds(p: f32) -> f32 {
    let p = f64::from(p).clamp(1e-3, 1.0 - 1e-3);
    libm::log(p / (1.0 - p)) as f32
}
