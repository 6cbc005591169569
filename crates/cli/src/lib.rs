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
mod laboratory;
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
use machine::{interrupt, ranks, threads};
use report::Report;
use std::ffi::OsString;

/// Exit code of a program that could not do what it was asked to.
const ERROR: u8 = 2;

/// How long a rank waits for rank 0 to say what stops both, and to end it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// Runs the program as the command line `args` asks, the program's name first; its exit code.
///
/// It is for a process of its own: it catches signals, starts rayon's global threads, and ends the process where an
/// interrupt does.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    let launched = ranks::launcher();
    let rank = launched.as_ref().map_or(0, |launcher| launcher.as_ref().map_or(0, |launcher| launcher.rank));
    let cli = match args::parsed(&words) {
        Ok(cli) => cli,
        // Rank 0 says it.
        Err(usage) if rank > 0 => return u8::try_from(usage.exit_code()).unwrap_or(ERROR),
        Err(usage) => {
            // With nowhere to print, the exit code is all that can be said.
            let _unprinted = usage.print();
            return u8::try_from(usage.exit_code()).unwrap_or(ERROR);
        }
    };
    let report = Report::start(cli.log, rank > 0);
    let launched = launched.and_then(|launcher| match (launcher, of_one_process(&cli.command)) {
        (Some(launcher), Some(verb)) => Err(ranks::refused(&launcher, verb)),
        (launcher, _) => Ok(launcher),
    });
    if launched.is_err() && rank > 0 {
        // All ranks find the same, and rank 0 says it.
        return ERROR;
    }
    let place = launched.as_ref().ok().and_then(|launcher| launcher.as_ref()?.place);
    let result = interrupt::start()
        .and(launched)
        .and_then(|launcher| launcher.map_or(Ok(()), ranks::join))
        .and_then(|()| cli.command.threads().map_or(Ok(()), |wanted| threads::bind(wanted as usize)))
        .and_then(|()| execute(&cli.command, &report))
        .and_then(|code| ranks::finish().map(|()| code));
    result.unwrap_or_else(|failure| {
        let failure = match ranks::goes_on() {
            Some(words) => failure.hint(words),
            None => failure,
        };
        // What one cannot start with, all on its machine cannot.
        if ranks::are_several() || rank == 0 || place.is_none_or(|place| place == 0) {
            say(failure, rank, &report);
        }
        ranks::abort(ERROR);
        ERROR
    })
}

/// The verb, where several ranks cannot do it.
fn of_one_process(command: &Command) -> Option<&'static str> {
    match command {
        Command::Pretrain(_)
        | Command::Stack(_)
        | Command::Selftest(_)
        | Command::Encode(_)
        | Command::Eval(_)
        | Command::Sample(_) => None,
        // Scores of mutations are few.
        Command::Score(args) => args.mutations.is_some().then_some("`dbn score --mutations`"),
        Command::Tune(_) => Some("`dbn tune`"),
        Command::Finetune(_) => Some("`dbn finetune`"),
        _ => Some("this verb"),
    }
}

/// Says why the program stops. What stops rank 0 stops the others too, which leave it to say so.
fn say(failure: failure::Failure, rank: usize, report: &Report) {
    if rank > 0 {
        std::thread::sleep(PATIENCE);
        return report.failure(&failure.on_rank(rank));
    }
    report.failure(&failure);
    if ranks::are_several() {
        // The launcher passes it on before it ends all.
        std::thread::sleep(PATIENCE / 10);
    }
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
