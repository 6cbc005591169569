//! The parameters of an RBM, and what else of it files hold, row-major.

use crate::units::layers::{UnitKind, Units};

/// Units per layer at most: list entries are 16-bit.
pub const MAX_UNITS: usize = 65_504;

/// The fields of a layer's units beside the bias, one a column: empty where no unit of the layer has it, and 0 for
/// those that have not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// ln g of Gaussian and ReLU units; of dReLU units above 0.
    pub log_precision: Vec<f32>,
    /// b- of dReLU units: their linear field below 0. The one above 0 is the bias.
    pub bias_below: Vec<f32>,
    /// ln g- of dReLU units.
    pub log_precision_below: Vec<f32>,
}

impl Fields {
    /// Those of all units that have them, at `g = 1` and `b- = 0`.
    #[must_use]
    pub fn at_rest(units: &Units) -> Self {
        let zeros = |has: fn(UnitKind) -> bool| if units.any(has) { vec![0.0; units.columns()] } else { Vec::new() };
        let drelu = |kind| kind == UnitKind::Drelu;
        Self {
            log_precision: zeros(UnitKind::has_precision),
            bias_below: zeros(drelu),
            log_precision_below: zeros(drelu),
        }
    }

    /// Each by its name in files.
    #[must_use]
    pub fn each(&self) -> [(&'static str, &Vec<f32>); 3] {
        [
            ("log_precision", &self.log_precision),
            ("bias_below", &self.bias_below),
            ("log_precision_below", &self.log_precision_below),
        ]
    }

    /// The same for writing.
    #[must_use]
    pub fn each_mut(&mut self) -> [(&'static str, &mut Vec<f32>); 3] {
        [
            ("log_precision", &mut self.log_precision),
            ("bias_below", &mut self.bias_below),
            ("log_precision_below", &mut self.log_precision_below),
        ]
    }
}

/// The weights, biases and velocities of an RBM, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// Recognition weights [visible, hidden]; the generative ones are their transpose.
    pub w_rec: Vec<f32>,
    /// Hidden biases.
    pub hb: Vec<f32>,
    /// Visible biases.
    pub vb: Vec<f32>,
    /// What else visible units have.
    pub visible_fields: Fields,
    /// What else hidden units have.
    pub hidden_fields: Fields,
    /// Label weights [classes, hidden]; empty without a label group.
    pub label_w: Vec<f32>,
    /// Label biases, one a class; empty without a label group.
    pub label_b: Vec<f32>,
}

/// The means that states are taken relative to: μ of the visible units and labels, λ of the hidden ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offsets {
    /// One a visible unit.
    pub visible: Vec<f32>,
    /// One a hidden unit.
    pub hidden: Vec<f32>,
    /// One a class of the label group.
    pub labels: Vec<f32>,
}
