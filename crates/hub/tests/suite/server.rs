//! A Hub of one's own: a small server on the loopback interface that speaks the part of the
//! Hub's protocol that is needed, and fails when asked to.
//!
//! Large files (`.safetensors`, `.parquet`) are kept as the Hub keeps them: their headers come
//! with a redirect to another path, which sends the content and knows ranges.

use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The body ends after so many bytes.
    Cut(usize),
    /// This status comes instead of an answer.
    Status(u16),
    /// The first byte of the body is another.
    Corrupt,
    /// Ranges are ignored.
    NoRanges,
    /// So many spaces follow the body.
    Padded(usize),
    /// The body is followed by spaces that come one by one, for ten seconds.
    Dripping,
    /// The answer comes after ten seconds.
    Silent,
}

/// Files of a repository at one commit.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Default)]
struct Repo {
    private: bool,
    /// What a Space runs on.
    sdk: Option<String>,
    commits: Vec<Files>,
}

#[derive(Default)]
struct State {
    /// By `models/user/repo`, `datasets/user/repo` or `spaces/user/repo`.
    repos: BTreeMap<String, Repo>,
    /// How often which requests fail, and how: those whose line contains the text.
    faults: Vec<(String, Fault, usize)>,
    requests: Vec<String>,
    authorizations: Vec<String>,
}

/// The server. `hf_write` may do all, `hf_read` may read all, others see what is public.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { endpoint, state: Arc::default() };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                // A client that goes away is no fault of the server's.
                std::thread::spawn(move || drop(server.serve(&stream)));
            }
        });
        server
    }

    /// Puts files into a repository as a new commit.
    pub(crate) fn put(&self, repo: &str, private: bool, files: &[(&str, &[u8])]) {
        let mut state = self.state.lock().unwrap();
        let repo = state.repos.entry(repo.into()).or_default();
        repo.private = private;
        repo.commits.push(files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect());
    }

    /// The newest files of a repository.
    pub(crate) fn files(&self, repo: &str) -> Files {
        self.state.lock().unwrap().repos[repo].commits.last().cloned().unwrap_or_default()
    }

    pub(crate) fn is_private(&self, repo: &str) -> bool {
        self.state.lock().unwrap().repos[repo].private
    }

    /// What the Space was said to run on.
    pub(crate) fn sdk(&self, repo: &str) -> Option<String> {
        self.state.lock().unwrap().repos[repo].sdk.clone()
    }

    /// The next `times` requests whose first line contains `what` fail.
    pub(crate) fn fail(&self, what: &str, fault: Fault, times: usize) {
        self.state.lock().unwrap().faults.push((what.into(), fault, times));
    }

    /// The requests since the last call: method, path and range.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// How the requests since the last call said who asks.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().authorizations)
    }

    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim().split_once(':') {
                Some((name, value)) => headers.insert(name.to_lowercase(), value.trim().to_string()),
                None => break,
            };
        }
        let mut body = vec![0; headers.get("content-length").map_or(0, |n| n.parse().unwrap())];
        reader.read_exact(&mut body)?;

        let words: Vec<&str> = first.split_whitespace().collect();
        let (method, path) = (words[0], words[1].split('?').next().unwrap());
        let range = headers.get("range").cloned();
        let line = format!("{method} {path}{}", range.as_ref().map_or(String::new(), |range| format!(" {range}")));
        let fault = {
            let mut state = self.state.lock().unwrap();
            state.requests.push(line.clone());
            state.authorizations.extend(headers.get("authorization").cloned());
            let fault = state.faults.iter_mut().find(|(what, _, times)| *times > 0 && line.contains(what.as_str()));
            fault.map(|(_, fault, times)| {
                *times -= 1;
                *fault
            })
        };
        let token = headers.get("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut answer = match fault {
            Some(Fault::Status(status)) => Answer::error(status, "", "asked to fail"),
            _ => self.answer(path, token, &body),
        };
        if let Some(from) = range.filter(|_| answer.status == 200 && !matches!(fault, Some(Fault::NoRanges))) {
            let from: usize = from.strip_prefix("bytes=").unwrap().trim_end_matches('-').parse().unwrap();
            answer.status = 206;
            answer.body.drain(..from);
        }
        let length = match fault {
            Some(Fault::Padded(spaces)) => answer.body.len() + spaces,
            Some(Fault::Dripping) => 1 << 40,
            _ => answer.body.len(),
        };
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Length: {length}\r\nConnection: close\r\n", answer.status);
        for (name, value) in &answer.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match fault {
            Some(Fault::Cut(bytes)) => answer.body.truncate(bytes),
            Some(Fault::Corrupt) => answer.body[0] ^= 1,
            Some(Fault::Silent) => std::thread::sleep(Duration::from_secs(10)),
            _ => {}
        }
        let mut stream = stream;
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if method != "HEAD" {
            stream.write_all(&answer.body)?;
        }
        match fault {
            Some(Fault::Padded(spaces)) => stream.write_all(&vec![b' '; spaces])?,
            Some(Fault::Dripping) => {
                for _ in 0..1000 {
                    stream.write_all(b" ")?;
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            _ => {}
        }
        stream.flush()
    }

    fn answer(&self, path: &str, token: &str, body: &[u8]) -> Answer {
        let mut state = self.state.lock().unwrap();
        let (reads, writes) = (["hf_read", "hf_write"].contains(&token), token == "hf_write");
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let may_write = match (reads, writes) {
            (_, true) => None,
            (true, _) => Some(Answer::error(403, "", "this token may only read")),
            _ => Some(Answer::error(401, "", "Invalid username or password.")),
        };
        match parts[..] {
            ["cdn", hash] => {
                let all = state.repos.values().flat_map(|repo| &repo.commits).flat_map(BTreeMap::values);
                let found = all.into_iter().find(|bytes| sha256(bytes) == hash).cloned();
                found.map_or(Answer::error(404, "", "gone"), |body| Answer { body, ..Answer::default() })
            }
            ["api", "repos", "create"] => may_write.unwrap_or_else(|| {
                let asked: Value = serde_json::from_slice(body).unwrap();
                let id = format!("{}/{}", asked["organization"].as_str().unwrap(), asked["name"].as_str().unwrap());
                let name = format!("{}s/{id}", asked["type"].as_str().unwrap());
                if state.repos.contains_key(&name) {
                    return Answer::error(409, "", "You already created this model repo");
                }
                let private = asked["private"].as_bool().unwrap();
                let sdk = asked["sdk"].as_str().map(str::to_string);
                if sdk.is_none() && name.starts_with("spaces/") {
                    return Answer::error(400, "", "a Space needs an sdk");
                }
                state.repos.insert(name, Repo { private, sdk, commits: vec![Files::new()] });
                Answer::json(&json!({"url": format!("{}/{id}", self.endpoint)}))
            }),
            ["api", kind, user, repo, "preupload", _] => may_write.unwrap_or_else(|| {
                let name = format!("{kind}/{user}/{repo}");
                assert!(state.repos.contains_key(&name), "{name} was not made");
                let asked: Value = serde_json::from_slice(body).unwrap();
                let mode = |file: &Value| {
                    let mode = if is_large(file["path"].as_str().unwrap()) { "lfs" } else { "regular" };
                    json!({"path": file["path"], "uploadMode": mode, "shouldIgnore": false})
                };
                let files: Vec<Value> = asked["files"].as_array().unwrap().iter().map(mode).collect();
                Answer::json(&json!({"files": files}))
            }),
            [_, _, "info", "lfs", "objects", "batch"] => Answer::json(&json!({"transfer": "basic", "objects": []})),
            ["api", kind, user, repo, "commit", _] => may_write.unwrap_or_else(|| {
                let repo = state.repos.get_mut(&format!("{kind}/{user}/{repo}")).unwrap();
                let mut files = repo.commits.last().cloned().unwrap_or_default();
                for line in std::str::from_utf8(body).unwrap().lines() {
                    let line: Value = serde_json::from_str(line).unwrap();
                    if line["key"] == "file" {
                        let bytes = base64(line["value"]["content"].as_str().unwrap());
                        files.insert(line["value"]["path"].as_str().unwrap().into(), bytes);
                    }
                }
                repo.commits.push(files);
                Answer::json(&json!({"commitOid": commit(repo.commits.len()), "commitUrl": self.endpoint}))
            }),
            ["api", kind, user, repo, "revision", revision] => {
                let name = format!("{kind}/{user}/{repo}");
                match find(&state, &name, revision, reads) {
                    Err(refusal) => refusal,
                    Ok((repo, n)) => {
                        let files: Vec<Value> = repo.commits[n].keys().map(|f| json!({"rfilename": f})).collect();
                        let id = name.split_once('/').unwrap().1;
                        Answer::json(
                            &json!({"id": id, "sha": commit(n + 1), "private": repo.private, "siblings": files}),
                        )
                    }
                }
            }
            ["datasets", user, repo, "resolve", revision, ref file @ ..] => {
                self.resolve(&state, &format!("datasets/{user}/{repo}"), revision, &file.join("/"), reads)
            }
            [user, repo, "resolve", revision, ref file @ ..] => {
                self.resolve(&state, &format!("models/{user}/{repo}"), revision, &file.join("/"), reads)
            }
            _ => Answer::error(404, "", "no such page"),
        }
    }

    fn resolve(&self, state: &State, repo: &str, revision: &str, file: &str, reads: bool) -> Answer {
        let (repo, n) = match find(state, repo, revision, reads) {
            Ok(found) => found,
            Err(refusal) => return refusal,
        };
        let Some(bytes) = repo.commits[n].get(file) else {
            return Answer::error(404, "EntryNotFound", "Entry not found");
        };
        let hash = sha256(bytes);
        let mut headers = vec![("X-Repo-Commit", commit(n + 1))];
        if is_large(file) {
            headers.push(("X-Linked-Size", bytes.len().to_string()));
            headers.push(("X-Linked-Etag", format!("\"{hash}\"")));
            headers.push(("ETag", "\"of-the-redirect\"".into()));
            headers.push(("Location", format!("{}/cdn/{hash}", self.endpoint)));
            return Answer { status: 302, headers, ..Answer::default() };
        }
        headers.push(("ETag", format!("\"{}\"", git_hash(bytes))));
        Answer { headers, body: bytes.clone(), ..Answer::default() }
    }
}

/// A repository that may be seen, and the number of the commit of a revision.
fn find<'a>(state: &'a State, name: &str, revision: &str, reads: bool) -> Result<(&'a Repo, usize), Answer> {
    let repo = state.repos.get(name).filter(|repo| reads || !repo.private);
    let Some(repo) = repo else {
        // Whoever shows no token does not learn whether there is such a repository.
        let status = if reads { 404 } else { 401 };
        return Err(Answer::error(status, "RepoNotFound", "Repository not found"));
    };
    let newest = repo.commits.len();
    match (1..=newest).find(|&n| revision == commit(n) || (revision == "main" && n == newest)) {
        Some(n) => Ok((repo, n - 1)),
        None => Err(Answer::error(404, "RevisionNotFound", "Invalid rev id")),
    }
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: 200, headers: Vec::new(), body: Vec::new() }
    }
}

impl Answer {
    fn json(value: &Value) -> Self {
        Self {
            headers: vec![("Content-Type", "application/json".into())],
            body: value.to_string().into(),
            ..Self::default()
        }
    }

    fn error(status: u16, code: &'static str, message: &str) -> Self {
        let mut headers = vec![("X-Error-Message", message.to_string())];
        if !code.is_empty() {
            headers.push(("X-Error-Code", code.into()));
        }
        if status == 429 {
            headers.push(("Retry-After", "0".into()));
        }
        Self { status, headers, ..Self::default() }
    }
}

fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors") || path.ends_with(".parquet")
}

/// The name of a repository's n-th commit.
pub(crate) fn commit(n: usize) -> String {
    format!("{n:040x}")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The name that git gives a content.
pub(crate) fn git_hash(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |c: &u8| digits.iter().position(|digit| digit == c).map(|value| value as u32);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.as_bytes().chunks(4) {
        let known: Vec<u32> = four.iter().filter_map(digit).collect();
        let word = known.iter().enumerate().fold(0, |word, (i, value)| word | value << (18 - 6 * i));
        bytes.extend(&word.to_be_bytes()[1..known.len()]);
    }
    bytes
}
