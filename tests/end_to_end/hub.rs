//! The Hugging Face Hub, by a server of its own: what is pushed comes back, models and data are
//! used by their addresses, and refusals are reported.

#[allow(dead_code, reason = "its failures are for the tests of the crate")]
#[path = "../../crates/hub/tests/suite/server.rs"]
mod server;

use crate::{Place, SMALL, stderr};
use serde_json::{Value, json};
use server::{Fault, Server};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Cargo builds the programs of its own package for a test, and all where it tests the workspace.
fn build_the_other_program() {
    static BUILT: std::sync::Once = std::sync::Once::new();
    BUILT.call_once(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_dbn")).parent().unwrap();
        if folder.join(format!("dbn-hub{}", std::env::consts::EXE_SUFFIX)).is_file() {
            return;
        }
        let profile = if folder.ends_with("debug") { "dev".as_ref() } else { folder.file_name().unwrap() };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--workspace", "--bin", "dbn-hub", "--profile"]).arg(profile);
        cargo.arg("--target-dir").arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().unwrap().success());
    });
}

impl Place {
    /// `dbn` as run by a user of this Hub with this token.
    fn command_at(&self, server: &Server, token: &str, words: &str) -> Command {
        build_the_other_program();
        let mut command = self.command(words);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HF_") {
                command.env_remove(name);
            }
        }
        command.env("HF_ENDPOINT", &server.endpoint).env("HF_HOME", self.path("home")).env("HF_TOKEN", token);
        command
    }

    fn at(&self, server: &Server, token: &str, words: &str) -> Output {
        self.command_at(server, token, words).output().unwrap()
    }

    fn ok_at(&self, server: &Server, words: &str) -> String {
        let output = self.at(server, "hf_write", words);
        assert!(output.status.success(), "dbn {words}\n{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The files of a run go up and come back, and are the same to every verb.
#[test]
fn a_run_pushed_and_pulled_is_the_same_to_the_byte() {
    let (place, server) = (Place::new(), Server::start());
    place.stack("deep", "");
    let page = place.ok_at(&server, "push deep me/digits --private --license mit");
    assert_eq!(page, format!("{}/me/digits\n", server.endpoint));
    assert!(server.is_private("models/me/digits"));
    place.ok_at(&server, "pull me/digits --out back");
    for file in ["model.safetensors", "config.toml", "metrics.jsonl", "layer-1.curves.svg"] {
        assert_eq!(place.read(&format!("back/{file}")), place.read(&format!("deep/{file}")), "{file}");
    }
    let pushed = server.files("models/me/digits");
    assert!(!pushed.keys().any(|name| name.contains("state") || name == "layers.safetensors"), "{:?}", pushed.keys());
    assert_eq!(place.text("back/README.md").as_bytes(), pushed["README.md"]);

    let named = place.at(&server, "hf_read", "classify hf:me/digits --split train --json");
    let refused = "error: hf:me/digits names 'csv:bits.csv' as its data, which are opened only if you say so";
    assert!(
        stderr(&named).starts_with(refused) && stderr(&named).contains("--data csv:bits.csv"),
        "{}",
        stderr(&named)
    );
    let by_address = place.ok_at(&server, "classify hf:me/digits --split train --json --data csv:bits.csv");
    assert_eq!(by_address, place.ok("classify deep --split train --json"));
    let refused = place.at(&server, "hf_write", "pull me/digits --out back");
    assert!(stderr(&refused).starts_with("error: back is there already\n"), "{}", stderr(&refused));
}

/// The page goes up beside the model and as a Space of its own; a model that has none is refused before anything is sent.
#[test]
fn a_space_shows_the_page_of_the_model() {
    let (place, server) = (Place::new(), Server::start());
    place.stack("deep", "");
    place.ok("page deep --out expected.html");
    let pushed = place.ok_at(&server, "push deep me/digits --space --private --license mit");
    assert_eq!(pushed, format!("{0}/me/digits\n{0}/spaces/me/digits\n", server.endpoint));
    assert!(server.is_private("spaces/me/digits"));
    let (model, space) = (server.files("models/me/digits"), server.files("spaces/me/digits"));
    assert_eq!(space.keys().collect::<Vec<_>>(), ["README.md", "index.html"]);
    assert!(space["index.html"] == place.read("expected.html") && model["page.html"] == space["index.html"]);
    assert!(String::from_utf8_lossy(&model["README.md"]).contains("- [page html](page.html)"));
    let card = String::from_utf8_lossy(&space["README.md"]);
    let front = "---\ntitle: \"digits\"\nsdk: static\nlicense: mit\nmodels:\n- me/digits\n---\n";
    assert!(card.starts_with(front), "{card}");

    std::fs::write(place.path("deep/page.html"), "<!doctype html>mine").unwrap();
    place.ok_at(&server, "push deep me/other --space");
    assert_eq!(server.files("spaces/me/other")["index.html"], b"<!doctype html>mine");

    place.train("relu", "--hidden-units relu");
    server.requests();
    let refused = place.at(&server, "hf_write", "push relu me/relu --space");
    let said = stderr(&refused);
    assert!(said.contains("the page knows Bernoulli units, and the top units of the model are relu"), "{said}");
    assert!(said.contains("hint: push the model alone, without --space"), "{said}");
    assert!(server.requests().is_empty(), "nothing was sent");
}

/// The card of a net on small data; its hash and figures depend on the training alone.
#[test]
fn the_card_reads_as_approved() {
    let (place, server) = (Place::new(), Server::start());
    place.stack("deep", "");
    place.ok("eval -q deep --layer-draws 50 --out deep/evaluation.json");
    place.ok_at(&server, "push deep me/digits --license mit");
    insta::assert_snapshot!("card", String::from_utf8(server.files("models/me/digits")["README.md"].clone()).unwrap());
}

#[test]
fn a_data_set_of_the_hub_trains_like_the_file_it_is() {
    let (place, server) = (Place::new(), Server::start());
    server.put("datasets/u/bits", false, &[("bits.csv", &place.read("bits.csv"))]);
    place.train("local", "");
    place.ok_at(&server, &format!("pretrain -q --out remote {SMALL} --data hf:u/bits:bits.csv"));
    let hash = |run: &str| place.json(&format!("show {run} --json"))["header"]["provenance"]["dataset_sha256"].clone();
    assert_eq!(hash("local"), hash("remote"));
    // The cache is enough from now on.
    let mut offline = place.command(&format!("pretrain -q --out again {SMALL} --data hf:u/bits:bits.csv"));
    offline.env("HF_HOME", place.path("home")).env("HF_HUB_OFFLINE", "1").env_remove("HF_HUB_CACHE");
    let output = offline.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.read("again/model.safetensors"), place.read("remote/model.safetensors"));
}

#[test]
fn what_the_hub_refuses_is_told_in_words() {
    let (place, server) = (Place::new(), Server::start());
    place.train("run", "");
    server.put("models/u/closed", true, &[("model.safetensors", &place.read("run/model.safetensors"))]);
    let endpoint = &server.endpoint;
    let said = |token: &str, words: &str| {
        let output = place.at(&server, token, words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        stderr(&output).replace(endpoint.as_str(), "ENDPOINT")
    };
    let closed = "error: ENDPOINT shows no model u/closed: either there is none, or it is private and";
    assert_eq!(said("", "pull u/closed"), format!("{closed} there is no token (HF_TOKEN, or `hf auth login`)\n"));
    assert_eq!(said("hf_other", "pull u/closed"), format!("{closed} the token does not open it\n"));
    assert!(said("", "show hf:u/closed").contains("shows no model u/closed"));
    assert!(said("", "push run me/run").contains("error: pushing to me/run needs a token"));
    assert!(said("hf_read", "push run me/run").contains("error: me/run is not open to this token"));
    assert!(said("", "pull closed").contains("expected user/repo[@revision][:file]"));
    assert!(said("", "pretrain --data hf:u/none").contains("shows no data set u/none"));
    assert!(place.at(&server, "hf_read", "pull u/closed --out deep/er").status.success());
}

/// A name with a line break used to be remembered as two, of which the second was taken for a file of the
/// cache, wherever it was, and copied onto itself.
#[test]
fn a_pull_empties_no_file_of_the_user() {
    let (place, server) = (Place::new(), Server::start());
    std::fs::write(place.path("theirs"), "theirs").unwrap();
    let odd = format!("x\n{}", place.path("theirs").display());
    server.put("models/u/m", false, &[("README.md", b"# A model"), (&odd, b"")]);
    place.ok_at(&server, "pull u/m --out one");
    server.fail("revision", Fault::Status(503), 100);
    place.ok_at(&server, "pull u/m --out two");
    assert_eq!(place.text("theirs"), "theirs");
    assert_eq!(std::fs::read_dir(place.path("two")).unwrap().count(), 1);
}

/// What is copied into the folder does not fit; the cache holds all of it.
#[cfg(unix)]
#[test]
fn a_pull_onto_a_full_disk_leaves_nothing() {
    use crate::disk::{failed, limited};
    let (place, server) = (Place::new(), Server::start());
    server.put("models/u/m", false, &[("README.md", b"# A model"), ("model.safetensors", &vec![0; 100_000])]);
    place.ok_at(&server, "pull u/m --out first");
    let before = place.listing();
    let output = limited(&place.command_at(&server, "", "pull u/m --out back"), 100);
    failed(&output, &["cannot write back/model.safetensors", "large"]);
    assert_eq!(place.listing(), before);
    place.ok_at(&server, "pull u/m --out back");
}

/// A run folder may be a stranger's: its links and pipes are not followed.
#[cfg(unix)]
#[test]
fn a_push_stays_in_its_folder() {
    use std::os::unix::fs::symlink;
    let (place, server) = (Place::new(), Server::start());
    place.train("run", "");
    std::fs::write(place.path("secret"), "`dbn secret`").unwrap();
    for name in ["notes.svg", "evaluation.json", "config.toml"] {
        let _ = std::fs::remove_file(place.path(&format!("run/{name}")));
        symlink(place.path("secret"), place.path(&format!("run/{name}"))).unwrap();
    }
    symlink("filters.png", place.path("run/inside.png")).unwrap();
    std::fs::write(place.path("run/page.html"), "<!doctype html>").unwrap();
    assert!(Command::new("mkfifo").arg(place.path("run/pipe.png")).status().unwrap().success());
    let output = place.at(&server, "hf_write", "push run me/run");
    assert!(output.status.success(), "{}", stderr(&output));
    for name in ["notes.svg", "evaluation.json", "config.toml", "pipe.png"] {
        assert!(stderr(&output).contains(&format!("{name} is not pushed")), "{name}: {}", stderr(&output));
    }
    let pushed = server.files("models/me/run");
    assert!(!pushed.values().any(|bytes| bytes.windows(6).any(|part| part == b"secret")), "{:?}", pushed.keys());
    assert_eq!(pushed["inside.png"], place.read("run/filters.png"));
    assert_eq!(pushed["page.html"], b"<!doctype html>");
    let card = String::from_utf8_lossy(&pushed["README.md"]);
    assert!(card.contains("- [page html](page.html)"), "{card}");

    std::fs::rename(place.path("run/model.safetensors"), place.path("other.safetensors")).unwrap();
    symlink(place.path("other.safetensors"), place.path("run/model.safetensors")).unwrap();
    let refused = place.at(&server, "hf_write", "push run me/run");
    assert!(stderr(&refused).contains("error: run/model.safetensors leads out of run"), "{}", stderr(&refused));
}

/// Changes the JSON that a checkpoint says of itself.
fn with_header(checkpoint: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (length, rest) = checkpoint.split_at(8);
    let (text, tensors) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut all: Value = serde_json::from_slice(text).unwrap();
    let mut header: Value = serde_json::from_str(all["__metadata__"]["deepbelief"].as_str().unwrap()).unwrap();
    change(&mut header);
    all["__metadata__"]["deepbelief"] = header.to_string().into();
    let mut text = all.to_string();
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), tensors].concat()
}

/// Whatever a checkpoint and its folder say, the card has the headings, links and commands that it is to have.
#[test]
fn text_of_strangers_is_text_on_the_card() {
    const ODD: &str = "a`b``c\r\n\n# Owned\n\n<img src=x onerror=y>|![x](http://evil)\n---\n```sh\nrm -rf ~\n```\n";
    let (place, server) = (Place::new(), Server::start());
    place.train("run", "");
    let model = with_header(&place.read("run/model.safetensors"), |header| {
        let provenance = &mut header["provenance"];
        for key in ["crate_version", "dataset", "dataset_sha256"] {
            provenance[key] = ODD.into();
        }
        provenance["recipe"]["data"] = format!("csv:{ODD}").into();
        provenance["figures"][ODD] = 0.5.into();
    });
    std::fs::write(place.path("run/model.safetensors"), &model).unwrap();
    std::fs::write(place.path("run/config.toml"), "# `rm -rf ~; dbn stack --config`\n").unwrap();
    std::fs::rename(place.path("run/filters.png"), place.path("run/x](evil) <b>.png")).unwrap();
    std::fs::write(place.path("run/no:name\n.png"), "").unwrap();
    let estimate = json!({"value": -1.0, "low": -2.0, "high": ODD});
    let evaluation = json!({"checkpoint_sha256": server::sha256(&model), "samples": ODD, "split": ODD, "data": ODD,
        "binarize": ODD, "log_likelihood": {"exact": estimate}});
    std::fs::write(place.path("run/evaluation.json"), evaluation.to_string()).unwrap();
    place.ok_at(&server, "push run me/run");
    let card = String::from_utf8(server.files("models/me/run")["README.md"].clone()).unwrap();

    let mut outside = String::new();
    for (i, block) in card.split("\n```").enumerate() {
        if i % 2 == 0 {
            outside.push_str(block);
        }
    }
    let headings: Vec<&str> = outside.lines().filter(|line| line.starts_with('#')).collect();
    let expected = [
        "# run",
        "## Where it comes from",
        "## Log-likelihood",
        "## Figures of the last epoch",
        "## Pages",
        "## Pictures",
        "## How to use it",
    ];
    assert_eq!(headings, expected, "{card}");
    // Code spans of the same odd text begin and end with four backticks.
    let text: String = outside.split("````").step_by(2).collect();
    for markup in ['<', '>'] {
        assert!(!text.contains(markup), "{text}");
    }
    assert!(!text.contains("http://") && text.contains("![x evil b](x%5D%28evil%29%20%3Cb%3E.png)"), "{text}");
    assert!(!card.lines().any(|line| line.trim_start().starts_with("rm ")), "{card}");
}

/// `dbn` in a folder of its own, with a script there instead of `dbn-hub`, if one is given.
#[cfg(unix)]
fn alone(place: &Place, script: Option<&str>, words: &str) -> Command {
    use std::os::unix::fs::PermissionsExt;
    let program = place.path("alone/dbn");
    if !program.exists() {
        std::fs::create_dir_all(place.path("alone")).unwrap();
        std::fs::hard_link(env!("CARGO_BIN_EXE_dbn"), &program)
            .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_dbn"), &program).map(|_| ()))
            .unwrap();
    }
    if let Some(script) = script {
        let other = place.path("alone/dbn-hub");
        std::fs::write(&other, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(program);
    command.args(words.split(' ')).current_dir(place.folder.path());
    command
}

#[cfg(unix)]
#[test]
fn without_the_other_program_dbn_says_how_to_get_it() {
    let place = Place::new();
    for words in ["pull u/m", "show hf:u/m", "pretrain --data hf:u/d"] {
        let output = alone(&place, None, words).env("PATH", "").output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("cannot run dbn-hub, the part of dbn that speaks to the Hub"), "{said}");
        assert!(said.contains("cargo build --release -p dbn-hub"), "{said}");
    }
}

/// What the other program says and how it ends is what `dbn` says and how it ends; uploads are not reported.
#[cfg(unix)]
#[test]
fn the_other_program_speaks_for_dbn() {
    let place = Place::new();
    let script = r#"echo '{"level":"INFO","message":"fetching x"}' >&2; echo '{"level":"DEBUG","message":"y"}' >&2
echo "$HF_XET_TELEMETRY_ENABLED $*" >&2
echo '{"refused":{"what":"no such","causes":["a","b"],"hint":"try"}}'; exit 2"#;
    let output = alone(&place, Some(script), "pull u/m").env_remove("HF_XET_TELEMETRY_ENABLED").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        stderr(&output),
        format!(
            "fetching x\nwarning: dbn-hub: 0 --for {version} pull -- u/m runs/m\nerror: no such\n  cause: a\n  cause: b\n  \
             hint: try\n"
        )
    );
    let output = alone(&place, Some("exit 130"), "pull u/m").output().unwrap();
    assert_eq!((output.status.code(), &*stderr(&output)), (Some(130), ""));
    let output = alone(&place, Some("exit 7"), "pull u/m").output().unwrap();
    assert!(stderr(&output).contains("error: dbn-hub ended without an answer (exit status: 7)"), "{}", stderr(&output));
}

/// However `dbn` ends, the other program sees the end of its input.
#[cfg(unix)]
#[test]
fn the_other_program_ends_with_dbn() {
    let place = Place::new();
    let script = "echo begun > begun; while read -r line; do :; done; echo over > over";
    let mut child = alone(&place, Some(script), "pull u/m").stderr(Stdio::null()).spawn().unwrap();
    let appears = |name: &str| {
        for _ in 0..2000 {
            if place.path(name).exists() {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        false
    };
    assert!(appears("begun") && !place.path("over").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(appears("over"));
}
