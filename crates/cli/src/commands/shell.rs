//! `dbn completions` and `dbn man`: the command line as shells and manuals have it, both made of
//! its definition in [`crate::args`].

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::commands::files::write_file;
use crate::failure::{Explain, Result};
use crate::report::Report;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// Prints a shell's completions.
pub(crate) fn completions(args: &CompletionsArgs, report: &Report) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dbn", &mut script);
    report.data(&String::from_utf8(script)?)
}

/// Prints the program's page, or writes it and those of the verbs.
pub(crate) fn man(args: &ManArgs, report: &Report) -> Result<()> {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives the verbs the names of their pages, `dbn-stack`.
    program.build();
    let Some(folder) = &args.out else { return report.data(&String::from_utf8(page(&program)?.1)?) };
    std::fs::create_dir_all(folder).or_fail(|| format!("cannot make the folder {}", folder.display()))?;
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        let (name, page) = page(command)?;
        write_file(&folder.join(name), &page)?;
    }
    Ok(())
}

/// A manual page and the name of its file. Examples and tables come last, line by line as they are
/// in the help: left to itself the page would fill its lines with their words.
fn page(command: &Command) -> Result<(String, Vec<u8>)> {
    let notes = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string);
    let command = command.clone().after_help(None).after_long_help(None);
    let man = Man::new(command).source(concat!("dbn ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render(&mut page)?;
    if let Some(notes) = notes {
        let mut section = Roff::new();
        section.control("SH", ["NOTES"]).control("nf", []);
        for line in notes.lines() {
            section.text([roman(line)]);
        }
        section.control("fi", []).to_writer(&mut page)?;
    }
    Ok((man.get_filename(), page))
}
