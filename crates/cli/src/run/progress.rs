//! What a person sees of a training while it runs: a line an epoch, and below it a bar where there is a terminal.

use crate::report::{Report, thousands};
use deepbelief_rbm::{EpochMetrics, Progress, TrainingWarning};
use indicatif::ProgressBar;
use std::fmt::Display;
use std::mem::{Discriminant, discriminant};
use std::time::Instant;

/// Batches between two looks at the clock.
const TICK: usize = 16;

/// Lines of epochs, about so many at most.
const MOST_LINES: u32 = 100;

/// Shows a training.
pub(crate) struct Ticker<'a> {
    report: &'a Report,
    /// In front of every line: which layer it is about.
    prefix: String,
    bar: Option<ProgressBar>,
    /// When the running epoch was first seen, and how many samples it had then.
    clock: Option<(u32, Instant, usize)>,
    /// Whether an epoch has been measured.
    measured: bool,
    /// What has been warned of: each kind of trouble is reported once.
    warned: Vec<Discriminant<TrainingWarning>>,
}

impl<'a> Ticker<'a> {
    pub(crate) fn new(report: &'a Report, prefix: String) -> Self {
        Self { report, prefix, bar: None, clock: None, measured: false, warned: Vec::new() }
    }

    /// After every batch.
    pub(crate) fn batch(&mut self, progress: &Progress) {
        let done = u64::from(progress.epoch - 1) * progress.batches as u64 + progress.batch as u64;
        if self.bar.is_none() {
            self.bar = self.report.bar(u64::from(progress.epochs) * progress.batches as u64, done);
        }
        if let Some(bar) = &self.bar
            && (progress.batch.is_multiple_of(TICK) || progress.batch == progress.batches)
        {
            let (_, start, samples) = match self.clock {
                // A save within an epoch counts its samples again.
                Some(clock) if clock.0 == progress.epoch && clock.2 <= progress.samples => clock,
                _ => *self.clock.insert((progress.epoch, Instant::now(), progress.samples)),
            };
            bar.set_prefix(format!("{}epoch {}/{}", self.prefix, progress.epoch, progress.epochs));
            bar.set_position(done);
            // Until the first epoch has been measured, the rate is all there is to say.
            let seconds = start.elapsed().as_secs_f64();
            let since = progress.samples - samples;
            if !self.measured && since > 0 {
                let rate = since as f64 / seconds;
                bar.set_message(format!("{} samples/s", thousands(rate as usize)));
            }
        }
    }

    /// Says what looks wrong in an epoch; that of it which is news.
    pub(crate) fn warnings(&mut self, epoch: u32, warnings: &[TrainingWarning]) -> Vec<TrainingWarning> {
        let mut new = Vec::new();
        for warning in warnings {
            let kind = discriminant(warning);
            if !self.warned.contains(&kind) {
                self.warned.push(kind);
                tracing::warn!("{}epoch {epoch}: {warning}", self.prefix);
                new.push(*warning);
            }
        }
        new
    }

    /// After a divergence that the training goes on from, at `rate`.
    pub(crate) fn recovered(&self, from: &dyn std::error::Error, rate: impl Display) {
        tracing::warn!("{}{from}", self.prefix);
        tracing::warn!("{}the epoch starts again at {rate}", self.prefix);
    }

    /// What the bar says from here on, where there is one.
    pub(crate) fn message(&mut self, text: &str) {
        self.measured = true;
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_string());
        }
    }

    /// After every epoch of `epochs`: what the bar says, and one line, but for most of very many.
    pub(crate) fn epoch(&mut self, metrics: &EpochMetrics, epochs: u32) {
        let (epoch, cost) = (metrics.epoch, metrics.reconstruction_cost);
        let valid = metrics.reconstruction_cost_valid.map_or(String::new(), |cost| format!(" (validation {cost:.2})"));
        let gap = metrics.free_energy_gap.map_or(String::new(), |gap| format!(", gap {gap:.2}"));
        let nats = |value: Option<f64>| value.map(|value| format!("{value:.2}"));
        let likelihood = match (nats(metrics.log_likelihood_train), nats(metrics.log_likelihood_valid)) {
            (Some(train), Some(valid)) => format!(", log-likelihood {train} (validation {valid})"),
            (Some(train), None) => format!(", log-likelihood {train}"),
            _ => String::new(),
        };
        let pseudo = match (nats(metrics.pseudo_likelihood_train), nats(metrics.pseudo_likelihood_valid)) {
            (Some(train), Some(valid)) => format!(", pseudo-likelihood {train} (validation {valid})"),
            (Some(train), None) => format!(", pseudo-likelihood {train}"),
            _ => String::new(),
        };
        let percent = |error: Option<f64>| error.map(|error| format!("{:.2} %", 100.0 * error));
        let error = match (percent(metrics.label_error_train), percent(metrics.label_error_valid)) {
            (Some(train), Some(valid)) => format!(", label error {train} (validation {valid})"),
            (Some(train), None) => format!(", label error {train}"),
            _ => String::new(),
        };
        let activity = metrics.hidden_activity.map(|activity| format!(", activity {activity:.3}"));
        let spread = metrics.hidden_spread.map(|spread| format!(", spread {spread:.3}"));
        let hidden = activity.or(spread).unwrap_or_default();
        let rate = thousands(metrics.samples_per_second as usize);
        let width = epochs.to_string().len();
        let line = format!(
            "{}epoch {epoch:>width$}/{epochs}: cost {cost:.2}{valid}{likelihood}{pseudo}{gap}{error}{hidden}, {rate} samples/s",
            self.prefix
        );
        self.message(&format!("cost {cost:.2}{likelihood}{pseudo}{gap}{error}, {rate} samples/s"));
        if !has_a_line(epoch, epochs) && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        tracing::info!(
            layer = metrics.layer,
            epoch,
            reconstruction_cost = cost,
            reconstruction_cost_valid = metrics.reconstruction_cost_valid,
            log_likelihood_train = metrics.log_likelihood_train,
            log_likelihood_valid = metrics.log_likelihood_valid,
            free_energy_gap = metrics.free_energy_gap,
            hidden_activity = metrics.hidden_activity,
            hidden_spread = metrics.hidden_spread,
            label_error_valid = metrics.label_error_valid,
            samples_per_second = metrics.samples_per_second,
            "{line}"
        );
        let dead = metrics
            .dead_units
            .zip(metrics.saturated_units)
            .map_or(String::new(), |(dead, saturated)| format!("{dead} dead and {saturated} saturated hidden units, "));
        if let Some(rate) = metrics.swap_rate {
            tracing::debug!("  tempered chains swap at a rate of {rate:.2} or more");
        }
        tracing::debug!(
            "  {dead}update ratio {:.1e}, weight norm {:.2}, {:.2} s",
            metrics.update_ratio,
            metrics.weight_norm,
            metrics.seconds
        );
    }

    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Whether an epoch has a line: each of up to a hundred; of more every tenth, hundredth and so on, so that there are about
/// a hundred at most, and the first and the last.
fn has_a_line(epoch: u32, epochs: u32) -> bool {
    let mut step = 1;
    while epochs / step > MOST_LINES {
        step *= 10;
    }
    epoch <= 1 || epoch == epochs || epoch.is_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_epochs_have_about_a_hundred_lines() {
        for (epochs, lines) in [(5, 5), (100, 100), (101, 12), (500, 51), (1000, 101), (1001, 102), (u32::MAX, 0)] {
            let epochs_seen = if lines == 0 { 1..=1000 } else { 1..=epochs };
            let shown = epochs_seen.filter(|&epoch| has_a_line(epoch, epochs)).count();
            assert_eq!(shown, lines.max(1), "{epochs}");
        }
    }
}
