//! Findings of an alignment, for people and as JSON.

use crate::report::thousands;
use deepbelief_data::Aligned;
use serde_json::json;
use std::collections::HashSet;
use std::fmt::Write as _;

/// Sites or letters that a line lists, at most.
const LISTED: usize = 8;

/// A line each, behind its name; `recommended` are the weights by neighbours, which recipes then ask for.
pub(super) fn lines(aligned: &Aligned, recommended: bool) -> Vec<(&'static str, String)> {
    let listed = |texts: &mut dyn Iterator<Item = String>, all: usize| {
        let more = if all > LISTED { ", ..." } else { "" };
        texts.take(LISTED).collect::<Vec<_>>().join(", ") + more
    };
    let unknown = match aligned.unknown.as_slice() {
        [] => "no others".to_string(),
        others => {
            let all: u64 = others.iter().map(|(_, count)| count).sum();
            let each = &mut others.iter().map(|(letter, count)| format!("{letter} {}", thousands(*count as usize)));
            format!("{} others: {}", thousands(all as usize), listed(each, others.len()))
        }
    };
    let unequal = match aligned.unequal {
        0 => format!("all sequences have {} letters", aligned.sites),
        n => format!("{} of {} sequences have another length", thousands(n), thousands(aligned.sequences)),
    };
    let sites = match aligned.gap_rich_sites.as_slice() {
        [] => "no site".to_string(),
        sites => {
            let named = listed(&mut sites.iter().map(ToString::to_string), sites.len());
            format!("{} of {} sites ({named})", sites.len(), aligned.sites)
        }
    };
    let gaps = format!(
        "more than half of the letters: in {} of {} sequences, at {sites}",
        thousands(aligned.gap_rich),
        thousands(aligned.sequences)
    );
    let mut lines = vec![("letters", format!("{}; {unknown}", aligned.alphabet)), ("lengths", unequal), ("gaps", gaps)];
    if let Some((identity, effective)) = aligned.effective {
        let advice = if recommended {
            format!("; --reweight {identity} weighs them so, and the recipe has it")
        } else {
            String::new()
        };
        let said = format!(
            "by the inverse number of neighbours of {:.0} % equal letters the sequences count as {}{advice}",
            100.0 * identity,
            thousands(effective.round() as usize)
        );
        lines.push(("weights", said));
    }
    lines
}

/// A file of weights as `--weights` reads it: a line for each sequence, with its name where names tell sequences apart.
pub(super) fn weights(weights: &[(String, f32)]) -> String {
    let mut names = HashSet::new();
    let is_name = |name: &str| !name.is_empty() && !name.starts_with('#') && !name.contains(',');
    let are_named = weights.iter().all(|(name, _)| is_name(name) && names.insert(name));
    weights.iter().fold(String::new(), |mut text, (name, weight)| {
        let _ = if are_named { writeln!(text, "{name}\t{weight}") } else { writeln!(text, "{weight}") };
        text
    })
}

/// As one object.
pub(super) fn json(aligned: &Aligned) -> serde_json::Value {
    json!({
        "sequences": aligned.sequences,
        "sites": aligned.sites,
        "alphabet": aligned.alphabet,
        "unequal": aligned.unequal,
        "first_unequal": aligned.first_unequal,
        "duplicates": aligned.duplicates,
        "gap_rich": aligned.gap_rich,
        "gap_rich_sites": aligned.gap_rich_sites,
        "empty_sites": aligned.empty_sites,
        "unknown": aligned.unknown.iter().map(|(letter, count)| json!({"letter": letter, "count": count})).collect::<Vec<_>>(),
        "identity": aligned.effective.map(|(identity, _)| identity),
        "effective": aligned.effective.map(|(_, effective)| effective),
    })
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn weights_have_names_that_tell_sequences_apart() {
        let text = |names: [&str; 2]| weights(&names.map(|name| (name.to_string(), 0.5)));
        assert_eq!(text(["a/1-9", "b"]), "a/1-9\t0.5\nb\t0.5\n");
        for names in [["a", "a"], ["a", ""], ["a,b", "c"], ["a", "#b"]] {
            assert_eq!(text(names), "0.5\n0.5\n", "{names:?}");
        }
    }
}
