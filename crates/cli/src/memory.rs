//! Whether a training fits the memory of the machine, asked before it starts.

use crate::failure::{Failure, Result};
use crate::report::bytes;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Share of the free memory that a training may take where nobody says more.
const SHARE: f64 = 0.8;

/// Refuses a training that takes `needed` bytes, where `most` MiB are allowed, or, if that is 0,
/// a share of what is free.
pub(crate) fn require(needed: u64, most: u32) -> Result<()> {
    let Some(allowed) = allowed(most).filter(|&allowed| needed > allowed) else { return Ok(()) };
    let said = if most == 0 { "80 % of what is free" } else { "as --max-memory says" };
    Err(Failure::new(format!(
        "the training takes about {} of memory, but may take {} ({said})",
        bytes(needed),
        bytes(allowed)
    )))
}

/// Whether so much is allowed.
pub(crate) fn fits(needed: u64, most: u32) -> bool {
    allowed(most).is_none_or(|allowed| needed <= allowed)
}

/// Bytes that are allowed; a system that does not tell what is free cannot be asked.
fn allowed(most: u32) -> Option<u64> {
    if most > 0 { Some(u64::from(most) << 20) } else { available().map(|free| (SHARE * free as f64) as u64) }
}

/// Bytes that are free, for this process as far as it is confined to a part of the machine.
fn available() -> Option<u64> {
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()));
    let machine = system.available_memory();
    let free = system.cgroup_limits().map_or(machine, |limits| machine.min(limits.free_memory));
    (free > 0).then_some(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        assert!(require(5 << 20, 5).is_ok());
        let failure = require((5 << 20) + 1, 5).unwrap_err();
        assert_eq!(
            failure.what(),
            "the training takes about 5.0 MiB of memory, but may take 5.0 MiB (as --max-memory says)"
        );
        assert!(fits(5 << 20, 5) && !fits((5 << 20) + 1, 5) && fits(1, 0) && !fits(1 << 60, 0));
        assert!(require(1, 0).is_ok());
        assert!(require(1 << 60, 0).unwrap_err().what().ends_with("(80 % of what is free)"));
    }
}
