//! How far a long piece of work is, and what time is left.

use indicatif::ProgressBar;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A piece of work, whose bar goes away when it is done.
pub(crate) struct Work {
    bar: Option<ProgressBar>,
    lines: Option<Mutex<Lines>>,
}

impl Work {
    /// Work of so many steps, shown by a bar, or by lines where there is none.
    pub(super) fn new(what: &'static str, steps: u64, bar: Option<ProgressBar>) -> Self {
        let lines = Lines { what, steps, done: 0, began: Instant::now(), next: FIRST };
        Self { lines: bar.is_none().then(|| Mutex::new(lines)), bar }
    }

    /// So many more steps are done.
    pub(crate) fn did(&self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
        let Some(mut lines) = self.lines.as_ref().and_then(|lines| lines.lock().ok()) else { return };
        let elapsed = lines.began.elapsed();
        if let Some(line) = lines.did(steps, elapsed) {
            tracing::info!("{line}");
        }
    }

    /// All is done: the bar goes away.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Waiting time before the first line on how far a piece of work is.
const FIRST: Duration = Duration::from_secs(30);

/// Share of the work that is done before the first line: from less, the time left cannot be foreseen.
const LEAST: f64 = 0.03;

/// Time that a bar has seen before it says what time is left. It also waits for that share of the work, but no longer than
/// a line does.
const SEEN: Duration = Duration::from_secs(3);

/// The time that a bar says is left, when so many of all steps took so long; none where that is too little to estimate it.
pub(super) fn time_left(elapsed: Duration, done: u64, steps: u64) -> Option<Duration> {
    let share = done as f64 / steps as f64;
    let enough = elapsed >= SEEN && done > 0 && (share >= LEAST || elapsed >= FIRST);
    (enough && done <= steps).then(|| remaining(elapsed, share))
}

/// The time that is left when this share of the work took so long.
fn remaining(elapsed: Duration, share: f64) -> Duration {
    elapsed.mul_f64((1.0 - share) / share)
}

/// Lines on how far a piece of work is, each after twice the time of the one before.
struct Lines {
    what: &'static str,
    steps: u64,
    done: u64,
    began: Instant,
    next: Duration,
}

impl Lines {
    /// The line that is due after so much time, when so many more steps are done.
    fn did(&mut self, steps: u64, elapsed: Duration) -> Option<String> {
        self.done += steps;
        if elapsed < self.next || self.done == 0 || self.done >= self.steps {
            return None;
        }
        let share = self.done as f64 / self.steps as f64;
        if share < LEAST {
            return None;
        }
        while self.next <= elapsed {
            self.next *= 2;
        }
        let left = match remaining(elapsed, share).as_secs_f64() {
            left if left < 100.0 => format!("{left:.0} s"),
            left if left < 6000.0 => format!("{:.0} min", left / 60.0),
            left => format!("{:.0} h", left / 3600.0),
        };
        Some(format!("{}: {:.0} % done, about {left} left", self.what, 100.0 * share))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.done();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_says_what_time_is_left_less_and_less_often() {
        let mut lines = Lines { what: "annealing", steps: 1000, done: 0, began: Instant::now(), next: FIRST };
        let mut at = |seconds: u64, steps: u64| lines.did(steps, Duration::from_secs(seconds));
        assert_eq!(at(29, 100), None);
        assert_eq!(at(30, 100).as_deref(), Some("annealing: 20 % done, about 2 min left"));
        assert_eq!(at(59, 100), None);
        assert_eq!(at(153, 300).as_deref(), Some("annealing: 60 % done, about 2 min left"));
        assert_eq!(at(200, 100), None);
        assert_eq!(at(240, 200).as_deref(), Some("annealing: 90 % done, about 27 s left"));
        assert_eq!(at(1000, 100), None, "all is done");
        let mut lines = Lines { what: "annealing", steps: 1000, done: 0, began: Instant::now(), next: FIRST };
        let mut at = |seconds: u64, steps: u64| lines.did(steps, Duration::from_secs(seconds));
        assert_eq!(at(40, 29), None, "so little says nothing of the rest");
        assert_eq!(at(45, 1).as_deref(), Some("annealing: 3 % done, about 24 min left"));
    }

    #[test]
    fn bars_say_what_time_is_left_once_they_have_seen_enough() {
        let at = |millis: u64, done: u64, steps: u64| {
            time_left(Duration::from_millis(millis), done, steps).map(|left| left.as_secs_f64().round())
        };
        assert_eq!(at(2999, 500, 1000), None, "the first steps may be slow");
        assert_eq!(at(3000, 500, 1000), Some(3.0));
        assert_eq!(at(29_000, 29, 1000), None, "so little says nothing of the rest");
        assert_eq!(at(29_000, 30, 1000), Some(938.0));
        assert_eq!(at(30_000, 1, 1000), Some(29_970.0), "long work is never without");
        assert_eq!(at(60_000, 0, 1000), None);
        assert_eq!([at(60_000, 1000, 1000), at(60_000, 1001, 1000), at(60_000, 0, 0)], [Some(0.0), None, None]);
    }
}
