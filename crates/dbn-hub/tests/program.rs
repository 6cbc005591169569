//! The program as `dbn` runs it, against a server of its own.

#[allow(dead_code, reason = "its failures are for the tests of the library")]
#[path = "../../hub/tests/suite/server.rs"]
mod server;

use deepbelief_hub::program::VERSION;
use serde_json::{Value, json};
use server::{Fault, Server};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the program in `place`, where it finds its cache too.
fn start(server: &Server, place: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbn-hub"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HF_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(place).env("HF_ENDPOINT", &server.endpoint).env("HF_HOME", place.join("home"));
    command.env("HF_TOKEN", "hf_write").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Its exit code, its answer, and the lines of its messages.
fn ended(child: Child) -> (Option<i32>, Value, Vec<Value>) {
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.lines().count() <= 1, "{answer}");
    (output.status.code(), serde_json::from_str(&answer).unwrap_or_default(), messages)
}

#[test]
fn an_answer_is_a_line_of_json() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("models/u/m", false, &[("model.safetensors", b"model")]);
    server.put("datasets/u/d", false, &[("train.parquet", b"1"), ("test.parquet", b"2"), ("dev.parquet", b"3")]);
    let ask = |args: &[&str]| {
        let (code, answer, messages) = ended(start(&server, place.path(), args));
        assert_eq!(code, Some(0), "{answer} {messages:?}");
        (answer, messages)
    };
    let (path, messages) = ask(&["model", "u/m"]);
    assert_eq!(std::fs::read(path.as_str().unwrap()).unwrap(), b"model");
    assert_eq!((&messages[0]["level"], messages.len()), (&json!("INFO"), 1));
    assert!(messages[0]["message"].as_str().unwrap().starts_with("fetching model.safetensors of u/m"));
    let (tables, _) = ask(&["dataset", "hf:u/d"]);
    assert_eq!(tables["unread"], json!(["dev.parquet"]));
    assert_eq!(std::fs::read(tables["test"][0].as_str().unwrap()).unwrap(), b"2");
    let (pulled, _) = ask(&["pull", "u/m", "out"]);
    assert_eq!(pulled["files"], json!(["model.safetensors"]));
    assert!(place.path().join("out/model.safetensors").is_file());
}

#[test]
fn files_are_pushed_as_the_first_line_says() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    std::fs::write(place.path().join("x.bin"), "x").unwrap();
    let mut child = start(&server, place.path(), &["--for", VERSION, "push", "u/m"]);
    let files = json!([["a.bin", {"File": "x.bin"}], ["b.md", {"Bytes": [98]}]]);
    let input = child.stdin.as_mut().unwrap();
    writeln!(input, "{}", json!({"kind": "Model", "private": true, "message": "A model", "files": files})).unwrap();
    let input = child.stdin.take();
    let (code, answer, _) = ended(child);
    drop(input);
    assert_eq!((code, &answer["url"]), (Some(0), &json!(format!("{}/u/m", server.endpoint))), "{answer}");
    let pushed = server.files("models/u/m");
    assert_eq!((&*pushed["a.bin"], &*pushed["b.md"]), (&b"x"[..], &b"b"[..]));
    assert!(server.is_private("models/u/m"));
}

#[test]
fn what_is_refused_has_its_reason_and_a_hint() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    std::fs::write(place.path().join("file"), "").unwrap();
    let refused = |args: &[&str]| {
        let (code, answer, _) = ended(start(&server, place.path(), args));
        assert_eq!(code, Some(2), "{answer}");
        answer["refused"].clone()
    };
    let occupied = refused(&["pull", "u/m", "file"]);
    assert_eq!(occupied["what"], "file is there already");
    assert!(occupied["hint"].as_str().unwrap().starts_with("choose another folder"));
    assert!(refused(&["model", "u/m"])["what"].as_str().unwrap().contains("shows no model u/m"));
    assert_eq!(refused(&["--for", "0.0.0", "model", "u/m"])["hint"], "install both from the same sources");
}

/// Whoever asked was killed: nobody waits for the answer, and what is half done is in the way.
#[test]
fn it_ends_with_the_program_that_asked() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("models/u/m", false, &[("model.safetensors", b"model")]);
    server.fail("revision", Fault::Silent, 100);
    let mut child = start(&server, place.path(), &["--for", VERSION, "pull", "u/m", "out"]);
    let half_done = place.path().join(format!(".dbn-pull-{}.tmp", child.id()));
    std::fs::create_dir(&half_done).unwrap();
    while server.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = Instant::now();
    drop(child.stdin.take());
    let (code, answer, _) = ended(child);
    assert_eq!((code, answer), (Some(130), Value::Null));
    assert!(told.elapsed() < Duration::from_secs(5));
    assert!(!half_done.exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_and_leaves_nothing() {
    let (server, place) = (Server::start(), tempfile::tempdir().unwrap());
    server.put("models/u/m", false, &[("model.safetensors", b"model")]);
    server.fail("revision", Fault::Silent, 100);
    let child = start(&server, place.path(), &["pull", "u/m", "out"]);
    let half_done = place.path().join(format!(".dbn-pull-{}.tmp", child.id()));
    std::fs::create_dir(&half_done).unwrap();
    while server.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(ended(child).0, Some(130));
    assert!(!half_done.exists());
}
