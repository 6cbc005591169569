//! What recipes may hold: every key must be known, and every value of its kind.

use crate::failure::{Failure, Result, closest};
use toml::{Table, Value};

/// Checks a table's keys and values, one at a time, so that the message names the one at fault.
/// `place` says where the table stands, `known` which keys it may have, and `settle` tries a
/// key with a value.
pub(super) fn check(
    place: &str,
    table: &Table,
    known: &[&str],
    settle: impl Fn(&str, &Value) -> Result<()>,
) -> Result<()> {
    if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
        let failure = Failure::new(format!("{place}: unknown key '{key}'"));
        // A recipe of a stack, given to what trains one RBM.
        if ["layers", "layer", "top"].contains(&key.as_str()) && known.contains(&"hidden") {
            return Err(failure.hint(
                "that is a key of a deep belief net: `dbn stack --config` trains by this recipe; one RBM has `hidden`",
            ));
        }
        return Err(match closest(key, known.iter().copied()) {
            Some(word) => failure.hint(format!("did you mean '{word}'?")),
            None => failure.hint(format!("the keys are {}", known.join(", "))),
        });
    }
    for (key, value) in table {
        settle(key, value)
            .map_err(|failure| Failure::new(format!("{place}: '{key}' is {value}: {}", reason(&failure))))?;
    }
    Ok(())
}

/// Why a value will not do, in words of recipes where the reader of TOML speaks of Rust's types.
pub(super) fn reason(failure: &Failure) -> String {
    let cause = failure.causes().first().and_then(|cause| cause.lines().next()).unwrap_or(failure.what());
    let of_kind = ["invalid type", "invalid value", "unknown variant"].iter().any(|start| cause.starts_with(start));
    let Some((_, expected)) = cause.rsplit_once("expected ").filter(|_| of_kind) else { return cause.to_string() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0".to_string(),
        "f32" | "f64" => "a number".to_string(),
        "a boolean" => "true or false".to_string(),
        "a string" => "a text in quotes".to_string(),
        "a sequence" => "an array".to_string(),
        words => words.trim_start_matches("one of ").replace('`', "'"),
    };
    format!("expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_in_words_of_recipes() {
        let words = |cause: &str| reason(&Failure::new(cause).while_doing("a setting has a value of the wrong kind"));
        assert_eq!(
            words("invalid type: string \"x\", expected usize\nin `epochs`"),
            "expected a whole number, not below 0"
        );
        assert_eq!(words("invalid value: integer `-5`, expected u32"), "expected a whole number, not below 0");
        assert_eq!(words("invalid type: boolean `true`, expected f64"), "expected a number");
        assert_eq!(
            words("unknown variant `cosine`, expected one of `constant`, `linear`"),
            "expected 'constant', 'linear'"
        );
        assert_eq!(words("scale is \"x\"; it must be auto"), "scale is \"x\"; it must be auto");
        assert_eq!(reason(&Failure::new("expected a table")), "expected a table");
    }
}
