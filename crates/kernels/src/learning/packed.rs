//! An RBM in the layout that trains fastest, and the operations learning rules are made of.
//!
//! [`crate::Engine`] has the order of calls.
//!
//! Weights live in panels of 32 columns in both directions: the up pass adds rows of `rec`
//! (a row per visible unit), the down pass rows of `gen` (a row per hidden unit). Work is
//! split by panel, each output written by one task in a fixed order, so that the result does
//! not depend on the number of threads. All parallel work runs in the caller's rayon pool.

use crate::learning::labels::Labels;
use crate::learning::largest::Largest;
use crate::learning::parameters::{MAX_UNITS, Offsets, Parameters};
use crate::learning::weights::Weights;
use crate::products::panels::{Activations, Panels, pack_bias, pack_rows, unpack_rows};
use crate::products::whole::Whole;
use crate::row::{BLOCK, Row, ZERO};
use crate::simd::Level;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::Active;
use crate::states::unit_lists::UnitLists;

/// How `generative` stands to the recognition weights it is the transpose of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transpose {
    /// It lags behind. The next down pass transposes panel by panel for itself, in memory that
    /// stays in the second-level cache: with one Gibbs step an update, nobody asks again.
    Stale,
    /// It lags behind and one pass has transposed for itself; the next one keeps what it makes.
    StaleAgain,
    /// It is the transpose.
    Kept,
}

impl Transpose {
    pub(crate) fn after_a_pass(self) -> Self {
        if self == Self::Stale { Self::StaleAgain } else { Self::Kept }
    }
}

/// An RBM with Bernoulli units and everything one training step needs. [`crate::Engine`]
/// has the order of calls.
#[derive(Clone)]
pub struct PackedRbm {
    pub(crate) level: Level,
    pub(crate) visible: usize,
    pub(crate) hidden: usize,
    pub(crate) rec: Panels,
    pub(crate) generative: Panels,
    pub(crate) transpose: Transpose,
    pub(crate) hb: Vec<Row>,
    pub(crate) vb: Vec<Row>,
    pub(crate) velocity: Panels,
    pub(crate) labels: Labels,
    pub(crate) hb_velocity: Vec<Row>,
    pub(crate) vb_velocity: Vec<Row>,

    /// Products of the visible states with the weights, `x = v W`.
    pub(crate) x: Activations,
    /// The binary visible states that `x` belongs to, if any.
    pub(crate) x_states: Option<Bits>,
    pub(crate) p0: Activations,
    pub(crate) h: Bits,
    /// The visible states of the negative phase, binary or probabilities.
    pub(crate) reconstruction: Batch,
    /// Where a real-valued batch is not zero.
    pub(crate) support: Bits,
    pub(crate) visible_lists: Active,
    pub(crate) hidden_lists: Active,
    pub(crate) unit_lists: UnitLists,
    pub(crate) weights: Weights,

    /// The means that a centred step takes states relative to.
    pub(crate) offsets: Option<Offsets>,
    pub(crate) largest: Largest,
    /// What samples are a part of.
    pub(crate) whole: Whole,
    /// The weights that a change of them is measured from.
    pub(crate) before: Vec<f32>,
}

impl PackedRbm {
    /// Packs `parameters` of an RBM with `visible` x `hidden` units.
    ///
    /// # Panics
    /// If the lengths do not fit the sizes or a size exceeds [`MAX_UNITS`].
    #[must_use]
    pub fn new(visible: usize, hidden: usize, parameters: &Parameters) -> Self {
        assert!(visible <= MAX_UNITS && hidden <= MAX_UNITS, "at most {MAX_UNITS} units a layer");
        assert_eq!(parameters.hb.len(), hidden, "one hidden bias a unit");
        assert_eq!(parameters.vb.len(), visible, "one visible bias a unit");
        assert_eq!(parameters.label_w.len(), parameters.label_b.len() * hidden, "a label weight for each pair");
        let (hb, vb) = (pack_bias(&parameters.hb), pack_bias(&parameters.vb));
        Self {
            level: Level::detect(),
            visible,
            hidden,
            rec: Panels::pack(visible, hidden, &parameters.w_rec),
            generative: Panels::zeros(hidden, visible),
            transpose: Transpose::Stale,
            velocity: Panels::zeros(visible, hidden),
            labels: Labels::new(hidden, &parameters.label_w, &parameters.label_b),
            hb_velocity: vec![ZERO; hb.len()],
            vb_velocity: vec![ZERO; vb.len()],
            hb,
            vb,
            x: Activations::default(),
            x_states: None,
            p0: Activations::default(),
            h: Bits::default(),
            reconstruction: Batch::default(),
            support: Bits::default(),
            visible_lists: Active::default(),
            hidden_lists: Active::default(),
            unit_lists: UnitLists::default(),
            weights: Weights::default(),
            offsets: None,
            largest: Largest::default(),
            whole: Whole::default(),
            before: Vec::new(),
        }
    }

    /// Bytes held for an RBM of these sizes and batches of `batch` samples.
    #[must_use]
    pub fn bytes(visible: usize, hidden: usize, batch: usize) -> u64 {
        let (v, h) = (visible.next_multiple_of(BLOCK), hidden.next_multiple_of(BLOCK));
        let weights = 3 * 4 * v * h;
        let activations = batch * (4 * 2 * h + (v + h) / 4);
        let lists = batch * 2 * (v + h + 2 * v);
        (weights + activations + lists) as u64
    }

    /// Number of visible units.
    #[must_use]
    pub fn visible(&self) -> usize {
        self.visible
    }

    /// Number of hidden units.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Number of classes of the label group, 0 without one.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.labels.classes
    }

    /// Uses one instruction set, for tests and comparisons.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
    }

    /// The batches from now on are a part of `whole`, as far as Gibbs steps go.
    pub fn set_whole(&mut self, whole: &Whole) {
        self.whole = whole.clone();
    }

    /// The instruction set in use.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The parameters, row-major.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters {
            w_rec: self.rec.unpack(),
            hb: unpack_rows(&self.hb, self.hidden),
            vb: unpack_rows(&self.vb, self.visible),
            label_w: self.labels.unpack(self.hidden, |panel| &panel.w),
            label_b: self.labels.b.clone(),
            ..Parameters::default()
        }
    }

    /// The velocities that momentum keeps, in the shapes of the parameters.
    #[must_use]
    pub fn velocities(&self) -> Parameters {
        Parameters {
            w_rec: self.velocity.unpack(),
            hb: unpack_rows(&self.hb_velocity, self.hidden),
            vb: unpack_rows(&self.vb_velocity, self.visible),
            label_w: self.labels.unpack(self.hidden, |panel| &panel.velocity),
            label_b: self.labels.b_velocity.clone(),
            ..Parameters::default()
        }
    }

    /// Continues with the velocities of an earlier run.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Parameters) {
        let pack = |values: &[f32], units| {
            assert_eq!(values.len(), units, "one velocity a bias");
            pack_rows(values, 0.0)
        };
        self.velocity = Panels::pack(self.visible, self.hidden, &velocities.w_rec);
        self.hb_velocity = pack(&velocities.hb, self.hidden);
        self.vb_velocity = pack(&velocities.vb, self.visible);
        assert_eq!(velocities.label_b.len(), self.labels.classes, "one velocity a label bias");
        self.labels.set_velocities(self.hidden, &velocities.label_w, &velocities.label_b);
    }

    /// The hidden states, for instance to keep persistent chains.
    #[must_use]
    pub fn hidden_states(&self) -> &Bits {
        &self.h
    }

    /// Sets the hidden states, for instance to go on with persistent chains.
    pub fn set_hidden_states(&mut self, h: &Bits) {
        self.h.clone_from(h);
        self.x_states = None;
    }

    /// p(y|h) of every chain after the last down pass, row-major [chains, classes]; empty without
    /// a label group.
    #[must_use]
    pub fn label_probabilities(&self) -> &[f32] {
        &self.labels.p
    }

    /// The visible states of the last down pass.
    #[must_use]
    pub fn reconstruction(&self) -> &Batch {
        &self.reconstruction
    }
}
