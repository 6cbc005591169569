//! Neighbouring units of one kind with their fields.

use candle_core::{DType, Result, Tensor};
use deepbelief_kernels::{Segment, UnitKind};
use std::ops::Range;

/// Neighbouring units of one kind: their part of a layer's fields, each `[columns]`.
pub(crate) struct Run {
    pub(crate) kind: UnitKind,
    /// Columns of a unit.
    pub(crate) levels: usize,
    pub(crate) columns: Range<usize>,
    pub(crate) b: Tensor,
    /// ln g.
    pub(crate) log_g: Option<Tensor>,
    pub(crate) b_below: Option<Tensor>,
    /// ln g-.
    pub(crate) log_g_below: Option<Tensor>,
}

/// The fields of one unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnitFields {
    pub(crate) b: f64,
    pub(crate) g: f64,
    pub(crate) b_below: f64,
    pub(crate) g_below: f64,
}

impl Run {
    /// A part of a layer: `part` takes the columns of a field.
    pub(crate) fn new(segment: Segment, columns: Range<usize>, fields: [Option<&Tensor>; 4]) -> Result<Self> {
        let part = |field: Option<&Tensor>| field.map(|f| f.narrow(0, columns.start, columns.len())).transpose();
        let [b, log_g, b_below, log_g_below] = fields;
        let Some(b) = part(b)? else { candle_core::bail!("a layer has biases") };
        let (log_g, b_below, log_g_below) = (part(log_g)?, part(b_below)?, part(log_g_below)?);
        Ok(Self { kind: segment.units, levels: segment.levels, columns, b, log_g, b_below, log_g_below })
    }

    /// g of units that have one.
    pub(crate) fn g(&self) -> Result<Tensor> {
        match &self.log_g {
            Some(log_g) => log_g.exp(),
            None => self.b.ones_like(),
        }
    }

    /// The fields of every unit.
    pub(crate) fn fields(&self) -> Result<Vec<UnitFields>> {
        let values = |field: Option<&Tensor>| match field {
            Some(field) => field.to_dtype(DType::F64)?.to_vec1::<f64>(),
            None => Ok(vec![0.0; self.columns.len()]),
        };
        let b = values(Some(&self.b))?.into_iter().zip(values(self.log_g.as_ref())?);
        let below = values(self.b_below.as_ref())?.into_iter().zip(values(self.log_g_below.as_ref())?);
        let unit = |((b, log_g), (b_below, log_g_below)): ((f64, f64), (f64, f64))| UnitFields {
            b,
            g: libm::exp(log_g),
            b_below,
            g_below: libm::exp(log_g_below),
        };
        Ok(b.zip(below).map(unit).collect())
    }

    /// What `of` makes of the fields of each unit and a value [B, columns], in double precision on the CPU.
    pub(crate) fn map(&self, values: &Tensor, of: impl Fn(&UnitFields, f64) -> f64) -> Result<Tensor> {
        let (rows, fields) = (values.to_dtype(DType::F64)?.to_vec2::<f64>()?, self.fields()?);
        let each = |row: &Vec<f64>| row.iter().zip(&fields).map(|(&x, fields)| of(fields, x)).collect::<Vec<_>>();
        let out: Vec<f64> = rows.iter().flat_map(each).collect();
        Tensor::from_vec(out, values.dims2()?, values.device())?.to_dtype(values.dtype())
    }

    /// The same of two tensors.
    pub(crate) fn map2(&self, a: &Tensor, b: &Tensor, of: impl Fn(&UnitFields, f64, f64) -> f64) -> Result<Tensor> {
        let double = |t: &Tensor| t.to_dtype(DType::F64)?.to_vec2::<f64>();
        let (first, second, fields) = (double(a)?, double(b)?, self.fields()?);
        let mut out = Vec::with_capacity(a.elem_count());
        for (first, second) in first.iter().zip(&second) {
            out.extend(first.iter().zip(second).zip(&fields).map(|((&a, &b), fields)| of(fields, a, b)));
        }
        Tensor::from_vec(out, a.dims2()?, a.device())?.to_dtype(a.dtype())
    }
}
