//! Options of the verbs that are about this program itself.

use crate::machine::device::DeviceName;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  dbn completions bash > ~/.local/share/bash-completion/completions/dbn
  dbn completions zsh > ~/.zfunc/_dbn          (a folder of $fpath)
  dbn completions fish > ~/.config/fish/completions/dbn.fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  dbn man | man -l -
  dbn man --out ~/.local/share/man/man1";

pub(super) const SELFTEST_HELP: &str = "\
Examples:
  dbn selftest
  dbn selftest --device cuda:0 --json
  mpirun -n 4 dbn selftest          (and which MPI library, how fast it adds up)";

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Device to check: auto, cpu, or cuda:N, the GPU of that number
    #[arg(long, env = "DBN_DEVICE", hide_env = true, value_name = "DEVICE", default_value_t)]
    pub(crate) device: DeviceName,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Completions to print.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell that is to complete
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Manual pages to print or to write.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write dbn.1 and a page for each verb into this folder [default: print dbn.1]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
