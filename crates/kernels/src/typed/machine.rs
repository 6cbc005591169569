//! An RBM of any units in the layout that trains fastest.

use super::descent::{AdamMemory, AdamStep, Descent, Squares};
use super::gauges::{HIDDEN_LOG_G, VISIBLE_LOG_G};
use super::gradient::TypedStatistics;
use super::layer::Layer;
use crate::learning::largest::Largest;
use crate::learning::packed::Transpose;
use crate::learning::parameters::{MAX_UNITS, Offsets, Parameters};
use crate::learning::weights::Weights;
use crate::products::panels::{Activations, Panels};
use crate::products::whole::Whole;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::Active;
use crate::states::unit_lists::UnitLists;
use crate::units::conditional::Moments;
use crate::units::layers::{Layers, UnitKind};
use std::mem::size_of;

/// An RBM with layers of any units and everything one training step needs, on the CPU. [`crate::Engine`] has the order
/// of calls.
///
/// Visible units are Bernoulli, spin, categorical or Gaussian, hidden ones Bernoulli, spin, Gaussian, ReLU or dReLU.
/// There is no label group: a label is a categorical unit of the visible layer ([`Layers::with_label`]). What is given as
/// labels apart is ignored.
///
/// An update steps along the gradient of all fields and weights, that of -1/+1 for spins, and then brings the RBM to
/// the form that is chosen among those of one distribution (gauges): the weights and biases of a categorical unit sum
/// to zero over its levels, and the weights of a ReLU or dReLU unit have norm 1. ln g of visible Gaussian units stays
/// within [0, ln 1e4], that of ReLU and dReLU units within ±ln 1e6, and that of hidden Gaussian units as it is. Where
/// a unit is real, a mean gradient whose root mean square over all parameters is above 1 is scaled down to 1.
#[derive(Clone)]
pub struct TypedRbm {
    pub(crate) level: Level,
    pub(crate) visible: Layer,
    pub(crate) hidden: Layer,
    /// The weights of the RBM in bits, a row a visible column; their transpose; their velocities.
    pub(crate) rec: Panels,
    pub(crate) generative: Panels,
    pub(crate) transpose: Transpose,
    pub(crate) velocity: Panels,

    /// What steps are taken by, and what Adam remembers beside the means of gradients, which are in `velocity`.
    pub(crate) descent: Descent,
    pub(crate) squares: Option<Squares>,

    /// Products of the visible states with the weights.
    pub(crate) x: Activations,
    /// The binary visible states that `x` belongs to, if any.
    pub(crate) x_states: Option<Bits>,
    /// E[h|v0], and of panels with fields to learn all moments, a sample after the other.
    pub(crate) means: Activations,
    pub(crate) moments: Vec<Vec<Moments>>,
    pub(crate) h: Batch,
    /// The visible states of the negative phase, or their means.
    pub(crate) reconstruction: Batch,
    /// Products of the hidden states with the weights; values of a layer on their way to a batch.
    pub(crate) inputs: Activations,
    pub(crate) rows: Activations,
    /// Where a real-valued batch is not zero.
    pub(crate) support: Bits,
    pub(crate) visible_lists: Active,
    pub(crate) hidden_lists: Active,
    pub(crate) unit_lists: UnitLists,
    pub(crate) weights: Weights,

    /// The means, of units as they are, that a centred step takes states relative to.
    pub(crate) offsets: Option<Offsets>,
    /// What the last step multiplied hidden states by, of ReLU and dReLU units; 1 for others.
    pub(crate) rescaled: Vec<Row>,
    /// The gradient of the last update.
    pub(crate) statistics: TypedStatistics,
    pub(crate) largest: Largest,
    /// What samples are a part of.
    pub(crate) whole: Whole,
    /// The weights that a change of them is measured from.
    pub(crate) before: Vec<f32>,
}

impl TypedRbm {
    /// Packs `parameters` of an RBM with these units.
    ///
    /// # Panics
    /// If the lengths do not fit the units, a layer has more than [`MAX_UNITS`] columns or units of a kind that it
    /// cannot have, or there is a label group.
    #[must_use]
    pub fn new(layers: &Layers, parameters: &Parameters) -> Self {
        let Layers { visible, hidden } = layers;
        let (columns, height) = (hidden.columns(), visible.columns());
        assert!(columns <= MAX_UNITS && height <= MAX_UNITS, "at most {MAX_UNITS} columns a layer");
        assert!(visible.all(is_visible), "visible units are Bernoulli, spin, categorical or Gaussian");
        assert!(hidden.all(|kind| kind != UnitKind::Categorical), "hidden units are not categorical");
        assert!(parameters.label_b.is_empty() && parameters.label_w.is_empty(), "labels are categorical units");
        let Parameters { hb, vb, visible_fields, hidden_fields, .. } = parameters;
        let gaussian = |kind| kind == UnitKind::Gaussian;
        let visible = Layer::new(visible, vb, visible_fields, gaussian, (0.0, VISIBLE_LOG_G));
        let hidden = Layer::new(hidden, hb, hidden_fields, is_relu, (-HIDDEN_LOG_G, HIDDEN_LOG_G));
        let mut rec = Panels::pack(height, columns, &parameters.w_rec);
        in_bits(&visible, &hidden, &mut rec);
        let mut machine = Self {
            level: Level::detect(),
            rec,
            generative: Panels::zeros(columns, height),
            transpose: Transpose::Stale,
            velocity: Panels::zeros(height, columns),
            descent: Descent::default(),
            squares: None,
            x: Activations::default(),
            x_states: None,
            means: Activations::default(),
            moments: vec![Vec::new(); hidden.panels.len()],
            h: Batch::default(),
            reconstruction: Batch::default(),
            inputs: Activations::default(),
            rows: Activations::default(),
            support: Bits::default(),
            visible_lists: Active::default(),
            hidden_lists: Active::default(),
            unit_lists: UnitLists::default(),
            weights: Weights::default(),
            offsets: None,
            rescaled: vec![Row([1.0; BLOCK]); hidden.panels.len()],
            statistics: TypedStatistics::default(),
            largest: Largest::default(),
            whole: Whole::default(),
            before: Vec::new(),
            visible,
            hidden,
        };
        machine.refresh();
        machine
    }

    /// Bytes held for an RBM with these units and batches of `batch` samples.
    #[must_use]
    pub fn bytes(layers: &Layers, batch: usize) -> u64 {
        let Layers { visible, hidden } = layers;
        let (v, h) = (visible.columns().next_multiple_of(BLOCK), hidden.columns().next_multiple_of(BLOCK));
        let weights = 4 * size_of::<f32>() * v * h;
        let moments = if hidden.any(is_relu) { 4 } else { 0 };
        let floats = |discrete: bool, columns: usize| if discrete { 0 } else { 2 * columns };
        let values = (2 + moments) * h + v + floats(visible.is_discrete(), v) + floats(hidden.is_discrete(), h);
        let lists = 2 * (v + h + 2 * v) + (v + h) / 4;
        (weights + batch * (size_of::<f32>() * values + lists)) as u64
    }

    /// Uses one instruction set, for tests and comparisons.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// The batches from now on are a part of `whole`, as far as Gibbs steps go.
    pub fn set_whole(&mut self, whole: &Whole) {
        self.whole = whole.clone();
    }

    /// The units.
    #[must_use]
    pub fn layers(&self) -> Layers {
        Layers { visible: self.visible.units.clone(), hidden: self.hidden.units.clone() }
    }

    /// The parameters, row-major, as the units have them.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        self.unpack(&self.rec, &self.visible.fields, &self.hidden.fields)
    }

    /// The velocities that momentum keeps, in the shapes of the parameters.
    #[must_use]
    pub fn velocities(&self) -> Parameters {
        self.unpack(&self.velocity, &self.visible.velocity, &self.hidden.velocity)
    }

    fn unpack(&self, weights: &Panels, visible: &[Moments], hidden: &[Moments]) -> Parameters {
        let (vb, visible_fields) = self.visible.unpack(visible);
        let (hb, hidden_fields) = self.hidden.unpack(hidden);
        let mut weights = weights.clone();
        as_they_are(&self.visible, &self.hidden, &mut weights);
        Parameters { w_rec: weights.unpack(), hb, vb, visible_fields, hidden_fields, ..Parameters::default() }
    }

    /// Goes on with the velocities of an earlier run.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Parameters) {
        self.velocity = Panels::pack(self.visible.columns, self.hidden.columns, &velocities.w_rec);
        in_bits(&self.visible, &self.hidden, &mut self.velocity);
        self.visible.velocity = self.visible.in_panels(&velocities.vb, &velocities.visible_fields);
        self.hidden.velocity = self.hidden.in_panels(&velocities.hb, &velocities.hidden_fields);
    }

    /// Chooses what steps are taken by, before the first of them. Adam keeps its means of gradients where momentum keeps velocities.
    pub fn set_descent(&mut self, descent: &Descent) {
        self.descent = *descent;
        self.squares = descent.adam.map(|_| Squares::zeros(&self.visible, &self.hidden));
    }

    /// What Adam remembers beside the means of gradients; none without it.
    #[must_use]
    pub fn adam_memory(&self) -> Option<AdamMemory> {
        let Squares { w, visible, hidden, steps } = self.squares.as_ref()?;
        let mut w = w.clone();
        as_they_are(&self.visible, &self.hidden, &mut w);
        Some(AdamMemory { squares: self.unpack(&w, visible, hidden), steps: *steps })
    }

    /// Goes on with what Adam remembered.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_adam_memory(&mut self, memory: &AdamMemory) {
        let AdamMemory { squares: Parameters { w_rec, hb, vb, visible_fields, hidden_fields, .. }, steps } = memory;
        let mut w = Panels::pack(self.visible.columns, self.hidden.columns, w_rec);
        in_bits(&self.visible, &self.hidden, &mut w);
        in_bits(&self.visible, &self.hidden, &mut w);
        let (visible, hidden) = (self.visible.in_panels(vb, visible_fields), self.hidden.in_panels(hb, hidden_fields));
        self.squares = Some(Squares { w, visible, hidden, steps: *steps });
    }

    /// The next step of Adam, if it is by that.
    pub(crate) fn begin_adam(&mut self, learning_rate: f32) -> Option<AdamStep> {
        let (decays, squares) = (self.descent.adam.as_ref()?, self.squares.as_mut()?);
        squares.steps = squares.steps.saturating_add(1);
        Some(AdamStep::new(decays, learning_rate, squares.steps))
    }

    /// The hidden states.
    #[must_use]
    pub fn hidden_states(&self) -> &Batch {
        &self.h
    }

    /// Sets the hidden states, for instance to go on with persistent chains.
    ///
    /// # Panics
    /// If they are not those of this layer.
    pub fn set_hidden_states(&mut self, h: &Batch) {
        self.h = self.hidden.form_of(h);
        self.x_states = None;
    }

    /// The visible states of the last down pass.
    #[must_use]
    pub fn reconstruction(&self) -> &Batch {
        &self.reconstruction
    }

    /// Brings everything that follows from weights and fields up to date.
    pub(crate) fn refresh(&mut self) {
        let sums = |spins: bool, sums: &dyn Fn() -> Vec<Row>| if spins { sums() } else { Vec::new() };
        let of_hidden = sums(self.visible.spins, &|| self.weighted_columns());
        let of_visible = sums(self.hidden.spins, &|| self.weighted_rows());
        self.hidden.refresh(&of_hidden);
        self.visible.refresh(&of_visible);
        self.transpose = Transpose::Stale;
        self.x_states = None;
    }

    /// The sum over the visible units of `W' o / s`: what spins that are all 0 make of the hidden biases in bits.
    pub(crate) fn weighted_columns(&self) -> Vec<Row> {
        let halves = self.visible.in_bits(&[]);
        let panels = (0..self.hidden.panels.len()).map(|panel| {
            let mut sum = ZERO;
            for (rows, halves) in self.rec.panel(panel).chunks(BLOCK).zip(&halves) {
                for (row, &half) in rows.iter().zip(&halves.0).filter(|(_, half)| **half != 0.0) {
                    sum.0.iter_mut().zip(&row.0).for_each(|(sum, w)| *sum -= half * w);
                }
            }
            sum
        });
        panels.collect()
    }

    /// The sum over the hidden units of `W' o / s`.
    fn weighted_rows(&self) -> Vec<Row> {
        let halves = self.hidden.in_bits(&[]);
        let mut sums = vec![ZERO; self.visible.panels.len()];
        for (panel, halves) in halves.iter().enumerate() {
            for (sums, rows) in sums.iter_mut().zip(self.rec.panel(panel).chunks(BLOCK)) {
                for (sum, row) in sums.0.iter_mut().zip(rows) {
                    let terms = Row(std::array::from_fn(|i| halves.0[i] * row.0[i]));
                    *sum -= terms.0.iter().sum::<f32>();
                }
            }
        }
        sums
    }
}

fn is_visible(kind: UnitKind) -> bool {
    kind.is_discrete() || kind == UnitKind::Gaussian
}

fn is_relu(kind: UnitKind) -> bool {
    matches!(kind, UnitKind::Relu | UnitKind::Drelu)
}

/// Weights of units as they are become those in bits: both are the same numbers but for powers of two.
fn in_bits(visible: &Layer, hidden: &Layer, weights: &mut Panels) {
    scale(visible, hidden, weights, |w, factor| w * factor);
}

fn as_they_are(visible: &Layer, hidden: &Layer, weights: &mut Panels) {
    scale(visible, hidden, weights, |w, factor| w / factor);
}

fn scale(visible: &Layer, hidden: &Layer, weights: &mut Panels, by: fn(f32, f32) -> f32) {
    if !visible.spins && !hidden.spins {
        return;
    }
    for (panel, own) in weights.slices_mut().zip(&hidden.scale) {
        for (rows, of_rows) in panel.chunks_mut(BLOCK).zip(&visible.scale) {
            for (row, of_row) in rows.iter_mut().zip(&of_rows.0) {
                row.0.iter_mut().zip(&own.0).for_each(|(w, scale)| *w = by(*w, of_row * scale));
            }
        }
    }
}
