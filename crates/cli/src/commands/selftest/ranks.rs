//! What a self-test says of the ranks: the library that they speak by, and how fast it adds up.

use crate::failure::Result;
use crate::machine::ranks;
use serde::Serialize;
use std::fmt::Write;
use std::time::Instant;

/// Weights of layers whose sums are timed: those of a small one, of 784 x 500, of 784 x 500 with 2,000 above, and of
/// ten million weights.
const SIZES: [usize; 4] = [1 << 10, 784 * 500, 500 * 2000, 10_000_000];

/// Sums of each size; the median counts.
const TIMES: usize = 7;

/// The ranks.
#[derive(Serialize)]
pub(super) struct Launched {
    launcher: &'static str,
    ranks: usize,
    library: String,
    abi: String,
    version: String,
    sums: Vec<Sum>,
    /// Ranks of which a check failed, and which.
    pub(super) failed: Vec<(usize, String)>,
}

/// How long an all-reduce of so many bytes takes.
#[derive(Serialize)]
struct Sum {
    bytes: usize,
    seconds: f64,
}

/// The ranks, where there are several; `failed` are the checks of this one that failed.
pub(super) fn ranks(failed: &[&'static str]) -> Result<Option<Launched>> {
    let Some(launcher) = ranks::started_by() else { return Ok(None) };
    let group = ranks::group();
    let all = group.gather(failed.join(", ").as_bytes())?;
    let named = |(rank, checks): (usize, &Vec<u8>)| {
        (!checks.is_empty()).then(|| (rank, String::from_utf8_lossy(checks).into_owned()))
    };
    let failed = all.iter().enumerate().filter_map(named).collect();
    let sums = SIZES.into_iter().map(time).collect::<Result<_>>()?;
    let (library, abi, version) = ranks::library_in_words();
    Ok(Some(Launched { launcher: launcher.name, ranks: launcher.ranks, library, abi, version, sums, failed }))
}

/// The median time of sums of so many numbers, which must come out right.
fn time(count: usize) -> Result<Sum> {
    let group = ranks::group();
    let (rank, ranks) = (group.rank() as i32, group.size() as i32);
    let mut values = vec![0; count];
    let mut seconds = Vec::new();
    for _ in 0..TIMES {
        values.fill(rank + 1);
        group.barrier()?;
        let started = Instant::now();
        group.sum(&mut values)?;
        seconds.push(started.elapsed().as_secs_f64());
        if values.iter().any(|&sum| sum != ranks * (ranks + 1) / 2) {
            return Err(crate::failure::Failure::new("the ranks' sums are wrong: do not trust this MPI library"));
        }
    }
    seconds.sort_by(f64::total_cmp);
    Ok(Sum { bytes: 4 * count, seconds: seconds[TIMES / 2] })
}

impl Launched {
    pub(super) fn describe(&self, text: &mut String) {
        let Self { launcher, ranks, library, abi, version, sums, failed } = self;
        let _ = writeln!(text, "ranks   {ranks}, started by {launcher}");
        let _ = writeln!(text, "library {library}, {abi}: {version}");
        for Sum { bytes, seconds } in sums {
            let _ = writeln!(text, "sums    of {:>8} KiB over all ranks take {:.3} ms", bytes >> 10, 1e3 * seconds);
        }
        for (rank, checks) in failed {
            let _ = writeln!(text, "FAILED  on rank {rank}: {checks}");
        }
    }
}
