//! `dbn`: restricted Boltzmann machines and deep belief nets from the command line. The program is [`run()`], so that
//! others can carry it: the Python package does.
//!
//! Data flows from `args` (what was typed) through `settings` (what it means) into the `commands`; all output leaves
//! through `report`.

mod args;
mod commands;
mod data;
pub mod embedded;
mod failure;
mod hub;
mod machine;
mod model;
mod options;
mod pictures;
mod report;
mod reporting;
mod results;
mod run;
mod sequences;
mod settings;
mod toml_file;

use args::Command;
use machine::{interrupt, threads};
use report::Report;
use std::ffi::OsString;

/// Exit code of a program that could not do what it was asked to.
const ERROR: u8 = 2;

/// Runs the program as the command line `args` asks, the program's name first; its exit code.
///
/// It is for a process of its own: it catches signals, starts rayon's global threads, and ends the process where an
/// interrupt does.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    let cli = match args::parsed(&words) {
        Ok(cli) => cli,
        Err(usage) => {
            // With nowhere to print, the exit code is all that can be said.
            let _unprinted = usage.print();
            return u8::try_from(usage.exit_code()).unwrap_or(ERROR);
        }
    };
    let report = Report::start(cli.log);
    let result = interrupt::start()
        .and_then(|()| if cli.command.has_threads() { Ok(()) } else { threads::bind(0) })
        .and_then(|()| execute(&cli.command, &report));
    result.unwrap_or_else(|failure| {
        report.failure(&failure);
        ERROR
    })
}

/// What was asked for; the program's exit code.
fn execute(command: &Command, report: &Report) -> failure::Result<u8> {
    match command {
        Command::Pretrain(args) => run::run::<commands::Pretrain>(args, report),
        Command::Stack(args) => commands::stack(args, report),
        Command::Tune(args) => run::run::<commands::Tune>(args, report),
        Command::Finetune(args) => run::run::<commands::Finetune>(args, report),
        Command::Recipe(args) => commands::recipe(args, report).map(|()| 0),
        Command::Show(args) => commands::show(args, report).map(|()| 0),
        Command::Reconstruct(args) => commands::reconstruct(args, report).map(|()| 0),
        Command::Encode(args) => commands::encode(args, report).map(|()| 0),
        Command::Classify(args) => commands::classify(args, report).map(|()| 0),
        Command::Sample(args) => commands::sample(args, report).map(|()| 0),
        Command::Page(args) => commands::page(args, report).map(|()| 0),
        Command::Eval(args) => commands::eval(args, report).map(|()| 0),
        Command::Score(args) => commands::score(args, report).map(|()| 0),
        Command::Contacts(args) => commands::contacts(args, report).map(|()| 0),
        Command::Quality(args) => commands::quality(args, report).map(|()| 0),
        Command::Thermodynamics(args) => commands::thermodynamics(args, report).map(|()| 0),
        Command::Impute(args) => commands::impute(args, report).map(|()| 0),
        Command::Export(args) => commands::export(args, report).map(|()| 0),
        Command::Import(args) => commands::import(args).map(|()| 0),
        Command::Pull(args) => commands::pull(args).map(|()| 0),
        Command::Push(args) => commands::push(args, report).map(|()| 0),
        Command::Check(args) => commands::check(args, report),
        Command::Data(command) => commands::data(command, report).map(|()| 0),
        Command::Report(args) => commands::report(args, report).map(|()| 0),
        Command::Runs(args) => commands::runs(args, report).map(|()| 0),
        Command::Compare(args) => commands::compare(args, report).map(|()| 0),
        Command::Selftest(args) => commands::selftest(args, report),
        Command::Completions(args) => commands::completions(args, report).map(|()| 0),
        Command::Man(args) => commands::man(args, report).map(|()| 0),
    }
}
