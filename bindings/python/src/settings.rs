//! Settings as JSON, completed as the program completes a recipe.

use crate::failure::{Failure, Result};
use deepbelief_cli::embedded::{self, Complete};
use serde_json::Value;

/// JSON as a value.
pub(crate) fn parsed(json: &str) -> Result<Value> {
    Ok(serde_json::from_str(json)?)
}

/// Settings, or a failure in the words of the program.
pub(crate) fn complete<C>(found: embedded::Result<C>) -> Result<Complete<C>> {
    found.map_err(Failure::new)
}
