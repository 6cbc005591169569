//! Options of memory.

use clap::Args;

/// How much memory a model may take that is used.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct MemoryArgs {
    /// Memory limit in MiB; 0: 80 % of what is free
    #[arg(long, env = "DBN_MAX_MEMORY", hide_env = true, value_name = "MIB", default_value_t = 0)]
    pub(crate) max_memory: u32,
}
