//! Samples of categorical units as numbers of levels.

use deepbelief_kernels::{UNKNOWN_LETTER, UnitKind};

use super::split::Split;
use crate::error::Error;

impl Split {
    /// The level of every site, `[samples, sites]`, [`UNKNOWN_LETTER`] where it is missing. Units that are not
    /// categorical have none.
    ///
    /// # Errors
    /// If not all units are categorical, of at most 254 levels, or samples in a file cannot be read.
    pub fn levels(&self) -> Result<Vec<u8>, Error> {
        let mut sites = Vec::new();
        for (segment, columns) in self.layer().each() {
            if segment.units != UnitKind::Categorical || segment.levels >= usize::from(UNKNOWN_LETTER) {
                let (name, got) = ("visible units", self.layer().to_string());
                return Err(Error::Setting { name, got, expected: "categorical, as those of alignments are".into() });
            }
            sites.extend(columns.step_by(segment.levels).map(|at| at..at + segment.levels));
        }
        let (mut all, mut values) = (Vec::with_capacity(self.samples() * sites.len()), vec![0.0; self.units()]);
        self.visit(0..self.samples(), |sample, _, row| {
            row.write(&mut values);
            let missing = self.missing_words(sample);
            let is_missing = |unit: usize| missing.get(unit / 32).is_some_and(|word| word >> (unit % 32) & 1 == 1);
            for units in &sites {
                let on = values[units.clone()].iter().position(|&x| x == 1.0).filter(|_| !is_missing(units.start));
                all.push(on.map_or(UNKNOWN_LETTER, |level| level as u8));
            }
        })?;
        Ok(all)
    }
}
