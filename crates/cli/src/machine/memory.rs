//! Whether what is to be done fits the memory of the machine, asked before it starts. Where it does
//! not, the refusal says what would: of every option that memory depends on the largest value, and how
//! much memory it takes as it is.

use crate::failure::{Failure, Result};
use crate::machine::limits;
use crate::report::{bytes, thousands};
use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

/// Share of the free memory that may be taken where nobody says more.
const SHARE: f64 = 0.8;

/// Bytes of what no formula counts, as measured: the program, the embedded digits among it, and
/// buffers of libraries.
pub(crate) const PROGRAM: u64 = 56 << 20;

/// An option that memory depends on: the more, the more.
pub(crate) struct MemoryOption<'a> {
    least: u64,
    now: u64,
    needed: Box<dyn Fn(u64) -> u64 + 'a>,
    words: Box<dyn Fn(u64) -> String + 'a>,
}

impl<'a> MemoryOption<'a> {
    /// A flag that is a number, `now` and at least `least`, and the bytes in all that it takes.
    pub(crate) fn new(flag: &'static str, least: usize, now: usize, needed: impl Fn(usize) -> u64 + 'a) -> Self {
        Self {
            least: least as u64,
            now: now as u64,
            needed: Box::new(move |value| needed(value as usize)),
            words: Box::new(move |value| format!("{flag} {value}")),
        }
    }

    /// The same where the flag is more than its number: `words` have both.
    pub(crate) fn in_words(self, words: impl Fn(u64) -> String + 'a) -> Self {
        Self { words: Box::new(words), ..self }
    }

    /// The hidden units of all layers, smaller or larger together.
    pub(crate) fn layers(now: &'a [usize], needed: impl Fn(&[usize]) -> u64 + 'a) -> Self {
        let words = |layers: Vec<usize>| layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        Self {
            least: 1,
            now: PARTS,
            needed: Box::new(move |share| needed(&scaled(now, share))),
            words: Box::new(move |share| format!("--layers {}", words(scaled(now, share)))),
        }
    }

    /// The option with its largest value that fits, where one does.
    fn that_fits(&self, allowed: u64) -> Option<String> {
        let fits = |value| (self.needed)(value) <= allowed;
        if self.now <= self.least || !fits(self.least) {
            return None;
        }
        let (mut fitting, mut not) = (self.least, self.now);
        while fitting + 1 < not {
            let middle = fitting.midpoint(not);
            if fits(middle) { fitting = middle } else { not = middle }
        }
        Some((self.words)(fitting))
    }
}

/// Parts of their size that layers shrink by.
const PARTS: u64 = 1000;

fn scaled(layers: &[usize], share: u64) -> Vec<usize> {
    layers.iter().map(|&hidden| (hidden as u64 * share / PARTS).max(1) as usize).collect()
}

/// Refuses what takes `needed` bytes, where `most` MiB are allowed, or, if that is 0, a share of what is
/// free.
pub(crate) fn require(what: &str, needed: u64, most: u32, options: &[MemoryOption<'_>]) -> Result<()> {
    let Some(allowed) = allowed(most).filter(|&allowed| needed > allowed) else { return Ok(()) };
    let said = if most == 0 { "80 % of what is free" } else { "as --max-memory says" };
    let mut ways: Vec<String> = options.iter().filter_map(|option| option.that_fits(allowed)).collect();
    ways.push(format!("--max-memory {}, if there is as much", needed.div_ceil(1 << 20)));
    Err(Failure::new(format!(
        "{what} takes about {} of memory, but may take {} ({said})",
        bytes(needed),
        bytes(allowed)
    ))
    .hint(format!("it would fit with {}", ways.join(", or with "))))
}

/// The same of work on `samples` samples of which some could be left for later: `needed` tells the bytes
/// of so many.
pub(crate) fn require_samples(what: &str, samples: usize, most: u32, needed: impl Fn(usize) -> u64) -> Result<()> {
    let refused = match require(what, needed(samples), most, &[]) {
        Ok(()) => return Ok(()),
        Err(failure) => failure,
    };
    let words = |n: u64| format!("{} of the {} samples", thousands(n as usize), thousands(samples));
    let option = MemoryOption {
        least: 1,
        now: samples as u64,
        needed: Box::new(|n| needed(n as usize)),
        words: Box::new(words),
    };
    let fitting = allowed(most).and_then(|allowed| option.that_fits(allowed));
    let more = refused.hint_text().unwrap_or_default().trim_start_matches("it would fit ").to_string();
    Err(match fitting {
        Some(fitting) => Failure::new(refused.what()).hint(format!("{fitting} would fit at a time, or all {more}")),
        None => refused,
    })
}

/// Bytes that data may take while they are read, beside the program. What is little is refused when everything
/// is known that it is needed for.
pub(crate) fn room_for_data(most: u32) -> Option<u64> {
    allowed(most).map(|allowed| allowed.saturating_sub(PROGRAM).max(1 << 20))
}

/// Whether so much is allowed.
pub(crate) fn fits(needed: u64, most: u32) -> bool {
    allowed(most).is_none_or(|allowed| needed <= allowed)
}

/// Bytes that are allowed; a system that does not tell what is free cannot be asked.
fn allowed(most: u32) -> Option<u64> {
    if most > 0 { Some(u64::from(most) << 20) } else { available().map(|free| (SHARE * free as f64) as u64) }
}

/// Bytes that this program may take in all.
fn available() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = Some(system.available_memory()).filter(|&free| free > 0);
    in_all(machine, limits::left(), resident(&mut system))
}

/// The least of what is free, and what the program holds already: the data that it holds are part of what is
/// asked about.
fn in_all(machine: Option<u64>, limited: Option<u64>, held: u64) -> Option<u64> {
    Some(machine.into_iter().chain(limited).min()? + held)
}

/// Bytes that this program has.
fn resident(system: &mut System) -> u64 {
    let Ok(own) = sysinfo::get_current_pid() else { return 0 };
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, what);
    system.process(own).map_or(0, sysinfo::Process::memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        let require = |needed, most| require("the training", needed, most, &[]);
        assert!(require(5 << 20, 5).is_ok());
        let failure = require((5 << 20) + 1, 5).unwrap_err();
        assert_eq!(
            failure.what(),
            "the training takes about 5.0 MiB of memory, but may take 5.0 MiB (as --max-memory says)"
        );
        assert_eq!(failure.hint_text(), Some("it would fit with --max-memory 6, if there is as much"));
        assert!(fits(5 << 20, 5) && !fits((5 << 20) + 1, 5) && fits(1, 0) && !fits(1 << 60, 0));
        assert!(require(1, 0).is_ok());
        assert!(require(1 << 60, 0).unwrap_err().what().ends_with("(80 % of what is free)"));
    }

    /// Data that are in memory are asked about with everything else: they must not be missing from what is free
    /// as well.
    #[test]
    fn what_is_held_already_is_not_counted_twice() {
        assert_eq!(in_all(Some(100), None, 30), Some(130));
        assert_eq!(in_all(Some(100), Some(20), 30), Some(50));
        assert_eq!(in_all(None, Some(20), 30), Some(50));
        assert_eq!(in_all(None, None, 30), None);
        let (mut system, size) = (System::new(), 256 << 20);
        let before = resident(&mut system);
        let held = std::hint::black_box(vec![1u8; size]);
        let after = resident(&mut system);
        assert!(after > before + (held.len() as u64) / 2, "{before} and then {after}");
    }

    /// What is said to fit must fit, and one more must not; what cannot be made to fit is not named.
    #[test]
    fn what_is_said_to_fit_is_the_largest_that_does() {
        let needed = |hidden: usize| (1 << 20) + 1000 * hidden as u64;
        let options = [
            MemoryOption::new("--hidden", 1, 50_000, needed),
            MemoryOption::new("--batch-size", 1, 100, |_| 1 << 30),
            MemoryOption::layers(&[400, 200], |layers| 10_000 * layers.iter().sum::<usize>() as u64),
        ];
        let failure = require("the training", needed(50_000), 4, &options).unwrap_err();
        let most = (3 << 20) / 1000;
        assert!(needed(most) <= 4 << 20 && needed(most + 1) > 4 << 20);
        assert_eq!(
            failure.hint_text().unwrap(),
            format!(
                "it would fit with --hidden {most}, or with --layers 279,139, or with --max-memory 49, if there is as much"
            )
        );
    }

    #[test]
    fn samples_that_fit_are_counted() {
        let failure = require_samples("encoding", 2000, 1, |n| (n as u64) << 10).unwrap_err();
        let hint = "1,024 of the 2,000 samples would fit at a time, or all with --max-memory 2, if there is as much";
        assert_eq!(failure.hint_text(), Some(hint));
        assert!(require_samples("encoding", 1024, 1, |n| (n as u64) << 10).is_ok());
        let none = require_samples("encoding", 2000, 1, |_| 2 << 20).unwrap_err();
        assert_eq!(none.hint_text(), Some("it would fit with --max-memory 2, if there is as much"));
    }
}
