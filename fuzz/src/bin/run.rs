//! Runs mutated files through every reader, on any toolchain: `run --executions N --seed S [TARGET...]`.
//!
//! There is no instrumentation; what tells a new behaviour is what the reader says: an input whose
//! answer, numbers left out, was not heard before joins the corpus. A panic is caught and its input
//! kept in `findings/`; the allocator ends the program at the limit, and the last input is the file
//! that is named.

use cap::Cap;
use deepbelief_fuzz::{Random, TARGETS, Target, mutate, seeds};
use std::alloc::System;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that all there is may take.
const LIMIT: usize = 256 << 20;

/// Inputs that a corpus grows to.
const CORPUS: usize = 2000;

/// No input of 64 KiB may take longer.
const SLOW: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let (mut executions, mut seed, mut names) = (100_000_u64, 1_u64, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse().ok()).expect("a number");
        match word.as_str() {
            "--executions" => executions = number(),
            "--seed" => seed = number(),
            _ => names.push(word),
        }
    }
    ALLOCATOR.set_limit(LIMIT).expect("a limit above what is allocated");
    // Panics of libraries that their callers catch are no findings, and are many.
    std::panic::set_hook(Box::new(|_| {}));
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." }).expect("a folder");
    println!("in {}, at most {} MiB", folder.path().display(), LIMIT >> 20);
    println!("| target | seeds | corpus | executions | read | seconds | findings |\n|---|---|---|---|---|---|---|");
    let mut findings = 0;
    for target in TARGETS.iter().filter(|target| names.is_empty() || names.iter().any(|name| name == target.name)) {
        findings += hunt(target, folder.path(), executions, seed);
    }
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one reader; returns the number of findings.
fn hunt(target: &Target, folder: &Path, executions: u64, seed: u64) -> usize {
    target.prepare(folder);
    let mut random = Random::new(seed);
    let mut corpus = seeds(target.name);
    let (planted, begun) = (corpus.len(), Instant::now());
    let (mut heard, mut read, mut findings) = (HashSet::new(), 0_u64, 0);
    for execution in 0..executions {
        let bytes = match corpus.get(execution as usize) {
            Some(whole) if (execution as usize) < planted => whole.clone(),
            _ => {
                // What was valid once, as often as what has come of it.
                let from = if random.below(2) == 0 { planted } else { corpus.len() };
                let mut bytes = corpus[random.below(from)].clone();
                mutate(&mut bytes, &random.of(&corpus).clone(), &mut random);
                bytes
            }
        };
        let started = Instant::now();
        let told = catch_unwind(AssertUnwindSafe(|| target.run(folder, &bytes)));
        let slow = started.elapsed() > SLOW;
        let Ok(told) = told else {
            findings += keep(target, &bytes, "panic", findings);
            continue;
        };
        if slow {
            findings += keep(target, &bytes, "slow", findings);
        }
        if (execution as usize) < planted && told.is_err() {
            eprintln!("{}: a seed is refused: {}", target.name, told.clone().unwrap_err());
        }
        read += u64::from(told.is_ok());
        let said = shape(&told.unwrap_or_else(|why| why));
        if corpus.len() < CORPUS && heard.insert(said) && execution as usize >= planted {
            corpus.push(bytes);
        }
    }
    let (name, seconds, grown) = (target.name, begun.elapsed().as_secs_f64(), corpus.len());
    println!("| {name} | {planted} | {grown} | {executions} | {read} | {seconds:.0} | {findings} |");
    findings
}

/// What a reader says, without what it quotes from the input.
fn shape(said: &str) -> String {
    let quoted = |part: &(usize, &str)| part.0 % 2 == 0;
    let own = said.split(['"', '\'', '`']).enumerate().filter(quoted).map(|(_, part)| part);
    own.flat_map(str::chars).filter(char::is_ascii_alphabetic).take(120).collect()
}

/// Keeps an input that something is wrong with.
fn keep(target: &Target, bytes: &[u8], what: &str, number: usize) -> usize {
    let _ = std::fs::create_dir_all("findings");
    if number < 20 {
        let path = format!("findings/{}-{what}-{number}", target.name);
        eprintln!("{path}");
        std::fs::write(path, bytes).expect("a finding is kept");
    }
    1
}
