//! How steps are taken beside what a [`crate::StepRule`] says: by Adam, and with a cost that keeps weights sparse.
//!
//! With the gradient g of the mean log-likelihood less the costs, rate η, decays β₁ and β₂, in step t (Kingma & Ba
//! 2015):
//!
//! ```text
//! m <- β₁ m + (1 - β₁) g,     s <- β₂ s + (1 - β₂) g²
//! w <- w + η (m / (1 - β₁ᵗ)) / (sqrt(s / (1 - β₂ᵗ)) + ε)
//! ```
//!
//! The means m are kept where momentum has velocities. Costs are part of g, and momentum has no share.
//!
//! The L1b cost (Tubiana, Cocco & Monasson 2019) of N visible columns is `λ / (2 N) sum over u of (sum over i of
//! |W_iu|)²`: an L1 cost, larger for the hidden units that have more weights.

use super::layer::Layer;
use crate::learning::parameters::Parameters;
use crate::products::panels::Panels;
use crate::row::{BLOCK, Row};
use crate::units::conditional::Moments;
use crate::units::fields::NO_MOMENTS;

/// What a training's steps are taken by; by default by momentum alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Descent {
    /// Adam instead of momentum.
    pub adam: Option<AdamDecays>,
    /// λ of the L1b cost of the weights.
    pub l1b: f32,
}

/// β₁, β₂ and ε of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamDecays {
    /// Share of the mean of gradients that a step keeps.
    pub beta1: f64,
    /// The same of their squares.
    pub beta2: f64,
    /// What the root of the mean square is larger by.
    pub epsilon: f64,
}

/// What Adam remembers beside the means of gradients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamMemory {
    /// The means of squared gradients, in the shapes of the parameters.
    pub squares: Parameters,
    /// Steps taken.
    pub steps: u32,
}

/// The same in panels. Those of weights are of gradients times `s_i s_u`, as means are.
#[derive(Clone)]
pub(crate) struct Squares {
    pub(crate) w: Panels,
    pub(crate) visible: Vec<Moments>,
    pub(crate) hidden: Vec<Moments>,
    pub(crate) steps: u32,
}

impl Squares {
    pub(crate) fn zeros(visible: &Layer, hidden: &Layer) -> Self {
        let none = |layer: &Layer| vec![NO_MOMENTS; layer.panels.len()];
        let w = Panels::zeros(visible.columns, hidden.columns);
        Self { w, visible: none(visible), hidden: none(hidden), steps: 0 }
    }
}

/// A step of Adam.
#[derive(Clone, Copy)]
pub(crate) struct AdamStep {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// `η / (1 - β₁ᵗ)`.
    rate: f32,
    /// `1 / (1 - β₂ᵗ)`.
    scale: f32,
}

impl AdamStep {
    /// Step `t`, counted from 1.
    pub(crate) fn new(decays: &AdamDecays, learning_rate: f32, t: u32) -> Self {
        let AdamDecays { beta1, beta2, epsilon } = *decays;
        let left = |beta: f64| 1.0 - libm::pow(beta, f64::from(t));
        Self {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            rate: (f64::from(learning_rate) / left(beta1)) as f32,
            scale: (1.0 / left(beta2)) as f32,
        }
    }

    /// Steps the linear field or ln g of 32 units along their mean gradient, times `share`.
    pub(crate) fn step_field(&self, share: f32, gradient: &Row, m: &mut Row, s: &mut Row, field: &mut Row) {
        for i in 0..BLOCK {
            field.0[i] += self.step(share * gradient.0[i], 1.0, &mut m.0[i], &mut s.0[i]);
        }
    }

    /// The step of a parameter that is `size` times the one that learns, as its gradient is.
    #[inline(always)]
    pub(crate) fn step(&self, gradient: f32, size: f32, m: &mut f32, s: &mut f32) -> f32 {
        *m = self.beta1 * *m + (1.0 - self.beta1) * gradient;
        *s = self.beta2 * *s + (1.0 - self.beta2) * (gradient * gradient);
        self.rate * *m / ((*s * self.scale).sqrt() / size + self.epsilon)
    }
}
