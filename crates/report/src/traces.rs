//! The figures of a training by epoch, for its curves, in memory that does not grow with the epochs.

use std::collections::BTreeMap;

/// Runs of neighbouring epochs that are kept apart: about as many as a panel has columns of pixels.
const MOST_RUNS: usize = 700;

/// Every figure of a training, by name.
#[derive(Debug, Default, PartialEq)]
pub struct Traces(BTreeMap<String, Trace>);

/// Of a training that has measured nothing.
pub static NONE: Traces = Traces(BTreeMap::new());

impl Traces {
    /// Adds what an epoch measured.
    pub fn add(&mut self, epoch: u32, figures: BTreeMap<String, f64>) {
        for (name, value) in figures {
            self.0.entry(name).or_default().add((f64::from(epoch), value));
        }
    }

    /// Names of the figures, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The last value of a figure with its epoch.
    #[must_use]
    pub fn last(&self, figure: &str) -> Option<(f64, f64)> {
        self.0.get(figure)?.last
    }

    /// The points of a figure's line, as epoch and value: all of them or, where there are more than can be seen,
    /// the lowest and the highest of neighbours, so that no leap gets lost, and in any case the last.
    #[must_use]
    pub fn points(&self, figure: &str) -> Vec<(f64, f64)> {
        self.0.get(figure).map(Trace::points).unwrap_or_default()
    }
}

/// One figure.
#[derive(Debug, Default, PartialEq)]
struct Trace {
    /// All of them of as many epochs, but for the last, which may have fewer.
    runs: Vec<Run>,
    last: Option<(f64, f64)>,
}

/// Neighbouring epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    epochs: usize,
    lowest: (f64, f64),
    highest: (f64, f64),
}

impl Run {
    /// This run and the one behind it.
    fn with(self, next: Self) -> Self {
        let lower = next.lowest.1.total_cmp(&self.lowest.1).is_lt();
        let higher = next.highest.1.total_cmp(&self.highest.1).is_gt();
        Self {
            epochs: self.epochs + next.epochs,
            lowest: if lower { next.lowest } else { self.lowest },
            highest: if higher { next.highest } else { self.highest },
        }
    }
}

impl Trace {
    fn add(&mut self, point: (f64, f64)) {
        let run = Run { epochs: 1, lowest: point, highest: point };
        let full = self.runs.first().map_or(1, |first| first.epochs);
        match self.runs.last_mut() {
            Some(last) if last.epochs < full => *last = last.with(run),
            _ => self.runs.push(run),
        }
        if self.runs.len() > MOST_RUNS {
            self.runs = self.runs.chunks(2).map(|pair| pair[1..].iter().copied().fold(pair[0], Run::with)).collect();
        }
        self.last = Some(point);
    }

    fn points(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(2 * self.runs.len() + 1);
        for &Run { lowest, highest, .. } in &self.runs {
            points.extend(if lowest.0 <= highest.0 { [lowest, highest] } else { [highest, lowest] });
        }
        points.extend(self.last);
        points.dedup();
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a thousand epochs and of a hundred thousand take the same room.
    #[test]
    fn traces_stop_growing_and_keep_every_leap() {
        let value = |epoch: u32| match epoch {
            12_346 => 1e4,
            50_001 => -1e4,
            _ => 100.0 / f64::from(epoch),
        };
        let mut traces = Traces::default();
        for epoch in 1..=100_000 {
            traces.add(epoch, BTreeMap::from([("cost".to_string(), value(epoch))]));
            if epoch <= MOST_RUNS as u32 {
                assert_eq!(traces.points("cost").len(), epoch as usize);
            }
            if epoch % 997 == 0 || epoch <= 2 * MOST_RUNS as u32 {
                let (runs, points) = (&traces.0["cost"].runs, traces.points("cost"));
                assert!(runs.len() <= MOST_RUNS && runs.len() >= MOST_RUNS.min(epoch as usize) / 2);
                assert_eq!(runs.iter().map(|run| run.epochs).sum::<usize>(), epoch as usize);
                assert!(points.is_sorted_by(|a, b| a.0 < b.0));
                assert!(points.iter().all(|&(x, y)| value(x as u32) == y));
                assert_eq!(points.last(), Some(&(f64::from(epoch), value(epoch))));
            }
        }
        let points = traces.points("cost");
        assert!(points.contains(&(12_346.0, 1e4)) && points.contains(&(50_001.0, -1e4)));
        assert_eq!(traces.points("none"), []);
    }
}
