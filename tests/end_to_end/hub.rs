//! The Hugging Face Hub, by a server of its own: what is pushed comes back, models and data are
//! used by their addresses, and refusals are told.

#[allow(dead_code, reason = "its failures are for the tests of the crate")]
#[path = "../../crates/hub/tests/suite/server.rs"]
mod server;

use crate::{Place, SMALL, stderr};
use server::Server;
use std::process::Output;

impl Place {
    /// Runs `dbn` as a user of this Hub with this token.
    fn at(&self, server: &Server, token: &str, words: &str) -> Output {
        let mut command = self.command(words);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HF_") {
                command.env_remove(name);
            }
        }
        command.env("HF_ENDPOINT", &server.endpoint).env("HF_HOME", self.path("home")).env("HF_TOKEN", token);
        command.output().unwrap()
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
    for file in ["model.safetensors", "config.toml", "metrics.jsonl", "layer-0.curves.svg"] {
        assert_eq!(place.read(&format!("back/{file}")), place.read(&format!("deep/{file}")), "{file}");
    }
    let pushed = server.files("models/me/digits");
    assert!(!pushed.keys().any(|name| name.contains("state") || name == "layers.safetensors"), "{:?}", pushed.keys());
    assert_eq!(place.text("back/README.md").as_bytes(), pushed["README.md"]);

    let by_address = place.ok_at(&server, "classify hf:me/digits --split train --json");
    assert_eq!(by_address, place.ok("classify deep --split train --json"));
    let refused = place.at(&server, "hf_write", "pull me/digits --out back");
    assert!(stderr(&refused).starts_with("error: back is there already\n"), "{}", stderr(&refused));
}

/// The card of a net on small data; its hash and figures depend on the training alone.
#[test]
fn the_card_reads_as_approved() {
    let (place, server) = (Place::new(), Server::start());
    place.stack("deep", "");
    place.ok("eval -q deep --draws 50 --out deep/evaluation.json");
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
