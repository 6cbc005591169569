//! The updates of wake-sleep on a GPU: those of [`crate::phases`] there, on the same uniforms. What a
//! tuning is watched by is measured on the CPU, on a copy of the net once an epoch.

use crate::config::{Part, Rules, TuneConfig, Units};
use crate::draws::PhaseDraws;
use crate::error::{Error, Result};
use crate::net::Net;
use candle_core::Device;
use deepbelief_kernels::cuda::{Gpu, GpuDirected, GpuRbm, Rows};
use deepbelief_kernels::{Bits, Directed, Precision, Sparsity, Stream, Uniforms};
use deepbelief_training::Labelled;

/// The model in training, and what one update needs.
pub(crate) struct DeviceNet {
    recognition: Vec<GpuDirected>,
    generative: Vec<GpuDirected>,
    top: GpuRbm,
    /// Wake states, from the data to the penultimate units.
    awake: Vec<Rows>,
    /// Sleep states, from the visible to the penultimate units.
    asleep: Vec<Rows>,
    /// Top units of the wake phase.
    h0: Rows,
    /// Persistent chains.
    chains: Option<Rows>,
}

impl DeviceNet {
    /// A copy of `net` on a GPU, with its persistent chains.
    pub(crate) fn new(device: &Device, precision: Precision, net: &Net, chains: Option<&Bits>) -> Result<Self> {
        let Some(machine) = net.top.machine() else {
            return Err(Error::config("top", "factorial", "undirected where the tuning runs on a GPU"));
        };
        let gpu = Gpu::new(device)?;
        let set = |set: &Directed| -> Result<GpuDirected> {
            let mut copy = GpuDirected::new(&gpu, precision, set.inputs(), set.outputs(), &set.weights())?;
            copy.set_velocities(&set.velocities())?;
            Ok(copy)
        };
        let sets = |sets: &[Directed]| sets.iter().map(set).collect::<Result<Vec<_>>>();
        let (recognition, generative) = (sets(&net.recognition)?, sets(&net.generative)?);
        let mut top = GpuRbm::new(&gpu, precision, machine.visible(), machine.hidden(), &machine.parameters())?;
        top.set_velocities(&machine.velocities())?;
        let rows = || -> Result<Vec<Rows>> {
            let mut rows = recognition.iter().map(GpuDirected::input_rows).collect::<candle_core::Result<Vec<_>>>()?;
            rows.push(top.visible_rows()?);
            Ok(rows)
        };
        let (awake, asleep, h0) = (rows()?, rows()?, top.hidden_rows()?);
        let chains = match chains {
            None => None,
            Some(chains) => {
                top.set_hidden_states(chains)?;
                let mut kept = top.hidden_rows()?;
                top.keep_chains(&mut kept)?;
                Some(kept)
            }
        };
        Ok(Self { recognition, generative, top, awake, asleep, h0, chains })
    }

    /// Persistent chains by fair coins, unless there are some.
    fn require_chains(&mut self, config: &TuneConfig) -> Result<()> {
        if config.persistent_chains > 0 && self.chains.is_none() {
            let coins = Uniforms::new(config.seed, Stream::Chains, 0);
            self.top.set_hidden_states(&Bits::coins(config.persistent_chains, self.top.hidden(), coins))?;
            let mut kept = self.top.hidden_rows()?;
            self.top.keep_chains(&mut kept)?;
            self.chains = Some(kept);
        }
        Ok(())
    }

    /// One update from one minibatch.
    pub(crate) fn update(&mut self, data: &Labelled, config: &TuneConfig, rules: &Rules, step: u32) -> Result<()> {
        self.require_chains(config)?;
        let Self { recognition, generative, top, awake, asleep, h0, chains } = self;
        let (units, learns, layers) = (config.units, |part| !config.is_frozen(part), recognition.len());
        let draws = PhaseDraws::of_update(config.seed, step, layers);

        // Wake.
        if layers == 0 {
            top.set_data(&data.v, &data.y)?;
        } else {
            recognition[0].load(&data.v, &mut awake[0])?;
            for (layer, set) in recognition.iter_mut().enumerate() {
                let (done, next) = awake.split_at_mut(layer + 1);
                pass(set, units.wake, &done[layer], draws.wake.layer(layer as u8 + 1), &mut next[0])?;
            }
            top.set_data_rows(&awake[layers], &data.y)?;
        }
        top.infer_hidden(Some(draws.hidden.gibbs(0)))?;
        top.keep_chains(h0)?;
        if let Some(chains) = chains {
            top.swap_chains(chains);
        }
        for k in 0..rules.top_steps as u16 {
            if k > 0 {
                top.sample_hidden(draws.hidden.gibbs(k))?;
            }
            match units.penultimate {
                Units::Sampled => top.sample_visible(draws.visible.gibbs(k))?,
                Units::Probabilities => top.mean_visible()?,
            }
            if units.label == Units::Sampled {
                top.sample_labels(draws.label.gibbs(k))?;
            }
        }
        if units.top_statistics == Units::Sampled || chains.is_some() {
            top.sample_hidden(draws.hidden.gibbs(rules.top_steps as u16))?;
        }

        // Sleep.
        top.keep_fantasy(&mut asleep[layers])?;
        for (layer, set) in generative.iter_mut().enumerate().rev() {
            let (below, above) = asleep.split_at_mut(layer + 1);
            let kind = if layer == 0 { units.visible } else { units.sleep };
            pass(set, kind, &above[0], draws.sleep.layer(layer as u8), &mut below[layer])?;
        }

        // Learn.
        if learns(Part::Generative) {
            for (layer, (set, rule)) in generative.iter_mut().zip(&rules.generative).enumerate() {
                set.learn(&awake[layer + 1], &awake[layer], rule)?;
            }
        }
        if learns(Part::Top) {
            match units.top_statistics {
                Units::Sampled => top.update_from_states(h0, &rules.top)?,
                Units::Probabilities => top.update(&rules.top, Sparsity { target: 0.0, cost: 0.0 })?,
            }
        }
        if let Some(chains) = chains {
            top.swap_chains(chains);
        }
        if learns(Part::Recognition) {
            for (layer, (set, rule)) in recognition.iter_mut().zip(&rules.recognition).enumerate() {
                set.learn(&asleep[layer], &asleep[layer + 1], rule)?;
            }
        }
        Ok(())
    }

    /// The largest parameter of each set of weights since this was last asked.
    pub(crate) fn largest(&mut self) -> Result<Vec<(Part, usize, f32)>> {
        let mut largest = Vec::new();
        let sets = [(Part::Generative, &mut self.generative), (Part::Recognition, &mut self.recognition)];
        for (part, sets) in sets {
            for (layer, set) in sets.iter_mut().enumerate() {
                largest.push((part, layer, set.largest()?));
            }
        }
        largest.push((Part::Top, self.recognition.len(), self.top.largest()?));
        Ok(largest)
    }

    /// Copies everything that learned to `net`, and returns the persistent chains.
    pub(crate) fn download(&self, net: &mut Net) -> Result<Option<Bits>> {
        let copy = |from: &[GpuDirected], to: &mut [Directed]| -> Result<()> {
            for (from, to) in from.iter().zip(to) {
                *to = Directed::new(from.inputs(), from.outputs(), &from.weights()?);
                to.set_velocities(&from.velocities()?);
            }
            Ok(())
        };
        copy(&self.recognition, &mut net.recognition)?;
        copy(&self.generative, &mut net.generative)?;
        net.top.set_parameters(&self.top.parameters()?, &self.top.velocities()?);
        Ok(self.chains.as_ref().map(|chains| self.top.states_of(chains)).transpose()?)
    }
}

/// Units of a set's outputs given its inputs.
fn pass(set: &mut GpuDirected, units: Units, input: &Rows, draw: Uniforms, output: &mut Rows) -> Result<()> {
    match units {
        Units::Sampled => set.sample(input, draw, output)?,
        Units::Probabilities => set.probabilities(input, output)?,
    }
    Ok(())
}
