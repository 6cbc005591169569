//! Missing values in training: each keeps its last draw, and an update draws it again.
//!
//! With v the observed and m the missing units of a sample, the gradient of ln p(v) is the expectation under p(m|v) of
//! that of ln p(v, m). One Gibbs step an update samples it as persistent chains do (Tieleman 2008).

use std::collections::BTreeMap;

use crate::error::Result;
use crate::training::cd::Draws;
use deepbelief_kernels::{Batch, Missing, Stream, Uniforms};

/// The last values of missing units: those of each sample that lacks some, in the order of the units.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Imputed(pub(crate) BTreeMap<u32, Vec<f32>>);

/// The random numbers of a step of missing values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImputeDraws {
    pub(crate) hidden: Uniforms,
    pub(crate) visible: Uniforms,
}

impl ImputeDraws {
    pub(crate) fn of(draws: Draws) -> Self {
        let draw = Uniforms::new(draws.seed, Stream::Missing, draws.step).from_row(draws.first);
        Self { hidden: draw.gibbs(0), visible: draw.gibbs(1) }
    }
}

impl Imputed {
    /// `batch` with new values of what it lacks: from the last ones by `step`, which leads visible units to others.
    pub(crate) fn draw(
        &mut self,
        batch: &Batch,
        missing: &Missing,
        draws: Draws,
        step: impl FnOnce(&Batch, ImputeDraws) -> Result<Batch>,
    ) -> Result<Batch> {
        let mut v = self.recalled(batch, missing);
        let drawn = step(&v, ImputeDraws::of(draws))?;
        v.take(&missing.cells, &drawn);
        self.keep(&v, missing);
        Ok(v)
    }

    /// `batch` with the last values of what it lacks.
    pub(crate) fn recalled(&self, batch: &Batch, missing: &Missing) -> Batch {
        let mut v = batch.clone();
        for (row, sample) in missing.samples.iter().enumerate() {
            if let Some(values) = self.0.get(sample) {
                v.put(row, missing.units(row).zip(values.iter().copied()));
            }
        }
        v
    }

    /// The values of what is missing are the last ones from now on.
    pub(crate) fn keep(&mut self, v: &Batch, missing: &Missing) {
        for (row, &sample) in missing.samples.iter().enumerate().filter(|&(row, _)| missing.lacks(row)) {
            let values = self.0.entry(sample).or_default();
            values.clear();
            values.extend(missing.units(row).map(|unit| v.value(row, unit)));
        }
    }
}
