//! The restricted Boltzmann machine as a candle layer.
//!
//! Visible units v and hidden units h have the joint energy `E(v, h) = U(v) + U(h) - v W h` and
//! probability `exp(-E) / Z` (Smolensky 1986; Hinton 2002), where U sums what each unit adds
//! ([`UnitKind`]). Given one layer the units of the other are independent. Bernoulli units, which are
//! 0 or 1 and add `-vb·v` and `-hb·h`, have
//!
//! ```text
//! p(h_j = 1 | v) = sigmoid(hb_j + (v w_rec)_j)        forward,  [B, V] -> [B, H]
//! p(v_i = 1 | h) = sigmoid(vb_i + (h w_gen)_i)        reverse,  [B, H] -> [B, V]
//! ```
//!
//! `w_gen` [H, V] is always the transpose of `w_rec` [V, H]. Either side may have units of any kinds
//! ([`Rbm::with_layers`]): what is said of probabilities then holds of means. V and H count columns, of
//! which a categorical unit has one a level. The visible side may also hold a [`LabelGroup`], as the
//! top of a deep belief net does.
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
use crate::model::fields::FieldTensors;
use crate::model::labels::LabelGroup;
use crate::model::sampled::Sampled;
use crate::model::start::start_relus;
use crate::units::fit::independent_fit;
use crate::units::layer::LayerUnits;
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::VarBuilder;
use deepbelief_kernels::{Fields, Layers, Parameters, Stream, Uniforms, UnitKind, Units, ops};

/// A restricted Boltzmann machine.
#[derive(Clone, Debug)]
pub struct Rbm {
    pub(crate) w_rec: Tensor,
    pub(crate) w_gen: Tensor,
    pub(crate) hb: Tensor,
    pub(crate) vb: Tensor,
    pub(crate) layers: Layers,
    pub(crate) visible_fields: FieldTensors,
    pub(crate) hidden_fields: FieldTensors,
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
    /// A new RBM for data whose visible columns have the means `data_mean`, `[V]`: of discrete units how often a
    /// column is on.
    ///
    /// # Errors
    /// [`Error::Config`] if a setting is out of range or a mean outside what its unit can have;
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
        let (visible, hidden) = (data_mean.len(), config.hidden);
        let bernoulli = || Units::of(UnitKind::Bernoulli, visible);
        let layers = Layers {
            visible: config.visible_units.clone().unwrap_or_else(bernoulli),
            hidden: config.hidden_units.units(hidden),
        };
        let fit = independent_fit(&layers.visible, data_mean)?;
        let mut w = vec![0.0; visible * hidden];
        Uniforms::new(config.seed, Stream::Weights, 0).normal(config.weight_std, hidden, &mut w);
        let mut parameters = Parameters {
            w_rec: w,
            hb: vec![0.0; hidden],
            vb: match config.visible_bias {
                VisibleBias::Zero => vec![0.0; visible],
                VisibleBias::LogOdds => fit,
            },
            hidden_fields: Fields::at_rest(&layers.hidden),
            ..Parameters::default()
        };
        start_relus(config, &layers, data_mean, config.visible_bias == VisibleBias::LogOdds, &mut parameters);
        Self::from_parameters(&layers, parameters, device)
    }

    /// From weights [V, H] and biases `[H]` and `[V]`, all of one floating-point type; all units are Bernoulli.
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
        let (visible_fields, hidden_fields) = Default::default();
        let layers = Layers::bernoulli(visible, hidden);
        Ok(Self { w_rec: w_rec.contiguous()?, w_gen, hb, vb, layers, visible_fields, hidden_fields, labels: None })
    }

    /// The same weights and biases with hidden units of another kind, at `g = 1` and `b- = 0`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the fields of the visible units do not fit.
    pub fn with_hidden_units(self, kind: UnitKind) -> Result<Self> {
        let layers = Layers { visible: self.layers.visible.clone(), hidden: Units::of(kind, self.hidden()) };
        let visible_fields = self.visible_fields.clone();
        self.with_layers(layers, visible_fields, FieldTensors::default())
    }

    /// The same weights and biases with units of other kinds and their fields, in the type of the weights. Fields
    /// that are left out are at `g = 1` and `b- = 0`.
    ///
    /// # Errors
    /// [`Error::Shape`] if units or fields do not fit.
    pub fn with_layers(
        mut self,
        layers: Layers,
        visible_fields: FieldTensors,
        hidden_fields: FieldTensors,
    ) -> Result<Self> {
        for (side, units, columns) in
            [("visible", &layers.visible, self.visible()), ("hidden", &layers.hidden, self.hidden())]
        {
            if units.columns() != columns {
                let what = format!("{side} units ({units})");
                return Err(Error::Shape { what, got: vec![units.columns()], expected: vec![columns] });
            }
        }
        self.visible_fields = visible_fields.completed(&layers.visible, &self.vb, "visible")?;
        self.hidden_fields = hidden_fields.completed(&layers.hidden, &self.hb, "hidden")?;
        self.layers = layers;
        Ok(self)
    }

    /// Loads an RBM of Bernoulli units from a checkpoint opened as a [`VarBuilder`], or from a part of a larger
    /// one (`vb.pp("layers.0")`). A `VarBuilder` does not say what the units are: [`load`](crate::load) reads RBMs of any.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape; [`Error::Config`] if there are tensors that only other units have.
    /// Categorical units and spins have none.
    pub fn from_var_builder(visible: usize, hidden: usize, vb: &VarBuilder) -> Result<Self> {
        let of_others =
            ["visible.log_precision", "hidden.log_precision", "hidden.bias_below", "hidden.log_precision_below"];
        let found = of_others.into_iter().find(|name| vb.contains_tensor(name));
        let expected = "left out: RBMs of other than Bernoulli units are read by `load`";
        require(found.is_none(), "a tensor", found.unwrap_or_default(), expected)?;
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
        rbm.with_layers(self.layers.clone(), self.visible_fields.mapped(&to)?, self.hidden_fields.mapped(&to)?)
    }

    /// From the parameters of the packed form.
    ///
    /// # Errors
    /// If the lengths do not fit the units.
    pub fn from_parameters(layers: &Layers, p: Parameters, device: &Device) -> Result<Self> {
        let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
        let rbm = Self::from_tensors(
            Tensor::from_vec(p.w_rec, (visible, hidden), device)?,
            Tensor::from_vec(p.hb, hidden, device)?,
            Tensor::from_vec(p.vb, visible, device)?,
        )?;
        let fields = |fields| FieldTensors::from_fields(fields, device);
        let rbm = rbm.with_layers(layers.clone(), fields(&p.visible_fields)?, fields(&p.hidden_fields)?)?;
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
        Ok(Parameters {
            w_rec: values(&self.w_rec)?,
            hb: values(&self.hb)?,
            vb: values(&self.vb)?,
            visible_fields: self.visible_fields.to_fields()?,
            hidden_fields: self.hidden_fields.to_fields()?,
            label_w,
            label_b,
        })
    }

    /// Number of visible columns: a categorical unit has one a level, any other one.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.vb.elem_count()
    }

    /// Number of hidden columns.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hb.elem_count()
    }

    /// The units of both layers.
    #[must_use]
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// What visible units have beside their biases.
    #[must_use]
    pub fn visible_fields(&self) -> &FieldTensors {
        &self.visible_fields
    }

    /// What hidden units have beside their biases.
    #[must_use]
    pub fn hidden_fields(&self) -> &FieldTensors {
        &self.hidden_fields
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

    /// The visible units with their fields.
    #[must_use]
    pub fn below(&self) -> LayerUnits<'_> {
        LayerUnits { units: &self.layers.visible, bias: &self.vb, fields: &self.visible_fields }
    }

    /// The hidden units with their fields.
    #[must_use]
    pub fn above(&self) -> LayerUnits<'_> {
        LayerUnits { units: &self.layers.hidden, bias: &self.hb, fields: &self.hidden_fields }
    }

    /// p(h = 1 | v), or E\[h | v\] of other than Bernoulli units: [B, V] -> [B, H]. A label group takes no part
    /// in it.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        self.above().mean(&v.matmul(&self.w_rec)?)
    }

    /// p(v = 1 | h), or E\[v | h\] of other than Bernoulli units: [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reverse(&self, h: &Tensor) -> candle_core::Result<Tensor> {
        self.below().mean(&h.matmul(&self.w_gen)?)
    }

    /// Hidden units given visible ones [B, V]; sample b draws from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_h(&self, v: &Tensor, draw: Uniforms) -> Result<Sampled> {
        let x = ops::product(v, &self.w_rec)?;
        let pairs = self.layers.visible.is_bernoulli() && self.layers.hidden.all(|kind| kind == UnitKind::Gaussian);
        if pairs { self.above().sample_pairs(&x, draw) } else { self.above().sample(&x, draw) }
    }

    /// Visible units given hidden ones [B, H]; sample b draws from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_v(&self, h: &Tensor, draw: Uniforms) -> Result<Sampled> {
        self.below().sample(&ops::product(h, &self.w_gen)?, draw)
    }

    /// A Gibbs step v -> h -> v from visible states [B, V]. Each step of a chain wants numbers of its own:
    /// `Uniforms::new(seed, stream, step)` with another `step`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward_gibbs(&self, v: &Tensor, draw: Uniforms) -> Result<GibbsStep> {
        let hidden = self.sample_h(v, draw.gibbs(0))?;
        let visible = self.sample_v(&hidden.states, draw.gibbs(1))?;
        Ok(GibbsStep { hidden, visible })
    }

    /// A Gibbs step h -> v -> h from hidden states [B, H], each with numbers of its own as in [`Self::forward_gibbs`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reverse_gibbs(&self, h: &Tensor, draw: Uniforms) -> Result<GibbsStep> {
        let visible = self.sample_v(h, draw.gibbs(0))?;
        let hidden = self.sample_h(&visible.states, draw.gibbs(1))?;
        Ok(GibbsStep { hidden, visible })
    }

    /// Free energy of visible states, [B, V] -> `[B]`, in nats: `-log sum over h exp(-E(v, h))
    /// = U(v) - sum_j cgf_j((v w_rec)_j)`, which of Bernoulli units is `- vb·v - sum_j softplus(hb_j + (v w_rec)_j)`
    /// (Hinton 2010, section 16.1). With a label group, the sum runs over the labels too; over real units it is an
    /// integral.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn free_energy(&self, v: &Tensor) -> Result<Tensor> {
        let hidden = match &self.labels {
            None => self.above().cgf(&v.matmul(&self.w_rec)?)?,
            Some(_) => self.label_scores(v)?.log_sum_exp(1)?,
        };
        Ok((self.below().energy(v)? - hidden)?)
    }

    /// Mean cost -ln p(v|h) of visible values [B, V] given the mean field E\[h|v\], in nats per sample: of
    /// Bernoulli units the cross-entropy with their reconstruction, of real ones a density's.
    ///
    /// Nothing is drawn: the hidden layer is its mean field. The cost reported while training
    /// ([`crate::EpochMetrics::reconstruction_cost`]) draws one h ~ p(h|v) a sample instead, and
    /// is usually higher.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn reconstruction_cost(&self, v: &Tensor) -> Result<f64> {
        let cost = self.below().cost(&self.forward(v)?.matmul(&self.w_gen)?, v)?.to_dtype(DType::F64)?;
        Ok(cost.mean_all()?.to_scalar()?)
    }
}

/// The layer's output is p(h = 1 | v), [B, V] -> [B, H].
impl Module for Rbm {
    fn forward(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        Self::forward(self, v)
    }
}
