//! The units of a layer, whatever they are.

use crate::error::Result;
use crate::model::fields::FieldTensors;
use crate::model::sampled::{Sampled, sample};
use crate::units::run::Run;
use crate::units::{bernoulli, gaussian};
use candle_core::{DType, Tensor, bail};
use deepbelief_kernels::{Uniforms, UnitKind, Units};
use std::ops::Range;

/// The units of a layer with their biases `[columns]` and other fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerUnits<'a> {
    pub(crate) units: &'a Units,
    pub(crate) bias: &'a Tensor,
    pub(crate) fields: &'a FieldTensors,
}

impl LayerUnits<'_> {
    /// The runs of the layer.
    fn runs(&self) -> impl Iterator<Item = candle_core::Result<Run>> {
        self.units.each().map(|(segment, columns)| {
            let part = |field: &Tensor| field.narrow(0, columns.start, columns.len());
            Ok(Run {
                kind: segment.units,
                b: part(self.bias)?,
                log_g: self.fields.log_precision.as_ref().map(part).transpose()?,
                columns,
            })
        })
    }

    /// What `of` makes of each run and its part of `x` [B, columns], side by side.
    fn each(
        &self,
        x: &Tensor,
        of: impl Fn(&Run, &Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let part = |run: candle_core::Result<Run>| {
            let run = run?;
            of(&run, &columns(x, &run.columns)?)
        };
        let mut parts = self.runs().map(part).collect::<candle_core::Result<Vec<_>>>()?;
        if parts.len() == 1 { Ok(parts.remove(0)) } else { Tensor::cat(&parts, 1) }
    }

    /// The sum of U over the units, of states [B, columns]: `[B]`.
    pub(crate) fn energy(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        if self.units.is_bernoulli() && states.dtype() == DType::F32 {
            // One product, at the speed and with the bits that it has always had.
            return states.matmul(&self.bias.unsqueeze(1)?)?.squeeze(1)?.neg();
        }
        let energy = self.each(states, |run, states| match run.kind {
            UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => states.broadcast_mul(&run.b)?.neg(),
            UnitKind::Gaussian => gaussian::energy(run, states),
            UnitKind::Relu | UnitKind::Drelu => not_yet(run.kind),
        });
        energy?.sum(1)
    }

    /// The sum of cgf over the units, of their inputs [B, columns]: `[B]`.
    pub(crate) fn cgf(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let cgf = self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => bernoulli::cgf(run, input),
            UnitKind::Gaussian => gaussian::cgf(run, input),
            UnitKind::Spin | UnitKind::Categorical | UnitKind::Relu | UnitKind::Drelu => not_yet(run.kind),
        });
        cgf?.sum(1)
    }

    /// E\[x | I\] of inputs [B, columns].
    pub(crate) fn mean(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => bernoulli::mean(run, input),
            UnitKind::Gaussian => gaussian::mean(run, input),
            UnitKind::Spin | UnitKind::Categorical | UnitKind::Relu | UnitKind::Drelu => not_yet(run.kind),
        })
    }

    /// -ln p(x | I) of states and inputs [B, columns], summed over the units: `[B]`.
    pub(crate) fn cost(&self, input: &Tensor, states: &Tensor) -> candle_core::Result<Tensor> {
        if self.units.is_bernoulli() {
            // From the logits, so that saturated units stay exact.
            return bernoulli::cost(self.bias, input, states)?.sum(1);
        }
        (self.cgf(input)? + self.energy(states)?)? - (input * states)?.sum(1)?
    }

    /// States drawn given inputs [B, columns], row b from row b of `draw`.
    pub(crate) fn sample(&self, input: &Tensor, draw: Uniforms) -> Result<Sampled> {
        if self.units.is_bernoulli() {
            return sample(input, self.bias, draw);
        }
        if self.units.all(|kind| kind == UnitKind::Gaussian) {
            return gaussian::sample(self.mean(input)?, self.fields.log_precision.as_ref(), draw);
        }
        Ok(not_yet(self.units.segments()[0].units)?)
    }
}

fn not_yet<T>(kind: UnitKind) -> candle_core::Result<T> {
    bail!("{kind} units are not computed yet")
}

/// Columns of a tensor [B, columns].
fn columns(x: &Tensor, columns: &Range<usize>) -> candle_core::Result<Tensor> {
    if columns.len() == x.dim(1)? { Ok(x.clone()) } else { x.narrow(1, columns.start, columns.len())?.contiguous() }
}
