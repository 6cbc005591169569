//! A setting that is recommended.

use toml::Value;

/// A setting, its value as in a recipe and why.
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: Value,
    pub(crate) reason: String,
}
