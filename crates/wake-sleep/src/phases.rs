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
use crate::error::Result;
use crate::net::{Net, ascend, descend};
use crate::training::check_sane;
use deepbelief_kernels::{Batch, Bits, Stream, Uniforms};
use deepbelief_training::{Labelled, Position};

/// What updates on the CPU keep from one to the next.
#[derive(Default)]
pub(crate) struct Phases {
    /// Hidden states of the top's persistent chains, once there are any.
    pub(crate) chains: Option<Bits>,
    /// Wake states of the layers above the data: room for them.
    awake: Vec<Batch>,
    /// Sleep states of all layers, from the visible to the penultimate units: likewise.
    asleep: Vec<Batch>,
}

impl Phases {
    /// One update, step by step as at the top of this file.
    pub(crate) fn update(
        &mut self,
        net: &mut Net,
        data: &Labelled,
        config: &TuneConfig,
        rules: &Rules,
        at: &Position,
    ) -> Result<()> {
        let Self { chains, awake, asleep } = self;
        let (units, learns) = (config.units, |part| !config.is_frozen(part));
        let place = (at.epoch, at.batch + 1);
        let draws = PhaseDraws::of_update(config.seed, at.step, net.layers());
        let chains = (config.persistent_chains > 0).then(|| {
            let coins = Uniforms::new(config.seed, Stream::Chains, 0);
            chains.get_or_insert_with(|| Bits::coins(config.persistent_chains, net.top.hidden(), coins))
        });

        ascend(&mut net.recognition, units.wake, &data.v, draws.wake, awake);
        let awake: Vec<&Batch> = std::iter::once(&data.v).chain(&*awake).collect();
        let penultimate = awake[net.layers()];
        net.top.dream(penultimate, &data.y, rules.top_steps, units, &draws, chains);
        descend(&mut net.generative, (units.sleep, units.visible), net.top.fantasy(), draws.sleep, asleep);

        if learns(Part::Generative) {
            for (layer, (set, rule)) in net.generative.iter_mut().zip(&rules.generative).enumerate() {
                let largest = set.learn(awake[layer + 1], awake[layer], rule);
                check_sane(place, Part::Generative, layer, largest, rule)?;
            }
        }
        if learns(Part::Top) {
            let largest = net.top.learn(penultimate, units.top_statistics, &rules.top);
            check_sane(place, Part::Top, net.recognition.len(), largest, &rules.top)?;
        }
        if learns(Part::Recognition) {
            for (layer, (set, rule)) in net.recognition.iter_mut().zip(&rules.recognition).enumerate() {
                let largest = set.learn(&asleep[layer], &asleep[layer + 1], rule);
                check_sane(place, Part::Recognition, layer, largest, rule)?;
            }
        }
        Ok(())
    }
}
