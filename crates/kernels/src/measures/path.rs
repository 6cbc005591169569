//! The path that tempered chains take from a model without weights: its biases, and where its Gibbs steps draw from.

use crate::learning::parameters::Parameters;
use crate::rng::Uniforms;

/// Where the chains of a Gibbs step draw from: chain c from row c.
#[derive(Clone, Copy, Debug)]
pub struct GibbsDraws {
    /// Hidden states.
    pub hidden: Uniforms,
    /// Visible states.
    pub visible: Uniforms,
    /// Labels: column 0.
    pub label: Uniforms,
}

impl GibbsDraws {
    /// Those of chains that are a part of more of them, from chain `row` on.
    #[must_use]
    pub fn from_row(&self, row: u32) -> Self {
        let Self { hidden, visible, label } = *self;
        Self { hidden: hidden.from_row(row), visible: visible.from_row(row), label: label.from_row(row) }
    }
}

/// Biases of a layer on a stretch of the path: `offset + β slope`, one of each a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BiasLine {
    /// The biases at β = 0.
    pub offset: Vec<f32>,
    /// What is added on the way to β = 1.
    pub slope: Vec<f32>,
}

impl BiasLine {
    /// From biases `offset` at β = 0 to `end` at β = 1.
    #[must_use]
    pub fn between(offset: &[f32], end: &[f32]) -> Self {
        let slope = end.iter().zip(offset).map(|(end, offset)| end - offset).collect();
        Self { offset: offset.to_vec(), slope }
    }
}

/// The biases of both layers on a stretch of the path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathBiases {
    /// One line a visible unit.
    pub visible: BiasLine,
    /// One line a hidden unit.
    pub hidden: BiasLine,
    /// g of the visible units, one line a column, where some are Gaussian; none leaves it as it is at β = 1.
    pub precision: Option<BiasLine>,
}

impl PathBiases {
    /// From independent visible units with biases `base` and fair hidden ones to `parameters`.
    #[must_use]
    pub fn from_visible(parameters: &Parameters, base: &[f32]) -> Self {
        let hidden = BiasLine::between(&vec![0.0; parameters.hb.len()], &parameters.hb);
        Self { visible: BiasLine::between(base, &parameters.vb), hidden, precision: None }
    }

    /// ln Z at β = 0, where all units are independent: `sum softplus(a_0) + sum softplus(c_0) + ln C` for C
    /// classes of labels.
    #[must_use]
    pub fn base_log_partition(&self, classes: usize) -> f64 {
        let softplus = |&a: &f32| libm::log1p(libm::exp(-f64::from(a.abs()))) + f64::from(a.max(0.0));
        let sum = |biases: &[f32]| biases.iter().map(softplus).sum::<f64>();
        sum(&self.visible.offset) + sum(&self.hidden.offset) + libm::log(classes.max(1) as f64)
    }
}
