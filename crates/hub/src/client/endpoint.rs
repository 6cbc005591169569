//! The address of the Hub, without the user and the password that it may hold: those are sent, and shown
//! nowhere.

use crate::{Error, Result};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// Where requests go.
pub(crate) struct Endpoint {
    /// The address that requests begin with, and that messages show.
    pub(crate) address: String,
    /// A user and a password.
    pub(crate) login: Option<(String, Option<String>)>,
}

impl Endpoint {
    /// Reads an address of the web.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Endpoint { endpoint: shown(text), reason };
        let mut url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return Err(refuse("it begins with neither http:// nor https://".into()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it holds a ? or a #".into()));
        }
        let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (user, password) = (decode(url.username()), url.password().map(decode));
        let login = (!user.is_empty() || password.is_some()).then_some((user, password));
        // Addresses of the web may have both, so that neither is refused.
        let _ = (url.set_username(""), url.set_password(None));
        Ok(Self { address: url.as_str().trim_end_matches('/').into(), login })
    }
}

/// What a message may show of what is meant to be an address.
pub(crate) fn shown(text: &str) -> String {
    text.rsplit_once('@').map_or_else(|| text.into(), |(_, place)| format!("(hidden)@{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_off_the_address() {
        let endpoint = Endpoint::parse("https://me:p%40ss@hub.example:8443/mirror/").unwrap();
        assert_eq!(endpoint.address, "https://hub.example:8443/mirror");
        assert_eq!(endpoint.login, Some(("me".into(), Some("p@ss".into()))));
        assert!(Endpoint::parse("http://127.0.0.1:80").unwrap().login.is_none());
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in ["me:secret@hub.example", "https://me:secret@", "ftp://me:secret@hub.example"] {
            let error = Endpoint::parse(text).err().unwrap().to_string();
            assert!(error.contains("HF_ENDPOINT") && !error.contains("secret"), "{error}");
        }
    }
}
