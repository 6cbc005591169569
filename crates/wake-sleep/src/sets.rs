//! What is done alike with the weights of every direction.

use crate::config::Units;
use crate::error::Result;
use deepbelief_kernels::{Direction, Uniforms};

/// Units of a set's outputs given its inputs.
pub(crate) fn pass<D: Direction>(
    set: &mut D,
    units: Units,
    input: &D::States,
    draw: Uniforms,
    output: &mut D::States,
) -> Result<()> {
    match units {
        Units::Sampled => set.sample(input, draw, output)?,
        Units::Probabilities => set.probabilities(input, output)?,
    }
    Ok(())
}

/// The same weights and velocities at another place.
pub(crate) fn copied<D: Direction, F: Direction>(place: &F::Place, set: &D) -> Result<F> {
    let mut copy = F::at(place, &set.inputs(), &set.outputs(), &set.weights()?)?;
    copy.set_velocities(&set.velocities()?)?;
    Ok(copy)
}
