//! The fields of a layer's units beside the bias, as tensors.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use deepbelief_kernels::{Fields, Units};

/// Fields of a layer, each `[columns]`; none where no unit of the layer has it, and 0 for those that have not.
#[derive(Clone, Debug, Default)]
pub struct FieldTensors {
    /// ln g of Gaussian and ReLU units; of dReLU units above 0.
    pub log_precision: Option<Tensor>,
    /// b- of dReLU units. The one above 0 is the bias.
    pub bias_below: Option<Tensor>,
    /// ln g- of dReLU units.
    pub log_precision_below: Option<Tensor>,
}

impl FieldTensors {
    /// From the packed form.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn from_fields(fields: &Fields, device: &Device) -> Result<Self> {
        let tensor = |values: &Vec<f32>| {
            (!values.is_empty()).then(|| Tensor::from_slice(values, values.len(), device)).transpose()
        };
        Ok(Self {
            log_precision: tensor(&fields.log_precision)?,
            bias_below: tensor(&fields.bias_below)?,
            log_precision_below: tensor(&fields.log_precision_below)?,
        })
    }

    /// In the packed form.
    ///
    /// # Errors
    /// If candle refuses an operation.
    pub fn to_fields(&self) -> Result<Fields> {
        let values = |tensor: &Option<Tensor>| match tensor {
            None => Ok(Vec::new()),
            Some(tensor) => tensor.to_dtype(DType::F32)?.to_vec1(),
        };
        Ok(Fields {
            log_precision: values(&self.log_precision)?,
            bias_below: values(&self.bias_below)?,
            log_precision_below: values(&self.log_precision_below)?,
        })
    }

    /// Each by its name in files.
    #[must_use]
    pub fn each(&self) -> [(&'static str, Option<&Tensor>); 3] {
        [
            ("log_precision", self.log_precision.as_ref()),
            ("bias_below", self.bias_below.as_ref()),
            ("log_precision_below", self.log_precision_below.as_ref()),
        ]
    }

    /// The sums with those of others.
    pub(crate) fn plus(&self, others: &Self) -> Result<Self> {
        let plus = |a: &Option<Tensor>, b: &Option<Tensor>| match (a, b) {
            (Some(a), Some(b)) => Ok(Some((a + b)?)),
            _ => candle_core::Result::Ok(a.clone()),
        };
        Ok(Self {
            log_precision: plus(&self.log_precision, &others.log_precision)?,
            bias_below: plus(&self.bias_below, &others.bias_below)?,
            log_precision_below: plus(&self.log_precision_below, &others.log_precision_below)?,
        })
    }

    /// Each as `to` makes it.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn mapped(&self, to: impl Fn(&Tensor) -> candle_core::Result<Tensor>) -> Result<Self> {
        let to = |field: &Option<Tensor>| field.as_ref().map(&to).transpose();
        Ok(Self {
            log_precision: to(&self.log_precision)?,
            bias_below: to(&self.bias_below)?,
            log_precision_below: to(&self.log_precision_below)?,
        })
    }

    /// With those that are missing at `g = 1` and `b- = 0`, in the type and on the device of `like`; errors call the
    /// layer `side`.
    ///
    /// # Errors
    /// [`Error::Shape`] names a field that does not fit the units.
    pub fn completed(mut self, units: &Units, like: &Tensor, side: &str) -> Result<Self> {
        let at_rest = Fields::at_rest(units);
        let of = [&mut self.log_precision, &mut self.bias_below, &mut self.log_precision_below];
        for (field, (name, zeros)) in of.into_iter().zip(at_rest.each()) {
            match field {
                None if zeros.is_empty() => {}
                None => *field = Some(Tensor::zeros(zeros.len(), like.dtype(), like.device())?),
                Some(tensor) if tensor.dims() == [zeros.len()] => {}
                Some(tensor) => {
                    let (what, got) = (format!("{side}.{name}"), tensor.dims().to_vec());
                    return Err(Error::Shape { what, got, expected: vec![zeros.len()] });
                }
            }
        }
        Ok(self)
    }
}
