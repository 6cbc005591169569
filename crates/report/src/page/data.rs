//! Texts and numbers on their way into a page.

use crate::chart::plain;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Letters of a name, at most.
const LONGEST: usize = 300;

/// A name from data as one line; maud escapes its markup.
pub(super) fn line(text: &str) -> String {
    plain(text, LONGEST)
}

/// What a content-security policy calls a text.
pub(super) fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// JSON that ends no script, whatever names are in it.
pub(super) fn script_safe(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_script_ends_no_script_and_stays_the_same() {
        let value = serde_json::json!({ "name": "</script><b>&\u{2028}" });
        let text = script_safe(&value);
        assert!(!text.contains('<') && serde_json::from_str::<Value>(&text).unwrap() == value);
    }
}
