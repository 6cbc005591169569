//! One direction between a layer of any visible units and one of Bernoulli units, with weights and fields of its own.
//!
//! Up, Bernoulli units are predicted from units of any kinds, down, these from those, each by the mean of its kind; the delta
//! rule is the gradient of the mean `ln p(target | input)`:
//!
//! ```text
//! W += rate xᵀ (t - E[t|x]) / n,    b += rate (t - E[t|x]) / n,    ln g += rate (g / 2) (E[t²|x] - t²) / n
//! ```
//!
//! summed over the samples, ln g that of Gaussian units. It is the step of an RBM whose two phases share what is given:
//! the statistics of data are those of inputs and targets, the ones that are taken away those of inputs and means.

use super::gradient::TypedStatistics;
use super::machine::TypedRbm;
use super::up::unpack;
use crate::learning::directed::Weights;
use crate::learning::parameters::{Fields, Parameters};
use crate::learning::update::StepRule;
use crate::products::source::Source;
use crate::rng::Uniforms;
use crate::row::{Row, ZERO};
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::states::lists::{Active, Chunks};
use crate::units::bernoulli;
use crate::units::conditional::Moments;
use crate::units::fields::NO_MOMENTS;
use crate::units::layers::{Layers, Units};

/// One direction between two layers, of which the lower may have units of any visible kinds. States of spins are 0 and 1
/// in batches.
pub struct TypedDirection {
    /// Of the lower units below the upper ones. The biases of the inputs are of no account.
    rbm: TypedRbm,
    down: bool,
    statistics: TypedStatistics,
}

impl TypedDirection {
    /// From units `inputs` to `outputs`, one side of which is Bernoulli. Downwards are other outputs.
    ///
    /// # Panics
    /// If the lengths do not fit the units, or neither side is Bernoulli.
    #[must_use]
    pub fn new(inputs: &Units, outputs: &Units, weights: &Weights) -> Self {
        let down = !outputs.is_bernoulli();
        assert!(!down || inputs.is_bernoulli(), "one side has Bernoulli units");
        let (visible, hidden) = if down { (outputs, inputs) } else { (inputs, outputs) };
        let layers = Layers { visible: visible.clone(), hidden: hidden.clone() };
        let rbm = TypedRbm::new(&layers, &parameters(&layers, down, weights));
        Self { rbm, down, statistics: TypedStatistics::default() }
    }

    /// Bytes held for these units and batches of `batch` samples.
    #[must_use]
    pub fn bytes(inputs: &Units, outputs: &Units, batch: usize) -> u64 {
        let (visible, hidden) = if outputs.is_bernoulli() { (inputs, outputs) } else { (outputs, inputs) };
        TypedRbm::bytes(&Layers { visible: visible.clone(), hidden: hidden.clone() }, batch)
    }

    /// The units of the input layer.
    #[must_use]
    pub fn inputs(&self) -> Units {
        let Layers { visible, hidden } = self.rbm.layers();
        if self.down { hidden } else { visible }
    }

    /// The units of the output layer.
    #[must_use]
    pub fn outputs(&self) -> Units {
        let Layers { visible, hidden } = self.rbm.layers();
        if self.down { visible } else { hidden }
    }

    /// The weights, and the fields of the outputs.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.part(self.rbm.parameters())
    }

    /// The velocities that momentum keeps.
    #[must_use]
    pub fn velocities(&self) -> Weights {
        self.part(self.rbm.velocities())
    }

    fn part(&self, all: Parameters) -> Weights {
        let Parameters { w_rec, hb, vb, visible_fields, .. } = all;
        if self.down {
            let w = transposed(&w_rec, self.rbm.hidden.columns);
            return Weights { w, b: vb, fields: visible_fields };
        }
        Weights { w: w_rec, b: hb, fields: Fields::default() }
    }

    /// Goes on with the velocities of an earlier run.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn set_velocities(&mut self, velocities: &Weights) {
        self.rbm.set_velocities(&parameters(&self.rbm.layers(), self.down, velocities));
    }

    /// Writes states of every sample's outputs to `states`; sample s draws from row s of `draw`.
    ///
    /// # Panics
    /// If the input has another number of units.
    pub fn sample(&mut self, input: &Batch, draw: Uniforms, states: &mut Batch) {
        if self.down {
            self.take_hidden(input);
            self.rbm.sample_visible(draw);
            states.clone_from(&self.rbm.reconstruction);
        } else {
            self.rbm.infer_hidden(input, Some(draw));
            states.clone_from(&self.rbm.h);
        }
    }

    /// Writes the means of every sample's outputs to `means`.
    ///
    /// # Panics
    /// If the input has another number of units.
    pub fn probabilities(&mut self, input: &Batch, means: &mut Batch) {
        if self.down {
            self.take_hidden(input);
            self.rbm.mean_visible();
            means.clone_from(&self.rbm.reconstruction);
        } else {
            self.rbm.infer_hidden(input, None);
            unpack(&self.rbm.hidden, input.rows(), &self.rbm.means, means);
        }
    }

    /// Mean `-ln p(target | input)`, summed over the outputs, in nats per sample; of real units a density's. Upwards
    /// targets may be probabilities, and those of the input themselves give the entropy.
    ///
    /// # Panics
    /// If numbers of units or samples do not fit.
    pub fn cross_entropy(&mut self, input: &Batch, target: &Batch) -> f64 {
        assert_eq!(input.rows(), target.rows(), "a target a sample");
        if self.down {
            return self.rbm.cost_of(input, target);
        }
        let (mut support, mut lists) = (Bits::default(), Active::default());
        let source = Source::of_batch(input, &mut support, &mut lists);
        let chunks = Chunks::new(input.rows());
        let mut sum = 0.0;
        for chunk in 0..chunks.count() {
            let range = chunks.range(chunk);
            let (mut x, mut costs) = (vec![ZERO; range.len()], vec![0.0; range.len()]);
            for (at, panel) in self.rbm.hidden.panels.iter().enumerate() {
                source.product(self.rbm.level, self.rbm.rec.panel(at), &lists, range.start, &mut x);
                let target: Vec<Row> = range.clone().map(|s| target.block(s, at)).collect();
                bernoulli::cross_entropies(self.rbm.level, &x, &panel.fields.b, &target, &mut costs);
            }
            sum += costs.iter().sum::<f64>();
        }
        sum / input.rows().max(1) as f64
    }

    /// One step of the delta rule, with momentum and weight costs as `rule` says. Returns the largest |weight| or
    /// |field| afterwards: NaN if one is NaN.
    ///
    /// # Panics
    /// If numbers of units or samples do not fit.
    pub fn learn(&mut self, input: &Batch, target: &Batch, rule: &StepRule) -> f32 {
        assert_eq!(input.rows(), target.rows(), "a target a sample");
        let Self { rbm, statistics, .. } = self;
        let (v, h) = if self.down { (target, input) } else { (input, target) };
        if self.down {
            rbm.h = input.clone();
            rbm.mean_visible();
            rbm.weights.clear();
            // Of what is data, where numbers are not zero.
            let _ = Source::of_batch(v, &mut rbm.support, &mut rbm.visible_lists);
        } else {
            rbm.infer_hidden(v, None);
            rbm.reconstruction.clone_from(v);
            unpack(&rbm.hidden, v.rows(), &rbm.means, &mut rbm.h);
        }
        rbm.statistics_of_states(v, h, statistics);
        // What is given has no share in the gradient.
        if self.down {
            statistics.h.fill(ZERO);
            statistics.hidden.fill(NO_MOMENTS);
            // Squares of means lack the variance 1 / g.
            let share = 0.5 * v.rows() as f32;
            for Moments { log_g, .. } in &mut statistics.visible {
                log_g.0.iter_mut().for_each(|sum| *sum += share);
            }
        } else {
            statistics.visible.fill(NO_MOMENTS);
        }
        rbm.x_states = None;
        rbm.step(statistics, rule)
    }

    /// The largest parameter that steps left since this was last asked.
    pub(crate) fn largest(&mut self) -> f32 {
        self.rbm.largest.take()
    }

    pub(crate) fn keep_largest(&mut self, largest: f32) {
        self.rbm.largest.keep(largest);
    }

    fn take_hidden(&mut self, input: &Batch) {
        assert_eq!(input.units(), self.rbm.hidden.columns, "a value for each input");
        self.rbm.h = input.clone();
    }
}

/// The parameters of the RBM in which a direction is kept.
fn parameters(layers: &Layers, down: bool, weights: &Weights) -> Parameters {
    let Weights { w, b, fields } = weights;
    let (visible, hidden) = (layers.visible.columns(), layers.hidden.columns());
    if down {
        let (w_rec, visible_fields) = (transposed(w, visible), fields.clone());
        return Parameters { w_rec, hb: vec![0.0; hidden], vb: b.clone(), visible_fields, ..Parameters::default() };
    }
    Parameters { w_rec: w.clone(), hb: b.clone(), vb: vec![0.0; visible], ..Parameters::default() }
}

/// A matrix of rows of so many columns, the other way round.
fn transposed(w: &[f32], columns: usize) -> Vec<f32> {
    let rows = w.len() / columns.max(1);
    (0..columns).flat_map(|column| (0..rows).map(move |row| w[row * columns + column])).collect()
}
