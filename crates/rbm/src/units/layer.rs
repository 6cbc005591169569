//! The units of a layer, whatever they are.

use crate::error::Result;
use crate::model::fields::FieldTensors;
use crate::model::sampled::{Sampled, sample};
use crate::units::run::Run;
use crate::units::{bernoulli, categorical, drelu, gaussian, relu, spin};
use candle_core::{DType, Tensor};
use deepbelief_kernels::{Uniforms, UnitKind, Units};

/// The column of the uniform number of a layer's first categorical unit: beyond those of all columns.
const FIRST_CATEGORICAL: u32 = 1 << 16;

/// The units of a layer with their biases `[columns]` and other fields: what they do with their inputs.
#[derive(Clone, Copy, Debug)]
pub struct LayerUnits<'a> {
    /// What they are.
    pub units: &'a Units,
    /// Their biases.
    pub bias: &'a Tensor,
    /// What else they have.
    pub fields: &'a FieldTensors,
}

/// Statistics of a layer's units, minus the derivatives of their energies by their fields, each [B, columns]; none where
/// the layer has not the field.
pub(crate) struct Statistics {
    /// Of the biases: x, of dReLU units where it is above 0.
    pub(crate) bias: Tensor,
    pub(crate) fields: FieldTensors,
}

type Computed = candle_core::Result<Tensor>;

impl LayerUnits<'_> {
    /// The runs of the layer.
    fn runs(&self) -> impl Iterator<Item = candle_core::Result<Run>> {
        let FieldTensors { log_precision, bias_below, log_precision_below } = self.fields;
        let fields = [Some(self.bias), log_precision.as_ref(), bias_below.as_ref(), log_precision_below.as_ref()];
        self.units.each().map(move |(segment, columns)| Run::new(segment, columns, fields))
    }

    /// What `of` makes of each run, side by side.
    fn side_by_side(&self, of: impl FnMut(&Run) -> Computed) -> Computed {
        let mut of = of;
        let mut parts = self.runs().map(|run| of(&run?)).collect::<candle_core::Result<Vec<_>>>()?;
        if parts.len() == 1 { Ok(parts.remove(0)) } else { Tensor::cat(&parts, 1) }
    }

    /// The same of each run and its part of `x` [B, columns].
    fn each(&self, x: &Tensor, of: impl Fn(&Run, &Tensor) -> Computed) -> Computed {
        self.side_by_side(|run| of(run, &part(run, x)?))
    }

    /// The sum of U over the units, of states [B, columns]: `[B]`.
    pub(crate) fn energy(&self, states: &Tensor) -> Computed {
        if self.units.is_bernoulli() && states.dtype() == DType::F32 {
            // One product, at the speed and with the bits that it has always had.
            return states.matmul(&self.bias.unsqueeze(1)?)?.squeeze(1)?.neg();
        }
        let energy = self.each(states, |run, states| match run.kind {
            UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => states.broadcast_mul(&run.b)?.neg(),
            UnitKind::Gaussian => gaussian::energy(run, states),
            UnitKind::Relu => run.map(states, relu::energy),
            UnitKind::Drelu => run.map(states, drelu::energy),
        });
        energy?.sum(1)
    }

    /// The sum of cgf over the units, of their inputs [B, columns]: `[B]`.
    pub(crate) fn cgf(&self, input: &Tensor) -> Computed {
        self.cgfs(input)?.sum(1)
    }

    /// `cgf(I) = ln sum_x exp(x I - U(x))` of every unit, an integral where it is real, of inputs [B, columns]:
    /// [B, units], in nats. A categorical unit has one for all its columns.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn cgfs(&self, input: &Tensor) -> Computed {
        self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => bernoulli::cgf(run, input),
            UnitKind::Spin => spin::cgf(run, input),
            UnitKind::Categorical => categorical::cgf(run, input),
            UnitKind::Gaussian => gaussian::cgf(run, input),
            UnitKind::Relu => run.map(input, relu::cgf),
            UnitKind::Drelu => run.map(input, drelu::cgf),
        })
    }

    /// E\[x | I\] of inputs [B, columns].
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn mean(&self, input: &Tensor) -> Computed {
        self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => bernoulli::mean(run, input),
            UnitKind::Spin => spin::mean(run, input),
            UnitKind::Categorical => categorical::mean(run, input),
            UnitKind::Gaussian => gaussian::mean(run, input),
            UnitKind::Relu => run.map(input, relu::mean),
            UnitKind::Drelu => run.map(input, drelu::mean),
        })
    }

    /// Var\[x | I\] of inputs [B, columns].
    pub(crate) fn variance(&self, input: &Tensor) -> Computed {
        self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => bernoulli::variance(run, input),
            UnitKind::Spin => spin::variance(run, input),
            UnitKind::Categorical => categorical::variance(run, input),
            UnitKind::Gaussian => gaussian::variance(run, input),
            UnitKind::Relu => run.map(input, relu::variance),
            UnitKind::Drelu => run.map(input, drelu::variance),
        })
    }

    /// The most probable states given inputs [B, columns].
    pub(crate) fn mode(&self, input: &Tensor) -> Computed {
        let sign = |run: &Run, input: &Tensor| input.broadcast_add(&run.b)?.ge(0.0)?.to_dtype(input.dtype());
        self.each(input, |run, input| match run.kind {
            UnitKind::Bernoulli => sign(run, input),
            UnitKind::Spin => (sign(run, input)? * 2.0)? - 1.0,
            UnitKind::Categorical => categorical::mode(run, input),
            UnitKind::Gaussian => gaussian::mean(run, input),
            UnitKind::Relu => run.map(input, relu::mode),
            UnitKind::Drelu => run.map(input, drelu::mode),
        })
    }

    /// -ln p(x | I) of states and inputs [B, columns], summed over the units: `[B]`. Of real units it is a density's.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn cost(&self, input: &Tensor, states: &Tensor) -> Computed {
        if self.units.is_bernoulli() {
            // From the logits, so that saturated units stay exact.
            return bernoulli::cost(self.bias, input, states)?.sum(1);
        }
        (self.cgf(input)? + self.energy(states)?)? - (input * states)?.sum(1)?
    }

    /// States drawn given inputs [B, columns], row b from row b of `draw`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample(&self, input: &Tensor, draw: Uniforms) -> Result<Sampled> {
        if self.units.is_bernoulli() {
            return sample(input, self.bias, draw);
        }
        self.sample_by(input, |row, column| draw.at(row as u32, column))
    }

    /// The same from the uniform number `uniform(row, column)` of each unit.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sample_by(&self, input: &Tensor, uniform: impl Fn(usize, u32) -> f32) -> Result<Sampled> {
        let (rows, mut sites) = (input.dim(0)?, FIRST_CATEGORICAL);
        let states = self.side_by_side(|run| {
            let input = part(run, input)?;
            let units = run.columns.len() / run.levels;
            let first = if run.kind == UnitKind::Categorical { sites } else { run.columns.start as u32 };
            let each = (0..rows).flat_map(|row| (0..units).map(move |unit| (row, first + unit as u32)));
            let u = Tensor::from_iter(each.map(|(row, column)| uniform(row, column)), input.device())?
                .reshape((rows, units))?
                .to_dtype(input.dtype())?;
            match run.kind {
                UnitKind::Bernoulli => bernoulli::draw(run, &input, &u),
                UnitKind::Spin => spin::draw(run, &input, &u),
                UnitKind::Categorical => {
                    sites += units as u32;
                    categorical::draw(run, &input, &u)
                }
                UnitKind::Gaussian => run.map2(&input, &u, gaussian::draw),
                UnitKind::Relu => run.map2(&input, &u, relu::draw),
                UnitKind::Drelu => run.map2(&input, &u, drelu::draw),
            }
        });
        Ok(Sampled { probabilities: self.mean(input)?, states: states? })
    }

    /// A layer of Gaussian units drawn by pairs of uniform numbers, as those over Bernoulli units are.
    pub(crate) fn sample_pairs(&self, input: &Tensor, draw: Uniforms) -> Result<Sampled> {
        Ok(gaussian::draw_pairs(self.mean(input)?, self.fields.log_precision.as_ref(), draw)?)
    }

    /// The statistics that are expected given inputs [B, columns].
    pub(crate) fn expected(&self, input: &Tensor) -> Result<Statistics> {
        let bias = self.each(input, |run, input| match run.kind {
            UnitKind::Drelu => run.map(input, |f, x| drelu::means(f, x).0),
            UnitKind::Bernoulli => bernoulli::mean(run, input),
            UnitKind::Spin => spin::mean(run, input),
            UnitKind::Categorical => categorical::mean(run, input),
            UnitKind::Gaussian => gaussian::mean(run, input),
            UnitKind::Relu => run.map(input, relu::mean),
        })?;
        let squares = |run: &Run, input: &Tensor| match run.kind {
            UnitKind::Gaussian => run.map(input, gaussian::expected_square),
            UnitKind::Relu => run.map(input, relu::expected_square),
            UnitKind::Drelu => run.map(input, |f, x| drelu::expected_squares(f, x).0),
            UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => input.zeros_like(),
        };
        self.statistics(
            input,
            bias,
            squares,
            |run, input| run.map(input, |f, x| drelu::means(f, x).1),
            |run, input| run.map(input, |f, x| drelu::expected_squares(f, x).1),
        )
    }

    /// The statistics of states [B, columns].
    pub(crate) fn observed(&self, states: &Tensor) -> Result<Statistics> {
        let bias = self.each(states, |run, x| if run.kind == UnitKind::Drelu { x.relu() } else { Ok(x.clone()) })?;
        let squares = |run: &Run, x: &Tensor| match run.kind {
            UnitKind::Gaussian | UnitKind::Relu => run.map(x, |f, x| -0.5 * f.g * x * x),
            UnitKind::Drelu => run.map(x, |f, x| -0.5 * f.g * x.max(0.0) * x.max(0.0)),
            UnitKind::Bernoulli | UnitKind::Spin | UnitKind::Categorical => x.zeros_like(),
        };
        self.statistics(
            states,
            bias,
            squares,
            |run, x| run.map(x, |_, x| x.min(0.0)),
            |run, x| run.map(x, |f, x| -0.5 * f.g_below * x.min(0.0) * x.min(0.0)),
        )
    }

    /// The statistics of the fields that there are, those below 0 of dReLU units alone.
    fn statistics(
        &self,
        x: &Tensor,
        bias: Tensor,
        squares: impl Fn(&Run, &Tensor) -> Computed,
        below: impl Fn(&Run, &Tensor) -> Computed,
        squares_below: impl Fn(&Run, &Tensor) -> Computed,
    ) -> Result<Statistics> {
        let of = |field: &Option<Tensor>, of: &dyn Fn(&Run, &Tensor) -> Computed| {
            field.as_ref().map(|_| self.each(x, of)).transpose()
        };
        let of_drelu = |of: &dyn Fn(&Run, &Tensor) -> Computed, run: &Run, x: &Tensor| {
            if run.kind == UnitKind::Drelu { of(run, x) } else { x.zeros_like() }
        };
        let fields = FieldTensors {
            log_precision: of(&self.fields.log_precision, &squares)?,
            bias_below: of(&self.fields.bias_below, &|run, x| of_drelu(&below, run, x))?,
            log_precision_below: of(&self.fields.log_precision_below, &|run, x| of_drelu(&squares_below, run, x))?,
        };
        Ok(Statistics { bias, fields })
    }
}

/// The columns of a run in a tensor [B, columns].
fn part(run: &Run, x: &Tensor) -> Computed {
    let columns = &run.columns;
    if x.dim(0)? == 0 {
        // Of no rows there are no parts to copy.
        return Tensor::zeros((0, columns.len()), x.dtype(), x.device());
    }
    if columns.len() == x.dim(1)? { Ok(x.clone()) } else { x.narrow(1, columns.start, columns.len())?.contiguous() }
}
