//! The Hugging Face Hub, by the program `dbn-hub` that lies beside this one or on the PATH: see
//! [`deepbelief_hub::program`].

use crate::failure::{Explain, Failure, Result};
use crate::machine::interrupt;
use crate::machine::threads::FEW;
use deepbelief_data::NotFetched;
use deepbelief_hub::program::{Push, Refused, VERSION};
use deepbelief_hub::{Address, Fetched, Pulled, Pushed};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio, exit};

/// The Hub's upload library reports every upload unless this says no.
const TELEMETRY: &str = "HF_XET_TELEMETRY_ENABLED";

/// The path of a model's checkpoint in the Hub's cache.
pub(crate) fn model(address: &str) -> Result<PathBuf> {
    let address: Address = address.parse()?;
    ask("model", &[address.to_string().into()], None)
}

/// The files of a data set in the Hub's cache.
pub(crate) fn dataset(address: &Address) -> std::result::Result<Fetched, NotFetched> {
    let fetched: Result<Fetched> = ask("dataset", &[address.to_string().into()], None);
    fetched.map_err(|failure| {
        let why = [&[failure.what().to_string()], failure.causes()].concat().join(": ");
        failure.hint_text().map_or_else(|| why.clone(), |hint| format!("{why}; {hint}")).into()
    })
}

/// Copies a model into a new folder.
pub(crate) fn pull(address: &Address, out: &Path) -> Result<Pulled> {
    ask("pull", &[address.to_string().into(), out.into()], None)
}

/// Pushes files to a model's repository.
pub(crate) fn push(repo: &str, push: &Push) -> Result<Pushed> {
    ask("push", &[repo.into()], Some(serde_json::to_string(push)?))
}

/// What `dbn-hub` answers when it is run for `verb`, with `request` on its standard input.
fn ask<T: DeserializeOwned>(verb: &str, args: &[OsString], request: Option<String>) -> Result<T> {
    let mut child = start(verb, args)?;
    let relaying = |lines| std::thread::Builder::new().spawn(|| relay(lines));
    let messages = child.stderr.take().map(relaying).transpose();
    let messages = messages.or_fail(|| "cannot start the thread that relays messages".into()).or_hint(|| FEW.into())?;
    // Open until the answer is here: its end would tell the other that this program is gone.
    let mut input = child.stdin.take();
    if let (Some(input), Some(request)) = (&mut input, request) {
        // A program that ends before it has read says why.
        let _ = writeln!(input, "{request}");
    }
    let mut answer = String::new();
    let read = child.stdout.take().map_or(Ok(0), |mut output| output.read_to_string(&mut answer));
    let status = child.wait().or_fail(|| "cannot wait for dbn-hub".into())?;
    drop(input);
    if let Some(messages) = messages {
        let _ = messages.join();
    }
    read.or_fail(|| "cannot read what dbn-hub answers".into())?;
    if status.code() == Some(i32::from(interrupt::EXIT_CODE)) {
        exit(i32::from(interrupt::EXIT_CODE));
    }
    if status.success() {
        return serde_json::from_str(&answer).or_fail(|| "dbn-hub gives no answer of this version".into());
    }
    Err(match serde_json::from_str(&answer) {
        Ok(Answer { refused: Refused { what, causes, hint } }) => {
            let failure = Failure::new(what).because(causes);
            hint.into_iter().fold(failure, Failure::hint)
        }
        Err(_) => Failure::new(format!("dbn-hub ended without an answer ({status})")),
    })
}

/// What `dbn-hub` answers where it cannot do what is asked.
#[derive(Deserialize)]
struct Answer {
    refused: Refused,
}

fn start(verb: &str, args: &[OsString]) -> Result<Child> {
    let name = format!("dbn-hub{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().map(|path| path.with_file_name(&name)).filter(|path| path.is_file());
    let mut command = Command::new(beside.unwrap_or_else(|| name.into()));
    command.args(["--for", VERSION, verb, "--"]).args(args);
    if env::var_os(TELEMETRY).is_none() {
        command.env(TELEMETRY, "0");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
        let missing = error.kind() == ErrorKind::NotFound;
        let failure = Failure::from(error).while_doing("cannot run dbn-hub, the part of dbn that speaks to the Hub");
        if !missing {
            return failure;
        }
        failure.hint(
            "it belongs beside dbn or on the PATH; in the sources, cargo build --release -p dbn-hub puts it beside \
             target/release/dbn, and cargo install --path crates/dbn-hub beside an installed dbn",
        )
    })
}

/// A line of the other program's messages.
#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
}

/// Says what `dbn-hub` says.
fn relay(lines: ChildStderr) {
    for line in BufReader::new(lines).lines().map_while(std::result::Result::ok) {
        let Ok(Message { level, message }) = serde_json::from_str(&line) else {
            tracing::warn!("dbn-hub: {line}");
            continue;
        };
        match level.as_str() {
            "INFO" => tracing::info!("{message}"),
            "DEBUG" | "TRACE" => tracing::debug!("{message}"),
            _ => tracing::warn!("{message}"),
        }
    }
}
