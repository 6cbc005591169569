//! One update of wake-sleep from one minibatch: that of the up-down algorithm (Hinton, Osindero & Teh 2006,
//! appendix B):
//!
//! ```text
//! wake   1. up-pass by the recognition weights, every layer sampled; top units given the
//!           penultimate ones and the label
//!        2. positive statistics of the top
//!        3. k Gibbs steps of the top: penultimate units sampled, label probabilities, top sampled
//!        4. negative statistics of the top
//! sleep  5. down-pass by the generative weights from the last penultimate units, hidden layers
//!           sampled, visible probabilities
//!        6. each layer predicted from the one above on wake states, from the one below on sleep
//!           states
//! learn  7. generative weights    += rate * upper wake stateᵀ (lower wake state - prediction)
//!        8. weights of the top    += rate * (positive - negative statistics)
//!        9. recognition weights   += rate * lower sleep stateᵀ (upper sleep state - prediction)
//! ```
//!
//! all as means over the batch. Generative weights learn from wake states only and recognition
//! weights from sleep states only: this is where the two part. Under a factorial top the Gibbs
//! steps give way to one draw from the prior, and the same phases are the wake-sleep algorithm of
//! Hinton, Dayan, Frey & Neal (1995).

use crate::config::{Part, Rules, TuneConfig};
use crate::draws::PhaseDraws;
use crate::error::{Error, Result};
use crate::net::Net;
use deepbelief_kernels::{Bits, Direction, Engine, PackedRbm, Shown, StepRule, Stream, Uniforms};
use deepbelief_training::{Labelled, Position};

/// Parameters beyond this magnitude are divergence: trained ones stay near ten, and a unit with
/// such an input is a constant.
const EXPLODED: f32 = 100.0;

/// A net in training on an engine, and what its updates keep from one to the next.
pub(crate) struct Phases<E: Engine> {
    pub(crate) net: Net<E>,
    /// Hidden states of the top's persistent chains, once there are any.
    chains: Option<E::States>,
    /// Room for the data, for the wake states of the layers above them, and for the sleep states of all layers,
    /// from the visible to the penultimate units.
    shown: Option<E::States>,
    awake: Vec<E::States>,
    asleep: Vec<E::States>,
}

/// Updates of a net that is elsewhere.
pub(crate) trait Updates: Send + Sync {
    /// One update, and now and then a look at the parameters.
    fn update(&mut self, data: &Labelled, config: &TuneConfig, rules: &Rules, at: &Position) -> Result<()>;

    /// Refuses parameters, after a batch counted from 1, out of the range of sane numbers.
    fn check_sane(&mut self, rules: &Rules, epoch: u32, batch: usize) -> Result<()>;

    /// Copies everything that learned to the CPU.
    fn download(&self) -> Result<Phases<PackedRbm>>;
}

impl<E: Engine> Phases<E> {
    pub(crate) fn new(mut net: Net<E>, chains: Option<&Bits>) -> Result<Self> {
        let chains = match chains {
            Some(chains) => net.top.chains(chains)?,
            None => None,
        };
        Ok(Self { net, chains, shown: None, awake: Vec::new(), asleep: Vec::new() })
    }

    /// The same at another place.
    pub(crate) fn copied<F: Engine>(&self, place: &F::Place) -> Result<Phases<F>> {
        Phases::new(self.net.copied(place)?, self.chains()?.as_ref())
    }

    /// Hidden states of the top's persistent chains, once there are any.
    pub(crate) fn chains(&self) -> Result<Option<Bits>> {
        match &self.chains {
            Some(chains) => self.net.top.pack_chains(chains),
            None => Ok(None),
        }
    }

    /// The update, step by step as at the top of this file.
    fn learn(&mut self, data: &Labelled, config: &TuneConfig, rules: &Rules, step: u32) -> Result<()> {
        let Self { net, chains, shown, awake, asleep } = self;
        let (units, learns, layers) = (config.units, |part| !config.is_frozen(part), net.layers());
        let draws = PhaseDraws::of_update(config.seed, step, layers);
        if config.persistent_chains > 0 && chains.is_none() {
            let coins = Uniforms::new(config.seed, Stream::Chains, 0);
            *chains = net.top.chains(&Bits::coins(config.persistent_chains, net.top.hidden(), coins))?;
        }

        let mut visible = None;
        if let Some(first) = net.recognition.first_mut() {
            let room = match shown {
                Some(room) => room,
                none => none.insert(first.input_room()?),
            };
            let shown = first.load(&data.v, room)?;
            net.ascend(units.wake, shown, draws.wake, awake)?;
            visible = Some(shown);
        }
        let penultimate = awake.last().map_or(Shown::Batch(&data.v), Shown::States);
        let samples = data.v.rows();
        net.top.dream(penultimate, (samples, &data.y), rules.top_steps, units, &draws, chains.as_mut())?;
        net.descend((units.sleep, units.visible), draws.sleep, asleep)?;

        if learns(Part::Generative) {
            let targets = visible.into_iter().chain(&*awake);
            let sets = net.generative.iter_mut().zip(&rules.generative);
            for (((set, rule), target), input) in sets.zip(targets).zip(&*awake) {
                set.learn(input, target, rule)?;
            }
        }
        if learns(Part::Top) {
            net.top.learn(penultimate, samples, units.top_statistics, &rules.top)?;
        }
        if learns(Part::Recognition) {
            for (layer, (set, rule)) in net.recognition.iter_mut().zip(&rules.recognition).enumerate() {
                set.learn(&asleep[layer], &asleep[layer + 1], rule)?;
            }
        }
        Ok(())
    }
}

impl<E: Engine> Updates for Phases<E> {
    fn update(&mut self, data: &Labelled, config: &TuneConfig, rules: &Rules, at: &Position) -> Result<()> {
        self.learn(data, config, rules, at.step)?;
        if at.step.wrapping_add(1).is_multiple_of(E::PATIENCE) {
            self.check_sane(rules, at.epoch, at.batch + 1)?;
        }
        Ok(())
    }

    fn check_sane(&mut self, rules: &Rules, epoch: u32, batch: usize) -> Result<()> {
        let Net { recognition, generative, top } = &mut self.net;
        let layers = recognition.len();
        for (layer, (set, rule)) in generative.iter_mut().zip(&rules.generative).enumerate() {
            check((epoch, batch), Part::Generative, layer, set.largest()?, rule)?;
        }
        check((epoch, batch), Part::Top, layers, top.largest()?, &rules.top)?;
        for (layer, (set, rule)) in recognition.iter_mut().zip(&rules.recognition).enumerate() {
            check((epoch, batch), Part::Recognition, layer, set.largest()?, rule)?;
        }
        Ok(())
    }

    fn download(&self) -> Result<Phases<PackedRbm>> {
        self.copied(&deepbelief_kernels::Cpu)
    }
}

/// Refuses a largest parameter, after a batch counted from 1, out of the range of sane numbers.
fn check((epoch, batch): (u32, usize), part: Part, layer: usize, largest: f32, rule: &StepRule) -> Result<()> {
    // Written so that NaN fails it.
    if largest <= EXPLODED {
        return Ok(());
    }
    let layer = layer + 1;
    let (what, rate) = match part {
        Part::Generative => (format!("generative weights of layer {layer}"), "wake_rate"),
        Part::Recognition => (format!("recognition weights of layer {layer}"), "sleep_rate"),
        Part::Top => (format!("top, layer {layer}"), "top_rate"),
    };
    let (epoch, value) = (epoch + 1, rule.learning_rate);
    Err(Error::Diverged { what, epoch, batch, magnitude: largest, rate, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TopModel, sigmoid_belief_net};
    use candle_core::Device;
    use deepbelief_kernels::{Batch, Cpu};
    use deepbelief_rbm::{LabelGroup, Rbm, RbmConfig};
    use deepbelief_stack::Dbn;

    fn bits(phases: &Phases<PackedRbm>) -> Result<Vec<u32>> {
        let (model, velocities) = (phases.net.dbn()?, phases.net.velocities()?);
        let mut bits = Vec::new();
        for (_, tensor) in model.named_tensors("").into_iter().chain(velocities.named_tensors("")) {
            bits.extend(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f32::to_bits));
        }
        Ok(bits)
    }

    /// Moved between any two updates, a net goes on as if it had stayed: with labels and persistent chains, as a
    /// sigmoid belief net, and without directed layers.
    #[test]
    fn a_net_that_moves_goes_on_as_if_it_had_stayed() -> Result<()> {
        let rbm = |visible: usize, hidden| {
            Rbm::new(&RbmConfig { hidden, ..Default::default() }, &vec![0.4; visible], &Device::Cpu)
        };
        let top = rbm(7, 9)?;
        let labels = LabelGroup::zeros(2, &top)?;
        let labelled = Dbn::from_rbms(vec![rbm(20, 7)?, top.with_labels(labels)?])?;
        let belief = sigmoid_belief_net(&[7, 5], &[0.4; 20], 0.1, 1)?;
        for (dbn, top, chains) in [
            (labelled, TopModel::Undirected, 6),
            (belief, TopModel::Factorial, 0),
            (Dbn::from_rbms(vec![rbm(20, 9)?])?, TopModel::Undirected, 0),
        ] {
            let config = TuneConfig { top, persistent_chains: chains, momentum: 0.5, ..Default::default() };
            let rules = config.rules(0, dbn.layers().len(), 0);
            let mut stays = Phases::new(Net::new(&dbn, top)?, None)?;
            let mut moves: Box<dyn Updates> = Box::new(stays.copied::<PackedRbm>(&Cpu)?);
            for step in 0..4 {
                let v = Bits::coins(10, 20, Uniforms::new(3, Stream::User, step));
                let data = Labelled {
                    v: Batch::Binary(v),
                    y: (0..10).map(|sample| sample % 2).collect(),
                    ..Labelled::default()
                };
                let at = Position { step, ..Position::default() };
                stays.update(&data, &config, &rules, &at)?;
                moves.update(&data, &config, &rules, &at)?;
                let back = moves.download()?;
                assert!(bits(&back)? == bits(&stays)?, "{top:?}, step {step}");
                assert_eq!(back.chains()?, stays.chains()?, "{top:?}, step {step}");
                moves = Box::new(back);
            }
        }
        Ok(())
    }
}
