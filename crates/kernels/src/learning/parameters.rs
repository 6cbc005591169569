//! The parameters of an RBM, and what else of it files hold, row-major.

/// Units per layer at most: list entries are 16-bit.
pub const MAX_UNITS: usize = 65_504;

/// The weights, biases and velocities of an RBM, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// Recognition weights [visible, hidden]; the generative ones are their transpose.
    pub w_rec: Vec<f32>,
    /// Hidden biases.
    pub hb: Vec<f32>,
    /// Visible biases.
    pub vb: Vec<f32>,
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
