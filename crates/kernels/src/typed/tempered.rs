//! Chains of an RBM of any units at inverse temperatures of their own. There are none yet.

use crate::engine::{Betas, Tempering};
use crate::learning::parameters::Parameters;
use crate::measures::path::{GibbsDraws, PathBiases};
use crate::states::bits::Bits;
use candle_core::Result;

/// Chains of a [`crate::TypedRbm`] at inverse temperatures of their own: none can be made.
pub enum TypedTempered {}

impl Tempering for TypedTempered {
    fn parameters(&self) -> Result<Parameters> {
        match *self {}
    }

    fn set_biases(&mut self, _: &PathBiases) -> Result<()> {
        match *self {}
    }

    fn start(&mut self, _: usize, _: &GibbsDraws) -> Result<()> {
        match *self {}
    }

    fn start_from(&mut self, _: &Bits, _: &[u32]) -> Result<()> {
        match *self {}
    }

    fn anneal(&mut self, _: Betas<'_>, _: Betas<'_>, _: Option<&GibbsDraws>) -> Result<()> {
        match *self {}
    }

    fn gibbs(&mut self, _: Betas<'_>, _: &GibbsDraws) -> Result<()> {
        match *self {}
    }

    fn take_log_weights(&mut self) -> Result<Vec<f64>> {
        match *self {}
    }

    fn states(&self) -> Result<Bits> {
        match *self {}
    }

    fn labels(&self) -> Result<Vec<u32>> {
        match *self {}
    }

    fn hidden_states(&self) -> Result<Bits> {
        match *self {}
    }
}
