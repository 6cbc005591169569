//! `dbn selftest`: does this program compute what it should on this machine and this device?

mod checks;
#[cfg(feature = "cuda")]
mod gpu;
mod outcome;
mod ranks;
mod units;
/// There is nothing to check where there is no support.
#[cfg(not(feature = "cuda"))]
mod gpu {
    pub(super) fn checks(_: &candle_core::Device) -> &'static [super::outcome::Check] {
        &[]
    }
}

use crate::args::SelftestArgs;
use crate::failure::Result;
use crate::machine::device::DeviceName;
use crate::report::Report;
use candle_core::Device;
use outcome::{Check, Outcome};
use serde::Serialize;
use std::fmt::Write;
use std::time::Instant;

/// Exit code where a check failed.
const FAILED: u8 = 1;

/// A check as it is reported.
#[derive(Serialize)]
struct Line {
    check: &'static str,
    ok: bool,
    /// `null` where the check could not be made.
    error: Option<f64>,
    limit: f64,
    unit: &'static str,
    /// Why the check could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    seconds: f64,
}

#[derive(Serialize)]
struct Summary {
    ok: bool,
    device: String,
    checks: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ranks: Option<ranks::Launched>,
}

/// Runs every check; returns the program's exit code.
pub(crate) fn selftest(args: &SelftestArgs, report: &Report) -> Result<u8> {
    let device = args.device.open()?;
    let checks: [Check; 13] = [
        ("generator against published numbers", checks::generator),
        ("instruction sets against each other", checks::levels),
        ("kernels against plain loops", checks::kernels),
        ("CD's direction against the exact gradient", checks::gradient),
        ("ln Z by annealing against the exact one", checks::annealing),
        ("training twice against itself", checks::repetition),
        ("all kinds of units: means against sums", units::means),
        ("all kinds: draws against their means", units::draws),
        ("all kinds: gradient against differences", units::gradient),
        ("all kinds: training in double precision", units::training),
        ("all kinds: instruction sets", units::levels),
        ("all kinds: ln Z by annealing", units::annealing),
        ("all kinds: training twice", units::repetition),
    ];
    let lines: Vec<Line> =
        checks.iter().chain(gpu::checks(&device)).map(|(name, check)| line(name, *check, &device)).collect();
    let failed: Vec<_> = lines.iter().filter(|line| !line.ok).map(|line| line.check).collect();
    let ranks = ranks::ranks(&failed)?;
    let ok = failed.is_empty() && ranks.iter().all(|ranks| ranks.failed.is_empty());
    let device = match args.device {
        _ if device.is_cpu() => DeviceName::Cpu,
        DeviceName::Auto => DeviceName::Cuda(0),
        named => named,
    };
    let summary = Summary { ok, device: device.to_string(), checks: lines, ranks };
    report.data(&if args.json { serde_json::to_string(&summary)? + "\n" } else { summary.describe() })?;
    Ok(if ok { 0 } else { FAILED })
}

fn line(check: &'static str, with: fn(&Device) -> Result<Outcome>, device: &Device) -> Line {
    let started = Instant::now();
    let outcome = with(device);
    let seconds = started.elapsed().as_secs_f64();
    match outcome {
        // Written so that NaN fails it.
        Ok(Outcome { error, limit, unit }) => {
            Line { check, ok: error <= limit, error: Some(error), limit, unit, reason: None, seconds }
        }
        Err(failure) => {
            let reason = Some(failure.what().to_string());
            Line { check, ok: false, error: None, limit: 0.0, unit: "", reason, seconds }
        }
    }
}

impl Summary {
    fn describe(&self) -> String {
        let mut text = String::new();
        for Line { check, ok, error, limit, unit, reason, seconds } in &self.checks {
            let verdict = if *ok { "ok" } else { "FAILED" };
            let found = match (error, reason) {
                (_, Some(reason)) => reason.clone(),
                (Some(0.0), _) => format!("0 {unit}"),
                (error, _) => format!("{:.1e} of at most {limit:.0e} {unit}", error.unwrap_or(f64::NAN)),
            };
            let _ = writeln!(text, "{verdict:<7} {check:<42} {found:<40} {seconds:>6.2} s");
        }
        if let Some(ranks) = &self.ranks {
            ranks.describe(&mut text);
        }
        let failed = self.checks.iter().filter(|line| !line.ok).count();
        let device = &self.device;
        let _ = match failed {
            0 => writeln!(text, "all {} checks passed on {device}", self.checks.len()),
            n => writeln!(text, "{n} of {} checks FAILED on {device}: do not trust its results", self.checks.len()),
        };
        text
    }
}
