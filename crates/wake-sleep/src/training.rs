//! How the up-down algorithm plugs into the loop of all trainings.

use crate::config::TuneConfig;
use crate::error::{Error, Result, require};
use crate::learned::{Learned, zeros};
use crate::measure::{measure, weights};
use crate::metrics::TuneMetrics;
use crate::phases::{Phases, Updates};
use crate::state;
use crate::up_down::{TuneState, UpDown, copied_to};
use candle_core::Device;
use deepbelief_kernels::{Bits, Units};
use deepbelief_stack::Dbn;
use deepbelief_training::{EpochEnd, Error as LoopError, Labelled, Monitors, OnDivergence, Position, Training};
use std::path::Path;

impl Training for UpDown {
    type Model = Dbn;
    type Config = TuneConfig;
    type Learned = Learned;
    type Metrics = TuneMetrics;
    type Error = Error;

    const MEASURES_START: bool = true;
    const NEED_OF_LABELS: &'static str = "the label group of the model needs; tune a model without one";

    fn start(dbn: &Dbn, config: TuneConfig) -> Result<Self> {
        Self::new(dbn, config)
    }

    fn restore(learned: Learned, config: TuneConfig, at: &Position, device: &Device) -> Result<Self> {
        let Learned { dbn, velocities, chains } = learned;
        let (expected, got) = (config.persistent_chains, chains.as_ref().map_or(0, Bits::rows));
        let mut tuning = Self::new(&dbn, config)?;
        // Before the first update there are no chains yet.
        if at.step > 0 && got != expected {
            let why = format!("it has {got} persistent chains, the settings say {expected}");
            return Err(LoopError::Resume(why).into());
        }
        let Phases { mut net, .. } = tuning.phases;
        net.set_velocities(&velocities)?;
        tuning.phases = Phases::new(net, chains.as_ref())?;
        if !device.is_cpu() {
            tuning.elsewhere = Some(copied_to(device, tuning.config.precision, &tuning.phases)?);
            tuning.device = device.clone();
        }
        Ok(tuning)
    }

    fn config(&self) -> &TuneConfig {
        &self.config
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn visible(&self) -> usize {
        self.phases.net.visible_units().columns()
    }

    fn visible_units(&self) -> Option<Units> {
        Some(self.phases.net.visible_units())
    }

    fn classes(&self) -> usize {
        self.phases.net.top.classes()
    }

    fn model(&self) -> Result<Dbn> {
        self.phases.net.dbn()
    }

    fn learned(&self) -> Result<Learned> {
        let net = &self.phases.net;
        Ok(Learned { dbn: net.dbn()?, velocities: net.velocities()?, chains: self.phases.chains()? })
    }

    fn at_rest(learned: Learned) -> Result<Learned> {
        Ok(Learned { velocities: zeros(&learned.velocities)?, ..learned })
    }

    fn check_device(&self) -> Result<()> {
        let precision = self.config.precision;
        require(precision.is_f32() || self.elsewhere.is_some(), "precision", precision, "f32 on the CPU")
    }

    fn begin_epoch(&mut self, at: &Position) {
        self.rules = self.config.rules(at.epoch, self.phases.net.layers(), at.halvings);
        self.factor = self.config.share(at.epoch) * OnDivergence::decay_factor(at.halvings);
        self.before.clear();
    }

    fn rate(&self, at: &Position) -> f64 {
        OnDivergence::decay_factor(at.halvings)
    }

    fn update(&mut self, data: &Labelled, at: &Position) -> Result<()> {
        let Self { config, elsewhere, phases, rules, .. } = self;
        match elsewhere {
            Some(elsewhere) => elsewhere.update(data, config, rules, at),
            None => phases.update(data, config, rules, at),
        }
    }

    fn remember(&mut self) -> Result<()> {
        self.sync()?;
        self.before = weights(&self.phases.net);
        Ok(())
    }

    fn sync(&mut self) -> Result<()> {
        if let Some(elsewhere) = &self.elsewhere {
            self.phases = elsewhere.download()?;
        }
        Ok(())
    }

    fn finish_epoch(&mut self, at: &Position) -> Result<()> {
        match &mut self.elsewhere {
            Some(elsewhere) => elsewhere.check_sane(&self.rules, at.epoch, at.batch),
            None => Ok(()),
        }
    }

    fn measure(&mut self, monitors: &Monitors, end: &EpochEnd) -> Result<TuneMetrics> {
        let Self { config, phases, rules, factor, before, .. } = self;
        Ok(TuneMetrics {
            epoch: end.epoch,
            top_steps: rules.top_steps,
            wake_rate: *factor * config.wake_rate,
            sleep_rate: *factor * config.sleep_rate,
            top_rate: *factor * config.top_rate,
            ..measure(&mut phases.net, config, rules, monitors, before)?
        })
    }

    fn is_divergence(error: &Error) -> bool {
        matches!(error, Error::Diverged { .. })
    }

    fn save(state: &TuneState, path: &Path) -> Result<()> {
        state::save(state, path)
    }

    fn load(path: &Path) -> Result<TuneState> {
        state::load(path)
    }
}
