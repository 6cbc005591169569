//! Writes the report of a run while it trains. It takes little time, and nothing that goes wrong with it stops the
//! training.

use super::contents::{Written, write};
use super::observe::{Look, observe};
use crate::failure::{Failure, Result};
use crate::pictures::{Gallery, Sheet};
use crate::report::typed;
use crate::run::folder::{METRICS, RunFolder};
use crate::run::stage::of_failure;
use deepbelief_rbm::{TrainingWarning, open_regular, read_regular};
use deepbelief_report::observed::{OBSERVED, Observed, Warned};
use deepbelief_report::{Compared, Finding, Metrics, Next, State, Tone};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Between two reports lies so many times the time that one takes.
const REST: u32 = 20;

/// The report of a run that trains.
pub(crate) struct Reporter {
    path: PathBuf,
    seed: u64,
    observed: Observed,
    /// What the model dreamt when it was last drawn, if that is news.
    pub(crate) fantasies: Option<Sheet>,
    /// When the last report was written, and how long it took.
    last: Option<(Instant, Duration)>,
    /// Whether it was said that reports cannot be written.
    complained: bool,
    /// The last one.
    written: Option<Written>,
}

impl Reporter {
    /// Of the run in a folder, which may go on.
    pub(crate) fn new(folder: &RunFolder, seed: u64) -> Self {
        let path = folder.path().to_path_buf();
        let before = read_regular(&path.join(OBSERVED)).ok();
        let before = before.and_then(|bytes| serde_json::from_slice::<Observed>(&bytes).ok());
        let mut observed = before.unwrap_or_default();
        observed.command.get_or_insert_with(typed);
        // It is of the model at the end.
        observed.compared = None;
        Self { path, seed, observed, fantasies: None, last: None, complained: false, written: None }
    }

    /// Keeps what looked wrong: each kind of trouble of a layer once.
    pub(crate) fn warn(&mut self, layer: u32, epoch: u32, warnings: &[TrainingWarning]) {
        for warning in warnings {
            self.observed.warnings.push(Warned { layer, epoch, text: warning.to_string() });
        }
    }

    /// Keeps how the model compares with independent sites at the end.
    pub(crate) fn compare(&mut self, compared: Option<Compared>) {
        self.observed.compared = compared;
    }

    /// Looks at the model and writes the report, unless the last one was just now.
    pub(crate) fn report(&mut self, gallery: &Gallery, look: Result<Look>, state: State) {
        let is_early = self.last.is_some_and(|(when, took)| when.elapsed() < REST * took);
        if is_early && state == State::Running && self.fantasies.is_none() {
            return;
        }
        let begun = Instant::now();
        if let Err(failure) = look.and_then(|look| self.write(gallery, &look, state)) {
            self.complain(&failure);
        }
        self.last = Some((Instant::now(), begun.elapsed()));
    }

    fn write(&mut self, gallery: &Gallery, look: &Look, state: State) -> Result<()> {
        let file = open_regular(&self.path.join(METRICS));
        let epochs = file.map_or(0, |file| Metrics::read(file).done());
        let fantasies = self.fantasies.take();
        let thorough = fantasies.is_some() || state != State::Running;
        self.observed = observe(look, gallery, self.seed, epochs, fantasies.as_ref(), thorough, &self.observed)?;
        let file = self.path.join(OBSERVED);
        deepbelief_rbm::write_atomic(&file, &serde_json::to_vec(&self.observed)?)?;
        self.written = Some(write(&self.path, Some(state))?);
        Ok(())
    }

    /// Writes that the training ended so.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        if let Err(failure) = write(&self.path, Some(of_failure(failure.what()))) {
            self.complain(&failure);
        }
    }

    /// Says whether the training worked, where the report is and what to type next.
    pub(crate) fn say_next(&self) {
        let Some(Written { file, verdict, next }) = &self.written else { return };
        // What learned nothing is said under --quiet too.
        match verdict.tone {
            Tone::Bad => tracing::warn!("verdict: {}", verdict.text),
            Tone::Good | Tone::Watch => tracing::info!("verdict: {}", verdict.text),
        }
        for Finding { text, .. } in verdict.findings.iter().filter(|finding| finding.tone == Tone::Watch) {
            tracing::info!("note:    {text}");
        }
        tracing::info!("report:  {}", file.display());
        for Next { command, .. } in next {
            tracing::info!("next:    {command}");
        }
    }

    fn complain(&mut self, failure: &Failure) {
        if !std::mem::replace(&mut self.complained, true) {
            let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
            tracing::warn!("the report cannot be written: {why}; training goes on");
        }
    }
}
