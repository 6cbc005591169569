//! Memory: how the input of an upper layer is held, and what a stack takes to train.
//!
//! The input is either kept for all samples or computed again for every minibatch, whichever
//! [`plan`] finds room for. The form has a share in the result:
//!
//! | mode | what the layer sees |
//! |---|---|
//! | [`Mode::Floats`] | probabilities as computed from one pass over the data, or states drawn from them again |
//! | [`Mode::Bytes`] | the same, probabilities rounded to multiples of 1/255: at most 0.002 off, and without bias |
//! | [`Mode::Bits`] | states drawn once, in one pass over the data; where a layer is to see states |
//! | [`Mode::Recompute`] | probabilities or states computed from the data's own minibatches, every time |
//!
//! What is drawn below the layer just under (the data's binary pixels, the states of the layers
//! between) the kept forms freeze in one draw, that of epoch 0, and recomputing does not. Order: kept
//! input is reshuffled every epoch from the layer's own seed; recomputed input comes in the order of
//! the data.

use crate::climb::Climb;
use crate::config::{Propagate, StackConfig};
use deepbelief_rbm::{UnitKind, Units, peak_memory};

/// How the input of a layer is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Kept, four bytes a probability.
    Floats,
    /// Kept, one byte a probability.
    Bytes,
    /// Kept, one bit a state.
    Bits,
    /// Not kept: each minibatch is passed up from the data.
    Recompute,
}

/// How the input of a layer will be held, and what that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The form.
    pub mode: Mode,
    /// Memory for it, in bytes: values, labels and order of all samples; 0 if recomputed.
    pub bytes: u64,
}

/// The most exact way to keep what `samples` of `units` units pass up in `cache_bytes` bytes, or
/// to recompute it where none fits. States are kept as bits only where the probabilities they are
/// drawn from have no room: a layer learns more from new draws than from old ones.
#[must_use]
pub fn plan(samples: usize, units: usize, propagate: Propagate, cache_bytes: u64) -> Plan {
    let units = units as u64;
    let modes = [(Mode::Floats, units.saturating_mul(4)), (Mode::Bytes, units), (Mode::Bits, 4 * units.div_ceil(32))];
    let fitting = if propagate == Propagate::Samples { &modes[..] } else { &modes[..2] };
    // A label and a place in the order each.
    let bytes = |of_values: u64| of_values.saturating_add(8).saturating_mul(samples as u64);
    let mut plans = fitting.iter().map(|&(mode, of_values)| Plan { mode, bytes: bytes(of_values) });
    plans.find(|plan| plan.bytes <= cache_bytes).unwrap_or(Plan { mode: Mode::Recompute, bytes: 0 })
}

/// What one layer of a stack takes while it trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// How its input is held; none at the bottom, which reads the data.
    pub plan: Option<Plan>,
    /// Bytes in all on top of the data: its training, its cached input, the finished layers.
    pub bytes: u64,
}

impl StackConfig {
    /// What each layer of valid settings takes, bottom first, on `samples` samples of `visible` units in batches of
    /// `batch_size`, of which none holds more than all samples.
    #[must_use]
    pub fn memory(&self, samples: usize, visible: usize, batch_size: usize) -> Vec<Footprint> {
        let (mut finished, mut footprints) = (0_u64, Vec::with_capacity(self.layers.len()));
        let mut units = vec![visible];
        for (index, layer) in self.layers.iter().enumerate() {
            let below = units[index];
            let plan = (index > 0).then(|| plan(samples, below, self.propagate, self.cache_bytes));
            let input = plan.map_or(0, |plan| plan.bytes);
            let batch = layer.batch_size.filter(|_| input > 0).unwrap_or(batch_size).min(samples);
            let bottom = self.visible_units.clone().filter(|_| index == 0);
            let layers = layer.units(bottom.unwrap_or_else(|| Units::of(UnitKind::Bernoulli, below)));
            let training = peak_memory(&layers, batch, &layer.train);
            // Passes up are made before the training where their results are kept, else in it.
            let passes = Climb::bytes(&units, batch_size.min(samples));
            let training = if input > 0 { training.max(passes) } else { training.saturating_add(passes) };
            footprints.push(Footprint { plan, bytes: finished.saturating_add(input).saturating_add(training) });
            // Both directions of the weights stay.
            finished = finished.saturating_add(2 * 4 * below as u64 * layer.hidden as u64);
            units.push(layer.hidden);
        }
        footprints
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LayerConfig;
    use deepbelief_rbm::Layers;

    /// The sum written out by hand for three layers, of which the second is cached.
    #[test]
    fn footprints_add_up() {
        let layer = |hidden| LayerConfig { hidden, ..Default::default() };
        let code = LayerConfig { hidden_units: UnitKind::Gaussian.into(), ..layer(200) };
        let (layers, train) = (vec![layer(50), layer(60), code], LayerConfig::default().train);
        let config = StackConfig { layers, cache_bytes: 1000 * (4 * 50 + 8), ..Default::default() };
        let [bottom, middle, top] = config.memory(1000, 70, 20)[..] else { panic!("three layers") };
        assert_eq!(bottom, Footprint { plan: None, bytes: peak_memory(&Layers::bernoulli(70, 50), 20, &train) });
        let (first, second) = (2 * 4 * 70 * 50, 2 * 4 * 50 * 60);
        let floats = Plan { mode: Mode::Floats, bytes: 208_000 };
        let bytes = first + 208_000 + peak_memory(&Layers::bernoulli(50, 60), 20, &train);
        assert_eq!(middle, Footprint { plan: Some(floats), bytes });
        let rounded = Plan { mode: Mode::Bytes, bytes: 68_000 };
        let hidden = Units::of(UnitKind::Gaussian, 200);
        let gaussian = Layers { hidden, ..Layers::bernoulli(60, 200) };
        let bytes = first + second + 68_000 + peak_memory(&gaussian, 20, &train);
        assert_eq!(top, Footprint { plan: Some(rounded), bytes });
    }
}
