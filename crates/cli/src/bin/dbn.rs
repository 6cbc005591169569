//! The program `dbn`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(deepbelief_cli::run(std::env::args_os()))
}
