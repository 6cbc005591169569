//! One direction between two layers on the CPU, of whatever units.

use super::direction::Direction;
use crate::learning::directed::{Directed, Weights};
use crate::learning::update::StepRule;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::typed::direction::TypedDirection;
use crate::units::layers::{UnitKind, Units};
use candle_core::Result;

/// The CPU: the rayon pool of whoever calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// One direction between two layers, of which the lower may have units of any kinds.
pub enum CpuDirection {
    /// Between Bernoulli units.
    Bits(Box<Directed>),
    /// Where the lower ones are of other kinds.
    Typed(Box<TypedDirection>),
}

/// What either does.
macro_rules! either {
    ($direction:expr, $own:ident => $does:expr) => {
        match $direction {
            Self::Bits($own) => $does,
            Self::Typed($own) => $does,
        }
    };
}

impl CpuDirection {
    /// From units `inputs` to `outputs`.
    ///
    /// # Panics
    /// If the lengths do not fit the units, or neither side is Bernoulli.
    #[must_use]
    pub fn new(inputs: &Units, outputs: &Units, weights: &Weights) -> Self {
        if inputs.is_bernoulli() && outputs.is_bernoulli() {
            return Self::Bits(Box::new(Directed::new(inputs.columns(), outputs.columns(), weights)));
        }
        Self::Typed(Box::new(TypedDirection::new(inputs, outputs, weights)))
    }

    /// Bytes held for these units and batches of `batch` samples.
    #[must_use]
    pub fn bytes(inputs: &Units, outputs: &Units, batch: usize) -> u64 {
        if inputs.is_bernoulli() && outputs.is_bernoulli() {
            return Directed::bytes(inputs.columns(), outputs.columns(), batch);
        }
        TypedDirection::bytes(inputs, outputs, batch)
    }

    /// The units of the input layer.
    #[must_use]
    pub fn input_units(&self) -> Units {
        match self {
            Self::Bits(own) => Units::of(UnitKind::Bernoulli, own.inputs()),
            Self::Typed(own) => own.inputs(),
        }
    }

    /// The units of the output layer.
    #[must_use]
    pub fn output_units(&self) -> Units {
        match self {
            Self::Bits(own) => Units::of(UnitKind::Bernoulli, own.outputs()),
            Self::Typed(own) => own.outputs(),
        }
    }

    /// Weights and biases, and what else the outputs have.
    #[must_use]
    pub fn weights(&self) -> Weights {
        either!(self, own => own.weights())
    }

    /// Writes p(y|x) of every sample to `probabilities`, of other than Bernoulli units the means.
    ///
    /// # Panics
    /// If the input has another number of units.
    pub fn probabilities(&mut self, input: &Batch, probabilities: &mut Batch) {
        either!(self, own => own.probabilities(input, probabilities));
    }

    /// Mean `-ln p(target | input)`, summed over the outputs, in nats per sample.
    ///
    /// # Panics
    /// If numbers of units or samples do not fit.
    pub fn cross_entropy(&mut self, input: &Batch, target: &Batch) -> f64 {
        either!(self, own => own.cross_entropy(input, target))
    }
}

impl Direction for CpuDirection {
    type Place = Cpu;
    type States = Batch;

    fn at(_: &Cpu, inputs: &Units, outputs: &Units, weights: &Weights) -> Result<Self> {
        Ok(Self::new(inputs, outputs, weights))
    }

    fn inputs(&self) -> Units {
        self.input_units()
    }

    fn outputs(&self) -> Units {
        self.output_units()
    }

    fn weights(&self) -> Result<Weights> {
        Ok(self.weights())
    }

    fn velocities(&self) -> Result<Weights> {
        Ok(either!(self, own => own.velocities()))
    }

    fn set_velocities(&mut self, velocities: &Weights) -> Result<()> {
        either!(self, own => own.set_velocities(velocities));
        Ok(())
    }

    fn input_room(&self) -> Result<Batch> {
        Ok(Batch::default())
    }

    fn output_room(&self) -> Result<Batch> {
        Ok(Batch::default())
    }

    fn load<'a>(&mut self, batch: &'a Batch, _: &'a mut Batch) -> Result<&'a Batch> {
        Ok(batch)
    }

    fn sample(&mut self, input: &Batch, draw: Uniforms, states: &mut Batch) -> Result<()> {
        either!(self, own => own.sample(input, draw, states));
        Ok(())
    }

    fn probabilities(&mut self, input: &Batch, probabilities: &mut Batch) -> Result<()> {
        self.probabilities(input, probabilities);
        Ok(())
    }

    fn learn(&mut self, input: &Batch, target: &Batch, rule: &StepRule) -> Result<()> {
        match self {
            Self::Bits(own) => {
                let largest = own.learn(input, target, rule);
                own.largest.keep(largest);
            }
            Self::Typed(own) => {
                let largest = own.learn(input, target, rule);
                own.keep_largest(largest);
            }
        }
        Ok(())
    }

    fn largest(&mut self) -> Result<f32> {
        Ok(match self {
            Self::Bits(own) => own.largest.take(),
            Self::Typed(own) => own.largest(),
        })
    }
}
