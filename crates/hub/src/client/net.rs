//! Requests for listings and files. Uploads are the library's; its listings have no bounds, and of a
//! download it neither resumes what broke off nor checks what came, so those requests are made here.

use super::cache::LONGEST_LIST;
use super::endpoint::Endpoint;
use crate::{Error, Kind, Result, Settings};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE, RETRY_AFTER};
use reqwest::{StatusCode, redirect};
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Failures in a row before a request is given up.
pub(crate) const ATTEMPTS: u32 = 6;

/// The longest wait that a busy server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long a server may be silent.
pub(crate) const SILENCE: Duration = Duration::from_mins(1);

/// How long it may take until a connection stands.
pub(crate) const CONNECT: Duration = Duration::from_secs(15);

/// Who asks.
pub(crate) const AGENT: &str = concat!("deepbelief/", env!("CARGO_PKG_VERSION"));

/// What a server says that refuses.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The Hub's own name of the fault (`X-Error-Code`).
    pub(crate) code: Option<String>,
    /// The Hub's own words.
    pub(crate) message: Option<String>,
}

impl Refusal {
    fn new(answer: &Response) -> Self {
        let text = |name: &str| header(answer.headers(), name).map(str::to_string);
        Self { status: answer.status().as_u16(), code: text("x-error-code"), message: text("x-error-message") }
    }
}

/// What the Hub says of a file before it sends it.
pub(crate) struct Head {
    /// Names the content: its SHA-256 if it is large, its git hash if it is small.
    pub(crate) etag: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// Clients for listings and files.
pub(crate) struct Net {
    /// Goes where it is sent to.
    following: Client,
    /// Stays: the headers that tell of a file come before the redirect to its content.
    staying: Client,
    endpoint: Endpoint,
    token: Option<String>,
    delay: Duration,
    limit: Duration,
}

impl Net {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let endpoint = Endpoint::parse(&settings.endpoint)?;
        let odd =
            |error: reqwest::Error| Error::Unreachable { endpoint: endpoint.address.clone(), source: error.into() };
        // The time is that of every single read, not of a whole download.
        let client = || Client::builder().user_agent(AGENT).connect_timeout(CONNECT).timeout(SILENCE);
        Ok(Self {
            following: client().build().map_err(odd)?,
            staying: client().redirect(redirect::Policy::none()).build().map_err(odd)?,
            token: settings.token.clone(),
            delay: settings.retry_delay,
            limit: settings.time_limit,
            endpoint,
        })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint.address
    }

    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Asks for a page, whose size and time are bounded.
    pub(crate) fn page(&self, url: &str) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let deadline = Instant::now() + self.limit;
        self.patiently(Some(deadline), || {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut answer = self.send(self.following.get(url).timeout(left.min(SILENCE)))?;
            if !answer.status().is_success() {
                return Ok(Err(Refusal::new(&answer)));
            }
            let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
            loop {
                if Instant::now() >= deadline {
                    let limit = format!("no whole answer within {} s", self.limit.as_secs_f32());
                    return Err(self.unreachable(io::Error::new(io::ErrorKind::TimedOut, limit)));
                }
                match answer.read(&mut buffer).map_err(|error| self.unreachable(error))? {
                    0 => return Ok(Ok(bytes)),
                    n => bytes.extend_from_slice(&buffer[..n]),
                }
                if bytes.len() as u64 > LONGEST_LIST {
                    let reason = format!("its list of files is longer than {} MiB", LONGEST_LIST >> 20);
                    return Err(Error::Answer { url: url.into(), reason });
                }
            }
        })
    }

    /// Asks what a file is. A repository that was renamed is found under its new name.
    pub(crate) fn head(&self, url: &str) -> Result<std::result::Result<Head, Refusal>> {
        let mut url = url.to_string();
        for _ in 0..10 {
            let answer = self.patiently(None, || self.send(self.staying.head(&url)))?;
            let (status, headers) = (answer.status(), answer.headers());
            let text = |name: &str| header(headers, name);
            if let Some(place) = text(LOCATION.as_str())
                && status.is_redirection()
                && place.starts_with('/')
            {
                url = format!("{}{place}", self.endpoint());
                continue;
            }
            if !status.is_success() && !status.is_redirection() {
                return Ok(Err(Refusal::new(&answer)));
            }
            let etag = text("x-linked-etag").or_else(|| text(ETAG.as_str()));
            let size = text("x-linked-size").or_else(|| text(CONTENT_LENGTH.as_str())).and_then(|n| n.parse().ok());
            let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_string());
            // The content is checked by it, and it becomes a file's name.
            let etag = etag.filter(|etag| is_hash(etag));
            let odd = |reason: &str| Error::Answer { url: url.clone(), reason: reason.into() };
            let etag = etag.ok_or_else(|| odd("its ETag is neither a SHA-256 nor a git hash"))?;
            return Ok(Ok(Head { etag, size: size.ok_or_else(|| odd("no length"))? }));
        }
        Err(Error::Answer { url, reason: "redirected ten times".into() })
    }

    /// Asks for a file from byte `from` on, once.
    pub(crate) fn get(&self, url: &str, from: u64) -> Result<Response> {
        let request = self.following.get(url);
        self.send(if from == 0 { request } else { request.header(RANGE, format!("bytes={from}-")) })
    }

    fn send(&self, request: RequestBuilder) -> Result<Response> {
        let request = match (&self.token, &self.endpoint.login) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some((user, password))) => request.basic_auth(user, password.as_ref()),
            (None, None) => request,
        };
        let answer = request.send().map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if matches!(status.as_u16(), 408 | 429 | 500 | 502..=504) {
            let wait = header(answer.headers(), RETRY_AFTER.as_str()).and_then(|value| value.parse().ok());
            if let Some(seconds) = wait {
                std::thread::sleep(Duration::from_secs(seconds).min(LONGEST_WAIT));
            }
            return Err(self.busy(status.as_u16(), Refusal::new(&answer).message.as_deref()));
        }
        Ok(answer)
    }

    /// Tries until an answer comes that will not change, or there is no more time.
    fn patiently<T>(&self, deadline: Option<Instant>, mut ask: impl FnMut() -> Result<T>) -> Result<T> {
        let mut failures = 0;
        let is_late = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        loop {
            match ask() {
                Err(error) if error.is_passing() && failures + 1 < ATTEMPTS && !is_late() => {
                    failures = self.wait(failures);
                }
                other => return other,
            }
        }
    }

    /// Waits after a failure, the longer the more there were before it; returns how many there are now.
    pub(crate) fn wait(&self, failures: u32) -> u32 {
        std::thread::sleep((self.delay * (1 << failures.min(10))).min(LONGEST_WAIT));
        failures + 1
    }

    /// What a refusal means.
    pub(crate) fn refusal(&self, refusal: &Refusal, kind: Kind, repo: &str, revision: &str) -> Error {
        let no_repo =
            || Error::NoRepo { endpoint: self.endpoint().into(), kind, repo: repo.into(), token: self.has_token() };
        let reason = || refusal.message.clone().unwrap_or_else(|| "no reason given".into());
        match (refusal.status, refusal.code.as_deref()) {
            (_, Some("RepoNotFound")) => no_repo(),
            (_, Some("RevisionNotFound")) => Error::NoRevision { repo: repo.into(), revision: revision.into() },
            (403, _) | (_, Some("GatedRepo")) => Error::Forbidden { repo: repo.into(), reason: reason() },
            (401 | 404, _) => no_repo(),
            (status @ (408 | 429 | 500..), _) => self.busy(status, refusal.message.as_deref()),
            (status, _) => Error::Answer {
                url: format!("{}/{repo}", self.endpoint()),
                reason: format!("status {status}: {}", reason()),
            },
        }
    }

    pub(crate) fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Unreachable { endpoint: self.endpoint().into(), source: source.into() }
    }

    pub(crate) fn busy(&self, status: u16, reason: Option<&str>) -> Error {
        let meaning = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let reason = reason.or(meaning).unwrap_or("no reason given").to_string();
        Error::Busy { endpoint: self.endpoint().into(), status, reason }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether an `ETag` is a hash that contents are checked by.
fn is_hash(etag: &str) -> bool {
    matches!(etag.len(), 40 | 64) && etag.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

/// What stands in an address as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one part of an address.
pub(crate) fn encode(name: &str) -> String {
    utf8_percent_encode(name, &PLAIN).to_string()
}

/// A path as the end of an address.
pub(crate) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, &const { PLAIN.remove(b'/') }).to_string()
}
