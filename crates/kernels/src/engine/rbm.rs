//! The verbs of an RBM in training.

use super::direction::Direction;
use super::tempering::Tempering;
use crate::learning::contrast::Sparsity;
use crate::learning::parameters::Parameters;
use crate::learning::update::StepRule;
use crate::measures::measure::Measures;
use crate::states::batch::Batch;
use crate::states::bits::Bits;
use crate::typed::descent::{AdamMemory, Descent};
use crate::units::layers::Layers;
use crate::{Offsets, Uniforms};
use candle_core::Result;

/// The visible units of a minibatch, in one of two places.
#[derive(Debug)]
pub enum Shown<'a, S> {
    /// As a data set deals them.
    Batch(&'a Batch),
    /// With the engine, as a layer below left them.
    States(&'a S),
}

impl<S> Clone for Shown<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Shown<'_, S> {}

impl<'a> Shown<'a, Batch> {
    /// A batch is where the CPU computes, wherever it comes from.
    pub(crate) fn batch(self) -> &'a Batch {
        match self {
            Self::Batch(batch) | Self::States(batch) => batch,
        }
    }
}

/// What an engine says that takes batches as they are.
const WHOLE: &str = "this engine does not cut batches";

/// An RBM in training, and everything one update needs: its parameters and velocities, the units of both
/// phases, the chains of the negative one.
///
/// Every method fails if the device does or is out of memory; on the CPU none fails. A method panics if
/// numbers of units, samples or labels do not fit.
pub trait Engine: Sized + Send + Sync {
    /// Where models are: a device and how it computes.
    type Place: Clone + Send + Sync;
    /// Units of one layer, a sample a row.
    type States: Send + Sync;
    /// The gradient of a minibatch, times its samples.
    type Statistics: Default + Send + Sync;
    /// The weights of one direction between two layers.
    type Directed: Direction<Place = Self::Place, States = Self::States>;
    /// Chains at inverse temperatures of their own.
    type Tempered: Tempering;

    /// Updates after which to ask for [`Self::largest`]: asking waits for all that is queued.
    const PATIENCE: u32;

    /// Puts `parameters` of an RBM with these units there, at rest and without chains.
    ///
    /// # Errors
    /// If the device is out of memory.
    ///
    /// # Panics
    /// If the engine does not have such units.
    fn at(place: &Self::Place, layers: &Layers, parameters: &Parameters) -> Result<Self>;

    /// Where it is.
    fn place(&self) -> Self::Place;

    /// Another RBM of the same sizes at the same place, at rest and without chains.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn beside(&self, parameters: &Parameters) -> Result<Self> {
        Self::at(&self.place(), &self.layers(), parameters)
    }

    /// Chains for an RBM of the same sizes at the same place, on the path from independent visible units with
    /// biases `base` and fair hidden ones.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn tempered(&self, parameters: &Parameters, base: &[f32]) -> Result<Self::Tempered>;

    /// Gives chains the parameters as they are; their states stay.
    ///
    /// # Errors
    /// If the device failed.
    fn lead(&self, chains: &mut Self::Tempered) -> Result<()>;

    /// Its units.
    fn layers(&self) -> Layers;

    /// Number of visible columns.
    fn visible(&self) -> usize {
        self.layers().visible.columns()
    }

    /// Number of hidden columns.
    fn hidden(&self) -> usize {
        self.layers().hidden.columns()
    }

    /// Classes of a label group beside the visible units; 0 without one.
    fn classes(&self) -> usize {
        0
    }

    /// The parameters, row-major.
    ///
    /// # Errors
    /// If the device failed.
    fn parameters(&self) -> Result<Parameters>;

    /// The velocities that momentum keeps, in the shapes of the parameters.
    ///
    /// # Errors
    /// If the device failed.
    fn velocities(&self) -> Result<Parameters>;

    /// Goes on with the velocities of an earlier run.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_velocities(&mut self, velocities: &Parameters) -> Result<()>;

    /// Chooses what steps are taken by, before the first of them.
    ///
    /// # Errors
    /// If the engine has momentum alone, and something else is chosen.
    fn set_descent(&mut self, descent: &Descent) -> Result<()> {
        if *descent == Descent::default() { Ok(()) } else { candle_core::bail!("this engine has momentum alone") }
    }

    /// What Adam remembers beside its means of gradients, which are where momentum keeps velocities; none without it.
    ///
    /// # Errors
    /// If the device failed.
    fn adam_memory(&self) -> Result<Option<AdamMemory>> {
        Ok(None)
    }

    /// Goes on with what Adam remembered in an earlier run, after [`Self::set_descent`].
    ///
    /// # Errors
    /// If the engine has momentum alone.
    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<()> {
        let _ = memory;
        candle_core::bail!("this engine has momentum alone")
    }

    /// The means that states are taken relative to, once [`Self::follow_means`] or
    /// [`Self::set_offsets`] was called.
    ///
    /// # Errors
    /// If the device failed.
    fn offsets(&self) -> Result<Option<Offsets>>;

    /// Goes on with the offsets of an earlier run.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_offsets(&mut self, offsets: &Offsets) -> Result<()>;

    /// The positive phase: p(h|v0, y), and with `draw` also h ~ p(h|v0, y), where the chains then start.
    /// `labels` holds y of each sample; a model without a label group ignores it.
    ///
    /// # Errors
    /// If the device failed.
    fn infer_hidden(&mut self, v0: Shown<'_, Self::States>, labels: &[u32], draw: Option<Uniforms>) -> Result<()>;

    /// Lets the samples of the last positive phase weigh `weights` in the statistics that follow it, until the next
    /// one. Chains weigh what their sample does where `paired`, and else together as much as the samples.
    ///
    /// # Errors
    /// If the engine has no weights.
    ///
    /// # Panics
    /// If there is not one weight a sample.
    fn weigh(&mut self, weights: &[f32], paired: bool) -> Result<()>;

    /// Lets each chain weigh as much as `weight` samples in the statistics that follow the last positive phase, until
    /// the next one: where samples and chains are a part of more of them. Without it all chains weigh as much as all
    /// samples.
    ///
    /// # Errors
    /// If the engine does not cut batches.
    fn weigh_chains(&mut self, weight: f32) -> Result<()> {
        let _ = weight;
        candle_core::bail!("{WHOLE}")
    }

    /// Half a Gibbs step down: v ~ p(v|h), and the labels' p(y|h).
    ///
    /// # Errors
    /// If the device failed.
    fn sample_visible(&mut self, draw: Uniforms) -> Result<()>;

    /// As [`Self::sample_visible`], with the means E\[v|h\] instead of states.
    ///
    /// # Errors
    /// If the device failed.
    fn mean_visible(&mut self) -> Result<()>;

    /// Draws the labels of the last step down: states instead of p(y|h).
    ///
    /// # Errors
    /// If the device failed.
    fn sample_labels(&mut self, draw: Uniforms) -> Result<()>;

    /// Half a Gibbs step up: h ~ p(h|v, y) for the visible units and labels of the last step down.
    ///
    /// # Errors
    /// If the device failed.
    fn sample_hidden(&mut self, draw: Uniforms) -> Result<()>;

    /// The negative phase's last p(h|v), and a step of all parameters along
    /// `v0ᵀ p(h|v0) / n - vᵀ p(h|v) / m`, and likewise biases and labels, for n samples in the data and m chains.
    ///
    /// # Errors
    /// If the device failed.
    fn update(&mut self, v0: Shown<'_, Self::States>, rule: &StepRule, sparsity: Sparsity) -> Result<()>;

    /// The same with hidden states instead of probabilities: `h0`, drawn for the data by
    /// [`Self::infer_hidden`], and those of the chains, drawn by [`Self::sample_hidden`] after the last step down.
    ///
    /// # Errors
    /// If the device failed.
    fn update_from_states(&mut self, v0: Shown<'_, Self::States>, h0: &Self::States, rule: &StepRule) -> Result<()>;

    /// Moves the offsets by `share` of the way towards the means of the data, their labels and p(h|v0): after
    /// [`Self::infer_hidden`] and before the statistics. From now on [`Self::step`] is centred.
    ///
    /// # Errors
    /// If the device failed.
    fn follow_means(&mut self, v0: Shown<'_, Self::States>, share: f32) -> Result<()>;

    /// Sums over the samples of the data, their labels and p(h|v0) of the last positive phase: what
    /// [`Self::follow_sums`] takes.
    ///
    /// # Errors
    /// If the device failed, or the engine does not cut batches.
    fn sums_of_means(&self, v0: Shown<'_, Self::States>) -> Result<Offsets> {
        let _ = v0;
        candle_core::bail!("{WHOLE}")
    }

    /// [`Self::follow_means`] by sums over so many samples, which were added up over the parts of a batch.
    ///
    /// # Errors
    /// If the engine does not cut batches.
    fn follow_sums(&mut self, sums: &Offsets, samples: f32, share: f32) -> Result<()> {
        let _ = (sums, samples, share);
        candle_core::bail!("{WHOLE}")
    }

    /// What [`Self::update`] steps along, without the step.
    ///
    /// # Errors
    /// If the device failed.
    fn statistics(
        &mut self,
        v0: Shown<'_, Self::States>,
        sparsity: Sparsity,
        statistics: &mut Self::Statistics,
    ) -> Result<()>;

    /// Steps all parameters along statistics, centred at the offsets where there are any.
    ///
    /// # Errors
    /// If the device failed.
    fn step(&mut self, statistics: &Self::Statistics, rule: &StepRule) -> Result<()>;

    /// Brings hidden states that were kept before the last [`Self::step`], [`Self::update`] or [`Self::run_ahead`] to
    /// the unit of measure that the hidden units have after it: once for each of these, and before anything else is
    /// done with the states. States that are bits have none and stay as they are.
    ///
    /// # Errors
    /// If the device failed.
    fn rescale_hidden(&self, h: &mut Self::States) -> Result<()> {
        let _ = h;
        Ok(())
    }

    /// Becomes the RBM of fast weights ahead of `slow` (Tieleman & Hinton 2009). The fast weights F are kept
    /// where velocities are; they decay and take a step of their own:
    ///
    /// ```text
    /// F <- decay F + rate statistics / samples,     parameters <- those of slow + F
    /// ```
    ///
    /// # Errors
    /// If the device failed.
    fn run_ahead(&mut self, slow: &Self, statistics: &Self::Statistics, rate: f32, decay: f32) -> Result<()>;

    /// Moves the parameters by `share` of the way towards those of `other`.
    ///
    /// # Errors
    /// If the device failed.
    fn approach(&mut self, other: &Self, share: f32) -> Result<()>;

    /// The largest |weight| or |bias| that an update or a step left since this was last asked; NaN if one
    /// was NaN.
    ///
    /// # Errors
    /// If the device failed.
    fn largest(&mut self) -> Result<f32>;

    /// Room for visible units.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn visible_room(&self) -> Result<Self::States>;

    /// Room for hidden units.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn hidden_room(&self) -> Result<Self::States>;

    /// The visible units of the chains, without labels.
    ///
    /// # Errors
    /// If the device failed.
    fn visible_states(&self) -> Result<Batch>;

    /// Turns visible units of the chains off.
    ///
    /// # Errors
    /// If the device failed.
    fn turn_off(&mut self, cells: &Bits) -> Result<()>;

    /// Copies the visible units of the chains, without labels, to `room`.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn keep_visible(&self, room: &mut Self::States) -> Result<()>;

    /// Copies the hidden states of the chains to `room`.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn keep_hidden(&self, room: &mut Self::States) -> Result<()>;

    /// Goes on from the hidden states of other chains.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_hidden(&mut self, h: &Self::States) -> Result<()>;

    /// Hidden states for chains that know nothing yet, drawn from `draw`: fair coins where all of them are bits, and
    /// else what each unit is where no input arrives.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn fresh_hidden(&mut self, chains: usize, draw: Uniforms) -> Result<Self::States>;

    /// Hidden states as files hold them.
    ///
    /// # Errors
    /// If the device failed.
    fn pack_hidden(&self, h: &Self::States) -> Result<Batch>;

    /// Hidden states from a file.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn unpack_hidden(&mut self, h: &Batch) -> Result<Self::States>;

    /// Takes over chains by their visible states and, where there is a label group, their labels.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn set_chains(&mut self, v: &Batch, labels: &[u32]) -> Result<()>;

    /// Takes over the chains of an RBM of the same sizes: hidden states, visible units and labels.
    ///
    /// # Errors
    /// If the device is out of memory.
    fn take_chains(&mut self, of: &Self) -> Result<()>;

    /// Measures the RBM on a batch and, if it has a label group, the labels that belong to it. Means weigh the
    /// samples by `weights`, alike where there are none. Draws hidden states from `draw`, and leaves everything that
    /// training continues with as it is.
    ///
    /// # Errors
    /// If the device failed.
    fn measure(&mut self, batch: &Batch, labels: &[u32], weights: &[f32], draw: Uniforms) -> Result<Measures>;

    /// Remembers the weights, for [`Self::norm_and_change`].
    ///
    /// # Errors
    /// If the device is out of memory.
    fn remember(&mut self) -> Result<()>;

    /// The Euclidean norms of the weights, and of their change since [`Self::remember`] was called: 0 if it
    /// never was.
    ///
    /// # Errors
    /// If the device failed.
    fn norm_and_change(&self) -> Result<(f64, f64)>;
}

/// The Euclidean norms of weights, and of their change since they were those of `before`: 0 without those.
#[must_use]
pub fn norm_and_change(weights: &[f32], before: &[f32]) -> (f64, f64) {
    let norm = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
    let whole = norm(&mut weights.iter().map(|&w| f64::from(w)));
    let change = norm(&mut weights.iter().zip(before).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    (whole, change)
}
