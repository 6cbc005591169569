//! A layer of weights that are directed.

use crate::error::{Result, require};
use candle_core::{DType, Tensor};
use candle_nn::ops::sigmoid;
use deepbelief_kernels::{Uniforms, ops};
use deepbelief_rbm::{Error as RbmError, FieldTensors, LayerUnits, Rbm, Sampled, UnitKind, Units};

/// A directed layer between V units below, of any kinds, and H Bernoulli units above. What is said of probabilities
/// holds of the means of other units.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) w_rec: Tensor,
    pub(crate) w_gen: Tensor,
    pub(crate) hb: Tensor,
    pub(crate) vb: Tensor,
    visible: Units,
    fields: FieldTensors,
}

impl Layer {
    /// From recognition weights [V, H], generative weights [H, V], recognition biases `[H]` and
    /// generative biases `[V]`, all F32 or all F64. All units are Bernoulli.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Shape`] names the tensor that does not fit;
    /// [`crate::Error::Config`] refuses other types.
    #[expect(clippy::needless_pass_by_value, reason = "a tensor is a handle, and the layer owns all four")]
    pub fn from_tensors(w_rec: Tensor, w_gen: Tensor, hb: Tensor, vb: Tensor) -> Result<Self> {
        let (visible, hidden) = w_rec.dims2()?;
        let shapes: [(&str, &Tensor, &[usize]); 3] =
            [("w_gen", &w_gen, &[hidden, visible]), ("hb", &hb, &[hidden]), ("vb", &vb, &[visible])];
        for (what, tensor, expected) in shapes {
            if tensor.dims() != expected {
                let (got, expected) = (tensor.dims().to_vec(), expected.to_vec());
                return Err(RbmError::Shape { what: what.into(), got, expected }.into());
            }
        }
        for tensor in [&w_rec, &w_gen, &hb, &vb] {
            let float = matches!(tensor.dtype(), DType::F32 | DType::F64) && tensor.dtype() == w_rec.dtype();
            require(float, "tensor type", format!("{:?}", tensor.dtype()), "F32 or F64, the same for all tensors")?;
        }
        let (visible, fields) = (Units::of(UnitKind::Bernoulli, visible), FieldTensors::default());
        Ok(Self { w_rec: w_rec.contiguous()?, w_gen: w_gen.contiguous()?, hb, vb, visible, fields })
    }

    /// The same weights and biases over units of other kinds, and their fields in the type of the weights. Fields that
    /// are left out are at `g = 1`.
    ///
    /// # Errors
    /// [`deepbelief_rbm::Error::Shape`] if units or fields do not fit.
    pub fn with_visible_units(self, units: Units, fields: FieldTensors) -> Result<Self> {
        if units.columns() != self.visible() {
            let (got, expected) = (vec![units.columns()], vec![self.visible()]);
            return Err(RbmError::Shape { what: format!("visible units ({units})"), got, expected }.into());
        }
        let fields = fields.completed(&units, &self.vb, "visible")?;
        Ok(Self { visible: units, fields, ..self })
    }

    /// The directed layer that an RBM is: tied.
    pub(crate) fn of_rbm(rbm: &Rbm) -> Result<Self> {
        let (w_rec, w_gen) = (rbm.w_rec().clone(), rbm.w_gen().clone());
        let layer = Self::from_tensors(w_rec, w_gen, rbm.hb().clone(), rbm.vb().clone())?;
        layer.with_visible_units(rbm.layers().visible.clone(), rbm.visible_fields().clone())
    }

    /// The same layer with parameters that `to` makes, such as those on another device.
    ///
    /// # Errors
    /// Those of `to` and [`Layer::from_tensors`].
    pub fn mapped(&self, to: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<Self> {
        let layer = Self::from_tensors(to(&self.w_rec)?, to(&self.w_gen)?, to(&self.hb)?, to(&self.vb)?)?;
        layer.with_visible_units(self.visible.clone(), self.fields.mapped(to)?)
    }

    /// Number of units below.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.vb.elem_count()
    }

    /// Number of units above.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hb.elem_count()
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

    /// Recognition biases `[H]`.
    #[must_use]
    pub fn hb(&self) -> &Tensor {
        &self.hb
    }

    /// Generative biases `[V]`.
    #[must_use]
    pub fn vb(&self) -> &Tensor {
        &self.vb
    }

    /// What the units below are.
    #[must_use]
    pub fn visible_units(&self) -> &Units {
        &self.visible
    }

    /// What they have beside their biases.
    #[must_use]
    pub fn visible_fields(&self) -> &FieldTensors {
        &self.fields
    }

    /// The units below with their fields.
    #[must_use]
    pub fn below(&self) -> LayerUnits<'_> {
        LayerUnits { units: &self.visible, bias: &self.vb, fields: &self.fields }
    }

    /// q(h = 1 | v), [B, V] -> [B, H].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn recognize(&self, v: &Tensor) -> candle_core::Result<Tensor> {
        probabilities(v, &self.w_rec, &self.hb)
    }

    /// p(v = 1 | h), [B, H] -> [B, V].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn generate(&self, h: &Tensor) -> candle_core::Result<Tensor> {
        if self.visible.is_bernoulli() {
            return probabilities(h, &self.w_gen, &self.vb);
        }
        self.below().mean(&ops::product(h, &self.w_gen)?)
    }

    /// Units below given those above, [B, H] -> [B, V]; sample b draws from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_v(&self, h: &Tensor, draw: Uniforms) -> Result<Sampled> {
        Ok(self.below().sample(&ops::product(h, &self.w_gen)?, draw)?)
    }

    /// -ln p(v | h) of each sample in double precision, [B, V] and [B, H] -> `[B]`: nats, of real units a density's.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub(crate) fn costs(&self, v: &Tensor, h: &Tensor) -> Result<Tensor> {
        let double = |tensor: &Tensor| tensor.to_dtype(DType::F64);
        let (bias, fields) = (double(&self.vb)?, self.fields.mapped(double)?);
        let below = LayerUnits { units: &self.visible, bias: &bias, fields: &fields };
        Ok(below.cost(&double(&ops::product(h, &self.w_gen)?)?, &double(v)?)?)
    }

    /// Whether the generative weights are exactly the transpose of the recognition weights.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn is_tied(&self) -> Result<bool> {
        let differ = self.w_gen.ne(&self.w_rec.t()?.contiguous()?)?;
        Ok(differ.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()? == 0.0)
    }
}

/// `x w + b`.
pub(crate) fn inputs(x: &Tensor, w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
    ops::product(x, w)?.broadcast_add(b)
}

/// `sigmoid(x w + b)`.
pub(crate) fn probabilities(x: &Tensor, w: &Tensor, b: &Tensor) -> candle_core::Result<Tensor> {
    sigmoid(&inputs(x, w, b)?)
}

/// The same with states drawn from it.
pub(crate) fn sampled(x: &Tensor, w: &Tensor, b: &Tensor, draw: Uniforms) -> Result<Sampled> {
    let (probabilities, states) = ops::bernoulli(&ops::product(x, w)?, b, draw)?;
    Ok(Sampled { probabilities, states })
}
