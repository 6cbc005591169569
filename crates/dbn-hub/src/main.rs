//! `dbn-hub`: what `dbn` runs to speak to the Hugging Face Hub, so that a program that trains holds no
//! network code. What the two say to each other is in [`deepbelief_hub::program`].

use clap::{Parser, Subcommand};
use deepbelief_hub::program::{Push, Refused, VERSION};
use deepbelief_hub::{Address, Error, Hub, Kind, Settings, unfinished};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Exit code of a program that could not do what it was asked to.
const ERROR: u8 = 2;

/// Exit code of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// The part of dbn that speaks to the Hugging Face Hub; dbn runs it for `dbn pull`, `dbn push` and hf: names
#[derive(Parser)]
#[command(name = "dbn-hub", version)]
struct Cli {
    /// Version of the dbn that asks; then the end of standard input ends this program
    #[arg(long = "for", value_name = "VERSION")]
    asked_by: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Fetch the checkpoint of a model into the cache
    Model {
        /// The repository
        #[arg(value_name = "USER/REPO[@REVISION][:FILE]")]
        address: Address,
    },
    /// Fetch a data set into the cache
    Dataset {
        /// The repository
        #[arg(value_name = "USER/REPO[@REVISION][:FILE]")]
        address: Address,
    },
    /// Copy a model into a new folder
    Pull {
        /// The repository
        #[arg(value_name = "USER/REPO[@REVISION][:FILE]")]
        address: Address,
        /// The folder
        #[arg(value_name = "DIR")]
        out: PathBuf,
    },
    /// Push the files that the first line of standard input lists, as JSON
    Push {
        /// The repository
        #[arg(value_name = "USER/REPO")]
        repo: String,
    },
}

fn main() -> ExitCode {
    let ours = Targets::new().with_targets(["dbn_hub", "deepbelief_hub"].map(|target| (target, LevelFilter::DEBUG)));
    let messages = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(LevelFilter::DEBUG);
    messages.json().flatten_event(true).finish().with(ours).init();
    let cli = Cli::parse();
    let (code, answer) = match run(&cli) {
        Ok(answer) => (ExitCode::SUCCESS, answer),
        Err(refused) => (ExitCode::from(ERROR), json!({ "refused": refused })),
    };
    // Whoever asked and is gone needs no answer.
    let _ = writeln!(std::io::stdout(), "{answer}");
    code
}

/// Does what is asked for; returns the answer.
fn run(cli: &Cli) -> Result<Value, Refused> {
    if let Some(version) = cli.asked_by.as_ref().filter(|version| *version != VERSION) {
        return Err(Refused {
            what: format!("this is dbn-hub {VERSION}, and dbn is {version}"),
            causes: Vec::new(),
            hint: Some("install both from the same sources".into()),
        });
    }
    let push = match &cli.verb {
        Verb::Push { .. } => Some(request()?),
        _ => None,
    };
    let half_done = match &cli.verb {
        Verb::Pull { out, .. } => unfinished(out).ok(),
        _ => None,
    };
    stop_when_told(half_done, cli.asked_by.is_some())?;
    answer(&cli.verb, push)
}

fn answer(verb: &Verb, push: Option<Push>) -> Result<Value, Refused> {
    let hub = Hub::new(Settings::from_env()).map_err(|error| Refused::because(&error))?;
    match verb {
        Verb::Model { address } => told(hub.model(address)),
        Verb::Dataset { address } => told(hub.dataset(address)),
        Verb::Pull { address, out } => told(hub.pull(Kind::Model, address, out)),
        Verb::Push { repo } => {
            let Push { kind, private, message, files } = push.unwrap_or_default();
            told(hub.push(kind, repo, private, &message, files))
        }
    }
}

/// What came of it as JSON, or why nothing did and what to do about it.
fn told(done: Result<impl Serialize, Error>) -> Result<Value, Refused> {
    let done = done.map_err(|error| {
        let hint = matches!(error, Error::Occupied { .. })
            .then(|| "choose another folder with --out, or remove it; nothing is replaced".into());
        Refused { hint, ..Refused::because(&error) }
    })?;
    serde_json::to_value(done).map_err(|error| Refused::because(&error))
}

/// What is to be pushed.
fn request() -> Result<Push, Refused> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| Refused::because(&error))?;
    serde_json::from_str(&line).map_err(|error| Refused::because(&error))
}

/// Ends the program at an interrupt, or where the program that asked is gone; what is half done is removed.
fn stop_when_told(half_done: Option<PathBuf>, asked: bool) -> Result<(), Refused> {
    let stop = move || {
        if let Some(folder) = &half_done {
            let _ = std::fs::remove_dir_all(folder);
        }
        exit(INTERRUPTED);
    };
    // A file that grows beyond a limit is an error where it is written, as a full disk is.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default())
        .map_err(|error| Refused::because(&error))?;
    ctrlc::set_handler(stop.clone()).map_err(|error| Refused::because(&error))?;
    if asked {
        let watch = move || {
            let mut rest = [0; 1024];
            while std::io::stdin().lock().read(&mut rest).is_ok_and(|n| n > 0) {}
            stop();
        };
        std::thread::Builder::new().spawn(watch).map_err(|error| Refused::because(&error))?;
    }
    Ok(())
}
