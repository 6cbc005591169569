//! The page of the book that lists every verb with its options, `docs/src/options.md`. The test here fails where the
//! page is not what the command line is; `just docs-update` writes it.

use super::Cli;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# Options

Every verb and its options, as `dbn VERB --help` has them. `just docs-update` writes this page from the command line itself.

An option of a verb that trains is one name in three places: the flag `--epochs 30`, the environment variable \
`DBN_EPOCHS=30`, and the line `epochs = 30` of a recipe (`--config FILE`). A flag overrides the environment, the \
environment the recipe, and the recipe the default. `dbn recipe pretrain` prints the defaults as a recipe.

The defaults here are those for the digits of MNIST. For other data, `dbn pretrain` and `dbn stack` take what `dbn check` \
recommends where you set nothing, but for `--scale`, and say so.

In `dbn stack` most options of learning take one value for all layers, or one for each from the bottom: `--epochs 30,30,50`.

";

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('`').enumerate() {
        // Outside of code, `<` would begin a tag.
        let part = if number % 2 == 0 { part.replace('<', "&lt;") } else { format!("`{part}`") };
        out.push_str(&part);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// What stands in the first column.
fn name(arg: &Arg) -> String {
    let value = if arg.get_action().takes_values() {
        arg.get_value_names().unwrap_or_default().join(" ")
    } else {
        String::new()
    };
    let value = value.replace('|', "\\|");
    match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("`-{short}`, `{}`", format!("--{long} {value}").trim()),
        (Some(long), None) => format!("`{}`", format!("--{long} {value}").trim()),
        (None, _) => format!("`{value}`"),
    }
}

/// What an argument does, and what it is worth where nobody gives it.
fn about(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    // The first line ends where what help adds begins.
    let help = match help.split_once("\n\n") {
        Some((line, more)) => format!("{line}. {more}"),
        None => help,
    };
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if values.is_empty() || !arg.get_action().takes_values() {
        cell(&help)
    } else {
        cell(&format!("{help} [default: {}]", values.join(",")))
    }
}

/// A verb with its options, under their headings.
fn verb(page: &mut String, words: &str, command: &Command) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(
        page,
        "## {words}\n\n{}.\n\n",
        about.trim_end_matches('.').split("\n\n").map(cell).collect::<Vec<_>>().join(".\n\n")
    );
    let args: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !arg.is_global_set() && arg.get_id() != "help")
        .collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in &args {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        let _ = write!(page, "| {} | |\n|---|---|\n", heading.unwrap_or("Arguments"));
        for arg in args.iter().filter(|arg| arg.get_help_heading() == heading) {
            let _ = writeln!(page, "| {} | {} |", name(arg), self::about(arg));
        }
        page.push('\n');
    }
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        verb(page, &format!("{words} {}", inner.get_name()), inner);
    }
}

#[test]
fn the_page_of_options_is_that_of_the_command_line() {
    let mut page = HEAD.to_string();
    let command = Cli::command();
    page.push_str("## Of every verb\n\n| | |\n|---|---|\n");
    for arg in command.get_arguments().filter(|arg| arg.is_global_set()) {
        let _ = writeln!(page, "| {} | {} |", name(arg), about(arg));
    }
    page.push('\n');
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        verb(&mut page, &format!("dbn {}", inner.get_name()), inner);
    }
    let page = format!("{}\n", page.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/options.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == page,
        "docs/src/options.md is old: run `just docs-update`"
    );
}
