//! How contrastive divergence plugs into the loop of all trainings.

use crate::error::{Error, Result};
use crate::files::state;
use crate::likelihood::LogZTracker;
use crate::model::rbm::Rbm;
use crate::training::cd::Draws;
use crate::training::config::TrainConfig;
use crate::training::contrastive::{Contrastive, TrainState};
use crate::training::forms;
use crate::training::learned::Learned;
use crate::training::metrics::EpochMetrics;
use candle_core::Device;
use deepbelief_kernels::{Parameters, Share, Units};
use deepbelief_ranks::Group;
use deepbelief_training::{EpochEnd, Labelled, Monitors, Position, Training};
use std::sync::Arc;

impl Training for Contrastive {
    type Model = Rbm;
    type Config = TrainConfig;
    type Learned = Learned;
    type Metrics = EpochMetrics;
    type Error = Error;

    const MEASURES_START: bool = false;
    const NEED_OF_LABELS: &'static str = "the label group of the model needs; train a model without one";

    /// On the device where the RBM is.
    fn start(rbm: &Rbm, config: TrainConfig) -> Result<Self> {
        config.require_falling()?;
        let joined = rbm.labels().is_some() && forms::label_is_a_unit(rbm.layers(), &config);
        let learner = forms::start(&if joined { rbm.with_label_as_unit()? } else { rbm.clone() }, &config)?;
        Self::build(learner, rbm, config, None, rbm.w_rec().device())
    }

    fn restore(learned: Learned, config: TrainConfig, at: &Position, device: &Device) -> Result<Self> {
        learned.require_methods(&config, at)?;
        let rbm = learned.rbm()?;
        let path = learned.path.clone().map(|path| LogZTracker::resume(path, config.seed));
        let learner = forms::resume(learned, &config, device)?;
        Self::build(learner, &rbm, config, path, device)
    }

    fn config(&self) -> &TrainConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn visible(&self) -> usize {
        self.layers.visible.columns() - self.levels_of_label()
    }

    fn visible_units(&self) -> Option<Units> {
        Some(self.layers.visible.without_label(self.levels_of_label()))
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn model(&self) -> Result<Rbm> {
        match self.levels_of_label() {
            0 => self.learner.rbm(),
            classes => self.learner.rbm()?.with_label_apart(classes),
        }
    }

    fn learned(&self) -> Result<Learned> {
        let Self { layers, learner, path, .. } = self;
        Ok(Learned {
            layers: layers.clone(),
            label: self.levels_of_label(),
            parameters: learner.parameters()?,
            velocities: learner.velocities()?,
            chains: learner.chains()?,
            memory: learner.memory()?,
            path: path.as_ref().map(|path| path.state().clone()),
        })
    }

    fn at_rest(mut learned: Learned) -> Result<Learned> {
        forget(&mut learned.velocities);
        if let Some(adam) = &mut learned.memory.adam {
            forget(&mut adam.squares);
            adam.steps = 0;
        }
        Ok(learned)
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.rule = self.rule_at(at);
        self.remembered = false;
    }

    fn rate(&self, at: &Position) -> f64 {
        self.rule_at(at).learning_rate
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let draws = Draws { seed: self.config.seed, step: at.step, first: 0 };
        let joined = self.data_as_learned(data);
        let data = joined.as_ref().unwrap_or(data);
        let largest = self.learner.learn(data, &self.rule, draws, &self.config)?;
        self.check_sane(at.epoch, at.batch + 1, largest)
    }

    fn join(&mut self, group: &Arc<dyn Group>) -> Result<()> {
        self.learner.join(group)
    }

    fn share(&self) -> Share {
        self.learner.share()
    }

    fn agree(&mut self, stop: bool) -> bool {
        self.learner.agree(stop)
    }

    fn fingerprint(&self) -> Result<u64> {
        let Parameters { w_rec, hb, vb, visible_fields, hidden_fields, label_w, label_b } =
            self.learner.parameters()?;
        let fields = visible_fields.each().into_iter().chain(hidden_fields.each()).map(|(_, field)| field);
        // FNV-1a, of words.
        let mix = |hash: u64, x: &f32| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x0100_0000_01b3);
        let all = [&w_rec, &hb, &vb, &label_w, &label_b].into_iter().chain(fields).flatten();
        Ok(all.fold(0xcbf2_9ce4_8422_2325, mix))
    }

    fn sync(&mut self) -> Result<()> {
        self.learner.gather()
    }

    fn remember(&mut self) -> Result<()> {
        self.remembered = true;
        self.learner.remember()
    }

    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        let largest = self.learner.largest()?;
        self.check_sane(at.epoch, at.batch, largest)
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<EpochMetrics> {
        let metrics = self.measure_epoch(monitors, end.epoch)?;
        self.check_alive(monitors, &metrics)?;
        Ok(metrics)
    }

    fn is_divergence(error: &Error) -> bool {
        matches!(error, Error::Diverged { .. } | Error::Collapsed { .. })
    }

    fn save(state: &TrainState, path: &std::path::Path) -> Result<()> {
        state::save(path, state)
    }

    fn load(path: &std::path::Path) -> Result<TrainState> {
        state::load(path)
    }
}

/// Zeros instead of what is remembered.
fn forget(memory: &mut Parameters) {
    let Parameters { w_rec, hb, vb, visible_fields, hidden_fields, label_w, label_b } = memory;
    let fields = visible_fields.each_mut().into_iter().chain(hidden_fields.each_mut());
    for values in [w_rec, hb, vb, label_w, label_b].into_iter().chain(fields.map(|(_, field)| field)) {
        values.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OnDivergence, RbmConfig, Trainer};
    use deepbelief_kernels::{Batch, Bits, Minibatches};

    struct Once(Batch);

    impl Minibatches for Once {
        fn samples(&self) -> usize {
            self.0.rows()
        }
        fn units(&self) -> usize {
            self.0.units()
        }
        fn batches(&self) -> usize {
            1
        }
        fn start_epoch(&mut self, _: u32) {}
        fn fill(&mut self, _: usize, batch: &mut Batch) {
            *batch = self.0.clone();
        }
    }

    /// Of a state with velocities: the parameters are its own, the velocities zero; a halving halves both rates.
    #[test]
    fn at_rest_nothing_moves_and_a_halving_halves_the_rates() {
        let rbm = Rbm::new(&RbmConfig::default(), &[0.4; 6], &Device::Cpu).unwrap();
        let batch = Batch::Binary(Bits::from_values(2, 6, &[1., 0., 0., 1., 1., 0., 0., 1., 0., 0., 1., 1.]));
        let config = TrainConfig { epochs: 2, on_divergence: OnDivergence::HalveLr, ..Default::default() };
        let mut trainer = Trainer::new(&rbm, config).unwrap();
        let monitors = Monitors { train: batch.clone(), ..Default::default() };
        trainer.fit(&mut Once(batch), &monitors, &mut ()).unwrap();
        let state = trainer.snapshot().state().unwrap();
        let velocities = &state.learned.velocities;
        assert!(velocities.w_rec.iter().any(|&x| x != 0.0) && velocities.vb.iter().any(|&x| x != 0.0));
        let rested = Contrastive::at_rest(state.learned.clone()).unwrap();
        assert!(rested.parameters == state.learned.parameters);
        let Parameters { w_rec, hb, vb, label_w, label_b, .. } = &rested.velocities;
        assert!([w_rec, hb, vb, label_w, label_b].into_iter().flatten().all(|&x| x == 0.0));
        let rates = |halvings| {
            let rule = trainer.snapshot().training().rule_at(&Position { halvings, ..state.position });
            [rule.learning_rate, rule.fast_learning_rate]
        };
        assert_eq!(rates(1), rates(0).map(|rate| 0.5 * rate));
    }
}
