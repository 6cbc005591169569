//! The verbs of one direction between two layers.

use crate::learning::directed::Weights;
use crate::learning::update::StepRule;
use crate::rng::Uniforms;
use crate::states::batch::Batch;
use crate::units::layers::Units;
use candle_core::Result;

/// The weights of one direction between two layers: see [`crate::Directed`] and [`crate::TypedDirection`] for
/// the formulas.
///
/// Every method fails if the device does or is out of memory; on the CPU none fails. A method panics if
/// numbers of units or samples do not fit.
pub trait Direction: Sized + Send + Sync {
    /// Where weights are: a device and how it computes.
    type Place;
    /// Units of one layer, a sample a row.
    type States;

    /// Puts `weights` from units `inputs` to `outputs` there.
    ///
    /// # Errors
    /// If the device is out of memory, or computes no units of these kinds.
    fn at(place: &Self::Place, inputs: &Units, outputs: &Units, weights: &Weights) -> Result<Self>;

    /// The units of the input layer.
    fn inputs(&self) -> Units;

    /// The units of the output layer.
    fn outputs(&self) -> Units;

    /// The weights and biases.
    ///
    /// # Errors
    /// If the device failed.
    fn weights(&self) -> Result<Weights>;

    /// The velocities that momentum keeps.
    ///
    /// # Errors
    /// If the device failed.
    fn velocities(&self) -> Result<Weights>;

    /// Goes on with the velocities of an earlier run.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_velocities(&mut self, velocities: &Weights) -> Result<()>;

    /// Room for inputs.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn input_room(&self) -> Result<Self::States>;

    /// Room for outputs.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn output_room(&self) -> Result<Self::States>;

    /// A batch of inputs where the weights are, which may take `room`.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn load<'a>(&mut self, batch: &'a Batch, room: &'a mut Self::States) -> Result<&'a Self::States>;

    /// Writes states y ~ p(y|x) of every sample to `states`; sample s draws from row s of `draw`.
    ///
    /// # Errors
    /// If the device failed.
    fn sample(&mut self, input: &Self::States, draw: Uniforms, states: &mut Self::States) -> Result<()>;

    /// Writes p(y|x) of every sample to `probabilities`.
    ///
    /// # Errors
    /// If the device failed.
    fn probabilities(&mut self, input: &Self::States, probabilities: &mut Self::States) -> Result<()>;

    /// One step of the delta rule, with momentum and weight costs as `rule` says.
    ///
    /// # Errors
    /// If the device failed.
    fn learn(&mut self, input: &Self::States, target: &Self::States, rule: &StepRule) -> Result<()>;

    /// The largest |weight| or |bias| that a step left since this was last asked; NaN if one was NaN.
    ///
    /// # Errors
    /// If the device failed.
    fn largest(&mut self) -> Result<f32>;
}
