//! Options of the machine.

use clap::Args;

/// How much of the machine a verb takes that does not train.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct MachineArgs {
    /// Threads; 0: one a core
    #[arg(long, env = "DBN_THREADS", hide_env = true, value_name = "N", default_value_t = 0)]
    pub(crate) threads: u32,
    /// Memory limit in MiB; 0: 80 % of what is free
    #[arg(long, env = "DBN_MAX_MEMORY", hide_env = true, value_name = "MIB", default_value_t = 0)]
    pub(crate) max_memory: u32,
}
