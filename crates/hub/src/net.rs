//! Requests for files. Listings and uploads are the library's; of a download it neither resumes
//! what broke off nor checks what came, so those requests are made here.

use crate::{Error, Result, Settings};
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE, RETRY_AFTER};
use reqwest::{StatusCode, redirect};
use std::time::Duration;

/// Failures in a row before a request is given up.
pub(crate) const ATTEMPTS: u32 = 6;

/// The longest wait that a busy server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_mins(1);

/// What a repository is asked for, for the words of a refusal.
pub(crate) struct Refusal<'a> {
    pub(crate) status: u16,
    /// The Hub's own name of the fault (`X-Error-Code`).
    pub(crate) code: Option<&'a str>,
    /// The Hub's own words.
    pub(crate) message: Option<&'a str>,
}

/// What the Hub says of a file before it sends it.
pub(crate) struct Head {
    /// Names the content: its SHA-256 if it is large, its git hash if it is small.
    pub(crate) etag: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// Clients for files.
pub(crate) struct Net {
    /// Goes where it is sent to.
    following: Client,
    /// Stays: the headers that tell of a file come before the redirect to its content.
    staying: Client,
    endpoint: String,
    token: Option<String>,
    delay: Duration,
}

impl Net {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let odd =
            |error: reqwest::Error| Error::Unreachable { endpoint: settings.endpoint.clone(), source: error.into() };
        let client = || {
            let agent = concat!("deepbelief/", env!("CARGO_PKG_VERSION"));
            // Of every single read, not of a whole download.
            Client::builder().user_agent(agent).connect_timeout(SILENCE / 4).timeout(SILENCE)
        };
        Ok(Self {
            following: client().build().map_err(odd)?,
            staying: client().redirect(redirect::Policy::none()).build().map_err(odd)?,
            endpoint: settings.endpoint.trim_end_matches('/').into(),
            token: settings.token.clone(),
            delay: settings.retry_delay,
        })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Asks what a file is. A repository that was renamed is found under its new name.
    pub(crate) fn head(&self, url: &str) -> Result<std::result::Result<Head, (StatusCode, HeaderMap)>> {
        let mut url = url.to_string();
        for _ in 0..10 {
            let answer = self.patiently(|| self.send(self.staying.head(&url)))?;
            let (status, headers) = (answer.status(), answer.headers());
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            if let Some(place) = text(LOCATION.as_str())
                && status.is_redirection()
                && place.starts_with('/')
            {
                url = format!("{}{place}", self.endpoint);
                continue;
            }
            if !status.is_success() && !status.is_redirection() {
                return Ok(Err((status, headers.clone())));
            }
            let etag = text("x-linked-etag").or_else(|| text(ETAG.as_str()));
            let size = text("x-linked-size").or_else(|| text(CONTENT_LENGTH.as_str())).and_then(|n| n.parse().ok());
            let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_string());
            // It becomes a file's name.
            let etag =
                etag.filter(|etag| !etag.is_empty() && etag.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'));
            let odd = |reason: &str| Error::Answer { url: url.clone(), reason: reason.into() };
            let (etag, size) = (etag.ok_or_else(|| odd("no usable ETag"))?, size.ok_or_else(|| odd("no length"))?);
            return Ok(Ok(Head { etag, size }));
        }
        Err(Error::Answer { url, reason: "redirected ten times".into() })
    }

    /// Asks for a file from byte `from` on, once.
    pub(crate) fn get(&self, url: &str, from: u64) -> Result<Response> {
        let request = self.following.get(url);
        self.send(if from == 0 { request } else { request.header(RANGE, format!("bytes={from}-")) })
    }

    fn send(&self, request: reqwest::blocking::RequestBuilder) -> Result<Response> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if matches!(status.as_u16(), 408 | 429 | 500 | 502..=504) {
            let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            if let Some(seconds) = wait {
                std::thread::sleep(Duration::from_secs(seconds).min(LONGEST_WAIT));
            }
            return Err(self.busy(status.as_u16(), None));
        }
        Ok(answer)
    }

    /// Tries until an answer comes that will not change.
    fn patiently<T>(&self, mut ask: impl FnMut() -> Result<T>) -> Result<T> {
        let mut failures = 0;
        loop {
            match ask() {
                Err(error) if error.is_passing() && failures + 1 < ATTEMPTS => failures = self.wait(failures),
                other => return other,
            }
        }
    }

    /// Waits after a failure, the longer the more there were before it; returns how many there are now.
    pub(crate) fn wait(&self, failures: u32) -> u32 {
        std::thread::sleep((self.delay * (1 << failures.min(10))).min(LONGEST_WAIT));
        failures + 1
    }

    pub(crate) fn unreachable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Unreachable { endpoint: self.endpoint.clone(), source: source.into() }
    }

    pub(crate) fn busy(&self, status: u16, reason: Option<&str>) -> Error {
        let meaning = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let reason = reason.or(meaning).unwrap_or("no reason given").to_string();
        Error::Busy { endpoint: self.endpoint.clone(), status, reason }
    }
}
