//! The commands that pages show run, and print what stands below them.
//!
//! A block ```` ```console ```` has commands behind `$ ` and what they print. The commands of a page run one after the
//! other in a folder of their own, which has the repository's `models`. Of what is printed every line must come, in
//! this order; `...` stands for any lines, and a number for any number. More words behind `console`:
//!
//! | word | means |
//! |---|---|
//! | `exact` | numbers must be the same |
//! | `fails` | the last command must fail |
//! | `slow` | a training of minutes: it runs for one epoch, and what it prints is not compared |
//! | `small` | the same on small pictures instead of MNIST |
//! | `gpu`, `hub`, `long` | it needs a GPU, the Hub or minutes: only its flags are looked up in the help |
//!
//! A block with `file=NAME` is that file in the folders of all pages. Commands in blocks of other kinds (`sh`) do not
//! run; those of `dbn` may not stand there.

use super::{Block, Page, chapters, root};
use crate::Place;
use std::path::Path;
use std::process::Command;

/// A command and what it is to print.
struct Shown {
    command: String,
    output: Vec<String>,
}

/// The commands of a block.
fn shown(block: &Block) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let mut goes_on = false;
    for line in block.code.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Shown { command: command.to_string(), output: Vec::new() });
        } else if goes_on {
            let last = &mut found.last_mut().unwrap().command;
            last.push('\n');
            last.push_str(line);
        } else if let Some(last) = found.last_mut() {
            last.output.push(line.to_string());
        }
        goes_on = line.ends_with('\\') && (line.starts_with("$ ") || goes_on);
    }
    found
}

/// A line with single blanks, and `#` for every number unless these count.
fn plain(line: &str, exact: bool) -> String {
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if exact {
        return words;
    }
    let mut out = String::new();
    let mut number = false;
    for c in words.chars() {
        let goes_on = c.is_ascii_digit() || number && ".,".contains(c);
        if goes_on && !number {
            out.push('#');
        } else if !goes_on {
            out.push(c);
        }
        number = goes_on;
    }
    out.replace("-#", "#")
}

/// The first line of `expected` that does not come, in order.
fn missing<'a>(expected: &'a [String], output: &str, exact: bool) -> Option<&'a String> {
    let mut lines = output.lines().map(|line| plain(line, exact));
    expected.iter().filter(|line| !line.trim().is_empty() && line.trim() != "...").find(|line| {
        let wanted = plain(line, exact);
        !lines.any(|line| line == wanted)
    })
}

/// Whether a block's trainings are shorter than it says.
fn is_short(block: &Block) -> bool {
    block.is("slow") || block.is("small")
}

/// A folder in which the commands of a page run.
struct Desk {
    place: Place,
}

impl Desk {
    fn new() -> Self {
        let place = Place::new();
        std::os::unix::fs::symlink(root().join("models"), place.path("models")).unwrap();
        for block in chapters().iter().flat_map(Page::blocks) {
            if let Some(name) = block.file() {
                std::fs::write(place.path(name), &block.code).unwrap();
            }
        }
        Self { place }
    }

    /// A command of the shell with `dbn` on its path.
    fn command(&self, words: &str, block: &Block) -> Command {
        let dbn = Path::new(env!("CARGO_BIN_EXE_dbn")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 2>&1; {words}")]).current_dir(self.place.folder.path());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DBN_")) {
            command.env_remove(name);
        }
        command.env("PATH", format!("{}:{path}", dbn.display())).env("COLUMNS", "100");
        if is_short(block) {
            command.envs([("DBN_EPOCHS", "1"), ("DBN_TOP_STEPS", "1x1")]);
        }
        if block.is("small") {
            command.env("DBN_DATA", "idx:bars");
        }
        command
    }

    /// Runs a block; what is wrong with what it did.
    fn run(&self, page: &Page, block: &Block) -> Vec<String> {
        let commands = shown(block);
        let mut wrong = Vec::new();
        for (number, Shown { command, output }) in commands.iter().enumerate() {
            let at = format!("{}:{}: {command}", page.name, block.line);
            let result = self.command(command, block).output().unwrap();
            let printed = String::from_utf8_lossy(&result.stdout).into_owned();
            let must_fail = block.is("fails") && number + 1 == commands.len();
            if result.status.success() == must_fail {
                wrong.push(format!("{at}\n{printed}"));
            } else if !is_short(block)
                && let Some(line) = missing(output, &printed, block.is("exact"))
            {
                wrong.push(format!("{at}\ndid not print\n{line}\nbut\n{printed}"));
            }
        }
        wrong
    }

    /// Flags of a block's commands that the help of their verbs does not have.
    fn unknown_flags(&self, page: &Page, block: &Block) -> Vec<String> {
        let mut wrong = Vec::new();
        for Shown { command, .. } in shown(block).iter().filter(|shown| shown.command.starts_with("dbn ")) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let verb = if words[1] == "data" { "data make" } else { words[1] };
            let help = self.place.ok(&format!("{verb} --help"));
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let name = flag.split('=').next().unwrap();
                if !help.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == name) {
                    wrong.push(format!("{}:{}: {command}: no flag {name}", page.name, block.line));
                }
            }
        }
        wrong
    }
}

/// Runs a page; what is wrong with it.
fn run(page: &Page) -> Vec<String> {
    let (desk, mut wrong) = (Desk::new(), Vec::new());
    for block in page.blocks() {
        if !block.is("console") {
            if block.code.lines().any(|line| line.starts_with("dbn ")) && !block.is("text") {
                wrong.push(format!("{}:{}: commands of dbn stand in blocks of `console`", page.name, block.line));
            }
        } else if ["gpu", "hub", "long"].iter().any(|tag| block.is(tag)) {
            wrong.extend(desk.unknown_flags(page, &block));
        } else {
            wrong.extend(desk.run(page, &block));
        }
    }
    wrong
}

#[test]
fn commands_of_the_readme_run() {
    let wrong = run(&Page::read("README.md"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn commands_of_the_book_run() {
    let wrong: Vec<String> = chapters().iter().flat_map(run).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_a_page_shows_is_compared() {
    let lines = |text: &str| text.lines().map(str::to_string).collect::<Vec<_>>();
    let printed = "epoch 1/2: cost 53.29, 12,000 samples/s\nmodel:   runs/a\n";
    assert_eq!(missing(&lines("epoch 9/9: cost 1.00, 2 samples/s\n...\nmodel: runs/a"), printed, false), None);
    assert_eq!(missing(&lines("model: runs/b"), printed, false).map(String::as_str), Some("model: runs/b"));
    assert!(missing(&lines("epoch 1/2: cost 53.30, 12,000 samples/s"), printed, true).is_some());
    assert!(missing(&lines("model: runs/a\nepoch 1/2: cost 53.29, 12,000 samples/s"), printed, true).is_some());
}
